// The goal: what a program publishes with the SDK is taken exactly once, in order, and is never called taken before it is.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import WebSocket from 'ws';
import { publish, publisher } from '../../clients/web/sdk/newswire.js';
import { launch } from './clients.mjs';
import { cutter } from './events.mjs';
import { changeKeys, keyOf, publisher as keyFor, putKeys } from './keys.mjs';
import { Stage, item, until } from './stage.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

function open(t, stage, options = {}) {
  const desk = publisher({ url: stage.url, key: stage.key, WebSocket, ...options });
  t.after(() => desk.close());
  desk.errors = [];
  desk.addEventListener('error', ({ detail }) => desk.errors.push(detail.code));
  desk.live = () => until(() => desk.status.state === 'live', 'the line');
  return desk;
}

const numbers = (count) => Array.from({ length: count }, (_, n) => String(n + 1));
const headlines = (reader) => reader.posts.map((post) => post.item.headlines[0].value);

test('five hundred items go up without waiting for each other, and come out in order', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const desk = open(t, stage);
  const receipts = await Promise.all(numbers(500).map((headline) => desk.publish(item({ headline }), { channels: ['world'] })));
  assert.deepEqual([...new Set(receipts.map(({ status, http, durability }) => `${status} ${http} ${durability}`))], ['accepted 201 fsync']);
  await reader.hasRead(500);
  assert.deepEqual(headlines(reader), numbers(500));
  assert.deepEqual([desk.publisher, desk.status.via, desk.waiting], ['node', 'websocket', 0]);
  assert.ok(desk.may.includes('publish'));
});

test('one item, one call; and the same again is no second post', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({});
  const story = item();
  const options = { url: stage.url, key: stage.key, WebSocket, channels: ['world'], idempotencyKey: 'once' };
  assert.equal((await publish(story, options)).status, 'accepted');
  const again = await publish(story, options);
  assert.deepEqual([again.status, again.replayed], ['accepted', true]);
  assert.equal((await publish(story, { ...options, idempotencyKey: undefined })).status, 'duplicate');
  await reader.settled();
  assert.equal(reader.posts.length, 1);
});

test('the line is cut thirty times, in the middle of items and of answers: each is taken once, each has its receipt', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const relay = await cutter(t, stage.url);
  const desk = open(t, stage, { url: relay.url, random: () => 0.002 });
  const receipts = [];
  let answered = 0;
  for (let round = 0; round < 30; round++) {
    await desk.live();
    const connections = relay.heads.length;
    for (let n = 0; n < 10; n++) {
      const promise = desk.publish(item({ headline: String(receipts.length + 1), body: 'word '.repeat(n * 40) }), { channels: ['world'] });
      receipts.push(promise);
      promise.then(() => answered++);
    }
    if (round % 3 === 0) relay.cutAfter(round * 37, round % 2 === 0);
    else if (round % 3 === 1) relay.cutAll();
    else { await until(() => answered > round * 10, 'an answer of this round'); relay.cutAll(); }
    await until(() => relay.heads.length > connections, 'another connection');
  }
  assert.deepEqual((await Promise.all(receipts)).map(({ status }) => status), Array(300).fill('accepted'));
  await reader.hasRead(300);
  assert.deepEqual(headlines(reader), numbers(300));
  assert.ok(relay.heads.length > 30, `${relay.heads.length} connections`);
  assert.ok(relay.heads.every((head) => !head.includes(stage.key)), 'the key is in no head');
  assert.ok(!stage.log.includes(stage.key), 'and in no log');
});

test('where no upgrade gets through, items are posted, in order', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const relay = await cutter(t, stage.url, [Infinity], { without: ['upgrade'] });
  const desk = open(t, stage, { url: relay.url, random: () => 0.002 });
  const receipts = await Promise.all(numbers(20).map((headline) => desk.publish(item({ headline }), { channels: ['world'] })));
  assert.deepEqual(receipts.map(({ http }) => http), Array(20).fill(201));
  await reader.hasRead(20);
  assert.deepEqual(headlines(reader), numbers(20));
  assert.equal(desk.status.via, 'post');
  await assert.rejects(desk.publish({ uri: 'urn:x', urgency: 77, headlines: [{ value: 'x' }] }), (error) =>
    error.code === 'bad_value' && error.status === 422 && error.errors[0].pointer === '/urgency');
});

test('what is refused says why; the line and the items behind it go on', async (t) => {
  const stage = await Stage.open(t);
  const desk = open(t, stage);
  const bad = desk.publish({ uri: 'urn:x', urgency: 77, headlines: [{ value: 'x' }] }, { channels: ['world'] });
  const good = desk.publish(item(), { channels: ['world'] });
  await assert.rejects(bad, (error) => error.code === 'bad_value' && error.status === 422 && error.errors[0].pointer === '/urgency');
  assert.equal((await good).status, 'accepted');
  await assert.rejects(desk.publish(item({ body: 'x'.repeat(300 << 10) })), { code: 'too_large' });
  assert.equal((await desk.publish(item({ embargoedUntil: new Date(Date.now() + 3_600_000).toISOString() }), { channels: ['world'] })).status, 'held');
});

test('a key that is none, or is revoked, ends it; nothing is taken', async (t) => {
  const stage = await Stage.open(t);
  const none = open(t, stage, { key: 'nw_of_nobody' });
  await assert.rejects(none.publish(item()), { code: 'unauthorized', unknown: false });
  assert.equal(none.status.state, 'closed');
  await putKeys(stage.dir, { keys: [keyFor('desk', ['publish'])] });
  await until(() => stage.log.includes('event=keys_read'), 'the keys to be read');
  const desk = open(t, stage, { key: keyOf('desk') });
  assert.equal((await desk.publish(item(), { channels: ['world'] })).status, 'accepted');
  await assert.rejects(desk.publish(item({ pubStatus: 'canceled' }), { channels: ['world'] }), { code: 'may_not_kill', status: 403 });
  await changeKeys(stage, { keys: [] });
  await until(() => desk.status.state === 'closed', 'the line to end');
  await assert.rejects(desk.publish(item()), { code: 'unauthorized' });
});

test('while Redis is away nothing is called taken; back again, all of it is, once', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const desk = open(t, stage);
  await desk.live();
  const pid = await stage.redisPid();
  process.kill(pid, 'SIGKILL');
  let answered = 0;
  const receipts = numbers(20).map((headline) => desk.publish(item({ headline }), { channels: ['world'] }));
  for (const promise of receipts) promise.then(() => answered++);
  const all = await Promise.all(receipts);
  assert.deepEqual(all.map(({ status }) => status), Array(20).fill('accepted'));
  await reader.hasRead(20);
  assert.deepEqual(headlines(reader), numbers(20));
});

test('a server that is gone: what was sent is unknown, what was not is not, and the same key makes it safe', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const relay = await cutter(t, stage.url);
  const desk = open(t, stage, { url: relay.url });
  await desk.live();
  relay.cutAfter(0, false); // the answer is never heard
  relay.close();
  const story = item();
  const sent = desk.publish(story, { channels: ['world'], timeout: 1500 });
  const error = await sent.then(() => assert.fail('a receipt'), (reason) => reason);
  assert.deepEqual([error.code, error.unknown], ['unknown', true]);
  await assert.rejects(desk.publish(item(), { timeout: 10 }), { code: 'unavailable', unknown: false });
  const again = await publish(story, { url: stage.url, key: stage.key, WebSocket, channels: ['world'], idempotencyKey: error.idempotencyKey });
  assert.deepEqual([again.status, again.replayed], ['accepted', true]);
  await reader.settled();
  assert.equal(reader.posts.length, 1);
});

test('a page publishes too, with a key that is in no address', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const page = await browser.newPage();
  t.after(() => page.close());
  const addresses = [];
  page.on('request', (request) => addresses.push(request.url()));
  page.on('websocket', (socket) => addresses.push(socket.url()));
  await page.goto(`${stage.url}/robots.txt`);
  const receipt = await page.evaluate(async ([key, story]) => {
    const { publish: send } = await import('/sdk/newswire.js');
    return send(story, { key, channels: ['world'] });
  }, [stage.key, item({ headline: 'From a page' })]);
  assert.deepEqual([receipt.status, receipt.http], ['accepted', 201]);
  await reader.hasRead(1);
  assert.ok(addresses.some((address) => address.endsWith('/v1/publish')));
  assert.ok(addresses.every((address) => !address.includes(stage.key)));
});
