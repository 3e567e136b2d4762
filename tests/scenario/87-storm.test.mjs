// A storm: everybody is cut off at once and comes back at once, each with its cursor. What Redis is asked for does not grow with the readers, and
// nobody misses anything. How fast it is: ./dev bench all --only storm.
import test from 'node:test';
import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { Stage, item, until } from './stage.mjs';

const CHANNELS = ['world', 'sport', 'business'];
const PLACES = 10; // from which they come back

/* A reader in few bytes: what it has seen are cursors. */
class Reader {
  constructor(stage, i) {
    Object.assign(this, { url: `${stage.url.replace(/^http/, 'ws')}/v1/stream?channels=${CHANNELS[i % CHANNELS.length]}`, channel: CHANNELS[i % CHANNELS.length], seen: [], told: 0 });
  }
  connect() {
    this.here = false;
    this.socket = new WebSocket(this.url + (this.cursor ? `&since=${encodeURIComponent(this.cursor)}` : ''), 'newswire.v1', { perMessageDeflate: false });
    this.socket.on('error', () => {}).on('message', (data) => {
      const m = JSON.parse(data);
      if (m.type === 'hello') this.here = true;
      if (m.type === 'gap') this.told += 1;
      if (m.type === 'post') this.seen.push(m.cursor);
      this.cursor = m.cursor ?? this.cursor;
    });
  }
}

const READS = /^x(rev)?range$/; // with XREAD an inbox is listened to

/** What Redis was asked for, by scripts too, since it was told to forget. */
async function asked(redis) {
  const calls = [...(await redis.info('commandstats')).matchAll(/^cmdstat_(?!info|config)([^:]*):calls=(\d+)/gm)].map(([, name, n]) => [name, Number(n)]);
  const sum = (some) => some.reduce((total, [, n]) => total + n, 0);
  return { all: sum(calls), reads: sum(calls.filter(([name]) => READS.test(name))) };
}

/* Four posts for each channel. */
async function publish(stage, wire) {
  for (const channels of CHANNELS) {
    const { status, body } = await stage.post(Array.from({ length: 4 }, () => item({ body: 'x'.repeat(1500) })), { channels });
    assert.equal(status, 200);
    for (const { id } of body.results) wire[channels].push(id);
  }
}

/** So many readers are there, in PLACES groups who hang up one after another while news goes on; then all of them come back. */
async function storm(t, count, options) {
  const stage = await Stage.open(t, { workers: 2, ...options });
  const wire = Object.fromEntries(CHANNELS.map((name) => [name, []]));
  const readers = Array.from({ length: count }, (_, i) => new Reader(stage, i));
  t.after(() => readers.forEach(({ socket }) => socket.terminate()));
  readers.forEach((reader) => reader.connect());
  await until(() => readers.every(({ here }) => here), 'everybody to be there', 60000);
  await publish(stage, wire);
  const owed = () => readers.filter(({ seen, channel }) => seen.length < wire[channel].length);
  await until(() => owed().length === 0, 'the first posts to be everywhere', 60000);
  for (let group = 0; group < PLACES; group++) {
    const these = readers.filter((_, i) => i % PLACES === group);
    these.forEach(({ socket }) => socket.terminate());
    await publish(stage, wire);
    const left = readers.filter((_, i) => i % PLACES > group);
    await until(() => left.every(({ seen, channel }) => seen.length === wire[channel].length), 'the others to have it', 60000);
  }
  await stage.metric('newswire_readers').becomes(0);
  const began = Date.now();
  await stage.redis.config('RESETSTAT');
  readers.forEach((reader) => reader.connect());
  await until(() => owed().length === 0, 'everybody to have what it missed', 60000);
  const seconds = (Date.now() - began) / 1000;
  const calls = await asked(stage.redis);
  for (const { seen, channel, told } of readers) {
    assert.equal(told, 0, 'nobody is told of a gap');
    assert.deepEqual(seen.map((cursor) => cursor.split(':')[1]), wire[channel], 'in order, each once');
  }
  return { ...calls, seconds, posts: CHANNELS.reduce((sum, name) => sum + wire[name].length, 0) };
}

/* Each second's questions, twice what they are in a calm time; the workers' reports on each post; and the texts that a read of the wire brings. */
const mayAsk = ({ seconds, posts, reads }) => 300 + 200 * seconds + 6 * posts + reads * posts;

const trims = (seconds) => 1 + Math.ceil(seconds / 10); // the trimmer looks at the first entry now and then

for (const [where, options, reads] of [['in memory', {}, 0], ['in Redis only', { backlog: '64k' }, 4 * PLACES]]) {
  test(`what they missed is ${where}: Redis is asked for the same by 500 and by 1,500`, async (t) => {
    for (const count of [500, 1500]) {
      const asks = await storm(t, count, options);
      t.diagnostic(`${count} readers, back after ${asks.seconds.toFixed(1)} s: ${asks.all} commands, ${asks.reads} reads of the wire`);
      assert.ok(asks.reads <= reads + trims(asks.seconds), `${asks.reads} reads of the wire for ${count} readers`);
      assert.ok(asks.all <= mayAsk(asks), `${asks.all} commands in ${asks.seconds} s for ${count} readers`);
    }
  });
}
