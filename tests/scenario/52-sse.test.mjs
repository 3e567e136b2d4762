// The goal: a plain EventSource is a full client: it reads every post once and in order, whatever stands or breaks between.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { launch, readWith } from './clients.mjs';
import { Events, cutter, eventsUrl } from './events.mjs';
import { Stage, item, until } from './stage.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

const accept = { accept: 'text/event-stream' };

// --- what a stream looks like ---------------------------------------------------------------------------------------------

test('a stream says hello, and each post is an event with its cursor as id', async (t) => {
  const stage = await Stage.open(t);
  const socket = await stage.reader({ channels: ['world'] });
  const reader = await Events.open(stage, { channels: ['world'] });
  const { headers, statusCode } = reader.response;
  assert.equal(statusCode, 200);
  assert.equal(headers['content-type'], 'text/event-stream');
  assert.equal(headers['cache-control'], 'no-store, no-transform');
  assert.equal(headers['x-accel-buffering'], 'no');
  assert.equal(headers['access-control-allow-origin'], '*');
  const [wait, hello] = reader.blocks;
  assert.ok(Number(wait.retry) >= 100 && Number(wait.retry) <= 5000, `retry: ${wait.retry}`);
  assert.equal(wait.data, undefined);
  assert.equal(hello.event, 'hello');
  assert.equal(JSON.parse(hello.data).resumed, false);
  assert.equal(JSON.parse(hello.data).cursor, hello.id);
  await stage.publish(item(), 'world');
  await stage.publish(item(), 'sport');
  await stage.publish(item(), 'world');
  await reader.hasRead(2);
  await socket.hasRead(2);
  assert.deepEqual(reader.posts, socket.posts);
  for (const block of reader.blocks.filter((b) => b.event === 'post')) assert.equal(block.id, JSON.parse(block.data).cursor);
});

test('a tick moves the id and fires no event', async (t) => {
  const stage = await Stage.open(t);
  const reader = await Events.open(stage, { channels: ['sport'] });
  const socket = await stage.reader({ channels: ['world'] });
  await stage.publish(item(), 'world');
  const [post] = await socket.hasRead(1);
  const tick = await reader.saw((b) => b.id === post.cursor, 'an id past the post of another channel');
  assert.deepEqual(tick, { id: post.cursor });
  const again = await Events.open(stage, { channels: ['world'], headers: { 'last-event-id': tick.id } });
  await stage.publish(item(), 'world');
  assert.deepEqual(await again.hasRead(1), [(await socket.hasRead(2))[1]]);
});

test('every stream is told a wait of its own', async (t) => {
  const stage = await Stage.open(t);
  const waits = new Set();
  for (let n = 0; n < 8; n++) waits.add((await Events.open(stage)).blocks[0].retry);
  assert.ok(waits.size > 1, `all were told ${[...waits]}`);
});

test('a drain says bye with a wait, and the body ends whole', async (t) => {
  const stage = await Stage.open(t, { 'drain-time': '1s' });
  const reader = await Events.open(stage, { channels: ['world'] });
  await stage.stop();
  await reader.ends();
  const bye = reader.blocks.at(-1);
  assert.equal(bye.event, 'bye');
  assert.equal(bye.id, undefined);
  assert.equal(bye.retry, String(JSON.parse(bye.data).retry_ms));
  assert.equal(JSON.parse(bye.data).reason, 'drain');
  assert.ok(reader.ended && reader.stump === '');
});

// --- the place ------------------------------------------------------------------------------------------------------------

test('Last-Event-ID goes before last_event_id, and that before since', async (t) => {
  const stage = await Stage.open(t);
  const first = await Events.open(stage, { channels: ['world'] });
  const start = first.id;
  for (let n = 0; n < 3; n++) await stage.publish(item(), 'world');
  const posts = await first.hasRead(3);
  for (const [asked, missed] of [
    [{ since: start }, 3],
    [{ last_event_id: posts[0].cursor, since: start }, 2],
    [{ headers: { 'last-event-id': posts[1].cursor }, last_event_id: posts[0].cursor, since: start }, 1],
  ]) {
    const reader = await Events.open(stage, { channels: ['world'], ...asked });
    assert.equal((await reader.type('hello')).resumed, true);
    assert.deepEqual(await reader.hasRead(missed), posts.slice(3 - missed));
  }
});

test('a place that nobody knows is a gap, also if another server gave it', async (t) => {
  const stage = await Stage.open(t);
  for (const asked of [{ since: 'another:1-1' }, { last_event_id: 'another:1-1' }, { headers: { 'last-event-id': '42' } },
    { headers: { 'last-event-id': 'x'.repeat(500) } }]) {
    const reader = await Events.open(stage, { channels: ['world'], ...asked });
    assert.equal((await reader.type('hello')).resumed, false);
    const gap = await reader.saw((b) => b.event === 'gap', 'the gap');
    assert.equal(JSON.parse(gap.data).cursor, gap.id);
  }
});

// --- broken on the way (59-proof: every client, every way) ----------------------------------------------------------------------

test('a reader whose worker dies comes back by itself and has missed nothing', async (t) => {
  const stage = await Stage.open(t, { workers: 1 });
  const reader = readWith.eventsource(t, eventsUrl(stage, { channels: ['world'] }));
  await reader.ready();
  await stage.metric('newswire_readers').becomes(1);
  await stage.publish(item({ headline: 'before' }), 'world');
  await until(async () => (await reader.posts()).length === 1, 'the first post');
  const [worker] = await stage.workers();
  process.kill(worker, 'SIGKILL');
  const between = item({ headline: 'between' });
  await until(async () => (await stage.post(between, { channels: 'world' }).catch(() => null))?.status < 300, 'the new worker to accept it');
  await until(async () => (await reader.posts()).length === 2, 'the post between');
  assert.deepEqual((await reader.posts()).map((post) => post.item.headlines[0].value), ['before', 'between']);
});

test('a browser comes back from where the last tick was, though no event told it', async (t) => {
  const stage = await Stage.open(t);
  const control = await stage.reader({ channels: ['world'] });
  const relay = await cutter(t, stage.url, [Infinity]);
  const reader = await readWith.Chromium(t, eventsUrl(stage, { base: relay.url, channels: ['sport'] }), { browser });
  const raw = await Events.open(stage, { channels: ['sport'] }); // hears what the browser hears
  await reader.ready();
  await stage.publish(item(), 'world');
  const [{ cursor }] = await control.hasRead(1);
  await raw.saw((b) => b.id === cursor, 'a tick behind the post');
  const before = (await stage.metric('newswire_writes_total').read());
  await stage.metric('newswire_writes_total').reaches(before + 6); // so the browser's has gone out as well
  relay.cutAll();
  await until(() => relay.heads.length === 2, 'the browser to come back');
  assert.match(relay.heads[1], new RegExp(`^last-event-id: ${cursor}\r$`, 'im'));
});

// --- refusals -----------------------------------------------------------------------------------------------------------------

test('what makes no sense is refused before the stream, with a status that pages can see', async (t) => {
  const stage = await Stage.open(t);
  const channels = Array.from({ length: 257 }, (_, n) => `c${n}`).join(',');
  for (const [query, code] of [['?channels=No!', 'bad_channel'], ['?class=loud', 'bad_class'], ['?since=yesterday', 'bad_cursor'],
    ['?last_event_id=yesterday', 'bad_cursor'], ['?type=nothing', 'bad_type'], [`?channels=${channels}`, 'too_many_channels'],
    [`?x=${'y'.repeat(5000)}`, 'bad_query']]) {
    const { status, body, headers } = await stage.http(`/v1/stream${query}`, { headers: accept });
    assert.equal(status, 400, query);
    assert.equal(body.code, code);
    assert.equal(headers.get('access-control-allow-origin'), '*');
  }
  assert.equal((await stage.http('/v1/stream')).status, 426);
  assert.equal((await stage.http('/v1/stream', { headers: accept, method: 'POST', body: '' })).status, 405);
  assert.equal((await stage.http('/v1/publish', { headers: accept })).status, 426);
  await stage.metric('newswire_readers').becomes(0);
});

test('ten thousand channels and a URL of 64 KB are refused, and hurt nobody', async (t) => {
  const stage = await Stage.open(t);
  const reader = await Events.open(stage, { channels: ['world'] });
  for (const length of [3000, 64 << 10]) {
    const said = await talk(stage, `GET /v1/stream?channels=${'a,'.repeat(length / 2)}a HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`);
    assert.match(said, /^(HTTP\/1\.1 (400|414|431) |$)/);
  }
  await stage.publish(item(), 'world');
  await reader.hasRead(1);
});

test('HEAD is answered like GET, without a stream', async (t) => {
  const stage = await Stage.open(t);
  const { status, headers, text } = await stage.http('/v1/stream?channels=world', { method: 'HEAD', headers: accept });
  assert.equal(status, 200);
  assert.equal(headers.get('content-type'), 'text/event-stream');
  assert.equal(text, '');
  assert.equal((await fetch(`${stage.url}/v1/stream?class=loud`, { method: 'HEAD', headers: accept })).status, 400);
  await stage.metric('newswire_readers').becomes(0);
});

test('a full worker says so, and a place that becomes free is taken', async (t) => {
  const stage = await Stage.open(t, { 'max-readers': 2 });
  const first = await Events.open(stage, { channels: ['world'] });
  await stage.reader({ channels: ['world'] });
  const { status, headers, body } = await stage.http('/v1/stream', { headers: accept });
  assert.equal(status, 503);
  assert.equal(body.code, 'full');
  assert.match(headers.get('retry-after'), /^([2-9]|10)$/);
  first.close();
  await stage.metric('newswire_readers').becomes(1);
  await Events.open(stage, { channels: ['world'] });
});

// --- strange clients ------------------------------------------------------------------------------------------------------------

/** Says something on a plain connection, and returns what comes until the server ends it (or `until` has come). */
function talk(stage, text, { half = false, end } = {}) {
  return new Promise((done, fail) => {
    const socket = stage.dial({ allowHalfOpen: true });
    let said = '';
    socket.setEncoding('utf8');
    socket.on('data', (data) => {
      said += data;
      if (half && said.includes('event: hello')) socket.end();
      if (end && end(said, socket)) { socket.destroy(); done(said); }
    });
    socket.on('end', () => { socket.destroy(); done(said); });
    socket.on('error', (error) => (error.code === 'ECONNRESET' || error.code === 'EPIPE' ? done(said) : fail(error)));
    socket.write(text);
  });
}

const ask = (version = '1.1', more = '') => `GET /v1/stream?channels=world HTTP/${version}\r\nHost: x\r\nAccept: text/event-stream\r\n${more}\r\n`;

test('a client of HTTP/1.0 reads until the connection ends, and never sees a chunk', async (t) => {
  const stage = await Stage.open(t);
  const said = talk(stage, ask('1.0'), { end: (heard) => heard.includes('event: post') && heard.endsWith('\n\n') });
  await stage.metric('newswire_readers').becomes(1);
  await stage.publish(item(), 'world');
  const [head, body] = (await said).split('\r\n\r\n');
  assert.doesNotMatch(head, /transfer-encoding|content-length/i);
  assert.match(body, /^retry: \d+\n\nid: .*\nevent: hello\n/);
});

test('a client that closes its side is a reader no more', async (t) => {
  const stage = await Stage.open(t);
  assert.match(await talk(stage, ask(), { half: true }), /event: hello/);
  await stage.metric('newswire_readers').becomes(0);
  await stage.metric('newswire_readers_closed_total{reason="normal"}').becomes(1);
});

test('what a client says on a stream is thrown away, and too much of it ends the stream', async (t) => {
  const stage = await Stage.open(t);
  const quiet = await Events.open(stage, { channels: ['world'] });
  const said = await talk(stage, ask(), { end: (heard, socket) => {
    if (heard.includes('event: hello')) socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(200));
    return false;
  } });
  assert.doesNotMatch(said.slice(20), /HTTP\/1\.1 \d/);
  await stage.metric('newswire_readers_closed_total{reason="too_many"}').becomes(1);
  await stage.publish(item(), 'world');
  await quiet.hasRead(1);
});

test('a second request in the same packet is not answered within the stream', async (t) => {
  const stage = await Stage.open(t);
  const said = talk(stage, ask() + ask(), { end: (heard) => heard.includes('event: post') && heard.endsWith('\n\n') });
  await stage.metric('newswire_readers').becomes(1);
  await stage.publish(item(), 'world');
  assert.equal((await said).match(/HTTP\/1\.1 200/g).length, 1);
});

test('a client that never reads is bounded, falls behind, and everyone else keeps reading', async (t) => {
  const stage = await Stage.open(t, { sndbuf: '16k', backlog: '64m' });
  const quick = await Events.open(stage, { channels: ['world'] });
  const slow = await Events.open(stage, { channels: ['world'] });
  slow.stopReading();
  const body = 'z'.repeat(20000);
  const story = item({ body });
  await stage.publish(story, 'world');
  for (let n = 2; n <= 400; n++) {
    await stage.publish(item({ body, uri: n % 2 ? undefined : story.uri, version: String(n) }), 'world');
    await quick.hasRead(n);
  }
  await stage.metric('newswire_readers_lagging').becomes(1);
  slow.goOnReading();
  await until(() => slow.id === quick.id, 'the slow one to have the last post');
  assert.ok(slow.posts.length < 400, 'replaced versions were left out');
  const final = (reader) => new Map(reader.posts.map((post) => [post.item.uri, post.item.version]));
  assert.deepEqual([...final(slow)].sort(), [...final(quick)].sort());
  await stage.metric('newswire_readers_lagging').becomes(0);
});

test('a client that never reads and is given up leaves nothing behind', async (t) => {
  const stage = await Stage.open(t, { sndbuf: '16k', 'user-timeout': '1s' });
  const quick = await Events.open(stage, { channels: ['world'] });
  const stuck = await Events.open(stage, { channels: ['world'] });
  stuck.stopReading();
  for (let n = 1; (await stage.metric('newswire_readers_lagging').read()) === 0; n++) {
    await stage.publish(item({ body: 'z'.repeat(20000) }), 'world');
    await quick.hasRead(n);
  }
  await stage.stop(); // drains; a bye cannot reach it, and nothing waits for it
  await stuck.closed;
});

test('a thousand streams that come and go leave no descriptor behind', async (t) => {
  const stage = await Stage.open(t);
  const [worker] = await stage.workers();
  const { readdir } = await import('node:fs/promises');
  const open = async () => (await readdir(`/proc/${worker}/fd`)).length;
  (await Events.open(stage)).close();
  await stage.metric('newswire_readers').becomes(0);
  await stage.metric('newswire_canary_seconds_count').reaches(1); // the worker's connection to itself is there
  const before = await open();
  for (let round = 0; round < 10; round++) {
    const readers = await Promise.all(Array.from({ length: 100 }, () => Events.open(stage, { channels: ['world'] })));
    readers.forEach((reader, n) => (n % 2 ? reader.close() : reader.request.socket?.[stage.isSealed ? 'destroy' : 'resetAndDestroy']() ?? reader.close()));
    await stage.metric('newswire_readers').becomes(0);
  }
  await until(async () => (await open()) <= before + 1, 'the descriptors to be closed'); // one is that of /metrics
});
