// Readers whose connections take less than there is: how far behind they may be, what they are told beyond that, and that nobody else notices.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Stage, item, until } from './stage.mjs';
import { Events } from './events.mjs';
import { compareIds, idOf } from '../chaos/checker.mjs';

const KINDS = {
  WebSocket: (stage, subscription) => stage.reader(subscription),
  'Server-Sent Events': (stage, subscription) => Events.open(stage, subscription),
};
const STORY = 20000;

const cursors = (reader) => reader.posts.map(({ cursor }) => cursor);
const lagging = (stage) => stage.metric('newswire_readers_lagging');
const told = (stage, limit) => stage.metric(`newswire_lag_limit_total{limit="${limit}"}`);

/** So many stories, which `other`, who reads, gets at once. */
async function publish(stage, other, count, bytes = STORY) {
  for (let n = 0; n < count; n++) {
    const had = other.posts.length;
    assert.equal((await stage.post(item({ body: 'x'.repeat(bytes) }), { channels: 'world' })).status, 201);
    await other.hasRead(had + 1);
  }
}

/** It does not read, and its kernels are full. */
async function stuck(stage, other, reader) {
  reader.stopReading();
  for (let still = 0; still < 25;) {
    await publish(stage, other, 1);
    still = (await lagging(stage).read()) === 1 ? still + 1 : 0; // the kernel may take some more, now and then
  }
}

/** In the order of the wire, none twice; returns how many of them are missing. */
function missing(reader, other) {
  const wire = cursors(other);
  let before = -1;
  for (const cursor of cursors(reader)) {
    const at = wire.indexOf(cursor);
    assert.ok(at > before, `${cursor} is in its order`);
    before = at;
  }
  return wire.length - reader.posts.length;
}

/** Goes on reading, to the end of what there is. */
async function goOn(stage, other, reader) {
  reader.goOnReading();
  await lagging(stage).becomes(0);
  await publish(stage, other, 1);
  await until(() => cursors(reader).at(-1) === cursors(other).at(-1), 'the last story');
}

for (const [kind, open] of Object.entries(KINDS)) {
  test(`${kind}: who is too many bytes behind is told of a gap, and goes on from now`, async (t) => {
    const stage = await Stage.open(t, { 'lag-bytes': '200k', sndbuf: '16k' });
    const [other, slow] = [await stage.reader({ channels: ['world'] }), await open(stage, { channels: ['world'] })];
    await stuck(stage, other, slow);
    await publish(stage, other, 15);
    await goOn(stage, other, slow);
    const gaps = slow.messages.filter(({ type }) => type === 'gap').length;
    assert.ok(gaps >= 1); // one more for each time that the kernel took some late
    assert.ok(missing(slow, other) >= 10);
    assert.equal(await told(stage, 'bytes').read(), gaps);
    assert.equal(await stage.metric('newswire_gaps_total').read(), gaps);
  });

  test(`${kind}: who waits for something too old is told of a gap`, async (t) => {
    const stage = await Stage.open(t, { 'lag-time': '2s', sndbuf: '16k' });
    const [other, slow] = [await stage.reader({ channels: ['world'] }), await open(stage, { channels: ['world'] })];
    await stuck(stage, other, slow);
    await publish(stage, other, 30); // more than the kernels will take by and by
    const last = Date.now();
    await until(() => Date.now() - last > 4000, 'what it waits for to be too old');
    await goOn(stage, other, slow);
    const gaps = slow.messages.filter(({ type }) => type === 'gap').length;
    assert.ok(gaps >= 1);
    assert.equal(await told(stage, 'time').read(), gaps);
  });

  test(`${kind}: within the limits it gets everything, from Redis where memory does not hold it any more`, async (t) => {
    const stage = await Stage.open(t, { backlog: '64k', sndbuf: '16k' });
    const [other, slow] = [await stage.reader({ channels: ['world'] }), await open(stage, { channels: ['world'] })];
    await stuck(stage, other, slow);
    await publish(stage, other, 30);
    await goOn(stage, other, slow);
    assert.equal(missing(slow, other), 0);
    assert.ok(!slow.messages.some(({ type }) => type === 'gap'));
    assert.ok((await stage.metric('newswire_history_reads_total').read()) > 0);
  });
}

test('where there is no room for what waits, whoever has stood still for longest is let go; it comes back and has everything', async (t) => {
  const stage = await Stage.open(t, { 'lag-memory': '1m', sndbuf: '16k' });
  const other = await stage.reader({ channels: ['world'] });
  const slow = [];
  const letGo = () => told(stage, 'memory').read();
  for (let n = 0; n < 20 && (await letGo()) === 0; n++) { // each stands at another story
    slow.push(await Object.values(KINDS)[n % 2](stage, { channels: ['world'] }));
    slow[n].stopReading();
    while ((await lagging(stage).read()) <= n && (await letGo()) === 0) await publish(stage, other, 1, 100000);
  }
  assert.ok(slow.length > 5 && slow.length < 20, `room for ${slow.length}`);
  assert.ok((await stage.metric('newswire_waiting_bytes').read()) <= 1 << 20);
  slow.forEach((reader) => reader.goOnReading());
  const left = () => slow.filter(({ closed }) => closed);
  await until(async () => slow.every((reader) => reader.closed || cursors(reader).at(-1) === cursors(other).at(-1)) && left().length === await letGo(),
    'those to be let go, and the others to have everything');
  for (const reader of slow) assert.ok(!reader.messages.some(({ type }) => type === 'gap'));
  assert.equal(other.closed, null);
  await stage.metric('newswire_readers_closed_total{reason="too_slow"}').becomes(left().length);
  assert.equal(await stage.metric('newswire_readers_closed_total{reason="normal"}').read(), 0);
  const [first] = left();
  const since = first.messages.filter(({ cursor }) => cursor).at(-1).cursor;
  const again = await stage.reader({ channels: ['world'], since });
  await again.hasRead(other.posts.filter(({ cursor }) => compareIds(idOf(cursor), idOf(since)) > 0).length);
  assert.equal(cursors(again).at(-1), cursors(other).at(-1));
});

test('a long story that many are slow to take waits once for all of them', async (t) => {
  const records = process.env.NEWSWIRE_TLS ? 40 * 17000 : 0; // what is encrypted is nobody else's
  const stage = await Stage.open(t, { 'lag-memory': (1 << 20) + records, sndbuf: '16k' });
  const readers = await Promise.all(Array.from({ length: 40 }, () => stage.reader({ channels: ['world'] })));
  readers.forEach((reader) => reader.stopReading());
  for (let n = 1; n <= 3; n++) assert.equal((await stage.post(item({ body: 'x'.repeat(250000) }), { channels: 'world' })).status, 201);
  await lagging(stage).becomes(40);
  const waiting = await stage.metric('newswire_waiting_bytes').read();
  assert.ok(waiting > 250000 && waiting < 700000 + records, `${waiting} bytes wait`);
  readers.forEach((reader) => reader.goOnReading());
  for (const reader of readers) await reader.hasRead(3);
  await stage.metric('newswire_waiting_bytes').becomes(0);
  assert.equal(await told(stage, 'memory').read(), 0);
});
