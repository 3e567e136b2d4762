// permessage-deflate (RFC 7692), compressed once and shared: who offers it reads the same news in a third of the bytes, and what a client
// compresses is inflated within bounds.
import test from 'node:test';
import assert from 'node:assert/strict';
import { constants, deflateRawSync } from 'node:zlib';
import { Stage, item, sample, until } from './stage.mjs';
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
