// Bad input: each kind has its answer, its counter and its entry among the rejects; nobody else is hurt.
//
// Where each kind is proved (27: in a batch too; 37: the answer is as /openapi.json says):
//   a wrong key, none, in odd clothes            29 "who proves nothing learns nothing", here "posting needs the key"
//   a key without the permission                 29 "each permission is asked for by its name", 27 "a key may do in a batch …"
//   a wrong or replayed signature                41 "no signature, a wrong one …", "a signed body that somebody sends again"
//   a body shorter than its Content-Length       27 "a body shorter than its Content-Length is never taken"
//   a body in chunks, a length that is none      here "a body in chunks is 411"
//   10,000 items in one batch                    27 "10,000 items in one batch are refused with a number"
//   256 KiB and one byte                         here "one byte more than the limit"
//   10,000 levels, duplicate keys, NUL           here "what a publisher gets wrong", 27 "bad input inside a batch"
//   a version that is no number                  here "a version that is no number"
//   <script> in every field                      28, 27 "<script> in every field"
//   keys of another type planted in Redis        here "a key of ours that holds something else", 27 "without Redis a batch …"
//   too much at once: 429 and 503 busy           29 "a key that posts more than it may", 37 "too much, and nowhere to put it"
//   no key in a log line, whatever was tried     here "whatever is tried with whatever key"
// And of readers:
//   10,000 channels; a prefix that matches all   53 "what is too much for a subscription", "a prefix takes what begins with it"; 52
//   a URL of 64 KiB                              53, 52 "ten thousand channels and a URL of 64 KB"
//   an inflate bomb, garbage for deflate         54 "garbage, bombs and breaches"
//   a subscribe in a loop                        53 "what is too much for a subscription", 56 "limits: …"
//   one that never reads                         21 "a slow reader is bounded …", 52 "a client that never reads …", 54, 56, 58
//   one that asks on and never reads answers     here "who asks on and on"
//   a half-closed socket                         here "whoever closes his half", 52 "a client that closes its side"
//   HTTP/2, by upgrade and at once               here "HTTP/2 is not spoken", 31 "a handshake that is not one"
//   frames that RFC 6455 forbids                 31
//   commands of Centrifuge's that we have not    56 "what is not there is an error with its code"
import net from 'node:net';
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile as execFileWith } from 'node:child_process';
import { promisify } from 'node:util';
import { Stage, sample, item, until } from './stage.mjs';
import { changeKeys, keyOf, publisher, putKeys, superdeskSignature } from './keys.mjs';
import { Tool } from './tool.mjs';

const execFile = promisify(execFileWith);
const deep = (n) => '['.repeat(n) + ']'.repeat(n);
/** The end of a connection, by a reset too. */
const ends = (socket) => new Promise((done) => { socket.on('error', () => {}).on('end', done).on('close', done); });

const bad = [
  ['not_json', 400, 'this is not JSON'],
  ['not_json', 400, '{"uri":"urn:x:1","headlines":[{"value":"cut off"'],
  ['not_utf8', 400, Buffer.concat([Buffer.from('{"uri":"urn:x:2","headlines":[{"value":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}]}')])],
  ['too_large', 413, JSON.stringify({ uri: 'urn:x:3', headlines: [{ value: 'y'.repeat(256 * 1024) }] })],
  ['too_deep', 422, `{"uri":"urn:x:4","headlines":[{"value":"x"}],"deep":${deep(10000)}}`],
  ['wrong_type', 422, JSON.stringify({ uri: 'urn:x:5', headlines: 'not a list' })],
  ['duplicate_key', 422, '{"uri":"urn:x:6","uri":"urn:x:7","headlines":[{"value":"x"}]}'],
  ['bad_value', 422, JSON.stringify({ uri: 'urn:x:8', headlines: [{ value: 'x' }], urgency: 12 })],
  ['bad_value', 422, JSON.stringify({ uri: 'urn:x:9', headlines: [{ value: 'x' }], embargoedUntil: 'next Tuesday' })],
  ['empty', 422, JSON.stringify({ uri: 'urn:x:10', language: 'en' })],
];

test('what a publisher gets wrong is refused with a reason, by both ways in, and counted once', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const reader = await stage.reader();
  for (const [reason, status, body] of bad) {
    const answer = await stage.post(body, { channels: 'world' });
    assert.equal(answer.status, status, `${reason}: ${JSON.stringify(answer.body)}`);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    assert.equal(answer.body.code, reason);
    assert.ok(answer.body.detail.length > 10, answer.body.detail);
    const already = (await stage.rejects()).length;
    await stage.publish(body, 'sport');
    await until(async () => (await stage.rejects()).length > already, `a reject for ${reason}`);
    const newest = (await stage.rejects())[0];
    assert.equal(newest.reason, reason);
    assert.equal(newest.channel, 'sport');
  }
  // An array is a batch over HTTP, and by PUBLISH no item.
  assert.deepEqual((await stage.post('[[1,2,3],[],[{}]]', { channels: 'world' })).body.results.map((r) => r.code), Array(3).fill('wrong_type'));
  const before = (await stage.rejects()).length;
  await stage.publish('[1,2,3]', 'sport');
  await until(async () => (await stage.rejects()).length > before, 'a reject for the array');
  assert.deepEqual([(await stage.rejects())[0].reason, (await stage.rejects())[0].channel], ['wrong_type', 'sport']);
  await stage.publish(item(), 'Not A Channel');
  await stage.publish(item(), 'class:flash');
  await until(async () => (await stage.rejects()).filter((r) => r.reason === 'bad_channel').length === 2, 'two bad channels');
  assert.equal((await stage.post(item({ channels: ['class:flash'] }))).body.code, 'bad_channel');
  await reader.settled();
  assert.deepEqual(reader.posts, []);
  await stage.logged(/item_refused/);
  assert.equal(await stage.metric('newswire_rejects_total{reason="duplicate_key"}').read(), 2);
  assert.equal(await stage.redis.xlen('{newswire}:wire'), 0);
});

test('an item of exactly the limit is taken', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader();
  const text = JSON.stringify(item({ body: '' }));
  const full = JSON.parse(text);
  full.bodies = [{ value: '' }];
  full.bodies[0].value = 'x'.repeat(256 * 1024 - JSON.stringify(full).length);
  assert.equal(Buffer.byteLength(JSON.stringify(full)), 256 * 1024);
  assert.equal((await stage.post(full)).status, 201);
  assert.equal((await reader.hasRead(1))[0].item.bodies[0].value.length, full.bodies[0].value.length);
});

test('posting needs the key, a length and a body', async (t) => {
  const stage = await Stage.open(t);
  assert.equal((await stage.post(sample(1), { key: null })).status, 401);
  assert.equal((await stage.post(sample(1), { key: 'wrong' })).status, 401);
  assert.equal((await stage.post('', {})).status, 400);
  assert.ok(!stage.log.includes(stage.key));
  const raw = async (head, body = '') => {
    const socket = stage.dial();
    socket.write(head + body);
    let text = '';
    socket.on('data', (data) => { text += data; });
    await ends(socket);
    socket.destroy();
    return text;
  };
  const head = `POST /v1/items HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${stage.key}\r\n`;
  assert.match(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n`, '2\r\n{}\r\n0\r\n\r\n'), /^HTTP\/1.1 411 /);
  assert.match(await raw(`${head}Content-Length: -5\r\n\r\n`, '{}'), /^HTTP\/1.1 400 /);
  assert.match(await raw(`${head}Content-Length: 99999999\r\n\r\n`), /^HTTP\/1.1 413 /);
});

/** Sends a head, waits for the answer to it, and only then sends the body: what was heard, and with which error it ended. */
async function answeredBeforeTheBody(stage, head, bytes) {
  const socket = stage.dial({ allowHalfOpen: true });
  let text = '', error = null;
  socket.on('data', (data) => { text += data; });
  socket.on('error', (e) => { error = e.code; });
  const ended = ends(socket), closed = new Promise((resolve) => { socket.on('close', resolve); });
  socket.write(head);
  await ended;
  for (let left = bytes; left > 0 && !error; left -= 16384) await new Promise((resolve) => { socket.write(Buffer.alloc(Math.min(left, 16384), 'x'), resolve); });
  socket.end();
  await closed;
  return { text, error };
}

test('whoever is refused before the body is sent hears why, and is not reset over it', async (t) => {
  const stage = await Stage.open(t);
  const key = `Authorization: Bearer ${stage.key}\r\n`;
  const lines = (...more) => `Host: x\r\n${more.join('')}Content-Length: 100000\r\n\r\n`;
  for (const [head, status, code] of [
    [`POST /v1/items HTTP/1.1\r\n${lines()}`, 401, 'unauthorized'],
    [`POST /v1/items HTTP/1.1\r\n${lines(key, 'Content-Type: text/plain\r\n')}`, 415, 'bad_content_type'],
    [`POST /v1/items HTTP/1.1\r\n${lines(key, 'Transfer-Encoding: chunked\r\n')}`, 411, 'length_required'],
    [`POST /v1/items HTTP/1.0\r\n${key}\r\n`, 411, 'length_required'],
    [`POST /v1/feed HTTP/1.1\r\n${lines(key)}`, 405, 'bad_method'],
    [`PUT /v1/items HTTP/1.1\r\n${lines(key)}`, 405, 'bad_method'],
    [`DELETE /v1/nothing HTTP/1.1\r\n${lines(key)}`, 404, 'not_found'],
  ]) {
    const { text, error } = await answeredBeforeTheBody(stage, head, 100000);
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} [^]*"code":"${code}"[^]*}\n$`));
    assert.equal(error, null, head);
  }
  await stage.metric('newswire_parting_connections').becomes(0);
});

test('whoever goes on sending what was refused is cut off', async (t) => {
  const stage = await Stage.open(t);
  const { text, error } = await answeredBeforeTheBody(stage, 'POST /v1/items HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n', 99999999);
  assert.match(text, /^HTTP\/1\.1 401 /);
  assert.match(error, /^(ECONNRESET|EPIPE)$/);
  await stage.metric('newswire_parting_connections').becomes(0);
});

test('addresses and methods that do not exist', async (t) => {
  const stage = await Stage.open(t);
  assert.equal((await stage.http('/nothing/here')).status, 404);
  assert.equal((await stage.http('/v1/feed', { method: 'DELETE' })).status, 405);
  assert.equal((await stage.http('/v1/stream')).status, 426);
  assert.equal((await stage.http('/v1/feed?limit=0')).body.code, 'bad_limit');
  assert.equal((await stage.http('/v1/feed?limit=1e3')).body.code, 'bad_limit');
  await assert.rejects(stage.http('/v1/feed?before=%00%01'), 'a NUL in a URL: libwebsockets hangs up');
  assert.equal((await stage.http('/v1/feed?before=zzz')).body.code, 'bad_before');
  assert.equal((await stage.http('/v1/feed?channels=NO%20CHANNEL')).body.code, 'bad_channel');
  assert.equal((await stage.http('/healthz')).status, 200);
  assert.equal((await stage.http('/readyz')).status, 200);
  assert.equal((await stage.http('/readyz/publish')).status, 200);
  assert.equal((await stage.http('/', { method: 'HEAD' })).status, 200);
});

test('subscriptions that make no sense: an error that says why, then 4000', async (t) => {
  const stage = await Stage.open(t);
  const many = Array.from({ length: 300 }, (_, i) => `c${i}`);
  for (const [subscription, code] of [[{ channels: ['No Such'] }, 'bad_channel'], [{ channels: ['secret:x'] }, 'bad_channel'],
    [{ class: 'huge' }, 'bad_class'], [{ lang: '!!' }, 'bad_lang'], [{ type: 'poem' }, 'bad_type'], [{ channels: many }, 'too_many_channels']]) {
    const reader = stage.connect(subscription);
    assert.equal((await reader.type('error')).code, code);
    assert.deepEqual(await reader.ends(), { code: 4000, reason: 'bad_subscription' });
  }
  const wrongProtocol = stage.connect({}, { protocol: 'graphql-ws' });
  assert.equal(await wrongProtocol.ends(), 400);
  const none = await stage.reader({ protocol: null });
  none.close();
});

test('client messages that make no sense: answered or closed, with the right code', async (t) => {
  const stage = await Stage.open(t);
  const after = async (send, code) => {
    const reader = await stage.reader();
    send(reader);
    assert.equal((await reader.ends()).code, code);
    return reader;
  };
  await after((r) => r.socket.send(Buffer.from([1, 2, 3]), { binary: true }), 1003);
  await after((r) => r.send('z'.repeat(16 * 1024 + 1)), 1009);
  await after((r) => r.send('not json'), 4000);
  await after((r) => r.socket.send(Buffer.concat([Buffer.from('{"type":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]), { binary: false }), 1007);
  await after((r) => { for (let i = 0; i < 200; i++) r.send({ type: 'ping' }); }, 4029);

  const patient = await stage.reader({ channels: ['world'] });
  patient.send({ type: 'dance', ref: 1 });
  assert.equal((await patient.saw((m) => m.type === 'error' && m.ref === 1)).code, 'bad_type');
  patient.send({ type: 'subscribe', ref: 2, channels: ['NOT OK'] });
  assert.equal((await patient.saw((m) => m.type === 'error' && m.ref === 2)).code, 'bad_channel');
  patient.send({ type: 'subscribe', ref: 3, channels: 5 });
  await patient.saw((m) => m.type === 'error' && m.ref === 3);
  patient.send({ type: 'subscribe', ref: 4, channels: ['world'], since: 'rubbish' });
  assert.equal((await patient.saw((m) => m.type === 'error' && m.ref === 4)).code, 'bad_cursor');
  await stage.publish(item(), 'world');
  await patient.hasRead(1);
});

/** Writes bytes in one segment, and waits for the end of the connection; what came back. leaves: says that no more will come. */
async function converse(stage, bytes, leaves = false) {
  const socket = stage.dial();
  let text = '';
  socket.on('data', (data) => { text += data; });
  if (leaves) socket.end(bytes);
  else socket.write(bytes);
  await ends(socket);
  socket.destroy();
  return text;
}

test('pipelined requests, bodies nobody asked for and bytes behind a body: no worker dies, hangs or spins', async (t) => {
  const stage = await Stage.open(t);
  const neighbour = await stage.reader({ channels: ['world'] });
  const [pid] = await stage.workers();
  const get = (path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const getWithBody = (path) => `GET ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx`;
  const post = (body, key = stage.key) => `POST /v1/items HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const story = () => JSON.stringify(item({ headline: 'pipelined' }));
  assert.match(await converse(stage, get('/healthz') + get('/healthz')), /^HTTP\/1.1 200 /);
  assert.match(await converse(stage, get('/healthz') + post('hello', 'wrong')), /^HTTP\/1.1 200 /);
  assert.match(await converse(stage, post('hello', 'wrong') + post('hello', 'wrong')), /^HTTP\/1.1 401 /);
  for (const bytes of [getWithBody('/v1/feed'), getWithBody('/v1/items?uri=urn:x'), getWithBody('/v1/items/urn:x'), getWithBody('/healthz'),
    `${post(story())}garbage`, post(story()) + get('/healthz'), post(story()) + post(story()), get('/v1/feed') + post(story())])
    await converse(stage, bytes);
  assert.equal((await stage.workers())[0], pid, 'the same worker');
  await stage.publish(item(), 'world');
  await neighbour.saw((m) => m.type === 'post', 'a post');
  assert.equal(neighbour.closed, null);
});

test('bytes behind a body that nobody asked for end the connection while its answer is waited for: nothing spins on them', async (t) => {
  const stage = await Stage.open(t);
  const redis = await stage.redisPid();
  process.kill(redis, 'SIGSTOP');
  try {
    for (const path of ['/v1/items/urn:x', '/v1/audit?uri=urn:x'])
      assert.equal(await converse(stage, `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${stage.key}\r\nContent-Length: 1\r\n\r\nxgarbage`), '', 'not the answer that Redis would have had a part in');
  } finally { process.kill(redis, 'SIGCONT'); }
  assert.match(await converse(stage, `GET /v1/items/urn:x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx`), /^HTTP\/1\.1 404 /);
});

test('more silent clients than there are places for requests: readers read on, and whoever comes next is answered once they were let go', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const silent = new Set();
  t.after(() => { for (const socket of silent) socket.destroy(); });
  await until(async () => { // whoever was let go already has a successor
    let last;
    for (let i = 0; i < 200 && silent.size < 5000; i++) {
      const socket = last = net.connect(stage.state.port, '127.0.0.1').on('error', () => {}).on('close', () => silent.delete(socket));
      socket.resume();
      silent.add(socket);
    }
    if (last) await new Promise((done) => { last.on('connect', done).on('close', done); });
    return /accept_paused.*open requests/.test(stage.log);
  }, 'accepting to pause');
  await stage.publish(item(), 'world');
  await reader.hasRead(1);
  assert.equal((await stage.http('/healthz')).status, 200); // it waited in the queue
  await stage.publish(item(), 'world');
  await reader.hasRead(2);
  await stage.metric('newswire_accept_paused_total').reaches(1);
});

test('a client that connects and says nothing is let go and counted', async (t) => {
  const stage = await Stage.open(t);
  const socket = stage.dial();
  socket.resume();
  await ends(socket);
  await stage.metric('newswire_http_silent_total').reaches(1);
});

test('HTTP/2 is not spoken: whoever would rather speak it is answered in HTTP/1.1, whoever begins with it is told so, and nobody is hurt', async (t) => {
  const stage = await Stage.open(t);
  const neighbour = await stage.reader({ channels: ['world'] });
  const [pid] = await stage.workers();
  const upgrade = 'Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n';
  const key = `Authorization: Bearer ${stage.key}\r\n`;
  for (const path of ['/', '/healthz', '/v1/feed', '/v1/stream', '/v1/publish', '/connection/websocket', '/nowhere'])
    assert.equal(...(await Promise.all([upgrade, 'Host: x\r\n'].map((lines) => converse(stage, `GET ${path} HTTP/1.1\r\n${lines}${key}\r\n`)))).map((text) => text.split('\r\n')[0]), path);
  let heard = '';
  const events = stage.dial().on('data', (data) => { heard += data; });
  t.after(() => events.destroy());
  events.write(`GET /v1/stream?channels=world HTTP/1.1\r\n${upgrade}Accept: text/event-stream\r\n\r\n`);
  await until(() => /^HTTP\/1.1 200 [^]*"hello"/.test(heard), 'an event stream');
  const body = (story) => JSON.stringify(item({ uri: 'urn:test:h2c', headline: 'Offered', body: 'x'.repeat(100_000), ...story }));
  const post = (json) => `POST /v1/items?channels=world HTTP/1.1\r\n${upgrade}${key}Content-Length: ${json.length}\r\n\r\n${json}`;
  assert.match(await converse(stage, post(body())), /^HTTP\/1.1 201 [^]*"status":"accepted"/);
  assert.match(await converse(stage, post(body()).replace(stage.key, 'wrong')), /^HTTP\/1.1 401 /);
  const { stdout } = await execFile('curl', ['--silent', '--http2', '--max-time', '10', '--header', key.trim(), '--header', 'Content-Type: application/json',
    '--data-binary', body({ version: '2' }), `${stage.url}/v1/items?channels=world`]);
  assert.equal(JSON.parse(stdout).status, 'accepted');
  await neighbour.hasRead(2);
  await until(() => heard.includes('"version":"2"'), 'the post as an event');
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  for (const bytes of [preface, Buffer.concat([preface, settings]), preface.subarray(0, 18)])
    assert.match(await converse(stage, bytes), /^HTTP\/1.\d 4\d\d /, 'refused in the words of HTTP/1, not by silence');
  await stage.publish(item(), 'world');
  await neighbour.hasRead(3);
  assert.deepEqual(await stage.workers(), [pid], 'the same worker');
});

test('whoever closes his half of a WebSocket is a reader no more, and is not waited for', async (t) => {
  const stage = await Stage.open(t);
  const neighbour = await stage.reader({ channels: ['world'] });
  const key = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
  for (const path of ['/v1/stream?channels=world', '/v1/publish', '/connection/websocket'])
    for (const leaves of [`GET ${path} HTTP/1.1\r\nHost: x\r\n${key}\r\n`, `GET ${path} HTTP/1.1\r\nHost: x\r\n${key}`])
      await converse(stage, leaves, true);
  await stage.metric('newswire_readers').becomes(1);
  await stage.publish(item(), 'world');
  await neighbour.hasRead(1);
});

test('who asks on and on and never reads the answers is too slow: closed, and nobody else', async (t) => {
  const stage = await Stage.open(t, { sndbuf: '4k', backlog: '64m' });
  const neighbour = await stage.reader({ channels: ['world'] });
  const stuck = await stage.reader({ channels: ['world'] });
  stuck.stopReading();
  for (let n = 1, full = 0; full < 20; n++) { // its kernel takes some more now and then, until it is full for good
    await stage.publish(item({ body: 'z'.repeat(50000) }), 'world');
    await neighbour.hasRead(n);
    full = (await stage.metric('newswire_readers_lagging').read()) === 1 ? full + 1 : 0;
  }
  for (let n = 0; n < 45; n++) stuck.send({ type: 'subscribe', ref: 'r'.repeat(62), channels: ['world'] }); // fewer than are too many in a second
  await stage.metric('newswire_readers_closed_total{reason="too_slow"}').becomes(1);
  await stage.metric('newswire_readers').becomes(1);
  await stage.publish(item(), 'world');
  await neighbour.hasRead(neighbour.posts.length + 1);
});

/** Every key of ours with its value, but those that change by themselves. */
async function everything(stage) {
  const names = (await stage.redis.keys('{newswire}:*')).filter((name) => !/:(clock|trimmer|canary|counting|counts.*|inbox|inbox_reader|reach:.*)$/.test(name)).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, (await stage.redis.dumpBuffer(name))?.toString('base64')])));
}

test('a key of ours that holds something else: each is named in the answer, counted, and nothing is half-done', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['sport'] });
  const known = item({ body: 'Known' });
  assert.equal((await stage.post(known, { channels: 'world' })).status, 201);
  const deeds = { // what is asked for, and which keys it needs
    story: [() => stage.post(item({ uri: 'urn:new' }), { channels: 'world', headers: { 'idempotency-key': 'k' } }),
      ['item:urn:new', 'held:urn:new', 'feed:world', 'feed:feed:all', 'feed:class:regular', 'embargo', 'audit', 'rewrite', 'wire', 'head', 'epoch']],
    correction: [() => stage.post({ ...known, version: '2' }, { channels: 'world' }), [`item:${known.uri}`, `held:${known.uri}`, 'feed:world', 'audit', 'wire', 'head']],
    embargo: [() => stage.post(item({ uri: 'urn:late', embargoedUntil: new Date(Date.now() + 3600e3).toISOString() }), { channels: 'world' }),
      ['item:urn:late', 'held:urn:late', 'embargo', 'audit']],
    kill: [() => stage.post({ uri: known.uri, version: '9', pubStatus: 'canceled' }), [`item:${known.uri}`, `held:${known.uri}`, 'feed:world', 'embargo', 'audit', 'rewrite', 'wire']],
    purge: [() => stage.http(`/v1/items/${known.uri}`, { method: 'DELETE', headers: { authorization: `Bearer ${stage.key}` } }),
      [`item:${known.uri}`, `body:${known.uri}:1`, 'feed:world', 'audit', 'rewrite', 'wire']],
  };
  const store = stage.metric('newswire_rejects_total{reason="store"}');
  let times = 0;
  for (const [deed, [does, names]] of Object.entries(deeds)) {
    for (const name of names.map((n) => `{newswire}:${n}`)) {
      const was = await stage.redis.dumpBuffer(name);
      await stage.redis.multi().del(name).rpush(name, 'planted').exec(); // a list: we have none
      const before = await everything(stage);
      const answer = await does();
      const what = `${deed} with ${name}: ${JSON.stringify(answer.body)}`;
      assert.deepEqual([answer.status, answer.body.code, answer.headers.get('retry-after')], [503, 'store', '1'], what);
      assert.ok(answer.body.detail.includes(`${name} is a list`), what);
      assert.deepEqual(await everything(stage), before, `nothing is half-done by ${what}`);
      if (deed !== 'purge') times += 1;
      assert.equal(await store.read(), times, what);
      await stage.redis.del(name);
      if (was !== null) await stage.redis.restore(name, 0, was);
    }
  }
  await stage.logged(/event=store_refused .*is a list/);
  for (const [deed, [does]] of Object.entries(deeds)) assert.ok((await does()).status < 300, `${deed} when all is in order again`);
  const story = item({ headline: 'And readers go on' });
  await stage.post(story, { channels: 'sport' });
  await reader.saw((m) => m.item?.uri === story.uri, 'the post');
  await stage.publish(item({ uri: 'urn:by-redis' }), 'sport');
  await reader.saw((m) => m.item?.uri === 'urn:by-redis', 'the post by Redis');
});

test('one byte more than the limit is refused by every way in', async (t) => {
  const stage = await Stage.open(t);
  const full = { uri: 'urn:one-more', headlines: [{ value: 'x' }], bodies: [{ value: '' }] };
  full.bodies[0].value = 'x'.repeat(256 * 1024 + 1 - JSON.stringify(full).length);
  assert.equal(Buffer.byteLength(JSON.stringify(full)), 262145);
  const alone = await stage.post(full, { channels: 'world' });
  assert.deepEqual([alone.status, alone.body.code], [413, 'too_large']);
  const among = await stage.post([item(), full, item()], { channels: 'world' });
  assert.deepEqual(among.body.results.map((r) => r.code ?? r.status), ['accepted', 'too_large', 'accepted']);
  await stage.publish(full);
  await stage.metric('newswire_rejects_total{reason="too_large"}').becomes(2); // the same bytes of the same sender count once
  full.bodies[0].value = full.bodies[0].value.slice(1);
  assert.equal((await stage.post(full, { channels: 'world' })).status, 201, 'the limit itself is taken');
});

test('a version that is no number: text and integers are taken, everything else has its answer', async (t) => {
  const stage = await Stage.open(t);
  const post = async (uri, version) => {
    const { status, body } = await stage.post(`{"uri":"${uri}","version":${version},"versionCreated":"2026-01-10T00:00:0${version.length % 10}Z","headlines":[{"value":"v"}]}`, { channels: 'world' });
    return [status, body.code ?? body.version];
  };
  for (const [version, expect] of [['true', [422, 'wrong_type']], ['{}', [422, 'wrong_type']], ['[2]', [422, 'wrong_type']], ['1.5', [422, 'wrong_type']],
    ['1e400', [422, 'bad_value']], ['99999999999999999999999', [422, 'bad_value']], ['NaN', [400, 'not_json']], ['-', [400, 'not_json']], ['01', [400, 'not_json']],
    ['"1\\u0000"', [422, 'bad_value']], ['"1\\n"', [422, 'bad_value']], [`"${'9'.repeat(65)}"`, [422, 'bad_value']],
    ['null', [201, '1']], ['""', [201, '1']], ['3.0', [201, '3']], ['"abc"', [201, 'abc']], ['-1', [201, '-1']], ['"99999999999999999999999"', [201, '99999999999999999999999']]])
    assert.deepEqual(await post(`urn:version:${version.replace(/\W/g, '_')}:${version.length}`, version), expect, version);
  assert.equal(await stage.redis.xlen('{newswire}:wire'), 6);
  for (const [version, status] of [['"draft-a"', 201], ['"draft-b"', 201], ['"draft-a"', 200]]) // as text, where one is no integer
    assert.equal((await post('urn:text-versions', version))[0], status, version);
});

test('a body in chunks is 411 whatever its Content-Length says, and nothing of it is taken', async (t) => {
  const stage = await Stage.open(t);
  const refused = stage.metric('newswire_http_refused_total');
  const before = await refused.read();
  const story = JSON.stringify(item());
  const chunked = `${story.length.toString(16)}\r\n${story}\r\n0\r\n\r\n`;
  const head = `POST /v1/items?channels=world HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${stage.key}\r\n`;
  for (const [more, body] of [['Transfer-Encoding: chunked\r\n', chunked], ['Transfer-Encoding: gzip, chunked\r\n', chunked],
    ['Transfer-Encoding: identity\r\n', story], ['Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', chunked],
    [`Transfer-Encoding: chunked\r\nContent-Length: ${story.length}\r\n`, story], ['', '']])
    assert.match(await converse(stage, `${head}${more}\r\n${body}`), /^HTTP\/1.1 411 [^]*"code":"length_required"/, more);
  assert.equal(await refused.read(), before + 6);
  for (const length of [`${story.length}\r\nContent-Length: ${story.length + 1}`, '+5', '5x', '0x5', '5, 5', '99999999999999999999', '1e3'])
    assert.match(await converse(stage, `${head}Content-Length: ${length}\r\n\r\n${story}`), /^HTTP\/1.1 400 [^]*"code":"bad_length"/, length);
  assert.equal(await stage.redis.exists('{newswire}:wire'), 0);
  assert.equal((await stage.post(story, { channels: 'world' })).status, 201);
});

test('who waits to be asked for a body is asked, once, and only where it would be taken', async (t) => {
  const stage = await Stage.open(t);
  const story = JSON.stringify(item());
  const head = (key, more = '', version = '1.1') => `POST /v1/items?channels=world HTTP/${version}\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: ${story.length}\r\n${more}\r\n`;
  const expect = 'Expect: 100-Continue\r\n';
  const socket = stage.dial();
  t.after(() => socket.destroy());
  let text = '';
  socket.on('data', (data) => { text += data; });
  socket.write(head(stage.key, expect));
  await until(() => text.includes('\r\n\r\n'), 'the word to go on');
  assert.equal(text, 'HTTP/1.1 100 Continue\r\n\r\n');
  socket.write(story);
  await ends(socket);
  assert.match(text.slice(25), /^HTTP\/1.1 201 /);
  assert.match(await converse(stage, head('wrong', expect)), /^HTTP\/1.1 401 /);
  assert.match(await converse(stage, head(stage.key) + story), /^HTTP\/1.1 200 /, 'who does not wait is not asked: it is the same story again');
  assert.match(await converse(stage, head(stage.key, expect, '1.0') + story), /^HTTP\/1.[01] 200 /, 'HTTP/1.0 does not know it');
});

test('a target that libwebsockets takes for none is refused, and nobody else is hurt', async (t) => {
  const stage = await Stage.open(t);
  const neighbour = await stage.reader({ channels: ['world'] });
  const [pid] = await stage.workers();
  for (const target of ['http://x/healthz', 'http://x', 'healthz', '/v1/feed?channels=%zz'])
    assert.match(await converse(stage, `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`), /^HTTP\/1.[01] 4\d\d /, target);
  for (const target of ['/v1/feed?channels=a%00b', '/v1/items/%00'])
    assert.match(await converse(stage, `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`), /^$|^HTTP\/1.1 4\d\d /, `${target}: refused, or hung up on`);
  await stage.publish(item(), 'world');
  await neighbour.hasRead(1);
  assert.equal((await stage.workers())[0], pid);
});

test('whatever is tried with whatever key, no log line, answer, metric or entry in Redis has a key in it', async (t) => {
  const stage = await Stage.open(t, { workers: 2, 'log-level': 'debug', 'publish-rate': 5 });
  const secret = 'secret-of-superdesk-0123456789', idempotency = 'idempotency-0123456789';
  const may = ['publish', 'correct', 'kill', 'flash', 'embargo', 'audit', 'all'];
  await changeKeys(stage, { keys: [publisher('desk', may), publisher('weak', []), { name: 'superdesk', secret, channels: ['*'], may }] });
  const wrong = 'wrong-key-0123456789abcdef';
  const keys = [stage.key, keyOf('desk'), keyOf('weak'), wrong, secret];
  const answers = [];
  const tell = async (promise) => { const { text, headers } = await promise; answers.push(text, ...[...headers].flat()); };
  const bearer = (key) => ({ authorization: `Bearer ${key}` });

  for (const key of keys) {
    for (const body of [item(), '{"uri":', '[', '[]', [item(), 5], '', 'x'.repeat(300 * 1024), `${'['.repeat(10000)}`, '{"a":1,"a":2}', item({ urgency: 1 })]) {
      await tell(stage.post(body, { key, channels: 'world' }));
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      await tell(stage.post(text, { key: null, channels: 'world', headers: { 'x-superdesk-signature': superdeskSignature(key, text) } }));
    }
    await tell(stage.post(item(), { key, headers: { 'idempotency-key': idempotency } }));
    await tell(stage.post(item(), { key, headers: { 'content-type': 'text/plain' } }));
    for (const path of ['/v1/audit', '/v1/reach?uri=urn:x', '/v1/items/urn:x/reach', '/metrics', '/v1/stream', '/v1/publish', '/nothing'])
      await tell(stage.http(path, { headers: bearer(key) }));
    await tell(stage.http('/v1/items/urn:x', { method: 'DELETE', headers: bearer(key) }));
    await tell(stage.http('/v1/items', { method: 'OPTIONS', headers: { ...bearer(key), origin: 'https://x.example' } }));
    for (const bytes of [`POST /v1/items HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `POST /v1/items HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${key}\r\nContent-Length: 5\r\n\r\nx`,
      `GET /v1/audit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\0\r\n\r\n`,
      `GET /v1/audit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}${'x'.repeat(9000)}\r\n\r\n`,
      `GARBAGE ${key} \r\n\r\n`])
      answers.push(await converse(stage, bytes, true));
    const line = await Tool.open(stage, { key: null });
    line.send({ type: 'auth', ref: 1, key });
    line.hand({ item: item(), channels: ['world'] });
    line.send({ type: 'dance' });
    await until(() => line.closed || line.answers.length > 0, 'the line to have an answer');
    answers.push(JSON.stringify(line.messages));
  }
  await changeKeys(stage, `{"keys":[{"name":"desk","secret":"${secret}","key":"${keyOf('desk')}"}`, 'keys_broken');
  await stage.publish('{"uri":', 'world');
  await stage.metric('newswire_rejects_total{reason="not_json"}').reaches(2);
  await putKeys(stage.dir, { keys: [publisher('desk', may)] });
  const log = stage.log;
  await stage.restart();

  const kept = [];
  for (const name of await stage.redis.keys('*')) kept.push(name, (await stage.redis.dumpBuffer(name))?.toString('latin1'));
  for (const event of ['unauthorized', 'forbidden', 'item_refused', 'batch_refused', 'keys_broken']) assert.match(log, new RegExp(`event=${event}`));
  const places = { log: log + stage.log, out: stage.out, answers: answers.join('\n'), metrics: (await stage.http('/metrics')).text, Redis: kept.join('\n') };
  assert.ok(answers.length > 150 && kept.length > 50);
  for (const [place, text] of Object.entries(places)) {
    for (const key of [...keys, idempotency])
      assert.ok(!text.includes(key), `${place} has a key: ${text.slice(Math.max(0, text.indexOf(key) - 200), text.indexOf(key))}`);
    for (const key of keys) assert.ok(!text.includes(Buffer.from(key).toString('base64').slice(0, 24)), `${place} has a key in base64`);
  }
});
