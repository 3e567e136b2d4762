// The inbox: what tools add to the stream `{newswire}:inbox` is published, once and in order, whoever dies meanwhile.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Stage, Store, WallClock, item, sample, until } from './stage.mjs';
import { changeKeys, publisher } from './keys.mjs';

const INBOX = '{newswire}:inbox';
const bytesOf = (what) => (typeof what === 'string' ? what : JSON.stringify(what));
/** XADD, as a tool does it. more: further fields. */
const add = (redis, what, channel = 'world', more = {}) =>
  redis.xadd(INBOX, '*', 'channel', channel, 'item', bytesOf(what), ...Object.entries(more).flat());
async function addAll(redis, items) {
  const pipeline = redis.pipeline();
  for (const one of items) add(pipeline, one);
  await pipeline.exec();
}
const isEmpty = (redis, patience) => until(async () => (await redis.xlen(INBOX)) === 0, 'the inbox to be empty', patience);
const events = (stage, event) => stage.metric(`newswire_inbox_total{event="${event}"}`);
const many = (n, more = () => ({})) => Array.from({ length: n }, (_, i) => item({ uri: `urn:inbox:${i}`, ...more(i) }));
/** What was published, in order: the metadata of the wire. */
const wire = async (redis) => (await redis.xrange('{newswire}:wire', '-', '+')).map(([, f]) => JSON.parse(f[f.indexOf('meta') + 1]));
async function stored(dir) {
  let text = '';
  for (const file of await readdir(dir, { recursive: true, withFileTypes: true }))
    if (file.isFile()) text += await readFile(join(file.path ?? file.parentPath, file.name), 'latin1').catch(() => ''); // gone meanwhile
  return text;
}
/** The worker that reads the inbox now; the log must be that of --log-level=debug. */
function readerPid(stage) {
  const last = (pattern) => [...stage.log.matchAll(pattern)].at(-1)?.[1];
  const index = last(/process=worker-(\d+) event=inbox_state from=watching /g);
  return Number(last(new RegExp(`event=worker_started worker=${index} pid=(\\d+)`, 'g')));
}

test('what was added while no node ran is published once, in order, by two workers', async (t) => {
  const store = await Store.open(t);
  for (const number of [1, 2, 3, 4, 7]) await add(store.redis, sample(number));
  await add(store.redis, sample(5));
  await add(store.redis, sample(6, { embargoedUntil: new Date(Date.now() + 3600e3).toISOString() }));
  await add(store.redis, sample(8), 'local-desk');
  await addAll(store.redis, many(200));
  const stage = await Stage.open(t, { store, workers: 2, 'raw-publish': 'everything' });
  await isEmpty(store.redis);
  const posts = await wire(store.redis);
  assert.deepEqual(posts.slice(0, 7).map((post) => [post.action, post.uri]), [
    ['publish', sample(1).uri], ['publish', sample(2).uri], ['publish', sample(3).uri], ['correct', sample(1).uri],
    ['publish', sample(7).uri], ['kill', sample(3).uri], ['publish', sample(8).guid]]);
  assert.deepEqual(posts.slice(7).map((post) => post.uri), many(200).map((one) => one.uri));
  assert.equal(await store.redis.zcard('{newswire}:embargo'), 1);
  await events(stage, 'done').becomes(208);
  assert.equal(await stage.metric('newswire_inbox_reader').read(), 1);
  assert.equal((await store.redis.xpending(INBOX, 'desk'))[0], 0);
});

test('workers are killed in the middle of 1,000 entries: each is published once, and no version after a later one', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store, workers: 2, 'log-level': 'debug' });
  const reader = await stage.reader({ channels: ['world'] });
  const items = Array.from({ length: 1000 }, (_, i) =>
    item({ uri: `urn:inbox:${i % 50}`, version: String(1 + Math.floor(i / 50)), versionCreated: undefined }));
  await addAll(store.redis, items);
  for (const at of [100, 400, 700]) {
    await until(async () => (await store.redis.xlen('{newswire}:wire')) >= at, `${at} posts`);
    process.kill(readerPid(stage), 'SIGKILL');
    await stage.metric('newswire_inbox_reader').becomes(1).catch(() => {}); // its door may be gone
  }
  await isEmpty(store.redis, 30000);
  const posts = await wire(store.redis);
  assert.deepEqual(posts.map((post) => [post.uri, post.version]), items.map((one) => [one.uri, one.version]), 'all, once, in order');
  assert.equal((await store.redis.xinfo('CONSUMERS', INBOX, 'desk')).length <= 2, true, 'the dead are not remembered');
  assert.equal((await stage.rejects()).length, 0);
  assert.ok(reader.posts.length <= 1000);
});

test('Redis dies in the middle: nothing that XADD answered is lost or doubled', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const items = many(600);
  for (let i = 0; i < 600; i += 200) {
    await addAll(stage.redis, items.slice(i, i + 200));
    await until(async () => (await stage.redis.xlen('{newswire}:wire')) >= i + 50, 'some posts');
    process.kill(await stage.redisPid(), 'SIGKILL');
    await until(() => stage.redis.ping().catch(() => false), 'Redis to be back');
  }
  await isEmpty(stage.redis);
  assert.deepEqual((await wire(stage.redis)).map((post) => post.uri), items.map((one) => one.uri));
});

test('what another node was given before it died is taken over, and what nobody ever decides ends in the rejects', async (t) => {
  const store = await Store.open(t);
  await store.redis.xgroup('CREATE', INBOX, 'desk', '0', 'MKSTREAM');
  await addAll(store.redis, many(3, () => ({ headline: 'Q7731' })));
  const [[, entries]] = await store.redis.xreadgroup('GROUP', 'desk', 'dead-node', 'STREAMS', INBOX, '>');
  await store.redis.xclaim(INBOX, 'desk', 'dead-node', 0, entries[1][0], 'RETRYCOUNT', 5);
  const stage = await Stage.open(t, { store });
  await isEmpty(store.redis);
  assert.deepEqual((await wire(store.redis)).map((post) => post.uri), ['urn:inbox:0', 'urn:inbox:2']);
  const [poison] = await stage.rejects();
  assert.deepEqual([poison.reason, poison.channel, poison.owner], ['poison', 'world', 'redis']);
  assert.ok(!JSON.stringify(poison).includes('Q7731'));
  assert.deepEqual([await events(stage, 'taken_over').read(), await events(stage, 'poison').read()], [2, 1]);
  assert.equal(await stage.metric('newswire_rejects_total{reason="poison"}').read(), 1);

  // While it reads already: after a few seconds' silence of the other.
  await store.redis.multi().xadd(INBOX, '*', 'channel', 'world', 'item', bytesOf(item({ uri: 'urn:inbox:late' })))
    .xreadgroup('GROUP', 'desk', 'dead-node', 'STREAMS', INBOX, '>').exec();
  await isEmpty(store.redis);
  assert.equal((await wire(store.redis)).at(-1).uri, 'urn:inbox:late');
});

test('an entry that a key is in the way of waits, is told, and holds nobody up', async (t) => {
  const stage = await Stage.open(t);
  await stage.redis.set('{newswire}:feed:jam', 'of another program');
  await add(stage.redis, item({ uri: 'urn:jammed' }), 'jam');
  await add(stage.redis, item({ uri: 'urn:free' }));
  await until(async () => (await stage.redis.xlen('{newswire}:wire')) === 1, 'the second to be published');
  await stage.logged(/event=store_refused error="WRONGKEY \{newswire\}:feed:jam is a string/);
  assert.equal(await stage.redis.xlen(INBOX), 1);
  await stage.redis.del('{newswire}:feed:jam');
  await isEmpty(stage.redis);
  assert.deepEqual((await wire(stage.redis)).map((post) => post.uri), ['urn:free', 'urn:jammed']);
});

/** The lines of a shell in the manual that sign an entry. */
const manual = readFileSync(join(dirname(fileURLToPath(import.meta.url)), '../../docs/keys.md'), 'utf8');
const signingLines = manual.match(/^ {4}item=.*(\n {4}.*)*/m)[0].replace(/^ {4}/gm, '');

test('an unsigned entry may do what a PUBLISH may; a signed one what its publisher may, as the manual signs it', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store, workers: 2 });
  const secret = 'a long text of random letters';
  await changeKeys(stage, { keys: [publisher('world-desk', ['publish', 'correct', 'kill', 'flash'], { secret, channels: ['world', 'sport.*'] })] });
  const sign = (what, channels) => ({ key: 'world-desk',
    signature: createHmac('sha256', secret).update(`${channels}\n${bytesOf(what)}`).digest('hex') });
  const flash = item({ uri: 'urn:flash', urgency: 1 }), kill = { uri: 'urn:flash', version: '2', pubStatus: 'canceled' };
  await add(store.redis, flash);
  await stage.metric('newswire_rejects_total{reason="may_not_flash"}').becomes(1);
  await add(store.redis, flash, 'sport.golf,world', sign(flash, 'sport.golf world'));
  await until(async () => (await store.redis.hget('{newswire}:item:urn:flash', 'owner')) === 'world-desk', 'the signed flash');
  await add(store.redis, kill, 'world', sign(kill, 'sport.golf world'));
  await stage.metric('newswire_rejects_total{reason="bad_signature"}').becomes(1);
  await add(store.redis, kill, 'world', sign(kill, 'world'));
  await until(async () => (await store.redis.hget('{newswire}:item:urn:flash', 'status')) === 'canceled', 'the kill');
  const elsewhere = item();
  await add(store.redis, elsewhere, 'culture', sign(elsewhere, 'culture'));
  await stage.metric('newswire_rejects_total{reason="channel_forbidden"}').becomes(1);

  const file = join(stage.dir, 'item.json');
  await import('node:fs/promises').then((fs) => fs.writeFile(file, bytesOf(item({ uri: 'urn:by-shell', headline: 'Привіт, "світе"' }))));
  const script = `redis-cli() { command redis-cli -s '${store.path}' "$@"; }\nsecret='${secret}'\ncd '${stage.dir}'\n${signingLines}`;
  const { err, out } = await new Promise((tell) => { execFile('bash', ['-c', script], (error, stdout, stderr) => tell({ err: stderr, out: stdout })); });
  assert.match(out, /^\d+-\d+\n$/, err);
  await until(async () => (await store.redis.hget('{newswire}:item:urn:by-shell', 'owner')) === 'world-desk', 'the entry that a shell signed');
  assert.ok(!stage.log.includes(secret));
});

test('a killed text that came through the inbox leaves every file, also one that came after its kill', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  await addAll(stage.redis, [item({ headline: 'one' }), item({ uri: 'urn:horror', headline: 'QX7731 horror' }), item({ headline: 'three' })]);
  await reader.hasRead(3);
  assert.ok((await stored(stage.dir)).includes('QX7731'));
  await add(stage.redis, { uri: 'urn:horror', version: '2', pubStatus: 'canceled' });
  assert.equal((await reader.hasRead(4))[3].action, 'kill');
  await until(async () => !(await stored(stage.dir)).includes('QX7731'), 'the text to be gone from every file', 60000);
  await add(stage.redis, item({ uri: 'urn:horror', version: '3', headline: 'QX7732 late' }));
  await stage.metric('newswire_rejects_total{reason="killed"}').becomes(1);
  assert.match(await stage.redis.get('{newswire}:rewrite'), / late /, 'it will be written anew again, at most once a minute');
  await stage.redis.del('{newswire}:rewriting'); // that minute
  await until(async () => !(await stored(stage.dir)).includes('QX7732'), 'the late text to be gone too', 60000);
});

test('an embargo through the inbox is held, told nobody, and ends in time', async (t) => {
  const stage = await Stage.open(t, { 'log-level': 'debug' });
  const reader = await stage.reader();
  const due = Date.now() + 5000;
  await add(stage.redis, sample(6, { embargoedUntil: new Date(due).toISOString() }));
  await until(async () => (await stage.redis.zcard('{newswire}:embargo')) === 1, 'it to be held');
  assert.equal(await stage.redis.xlen(INBOX), 0);
  assert.ok(!stage.log.includes('Port budget'));
  const [release] = await reader.hasRead(1);
  assert.ok(Date.now() >= due, 'not before its time');
  assert.equal(release.action, 'release');
});

test('10,000 entries wait in Redis, not in memory, and HTTP is answered meanwhile', async (t) => {
  const store = await Store.open(t);
  const body = 'b'.repeat(2000);
  for (let i = 0; i < 10; i++) await addAll(store.redis, Array.from({ length: 1000 }, (_, n) => item({ uri: `urn:inbox:${i * 1000 + n}`, body })));
  const stage = await Stage.open(t, { store, backlog: '64k' });
  const [pid] = await stage.workers();
  const memory = async () => Number((await readFile(`/proc/${pid}/status`, 'utf8')).match(/VmRSS:\s+(\d+)/)[1]) / 1024;
  const isSanitized = (await readFile(`/proc/${pid}/maps`, 'utf8')).includes('libasan'); // which keeps what was freed
  let most = 0, posts = 0, slowest = 0, given = 0;
  while ((await store.redis.xlen(INBOX)) > 0) {
    const began = Date.now();
    assert.equal((await stage.post(item(), { channels: 'sport' })).status, 201);
    slowest = Math.max(slowest, Date.now() - began);
    posts += 1;
    most = Math.max(most, await memory());
    given = Math.max(given, (await store.redis.xpending(INBOX, 'desk'))[0]);
  }
  t.diagnostic(`${posts} posts by HTTP meanwhile, the slowest in ${slowest} ms; at most ${given} entries and ${most.toFixed(0)} MiB`);
  assert.equal(await store.redis.xlen('{newswire}:wire'), 10000 + posts);
  assert.ok(posts >= 5 && slowest < 5000);
  assert.ok(given > 0 && given <= 128 + 32, `${given} entries at once`);
  assert.ok(isSanitized || most < 25, `${most} MiB: all the entries together have more than 20`);
});

test('a worker that is frozen loses the inbox to another one, and changes nothing when it wakes up', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store, workers: 2, 'log-level': 'debug' });
  await stage.logged(/from=taking_over to=reading/);
  const items = many(400), pid = readerPid(stage);
  await addAll(store.redis, items.slice(0, 200));
  await until(async () => (await store.redis.xlen('{newswire}:wire')) >= 20, 'some posts');
  process.kill(pid, 'SIGSTOP');
  t.after(() => { try { process.kill(pid, 'SIGCONT'); } catch { /* it has ended */ } });
  await addAll(store.redis, items.slice(200));
  await isEmpty(store.redis);
  assert.notEqual(readerPid(stage), pid);
  process.kill(pid, 'SIGCONT');
  await stage.logged(/event=inbox_state from=reading to=watching/);
  assert.deepEqual((await wire(store.redis)).map((post) => post.uri), items.map((one) => one.uri));
  assert.equal((await stage.rejects()).length, 0);
});

test('a worker that is told to stop hands the inbox over at once', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store, workers: 2, 'log-level': 'debug' });
  await stage.metric('newswire_inbox_reader').becomes(1);
  await stage.logged(/from=taking_over to=reading/);
  const pid = readerPid(stage);
  process.kill(pid, 'SIGTERM');
  await until(() => readerPid(stage) !== pid, 'another one to read');
  await add(store.redis, item());
  await isEmpty(store.redis);
});

test('Redis\' clock jumps, so that the time of who reads is over before he knows: order is kept, and none has an entry twice', async (t) => {
  const clock = await WallClock.open(t);
  const store = await Store.open(t, [], clock.env);
  const nodes = [await Stage.open(t, { store }), await Stage.open(t, { store }), await Stage.open(t, { store })];
  const items = [];
  for (let jumps = 1; jumps <= 12; jumps += 1) {
    clock.jump(jumps * 10000);
    for (const end = Date.now() + 500; Date.now() < end;) {
      const three = many(3, (i) => ({ uri: `urn:inbox:${items.length}`, version: String(i + 1) }));
      items.push(...three);
      for (const one of three) await add(store.redis, one);
    }
  }
  await isEmpty(store.redis);
  assert.deepEqual((await wire(store.redis)).map(({ uri, version }) => `${uri} ${version}`), items.map(({ uri, version }) => `${uri} ${version}`));
  const read = await Promise.all(nodes.map((node) => events(node, 'read').read()));
  t.diagnostic(`${items.length} entries, read by the nodes: ${read.join(', ')}`);
  assert.equal(read.reduce((sum, n) => sum + n), items.length);
});
