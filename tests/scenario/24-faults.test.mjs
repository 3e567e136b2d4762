// Redis and workers die; what was accepted is not lost, and what is lost is said.
import test from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Stage, Store, item, until } from './stage.mjs';

const uris = (reader) => reader.posts.map((post) => post.item?.uri ?? post.uri);

/** Posts by HTTP until it was accepted, as a tool with patience does. */
async function postUntilAccepted(stage, story) {
  for (;;) {
    const answer = await stage.post(story, { channels: 'world' }).catch(() => null);
    if (answer && answer.status < 400) return answer;
    assert.ok(!answer || answer.status === 503, `503, not ${answer?.status}`);
    await new Promise((go) => setTimeout(go, 20));
  }
}

test('Redis is killed and comes back: readers stay connected, nothing accepted is lost or doubled', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const readers = [await stage.reader({ channels: ['world'] }), await stage.reader({ channels: ['world'] })];
  const accepted = [];
  for (let i = 0; i < 60; i++) {
    const story = item();
    if (i % 20 === 10) process.kill(await stage.redisPid(), 'SIGKILL');
    await postUntilAccepted(stage, story);
    accepted.push(story.uri);
  }
  for (const reader of readers) {
    await reader.hasRead(60);
    assert.deepEqual(uris(reader), accepted);
    assert.equal(reader.closed, null);
  }
  const feed = await until(async () => (await stage.feed('?limit=1')).items, 'the feed to be answered again');
  assert.equal(feed[0].item.uri, accepted.at(-1));
  assert.equal(await stage.metric('newswire_private_redis_died_total').read(), 3);
});

test('the machine went down in the middle of a write: nothing of that comes back, not even at the second start', async (t) => {
  const stage = await Stage.open(t);
  await stage.publish(item(), 'world');
  await stage.stop();
  const dir = join(stage.dir, 'appendonlydir');
  const file = async () => (await readdir(dir)).find((name) => name.endsWith('.incr.aof'));
  const cut = await file();
  await appendFile(join(dir, cut), '*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$5\r\nghost\r\n$1\r\n1\r\n*3\r\n$3\r\nSET\r\n$4\r\nha');
  await stage.start();
  await stage.publish(item(), 'world'); // the next transaction
  await until(() => stage.log.includes('event=redis_file_cut'), 'the log to say so');
  await until(async () => (await file()) !== cut, 'the file to be another');
  const redis = await stage.redisPid();
  process.kill(redis, 'SIGKILL');
  await until(async () => (await stage.redisPid().catch(() => redis)) !== redis, 'Redis to be started again');
  await postUntilAccepted(stage, item());
  assert.equal(await stage.redis.exists('ghost'), 0);
  assert.equal(await stage.redis.xlen('{newswire}:wire'), 3);
});

test('Redis away: readers are served from memory, posting says so, readiness tells', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store });
  const reader = await stage.reader({ channels: ['world'] });
  const since = reader.cursor;
  await stage.publish(item(), 'world');
  await reader.hasRead(1);
  await store.kill();
  await until(async () => (await stage.http('/readyz/publish')).status === 503, 'not ready to publish');
  assert.match((await stage.http('/readyz')).text, /degraded/);
  const refused = await stage.post(item(), { channels: 'world' });
  assert.equal(refused.status, 503);
  assert.ok(refused.headers.get('retry-after'));
  assert.equal((await stage.http('/v1/feed')).status, 503);
  const back = await stage.reader({ channels: ['world'], since });
  await back.hasRead(1);
  await store.start();
  await until(async () => (await stage.http('/readyz/publish')).status === 200, 'ready to publish again');
  await stage.post(item(), { channels: 'world' });
  await reader.hasRead(2);
  await back.hasRead(2);
});

test('who asks for older history while Redis is away waits, with proof of life, and gets it when Redis is back', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store, backlog: '64k', tick: '1s' });
  const first = await stage.reader({ channels: ['world'] });
  const since = first.cursor;
  for (let i = 0; i < 100; i++) await stage.publish(item({ body: 'h'.repeat(3000) }), 'world');
  await first.hasRead(100);
  await store.kill();
  const back = await stage.reader({ channels: ['world'], since });
  await back.saw((m) => m.type === 'tick' && m.cursor === since, 'a tick that leaves the cursor in place');
  assert.deepEqual(back.posts, []);
  await store.start();
  await back.hasRead(100);
});

test('a Redis of ours over TCP, with a user, a password and a database number; the password is never logged', async (t) => {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  const store = await Store.open(t, ['--port', String(port), '--bind', '127.0.0.1']);
  await store.redis.call('ACL', 'SETUSER', 'news', 'on', '>s3cret@x', '~*', '&*', '+@all');
  const withPassword = (password) => ({ address: `redis://news:${password}@127.0.0.1:${port}/3`, redis: store.redis });
  const stage = await Stage.open(t, { store: withPassword('s3cret%40x'), 'log-level': 'debug' });
  const reader = await stage.reader({ channels: ['world'] });
  assert.equal((await stage.post(item(), { channels: 'world' })).body.durability, 'fsync');
  await stage.publish(item(), 'world');
  await reader.hasRead(2);
  assert.match(await store.redis.info('keyspace'), /db3:/);
  assert.doesNotMatch(stage.log, /s3cret/);
});

test('a frozen Redis counts as away', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store });
  store.child.kill('SIGSTOP');
  t.after(() => store.child.kill('SIGCONT'));
  await until(async () => (await stage.http('/readyz/publish')).status === 503, 'the frozen Redis to be noticed');
  store.child.kill('SIGCONT');
  await until(async () => (await stage.http('/readyz/publish')).status === 200, 'the link to mend');
});

test('a worker is killed: its readers come back and have lost nothing', async (t) => {
  const stage = await Stage.open(t, { workers: 1 });
  let reader = await stage.reader({ channels: ['world'] });
  await stage.publish(item(), 'world');
  await reader.hasRead(1);
  const [pid] = await stage.workers();
  process.kill(pid, 'SIGKILL');
  await reader.ends();
  const story = item();
  await postUntilAccepted(stage, story);
  let back;
  await until(async () => {
    back = stage.connect({ channels: ['world'], since: reader.cursor });
    return back.type('hello').catch(() => false);
  }, 'the new worker');
  await back.hasRead(1);
  assert.equal(back.posts[0].item.uri, story.uri);
  assert.notEqual((await stage.workers())[0], pid);
  assert.equal(await stage.metric('newswire_workers_died_total').read(), 1);
});

test('a dropped last message is noticed without another one coming', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  await stage.publish(item(), 'world');
  await reader.hasRead(1);
  // What a node whose PUBLISH is lost on the way leaves behind: the entry and the head, but no message.
  await stage.redis.eval(`
    local prev = redis.call('GET', '{newswire}:head')
    local id = redis.call('XADD', '{newswire}:wire', '*', 'v', '1', 'prev', prev, 'meta',
      '{"action":"publish","uri":"urn:x:dropped","version":"1","class":"regular","channels":"class:regular feed:all world","was":""}')
    redis.call('SET', '{newswire}:body:urn:x:dropped:1', '{"uri":"urn:x:dropped"}')
    redis.call('SET', '{newswire}:head', id)`, 0);
  await reader.hasRead(2);
  assert.equal(reader.posts[1].item.uri, 'urn:x:dropped');
  assert.ok((await stage.metric('newswire_wire_filled_total').read()) >= 1);
});

test('the pub/sub connection is cut while news flows: every post comes once, in order', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const sent = [];
  for (let i = 0; i < 100; i++) {
    const story = item();
    sent.push(story.uri);
    if (i % 25 === 12) await stage.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await postUntilAccepted(stage, story);
  }
  await reader.hasRead(100);
  assert.deepEqual(uris(reader), sent);
});

test('a lost tail: Redis comes back with less than it had; everyone is told of a gap', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const readers = [await stage.reader({ channels: ['world'] }), await stage.reader({ channels: ['world'] })];
  for (let i = 0; i < 3; i++) await stage.publish(item(), 'world');
  for (const reader of readers) await reader.hasRead(3);
  const lost = readers[0].posts[2].cursor;
  const kept = readers[0].posts[1].cursor.split(':')[1];
  await stage.redis.multi().xdel('{newswire}:wire', lost.split(':')[1]).set('{newswire}:head', kept).exec();
  for (const reader of readers) {
    const gap = await reader.type('gap');
    assert.notEqual(gap.cursor.split(':')[0], lost.split(':')[0], 'a new epoch');
    assert.equal(gap.cursor.split(':')[1], kept);
  }
  assert.equal((await readers[0].type('gap')).cursor, (await readers[1].type('gap')).cursor);
  await stage.publish(item(), 'world');
  for (const reader of readers) await reader.hasRead(4);
  const old = await stage.reader({ channels: ['world'], since: lost });
  await old.type('gap');
});

test('FLUSHALL: a gap, and news goes on', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  await stage.publish(item(), 'world');
  await reader.hasRead(1);
  await stage.redis.flushall();
  await reader.type('gap');
  await until(async () => (await stage.http('/readyz')).text === 'ready\n', 'ready again');
  await stage.publish(item(), 'world');
  await reader.hasRead(2);
});

test('a drain says bye with a spread wait, closes 1001, and nothing is refused that was accepted', async (t) => {
  const stage = await Stage.open(t, { 'drain-time': '500ms' });
  const readers = await Promise.all(Array.from({ length: 20 }, () => stage.reader({ channels: ['world'] })));
  await stage.publish(item(), 'world');
  for (const reader of readers) await reader.hasRead(1);
  const code = stage.stop('SIGTERM');
  const waits = new Set();
  for (const reader of readers) {
    const bye = await reader.type('bye');
    assert.equal(bye.reason, 'drain');
    waits.add(bye.retry_ms);
    assert.equal((await reader.ends()).code, 1001);
  }
  assert.ok(waits.size > 5, 'spread');
  assert.equal(await code, 0);
});

test('a drain waits for the requests that are being answered', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store, 'drain-time': '3s' });
  store.child.kill('SIGSTOP');
  const answer = stage.post(item(), { channels: 'world' });
  await stage.metric('newswire_desk_heard_total').reaches(1);
  process.kill((await stage.workers())[0], 'SIGTERM');
  await stage.logged(/worker_drains/);
  store.child.kill('SIGCONT');
  assert.equal((await answer).status, 201);
});

test('two SIGTERMs end a worker with every kind of connection open, cleanly', async (t) => {
  const stage = await Stage.open(t);
  for (let i = 0; i < 5; i++) await stage.reader({ channels: ['world'] });
  const silent = stage.dial().on('error', () => {});
  const half = stage.dial().on('error', () => {});
  half.write('GET /v1/feed HTTP/1.1\r\nHo');
  await stage.metric('newswire_readers').becomes(5);
  const [pid] = await stage.workers();
  process.kill(pid, 'SIGTERM');
  process.kill(pid, 'SIGTERM');
  await stage.logged(/worker_stops/);
  await until(async () => !(await stage.workers()).includes(pid), 'the worker to be gone');
  silent.destroy();
  half.destroy();
  await stage.http('/healthz'); // a new one has come; the stage looks for a sanitizer's report when it closes
});

test('a Redis without an append-only file is said, and receipts do not claim to be durable', async (t) => {
  const store = await Store.open(t, ['--appendonly', 'no']);
  const stage = await Stage.open(t, { store });
  await stage.logged(/append/);
  assert.equal((await stage.post(item(), { channels: 'world' })).body.durability, 'memory');
});
