#!/usr/bin/env node
// connection.mjs - hostile conversations with a running newswired, over real sockets; by a seed, so that they can be had again.
//
//   tests/fuzz/connection.mjs [--seconds N] [--seed S] [--only NAME]      NEWSWIRE_BUILD says which newswired (build/asan by ./dev fuzz connection)
//
// Many talk at once, each in one of the ways below, cut into pieces anywhere. Meanwhile and afterwards must hold:
//   the workers are those of the beginning, and no sanitizer has said anything
//   /healthz answers within a bound, all the time
//   honest readers of the same worker get every post once, in order
//   whoever has said his piece and closed his half is hung up on within a bound
//   descriptors are as many as at first
import { readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { seeded } from '../chaos/seeded.mjs';
import { readOptions, refuse } from '../options.mjs';
import { closing, frame, handshake } from '../scenario/raw.mjs';
import { Stage, item, until } from '../scenario/stage.mjs';

const HELP = `usage: ./dev fuzz connection [--seconds N] [--seed S] [--only NAME]

Hostile conversations with a running newswired, while honest readers read on.
  --seconds N   how long (30)
  --seed S      the same seed, the same conversations (from the date)
  --only NAME   only in this one of the ways
`;
const { values: { seconds, seed, only } } = readOptions('fuzz', HELP, {
  seconds: { type: 'number', default: 30, least: 1 }, seed: { type: 'number', default: Date.now() % 1e9, whole: true }, only: { type: 'string' } });
const AT_ONCE = 24, QUIET_MS = 150, END_MS = 20000, HEALTH_MS = 5000;

const random = seeded(seed);
const upto = (n) => Math.floor(random() * n);
const one = (list) => list[upto(list.length)];
const noise = (n) => Buffer.from(Array.from({ length: upto(n) + 1 }, () => upto(256)));

// ---- what is said ---------------------------------------------------------------------------------------------------

const paths = ['/v1/stream?channels=world', '/v1/feed?channels=world', '/v1/items/urn:x', '/healthz', '/metrics', '/', '/v1/publish', '/connection/websocket', '/nothing', '/v1/channels', '/feed.atom',
  '/v1/items', '/v1/audit', '/openapi.json'];
const absurd = ['X-A: 1', 'X: ', 'Content-Length: 5', 'Content-Length: -1', 'Content-Length: 5\r\nContent-Length: 6', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked, identity', 'Expect: 100-continue',
  'Expect: 200-maybe', 'Connection: close, upgrade', 'Connection: keep-alive', 'Upgrade: h2c', 'Upgrade: websocket', 'Host: ', 'Host: a\r\nHost: b', 'Accept: text/event-stream', 'Last-Event-ID: x:1-1',
  'Accept-Encoding: gzip;q=9, *;q=0', 'Range: bytes=0-', ' folded: x', 'no colon at all', ': nameless', `Cookie: ${'a=b; '.repeat(700)}`, `${'H'.repeat(300)}: v`, 'If-None-Match: *', 'Origin: null',
  'Authorization: Bearer ', 'Idempotency-Key: \x7f', 'Sec-WebSocket-Extensions: permessage-deflate; x=";', 'Sec-WebSocket-Key: short', 'Sec-WebSocket-Version: 12', 'PROXY TCP4 1.1.1.1 2.2.2.2 1 2'];
const head = (method, target, lines = []) => `${method} ${target} HTTP/1.1\r\n${['Host: x', ...lines].map((l) => `${l}\r\n`).join('')}\r\n`;
const someLines = () => Array.from({ length: upto(4) }, () => one(absurd));
const ping = '{"type":"ping"}';
const messages = [ping, '{"type":"subscribe","ref":1,"channels":["sport"]}', '{', '[]', '{"type":"subscribe","channels":"*"}', '{"id":1,"connect":{}}', '{"id":2,"subscribe":{"channel":"world"}}', 'x'.repeat(17000), '',
  '{"type":"auth","key":"x"}'];
function someFrame() {
  const options = { fin: random() < 0.8, rsv: random() < 0.1 ? upto(8) : 0, mask: random() < 0.93 };
  if (random() < 0.08) options.length = one([0n, 125n, 126n, 65535n, 65536n, 1n << 31n, 1n << 63n, (1n << 64n) - 1n]);
  return one([() => frame(1, one(messages), options), () => frame(0, one(messages), options), () => frame(2, noise(40), options), () => frame(upto(16), noise(150), options),
    () => closing(one([999, 1000, 1001, 1005, 1006, 3000, 4999, 65535]), one(['', 'bye', '\xff'])), () => frame(9, noise(130), options), () => frame(1, deflateRawSync(one(messages)), { ...options, rsv: 4 }), () => noise(60)])();
}
const frames = () => Buffer.concat(Array.from({ length: upto(12) + 1 }, someFrame));
const offer = () => (random() < 0.4 ? { 'Sec-WebSocket-Extensions': one(['permessage-deflate', 'permessage-deflate; server_no_context_takeover', 'permessage-deflate; client_max_window_bits=99']) } : {});
const b = (...parts) => Buffer.concat(parts.map((p) => (typeof p === 'string' ? Buffer.from(p, 'latin1') : p)));

const ways = {
  'a request': () => b(head(one(['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PUT', 'TRACE', 'get', 'BREW']), one(paths), someLines())),
  'pipelined': () => b(...Array.from({ length: upto(6) + 2 }, () => head('GET', one(paths), someLines()))),
  'a body behind a request': () => b(head('GET', '/healthz', ['Connection: keep-alive']), head('POST', '/v1/items?channels=world', ['Content-Length: 5']), 'hello', head('GET', '/healthz')),
  'bodies': () => b(head('POST', '/v1/items', [one(absurd), `Content-Length: ${upto(40)}`]), noise(60), head('GET', '/healthz')),
  'chunks': () => b(head('POST', '/v1/items', ['Transfer-Encoding: chunked', ...someLines()]), one(['5\r\nhello\r\n0\r\n\r\n', 'ffffffffffffffff\r\n', '-1\r\n', '5;x=y\r\nhello', 'zz\r\n']), head('GET', '/admin')),
  'an absolute target': () => b(head(one(['GET', 'POST', 'CONNECT']), one(['http://x/healthz', 'http://', '*', 'x:80', 'http://a@b:99999/healthz', '//healthz', 'http://x/v1/feed?channels=world'])), head('GET', '/healthz')),
  'a NUL and others in the target': () => b(head('GET', `/v1/feed?channels=${one(['%00', '%', '%zz', '%2', '%c0%af', 'a%00b', '\x00', '\x80', '%0d%0aX:%20y'])}&limit=${one(['%00', '1', '-1'])}`)),
  'too long': () => b('GET /', one(['a', '%41', '../', '?a=b&']).repeat(upto(20000)), ' HTTP/1.1\r\nHost: x\r\n', `${'Y: z\r\n'.repeat(upto(2000))}\r\n`),
  'garbage': () => b(one(['', 'GET ', 'GET / HTTP/9.9\r\n', '\x16\x03\x01\x02\x00\x01\x00', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\r\n\r\n\r\n']), noise(400)),
  'expecting': () => b(head('POST', '/v1/items?channels=world', ['Expect: 100-continue', 'Content-Length: 2']), '{}'),
  'frames at once': () => b(handshake(offer(), one(['/v1/stream?channels=world', '/v1/publish', '/connection/websocket'])), frames()),
  'frames later': () => [b(handshake(offer(), one(['/v1/stream?channels=world', '/v1/publish', '/connection/websocket']))), frames(), frames()],
  'an upgrade of the wrong address': () => b(handshake(offer(), one(['/healthz', '/nothing', '/v1/items', '/', '/v1/stream?channels=%00', '/v1/stream?since=x'])), frames()),
  'a bad upgrade': () => b(handshake({ ...offer(), [one(['Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Connection', 'Upgrade', 'Host', 'Sec-WebSocket-Protocol'])]: one([null, 'x', '', '13', 'newswire.v9']) }), frames()),
  'events': () => [b(head('GET', '/v1/stream?channels=world', ['Accept: text/event-stream', ...someLines()])), one([noise(50), b('x'.repeat(5000)), b(head('GET', '/healthz'))])],
  'slowly': () => Array.from(head('GET', '/healthz', ['X-A: 1']).slice(0, upto(40) + 5), (c) => b(c)),
};

// ---- saying it ------------------------------------------------------------------------------------------------------

/** Cuts it anywhere, sometimes at every byte. */
function pieces(bytes) {
  const step = one([1, 2, 7, 60, 1000, 1e9, 1e9]);
  if (step < 60 && bytes.length > 600) return [bytes];
  const out = [];
  for (let at = 0; at < bytes.length;) { const end = at + (step === 1 ? 1 : upto(step) + 1); out.push(bytes.subarray(at, end)); at = end; }
  return out;
}

/** One conversation. Resolves with how long the server took to end it after our half was closed; -1: never. */
function converse(port, said, cut) {
  return new Promise((done) => {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    let timer, ended = false, closedAt = 0;
    const over = (took) => { if (ended) return; ended = true; clearTimeout(timer); socket.destroy(); done(took); };
    socket.on('data', () => {});
    socket.on('error', () => over(0));
    socket.on('end', () => over(closedAt ? Date.now() - closedAt : 0));
    socket.on('close', () => over(0));
    const next = () => {
      if (ended) return;
      const piece = said.shift();
      if (piece !== undefined) { socket.write(piece, () => (said.length % 16 ? setImmediate(next) : setTimeout(next, 1))); return; }
      if (cut) { socket.resetAndDestroy ? socket.resetAndDestroy() : socket.destroy(); over(0); return; }
      timer = setTimeout(() => { closedAt = Date.now(); socket.end(); timer = setTimeout(() => over(-1), END_MS); }, QUIET_MS);
    };
    socket.on('connect', next);
  });
}

const workerFds = (pids) => pids.reduce((n, pid) => n + readdirSync(`/proc/${pid}/fd`).length, 0);
const memory = (pids) => pids.reduce((n, pid) => n + Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]), 0) >> 10;

if (only && !(only in ways)) refuse('fuzz', `--only is one of ${Object.keys(ways).join(', ')}, not "${only}"`);

async function main(t) {
  const names = Object.keys(ways).filter((name) => !only || name === only);
  const stage = await Stage.open(t, { workers: 1, tick: '1s' });
  const readers = [await stage.reader({ channels: ['world'] }), await stage.reader({ channels: ['world'] })];
  const pids = await stage.workers(), port = stage.state.port;
  await stage.metric('newswire_canary_seconds_count').reaches(1); // the worker's connection to itself is there
  const fds = workerFds(pids), before = memory(pids);
  const counts = Object.fromEntries(names.map((name) => [name, { n: 0, longest: 0 }]));
  const faults = [];
  const end = Date.now() + seconds * 1000;
  let published = 0, health = 0;

  const talk = async () => {
    while (Date.now() < end && faults.length < 5) {
      const name = one(names);
      const said = [ways[name]()].flat().flatMap(pieces), whole = Buffer.concat(said.map((piece) => Buffer.from(piece)));
      const took = await converse(port, said, random() < 0.25);
      counts[name].n += 1;
      counts[name].longest = Math.max(counts[name].longest, took);
      if (took < 0) faults.push(`"${name}" was not hung up on within ${END_MS} ms: ${JSON.stringify(whole.toString('latin1', 0, 600))}`);
    }
  };
  const watch = async () => {
    while (Date.now() < end) {
      const began = Date.now();
      const ok = await fetch(`${stage.url}/healthz`, { signal: AbortSignal.timeout(HEALTH_MS) }).then((r) => r.status === 200, () => false);
      health = Math.max(health, Date.now() - began);
      if (!ok) { faults.push(`/healthz did not answer within ${HEALTH_MS} ms`); return; }
      await stage.publish(item(), 'world');
      published += 1;
      await new Promise((go) => setTimeout(go, 200));
    }
  };
  await Promise.all([watch(), ...Array.from({ length: AT_ONCE }, talk)]);
  const check = async (what) => { await what().catch((error) => faults.push(error.message)); };
  for (const reader of readers) await check(() => reader.hasRead(published));
  for (const reader of readers) {
    const ids = reader.posts.map((p) => p.item.uri);
    if (new Set(ids).size !== ids.length) faults.push('a reader got a post twice');
    const times = reader.posts.map((p) => p.item.versionCreated);
    if (String(times) !== String([...times].sort())) faults.push('a reader got posts out of order');
  }
  if (String(await stage.workers()) !== String(pids)) faults.push('a worker died');
  else await check(() => until(() => workerFds(pids) <= fds, `as many descriptors as at first (${fds}, now ${workerFds(pids)})`, 30000));
  console.log(`${'conversation'.padEnd(34)} ${'count'.padStart(7)} ${'longest end'.padStart(12)}`);
  for (const [name, { n, longest }] of Object.entries(counts)) console.log(`${name.padEnd(34)} ${String(n).padStart(7)} ${String(longest).padStart(9)} ms`);
  console.log(`${published} posts to ${readers.length} honest readers; /healthz at most ${health} ms; memory ${before} MB at first, ${faults.some((f) => /died/.test(f)) ? '?' : memory(pids)} MB at the end`);
  return faults;
}

console.log(`seed ${seed}`);
const after = [];
let faults;
try {
  faults = await main({ after: (f) => after.unshift(f) });
} catch (error) {
  faults = [error.stack];
}
for (const f of after) await f().catch((error) => faults.push(error.message));
for (const fault of faults) console.log(`FAULT: ${fault}\n  again: tests/fuzz/connection.mjs --seconds ${seconds} --seed ${seed}`);
console.log(`${faults.length ? 0 : 1} passed, ${faults.length ? 1 : 0} failed`);
process.exit(faults.length ? 1 : 0);
