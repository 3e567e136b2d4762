// permessage-deflate (RFC 7692), compressed once and shared: who offers it reads the same news in a third of the bytes, and what a client
// compresses is inflated within bounds.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, deflateRawSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { Reader, Stage, item, sample, until, PATIENCE_MS } from './stage.mjs';
import { Tool } from './tool.mjs';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, Raw, TEXT, frame, handshake, open } from './raw.mjs';

const RSV1 = 4;
const BROWSERS_OFFER = 'permessage-deflate; client_max_window_bits';
const ALONE = { serverNoContextTakeover: true };
const offers = (extensions) => ({ 'Sec-WebSocket-Extensions': extensions });

/** As a client compresses it. */
const squeeze = (text, level = 6) => deflateRawSync(text, { level, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
const squeezed = (text) => frame(TEXT, squeeze(text), { rsv: RSV1 });

/** What a post says, without what only compression adds. */
const told = (posts) => posts.map(({ like, ...post }) => JSON.stringify(post));

// --- negotiation -------------------------------------------------------------------------------------------------

async function answerTo(stage, t, lines, path) {
  const raw = new Raw(stage);
  t.after(() => raw.socket.destroy());
  raw.send(handshake(lines).replace('/v1/stream?channels=world', path ?? '/v1/stream?channels=world'));
  await until(() => raw.head !== undefined || raw.ended, 'an answer to the handshake');
  return { status: Number(raw.head.split(' ')[1]), extensions: raw.head.match(/sec-websocket-extensions: (.*)/i)?.[1], raw };
}

test('an offer is answered with what can be kept of it, and declined where nothing can', async (t) => {
  const stage = await Stage.open(t);
  const yes = 'permessage-deflate; client_no_context_takeover';
  const alone = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
  for (const [offer, answer] of [
    [BROWSERS_OFFER, yes],
    ['permessage-deflate', yes],
    ['permessage-deflate; server_no_context_takeover; client_no_context_takeover', alone],
    ['permessage-deflate; server_max_window_bits=15', `${yes}; server_max_window_bits=15`],
    ['permessage-deflate; server_max_window_bits=10', undefined],
    ['permessage-deflate; server_max_window_bits=10, permessage-deflate; server_no_context_takeover', alone],
    ['permessage-deflate; client_max_window_bits, permessage-deflate', yes],
    ['permessage-deflate, permessage-deflate, permessage-deflate', yes],
    ['x-other; a="b", permessage-deflate', yes],
    ['permessage-deflate; no_such_thing', undefined],
    ['permessage-deflate; client_max_window_bits=7', undefined],
    ['permessage-deflate; client_max_window_bits; client_max_window_bits', undefined],
    ['permessage-deflate;', undefined],
    ['x; y="a, permessage-deflate, b"', undefined],
    ['permessage-deflate,', yes],
    [`${BROWSERS_OFFER}${' '.repeat(254 - BROWSERS_OFFER.length - 1)},`, yes],
  ]) {
    const { status, extensions, raw } = await answerTo(stage, t, offers(offer));
    assert.equal(status, 101, offer);
    assert.equal(extensions, answer, offer);
    await raw.saw((f) => f.opcode === TEXT && f.rsv === 0 && JSON.parse(f.payload).type === 'hello', 'hello, never compressed');
  }
  const lines = await answerTo(stage, t, offers('x-other\r\nSec-WebSocket-Extensions: permessage-deflate'));
  assert.equal(lines.extensions, yes, 'a header in two lines is one list');
});

test('a header of extensions that is too long is refused with a reason', async (t) => {
  const stage = await Stage.open(t);
  const { status, raw } = await answerTo(stage, t, offers(`${BROWSERS_OFFER}, x-${'y'.repeat(254 - BROWSERS_OFFER.length - 3)}`));
  assert.equal(status, 431);
  await until(() => raw.bytes.includes('too_many_extensions'), 'the reason');
});

test('nothing is agreed on a tool\'s line, nor with --compression off', async (t) => {
  const stage = await Stage.open(t, { compression: 'off' });
  assert.equal((await answerTo(stage, t, offers(BROWSERS_OFFER))).extensions, undefined);
  const other = await Stage.open(t);
  assert.equal((await answerTo(other, t, offers(BROWSERS_OFFER), '/v1/publish')).extensions, undefined);
  const tool = await Tool.open(other);
  tool.send({ type: 'publish', ref: 1, item: item() });
  await tool.type('accepted');
});

// --- reading -----------------------------------------------------------------------------------------------------

const wayOf = (reader) => reader.socket._socket.bytesRead;

test('samples go out in less than 45 % of their bytes, and each post is compressed once', async (t) => {
  const stage = await Stage.open(t);
  const plain = await stage.reader({ channels: ['world'] });
  const squeezing = []; // told once, behind hello, what posts are like
  for (let i = 0; i < 5; i++) squeezing.push(await stage.reader({ channels: ['world'], socket: { perMessageDeflate: true } }));
  const alone = await stage.reader({ channels: ['world'], socket: { perMessageDeflate: ALONE } });
  const all = [plain, ...squeezing, alone];
  for (const reader of all) await reader.settled();
  const before = new Map(all.map((reader) => [reader, wayOf(reader)]));
  const numbers = [1, 2, 3, 7, 8, 4];
  for (const [i, number] of numbers.entries()) {
    await stage.publish(sample(number), 'world');
    for (const reader of all) await reader.hasRead(i + 1);
  }
  for (const reader of all) assert.deepEqual(told(reader.posts), told(plain.posts));
  const share = (reader) => (wayOf(reader) - before.get(reader)) / (wayOf(plain) - before.get(plain));
  for (const reader of squeezing) {
    assert.deepEqual(reader.messages.slice(0, 2).map((m) => Object.keys(m).at(-1)), ['server', 'like']);
    for (const post of reader.posts) assert.deepEqual(post.like, reader.messages[1].like);
  }
  for (const reader of squeezing) assert.ok(share(reader) < 0.45, `${share(reader)} of the bytes`);
  assert.ok(share(alone) < 0.6, `${share(alone)} of the bytes where each message stands alone`);
  await stage.metric('newswire_frames_compressed_total').becomes(2 * numbers.length);
  await stage.metric('newswire_readers_compressed_total').becomes(6);
  assert.ok(await stage.metric('newswire_spared_bytes_total').read() > 0);
});

/** nginx in front of a stage, on a socket of its own. */
async function nginx(t, stage) {
  const dir = await mkdtemp(join(tmpdir(), 'nw-nginx-'));
  const socket = join(dir, 'front.sock');
  await writeFile(join(dir, 'nginx.conf'), `daemon off; master_process off; pid ${dir}/pid; error_log ${dir}/error.log;
    events { worker_connections 64; }
    http {
      access_log off;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};`).join(' ')}
      server {
        listen unix:${socket};
        location / {
          proxy_pass ${stage.url}; proxy_http_version 1.1; proxy_buffering off;
          proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
        }
      }
    }`);
  const child = spawn('/usr/sbin/nginx', ['-c', join(dir, 'nginx.conf'), '-p', dir], { stdio: 'ignore' });
  t.after(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await rm(dir, { recursive: true, force: true });
  });
  await until(() => existsSync(socket), 'nginx to listen');
  return `ws+unix://${socket}:`;
}

/** A reader whose connections are cut: it comes back with its cursor, and keeps all that it read. */
class Traveller {
  constructor(name, url, options) {
    Object.assign(this, { name, url, options, posts: [], cursor: undefined });
  }
  async connect() {
    this.reader = new Reader(`${this.url}/v1/stream?channels=world${this.cursor ? `&since=${this.cursor}` : ''}`, this.options);
    const hello = await this.reader.type('hello');
    assert.equal(hello.resumed, this.cursor !== undefined, this.name);
    this.extensions = this.reader.socket.extensions;
  }
  async hasRead(n) {
    const now = n - this.posts.length;
    await this.reader.hasRead(now).catch((e) => { throw new Error(`${this.name}: ${e.message}`); });
  }
  async cut() {
    this.posts.push(...this.reader.posts);
    this.cursor = this.reader.cursor;
    this.reader.close();
    await this.reader.ends();
  }
}

/** The same in a real browser, whose WebSocket always offers compression. */
class Browser {
  constructor(page, url) { Object.assign(this, { name: 'Chromium', page, url }); }
  static async open(t, stage) {
    const executablePath = process.env.CHROMIUM ??
      ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
    const browser = await chromium.launch({ executablePath, args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic',
      '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
    t.after(() => browser.close());
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(`${stage.url}/robots.txt`);
    await page.evaluate(() => { globalThis.posts = []; globalThis.cursor = undefined; });
    return new Browser(page, stage.url.replace(/^http/, 'ws'));
  }
  async connect() {
    this.extensions = await this.page.evaluate((url) => new Promise((done, failed) => {
      const socket = new WebSocket(`${url}/v1/stream?channels=world${globalThis.cursor ? `&since=${globalThis.cursor}` : ''}`, 'newswire.v1');
      globalThis.socket = socket;
      socket.onerror = () => failed(new Error('the connection failed'));
      socket.onmessage = ({ data }) => {
        if (globalThis.socket !== socket) return;
        const message = JSON.parse(data);
        globalThis.cursor = message.cursor ?? globalThis.cursor;
        if (message.type === 'post') globalThis.posts.push(message);
        if (message.type === 'hello') done(socket.extensions);
      };
    }), this.url);
  }
  async hasRead(n) {
    await this.page.waitForFunction((count) => globalThis.posts.length >= count, n);
    this.posts = await this.page.evaluate(() => globalThis.posts);
  }
  async cut() {
    await this.page.evaluate(() => { const { socket } = globalThis; globalThis.socket = null; socket.close(); });
  }
}

/** A hundred changes: new stories, and corrections and kills of those that everyone has read. */
function chapter(number, living) {
  const changes = [];
  const pick = () => living.splice((number * 7 + changes.length) % living.length, 1)[0];
  const again = [];
  for (let i = 0; i < 100; i++) {
    if (living.length > 0 && i % 10 === 3) {
      const { uri } = pick();
      changes.push({ uri, version: '9', pubStatus: 'canceled' });
    } else if (living.length > 0 && i % 5 === 1) {
      const story = pick();
      story.version = String(Number(story.version) + 1);
      again.push(story);
      changes.push(item({ ...story, headline: `Correction ${number}.${i}`, body: 'The council voted 6 to 3. '.repeat(i % 30) }));
    } else {
      const story = item({ headline: `Story ${number}.${i}`, body: 'The council voted 7 to 2. '.repeat(i % 30) });
      again.push({ uri: story.uri, version: '1' });
      changes.push(story);
    }
  }
  living.push(...again);
  return changes;
}

test('the same thousand posts, corrections and kills among them, exactly once and in order, however they are read', async (t) => {
  const stage = await Stage.open(t);
  const direct = stage.url.replace(/^http/, 'ws');
  const faithful = await stage.reader({ channels: ['world'] });
  const travellers = [
    new Traveller('plain', direct, {}),
    new Traveller('compressed', direct, { perMessageDeflate: true }),
    new Traveller('compressed alone', direct, { perMessageDeflate: ALONE }),
    await Browser.open(t, stage),
  ];
  if (existsSync('/usr/sbin/nginx'))
    travellers.push(new Traveller('compressed, through nginx', await nginx(t, stage), { perMessageDeflate: true }));
  t.after(() => travellers.forEach((one) => one.reader?.close()));
  for (const one of travellers) await one.connect();
  const living = [];
  for (let number = 0; number < 10; number++) {
    const changes = chapter(number, living);
    if (number % 2 === 1) for (const one of travellers) await one.cut();
    await Promise.all(changes.slice(0, 50).map((change) => stage.publish(change, 'world')));
    await faithful.hasRead(100 * number + 50); // some of it while they are away
    const later = changes.slice(50).map((change) => stage.publish(change, 'world'));
    if (number % 2 === 1) await Promise.all(travellers.map((one) => one.connect()));
    await Promise.all(later);
    await faithful.hasRead(100 * (number + 1));
    for (const one of travellers) await one.hasRead(100 * (number + 1));
  }
  const expected = told(faithful.posts);
  for (const one of travellers) {
    assert.equal(one.extensions !== '', one.name !== 'plain', one.name);
    if (one instanceof Traveller) await one.cut();
    assert.deepEqual(told(one.posts), expected, one.name);
  }
});

test('a reader of compressed messages who falls behind catches up in order', async (t) => {
  const stage = await Stage.open(t, { sndbuf: '4k' });
  const quick = await stage.reader({ channels: ['world'] });
  const slow = await stage.reader({ channels: ['world'], socket: { perMessageDeflate: true } });
  slow.stopReading();
  let seed = 1;
  const words = () => Array.from({ length: 800 }, () => (seed = seed * 48271 % 2147483647).toString(36)).join(' ');
  for (let i = 0; i < 400; i++) await stage.publish(item({ body: words() }), 'world');
  await quick.hasRead(400);
  await stage.metric('newswire_readers_lagging').reaches(1);
  slow.goOnReading();
  await slow.hasRead(400);
  assert.deepEqual(told(slow.posts), told(quick.posts));
  await stage.publish(item(), 'world');
  await slow.hasRead(401);
});

// --- hearing -----------------------------------------------------------------------------------------------------

test('what a client compresses is understood, in one frame or in pieces', async (t) => {
  const stage = await Stage.open(t);
  const raw = await open(stage, t, offers(BROWSERS_OFFER));
  const subscribed = (ref) => raw.saw((f) => f.opcode === TEXT && f.rsv === 0 && JSON.parse(f.payload).ref === ref, `subscribed ${ref}`);
  const message = (ref, more = {}) => JSON.stringify({ type: 'subscribe', ref, channels: ['world'], ...more });
  raw.send(squeezed(message('whole')));
  await subscribed('whole');
  raw.send(frame(TEXT, message('plain')));
  await subscribed('plain');
  const bytes = [...squeeze(message('pieces'))];
  raw.send(...bytes.map((byte, i) =>
    frame(i === 0 ? TEXT : CONTINUATION, [byte], { fin: i === bytes.length - 1, rsv: i === 0 ? RSV1 : 0 })));
  await subscribed('pieces');
  raw.send(frame(TEXT, '', { fin: false, rsv: RSV1 }), frame(PING, 'between'), frame(CONTINUATION, squeeze(message('empty first'))));
  await subscribed('empty first');
  await raw.saw((f) => f.opcode === PONG && f.rsv === 0 && f.payload.toString() === 'between', 'the pong');
  raw.send(squeezed(message('long', { note: 'n'.repeat(16384 - message('long', { note: '' }).length) })));
  await subscribed('long');
  raw.send(frame(TEXT, squeeze(message('stored', { note: 'n'.repeat(9000) }), 0), { rsv: RSV1 }));
  await subscribed('stored');
});

test('garbage, bombs and breaches end their own connection with the right code, and nobody else\'s', async (t) => {
  const stage = await Stage.open(t);
  const neighbour = await stage.reader({ channels: ['world'], socket: { perMessageDeflate: true } });
  const pids = await stage.workers();
  const ping = '{"type":"ping"}';
  let published = 0;
  for (const [name, code, ...bytes] of [
    ['bytes that are not deflate', 1007, frame(TEXT, ping, { rsv: RSV1 })],
    ['no bytes at all that claim to be deflate', 1007, frame(TEXT, '', { rsv: RSV1 })],
    ['a message that was cut', 1007, frame(TEXT, squeeze(JSON.stringify({ type: 'subscribe', channels: ['world', 'sport'] })).subarray(0, -6), { rsv: RSV1 })],
    ['compressed bytes that are not UTF-8', 1007, squeezed(Buffer.from([0x22, 0xff, 0x22]))],
    ['a bomb', 1009, squeezed(Buffer.alloc(12 << 20))],
    ['a bomb in pieces', 1009, frame(TEXT, squeeze(Buffer.alloc(12 << 20)).subarray(0, 5000), { rsv: RSV1, fin: false }),
      frame(CONTINUATION, squeeze(Buffer.alloc(12 << 20)).subarray(5000))],
    ['one byte too much', 1009, squeezed('x'.repeat(16385))],
    ['more than may come in, whatever it is', 1009, frame(TEXT, Buffer.alloc(20000), { rsv: RSV1 })],
    ['an empty message', 4000, squeezed('')],
    ['a reserved bit on a continuation', 1002, frame(TEXT, squeeze(ping).subarray(0, 4), { rsv: RSV1, fin: false }),
      frame(CONTINUATION, squeeze(ping).subarray(4), { rsv: RSV1 })],
    ['a continuation that claims to begin a compressed message', 1002, frame(TEXT, '{"type"', { fin: false }),
      frame(CONTINUATION, ':"ping"}', { rsv: RSV1 })],
    ['another reserved bit', 1002, frame(TEXT, ping, { rsv: RSV1 | 2 })],
    ['a compressed pong', 1002, frame(PONG, 'x', { rsv: RSV1 })],
    ['a compressed binary message', 1003, frame(BINARY, squeeze(ping), { rsv: RSV1 })],
  ]) {
    const raw = await open(stage, t, offers(BROWSERS_OFFER));
    raw.send(...bytes);
    const close = await raw.saw((f) => f.opcode === CLOSE, `the close frame after ${name}`);
    raw.send(frame(CLOSE, close.payload));
    assert.equal(await raw.ends(), code, name);
    assert.ok(raw.frames.every((f) => f.rsv === 0 || f.opcode === TEXT), 'control frames are never compressed');
    await stage.publish(item(), 'world');
    await neighbour.hasRead(published += 1);
  }
  assert.deepEqual(await stage.workers(), pids, 'the same workers');
  await stage.metric('newswire_readers').becomes(1);
});

test('a compressed message where nothing was agreed on is a breach', async (t) => {
  const stage = await Stage.open(t);
  for (const lines of [{}, offers('permessage-deflate; no_such_thing')]) {
    const raw = await open(stage, t, lines);
    raw.send(squeezed('{"type":"ping"}'));
    const close = await raw.saw((f) => f.opcode === CLOSE, 'the close frame');
    raw.send(frame(CLOSE, close.payload));
    assert.equal(await raw.ends(), 1002);
  }
});
