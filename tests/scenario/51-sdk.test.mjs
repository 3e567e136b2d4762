// The goal: a program that uses the SDK sees every story once and right, whatever happens to the server between.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import WebSocket from 'ws';
import * as source from '../../clients/web/sdk/newswire.js';
import { Stage, item, until } from './stage.mjs';

const { connect, fetchFeed, follow } = source;

/** A wire whose posts are kept. */
function listen(t, stage, options = {}) {
  const wire = connect({ url: stage.url, WebSocket, ...options });
  t.after(() => wire.close());
  wire.posts = [];
  wire.gaps = 0;
  wire.addEventListener('post', (event) => wire.posts.push(event.detail));
  wire.addEventListener('gap', () => wire.gaps++);
  wire.live = () => until(() => wire.status.state === 'live', 'the wire to be live');
  wire.hears = (n) => until(() => wire.posts.length >= n, `${n} posts (have ${wire.posts.length})`);
  return wire;
}

function following(t, stage, options = {}) {
  const news = follow({ url: stage.url, WebSocket, ...options });
  t.after(() => news.close());
  news.titles = () => [...news.store].map((entry) => entry.post?.item.headlines[0].value ?? entry.state);
  news.shows = (...titles) => until(() => JSON.stringify(news.titles()) === JSON.stringify(titles), `the list to be ${titles}`)
    .catch((error) => { throw new Error(`${error.message}; it is ${news.titles()}`); });
  return news;
}

/** Kills the server, which then cannot tidy up: the file that says where it runs is taken away here. */
async function crash(stage) {
  await stage.stop('SIGKILL');
  await rm(join(stage.dir, 'newswired.json'), { force: true });
}

const headline = (post) => post.item.headlines[0].value;

test('the feed goes on into the stream with nothing missing and nothing twice', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const published = [];
  for (let round = 0; round < 4; round++) {
    const storm = (async () => {
      for (let n = 0; n < 20; n++) {
        published.push(String(published.length + 1));
        await stage.publish(item({ headline: published.at(-1) }));
      }
    })();
    const feed = await fetchFeed({ url: stage.url, limit: 100 });
    const wire = listen(t, stage, { since: feed.cursor });
    await storm;
    await wire.hears(published.length - feed.items.length);
    assert.deepEqual([...feed.items.map(headline).reverse(), ...wire.posts.map(headline)], published);
    wire.close();
  }
});

test('the feed is read page by page, newest first, each story once', async (t) => {
  const stage = await Stage.open(t);
  for (let n = 1; n <= 25; n++) await stage.publish(item({ headline: String(n) }), n % 2 ? 'odd' : 'even');
  await until(async () => (await stage.feed('?limit=100')).items.length === 25, 'the feed to have them');
  const seen = [];
  let before;
  do {
    const page = await fetchFeed({ url: stage.url, channels: ['odd'], limit: 5, before });
    seen.push(...page.items.map(headline));
    before = page.before;
  } while (before);
  assert.deepEqual(seen, Array.from({ length: 13 }, (_, n) => String(25 - 2 * n)));
});

test('a killed server is come back to, from the place where the reader was', async (t) => {
  const stage = await Stage.open(t);
  const wire = listen(t, stage);
  await wire.live();
  await stage.publish(item({ headline: 'one' }));
  await wire.hears(1);
  stage.options.port = stage.state.port;
  await crash(stage);
  await until(() => wire.status.state === 'waiting', 'the loss to be noticed');
  await stage.start();
  await stage.publish(item({ headline: 'two' }));
  await stage.publish(item({ headline: 'three' }));
  await wire.hears(3);
  assert.deepEqual(wire.posts.map(headline), ['one', 'two', 'three']);
  assert.equal(wire.gaps, 0);
});

test('a server that shuts down says bye, and is obeyed', async (t) => {
  const stage = await Stage.open(t);
  const wire = listen(t, stage);
  await wire.live();
  let waiting;
  wire.addEventListener('status', ({ detail }) => { if (detail.state === 'waiting') waiting ??= detail; });
  stage.options.port = stage.state.port;
  await stage.restart();
  await until(() => waiting, 'the end of the connection');
  assert.equal(waiting.code, 1001);
  await stage.publish(item({ headline: 'again' }));
  await wire.hears(1);
});

test('a loop over a wire takes up tomorrow where it ended today', async (t) => {
  const stage = await Stage.open(t);
  const read = async (n, since, meanwhile = async () => {}) => {
    const wire = listen(t, stage, { since });
    const messages = [];
    const loop = (async () => {
      for await (const message of wire)
        if (messages.push(message) === n) return;
    })();
    await wire.live();
    await meanwhile();
    await loop;
    wire.close();
    return messages;
  };
  const today = await read(2, undefined, async () => {
    for (let n = 1; n <= 4; n++) await stage.publish(item({ headline: String(n) }));
  });
  const tomorrow = await read(2, today.at(-1).cursor);
  assert.deepEqual([...today, ...tomorrow].map(headline), ['1', '2', '3', '4']);
});

test('a subscription is replaced while the wire is live, and a refused one is not', async (t) => {
  const stage = await Stage.open(t);
  const wire = listen(t, stage, { channels: ['world'] });
  await wire.live();
  await wire.subscribe({ channels: ['sport'] });
  await stage.publish(item({ headline: 'not for us' }), 'world');
  await stage.publish(item({ headline: 'goal' }), 'sport');
  await wire.hears(1);
  await assert.rejects(wire.subscribe({ channels: ['NOT A CHANNEL'] }), { code: 'bad_channel' });
  await stage.publish(item({ headline: 'match over' }), 'sport');
  await wire.hears(2);
  assert.deepEqual(wire.posts.map(headline), ['goal', 'match over']);
});

test('a server that is there but silent is left after two ticks', async (t) => {
  const stage = await Stage.open(t, { tick: '1s' });
  const wire = listen(t, stage);
  await wire.live();
  const [worker] = await stage.workers();
  process.kill(worker, 'SIGSTOP');
  t.after(() => { try { process.kill(worker, 'SIGCONT'); } catch { /* it has ended */ } });
  await until(() => wire.status.reason === 'silent', 'the silence to be noticed');
  process.kill(worker, 'SIGCONT');
  await wire.live();
  await stage.publish(item({ headline: 'awake' }));
  await wire.hears(1);
});

test('a living list keeps itself right: order, corrections, holds, kills', async (t) => {
  const stage = await Stage.open(t);
  await stage.publish(item({ uri: 'urn:test:a', headline: 'a1' }));
  await until(async () => (await stage.feed()).items.length === 1, 'the feed to have it');
  const news = following(t, stage);
  await news.shows('a1');
  await until(() => news.wire.status.state === 'live', 'the stream');
  await stage.publish(item({ uri: 'urn:test:b', headline: 'b1' }));
  await stage.publish(item({ uri: 'urn:test:a', version: '2', headline: 'a2' }));
  await news.shows('b1', 'a2');
  await stage.publish(item({ uri: 'urn:test:b', version: '2', headline: 'b2', pubStatus: 'withheld' }));
  await news.shows('withheld', 'a2');
  await stage.publish(item({ uri: 'urn:test:b', version: '3', headline: 'b3' }));
  await news.shows('b3', 'a2');
  await stage.publish(item({ uri: 'urn:test:a', version: '3', headline: 'Kill a', pubStatus: 'canceled' }));
  await news.shows('b3', 'killed');
});

test('a story that leaves the channel leaves the list', async (t) => {
  const stage = await Stage.open(t);
  const news = following(t, stage, { class: ['urgent'] });
  await until(() => news.wire.status.state === 'live', 'the stream');
  await stage.publish(item({ uri: 'urn:test:a', headline: 'pressing', urgency: 3 }));
  await news.shows('pressing');
  await stage.publish(item({ uri: 'urn:test:a', version: '2', headline: 'not so pressing', urgency: 6 }));
  await news.shows();
});

test('a lost history is mended from the feed', async (t) => {
  const stage = await Stage.open(t);
  const news = following(t, stage);
  await until(() => news.wire.status.state === 'live', 'the stream');
  await stage.publish(item({ headline: 'old' }));
  await news.shows('old');
  await stage.redis.flushall();
  await news.shows();
  await stage.publish(item({ headline: 'new' }));
  await news.shows('new');
});

test('the module that the server serves is whole in one file, and does what the source does', async (t) => {
  const stage = await Stage.open(t);
  const { status, text, headers } = await stage.http('/sdk/newswire.js');
  assert.equal(status, 200);
  assert.match(headers.get('content-type'), /^text\/javascript/);
  const served = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  assert.deepEqual(Object.keys(served).sort(), Object.keys(source).sort());
  const wire = served.connect({ url: stage.url, WebSocket });
  t.after(() => wire.close());
  const heard = new Promise((resolve) => wire.addEventListener('post', ({ detail }) => resolve(detail)));
  await until(() => wire.status.state === 'live', 'the wire to be live');
  await stage.publish(item({ headline: 'served' }));
  assert.equal(headline(await heard), 'served');
});
