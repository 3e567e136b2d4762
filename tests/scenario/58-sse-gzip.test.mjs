// The goal: who takes gzip reads the same events in half of the bytes, out of pieces that are the same for everybody and fit any stream.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import test, { after, before } from 'node:test';
import { constants, createGunzip, gunzipSync, inflateRawSync } from 'node:zlib';
import { launch, otherPage, readWith } from './clients.mjs';
import { Events, Parser, cutter, eventsUrl } from './events.mjs';
import { haproxy, nginx } from './proxies.mjs';
import { Stage, item, sample, until } from './stage.mjs';
import { judge, publishAll } from './thousand.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

const gzip = { 'accept-encoding': 'gzip' };
const opened = (stage, asked = {}) => Events.open(stage, { channels: ['world'], ...asked, headers: { ...gzip, ...asked.headers } });

// --- who gets it ----------------------------------------------------------------------------------------------------------

test('who takes gzip is answered with it, and nobody else', async (t) => {
  const stage = await Stage.open(t);
  const off = await Stage.open(t, { compression: 'off' });
  for (const [takes, coding] of [
    [undefined, undefined], ['gzip, deflate', 'gzip'], ['deflate, GZIP, br', 'gzip'], ['*', 'gzip'], ['br', undefined], ['identity', undefined],
    ['gzip;q=0', undefined], ['gzip;q=0, *', undefined], ['gzip;q=0.1', 'gzip'], ['identity, gzip;q=0.5', undefined], ['gzip;q=a', undefined],
    [`${'x,'.repeat(200)}gzip`, undefined],
  ]) {
    const headers = takes === undefined ? {} : { 'accept-encoding': takes };
    const { response } = await Events.open(stage, { headers });
    assert.equal(response.headers['content-encoding'], coding, takes);
    assert.equal(response.headers.vary, 'accept, accept-encoding');
    assert.equal(response.headers['content-type'], 'text/event-stream');
    assert.equal(response.headers['cache-control'], 'no-store, no-transform');
    const head = await stage.http('/v1/stream', { method: 'HEAD', headers: { accept: 'text/event-stream', 'accept-encoding': takes ?? 'identity' } });
    assert.equal(head.headers.get('content-encoding') ?? undefined, coding, `HEAD: ${takes}`);
    assert.equal((await Events.open(off, { headers })).response.headers['content-encoding'], undefined, 'with --compression off');
  }
  await stage.metric('newswire_readers_compressed_total').becomes(4);
  await off.metric('newswire_readers_compressed_total').becomes(0);
});

test('what is refused is said in plain text', async (t) => {
  const stage = await Stage.open(t);
  const { status, body, headers } = await stage.http('/v1/stream?class=loud', { headers: { accept: 'text/event-stream', ...gzip } });
  assert.equal(status, 400);
  assert.equal(body.code, 'bad_class');
  assert.equal(headers.get('content-encoding'), null);
});

// --- pieces ---------------------------------------------------------------------------------------------------------------

const SOFT = { finishFlush: constants.Z_SYNC_FLUSH };

/** A stream as it comes: `text` is what its bytes say so far. */
class Bytes {
  constructor(stage, asked = {}) {
    this.bytes = Buffer.alloc(0);
    this.text = '';
    const stream = createGunzip({ flush: constants.Z_SYNC_FLUSH, ...SOFT }).setEncoding('utf8');
    stream.on('data', (text) => { this.text += text; });
    this.request = (stage.isSealed ? https : http).get(eventsUrl(stage, { channels: ['world'], ...asked }), { headers: { accept: 'text/event-stream', ...gzip }, agent: false }, (response) => {
      response.on('data', (bytes) => { this.bytes = Buffer.concat([this.bytes, bytes]); stream.write(bytes); });
      response.on('close', () => stream.end());
    });
    stage.readers.push(this);
  }
  close() { this.request.destroy(); }
  /** What came since it was last asked, once this is in it: whole pieces, since nothing else is on its way. */
  async pieces(what) {
    const from = this.at ?? 0;
    await until(() => this.text.includes(what) && this.text.endsWith('\n\n'), `${what} to come`);
    this.at = this.bytes.length;
    return this.bytes.subarray(from, this.at);
  }
}

test('each piece can be inflated by itself, fits behind any other, and is the same for everybody', async (t) => {
  const stage = await Stage.open(t, { tick: '60s' });
  const plain = await Events.open(stage, { channels: ['world'] });
  const first = new Bytes(stage);
  const begin = await first.pieces('event: hello');
  assert.deepEqual([...begin.subarray(0, 10)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  assert.match(gunzipSync(begin, SOFT).toString(), /^retry: \d+\n\nid: .*\nevent: hello\ndata: .*\n\n$/);
  const story = item({ headline: 'Ferry', body: 'The council voted 7 to 2. '.repeat(20) });
  const pieces = [];
  for (const [n, what] of [story, { ...story, version: '2' }, item(), { uri: story.uri, version: '3', pubStatus: 'canceled' }, sample(1)].entries()) {
    await stage.publish(what, 'world');
    const posts = await plain.hasRead(n + 1);
    pieces.push(await first.pieces(`id: ${posts.at(-1).cursor}\n`));
  }
  const texts = plain.posts.map((post) => `id: ${post.cursor}\nevent: post\ndata: ${JSON.stringify(post)}\n\n`);
  for (const [n, piece] of pieces.entries()) assert.equal(inflateRawSync(piece, SOFT).toString(), texts[n]);
  for (const order of [[4, 3, 2, 1, 0], [0, 0, 4, 0], [2, 4, 1, 3]])
    assert.equal(gunzipSync(Buffer.concat([begin, ...order.map((n) => pieces[n])]), SOFT).toString().replace(/^[^]*?event: hello\n.*\n\n/, ''),
      order.map((n) => texts[n]).join(''));
  const late = new Bytes(stage, { since: plain.posts[0].cursor }); // its first two were killed: the kill is all of them
  const missed = await late.pieces(`id: ${plain.id}\n`);
  const hello = missed.length - [2, 3, 4].reduce((sum, n) => sum + pieces[n].length, 0);
  assert.deepEqual(missed.subarray(hello), Buffer.concat([pieces[2], pieces[3], pieces[4]]));
});

test('samples go out in less than 60 % of their bytes, and each post is compressed once', async (t) => {
  const stage = await Stage.open(t, { tick: '60s' });
  const plain = await Events.open(stage, { channels: ['world'] });
  const readers = [];
  for (let n = 0; n < 3; n++) {
    readers.push(new Bytes(stage));
    await readers[n].pieces('event: hello');
  }
  const numbers = [1, 2, 3, 7, 8, 4];
  let long = 0, short = 0;
  for (const [n, number] of numbers.entries()) {
    await stage.publish(sample(number), 'world');
    const post = (await plain.hasRead(n + 1)).at(-1);
    long += Buffer.byteLength(`id: ${post.cursor}\nevent: post\ndata: ${JSON.stringify(post)}\n\n`);
    const same = [];
    for (const reader of readers) same.push(await reader.pieces(`id: ${post.cursor}\n`));
    for (const piece of same) assert.deepEqual(piece, same[0]);
    short += same[0].length;
  }
  assert.ok(short < 0.6 * long, `${short} of ${long} bytes`);
  await stage.metric('newswire_frames_compressed_total').becomes(numbers.length);
  await stage.metric('newswire_spared_bytes_total').becomes(readers.length * (long - short));
});

test('a tick moves the id within the stream, and fires no event', async (t) => {
  const stage = await Stage.open(t);
  const reader = await opened(stage, { channels: ['sport'] });
  const socket = await stage.reader({ channels: ['world'] });
  await stage.publish(item(), 'world');
  const [post] = await socket.hasRead(1);
  assert.deepEqual(await reader.saw((b) => b.id === post.cursor, 'an id past the post of another channel'), { id: post.cursor });
});

test('brief items, removals, kills and gaps go through it like everything else', async (t) => {
  const stage = await Stage.open(t);
  const [plain, squeezed] = [await Events.open(stage, { channels: ['world'], view: 'brief' }), await opened(stage, { view: 'brief' })];
  const [urgent, squeezedUrgent] = [await Events.open(stage, { class: 'urgent' }), await opened(stage, { channels: undefined, class: 'urgent' })];
  const story = item({ urgency: 3, body: 'SECRET '.repeat(100) });
  for (const [n, what] of [story, { ...story, version: '2', urgency: 5 }, { uri: story.uri, version: '3', pubStatus: 'canceled' }].entries()) {
    await stage.publish(what, 'world');
    await plain.hasRead(n + 1);
  }
  assert.deepEqual(await squeezed.hasRead(3), plain.posts);
  assert.ok(!JSON.stringify(squeezed.posts).includes('SECRET'));
  await until(() => urgent.posts.some(({ action }) => action === 'kill') && squeezedUrgent.posts.length === urgent.posts.length, 'the kill');
  assert.deepEqual(squeezedUrgent.posts, urgent.posts);
  assert.ok(urgent.posts.some(({ action }) => action === 'remove'));
  const lost = await opened(stage, { since: 'another:1-1' });
  assert.equal(JSON.parse((await lost.saw((b) => b.event === 'gap', 'the gap')).data).type, 'gap');
});

test('a killed story is in no piece any more for who comes back', async (t) => {
  const stage = await Stage.open(t);
  const reader = await opened(stage);
  const start = reader.id;
  const story = item({ body: 'SECRET '.repeat(100) });
  await stage.publish(story, 'world');
  await reader.hasRead(1);
  await stage.publish({ uri: story.uri, version: '2', pubStatus: 'canceled' }, 'world');
  await reader.hasRead(2);
  const again = await opened(stage, { headers: { 'last-event-id': start } });
  const [kill] = await again.hasRead(1);
  assert.equal(kill.action, 'kill');
  assert.ok(!JSON.stringify(again.blocks).includes('SECRET'));
});

// --- readers who lag ------------------------------------------------------------------------------------------------------

/** Words that hardly shrink. */
let seed = 1;
const words = (count) => Array.from({ length: count }, () => (seed = seed * 48271 % 2147483647).toString(36)).join(' ');

test('a client that stops reading falls behind, and catches up in order', async (t) => {
  const stage = await Stage.open(t, { sndbuf: '4k' });
  const quick = await opened(stage);
  const slow = await opened(stage);
  slow.stopReading();
  for (let n = 1; (await stage.metric('newswire_readers_lagging').read()) === 0 || n <= 100; n++) {
    await stage.publish(item({ body: words(800) }), 'world');
    await quick.hasRead(n);
  }
  slow.goOnReading();
  await slow.hasRead(quick.posts.length);
  assert.deepEqual(slow.posts, quick.posts);
  await stage.metric('newswire_readers_lagging').becomes(0);
  await stage.publish(item(), 'world');
  await slow.hasRead(quick.posts.length + 1);
});

test('a client that was away longer than memory reaches is caught up from Redis', async (t) => {
  const stage = await Stage.open(t, { backlog: '64k' });
  const control = await opened(stage);
  const start = control.id;
  for (let n = 1; n <= 100; n++) {
    await stage.publish(item({ body: words(100) }), 'world');
    await control.hasRead(n);
  }
  const late = await opened(stage, { headers: { 'last-event-id': start } });
  assert.equal((await late.type('hello')).resumed, true);
  assert.deepEqual(await late.hasRead(100), control.posts);
});

// --- clients ----------------------------------------------------------------------------------------------------------------

const POSTS = 200;
const CUTS = [20_000, 30_000, Infinity]; // bytes after which a way breaks, often within a piece

test('curl, npm\'s eventsource and Chromium take it, directly and through proxies, however often they are cut off', async (t) => {
  const stage = await Stage.open(t, { workers: 2, backlog: '64m' });
  const control = await stage.reader({ channels: ['world'] });
  const bases = { directly: stage.url, 'through nginx': await nginx(t, stage.url), 'through HAProxy': await haproxy(t, stage.url) };
  bases['through nginx, HTTP/1.1'] = `${bases['through nginx']}/new`;
  const readers = [];
  for (const [way, base] of Object.entries(bases))
    for (const name of ['eventsource', 'Chromium', 'curl --compressed']) {
      const relay = await cutter(t, base, CUTS);
      const path = new URL(base).pathname.replace(/\/$/, '');
      const reader = await readWith[name](t, eventsUrl(stage, { base: relay.url + path, channels: ['world'] }), { browser });
      readers.push({ who: `${name} ${way}`, relay, ...reader });
    }
  for (const { ready } of readers) await ready();
  await stage.metric('newswire_readers_compressed_total').becomes(readers.length);
  await publishAll(stage, control, POSTS);
  const wire = control.posts;
  for (const { who, posts, relay } of readers) {
    await until(async () => (await posts()).at(-1)?.cursor === wire.at(-1).cursor, `${who} to have the last post`, 60_000);
    judge(who, await posts(), wire);
    assert.ok(relay.cuts >= 2, `${who} was cut off ${relay.cuts} times`);
  }
});

test('the end of a stream, which has no checksum, is for every client the end of a whole body', async (t) => {
  const stage = await Stage.open(t);
  const raw = await opened(stage);
  const curl = spawn('curl', ['-sSN', '--compressed', '-H', 'accept: text/event-stream', eventsUrl(stage, { channels: ['world'] })]);
  const said = { out: '', err: '' };
  curl.stdout.on('data', (data) => { said.out += data; });
  curl.stderr.on('data', (data) => { said.err += data; });
  const page = await otherPage(t, browser);
  await page.evaluate(async (url) => { globalThis.whole = (await fetch(url, { headers: { accept: 'text/event-stream' } })).text(); },
    eventsUrl(stage, { channels: ['world'] }));
  const node = await fetch(eventsUrl(stage, { channels: ['world'] }), { headers: { accept: 'text/event-stream' } });
  await stage.metric('newswire_readers_compressed_total').becomes(4);
  await stage.publish(item(), 'world');
  await raw.hasRead(1);
  const over = once(curl, 'close');
  await stage.stop();
  await raw.ends();
  assert.ok(raw.ended && raw.stump === '', 'read with its length of the connection');
  assert.deepEqual((await over)[0], 0, said.err);
  for (const text of [said.out, await page.evaluate(() => globalThis.whole), await node.text()]) {
    const events = new Parser().take(text).map(({ event }) => event).filter(Boolean);
    assert.deepEqual(events, ['hello', 'post', 'bye']);
  }
});
