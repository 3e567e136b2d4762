// Urgency first: who asks for it (`ahead=1`) and lags gets a flash before its turn, and again when it is its turn.
import test from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Events } from './events.mjs';
import { Reader, Stage, item, until } from './stage.mjs';

const BURST = 200, LARGE = 24 << 10;
const FIRMLY = 40; // stories that a jam outlasts: what a client and its kernel still take then is no more
/** Text that is long however it is compressed. */
const noise = () => randomBytes(LARGE).toString('hex');
const story = () => item({ body: noise() });
const flash = (changes = {}) => item({ headline: 'Bridge closed', body: 'The bridge is closed. '.repeat(20), urgency: 1, ...changes });
const uriOf = (post) => post.uri ?? post.item.uri;
const early = (posts) => posts.filter((p) => p.ahead);
const inOrder = (posts) => posts.filter((p) => !p.ahead);

/** Readers that have stopped, and lag; one that has not, so that it is known what went out. */
class Jam {
  static async open(t, ...slow) {
    const jam = new Jam();
    jam.stage = await Stage.open(t, { backlog: '64m', 'lag-bytes': 0 }); // a jam is longer than others wait for
    jam.quick = await jam.stage.reader({ channels: ['world'] });
    jam.slow = await Promise.all(slow.map((open) => open(jam.stage)));
    jam.sent = [];
    for (const reader of jam.slow) reader.stopReading();
    const lagging = jam.stage.metric('newswire_readers_lagging');
    for (let firmly = 0; firmly < FIRMLY; firmly = await lagging.read() === slow.length ? firmly + 1 : 0) await jam.send(story());
    return jam;
  }
  /** Published, and gone out to whoever reads. */
  async send(...items) {
    for (const what of items) {
      await this.stage.publish(what);
      this.sent.push(what.uri);
      await this.quick.saw((m) => m.type === 'post' && uriOf(m) === what.uri && (m.version ?? m.item.version) === what.version, what.uri);
    }
  }
  burst() { return this.send(...Array.from({ length: BURST }, story)); }
  /** It reads on, to the last that was sent. */
  async drain(reader) {
    const last = this.quick.posts.at(-1);
    reader.goOnReading();
    await until(() => inOrder(reader.posts).at(-1)?.cursor === last.cursor, 'the end of the jam');
  }
}

const overWebSocket = (asked, socket) => (stage) => stage.reader({ channels: ['world'], ...asked, socket });
const overEvents = (asked) => (stage) => Events.open(stage, { channels: ['world'], ...asked });

/** One flash before all of the burst, without a place; and everything else as it always is. */
function assertAhead(jam, reader, fl) {
  const { posts } = reader;
  assert.deepEqual(inOrder(posts).map(uriOf), jam.sent, 'in order, each once');
  assert.deepEqual(early(posts).map(uriOf), [fl.uri], 'once ahead');
  const at = posts.findIndex((p) => p.ahead);
  assert.ok(at < posts.length - BURST, `ahead of the burst: ${at} of ${posts.length}`);
  const { ahead, ...copy } = posts[at];
  const { cursor, ...turn } = inOrder(posts).at(-1);
  assert.equal(ahead, true);
  assert.deepEqual(copy, turn, 'the same but for its place');
}

for (const [how, open] of [
  ['over WebSocket', overWebSocket({ ahead: 1 })],
  ['over WebSocket, compressed', overWebSocket({ ahead: 1 }, { perMessageDeflate: true })],
  ['over WebSocket, each message compressed alone', overWebSocket({ ahead: 1 }, { perMessageDeflate: { serverNoContextTakeover: true } })],
  ['as Server-Sent Events', overEvents({ ahead: 1 })],
  ['as Server-Sent Events, compressed', overEvents({ ahead: 1, headers: { 'accept-encoding': 'gzip' } })],
])
  test(`who lags gets a flash ahead of what it has missed, and again in order: ${how}`, async (t) => {
    const jam = await Jam.open(t, open);
    const fl = flash();
    await jam.burst();
    await jam.send(fl);
    await jam.drain(jam.slow[0]);
    assertAhead(jam, jam.slow[0], fl);
    assert.equal(await jam.stage.metric('newswire_ahead_total{event="sent"}').read(), 1);
    await jam.stage.metric('newswire_readers_lagging').becomes(0);
    await jam.send(flash()); // who keeps up gets it once
    await until(() => inOrder(jam.slow[0].posts).length === jam.sent.length, 'the next flash');
    assert.equal(early(jam.slow[0].posts).length, 1);
  });

test('an event that goes ahead leaves the last event id where it is', async (t) => {
  const jam = await Jam.open(t, overEvents({ ahead: 1 }));
  await jam.send(flash(), story());
  await jam.drain(jam.slow[0]);
  const { blocks } = jam.slow[0];
  const ahead = blocks.filter((b) => b.data?.includes('"ahead":true'));
  assert.deepEqual(ahead.map((b) => [b.id, b.event]), [[undefined, 'post']]);
  assert.equal(jam.slow[0].id, jam.quick.cursor);
});

test('who did not ask gets everything in order, and only that', async (t) => {
  const jam = await Jam.open(t, overWebSocket({}), overWebSocket({ ahead: 0 }), overEvents({}));
  await jam.send(story(), story(), flash(), story());
  for (const reader of jam.slow) {
    await jam.drain(reader);
    assert.deepEqual(reader.posts.map(uriOf), jam.sent);
    assert.deepEqual(early(reader.posts), []);
  }
  assert.equal(await jam.stage.metric('newswire_ahead_total{event="sent"}').read(), 0);
});

test('a flash that went ahead and is killed: so is the copy that is on its way, and the kill goes ahead too', async (t) => {
  const jam = await Jam.open(t, overWebSocket({ ahead: 1 }));
  const [reader] = jam.slow;
  const fl = flash();
  await jam.burst();
  await jam.send(fl);
  reader.socket.on('message', (data) => { if (data.includes('"ahead":true') && data.includes('"action":"publish"')) reader.stopReading(); });
  reader.goOnReading();
  await until(() => early(reader.posts).length === 1, 'the flash');
  await jam.send({ uri: fl.uri, version: '2', type: 'text', pubStatus: 'canceled', urgency: 5 });
  await jam.burst();
  await jam.drain(reader);
  const { posts } = reader;
  assert.deepEqual(early(posts).map((p) => p.action), ['publish', 'kill']);
  const turns = inOrder(posts).filter((p) => uriOf(p) === fl.uri);
  assert.deepEqual(turns.map((p) => p.action), ['kill'], 'in its turn only the kill comes');
  assert.ok(posts.findIndex((p) => p.ahead && p.action === 'kill') < posts.indexOf(turns[0]) - BURST / 2, 'ahead');
  assert.deepEqual(inOrder(posts).map(uriOf), jam.sent.filter((uri, i) => i !== jam.sent.indexOf(fl.uri)));
});

test('a flash that was killed before there was room is never sent', async (t) => {
  const jam = await Jam.open(t, overWebSocket({ ahead: 1 }));
  const fl = flash();
  await jam.send(story(), fl, { uri: fl.uri, version: '2', type: 'text', pubStatus: 'canceled', urgency: 5 }, story());
  await jam.drain(jam.slow[0]);
  assert.deepEqual(early(jam.slow[0].posts), []);
  assert.deepEqual(jam.slow[0].posts.filter((p) => uriOf(p) === fl.uri).map((p) => p.action), ['kill']);
});

test('a correction of what went ahead goes ahead, though it is no flash any more', async (t) => {
  const jam = await Jam.open(t, overWebSocket({ ahead: 1 }));
  const [reader] = jam.slow;
  const fl = flash();
  await jam.burst();
  await jam.send(fl);
  reader.socket.on('message', (data) => { if (data.includes('"ahead":true') && data.includes('"version":"1"')) reader.stopReading(); });
  reader.goOnReading();
  await until(() => early(reader.posts).length === 1, 'the flash');
  await jam.send({ ...flash({ uri: fl.uri, version: '2', urgency: 5 }) });
  await jam.drain(reader);
  assert.deepEqual(early(reader.posts).map((p) => [p.action, p.class]), [['publish', 'flash'], ['correct', 'regular']]);
  assert.deepEqual(inOrder(reader.posts).filter((p) => uriOf(p) === fl.uri).map((p) => p.action), ['correct']);
});

test('it looks as the manual shows it', async (t) => {
  const manual = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
  const example = JSON.parse(manual.match(/^```json ahead\n(.*)\n```$/m)[1]);
  const jam = await Jam.open(t, overWebSocket({ ahead: 1 }));
  await jam.send(flash());
  await jam.drain(jam.slow[0]);
  const [real] = early(jam.slow[0].posts);
  assert.deepEqual(Object.keys(real), Object.keys(example));
  for (const key of ['type', 'ahead', 'action', 'class']) assert.equal(real[key], example[key], key);
});

test('what `ahead` may be: 1 or 0', async (t) => {
  const stage = await Stage.open(t);
  const reader = new Reader(stage.streamUrl({ channels: ['world'], ahead: 'yes' }));
  t.after(() => reader.close());
  assert.equal((await reader.type('error')).code, 'bad_ahead');
  assert.equal((await reader.ends()).code, 4000);
  const { status, body } = await stage.http('/v1/stream?ahead=2', { headers: { accept: 'text/event-stream' } });
  assert.deepEqual([status, body.code], [400, 'bad_ahead']);
});
