// From PUBLISH to every reader: who gets what, in which order, how often.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Stage, sample, item } from './stage.mjs';

test('an item that is published to Redis is with its readers at once, whole', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const hello = await reader.type('hello');
  assert.deepEqual(Object.keys(hello), ['type', 'cursor', 'resumed', 'tick', 'retention', 'time', 'server']);
  assert.equal(hello.resumed, false);

  assert.equal(await stage.publish(sample(1), 'world'), 1);
  const [post] = await reader.hasRead(1);
  assert.deepEqual(Object.keys(post), ['type', 'cursor', 'action', 'class', 'channels', 'item']);
  assert.equal(post.action, 'publish');
  assert.equal(post.class, 'regular');
  for (const channel of ['world', 'feed:all', 'class:regular', 'type:text', 'lang:en', 'topic:20000337'])
    assert.ok(post.channels.includes(channel), `${channel} in ${post.channels}`);
  assert.equal(post.item.headlines[0].value, sample(1).headlines[0].value);
  assert.deepEqual(post.item.associations, sample(1).associations);
});

test('a reader gets its channels and nothing else; none named means everything', async (t) => {
  const stage = await Stage.open(t);
  const sport = await stage.reader({ channels: ['sport'] });
  const both = await stage.reader({ channels: ['sport', 'world'] });
  const all = await stage.reader();
  const flashes = await stage.reader({ class: 'flash' });
  const films = await stage.reader({ type: 'video' });
  const ukrainian = await stage.reader({ lang: 'uk' });
  await stage.publish(sample(1), 'world');
  await stage.publish(sample(2), 'sport');
  await stage.publish(sample(3), 'world');
  await stage.publish(sample(8), 'business');
  await all.hasRead(4);
  for (const reader of [sport, both, flashes, films, ukrainian]) await reader.settled();
  await sport.hasRead(1);
  await both.hasRead(3);
  assert.equal((await flashes.hasRead(1))[0].item.uri, sample(3).uri);
  assert.equal((await films.hasRead(1))[0].item.uri, sample(2).uri);
  assert.equal((await ukrainian.hasRead(1))[0].item.headlines[0].value, 'Ліхтарі на молі знову світять');
});

test('two workers: the item is on the wire once, and with the readers of both', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const readers = await Promise.all(Array.from({ length: 20 }, () => stage.reader({ channels: ['world'] })));
  for (let i = 0; i < 50; i++) await stage.publish(item(), 'world');
  for (const reader of readers) await reader.hasRead(50);
  assert.equal(await stage.redis.xlen('{newswire}:wire'), 50);
  for (const reader of readers) assert.deepEqual(reader.posts.map((p) => p.cursor), readers[0].posts.map((p) => p.cursor));
});

test('two nodes on one Redis: posted here, read there, once', async (t) => {
  const { Store } = await import('./stage.mjs');
  const store = await Store.open(t);
  const here = await Stage.open(t, { store });
  const there = await Stage.open(t, { store, workers: 2 });
  const reader = await there.reader({ channels: ['world'] });
  for (let i = 0; i < 20; i++) assert.equal((await here.post(item(), { channels: 'world' })).status, 201);
  for (let i = 0; i < 20; i++) await here.publish(item(), 'world');
  await reader.hasRead(40);
  assert.equal(await store.redis.xlen('{newswire}:wire'), 40);
  assert.equal((await here.feed('?limit=1')).cursor, reader.cursor);
});

test('the same item on a second channel reaches those who have not had it, and nobody twice', async (t) => {
  const stage = await Stage.open(t);
  const world = await stage.reader({ channels: ['world'] });
  const sport = await stage.reader({ channels: ['sport'] });
  const both = await stage.reader({ channels: ['sport', 'world'] });
  const story = item();
  await stage.publish(story, 'world');
  await stage.publish(story, 'world');
  await stage.publish(story, 'sport');
  await sport.hasRead(1);
  await both.settled();
  await world.settled();
  await world.hasRead(1);
  await both.hasRead(1);
});

test('the feed is one snapshot, and its cursor goes on in the stream: nothing missing, nothing twice', async (t) => {
  const stage = await Stage.open(t);
  const uris = [];
  let publishing = true;
  const publisher = (async () => {
    while (publishing) {
      const story = item();
      await stage.publish(story, 'world');
      uris.push(story.uri);
    }
  })();
  const readers = [];
  for (let i = 0; i < 10; i++) {
    const feed = await stage.feed('?channels=world&limit=100');
    readers.push({ feed, reader: await stage.reader({ channels: ['world'], since: feed.cursor }) });
  }
  publishing = false;
  await publisher;
  for (const { feed, reader } of readers) {
    const before = feed.items.map((post) => post.item.uri).reverse();
    await reader.saw((m) => m.type === 'post' && m.item.uri === uris.at(-1)).catch(() => {});
    const seen = [...before, ...reader.posts.map((post) => post.item.uri)];
    const first = uris.indexOf(seen[0]);
    assert.deepEqual(seen, first < 0 ? [] : uris.slice(first));
    assert.ok(feed.items.length < 100 ? first <= 0 : true);
  }
});

test('the feed has pages: each item once, in order, also while news comes in', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader();
  for (let i = 0; i < 45; i++) await stage.publish(item(), 'world');
  await reader.hasRead(45);
  let before = '';
  const seen = [];
  for (let page = 0; page < 5; page++) {
    const feed = await stage.feed(`?channels=world&limit=10${before}`);
    seen.push(...feed.items.map((post) => post.item.uri));
    await stage.publish(item(), 'world');
    if (!feed.before) break;
    before = `&before=${encodeURIComponent(feed.before)}`;
  }
  assert.deepEqual(seen, reader.posts.slice(0, 45).map((post) => post.item.uri).reverse());
});

test('a single item is found by its uri, whatever the uri looks like', async (t) => {
  const stage = await Stage.open(t);
  for (const uri of ['urn:newsml:a.example:1', 'https://news.example/a/b?c=d', 'tag:news.example,2026:ü/ж']) {
    assert.equal((await stage.post(item({ uri }), { channels: 'world' })).status, 201);
    const found = await stage.http(`/v1/items/${encodeURIComponent(uri)}`);
    assert.equal(found.status, 200, uri);
    assert.equal(found.body.item.uri, uri);
    assert.equal((await stage.http(`/v1/items?uri=${encodeURIComponent(uri)}`)).status, 200);
  }
  const missing = await stage.http('/v1/items/urn:no:such');
  assert.equal(missing.status, 404);
  assert.equal(missing.body.code, 'not_found');
});

test('a tick comes to every reader, and moves the cursor of one who gets nothing', async (t) => {
  const stage = await Stage.open(t, { tick: '1s' });
  const quiet = await stage.reader({ channels: ['nothing'] });
  const other = await stage.reader({ channels: ['world'] });
  await stage.publish(item(), 'world');
  const [{ cursor: head }] = await other.hasRead(1);
  await quiet.saw((m) => m.type === 'tick' && m.cursor === head, 'a tick with the new head');
});

test('edNote, contactInfo and annotations never leave', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader();
  const secret = 'ring the editor at 5';
  await stage.publish(item({ edNote: secret, ednote: secret, contactInfo: [{ name: secret }], annotations: [{ msg: secret }],
    associations: [{ name: 'main', type: 'picture', uri: 'urn:x', edNote: secret }] }), 'world');
  await reader.hasRead(1);
  assert.ok(!JSON.stringify(reader.messages).includes(secret));
  assert.ok(!(await stage.http('/v1/feed')).text.includes(secret));
  const keys = await stage.redis.keys('*body*');
  for (const key of keys) assert.ok(!(await stage.redis.get(key)).includes(secret));
});
