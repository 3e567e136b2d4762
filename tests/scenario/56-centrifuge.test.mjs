// Centrifuge's protocol at /connection/websocket: npm's `centrifuge`, the official SDK, reads the news as its own server's.
import test from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Centrifuge } from 'centrifuge';
import WebSocket from 'ws';
import { Stage, Store, item, until } from './stage.mjs';

/** Proof of life is asked for so seldom that a busy machine has time for it. */
const open = (t, options) => Stage.open(t, { tick: '10s', ...options });

const address = (stage) => `${stage.url.replace(/^http/, 'ws')}/connection/websocket`;

/** The SDK, and all that it said of each channel, in order. */
class Client {
  static async open(t, stage, channels, options = {}) {
    const client = new Client(stage, options);
    t.after(() => client.sdk.disconnect());
    for (const channel of channels) client.follow(channel);
    await client.ready();
    return client;
  }
  constructor(stage, options) {
    this.events = {};
    this.sockets = [];
    const sockets = this.sockets;
    class Socket extends WebSocket { // so that a test can cut the connection under the SDK
      constructor(...args) { super(...args); sockets.push(this); }
    }
    this.disconnects = [];
    this.sdk = new Centrifuge(address(stage), { websocket: Socket, minReconnectDelay: 1, maxReconnectDelay: 50, ...options });
    this.sdk.on('connecting', ({ code, reason }) => this.disconnects.push({ code, reason }));
    this.sdk.on('disconnected', ({ code, reason }) => this.disconnects.push({ code, reason, final: true }));
    this.sdk.connect();
  }
  follow(channel, options) {
    const events = this.events[channel] = [];
    const sub = this.sdk.newSubscription(channel, options);
    for (const name of ['subscribed', 'subscribing', 'unsubscribed', 'error', 'publication'])
      sub.on(name, (context) => events.push({ name, ...context }));
    sub.subscribe();
    return sub;
  }
  async ready() {
    await this.sdk.ready(15000);
    for (const channel of Object.keys(this.events)) await this.sdk.getSubscription(channel).ready(15000);
  }
  posts(channel) { return this.events[channel].filter((e) => e.name === 'publication').map((e) => e.data); }
  last(channel, name) { return this.events[channel].findLast((e) => e.name === name); }
  async hasRead(channel, n) {
    await until(() => this.posts(channel).length >= n, `${n} publications of ${channel}`)
      .catch((e) => { throw new Error(`${e.message}; have ${this.posts(channel).length}`); });
    assert.equal(this.posts(channel).length, n);
    return this.posts(channel);
  }
  cut() { this.sockets.at(-1).terminate(); }
}

/** The protocol by hand. */
class Raw {
  static async open(t, stage, { mute = false } = {}) {
    const raw = new Raw();
    raw.socket = new WebSocket(address(stage), { perMessageDeflate: false });
    raw.replies = [];
    raw.closed = null;
    raw.socket.on('message', (data) => {
      raw.replies.push(...data.toString().split('\n').map((line) => JSON.parse(line)));
      if (data.toString() === '{}' && !mute) raw.send({});
    });
    raw.socket.on('close', (code, reason) => { raw.closed = { code, reason: reason.toString() }; });
    raw.socket.on('error', () => {});
    t.after(() => raw.socket.terminate());
    await once(raw.socket, 'open');
    return raw;
  }
  static async connected(t, stage, options) {
    const raw = await Raw.open(t, stage, options);
    raw.send({ id: 1, connect: {} });
    await raw.reply(1);
    return raw;
  }
  send(...commands) { this.socket.send(commands.map((c) => (typeof c === 'string' ? c : JSON.stringify(c))).join('\n')); }
  reply(id) { return until(() => this.replies.find((r) => r.id === id), `a reply to ${id} (closed: ${JSON.stringify(this.closed)})`); }
  get pubs() { return this.replies.filter((r) => r.push?.pub).map((r) => [r.push.channel, r.push.pub]); }
  ends() { return until(() => this.closed, 'the end of the connection'); }
}

/** Durable before the next one is: so the order is ours. */
async function send(stage, story, ...channels) {
  assert.equal((await stage.post(story, { channels })).status, 201);
}

test('the SDK connects, subscribes, and gets each post as the data of a publication, word for word', async (t) => {
  const stage = await open(t);
  const ours = await stage.reader({ channels: ['world'] });
  const client = await Client.open(t, stage, ['world']);
  const story = item({ headline: 'Übermut über Zürich' });
  await send(stage, story, 'world');
  await send(stage, item(), 'sport');
  await send(stage, { ...story, version: '2', headlines: [{ role: 'main', value: 'corrected' }] }, 'world');
  await ours.hasRead(2); // what is killed before it was offered never goes out
  await client.hasRead('world', 2);
  await send(stage, { uri: story.uri, version: '3', pubStatus: 'canceled' }, 'world');
  await ours.hasRead(3);
  assert.deepEqual(await client.hasRead('world', 3), ours.posts);
  assert.deepEqual(client.posts('world').map((p) => p.action), ['publish', 'correct', 'kill']);
  const offsets = client.events.world.filter((e) => e.name === 'publication').map((e) => e.offset);
  assert.deepEqual(offsets, ours.posts.map((p) => {
    const [ms, seq] = p.cursor.split(':')[1].split('-').map(Number);
    return ms * 2048 + seq;
  }));
  const subscribed = client.last('world', 'subscribed');
  assert.equal(subscribed.recoverable, true);
  assert.equal(subscribed.wasRecovering, false);
  assert.equal(subscribed.streamPosition.epoch, ours.cursor.split(':')[0]);
});

test('1,000 posts, corrections and kills among them: each once, in order, across forced disconnects', async (t) => {
  const stage = await open(t, { workers: 2 });
  const ours = await stage.reader({ channels: ['world'] });
  const client = await Client.open(t, stage, ['world']);
  const stories = [];
  let cuts = 0;
  for (let i = 0; i < 1000; i++) {
    const old = stories[Math.floor(stories.length / 2)];
    if (i % 10 === 7) {
      await send(stage, item({ uri: old.uri, version: String(++old.version) }), 'world');
    } else if (i % 50 === 49) {
      await ours.hasRead(i); // what is killed before it was offered never goes out
      await send(stage, { uri: old.uri, version: String(++old.version), pubStatus: 'canceled' }, 'world');
      stories.splice(stories.indexOf(old), 1);
    } else {
      const story = item();
      stories.push({ uri: story.uri, version: 1 });
      await send(stage, story, 'world');
    }
    if (i % 97 === 50) {
      client.cut();
      cuts += 1;
    }
  }
  await ours.hasRead(1000);
  const final = ours.posts.at(-1).cursor;
  await until(() => client.posts('world').at(-1)?.cursor === final, 'the last post');
  // Who was away may be spared versions that were replaced meanwhile; all else came, each once, in order.
  const read = client.posts('world').map((p) => p.cursor);
  const all = ours.posts.map((p) => p.cursor);
  assert.deepEqual(read, all.filter((cursor) => read.includes(cursor)));
  assert.equal(new Set(read).size, read.length);
  const newest = new Map(ours.posts.map((p) => [p.item?.uri ?? p.uri, p.cursor]));
  for (const cursor of newest.values()) assert.ok(read.includes(cursor), cursor);
  const back = client.events.world.filter((e) => e.name === 'subscribed');
  assert.ok(back.length > 1 && back.slice(1).every((e) => e.wasRecovering && e.recovered), `${back.length} subscriptions for ${cuts} cuts`);
});

test('several channels: apart from each other, one write a tick, and each goes on from its own place', async (t) => {
  const stage = await open(t);
  const client = await Client.open(t, stage, ['world', 'sport', 'feed:all']);
  const both = item();
  await send(stage, both, 'world');
  await send(stage, { ...both, version: '2' }, 'sport'); // it leaves world: whoever followed that is told
  await stage.publish(item(), 'sport');
  await client.hasRead('feed:all', 3);
  assert.deepEqual((await client.hasRead('world', 2)).map((p) => p.action), ['publish', 'remove']);
  assert.deepEqual((await client.hasRead('sport', 2)).map((p) => p.action), ['correct', 'publish']);
  client.cut();
  for (let i = 0; i < 10; i++) await stage.publish(item(), i % 2 ? 'world' : 'sport');
  await client.hasRead('feed:all', 13);
  await client.hasRead('world', 7);
  await client.hasRead('sport', 7);
  for (const channel of ['world', 'sport', 'feed:all']) {
    const cursors = client.posts(channel).map((p) => p.cursor);
    assert.deepEqual(cursors, cursors.toSorted(), channel);
    assert.equal(client.last(channel, 'subscribed').recovered, true, channel);
  }
  client.sdk.getSubscription('sport').unsubscribe();
  await stage.publish(item(), 'sport');
  await stage.publish(item(), 'world');
  await client.hasRead('world', 8);
  await client.hasRead('sport', 7);
  client.follow('class:regular');
  await client.sdk.getSubscription('class:regular').ready(15000);
  await stage.publish(item(), 'sport');
  await client.hasRead('class:regular', 1);
});

test('a post in two channels of one connection is a publication in each, and one frame for all who follow it', async (t) => {
  const stage = await open(t);
  const raw = await Raw.connected(t, stage);
  raw.send({ id: 2, subscribe: { channel: 'sport' } }, { id: 3, subscribe: { channel: 'world' } });
  await raw.reply(3);
  await send(stage, item(), 'world', 'sport');
  await until(() => raw.pubs.length === 2, 'two publications');
  assert.deepEqual(raw.pubs.map(([channel]) => channel), ['sport', 'world']);
  assert.deepEqual(raw.pubs[0][1], raw.pubs[1][1]);
});

test('what is older than the backlog is recovered from Redis, and what is lost is said', async (t) => {
  const stage = await open(t, { backlog: '64k' });
  await send(stage, item(), 'before');
  const raw = await Raw.connected(t, stage);
  raw.send({ id: 2, subscribe: { channel: 'world' } });
  const { subscribe: { epoch, offset } } = await raw.reply(2);
  const ours = await stage.reader({ channels: ['world'] });
  for (let i = 0; i < 100; i++) await stage.publish(item({ body: 'x'.repeat(2000) }), i % 2 ? 'world' : 'sport');
  await ours.hasRead(50);
  await until(() => raw.pubs.length === 50, '50 publications');
  const middle = raw.pubs[9][1].offset;
  const back = await Raw.connected(t, stage);
  back.send({ id: 2, subscribe: { channel: 'world', recover: true, epoch, offset: middle } }, { id: 3, subscribe: { channel: 'sport', recover: true, epoch, offset } },
    { id: 4, subscribe: { channel: 'lang:en', recover: true, epoch: 'other', offset } }, { id: 5, subscribe: { channel: 'type:text', recover: true, epoch, offset: offset - 2048 * 1000 } });
  assert.equal((await back.reply(2)).subscribe.recovered, true);
  assert.equal((await back.reply(2)).subscribe.offset, middle);
  assert.equal((await back.reply(3)).subscribe.recovered, true);
  assert.equal((await back.reply(4)).subscribe.recovered, undefined);
  assert.equal((await back.reply(4)).subscribe.was_recovering, true);
  const top = raw.pubs.at(-1)[1].offset;
  assert.equal((await back.reply(4)).subscribe.offset, top);
  const of = (channel) => back.pubs.filter(([name]) => name === channel).map(([, pub]) => pub.offset);
  await until(() => of('world').length === 40 && of('sport').length >= 50, 'what was missed');
  assert.deepEqual(of('world'), raw.pubs.slice(10).map(([, pub]) => pub.offset));
  assert.equal(of('sport').length, 50);
  assert.equal(of('lang:en').length, 0);
  // Of the fourth only Redis could say that its place never was: its subscription is ended, the others go on.
  assert.equal((await back.reply(5)).subscribe.recovered, true);
  const ended = await until(() => back.replies.find((r) => r.push?.unsubscribe), 'the end of a subscription');
  assert.deepEqual(ended.push, { channel: 'type:text', unsubscribe: { code: 2500, reason: 'insufficient state' } });
  back.send({ id: 6, subscribe: { channel: 'type:text', recover: true, epoch, offset: offset - 2048 * 1000 } });
  assert.deepEqual((await back.reply(6)).subscribe, { recoverable: true, positioned: true, epoch, offset: top, was_recovering: true });
  await stage.publish(item(), 'world');
  await until(() => of('world').length === 41, 'the next post');
});

test('connect carries subscriptions, and its reply what became of them', async (t) => {
  const stage = await open(t);
  const raw = await Raw.connected(t, stage);
  raw.send({ id: 2, subscribe: { channel: 'world' } });
  const { subscribe: { epoch, offset } } = await raw.reply(2);
  await send(stage, item(), 'world');
  const back = await Raw.open(t, stage);
  back.send({ id: 7, connect: { token: 'none is needed', name: 'test', subs: { world: { recover: true, epoch, offset }, sport: {}, 'no such name': {} } } });
  const { connect } = await back.reply(7);
  assert.match(connect.client, /^[0-9a-f]{32}$/);
  assert.equal(connect.pong, true);
  assert.equal(connect.ping, 10);
  assert.deepEqual(Object.keys(connect.subs).toSorted(), ['sport', 'world']);
  assert.deepEqual(connect.subs.world, { recoverable: true, positioned: true, epoch, offset, was_recovering: true, recovered: true });
  await until(() => back.pubs.length === 1, 'what was missed');
  back.send({ id: 8, subscribe: { channel: 'class:regular', recover: true, epoch } }); // from the beginning, while the others are elsewhere
  assert.equal((await back.reply(8)).subscribe.recovered, true);
  await until(() => back.pubs.length === 2, 'what came before');
});

test('history: the last posts of a channel, forwards and backwards, from a place, and only the place', async (t) => {
  const stage = await open(t);
  const client = await Client.open(t, stage, ['world']);
  const stories = Array.from({ length: 6 }, () => item());
  for (const story of stories) {
    await send(stage, story, 'world');
    await send(stage, item(), 'sport');
  }
  await client.hasRead('world', 6);
  await send(stage, { uri: stories[5].uri, version: '2', pubStatus: 'canceled' }, 'world');
  const posts = await client.hasRead('world', 7);
  const sub = client.sdk.getSubscription('world');
  const top = await sub.history({ limit: 0 });
  assert.deepEqual(top.publications, []);
  const offsets = client.events.world.filter((e) => e.name === 'publication').map((e) => e.offset);
  assert.equal(top.offset, offsets[6]);
  assert.equal(top.epoch, posts[0].cursor.split(':')[0]);
  const datas = async (options) => (await sub.history(options)).publications.map((p) => p.data);
  const kept = posts.toSpliced(5, 1); // the killed one has no text any more
  assert.deepEqual(await datas({ limit: 100 }), kept);
  assert.deepEqual(await datas({ limit: 2 }), kept.slice(0, 2));
  assert.deepEqual(await datas({ limit: 2, reverse: true }), kept.slice(-2).toReversed());
  assert.deepEqual(await datas({ limit: 2, since: { offset: offsets[1], epoch: top.epoch } }), kept.slice(2, 4));
  assert.deepEqual(await datas({ limit: 9, since: { offset: offsets[1], epoch: top.epoch }, reverse: true }), [kept[0]]);
  assert.deepEqual(await datas({ limit: 9, since: { offset: offsets[6], epoch: top.epoch } }), []);
  await assert.rejects(sub.history({ limit: 1, since: { offset: offsets[1], epoch: 'other' } }), { code: 112 });
  await assert.rejects(sub.history({ limit: 1, since: { offset: offsets[1] + 1, epoch: top.epoch } }), { code: 112 });
});

test('what is not there is an error with its code, never a hang', async (t) => {
  const stage = await open(t);
  const client = await Client.open(t, stage, ['world']);
  const sub = client.sdk.getSubscription('world');
  await assert.rejects(sub.publish({ any: 'thing' }), { code: 103 });
  await assert.rejects(sub.presence(), { code: 108 });
  await assert.rejects(client.sdk.rpc('any', {}), { code: 104 });
  await client.sdk.send({ any: 'thing' });
  const raw = await Raw.connected(t, stage);
  raw.send({ id: 2, subscribe: { channel: 'world' } }, { id: 3, subscribe: { channel: 'world' } }, { id: 4, subscribe: { channel: 'no such name' } },
    { id: 5, subscribe: { channel: 'x'.repeat(300) } }, { id: 6, subscribe: { channel: 7 } }, { id: 7, subscribe: {} }, { id: 8, dance: {} }, { id: 9 },
    { id: 10, unsubscribe: { channel: 'sport' } }, { id: 11, refresh: { token: 'x' } }, { id: 12, sub_refresh: { channel: 'world', token: 'x' } },
    { id: 13, ping: {} }, { id: 14, history: {} }, { id: 15, subscribe: { channel: 'sport', recover: true, offset: 9e15 } }, { send: { data: 1 } }, {}, '', ' ',
    { id: 16, unsubscribe: { channel: 'world' } }, { id: 17, subscribe: { channel: 'world' } });
  await raw.reply(17);
  const seen = Object.fromEntries(raw.replies.slice(1).map((r) => [r.id, r.error?.code ?? Object.keys(r).find((k) => k !== 'id')]));
  assert.deepEqual(seen, { 2: 'subscribe', 3: 105, 4: 102, 5: 102, 6: 107, 7: 107, 8: 104, 9: 104, 10: 'unsubscribe', 11: 'refresh', 12: 'sub_refresh',
    13: 'ping', 14: 107, 15: 100, 16: 'unsubscribe', 17: 'subscribe' });
  assert.equal(raw.replies.find((r) => r.id === 15).error.temporary, true);
  // A place that no worker reaches was never one: the SDK, which asks again by itself, is told so.
  const late = client.follow('sport', { since: { offset: 9e15, epoch: '' }, minResubscribeDelay: 100, maxResubscribeDelay: 300 });
  await late.ready(15000);
  assert.equal(client.last('sport', 'subscribed').recovered, false);
  assert.equal(client.last('sport', 'subscribed').wasRecovering, true);
});

test('who breaks the protocol is disconnected for good, and hurts nobody', async (t) => {
  const stage = await open(t);
  const other = await Client.open(t, stage, ['world']);
  const connect = { id: 1, connect: {} };
  for (const [says, code] of [
    [['{"id":1,"connect":{}'], 3501], [['[]'], 3501], [['"x"'], 3501], [['{"id":-1,"connect":{}}'], 3501], [['{"id":"1","connect":{}}'], 3501],
    [[{ id: 1, subscribe: { channel: 'world' } }], 3501], [[connect, connect], 3501], [[connect, { subscribe: { channel: 'world' } }], 3501],
    [[connect, { id: 2, subscribe: [] }], 3501], [[connect, { id: 2, subscribe: { channel: 'world', recover: true, offset: -1 } }], 3501],
    [[connect, { id: 2, subscribe: { channel: 'world', recover: true, offset: 'x' } }], 3501], [[connect, '\ud800'], 3501],
    [[`{"id":1,"connect":${'['.repeat(5000)}`], 3501], [['x'.repeat(70000)], 1009], [[connect, `{"id":2,"rpc":{"data":"${'x'.repeat(70000)}"}}`], 1009],
  ]) {
    const raw = await Raw.open(t, stage);
    raw.send(...says);
    assert.equal((await raw.ends()).code, code, says.join(' ').slice(0, 100));
  }
  const binary = await Raw.open(t, stage);
  binary.socket.send(Buffer.from('{"id":1,"connect":{}}'));
  assert.deepEqual(await binary.ends(), { code: 3501, reason: 'bad request' });
  const protobuf = new WebSocket(address(stage), 'centrifuge-protobuf');
  protobuf.on('error', () => {});
  const [, refusal] = await once(protobuf, 'unexpected-response');
  assert.equal(refusal.statusCode, 400);
  await send(stage, item(), 'world');
  await other.hasRead('world', 1);
});

test('limits: channels of a connection, commands in a second, and what is not read', async (t) => {
  const stage = await open(t, { sndbuf: '16k', backlog: '64m' });
  const full = await Raw.connected(t, stage);
  full.send(...Array.from({ length: 130 }, (_, i) => ({ id: i + 2, subscribe: { channel: `c${i}` } })));
  await full.reply(131);
  assert.equal(full.replies.filter((r) => r.subscribe).length, 128);
  assert.deepEqual(full.replies.filter((r) => r.error).map((r) => [r.id, r.error.code]), [[130, 106], [131, 106]]);
  await send(stage, item(), 'c7');
  await until(() => full.pubs.length === 1, 'a post in one of them');
  const looping = await Raw.connected(t, stage);
  const loop = setInterval(() => { for (let i = 0; i < 50; i++) looping.send({ id: 2, subscribe: { channel: 'world' } }, { id: 3, unsubscribe: { channel: 'world' } }); }, 1);
  const end = await looping.ends().finally(() => clearInterval(loop));
  assert.deepEqual(end, { code: 3013, reason: 'too many requests' });
  const quick = await Client.open(t, stage, ['world']);
  const slow = await Raw.connected(t, stage);
  slow.send({ id: 2, subscribe: { channel: 'world' } });
  await slow.reply(2);
  slow.socket._socket.pause();
  const story = item({ body: 'z'.repeat(20000) });
  for (let i = 1; i <= 200; i++) {
    await send(stage, { ...story, uri: i % 2 ? `${story.uri}:${i}` : story.uri, version: String(i) }, 'world');
    await quick.hasRead('world', i); // it keeps up: so it sees every version
  }
  await stage.metric('newswire_readers_lagging').becomes(1);
  slow.socket._socket.resume();
  const cursor = quick.posts('world').at(-1).cursor;
  await until(() => slow.pubs.at(-1)?.[1].data.cursor === cursor, 'the last post');
  const offsets = slow.pubs.map(([, pub]) => pub.offset);
  assert.deepEqual(offsets, offsets.toSorted((a, b) => a - b));
  assert.equal(new Set(offsets).size, offsets.length);
});

test('the server asks with {} each tick; who does not answer is disconnected, and who never connects, too', async (t) => {
  const stage = await open(t, { tick: '2s' });
  const client = await Client.open(t, stage, ['world']);
  const mute = await Raw.connected(t, stage, { mute: true });
  const stranger = await Raw.open(t, stage);
  assert.deepEqual(await mute.ends(), { code: 3012, reason: 'no pong' });
  assert.deepEqual(mute.replies[1], {});
  assert.deepEqual(await stranger.ends(), { code: 3502, reason: 'stale' });
  await send(stage, item(), 'world');
  await client.hasRead('world', 1);
});

test('a restart: clients are sent away to come back, and go on where they were', async (t) => {
  const store = await Store.open(t);
  const stage = await open(t, { store });
  const client = await Client.open(t, stage, ['world']);
  await send(stage, item(), 'world');
  await client.hasRead('world', 1);
  stage.options.port = stage.state.port;
  await stage.stop();
  await until(() => client.disconnects.some((d) => d.code === 3001), 'the end that the drain brings');
  await stage.start();
  await send(stage, item(), 'world');
  await client.hasRead('world', 2);
  assert.equal(client.last('world', 'subscribed').recovered, true);
});

test('history that Redis lost is said: a subscription that cannot go on is told so', async (t) => {
  const store = await Store.open(t);
  const stage = await open(t, { store });
  const client = await Client.open(t, stage, ['world', 'sport']);
  await send(stage, item(), 'world');
  await client.hasRead('world', 1);
  await store.redis.flushall();
  await until(async () => client.last('world', 'subscribed')?.wasRecovering && client.last('sport', 'subscribed')?.wasRecovering, 'both to subscribe again');
  assert.equal(client.last('world', 'subscribing').code, 2500);
  assert.equal(client.last('world', 'subscribed').recovered, false);
  assert.equal(client.sockets.length, 1);
  await send(stage, item(), 'world');
  await client.hasRead('world', 2);
});

test('presence_stats says how many read a channel, whatever they speak and wherever', async (t) => {
  const store = await Store.open(t);
  const [here, there] = await Promise.all([1, 2].map(() => open(t, { store })));
  const client = await Client.open(t, here, ['world', 'sport']);
  await Client.open(t, there, ['world']);
  for (const stage of [here, there]) await stage.reader({ channels: ['world'] });
  const ask = (channel) => client.sdk.presenceStats(channel).catch((e) => assert.equal(e.code, 100) ?? {}); // not heard yet
  const becomes = (channel, n) => until(async () => (await ask(channel)).numClients === n, `${channel} to have ${n} readers`);
  await becomes('world', 4);
  assert.deepEqual(await client.sdk.getSubscription('world').presenceStats(), { numClients: 4, numUsers: 4 });
  assert.deepEqual(await client.sdk.presenceStats('nobody.reads.this'), { numClients: 0, numUsers: 0 });
  await assert.rejects(client.sdk.presenceStats('no such name'), { code: 102 });
  client.sdk.getSubscription('sport').unsubscribe();
  await becomes('sport', 0);
  there.readers[0].close();
  await becomes('world', 3);
  await store.kill();
  await becomes('world', undefined); // the numbers are too old
  await store.start();
  await becomes('world', 3);

  const secret = await open(t, { 'show-readers': 'publishers' });
  const curious = await Client.open(t, secret, ['world']);
  await assert.rejects(curious.sdk.presenceStats('world'), { code: 108 });
});

test('what the manual shows is what is sent', async (t) => {
  const manual = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
  const examples = Object.fromEntries([...manual.matchAll(/^```json centrifuge_(\w+)\n(.*)\n```$/gm)].map(([, name, json]) => [name, JSON.parse(json)]));
  const kind = (value) => (Array.isArray(value) ? 'array' : typeof value);
  const isLike = (real, example, where) => {
    assert.deepEqual(Object.keys(real), Object.keys(example), `the keys of ${where}`);
    for (const [key, value] of Object.entries(example)) {
      assert.equal(kind(real[key]), kind(value), `the type of ${where}.${key}`);
      if (kind(value) === 'object' && key !== 'item') isLike(real[key], value, `${where}.${key}`);
      else if (key === 'publications') isLike(real[key][0], value[0], `${where}.${key}[0]`);
    }
  };
  const stage = await open(t);
  await send(stage, item(), 'world');
  const raw = await Raw.connected(t, stage);
  raw.send({ id: 2, subscribe: { channel: 'world', recover: true, offset: 0 } }, { id: 3, history: { channel: 'world', limit: 1 } }, { id: 4, subscribe: { channel: '-' } });
  await until(() => { raw.send({ id: 5, presence_stats: { channel: 'world' } }); return raw.replies.some((r) => r.presence_stats); }, 'a number');
  await until(() => raw.pubs.length === 1, 'a publication');
  for (const [id, name] of [[1, 'connect'], [2, 'subscribe'], [3, 'history'], [4, 'error']]) isLike(await raw.reply(id), examples[name], name);
  isLike(raw.replies.find((r) => r.push), examples.publication, 'publication');
  isLike(raw.replies.find((r) => r.presence_stats), examples.presence_stats, 'presence_stats');
  assert.deepEqual(await raw.reply(4), examples.error);
  for (const { data, offset } of [examples.publication.push.pub, ...examples.history.history.publications])
    assert.equal(offset, Number(data.cursor.split(':')[1].split('-')[0]) * 2048);
  const codes = readFileSync(new URL('../../server/centrifuge/session.c', import.meta.url), 'utf8').matchAll(/\{(\d{4}), "/g);
  for (const [, code] of codes) assert.match(manual, new RegExp(`^\\|.*\\b${code}\\b.*\\|`, 'm'), code);
});
