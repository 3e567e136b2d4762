// The access rules of docs/redis.md, loaded into a real Redis as they stand there: newswired works under its own, and a tool
// can do with its own what it should, and nothing else.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import net from 'node:net';
import Redis from 'ioredis';
import { Stage, Store, item, until } from './stage.mjs';

const manual = readFileSync(join(dirname(fileURLToPath(import.meta.url)), '../../docs/redis.md'), 'utf8');

/** `ACL SETUSER` of the manual, each with its further-indented lines: [[name, …rules]]. */
function users() {
  const commands = manual.match(/^ {4}ACL SETUSER .*(\n {8}.*)*/gm).map((text) => text.trim().split(/\s+/).slice(2));
  assert.deepEqual(commands.map(([name]) => name), ['newswired', 'worlddesk', 'alldesks', 'inboxdesk', 'channelwatch']);
  return commands;
}

/** A Redis with these users, and a newswired that is one of them. */
async function guarded(t, options = {}) {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  const store = await Store.open(t, ['--port', String(port), '--bind', '127.0.0.1']);
  for (const user of users()) await store.redis.call('ACL', 'SETUSER', ...user);
  const stage = await Stage.open(t, { store: { address: `redis://newswired:secret@127.0.0.1:${port}`, redis: store.redis }, ...options });
  const login = (username) => {
    const redis = new Redis({ path: store.path, username, password: 'secret', enableReadyCheck: false, maxRetriesPerRequest: 1 });
    redis.on('error', () => {});
    t.after(() => redis.disconnect());
    return redis;
  };
  return { store, stage, login };
}

async function forbids(redis, commands) {
  for (const command of commands) await assert.rejects(redis.call(...command), /NOPERM/, command.join(' '));
}

test('newswired does all its work under the rules of the manual', async (t) => {
  const { store, stage } = await guarded(t, { 'raw-publish': 'everything', workers: 2 });
  const reader = await stage.reader({ channels: ['world'] });
  const uri = 'urn:guarded';
  assert.equal((await stage.post(item({ uri }), { channels: 'world' })).body.durability, 'fsync');
  await stage.publish(item({ uri, version: '2' }));
  await reader.hasRead(2);
  const due = new Date(Date.now() + 1500).toISOString();
  assert.equal((await stage.post(item({ uri: 'urn:due', embargoedUntil: due }), { channels: 'world' })).status, 202);
  await reader.hasRead(3);
  await stage.publish({ uri, version: '3', pubStatus: 'canceled' });
  await reader.hasRead(4);
  assert.equal((await stage.http('/v1/items/urn:due', { method: 'DELETE', headers: { authorization: `Bearer ${stage.key}` } })).status, 200);
  assert.equal((await stage.http('/v1/audit', { headers: { authorization: `Bearer ${stage.key}` } })).body.entries.length, 6);
  await stage.publish('{"no":"news"');
  await stage.metric('newswire_rejects_total{reason="not_json"}').becomes(1);
  assert.deepEqual((await stage.feed('?channels=world')).items, []);
  const back = await stage.reader({ channels: ['world'], since: reader.messages[0].cursor });
  await back.type('post');
  await until(async () => {
    if (/rewrite_in_progress:1|rewrite_scheduled:1/.test(await store.redis.info('persistence'))) return false;
    await store.redis.del('{newswire}:rewriting'); // the minute until it may be written anew again
    return (await store.redis.get('{newswire}:rewrite')) === null;
  }, 'the append-only file to be written anew');
  assert.doesNotMatch(stage.log, /NOPERM|WRONGPASS|store_refused|desk_deaf|rewrite_forbidden|permission/i);
});

test('a tool that watches which channels are read hears that, and can do nothing else', async (t) => {
  const { stage, login } = await guarded(t);
  const heard = [];
  const tool = login('channelwatch');
  tool.on('message', (channel, text) => heard.push([channel, JSON.parse(text).channel, JSON.parse(text).state]));
  await tool.subscribe('newswire:channels');
  await stage.reader({ channels: ['world'] });
  await until(() => heard.length > 0, 'world to be occupied');
  assert.deepEqual(heard, [['newswire:channels', 'world', 'occupied']]);
  assert.doesNotMatch(stage.log, /channels_not_told|redis_error/);
  await forbids(login('channelwatch'), [['SUBSCRIBE', 'newswire:out'], ['PSUBSCRIBE', 'newswire:*'], ['PUBLISH', 'newswire:channels', '{}'],
    ['HGETALL', '{newswire}:counts'], ['KEYS', '*']]);
});

test("newswired's user cannot touch what is not newswire's, nor Redis itself", async (t) => {
  const { login } = await guarded(t);
  const redis = login('newswired');
  await forbids(redis, [['GET', 'other'], ['SET', 'other', '1'], ['PUBLISH', 'other', 'x'], ['FLUSHALL'], ['FLUSHDB'], ['KEYS', '*'], ['CONFIG', 'SET', 'dir', '/tmp'],
    ['ACL', 'LIST'], ['SHUTDOWN'], ['SCRIPT', 'FLUSH'], ['REPLICAOF', 'NO', 'ONE'], ['EVAL', "return redis.call('GET', KEYS[1])", '1', 'other']]);
});

test('a tool that may publish to one channel can do that, and nothing else', async (t) => {
  const { stage, login } = await guarded(t);
  const reader = await stage.reader();
  const world = login('worlddesk'), all = login('alldesks');
  assert.equal(await world.publish('newswire:in:world', JSON.stringify(item({ uri: 'urn:w' }))), 1);
  assert.equal(await all.publish('newswire:in:sport', JSON.stringify(item({ uri: 'urn:s' }))), 1);
  await reader.hasRead(2);
  // A kill is no business of a raw PUBLISH in a Redis of somebody else's.
  await world.publish('newswire:in:world', JSON.stringify({ uri: 'urn:w', version: '2', pubStatus: 'canceled' }));
  await stage.metric('newswire_rejects_total{reason="may_not_kill"}').becomes(1);
  await forbids(world, [['PUBLISH', 'newswire:in:sport', '{}']]);
  for (const tool of [world, all]) {
    await forbids(tool, [['PUBLISH', 'newswire:out', '1 e1 9-0 0-0\n{}\n'], ['SUBSCRIBE', 'newswire:out'], ['PSUBSCRIBE', 'newswire:in:*'], ['GET', '{newswire}:head'],
      ['XADD', '{newswire}:wire', '*', 'a', 'b'], ['XADD', '{newswire}:inbox', '*', 'a', 'b'], ['DEL', '{newswire}:head'], ['KEYS', '*'], ['FLUSHALL'], ['CONFIG', 'GET', '*'],
      ['EVAL', 'return 1', '0'], ['INFO']]);
  }
  await reader.settled();
  assert.equal(reader.posts.length, 2);
});

test('a tool that may add to the inbox can do that, and nothing else', async (t) => {
  const { stage, login } = await guarded(t);
  const reader = await stage.reader({ channels: ['world'] });
  const tool = login('inboxdesk');
  assert.match(await tool.xadd('{newswire}:inbox', '*', 'channel', 'world', 'item', JSON.stringify(item())), /^\d+-\d+$/);
  await reader.hasRead(1);
  assert.doesNotMatch(stage.log, /NOPERM|inbox_stopped/);
  await forbids(tool, [['XADD', '{newswire}:wire', '*', 'a', 'b'], ['XADD', '{newswire}:audit', '*', 'a', 'b'], ['XREAD', 'STREAMS', '{newswire}:inbox', '0'],
    ['XRANGE', '{newswire}:inbox', '-', '+'], ['XDEL', '{newswire}:inbox', '0-1'], ['DEL', '{newswire}:inbox'], ['XGROUP', 'DESTROY', '{newswire}:inbox', 'desk'],
    ['PUBLISH', 'newswire:in:world', '{}'], ['GET', '{newswire}:head'], ['INFO']]);
});
