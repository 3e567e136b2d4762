// Goal: how many read a channel now is told over all workers and nodes, once to each who asked; readers of what died vanish by
// themselves, nothing is counted twice, and tools hear once when a channel is occupied and vacated.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Centrifuge } from 'centrifuge';
import WebSocket from 'ws';
import { Events } from './events.mjs';
import { Stage, Store, program, until } from './stage.mjs';

/** Two nodes of two workers each on one Redis. */
async function cluster(t, options = {}) {
  const store = await Store.open(t);
  const nodes = await Promise.all([1, 2].map(() => Stage.open(t, { store, workers: 2, ...options })));
  return { store, nodes };
}

/** {channel: readers} as a node knows it; what makes no sense is thrown. */
async function channels(node, query = '') {
  const { status, body } = await node.http(`/v1/channels${query}`);
  if (status === 503) return null;
  assert.equal(status, 200, JSON.stringify(body));
  return Object.fromEntries(body.channels.map((c) => [c.channel, c.readers]));
}

/** Until every node says just this. */
async function say(nodes, expected, query) {
  for (const node of [].concat(nodes)) {
    let last;
    await until(async () => {
      last = await channels(node, query);
      try { assert.deepEqual(last, expected); } catch { return false; }
      return true;
    }, `channels to be ${JSON.stringify(expected)}`).catch((e) => { throw new Error(`${e.message}; they are ${JSON.stringify(last)}`); });
  }
}

/** What tools hear, in order: ['world occupied', …]. */
async function listen(t, store) {
  const heard = [];
  const redis = store.redis.duplicate();
  redis.on('error', () => {});
  t.after(() => redis.disconnect());
  redis.on('message', (_, text) => {
    const m = JSON.parse(text);
    assert.deepEqual(Object.keys(m), ['channel', 'state', 'readers', 'at']);
    assert.equal(m.state === 'occupied', m.readers > 0);
    assert.ok(Number.isInteger(m.at) && Math.abs(m.at - Date.now()) < 600000);
    heard.push(`${m.channel} ${m.state}`);
  });
  await redis.subscribe('newswire:channels');
  return heard;
}

const crowd = (node, n, subscription) => Promise.all(Array.from({ length: n }, () => node.reader(subscription)));
const numbers = (reader) => reader.messages.filter((m) => m.type === 'readers').map((m) => m.channels);
const told = (reader, expected) => until(() => JSON.stringify(numbers(reader).at(-1)) === JSON.stringify(expected),
  `to be told ${JSON.stringify(expected)}`).catch((e) => { throw new Error(`${e.message}; told ${JSON.stringify(numbers(reader))}`); });

/** Does its worker live? A dead one does not answer, and its end is heard. */
async function answers(reader) {
  if (!reader.closed) reader.socket.send('{"type":"subscribe","ref":"alive","channels":["world","sport"]}', () => {});
  await until(() => reader.closed || reader.messages.some((m) => m.ref === 'alive'), 'an answer, or the end');
  return !reader.closed;
}

test('readers add up over the workers of all nodes, and who asked is told, and nobody else', async (t) => {
  const { nodes: [here, there] } = await cluster(t);
  const plain = await crowd(here, 4, { channels: ['world'] });
  const both = await crowd(there, 3, { channels: ['sport', 'world'], class: ['flash'] });
  const asks = await here.reader({ channels: ['world', 'sport', 'void'], readers: 1 });
  await say([here, there], { sport: 4, void: 1, world: 8 });
  await told(asks, { sport: 4, void: 1, world: 8 });
  both[0].close();
  plain[0].socket.send(JSON.stringify({ type: 'subscribe', channels: ['void'] }));
  await say([here, there], { sport: 3, void: 2, world: 6 });
  await told(asks, { sport: 3, void: 2, world: 6 });
  assert.ok(asks.messages.filter((m) => m.type === 'readers').every((m) => m.cursor === undefined));
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  assert.ok(numbers(asks).every((n, i, all) => i === 0 || !same(n, all[i - 1])), 'only on change');
  for (const reader of [...plain, ...both.slice(1)]) {
    await reader.settled();
    assert.deepEqual(numbers(reader), []);
  }
});

test('a reader counts whatever it speaks, and who asked is told in it, also while news goes around', async (t) => {
  const stage = await Stage.open(t);
  const ways = [undefined, true, { serverNoContextTakeover: true }].map((perMessageDeflate) => ({ socket: { perMessageDeflate: perMessageDeflate ?? false } }));
  const ask = { channels: ['world'], readers: 1 };
  const readers = [];
  for (const view of ['full', 'brief']) {
    for (const way of ways) readers.push(await stage.reader({ ...ask, view, ...way }));
    for (const encoding of ['identity', 'gzip']) readers.push(await Events.open(stage, { ...ask, view, headers: { 'accept-encoding': encoding } }));
  }
  const sdk = new Centrifuge(`${stage.url.replace(/^http/, 'ws')}/connection/websocket`, { websocket: WebSocket });
  t.after(() => sdk.disconnect());
  sdk.connect();
  const subscription = sdk.newSubscription('world');
  subscription.subscribe();
  await subscription.ready(15000);
  await say(stage, { world: 11 });
  for (const reader of readers) await told(reader, { world: 11 });
  for (let n = 0; n < 30; n++) {
    await stage.publish(stage.item({ uri: `urn:around:${n}` }));
    if (n === 10) sdk.disconnect();
    if (n === 20) readers[0].close();
  }
  await say(stage, { world: 9 });
  for (const reader of readers.slice(1)) {
    await told(reader, { world: 9 });
    await reader.hasRead(30);
  }
});

test('a subscription asks, and asks no more, without a new connection', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const reader = await stage.reader({ channels: ['world'] });
  await say(stage, { world: 1 });
  reader.socket.send(JSON.stringify({ type: 'subscribe', channels: ['world'], readers: true }));
  await told(reader, { world: 1 }); // at once, though nothing changes
  const kinds = reader.messages.map((m) => m.type);
  assert.ok(kinds.indexOf('readers') > kinds.indexOf('subscribed'));
  reader.socket.send(JSON.stringify({ type: 'subscribe', channels: ['world'], readers: false }));
  await until(() => reader.messages.filter((m) => m.type === 'subscribed').length === 2, 'the answer');
  const before = numbers(reader).length;
  const witness = await stage.reader({ channels: ['world'], readers: 1 });
  await told(witness, { world: 2 });
  await reader.settled();
  assert.equal(numbers(reader).length, before);
  const { body } = await stage.post(stage.item({ uri: 'urn:still:news' }), { channels: 'world' });
  assert.equal(body.status, 'accepted');
  await witness.hasRead(1);
  await reader.hasRead(1);
});

test('the readers of a killed worker, and of a killed node, are gone within seconds', async (t) => {
  const { nodes: [here, there] } = await cluster(t);
  const stays = await here.reader({ channels: ['world'], readers: 1 });
  await crowd(there, 12, { channels: ['world', 'sport'] });
  await say([here, there], { sport: 12, world: 13 });
  await told(stays, { world: 13 });

  const [pid] = await there.workers();
  process.kill(pid, 'SIGKILL');
  await there.metric('newswire_workers_died_total').becomes(1);
  const alive = (await Promise.all(there.readers.map(answers))).filter(Boolean).length;
  await say([here, there], { ...(alive ? { sport: alive } : {}), world: 1 + alive });
  await told(stays, { world: 1 + alive });

  await there.stop('SIGKILL'); // its workers die with it
  await say(here, { world: 1 });
  await told(stays, { world: 1 });
});

test('Redis goes away and comes back, and nobody is lost or counted twice', async (t) => {
  const { store, nodes: [here, there] } = await cluster(t);
  await crowd(here, 3, { channels: ['world'] });
  const [goes] = await crowd(there, 3, { channels: ['world', 'sport'] });
  await say([here, there], { sport: 3, world: 6 });
  await store.kill();
  await until(async () => (await here.http('/v1/channels')).body.code === 'redis_away', 'the numbers to be too old');
  goes.close();
  await crowd(here, 1, { channels: ['sport'] });
  await store.start();
  await say([here, there], { sport: 3, world: 5 });
  await store.redis.flushall(); // all that Redis knew
  await say([here, there], { sport: 3, world: 5 });
  await until(async () => (await store.redis.zcard('{newswire}:counting')) === 4, 'four workers to count');
  await say([here, there], { sport: 3, world: 5 });
});

test('who comes while Redis is away is told when it is back, though no number has changed', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store });
  const first = await stage.reader({ channels: ['world'], readers: 1 });
  await told(first, { world: 1 });
  await store.kill();
  await until(async () => (await stage.http('/v1/channels')).body.code === 'redis_away', 'the numbers to be too old');
  const second = await stage.reader({ channels: ['world'], readers: 1 });
  first.close();
  await stage.metric('newswire_readers').becomes(1);
  await second.settled();
  assert.deepEqual(numbers(second), []);
  await store.start();
  await told(second, { world: 1 });
});

test('tools hear of a channel once: not from each worker, and not of a page that is loaded anew', async (t) => {
  const { store, nodes: [here, there] } = await cluster(t, { vacateAfter: '1h' });
  const heard = await listen(t, store);
  const readers = [...await crowd(here, 4, { channels: ['world'] }), ...await crowd(there, 4, { channels: ['world'] })];
  await say([here, there], { world: 8 });
  for (const reader of readers) reader.close();
  await say([here, there], {});
  await there.reader({ channels: ['world'] });
  await say([here, there], { world: 1 });
  await here.reader({ channels: ['fence'] });
  await until(() => heard.includes('fence occupied'), 'what comes after');
  assert.deepEqual(heard, ['world occupied', 'fence occupied']);
});

test('a channel without readers for long enough is vacated, once', async (t) => {
  const { store, nodes: [here, there] } = await cluster(t, { vacateAfter: '0s' });
  const heard = await listen(t, store);
  for (const node of [here, there]) {
    const [one, two] = [await here.reader({ channels: ['world'] }), await node.reader({ channels: ['world'] })];
    await say([here, there], { world: 2 });
    one.close();
    await say([here, there], { world: 1 });
    two.close();
    await say([here, there], {});
  }
  await here.reader({ channels: ['fence'] });
  await until(() => heard.includes('fence occupied'), 'what comes after');
  assert.deepEqual(heard, ['world occupied', 'world vacated', 'world occupied', 'world vacated', 'fence occupied']);
});

test('pages of channels, by name and by prefix, and what makes no sense', async (t) => {
  const stage = await Stage.open(t);
  const names = ['sport', 'sport.chess', 'sport.rugby', 'topic:2*', 'world'];
  await stage.reader({ channels: names });
  await say(stage, Object.fromEntries(names.map((n) => [n, 1])));
  const pages = [];
  for (let after = ''; after !== undefined;) {
    const { body } = await stage.http(`/v1/channels?limit=2${after && `&after=${after}`}`);
    pages.push(body.channels.map((c) => c.channel));
    after = body.after;
  }
  assert.deepEqual(pages, [names.slice(0, 2), names.slice(2, 4), names.slice(4)]);
  assert.deepEqual(Object.keys(await channels(stage, '?prefix=sport.')), ['sport.chess', 'sport.rugby']);
  assert.deepEqual(Object.keys(await channels(stage, '?prefix=topic:&after=topic:1')), ['topic:2*']);
  const last = await stage.http('/v1/channels?prefix=sport&limit=3');
  assert.deepEqual([last.body.channels.length, last.body.after], [3, undefined]);
  assert.equal(last.headers.get('cache-control'), 'public, max-age=1');
  assert.equal(last.headers.get('access-control-allow-origin'), '*');
  for (const [query, code] of [['limit=0', 'bad_limit'], ['limit=1001', 'bad_limit'], ['limit=x', 'bad_limit'], ['prefix=%22', 'bad_prefix'],
    [`prefix=${'a'.repeat(73)}`, 'bad_prefix'], ['after=%2F', 'bad_after']]) {
    const { status, body } = await stage.http(`/v1/channels?${query}`);
    assert.deepEqual([status, body.code], [400, code], query);
  }
  const odd = stage.connect({ readers: 'yes' });
  assert.equal((await odd.type('error')).code, 'bad_readers');
  await until(() => odd.closed?.code === 4000, 'the close');
  const reader = await stage.reader();
  reader.socket.send('{"type":"subscribe","ref":1,"readers":"yes"}');
  assert.deepEqual((({ code, ref }) => [code, ref])(await reader.type('error')), ['bad_readers', 1]);
});

test('numbers that are not for everybody take a key, and no reader gets them', async (t) => {
  const stage = await Stage.open(t, { 'show-readers': 'publishers', 'cors-origin': 'https://desk.example' });
  const reader = await stage.reader({ channels: ['world'] });
  const key = { authorization: `Bearer ${stage.key}` };
  const ask = (headers) => stage.http('/v1/channels', { headers });
  await until(async () => (await ask(key)).body.channels?.[0]?.readers === 1, 'the reader to be counted');
  assert.equal((await ask(key)).headers.get('cache-control'), 'no-store');
  assert.equal((await ask({ ...key, origin: 'https://desk.example' })).headers.get('access-control-allow-origin'), 'https://desk.example');
  assert.equal((await ask({ ...key, origin: 'https://other.example' })).headers.get('access-control-allow-origin'), null);
  for (const wrong of [{}, { authorization: 'Bearer wrong' }]) assert.deepEqual([(await ask(wrong)).status, (await ask(wrong)).body.code], [401, 'unauthorized']);
  reader.socket.send('{"type":"subscribe","ref":1,"channels":["world"],"readers":true}');
  assert.equal((await reader.type('error')).code, 'readers_hidden');
  const refused = stage.connect({ channels: ['world'], readers: 1 });
  assert.equal((await refused.type('error')).code, 'readers_hidden');
  await until(() => refused.closed?.code === 4000, 'the close');
  await stage.publish(stage.item());
  await reader.hasRead(1); // its subscription stayed as it was
});

test('ten thousand channels are counted, and who names more is told so by a metric; all of it goes away again', async (t) => {
  const stage = await Stage.open(t, { vacateAfter: '0s' });
  const names = (i, n) => Array.from({ length: n }, (_, k) => `made-up.${i}.${k}`);
  await stage.reader({ channels: ['world'] });
  await say(stage, { world: 1 });
  const many = [];
  for (let i = 0; i < 40; i++) {
    const reader = await stage.reader({ channels: ['other'] });
    reader.socket.send(JSON.stringify({ type: 'subscribe', channels: names(i, 256) }));
    await reader.type('subscribed');
    many.push(reader);
  }
  const count = async () => {
    let n = 0;
    for (let after = ''; after !== undefined;) {
      const { body } = await stage.http(`/v1/channels?limit=1000&after=${after}`);
      n += body.channels?.length ?? 0;
      after = body.after;
    }
    return n;
  };
  await until(async () => (await count()) === 10000, 'all that are counted');
  await stage.metric('newswire_channels_counted').becomes(10000);
  assert.ok(await stage.metric('newswire_channels_uncounted_total').read() >= 241);
  assert.equal((await channels(stage, '?prefix=world')).world, 1);
  for (const reader of many) reader.close();
  await say(stage, { world: 1 });
  await stage.metric('newswire_channels_counted').becomes(1);
  await until(async () => (await stage.redis.hlen('{newswire}:counts')) === 1, 'Redis to forget them', 60000); // once every worker has heard
});

test('where more ask than can be told in a second, each waits for its turn, and gets it', async (t) => {
  const stage = await Stage.open(t);
  const long = Array.from({ length: 200 }, (_, i) => `${String(i).padStart(3, '0')}${'x'.repeat(61)}`);
  const readers = [];
  for (let i = 0; i < 200; i++) {
    const reader = await stage.reader({ channels: ['other'] });
    reader.socket.send(JSON.stringify({ type: 'subscribe', channels: long, lang: [`aa-${i}`], readers: true }));
    await reader.type('subscribed');
    readers.push(reader);
  }
  let late = false;
  await until(async () => {
    late ||= (await stage.metric('newswire_counts_late').read()) > 0;
    return readers.every((r) => numbers(r).at(-1)?.[long[0]] === 200);
  }, 'everybody to be told');
  assert.ok(late, 'some had to wait');
  await stage.metric('newswire_counts_late').becomes(0);
});

test('who lagged is told when it has caught up, and not for ever though the numbers fill its connection', async (t) => {
  const stage = await Stage.open(t, { sndbuf: '4k', backlog: '64m' });
  const long = Array.from({ length: 250 }, (_, i) => `${String(i).padStart(3, '0')}${'x'.repeat(58)}`);
  const reader = await stage.reader({ channels: ['other'] });
  reader.socket.send(JSON.stringify({ type: 'subscribe', channels: [...long, 'world'], readers: true }));
  await until(() => numbers(reader).at(-1)?.world === 1, 'to be told');
  const quick = await stage.reader({ channels: ['world'] });
  await until(() => numbers(reader).at(-1).world === 2, 'to be told of another');
  reader.stopReading();
  for (let n = 1; n <= 400; n++) await stage.publish(stage.item({ uri: `urn:long:${n}`, body: 'z'.repeat(20000) }));
  await quick.hasRead(400);
  await stage.metric('newswire_readers_lagging').becomes(1);
  const before = numbers(reader).length;
  quick.close();
  await say(stage, Object.fromEntries([...long.map((name) => [name, 1]), ['world', 1]]), '?limit=1000');
  reader.goOnReading();
  await until(() => numbers(reader).at(-1).world === 1, 'to be told what it missed');
  await reader.hasRead(400);
  await stage.metric('newswire_readers_lagging').becomes(0);
  await reader.settled();
  assert.ok(numbers(reader).length - before <= 2, `told ${numbers(reader).length - before} times more`);
});

test('newswire channels prints the numbers, and watches them', async (t) => {
  const stage = await Stage.open(t);
  const run = (...args) => spawn(program('newswire'), ['channels', '--state-dir', stage.dir, ...args], { env: { ...process.env, NEWSWIRE_KEY: '' } });
  const output = async (...args) => {
    const child = run(...args);
    let out = '';
    child.stdout.on('data', (data) => { out += data; });
    const [code] = await once(child, 'close');
    return { code, out };
  };
  await crowd(stage, 2, { channels: ['world', 'sport'] });
  await say(stage, { sport: 2, world: 2 });
  assert.deepEqual(await output(), { code: 0, out: '        2  sport\n        2  world\n' });
  assert.deepEqual(await output('--prefix', 'w', '--json'), { code: 0, out: '{"channels":[{"channel":"world","readers":2}]}\n' });
  const watch = run('--watch', '--prefix', 'world');
  let seen = '';
  watch.stdout.on('data', (data) => { seen += data; });
  const ended = once(watch, 'close');
  try {
    await until(() => /^\S+ \S+Z\n +2 {2}world\n$/.test(seen), 'the first list');
    await stage.reader({ channels: ['world'] });
    await until(() => /\n +3 {2}world\n$/.test(seen), 'the next list');
    assert.equal(seen.match(/world/g).length, 2, seen);
  } finally {
    watch.kill('SIGINT');
  }
  assert.deepEqual(await ended, [0, null]);
  assert.equal((await output('--url', 'http://127.0.0.1:1')).code, 3);
});
