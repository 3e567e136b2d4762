// RFC 6455 by raw socket: what no well-made client sends is answered or closed with the right code, and nobody else is hurt.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { Stage, item, until } from './stage.mjs';
import { BINARY, CLOSE, CONTINUATION, KEY, PING, PONG, Raw, TEXT, closing, frame, handshake, open } from './raw.mjs';

/** A stage with a neighbour who must go on reading, whatever the others do. */
async function withNeighbour(t, options) {
  const stage = await Stage.open(t, options);
  const neighbour = await stage.reader({ channels: ['world'] });
  const pids = await stage.workers();
  let published = 0;
  const isUnhurt = async () => {
    await stage.publish(item(), 'world');
    await neighbour.hasRead(published += 1);
    assert.deepEqual(await stage.workers(), pids, 'the same workers');
  };
  return { stage, neighbour, isUnhurt };
}

/** The code with which the server closes after each. */
const ping = '{"type":"ping"}';
const DEFLATE = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
const breaches = [
  ['a reserved bit that nobody agreed on', 1002, [frame(TEXT, ping, { rsv: 4 })]],
  ['another reserved bit, on an empty message', 1002, [frame(TEXT, '', { rsv: 1 })]],
  ['a reserved bit on a ping', 1002, [frame(PING, 'x', { rsv: 2 })]],
  ['an opcode that is reserved for data', 1002, [frame(3, 'x')]],
  ['an opcode that is reserved for control', 1002, [frame(11, 'x')]],
  ['the last opcode, empty', 1002, [frame(15, '')]],
  ['a ping in fragments', 1002, [frame(PING, 'x', { fin: false })]],
  ['a continuation of nothing', 1002, [frame(CONTINUATION, 'x')]],
  ['a new message within another', 1002, [frame(TEXT, '{"type"', { fin: false }), frame(TEXT, ':"ping"}')]],
  ['a close frame in fragments', 1002, [frame(CLOSE, Buffer.from([3, 232]), { fin: false })]],
  ['a ping of 126 bytes', 1002, [frame(PING, 'x'.repeat(126))]],
  ['a close frame of 126 bytes', 1002, [closing(1000, 'r'.repeat(124))]],
  ['a close frame of one byte', 1002, [frame(CLOSE, 'x')]],
  ['a close frame whose reason is not UTF-8', 1007, [closing(1000, Buffer.from([0xff, 0xfe]))]],
  ['a length of 2^63', 1002, [frame(TEXT, 'x', { length: 2n ** 63n })]],
  ['a length of 2^64 - 1', 1002, [frame(TEXT, 'x', { length: 2n ** 64n - 1n })]],
  ['a length of 2^62, and as much of it as the server takes', 1009, [frame(TEXT, 'x'.repeat(17000), { length: 2n ** 62n })]],
  ['a message without a mask', 1002, [frame(TEXT, ping, { mask: false })]],
  ['a ping without a mask', 1002, [frame(PING, 'x', { mask: false })]],
  ['a close frame without a mask', 1002, [frame(CLOSE, '', { mask: false })]],
  ['an empty message without a mask', 1002, [frame(TEXT, '', { mask: false })]],
  ['a second piece without a mask', 1002, [frame(TEXT, '{"type"', { fin: false }), frame(CONTINUATION, ':"ping"}', { mask: false })]],
  ['a ping that says it is compressed', 1002, [frame(PING, 'x', { rsv: 4 })], DEFLATE],
  ['a second piece that says it is compressed', 1002,
    [frame(TEXT, '{"type"', { fin: false }), frame(CONTINUATION, ':"ping"}', { rsv: 4 })], DEFLATE],
  ['a compressed message to somebody who did not agree on it', 1002, [frame(TEXT, deflateRawSync(ping), { rsv: 4 })]],
  ['garbage that claims to be deflate', 1007, [frame(TEXT, Buffer.alloc(40, 0xff), { rsv: 4 })], DEFLATE],
  ['more pings in a second than anybody needs', 4029, Array.from({ length: 200 }, () => frame(PING, 'x'))],
  ['a message that is too big', 1009, [frame(TEXT, 'x'.repeat(16385))]],
  ['a message that is too big by its second piece', 1009,
    [frame(TEXT, 'x'.repeat(16000), { fin: false }), frame(CONTINUATION, 'x'.repeat(385), { fin: false })]],
  ['a binary message', 1003, [frame(BINARY, 'x')]],
  ['an empty binary message', 1003, [frame(BINARY, '')]],
  ['bytes that are not UTF-8', 1007, [frame(TEXT, Buffer.from([0x22, 0xff, 0x22]))]],
  ['UTF-8 of a surrogate', 1007, [frame(TEXT, Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))]],
  ['a sequence of UTF-8 that the fragment cuts, and that never ends', 1007,
    [frame(TEXT, Buffer.from([0x22, 0xe2, 0x82]), { fin: false }), frame(CONTINUATION, '"')]],
  ['an empty message', 4000, [frame(TEXT, '')]],
  ['a length written longer than it needs to be', 4000, [Buffer.from([0x81, 0xfe, 0, 1, 0, 0, 0, 0, 0x78])]],
];

test('frames that RFC 6455 forbids end the connection with the right code, and nobody else\'s', async (t) => {
  const { stage, isUnhurt } = await withNeighbour(t);
  for (const [name, code, bytes, lines] of breaches) {
    const raw = await open(stage, t, lines);
    raw.send(...bytes);
    const close = await raw.saw((f) => f.opcode === CLOSE, `the close frame after ${name}`);
    raw.send(frame(CLOSE, close.payload)); // the handshake's other half
    assert.equal(await raw.ends(), code, name);
    await isUnhurt();
  }
  await stage.metric('newswire_readers').becomes(1);
});

test('what breaks RFC 6455 breaks it at every address', async (t) => {
  const { stage, isUnhurt } = await withNeighbour(t);
  for (const path of ['/v1/publish', '/connection/websocket'])
    for (const [name, code, bytes, lines] of breaches.filter(([, code, , lines]) => code === 1002 && !lines)) {
      const raw = new Raw(stage);
      t.after(() => raw.socket.destroy());
      raw.send(handshake({}, path));
      await until(() => raw.head?.startsWith('HTTP/1.1 101'), `a WebSocket at ${path}`);
      raw.send(...bytes);
      await raw.saw((f) => f.opcode === CLOSE, `the close frame of ${path} after ${name}`);
      assert.equal(await raw.ends(), code, `${path}: ${name}`);
    }
  await isUnhurt();
  await stage.metric('newswire_readers').becomes(1);
  await stage.metric('newswire_tools').becomes(0);
});

test('frames that come in the smallest pieces break it just as well', async (t) => {
  const { stage, isUnhurt } = await withNeighbour(t);
  for (const [name, code, bytes] of breaches.filter(([, code, bytes, lines]) => code === 1002 && !lines && bytes.length === 1)) {
    const raw = await open(stage, t);
    for (const byte of bytes[0]) {
      if (raw.closeFrame || raw.ended) break;
      raw.send([byte]);
      await new Promise((go) => setImmediate(go));
    }
    assert.equal(await raw.ends(), code, name);
  }
  await isUnhurt();
});

test('whoever does not answer a close frame is hung up on all the same, and hears nothing after it', async (t) => {
  const { stage, isUnhurt } = await withNeighbour(t, { tick: '1s' });
  const rude = [await open(stage, t), await open(stage, t)];
  rude[0].send(frame(3, 'x'));
  rude[1].send(frame(TEXT, 'x'));
  for (const raw of rude) await raw.saw((f) => f.opcode === CLOSE, 'the close frame');
  await isUnhurt();
  await until(() => rude.every((raw) => raw.ended), 'both ends');
  for (const raw of rude) assert.equal(raw.frames.at(-1).opcode, CLOSE, raw.told());
  await stage.metric('newswire_parting_connections').becomes(0);
  await stage.metric('newswire_readers').becomes(1);
});

test('whoever never hangs up after a close frame is waited for a few seconds, and may say what he likes', async (t) => {
  const { stage, isUnhurt } = await withNeighbour(t);
  const raw = await open(stage, t);
  raw.socket.removeAllListeners('end'); // its side stays open
  raw.send(frame(3, 'x'));
  await raw.saw((f) => f.opcode === CLOSE, 'the close frame');
  await stage.metric('newswire_parting_connections').becomes(1);
  await stage.metric('newswire_readers').becomes(1);
  raw.send(frame(TEXT, ping), frame(PING, 'x'));
  await isUnhurt();
  assert.equal(raw.frames.at(-1).opcode, CLOSE, raw.told());
  await stage.metric('newswire_parting_connections').becomes(0);
});

test('the closing handshake: the code comes back; one that may not be sent is answered with 1002', async (t) => {
  const { stage, isUnhurt } = await withNeighbour(t);
  for (const [sent, answered] of [[1000, 1000], [1001, 1001], [3000, 3000], [4999, 4999],
    [999, 1002], [1004, 1002], [1005, 1002], [1006, 1002], [1015, 1002], [2999, 1002]]) {
    const raw = await open(stage, t);
    raw.send(closing(sent, 'bye'));
    assert.equal(await raw.ends(), answered, `after ${sent}`);
  }
  for (const bytes of [frame(CLOSE, ''), closing(1000, 'r'.repeat(123))]) {
    const raw = await open(stage, t);
    raw.send(bytes);
    await raw.ends();
    assert.ok(raw.closeFrame, 'a close frame is answered with one');
  }
  const last = await open(stage, t);
  last.send(closing(1000), frame(TEXT, ping), frame(PING, 'x'));
  assert.equal(await last.ends(), 1000, 'also where more follows the close frame');
  await isUnhurt();
});

test('a ping is answered by a pong with the same payload, also between the pieces of a message', async (t) => {
  const { stage, isUnhurt } = await withNeighbour(t);
  const raw = await open(stage, t);
  for (const payload of ['', 'x', 'тик', 'x'.repeat(125)]) {
    raw.send(frame(PING, payload));
    await raw.saw((f) => f.opcode === PONG && f.payload.toString() === payload, `a pong of ${payload.length}`);
  }
  raw.send(frame(PONG, 'nobody asked'));
  raw.send(frame(TEXT, '{"type":"subscribe","ref":', { fin: false }), frame(PING, 'between'), frame(CONTINUATION, '7,"channels":["world"]}'));
  await raw.saw((f) => f.opcode === PONG && f.payload.toString() === 'between', 'the pong between');
  await raw.saw((f) => f.opcode === TEXT && f.payload.includes('"type":"subscribed","ref":7'), 'subscribed');
  for (const f of raw.frames) assert.ok(f.fin && f.rsv === 0, 'the server neither fragments nor sets reserved bits');
  await isUnhurt();
});

test('a message in many pieces is one message, wherever it is cut', async (t) => {
  const { stage, isUnhurt } = await withNeighbour(t);
  const raw = await open(stage, t);
  const subscribed = (ref) => raw.saw((f) => f.opcode === TEXT && JSON.parse(f.payload).ref === ref, `subscribed ${ref}`);
  const message = (ref) => Buffer.from(JSON.stringify({ type: 'subscribe', ref, channels: ['world'], note: 'Ліхтарі' }));

  const bytes = [...message('single')];
  raw.send(...bytes.map((byte, i) => frame(i === 0 ? TEXT : CONTINUATION, [byte], { fin: i === bytes.length - 1 })));
  await subscribed('single'); // every byte a frame: also in the middle of a letter
  raw.send(frame(TEXT, '', { fin: false }), frame(CONTINUATION, message('empty first')));
  await subscribed('empty first');
  raw.send(frame(TEXT, message('empty last'), { fin: false }), frame(CONTINUATION, '', { fin: false }), frame(CONTINUATION, ''));
  await subscribed('empty last');
  for (const byte of Buffer.concat([frame(TEXT, message('trickle'))])) {
    raw.send([byte]); // every byte its own write, the header's too
    await new Promise((go) => setImmediate(go));
  }
  await subscribed('trickle');
  const largest = message('full').toString().replace('Ліхтарі', 'n'.repeat(16384 - message('full').length + 14));
  assert.equal(largest.length, 16384); // the most that is allowed, and three more in the same segment
  raw.send(...[largest, message('a'), message('b'), message('c')].map((m) => frame(TEXT, m)));
  for (const ref of ['full', 'a', 'b', 'c']) await subscribed(ref);
  await isUnhurt();
});

test('a handshake that is not one is refused, and says why where it can', async (t) => {
  const { stage, isUnhurt } = await withNeighbour(t);
  for (const [name, lines, pattern] of [
    ['another protocol', { 'Sec-WebSocket-Protocol': 'graphql-ws' }, /^HTTP\/1.1 400 [^]*bad_protocol/],
    ['h2c', { Upgrade: 'h2c' }, /^HTTP\/1.1 426 [^]*upgrade: websocket[^]*upgrade_required/],
    ['no key', { 'Sec-WebSocket-Key': null }, /^HTTP\/1.1 400 [^]*bad_handshake/],
    ['a key that is too short', { 'Sec-WebSocket-Key': 'dGhl' }, /^HTTP\/1.1 400 [^]*bad_handshake/],
    ['a key that is not base64', { 'Sec-WebSocket-Key': '?GhlIHNhbXBsZSBub25jZQ==' }, /^HTTP\/1.1 400 [^]*bad_handshake/],
    ['no word of an upgrade', { Connection: 'close' }, /^HTTP\/1.1 400 [^]*bad_handshake/],
    ['another version', { 'Sec-WebSocket-Version': '8' }, /^HTTP\/1.1 426 [^]*sec-websocket-version: 13[^]*bad_version/],
    ['no version', { 'Sec-WebSocket-Version': null }, /^HTTP\/1.1 426 [^]*bad_version/],
  ]) {
    const raw = new Raw(stage);
    t.after(() => raw.socket.destroy());
    raw.send(handshake(lines));
    await until(() => raw.ended || raw.head?.startsWith('HTTP/1.1 101'), `the end of a handshake with ${name}`);
    assert.match(`${raw.head ?? ''}${raw.bytes}`, pattern, name);
  }
  const good = await open(stage, t);
  const accept = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  assert.match(good.head, new RegExp(`sec-websocket-accept: ${accept.replaceAll('+', '\\+')}`, 'i'));
  assert.match(good.head, /sec-websocket-protocol: newswire\.v1/i);
  await isUnhurt();
});

/** Clock ticks (10 ms of CPU) that a process has used. */
const cpu = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
  return Number(fields[11]) + Number(fields[12]);
};

test('ten seconds of garbage: the worker lives, and rests afterwards', async (t) => {
  const { stage, isUnhurt } = await withNeighbour(t);
  const seed = randomBytes(4).readUInt32LE();
  t.diagnostic(`seed ${seed}`);
  let state = seed;
  const random = (n) => { // xorshift: the same garbage for the same seed
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
  const noise = (n) => Buffer.from(Array.from({ length: n }, () => random(256)));
  const scribble = (bytes) => {
    const copy = Buffer.from(bytes);
    for (let i = 0; i <= random(8); i++) copy[random(copy.length)] = random(256);
    return copy;
  };
  const posting = `POST /v1/items HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n${'{'.repeat(500)}`;
  const attacks = [
    () => [noise(1 + random(2000))],
    () => [handshake().slice(0, random(handshake().length))],
    () => [scribble(handshake())],
    () => [scribble(posting)],
    () => [posting.slice(0, random(posting.length))],
    () => [handshake(), noise(1 + random(500))],
    () => [handshake(), scribble(frame(TEXT, '{"type":"subscribe","channels":["world"],"ref":1}'))],
    () => [handshake(), ...Array.from({ length: 20 }, () => frame(random(16), noise(random(130)), { fin: random(2) === 1 }))],
    () => [handshake(), frame(random(3), noise(random(300)), { length: BigInt(random(4294967296)) << BigInt(random(32)) })],
  ];
  const endings = [(s) => s.destroy(), (s) => (stage.isSealed ? s.destroy() : s.resetAndDestroy()), (s) => s.end(), () => {}];
  const left = new Set();
  let count = 0;
  const attack = () => new Promise((done) => {
    const socket = stage.dial({}, () => {
      for (const part of attacks[count++ % attacks.length]()) socket.write(part);
      setTimeout(() => {
        endings[left.size < 60 ? random(4) : random(2)](socket);
        if (socket.destroyed) left.delete(socket);
        done();
      }, random(20));
    });
    left.add(socket);
    socket.on('close', () => { left.delete(socket); done(); });
    socket.on('error', () => {});
    socket.resume();
  });
  t.after(() => { for (const socket of left) socket.destroy(); });
  const end = Date.now() + 10000;
  await Promise.all(Array.from({ length: 20 }, async () => {
    while (Date.now() < end) await attack();
  }));
  assert.ok(count > (stage.isSealed ? 200 : 500), `${count} attacks`); // handshakes take their time
  await isUnhurt();
  // Some are still connected: half-open, half a request, half a frame. None of them may keep the worker busy.
  const [pid] = await stage.workers();
  await until(async () => {
    const before = cpu(pid);
    await new Promise((go) => setTimeout(go, 1000)); // a second is what is measured
    return cpu(pid) - before <= 5;
  }, 'a second with at most 50 ms of CPU');
  for (const socket of left) socket.destroy();
  await stage.metric('newswire_readers').becomes(1);
  await isUnhurt();
});
