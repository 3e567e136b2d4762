// Bad input: each kind has its answer, its counter and its entry among the rejects; nobody else is hurt.
import test from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { Stage, sample, item, until } from './stage.mjs';

const deep = (n) => '['.repeat(n) + ']'.repeat(n);

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
    const socket = net.connect(stage.state.port, '127.0.0.1');
    socket.write(head + body);
    let text = '';
    socket.on('data', (data) => { text += data; });
    socket.on('error', () => {});
    await Promise.race([once(socket, 'close'), once(socket, 'end')]);
    socket.destroy();
    return text;
  };
  const head = `POST /v1/items HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${stage.key}\r\n`;
  assert.match(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n`, '2\r\n{}\r\n0\r\n\r\n'), /^HTTP\/1.1 411 /);
  assert.match(await raw(`${head}Content-Length: -5\r\n\r\n`, '{}'), /^HTTP\/1.1 400 /);
  assert.match(await raw(`${head}Content-Length: 99999999\r\n\r\n`), /^HTTP\/1.1 413 /);
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

/** Writes bytes in one segment, and waits for the end of the connection; what came back. */
async function converse(stage, bytes) {
  const socket = net.connect(stage.state.port, '127.0.0.1');
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (data) => { text += data; });
  socket.write(bytes);
  await Promise.race([once(socket, 'close'), once(socket, 'end')]);
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

test('a client that connects and says nothing is let go and counted', async (t) => {
  const stage = await Stage.open(t);
  const socket = net.connect(stage.state.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'close');
  await stage.metric('newswire_http_silent_total').reaches(1);
});

test('keys that hold something else: said in words, nothing half-done', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader();
  const story = item();
  await stage.redis.set(`{newswire}:item:${story.uri}`, 'planted');
  const answer = await stage.post(story, { channels: 'world' });
  assert.ok(answer.status >= 400, answer.status);
  assert.match(JSON.stringify(answer.body), /item:/);
  assert.equal(await stage.redis.xlen('{newswire}:wire'), 0);
  assert.equal(await stage.redis.exists('{newswire}:feed:world'), 0);
  await stage.post(item(), { channels: 'world' });
  await reader.hasRead(1);
});
