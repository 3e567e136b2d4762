// The goal: whatever answers in the place of newswired, a program with the SDK never breaks: it says so in plain words, comes back
// less and less often, and has every good post once.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import test, { after, before } from 'node:test';
import WebSocket, { Receiver } from 'ws';
import { connect, fetchFeed, follow, publisher } from '../../clients/web/sdk/newswire.js';
import { launch } from './clients.mjs';
import { BINARY, CLOSE, TEXT, frame } from './raw.mjs';
import { until } from './stage.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

// --- the server ---------------------------------------------------------------------------------------------------------------

const say = (socket, message) => socket.write(frame(TEXT, typeof message === 'string' ? message : JSON.stringify(message), { mask: false }));
const hello = (socket, more = {}) => say(socket, { type: 'hello', cursor: 'e:1-0', resumed: true, tick: 1, ...more });
const post = (n, more = {}) => ({ type: 'post', cursor: `e:${n}-0`, action: 'publish', item: { uri: `urn:${n}`, version: '1', headlines: [{ value: String(n) }] }, ...more });
const close = (socket, code, reason = '') => socket.end(frame(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]), { mask: false }));
const html = '<!doctype html><h1>Welcome to the airport</h1>';

/** Answers as it is told: onUpgrade(socket, accept, n, request) and onRequest(response, request, n). */
async function liar(t, { onUpgrade = (socket) => socket.destroy(), onRequest = (response) => response.writeHead(500, { 'content-type': 'text/html' }).end(html) } = {}) {
  const sockets = new Set();
  const server = http.createServer((request, response) => onRequest(response, request, ++server.requests));
  Object.assign(server, { requests: 0, upgrades: 0 });
  server.on('connection', (socket) => { sockets.add(socket); socket.on('close', () => sockets.delete(socket)); socket.on('error', () => {}); });
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => {});
    const key = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    const accept = () => socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\nSec-WebSocket-Protocol: newswire.v1\r\n\r\n`);
    onUpgrade(socket, accept, ++server.upgrades, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { for (const socket of sockets) socket.destroy(); server.close(); });
  server.url = `http://127.0.0.1:${server.address().port}`;
  return server;
}

/** A wire that hurries: a tenth of what others wait. */
function listen(t, url, options = {}) {
  const wire = connect({ url, since: 'e:1-0', WebSocket, random: () => 0.1, ...options });
  t.after(() => wire.close());
  Object.assign(wire, { seen: [], gaps: 0, errors: [], waits: [] });
  wire.addEventListener('post', ({ detail }) => wire.seen.push(detail.item?.headlines[0].value));
  wire.addEventListener('gap', () => wire.gaps++);
  wire.addEventListener('error', ({ detail }) => wire.errors.push(detail));
  wire.addEventListener('status', ({ detail }) => { if (detail.state === 'waiting') wire.waits.push(detail.retry); });
  return wire;
}

/** Errors are for people: whole sentences without the words of machines. */
function plain(errors) {
  for (const { message, code } of errors) {
    assert.match(message, /^[A-Z].*\.$|^[a-z_]+$/, message);
    assert.match(code, /^\w+$/);
    assert.doesNotMatch(message, /undefined|null|object|Error/, message);
  }
}

// --- lies over WebSocket ------------------------------------------------------------------------------------------------------

/** What is said instead of a handshake, or behind one. */
const lies = {
  'a page of HTML': (socket) => socket.end(`HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${html.length}\r\n\r\n${html}`),
  'a 500': (socket) => socket.end('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n'),
  'a redirect': (socket) => socket.end('HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n'),
  'a redirect to itself': (socket) => socket.end('HTTP/1.1 307 Temporary Redirect\r\nLocation: /v1/stream\r\nContent-Length: 0\r\n\r\n'),
  'another protocol': (socket) => socket.end('SSH-2.0-OpenSSH_9.2p1\r\n'),
  'nothing, and a hang-up': (socket) => socket.destroy(),
  'half a handshake, and a hang-up': (socket) => { socket.end('HTTP/1.1 101 Switching Pro'); },
  'a wrong key': (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: bm8=\r\n\r\n'),
  'no JSON': (socket, accept) => { accept(); hello(socket); for (const text of ['{"type":', '', html, 'null', '[]', '7', '"post"', '{"type":7}', '{}']) say(socket, text); close(socket, 1000); },
  'posts that make no sense': (socket, accept) => {
    accept();
    hello(socket);
    for (const more of [{ action: undefined }, { action: 7 }, { item: [] }, { item: 'text' }, { item: null }, { item: {} }, { item: { uri: 7 } }, { cursor: 7 }, { cursor: {} },
      { cursor: 'x'.repeat(65) }, { cursor: '' }]) say(socket, post(2, more));
    say(socket, { type: 'gap' });
    say(socket, { type: 'tick', cursor: [] });
    say(socket, { type: 'subscribed' });
    say(socket, { type: 'readers', channels: null });
    say(socket, { type: 'error' });
    close(socket, 1011);
  },
  'posts before hello': (socket, accept) => { accept(); say(socket, post(9)); say(socket, { type: 'gap', cursor: 'e:9-0' }); close(socket, 1000); },
  'a hello that makes no sense': (socket, accept) => { accept(); say(socket, { type: 'hello', cursor: { a: 1 }, resumed: 'yes', tick: -1 }); close(socket, 1000); },
  'a tick of a thousand years': (socket, accept) => { accept(); hello(socket, { tick: 1e300 }); close(socket, 1000); },
  'hello again and again': (socket, accept) => { accept(); for (let n = 0; n < 50; n++) hello(socket, { cursor: `e:${n}-0` }); close(socket, 1000); },
  'bytes': (socket, accept) => { accept(); hello(socket); socket.write(frame(BINARY, Buffer.from([0, 255, 1]), { mask: false })); close(socket, 1000); },
  'no UTF-8': (socket, accept) => { accept(); hello(socket); socket.write(frame(TEXT, Buffer.from([0xc3, 0x28]), { mask: false })); },
  'a frame with a mask': (socket, accept) => { accept(); socket.write(frame(TEXT, '{"type":"hello"}')); },
  'reserved bits': (socket, accept) => { accept(); hello(socket); socket.write(frame(TEXT, '{}', { mask: false, rsv: 7 })); },
  'half a frame, and silence': (socket, accept) => { accept(); hello(socket); socket.write(frame(TEXT, JSON.stringify(post(2)), { mask: false }).subarray(0, 40)); },
  'a message of 17 MiB': (socket, accept) => { accept(); hello(socket); say(socket, { ...post(2), fat: 'x'.repeat(17 << 20) }); close(socket, 1000); },
  'bye, come back at once': (socket, accept) => { accept(); hello(socket); say(socket, { type: 'bye', retry_ms: 0 }); close(socket, 1001); },
  'bye, come back tomorrow, in words': (socket, accept) => { accept(); hello(socket); say(socket, { type: 'bye', retry_ms: 'tomorrow' }); close(socket, 1001); },
  ...Object.fromEntries([1000, 1001, 1002, 1008, 1011, 1012, 1013, 3000, 4008, 4029, 4999].map((code) =>
    [`close ${code}`, (socket, accept) => { accept(); hello(socket); close(socket, code, 'so'); }])),
};

/** The truth: three posts, the second of them twice. */
function truth(socket, accept, request) {
  accept();
  hello(socket);
  const since = Number(/since=e%3A(\d+)/.exec(request.url)[1]);
  for (const n of [2, 3, 3, 2, 4]) if (n > since) say(socket, post(n));
}

for (const [what, lie] of Object.entries(lies))
  test(`${what}: it comes back, and has the good posts once`, async (t) => {
    const server = await liar(t, { onUpgrade: (socket, accept, n, request) => (n <= 2 ? lie(socket, accept) : truth(socket, accept, request)) });
    const wire = listen(t, server.url, { sse: false });
    await until(() => wire.seen.length >= 3, 'the good posts');
    assert.deepEqual(wire.seen, ['2', '3', '4']);
    assert.deepEqual([wire.cursor, wire.gaps, server.upgrades], ['e:4-0', 0, 3]);
    plain(wire.errors);
  });

for (const code of [1003, 1007, 1009, 4000, 4001, 4003])
  test(`close ${code} ends it, with an error that says so`, async (t) => {
    const server = await liar(t, { onUpgrade: (socket, accept) => { accept(); hello(socket); say(socket, post(2)); close(socket, code, 'why'); } });
    const wire = listen(t, server.url);
    await until(() => wire.status.state === 'closed', 'the end');
    assert.deepEqual(wire.seen, ['2']);
    assert.deepEqual(wire.errors.map((error) => [error.code, error.fatal]), [[`close_${code}`, true]]);
    assert.equal(server.upgrades, 1);
  });

test('a server that never gets better is asked less and less often', async (t) => {
  const all = Object.entries(lies).filter(([what]) => !/silence|MiB|close 1013|close 4029|wrong key/.test(what)).map(([, lie]) => lie);
  const server = await liar(t, { onUpgrade: (socket, accept, n) => all[n % all.length](socket, accept) });
  const wire = listen(t, server.url, { random: () => 0.05 });
  await until(() => wire.waits.length >= 8, 'eight attempts');
  for (const [n, wait] of wire.waits.entries()) assert.ok(wait >= Math.floor(0.05 * Math.min(30_000, 250 * 2 ** n)), `wait ${n} is ${wait} ms`);
  assert.ok(server.upgrades + server.requests <= wire.waits.length + 1, `${server.upgrades} + ${server.requests} requests for ${wire.waits.length} waits`);
});

test('posts of another history without a gap: a gap is made of it', async (t) => {
  const server = await liar(t, { onUpgrade: (socket, accept) => { accept(); hello(socket); say(socket, post(2)); say(socket, post(1, { cursor: 'f:1-0' })); say(socket, post(2, { cursor: 'f:2-0' })); } });
  const wire = listen(t, server.url);
  await until(() => wire.seen.length === 3, 'the posts');
  assert.deepEqual([wire.seen, wire.gaps, wire.cursor], [['2', '1', '2'], 1, 'f:2-0']);
});

// --- lies over HTTP -----------------------------------------------------------------------------------------------------------

const stream = (response) => response.writeHead(200, { 'content-type': 'text/event-stream' });
const event = (message) => `id: ${message.cursor}\nevent: ${message.type}\ndata: ${JSON.stringify(message)}\n\n`;
const greeting = event({ type: 'hello', cursor: 'e:1-0', resumed: true, tick: 1 });
const httpLies = {
  'a page of HTML': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end(html),
  'a page that calls itself a stream': (response) => stream(response).end(html),
  'a 404': (response) => response.writeHead(404).end('Not found'),
  'a 502': (response) => response.writeHead(502, { 'content-type': 'text/html' }).end(html),
  'a redirect': (response) => response.writeHead(302, { location: '/login' }).end(),
  'a redirect to itself': (response, request) => response.writeHead(302, { location: request.url }).end(),
  'a problem that is none': (response) => response.writeHead(400, { 'content-type': 'application/problem+json' }).end('["bad"]'),
  'events that make no sense': (response) => stream(response).end(`${greeting}data: {"type":\n\nid\n\nid: \n\ndata\n\n:\n\nevent: post\ndata: 7\n\ndata: a\ndata: b\n\n`),
  'half an event, and the end': (response) => stream(response).end(greeting + event(post(2)).slice(0, 60)),
  'half an event, and silence': (response) => stream(response).write(greeting + event(post(2)).slice(0, 60)),
  'a line of 17 MiB': (response) => stream(response).end(`${greeting}data: ${'x'.repeat(17 << 20)}\n\n`),
  'no gzip': (response) => response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }).end('this is no gzip'),
};

for (const [what, lie] of Object.entries(httpLies))
  test(`over events, ${what}: it comes back, and has the good posts once`, async (t) => {
    const server = await liar(t, { onRequest: (response, request) => {
      if (!request.url.startsWith('/v1/stream')) return response.writeHead(200, { 'content-type': 'text/html' }).end(html);
      server.streams = (server.streams ?? 0) + 1;
      if (server.streams <= 2) return lie(response, request);
      return stream(response).write(greeting + [2, 3, 3, 4].map((n) => event(post(n))).join(''));
    } });
    const wire = listen(t, server.url, { WebSocket: null });
    await until(() => wire.seen.length >= 3, 'the good posts');
    assert.deepEqual([wire.seen, wire.cursor, wire.gaps], [['2', '3', '4'], 'e:4-0', 0]);
    plain(wire.errors);
  });

const good = { items: [post(2, { cursor: undefined })], cursor: 'e:2-0' };
const json = (response, body, status = 200) => response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));

test('a feed that is none is asked for again, and is never taken for an empty one', async (t) => {
  const answers = [
    (response) => response.writeHead(200, { 'content-type': 'text/html' }).end(html), (response) => json(response, html, 500), (response) => json(response, { error: 'no' }, 404),
    (response) => json(response, []), (response) => json(response, 'null'), (response) => json(response, { items: {}, cursor: 'e:1-0' }), (response) => json(response, { items: [], cursor: 7 }),
    (response) => { response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 }).write('{"items":['); response.destroy(); }, (response) => response.destroy(),
    (response, request) => response.writeHead(302, { location: request.url }).end(),
  ];
  const server = await liar(t, {
    onUpgrade: (socket, accept) => { accept(); hello(socket, { cursor: 'e:2-0' }); say(socket, post(3)); },
    onRequest: (response, request, n) => (n <= answers.length - 1 ? answers[n - 1](response, request) : json(response, { ...good, before: 7 })),
  });
  const news = follow({ url: server.url, WebSocket, random: () => 0.005 });
  t.after(() => news.close());
  const errors = [];
  news.addEventListener('error', ({ detail }) => errors.push(detail));
  await news.ready;
  await until(() => news.store.size === 2, 'the list');
  assert.deepEqual([...news.store].map(({ uri }) => uri), ['urn:3', 'urn:2']);
  assert.equal(errors.length, answers.length - 1);
  assert.equal(news.hasOlder, false);
  plain(errors);
  const looped = await liar(t, { onRequest: answers.at(-1) });
  await assert.rejects(fetchFeed({ url: looped.url }), { name: 'NewswireError', fatal: false });
});

test('in a feed with nonsense among the stories the stories are shown', async (t) => {
  const items = [null, 7, 'text', [], {}, { type: 'post' }, { action: 'publish', item: [] }, { action: 'publish', item: { uri: '' } }, { action: 'dance', uri: 'urn:x' }, ...good.items];
  const server = await liar(t, { onRequest: (response) => json(response, { items, cursor: 'e:2-0' }) });
  const news = follow({ url: server.url, WebSocket: null });
  t.after(() => news.close());
  await news.ready;
  assert.deepEqual([...news.store].map(({ uri }) => uri), ['urn:2']);
});

test('a storm of gaps is no storm of questions for the feed', async (t) => {
  const server = await liar(t, {
    onUpgrade: (socket, accept) => { accept(); hello(socket, { cursor: 'e:2-0' }); for (let n = 3; n < 503; n++) say(socket, { type: 'gap', cursor: `e:${n}-0` }); say(socket, post(600)); },
    onRequest: (response, request) => json(response, { ...good, cursor: 'e:502-0' }),
  });
  const news = follow({ url: server.url, WebSocket, random: () => 0.2 });
  t.after(() => news.close());
  await until(() => news.store.get('urn:600') && server.requests >= 2, 'the last post, and the feed');
  await until(() => news.store.get('urn:2'), 'the list to be confirmed');
  assert.ok(server.requests <= 10, `${server.requests} requests for 500 gaps`);
});

// --- lies to who publishes ----------------------------------------------------------------------------------------------------

test('to a publisher: nothing but a receipt is a success, and each item gets one in the end', async (t) => {
  const welcome = (socket) => { say(socket, { type: 'hello', window: 2, max_item: 1000, tick: 1 }); say(socket, { type: 'authorized', ref: 'auth', publisher: 'desk', may: ['publish'] }); };
  const started = [
    lies['a page of HTML'], lies['no JSON'], (socket, accept) => { accept(); welcome(socket); close(socket, 1011); },
    (socket, accept) => { accept(); welcome(socket); for (const http of [undefined, 'fine', 500]) say(socket, { type: 'accepted', ref: 99, http, status: 'accepted' }); say(socket, { type: 'accepted', http: 201 }); close(socket, 1000); },
    (socket, accept) => { accept(); welcome(socket); socket.write(frame(TEXT, '{"type":"accepted","ref":1,"http":201}', { mask: false }).subarray(0, 20)); socket.end(); },
    (socket, accept) => { accept(); say(socket, { type: 'hello', window: -7, max_item: 'big', tick: 'x' }); close(socket, 1013); },
  ];
  const answered = [];
  const server = await liar(t, { onUpgrade: (socket, accept, n) => {
    if (n <= started.length) return started[n - 1](socket, accept);
    accept();
    welcome(socket);
    const peer = new Receiver({ isServer: true });
    peer.on('message', (data) => {
      const message = JSON.parse(data);
      if (message.type !== 'publish') return;
      answered.push(message.item.uri);
      say(socket, { type: 'accepted', ref: message.ref, http: 201, status: 'accepted', uri: message.item.uri });
      say(socket, { type: 'refused', ref: message.ref, http: 422, code: 'killed' }); // a second answer is none
    });
    socket.on('data', (data) => peer.write(data));
    return undefined;
  } });
  const desk = publisher({ url: server.url, key: 'k', WebSocket, random: () => 0.01 });
  t.after(() => desk.close());
  const receipts = await Promise.all(['urn:1', 'urn:2', 'urn:3'].map((uri) => desk.publish({ uri })));
  assert.deepEqual(receipts.map(({ http, uri }) => [http, uri]), [[201, 'urn:1'], [201, 'urn:2'], [201, 'urn:3']]);
  assert.deepEqual(answered, ['urn:1', 'urn:2', 'urn:3']);
});

// --- all of it, in a browser --------------------------------------------------------------------------------------------------

test('in a browser: through all the lies to the truth, without one error in the page', async (t) => {
  const all = Object.entries(lies).filter(([what]) => !/silence|close 1013|close 4029/.test(what)).map(([, lie]) => lie);
  const server = await liar(t, {
    onUpgrade: (socket, accept, n, request) => (n <= all.length ? all[n - 1](socket, accept) : truth(socket, accept, request)),
    onRequest: (response, request) => (request.url === '/' ? response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>t</title>') : response.writeHead(500).end(html)),
  });
  const page = await browser.newPage();
  t.after(() => page.close());
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(server.url);
  await page.addScriptTag({ type: 'module', content: await source() });
  await page.waitForFunction(() => globalThis.seen?.length >= 3, null, { timeout: 30_000 });
  assert.deepEqual(await page.evaluate(() => seen), ['2', '3', '4']);
  assert.deepEqual(errors, []);
  assert.equal(server.upgrades, all.length + 1);
  plain(await page.evaluate(() => said));
});

/** A page's script with the SDK in it, as one file. */
async function source() {
  const { execFileSync } = await import('node:child_process');
  const entry = new URL('../../clients/web/sdk/newswire.js', import.meta.url).pathname;
  return execFileSync('esbuild', ['--bundle', '--format=esm', '--log-level=error'], { encoding: 'utf8', input: `
    import { connect } from ${JSON.stringify(entry)};
    Object.assign(globalThis, { seen: [], said: [] });
    const wire = connect({ since: 'e:1-0', random: () => 0.0005, sse: false });
    wire.addEventListener('post', ({ detail }) => seen.push(detail.item?.headlines[0].value));
    wire.addEventListener('error', ({ detail }) => said.push({ message: detail.message, code: detail.code }));
  ` });
}
