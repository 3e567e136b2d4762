// What a POST may hold and be told: several items in one, an Idempotency-Key, a body cut short; nothing half-done.
import test from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Stage, Store, item, until } from './stage.mjs';
import { changeKeys, keyOf, publisher } from './keys.mjs';

const lines = (items) => items.map((i) => (typeof i === 'string' ? i : JSON.stringify(i))).join('\n');
const ndjson = { headers: { 'content-type': 'application/x-ndjson' } };
const results = (text) => text.trim().split('\n').map((line) => JSON.parse(line));
const kill = (story, version = '9') => ({ uri: story.uri, version, pubStatus: 'canceled' });

test('an array: every item has its result, in order, and a correction follows its story', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const reader = await stage.reader({ channels: ['world'] });
  const one = item(), two = item();
  const answer = await stage.post([one, { ...one, version: '2', headlines: [{ value: 'Corrected' }] }, item({ urgency: 12 }), two, two,
    { ...item(), embargoedUntil: new Date(Date.now() + 3600e3).toISOString() }, kill(two)], { channels: 'world' });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/json');
  const { refused, later, results: said } = answer.body;
  assert.deepEqual([refused, later], [1, 0]);
  assert.deepEqual(said.map((r) => r.index), [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(said.map((r) => r.http), [201, 201, 422, 201, 200, 202, 201]);
  assert.deepEqual(said.map((r) => r.status), ['accepted', 'accepted', 422, 'accepted', 'duplicate', 'held', 'accepted']);
  assert.deepEqual(said.map((r) => r.action), ['publish', 'correct', undefined, 'publish', undefined, undefined, 'kill']);
  assert.deepEqual(said[2].errors.map((e) => e.pointer), ['/urgency']);
  await until(() => reader.posts.length === 4, 'four posts').catch(async () => { await reader.settled(); });
  assert.deepEqual(reader.posts.map((p) => p.cursor.split(':')[1]).filter((id) => !said.some((r) => r.id === id)), []);
  assert.deepEqual(reader.posts.at(-1).action, 'kill');
  await stage.metric('newswire_batches_total').becomes(1);
});

test('lines: an item a line, a result a line; a broken line spoils only itself', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world', 'sport'] });
  const big = item({ body: 'y'.repeat(256 * 1024) });
  const answer = await stage.http('/v1/items?channels=world', { method: 'POST',
    headers: { authorization: `Bearer ${stage.key}`, 'content-type': 'application/x-ndjson; charset=utf-8' },
    body: `\n${lines([item(), '{"uri":"urn:x:cut', item({ channels: ['sport'] }), big, '[1]', '{"uri":5,"headlines":[{"value":"x"}]}'])}\r\n\n` });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/x-ndjson');
  const said = results(answer.text);
  assert.deepEqual(said.map((r) => [r.index, r.http, r.code ?? r.status]), [[0, 201, 'accepted'], [1, 400, 'not_json'],
    [2, 201, 'accepted'], [3, 413, 'too_large'], [4, 422, 'wrong_type'], [5, 422, 'wrong_type']]);
  await reader.hasRead(2);
  assert.ok(said[2].channels.includes('sport') && said[2].channels.includes('world'));
  await stage.metric('newswire_rejects_total{reason="too_large"}').becomes(1);
  assert.equal((await stage.rejects()).length, 4);
});

test('a body that is no batch is refused as a whole, and nothing of it is taken', async (t) => {
  const stage = await Stage.open(t, { maxBatch: '300k' });
  const many = Array.from({ length: 10000 }, (_, i) => ({ uri: `urn:many:${i}`, headlines: [{ value: 'x' }] }));
  const whole = JSON.stringify([item(), item()]);
  for (const [status, code, body, options] of [
    [413, 'too_large', JSON.stringify(many)],
    [400, 'not_json', whole.slice(0, -1)], [400, 'not_json', `${whole}]`], [400, 'not_json', whole.replace('},{', '},,{')],
    [400, 'empty', '[]'], [400, 'empty', ' \n ', ndjson], [400, 'empty', ''],
    [422, 'too_many_channels', whole, { channels: Array.from({ length: 257 }, (_, i) => `c${i}`) }],
  ]) {
    const answer = await stage.post(body, { channels: 'world', ...options });
    assert.deepEqual([answer.status, answer.body.code], [status, code]);
    assert.ok(answer.body.detail.length > 10);
  }
  assert.equal(await stage.redis.exists('{newswire}:wire'), 0);
  assert.equal(await stage.metric('newswire_batches_refused_total').read(), 5);
  await stage.logged(/batch_refused reason=not_json/);
});

test('10,000 items in one batch are refused with a number; 1,000 are taken, in order', async (t) => {
  const stage = await Stage.open(t);
  const many = (n) => Array.from({ length: n }, (_, i) => ({ uri: `urn:many:${i}`, headlines: [{ value: `Story ${i}` }] }));
  for (const [body, options] of [[many(10000), {}], [lines(many(10000)), ndjson], [many(1001), {}]]) {
    const answer = await stage.post(body, { channels: 'world', ...options });
    assert.deepEqual([answer.status, answer.body.code], [413, 'too_many_items']);
    assert.match(answer.body.detail, /^the batch has (10000|1001) items; at most 1000 /);
  }
  assert.equal(await stage.redis.exists('{newswire}:wire'), 0);
  const reader = await stage.reader({ channels: ['world'] });
  const single = item();
  const [answer, alone] = await Promise.all([stage.post(many(1000), { channels: 'world' }), stage.post(single, { channels: 'sport' })]);
  assert.equal(alone.status, 201, 'one who posts one finds a place beside a batch');
  assert.deepEqual([answer.status, answer.body.refused, answer.body.later], [200, 0, 0]);
  assert.equal(answer.body.results.length, 1000);
  answer.body.results.forEach((r, i) => assert.deepEqual([r.index, r.http, r.uri], [i, 201, `urn:many:${i}`]));
  const posts = await reader.hasRead(1000);
  assert.deepEqual(posts.map((p) => p.item.uri), many(1000).map((i) => i.uri));
});

test('what is sent as something else than JSON is 415, and the answer says what is taken', async (t) => {
  const stage = await Stage.open(t);
  for (const type of ['text/plain;charset=UTF-8', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/xml',
    'application/json; charset=iso-8859-1']) {
    const answer = await stage.post(item(), { headers: { 'content-type': type } });
    assert.deepEqual([answer.status, answer.body.code], [415, 'bad_content_type'], type);
    assert.match(answer.body.detail, /application\/json.*application\/x-ndjson/);
  }
  assert.equal(await stage.redis.exists('{newswire}:wire'), 0);
  for (const type of ['application/json', 'application/ninjs+json', 'text/json', 'application/vnd.iptc.ninjs+json; charset=utf-8'])
    assert.equal((await stage.post(item(), { headers: { 'content-type': type } })).status, 201, type);
});

/** A POST whose body stops at `part` of what its Content-Length says; the socket. */
async function cutShort(stage, body, part) {
  const socket = stage.dial();
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  socket.write(`POST /v1/items?channels=world HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${stage.key}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`);
  await new Promise((go) => socket.write(body.slice(0, part), go));
  return socket;
}

test('a body shorter than its Content-Length is never taken, not even the items that are whole', async (t) => {
  const stage = await Stage.open(t);
  const body = JSON.stringify([item(), item()]);
  const cut = stage.metric('newswire_http_cut_short_total');
  (await cutShort(stage, body, body.length - 1)).end();
  await cut.becomes(1);
  (await cutShort(stage, JSON.stringify(item()), 40)).destroy();
  await cut.becomes(2);
  const silent = await cutShort(stage, body, 10); // says nothing more, and does not hang up
  await new Promise((done) => { silent.on('close', done); }); // by a reset too
  await cut.becomes(3);
  assert.equal(await stage.redis.exists('{newswire}:wire'), 0);
  assert.equal((await stage.post(item())).status, 201);
});

test('a publisher who leaves: what was handed in stays, the rest is dropped, and the batch can be posted again', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store });
  const batch = Array.from({ length: 1000 }, (_, i) => ({ uri: `urn:left:${i}`, headlines: [{ value: `Story ${i}` }] }));
  await store.redis.call('CLIENT', 'PAUSE', '4500', 'WRITE'); // at 5 s without a word Redis would be given up
  const body = JSON.stringify(batch);
  const socket = await cutShort(stage, body, body.length);
  await stage.metric('newswire_desk_heard_total').reaches(64);
  socket.destroy();
  await stage.metric('newswire_batch_items_dropped_total').becomes(936);
  assert.equal(await stage.redis.xlen('{newswire}:wire'), 64);
  const again = await stage.post(batch, { channels: 'world' });
  assert.deepEqual(again.body.results.map((r) => r.status), batch.map((_, i) => (i < 64 ? 'duplicate' : 'accepted')));
  assert.equal(await stage.redis.xlen('{newswire}:wire'), 1000);
});

test('without Redis a batch is 503 as a whole; if Redis goes while it runs, each item says what became of it', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store });
  const batch = Array.from({ length: 500 }, (_, i) => ({ uri: `urn:away:${i}`, headlines: [{ value: `Story ${i}` }] }));
  await store.redis.set('{newswire}:item:urn:away:3', 'planted');
  const some = await stage.post(batch.slice(0, 6), { channels: 'world' });
  assert.deepEqual(some.body.results.map((r) => r.code ?? r.status), ['accepted', 'accepted', 'accepted', 'store', 'accepted', 'accepted']);
  assert.equal(some.body.later, 1);
  await store.redis.del('{newswire}:item:urn:away:3');

  await store.kill();
  await until(async () => (await stage.http('/readyz/publish')).status === 503, 'the loss to be noticed');
  const none = await stage.post(batch, { channels: 'world' });
  assert.deepEqual([none.status, none.body.code, none.headers.get('retry-after')], [503, 'redis_away', '1']);
  await store.start();
  await until(async () => (await stage.http('/readyz/publish')).status === 200, 'Redis to be back');
  await store.redis.config('SET', 'maxmemory', '1');
  const full = await stage.post(batch.slice(6), { channels: 'world' });
  assert.equal(full.status, 503);
  await store.redis.config('SET', 'maxmemory', '0');
  await until(async () => (await stage.http('/readyz/publish')).status === 200, 'the desk to go on');
  const all = await stage.post(batch, { channels: 'world' });
  assert.deepEqual(all.body.results.map((r) => r.status), batch.map((_, i) => (i < 6 && i !== 3 ? 'duplicate' : 'accepted')));
});

test('bad input inside a batch: each kind has the answer that it has alone, and its neighbours are taken', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const deep = `${'['.repeat(10000)}${']'.repeat(10000)}`;
  const bad = [
    ['too_deep', `{"uri":"urn:x:1","headlines":[{"value":"x"}],"deep":${deep}}`],
    ['too_deep', deep],
    ['duplicate_key', '{"uri":"urn:x:2","uri":"urn:x:3","headlines":[{"value":"x"}]}'],
    ['bad_value', '{"uri":"urn:x:4","headlines":[{"value":"a\\u0000b"}]}'],
    ['bad_value', '{"uri":"urn:x:5","he\\u0000adlines":[{"value":"x"}]}'],
    ['not_json', '{"uri":"urn:x:6","headlines":[{"value":"a\0b"}]}'],
    ['wrong_type', '{"uri":"urn:x:7","version":true,"headlines":[{"value":"x"}]}'],
    ['wrong_type', '{"uri":"urn:x:8","version":{"major":1},"headlines":[{"value":"x"}]}'],
    ['wrong_type', '{"uri":"urn:x:9","version":[1],"headlines":[{"value":"x"}]}'],
    ['empty', '{"uri":"urn:x:10"}'],
    ['bad_channel', '{"uri":"urn:x:11","channels":["class:flash"],"headlines":[{"value":"x"}]}'],
  ];
  for (const [code, text] of bad) {
    const alone = await stage.post(text, { channels: 'alone', ...(text.startsWith('[') ? ndjson : {}) });
    const alonesCode = text.startsWith('[') ? alone.body.code ?? JSON.parse(alone.text).code : alone.body.code;
    assert.equal(alonesCode, code, text.slice(0, 60));
  }
  const body = lines(bad.flatMap(([, text]) => [item(), text]));
  const said = results((await stage.post(body, { channels: 'world', ...ndjson })).text);
  assert.deepEqual(said.filter((r) => r.index % 2 === 1).map((r) => r.code), bad.map(([code]) => code));
  assert.ok(said.filter((r) => r.index % 2 === 0).every((r) => r.http === 201));
  await reader.hasRead(bad.length);
  assert.equal(await stage.redis.exists('{newswire}:feed:alone'), 0);
});

test('a key may do in a batch what it may do alone, and a batch counts by its items', async (t) => {
  const stage = await Stage.open(t, { publishRate: 3 }); // six at once, and those are full again in two seconds
  await changeKeys(stage, { keys: [publisher('desk', ['publish'], { channels: ['sport'] }), publisher('other', ['publish', 'correct', 'kill'])] });
  const theirs = item(), own = item({ channels: ['sport'] });
  await stage.post(theirs, { channels: 'world', key: keyOf('other') });
  const desk = (items) => stage.post(items, { key: keyOf('desk') });
  const answer = await desk([own, { ...own, version: '2' }, kill(own), item({ channels: ['world'] }), kill(theirs), item({ channels: ['sport'] })]);
  assert.deepEqual(answer.body.results.map((r) => r.code ?? r.status), ['accepted', 'may_not_correct', 'may_not_kill', 'channel_forbidden', 'not_owner', 'accepted']);
  assert.equal(answer.body.refused, 4);
  const many = Array.from({ length: 101 }, () => item({ channels: ['sport'] }));
  const refused = await desk(many);
  assert.deepEqual([refused.status, refused.body.code, refused.headers.get('retry-after')], [429, 'too_many_posts', '1']);
  assert.equal(await stage.redis.xlen('{newswire}:wire'), 3, 'nothing of it was taken');
  let late;
  await until(async () => (late = await desk(many)).status !== 429, 'the allowance to be full again');
  assert.deepEqual([late.status, late.body.refused], [200, 0]);
});

test('<script> in every field of every item of a batch reaches no reader', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const script = '<script>alert(1)</script>';
  const story = (n) => ({ uri: `urn:script:${n}:${script}`, version: script, type: 'text', title: script, by: script, slugline: script,
    located: script, edNote: script, copyrightHolder: script, usageTerms: script,
    headlines: [{ role: 'main', contentType: 'text/html', value: `${script}Head` }],
    descriptions: [{ contentType: 'text/html', value: `${script}Text` }],
    bodies: [{ contentType: 'text/html', value: `<p onclick="x()">${script}Body</p>` }],
    subjects: [{ name: script, uri: 'javascript:alert(1)' }], people: [{ name: script }] });
  const answer = await stage.post([story(1), story(2)], { channels: 'world' });
  assert.deepEqual(answer.body.results.map((r) => r.http), [201, 201]);
  for (const post of await reader.hasRead(2))
    for (const text of [post.item.headlines, post.item.descriptions, post.item.bodies].flat().filter((e) => e.contentType === 'text/html'))
      assert.doesNotMatch(text.value, /<script|onclick/i, 'HTML that a page would show');
});

const again = (key) => ({ headers: { 'idempotency-key': key } });
const without = ({ replayed, ...rest }) => rest;

test('an Idempotency-Key: the same request has the same receipt again, another one is refused', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const reader = await stage.reader({ channels: ['world'] });
  const story = item();
  const first = await stage.post(story, { channels: 'world', ...again('"8e03978e-40d5-43e8-bc93-6894a57f9324"') });
  assert.equal(first.status, 201);
  assert.equal(first.body.replayed, undefined);
  await reader.hasRead(1); // of a story that is killed before it is offered only the kill would go out
  await stage.post(kill(story), { channels: 'world' });
  const second = await stage.post(story, { channels: 'world', ...again('"8e03978e-40d5-43e8-bc93-6894a57f9324"') });
  assert.deepEqual([second.status, second.body.replayed], [201, true]);
  assert.deepEqual(without(second.body), first.body, 'to the letter, though the story was killed');
  assert.equal((await stage.post(story, { channels: 'world' })).body.status, 'duplicate', 'without the key the same bytes are a duplicate');

  for (const [what, options] of [[item(), {}], [story, { channels: 'sport' }]]) {
    const other = await stage.post(what, { channels: 'world', ...options, ...again('"8e03978e-40d5-43e8-bc93-6894a57f9324"') });
    assert.deepEqual([other.status, other.body.code], [422, 'idempotency_mismatch']);
  }
  await reader.hasRead(2);
  await stage.metric('newswire_desk_total{result="replayed"}').becomes(1);
  await stage.metric('newswire_rejects_total{reason="idempotency_mismatch"}').becomes(2);

  for (const bad of [item({ urgency: 12 }), '{"uri":"urn:x:cut']) {
    const key = again(`bad-${JSON.stringify(bad).length}`);
    const [one, two] = [await stage.post(bad, key), await stage.post(bad, key)];
    assert.deepEqual([two.status, two.body.replayed], [one.status, true]);
    assert.deepEqual(without(two.body), one.body);
    assert.equal((await stage.post(item(), key)).body.code, 'idempotency_mismatch');
  }
});

test('an Idempotency-Key survives a lost answer: Redis and newswired go away, and the receipt is the same', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store });
  const [one, held] = [item(), { ...item(), embargoedUntil: new Date(Date.now() + 3600e3).toISOString() }];
  const before = [await stage.post(one, again('k-1')), await stage.post(held, again('k-2'))];
  await stage.stop('SIGKILL');
  await store.kill();
  await store.start();
  await stage.start();
  const after = [await stage.post(one, again('k-1')), await stage.post(held, again('k-2'))];
  assert.deepEqual(after.map((a) => [a.status, a.body.replayed]), [[201, true], [202, true]]);
  assert.deepEqual(after.map((a) => without(a.body)), before.map((b) => b.body));
  assert.equal(await store.redis.xlen('{newswire}:wire'), 1);
});

test('an Idempotency-Key of a batch is that of each item: what was decided is said again, the rest is decided', async (t) => {
  const stage = await Stage.open(t);
  const batch = Array.from({ length: 4 }, () => item());
  const half = await stage.post(batch.slice(0, 2), again('batch-1'));
  const all = await stage.post(batch, again('batch-1'));
  assert.deepEqual(all.body.results.map((r) => [r.http, r.replayed]), [[201, true], [201, true], [201, undefined], [201, undefined]]);
  assert.deepEqual(all.body.results.slice(0, 2).map(without), half.body.results);
  const turned = await stage.post([batch[1], batch[0]], again('batch-1'));
  assert.deepEqual(turned.body.results.map((r) => r.code), ['idempotency_mismatch', 'idempotency_mismatch']);
  const single = await stage.post(item(), again('batch-1'));
  assert.deepEqual([single.status, single.body.replayed], [201, undefined], "a single item's key is another one");
});

test('an Idempotency-Key is 1 to 255 visible characters, and each publisher has his own', async (t) => {
  const stage = await Stage.open(t);
  await changeKeys(stage, { keys: [publisher('desk', ['publish'])] });
  for (const bad of ['', 'two words', 'x'.repeat(256), 'k\u00e9y']) {
    const answer = await stage.post(item(), again(bad));
    assert.deepEqual([answer.status, answer.body.code], [400, 'bad_idempotency_key'], JSON.stringify(bad));
  }
  assert.equal(await stage.redis.exists('{newswire}:wire'), 0);
  const long = again('x'.repeat(255));
  assert.equal((await stage.post(item(), long)).status, 201);
  assert.equal((await stage.post(item(), { key: keyOf('desk'), ...long })).status, 201);
  const names = await stage.redis.keys('{newswire}:idem:*');
  assert.deepEqual(names.map((name) => name.replace(/[0-9a-f]{32}$/, '')).sort(), ['{newswire}:idem:desk:', '{newswire}:idem:node:']);
  for (const name of names) assert.ok(await stage.redis.pttl(name) > 3600e3);
});

test('a receipt says how many readers were connected to the node, on whatever worker and channel', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  assert.equal((await stage.post(item(), { channels: 'world' })).body.readers, 0);
  for (let i = 0; i < 5; i++) await stage.reader({ channels: [i % 2 ? 'world' : 'sport'] });
  await stage.metric('newswire_readers').becomes(5);
  const story = item();
  const { body } = await stage.post(story, { channels: 'world' });
  assert.equal(body.readers, 5);
  assert.equal((await stage.post(story, { channels: 'world' })).body.readers, undefined, 'a duplicate is written to nobody');
  assert.equal((await stage.post(kill(item()), {})).body.readers, undefined, 'nor is a kill of what nobody had seen');
});
