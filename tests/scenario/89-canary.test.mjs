// The goal: each worker sends itself a message through Redis and reads it as a reader does, so that /readyz and a metric say whether news really flows;
// and nobody else notices: no reader, no count, no limit, no history.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';
import { Events } from './events.mjs';
import { Stage, Store, item, until } from './stage.mjs';

const CANARY = '100ms';
const user = (...rules) => ['ACL', 'SETUSER', 'newswired', ...rules];
const readiness = async (stage) => { const { status, text } = await stage.http('/readyz'); return `${status} ${text}`; };
const isReady = (stage, what = 'news to flow') => until(async () => (await readiness(stage)) === '200 ready\n', what);
const up = (stage) => stage.metric('newswire_canary_up');
const back = (stage) => stage.metric('newswire_canary_seconds_count');

/** What is published on `out` while the test runs, as [meta, body] of canaries. */
async function overheard(t, stage) {
  const ear = stage.redis.duplicate();
  const canaries = [];
  t.after(() => ear.disconnect());
  ear.on('error', () => {}); // Redis may go first
  await ear.subscribe('newswire:out');
  ear.on('message', (channel, text) => {
    const [place, meta, body] = text.split('\n');
    if (place.endsWith(' 0-0 0-0')) canaries.push({ epoch: place.split(' ')[1], meta: JSON.parse(meta), body: JSON.parse(body) });
  });
  return canaries;
}

/** A Redis in which newswired is a user whose rights the test takes. */
async function guarded(t, options) {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  const store = await Store.open(t, ['--port', String(port), '--bind', '127.0.0.1']);
  await store.redis.call(...user('reset', 'on', '>secret', '~*', '&*', '+@all'));
  const stage = await Stage.open(t, { store: { address: `redis://newswired:secret@127.0.0.1:${port}`, redis: store.redis }, canary: CANARY, ...options });
  await up(stage).becomes(1);
  return { store, stage };
}

test('each worker of each node hears its own canaries, and the wire does not move', async (t) => {
  const store = await Store.open(t);
  const nodes = [await Stage.open(t, { store, workers: 2, canary: CANARY }), await Stage.open(t, { store, canary: CANARY })];
  const canaries = await overheard(t, nodes[0]);
  for (const node of nodes) {
    await up(node).becomes(1);
    await back(node).reaches(10);
    await isReady(node);
    for (const idle of ['newswire_wire_dropped_total', 'newswire_wire_bad_total', 'newswire_wire_filled_total', 'newswire_wire_forks_total', 'newswire_deliveries_total',
      'newswire_readers', 'newswire_readers_lagging', 'newswire_readers_opened_total', 'newswire_readers_by_transport{transport="sse"}', 'newswire_channels_counted',
      'newswire_posts_total{action="publish"}', 'newswire_fanout_seconds_count', 'newswire_reader_lag_seconds_count'])
      assert.equal(await node.metric(idle).read(), 0, idle);
    assert.doesNotMatch(await until(async () => { const { status, text } = await node.http('/v1/channels'); return status === 200 && text; }, 'the channels'), /canary/);
    assert.deepEqual((await node.feed()).items, []);
  }
  await until(() => new Set(canaries.map(({ meta }) => meta.channels)).size === 3, 'a canary of each of the three workers');
  assert.equal(await store.redis.xlen('{newswire}:wire'), 0);
  assert.equal(await store.redis.get('{newswire}:head'), null);
  assert.ok((await store.redis.pttl('{newswire}:canary')) > 0, 'the key goes by itself');
  assert.deepEqual([...new Set(canaries.map(({ epoch }) => epoch))], [await store.redis.get('{newswire}:epoch')]);
});

test('nobody else reads them, whatever he asks for', async (t) => {
  const stage = await Stage.open(t, { canary: CANARY });
  const canaries = await overheard(t, stage);
  const asked = [{}, { channels: '*' }, { channels: 'feed:all' }, { channels: 'feed:*,c*,canary*' }, { channels: 'world', ahead: 1 }];
  const readers = [];
  for (const subscription of asked) readers.push(await stage.reader(subscription), await Events.open(stage, subscription));
  await until(() => canaries.length >= 5, 'some canaries');
  const channel = canaries[0].meta.channels;
  assert.match(channel, /^canary:[a-z0-9]{12}$/);
  for (const name of [channel, 'canary:*', `${channel.slice(0, -1)}*`]) {
    const refused = stage.connect({ channels: name });
    assert.equal((await refused.type('error')).code, 'bad_channel', name);
    assert.equal((await stage.http(`/v1/stream?channels=${name}`, { headers: { accept: 'text/event-stream' } })).status, 400, name);
    assert.equal((await stage.http(`/v1/feed?channels=${name}`)).status, 400, name);
  }
  assert.equal((await stage.http(`/v1/items/urn:newswire:${channel}`)).status, 404);
  assert.equal((await stage.post(item(), { channels: 'world' })).status, 201);
  for (const reader of readers.slice(0, 6).concat(readers.slice(8))) await reader.hasRead(1);
  for (const reader of readers) assert.doesNotMatch(JSON.stringify(reader.messages), /canary/);
});

test('Redis lets nobody publish: that is said within seconds, readers keep reading, and it is over by itself', async (t) => {
  const { store, stage } = await guarded(t);
  const reader = await stage.reader();
  const failures = await stage.metric('newswire_canary_failures_total').read();
  await store.redis.call(...user('-publish'));
  await until(async () => /^200 ready, degraded: news does not flow: .* does not let the user of --redis .*ACL SETUSER/.test(await readiness(stage)), '/readyz to say so');
  await up(stage).becomes(0);
  await stage.metric('newswire_canary_failures_total').reaches(failures + 3);
  assert.equal((await stage.post(item(), { channels: 'world' })).status, 201);
  await reader.hasRead(1); // from the stream, a second later
  await store.redis.call(...user('+publish'));
  await isReady(stage, 'news to flow again');
  await up(stage).becomes(1);
  await stage.logged(/event=canary_silent .*\n(.*\n)*.*event=canary_back /);
});

test('a Redis that takes no writes is found, too', async (t) => {
  const { store, stage } = await guarded(t);
  await store.redis.config('SET', 'maxmemory', '1');
  await until(async () => /^200 ready, degraded: news does not flow: .*has no memory left \(maxmemory\)/.test(await readiness(stage)), '/readyz to say so');
  await store.redis.config('SET', 'maxmemory', '0');
  await isReady(stage, 'news to flow again');
});

test('where Redis is away, better words are not masked', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store, canary: CANARY });
  await up(stage).becomes(1);
  await store.kill();
  await up(stage).becomes(0);
  assert.match(await readiness(stage), /^200 ready, degraded: readers keep what they have: Redis cannot be reached/);
  await store.start();
  await up(stage).becomes(1);
  await isReady(stage);
});

test('a canary takes no reader\'s place, ends with a drain, and is off with 0', async (t) => {
  const stage = await Stage.open(t, { canary: CANARY, 'max-readers': 1, 'drain-time': '60s' });
  await up(stage).becomes(1);
  const reader = await stage.reader();
  assert.equal(await stage.connect().ends(), 503);
  reader.close();
  await stage.metric('newswire_readers').becomes(0);
  const asked = Date.now();
  await stage.stop();
  assert.ok(Date.now() - asked < 20000, 'nobody is waited for');
  stage.options.canary = 0;
  await stage.start();
  const canaries = await overheard(t, stage);
  const watcher = await stage.reader();
  await watcher.saw((m) => m.type === 'tick', 'a second to pass');
  assert.deepEqual([canaries.length, await up(stage).read(), await back(stage).read(), await readiness(stage)], [0, 0, 0, '200 ready\n']);
});
