// Readers who were away: they come back with their cursor and miss nothing, or are told.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Stage, Store, item, until } from './stage.mjs';

const uris = (reader) => reader.posts.map((post) => post.item?.uri ?? post.uri);

test('a reader who was away gets what it missed, in order, each once', async (t) => {
  const stage = await Stage.open(t);
  const first = await stage.reader({ channels: ['world'] });
  await stage.publish(item(), 'world');
  await first.hasRead(1);
  first.close();
  const missed = [];
  for (let i = 0; i < 30; i++) {
    const story = item();
    missed.push(story.uri);
    await stage.publish(story, 'world');
    await stage.publish(item(), 'sport');
  }
  const back = await stage.reader({ channels: ['world'], since: first.cursor });
  assert.equal((await back.type('hello')).resumed, true);
  await back.hasRead(30);
  assert.deepEqual(uris(back), missed);
  await stage.publish(item(), 'world');
  await back.hasRead(31);
});

test('what is older than the backlog comes from Redis, read once for many', async (t) => {
  const stage = await Stage.open(t, { backlog: '64k' });
  const first = await stage.reader({ channels: ['world'] });
  await stage.publish(item(), 'world');
  await first.hasRead(1);
  first.close();
  const missed = [];
  for (let i = 0; i < 200; i++) {
    const story = item({ body: 'x'.repeat(2000) });
    missed.push(story.uri);
    await stage.publish(story, 'world');
  }
  const head = await stage.reader({});
  await until(async () => (await stage.redis.xlen('{newswire}:wire')) === 201, '201 posts on the wire');
  await head.settled();
  const many = await Promise.all(Array.from({ length: 20 }, () => stage.reader({ channels: ['world'], since: first.cursor })));
  for (const reader of many) {
    await reader.hasRead(200);
    assert.deepEqual(uris(reader), missed);
  }
  const reads = await stage.metric('newswire_history_reads_total').read();
  assert.ok(reads >= 1 && reads <= 6, `${reads} reads for 20 readers`);
});

test('after a restart of newswired a cursor from before still holds', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  await stage.publish(item(), 'world');
  await reader.hasRead(1);
  await stage.publish(item(), 'world');
  await reader.hasRead(2);
  const since = reader.posts[0].cursor;
  await stage.restart();
  const back = await stage.reader({ channels: ['world'], since });
  await back.hasRead(1);
  assert.deepEqual(uris(back), [reader.posts[1].item.uri]);
});

test('versions that were replaced meanwhile are left out for one who was away, the final one comes', async (t) => {
  const stage = await Stage.open(t);
  const live = await stage.reader({ channels: ['world'] });
  const since = live.cursor;
  const uri = 'urn:newsml:conflated:1';
  for (let version = 1; version <= 5; version++) await stage.publish(item({ uri, version: String(version), headline: `v${version}` }), 'world');
  await live.hasRead(5);
  const back = await stage.reader({ channels: ['world'], since });
  await back.settled();
  await back.hasRead(1);
  assert.equal(back.posts[0].item.headlines[0].value, 'v5');
  assert.equal(back.posts[0].action, 'correct');
});

test('a cursor of another epoch, from below the floor, or that never was: a gap, and on from now', async (t) => {
  const stage = await Stage.open(t, { 'wire-max': 10, backlog: '64k' });
  const reader = await stage.reader({ channels: ['world'] });
  await stage.publish(item(), 'world');
  await reader.hasRead(1);
  const old = reader.cursor;
  const [epoch, id] = old.split(':');
  for (let i = 0; i < 100; i++) await stage.publish(item({ body: 'y'.repeat(2000) }), 'world');
  await reader.hasRead(101);
  await until(async () => (await stage.redis.xlen('{newswire}:wire')) <= 10, 'the wire to be trimmed');
  const never = `${epoch}:${Number(reader.cursor.split(':')[1].split('-')[0]) - 1}-77`;
  for (const since of [`other:${id}`, old, never]) {
    const back = await stage.reader({ channels: ['world'], since });
    const gap = await back.type('gap');
    assert.equal(gap.cursor, reader.cursor);
    await stage.publish(item(), 'world');
    await back.hasRead(1);
    await reader.hasRead(reader.posts.length);
    await until(() => reader.cursor === back.cursor, 'both at one place');
  }
  assert.equal(await stage.metric('newswire_gaps_total').read(), 3);
});

test('a cursor that makes no sense is refused with a reason', async (t) => {
  const stage = await Stage.open(t);
  for (const since of ['x', 'e:1', 'e:1-', 'e:99999999999999999999999-1', ':1-1', 'é:1-1', 'e:1-1-1']) {
    const reader = stage.connect({ since });
    assert.equal((await reader.type('error')).code, 'bad_cursor', since);
    assert.equal((await reader.ends()).code, 4000);
  }
  await stage.metric('newswire_readers_closed_total{reason="bad_subscription"}').becomes(7);
});

test('a cursor ahead of its worker waits, and is told of a gap when Redis never had it', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  await stage.publish(item(), 'world');
  await reader.hasRead(1);
  const [epoch, id] = reader.cursor.split(':');
  const ahead = await stage.reader({ channels: ['world'], since: `${epoch}:${Number(id.split('-')[0]) + 100000}-0` });
  assert.equal((await ahead.type('gap')).cursor, reader.cursor);
  await stage.publish(item(), 'world');
  await ahead.hasRead(1);
});

test('subscribe replaces the subscription on the fly: nothing lost, nothing twice', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  await stage.publish(item(), 'world');
  await reader.hasRead(1);
  reader.send({ type: 'subscribe', ref: 7, channels: ['sport', 'world'] });
  const answer = await reader.type('subscribed');
  assert.equal(answer.ref, 7);
  assert.equal(answer.cursor, reader.posts[0].cursor);
  await stage.publish(item(), 'sport');
  await stage.publish(item(), 'world');
  await reader.hasRead(3);
  reader.send({ type: 'subscribe', ref: 'back', channels: ['world'], since: answer.cursor });
  await reader.saw((m) => m.type === 'subscribed' && m.ref === 'back');
  await reader.hasRead(4);
  assert.equal(reader.posts[3].item.uri, reader.posts[2].item.uri);
});

test('a slow reader is bounded, catches up by itself, and everyone else keeps reading', async (t) => {
  const stage = await Stage.open(t, { sndbuf: '16k', backlog: '64m' });
  const quick = await stage.reader({ channels: ['world'] });
  const slow = await stage.reader({ channels: ['world'] });
  slow.stopReading();
  const body = 'z'.repeat(20000);
  const story = item({ body });
  await stage.publish(story, 'world');
  for (let i = 2; i <= 400; i++) {
    await stage.publish(item({ body, uri: i % 2 ? undefined : story.uri, version: String(i) }), 'world');
    await quick.hasRead(i); // it keeps up: so it sees every version
  }
  await stage.metric('newswire_readers_lagging').becomes(1);
  slow.goOnReading();
  await slow.saw((m) => m.type === 'post' && m.cursor === quick.posts.at(-1).cursor, 'the last post');
  assert.ok(slow.posts.length < 400, 'replaced versions were left out');
  const final = (reader) => new Map(reader.posts.map((post) => [post.item.uri, post.item.version]));
  assert.deepEqual([...final(slow)].sort(), [...final(quick)].sort());
  await stage.metric('newswire_readers_lagging').becomes(0);
  assert.ok((await stage.metric('newswire_conflated_total').read()) > 0);
});

test('a reader who falls off the backlog is told of a gap, never less', async (t) => {
  const stage = await Stage.open(t, { sndbuf: '8k', backlog: '64k' });
  const quick = await stage.reader({ channels: ['world'] });
  const stuck = await stage.reader({ channels: ['world'] });
  stuck.stopReading();
  for (let i = 1; i <= 600; i++) {
    await stage.publish(item({ body: 'q'.repeat(20000) }), 'world');
    await quick.hasRead(i);
  }
  stuck.goOnReading();
  const gap = await stuck.type('gap');
  assert.ok(quick.posts.some((post) => post.cursor === gap.cursor), 'the gap ends at a place of this wire');
  await stage.publish(item(), 'world');
  await quick.hasRead(601);
  await stuck.saw((m) => m.type === 'post' && m.cursor === quick.cursor, 'the post after the last gap');
  const at = stuck.messages.indexOf(gap);
  const read = stuck.messages.slice(0, at).filter((m) => m.type === 'post').map((p) => p.cursor);
  assert.deepEqual(read, quick.posts.slice(0, read.length).map((p) => p.cursor));
});
