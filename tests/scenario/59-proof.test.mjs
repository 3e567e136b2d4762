// The proof: every kind of client reads the same thousand posts exactly once and in order, compressed and not, directly and through
// proxies, though each is cut off again and again, and once its worker dies.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { launch, otherPage, readCentrifugeWith, readSocketsWith, readWith } from './clients.mjs';
import { cutter } from './events.mjs';
import { haproxy, nginx } from './proxies.mjs';
import { Stage, until } from './stage.mjs';
import { news } from './thousand.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

const POSTS = 1000;
const CHAPTER = 100; // posts; after each, everyone has read all
const BROKEN = [1, 4, 6]; // chapters in which every reader is cut off …
const CUT_WITHIN = 8000; // … at some byte of so many: fewer than the shortest form of a chapter has
const DEADLY = 8; // the chapter in which a worker dies

/** Bytes are the same in every run. */
function random(seed) {
  let state = seed;
  return (below) => (state = state * 48271 % 2147483647) % below;
}

const STREAM = '/v1/stream?channels=world';
const both = ['plain', 'compressed'];
const gzip = /^content-encoding: gzip\r$/im, deflate = /^sec-websocket-extensions: permessage-deflate/im;

/** Who reads, where, with which codings, and what the answer to a compressed one says. (Centrifuge's frames are never compressed.) */
const CLIENTS = [
  { name: 'eventsource', read: readWith.eventsource, by: 'http', to: STREAM, codings: both, says: gzip },
  { name: 'Chromium\'s EventSource', read: readWith.Chromium, by: 'http', to: STREAM, codings: both, says: gzip },
  { name: 'curl', read: readWith.curl, by: 'http', to: STREAM, codings: ['plain'], says: gzip },
  { name: 'curl --compressed', read: readWith['curl --compressed'], by: 'http', to: STREAM, codings: ['compressed'], says: gzip },
  { name: 'ws', read: readSocketsWith.ws, by: 'ws', to: STREAM, codings: both, says: deflate },
  { name: 'ws, each alone', read: readSocketsWith['ws, each alone'], by: 'ws', to: STREAM, codings: ['compressed'], says: deflate },
  { name: 'Chromium\'s WebSocket', read: readSocketsWith.Chromium, by: 'ws', to: STREAM, codings: both, says: deflate },
  { name: 'centrifuge', read: readCentrifugeWith.centrifuge, by: 'ws', to: '/connection/websocket', codings: ['plain'], says: deflate },
  { name: 'centrifuge in Chromium', read: readCentrifugeWith.Chromium, by: 'ws', to: '/connection/websocket', codings: ['plain'], says: deflate },
];

/** Everybody, each on a way of his own. A plain one says not a word of compression. */
async function enter(t, ways) {
  const page = await otherPage(t, browser);
  const readers = [];
  for (const { way, base, only } of ways)
    for (const { name, read, by, to, codings, says } of CLIENTS.filter((client) => only === undefined || client.by === only))
      for (const coding of codings) {
        const relay = await cutter(t, base, [Infinity], { without: coding === 'plain' ? ['accept-encoding', 'sec-websocket-extensions'] : [] });
        const url = relay.url.replace('http', by) + new URL(base).pathname.replace(/\/$/, '') + to;
        readers.push({ who: `${name}, ${coding}, ${way}`, coding, says, relay, ...await read(t, url, { page }) });
      }
  for (const { ready } of readers) await ready();
  return readers;
}

const count = async ({ count: counted, posts }) => (counted === undefined ? (await posts()).length : counted());

/** Until everybody has so many. */
async function all(readers, n) {
  for (const reader of readers)
    await until(async () => await count(reader) >= n, `${reader.who} to have ${n} posts`, 60_000)
      .catch(async (e) => { throw new Error(`${e.message}; it has ${await count(reader)}`); });
}

/** Also where a worker dies meanwhile: an item is published once, however often it is sent. */
const publish = (stage, piece) => until(async () => {
  const { status, body } = await stage.post(piece, { channels: 'world' }).catch(() => ({}));
  return status === 200 && body.results.every((result) => ['accepted', 'duplicate'].includes(result.status));
}, 'the posts to be accepted');

/** What the store says: each post's place, and what became of which version of which story. */
async function wire(stage) {
  const entries = await stage.redis.xrange('{newswire}:wire', '-', '+');
  return entries.map(([id, fields]) => {
    const { action, uri, version } = JSON.parse(fields[fields.indexOf('meta') + 1]);
    return { id, action, uri, version };
  });
}

const told = ({ cursor, action, uri, version, item }) =>
  ({ id: cursor.split(':')[1], action, uri: uri ?? item.uri, version: version ?? item.version });

test('every client reads the same thousand posts exactly once and in order, however it is cut off', async (t) => {
  const stage = await Stage.open(t, { workers: 2, tick: '10s' });
  const proxy = await nginx(t, stage.url);
  const readers = await enter(t, [
    { way: 'directly', base: stage.url },
    { way: 'through HAProxy', base: await haproxy(t, stage.url) },
    { way: 'through nginx', base: `${proxy}/new/` },
    { way: 'through nginx, HTTP/1.0', base: proxy, only: 'http' },
  ]);
  const draw = random(59);
  let n = 0, number = 0;
  for (const chapter of news(POSTS, CHAPTER)) {
    if (BROKEN.includes(number)) for (const { relay } of readers) relay.cutAfter(1 + draw(CUT_WITHIN), draw(2) === 1);
    if (number === DEADLY) process.kill((await stage.workers())[0], 'SIGKILL');
    await publish(stage, chapter.slice(0, CHAPTER / 2));
    await publish(stage, chapter.slice(CHAPTER / 2));
    await all(readers, n += chapter.length);
    number += 1;
  }
  const expected = await wire(stage);
  assert.equal(expected.length, POSTS);
  for (const action of ['publish', 'correct', 'kill']) assert.ok(expected.some((post) => post.action === action), action);
  const [first] = readers;
  const texts = JSON.stringify((await first.posts()).map(({ id, ...post }) => post));
  for (const { who, posts, relay, coding, says } of readers) {
    const read = (await posts()).map(({ id, like, ...post }) => post);
    assert.deepEqual(read.map(told), expected, who);
    assert.equal(JSON.stringify(read), texts, `${who}: word for word as ${first.who}`);
    assert.equal(relay.cuts, BROKEN.length, `${who}: cuts`);
    for (const answer of relay.answers.filter((text) => /^HTTP\/1\.\d (101|200) /.test(text))) assert.equal(says.test(answer), coding === 'compressed', `${who}: ${answer}`);
  }
  const last = new Map(expected.map((post) => [post.uri, post]));
  for (const { uri, version, action } of last.values()) {
    const { status, body } = await stage.http(`/v1/items/${encodeURIComponent(uri)}`);
    assert.equal(status, action === 'kill' ? 410 : 200, uri);
    assert.equal(body.item?.version ?? body.version, version, uri);
  }
});
