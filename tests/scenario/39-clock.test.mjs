// Embargoes end at their time; and if somebody sets the clock, none ends before its time, none twice, and none is forgotten.
import test from 'node:test';
import assert from 'node:assert/strict';
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Stage, Store, WallClock, item, until } from './stage.mjs';

const HOUR = 3600_000;
const at = (ms) => new Date(ms).toISOString();
const jumps = (stage) => stage.log.split('\n').filter((line) => line.includes('event=clock_jumped')).length;
const held = (stage) => stage.redis.zcard('{newswire}:embargo');

test('an embargo ends at its time, on every worker of every node', async (t) => {
  const COUNT = 40;
  const READERS = 16; // of each node: each of its two workers has some
  const store = await Store.open(t);
  const nodes = [await Stage.open(t, { store, workers: 2 }), await Stage.open(t, { store, workers: 2 })];
  const readers = (await Promise.all(nodes.flatMap((node) => Array.from({ length: READERS }, () => node.reader())))).map((reader) => {
    const late = new Map();
    reader.socket.on('message', (data) => {
      const { item: story } = JSON.parse(data);
      if (story) late.set(story.uri, Date.now() - Date.parse(story.embargoedUntil));
    });
    return { reader, late };
  });
  const begin = Date.now() + 2000;
  for (let i = 0; i < COUNT; i += 1) // some at the same moment, some between two seconds
    assert.equal((await nodes[i % 2].post(item({ uri: `urn:due:${i}`, embargoedUntil: at(begin + 3 * Math.floor(i / 3) * 47) }))).status, 202);
  await Promise.all(readers.map(({ reader }) => reader.hasRead(COUNT)));
  const all = readers.flatMap(({ late }) => [...late.values()]).sort((a, b) => a - b);
  assert.equal(all.length, COUNT * READERS * 2);
  assert.ok(all[0] >= 0, `${-all[0]} ms before its time`);
  const [half, most] = [all[all.length >> 1], all.at(-1)];
  t.diagnostic(`${COUNT} embargoes, ${readers.length} readers on 4 workers: ms after the time: half within ${half}, all within ${most}`);
  assert.ok(half < 3000 && most < 10000, 'not once a second, but when it is due'); // 100 ms is the aim; a busy machine may miss it
});

test('Redis\' clock jumps two hours ahead: what is under embargo waits for its time', async (t) => {
  const clock = await WallClock.open(t);
  const store = await Store.open(t, [], clock.env);
  const stage = await Stage.open(t, { store, workers: 2 });
  const other = await Stage.open(t, { store });
  const reader = await stage.reader();
  const end = Date.now() + 3000;
  assert.equal((await stage.post(item({ uri: 'urn:soon', embargoedUntil: at(end) }))).status, 202);
  assert.equal((await stage.post(item({ uri: 'urn:later', embargoedUntil: at(Date.now() + HOUR) }))).status, 202);
  clock.jump(2 * HOUR);
  await until(() => jumps(stage) === 2 && jumps(other) === 1, 'every worker to see the jump');
  await stage.metric('newswire_clock_doubted').becomes(2);
  assert.equal((await other.post(item({ uri: 'urn:also', embargoedUntil: at(Date.now() + HOUR) }))).status, 202, 'by Redis it was over');
  const [soon] = await reader.hasRead(1);
  assert.ok(Date.now() >= end, 'not before its time');
  assert.equal(soon.item.uri, 'urn:soon');
  const [pid] = await stage.workers();
  process.kill(pid, 'SIGKILL');
  await until(() => jumps(stage) === 3, 'a worker that started after the jump to doubt it, too');
  assert.equal(await held(stage), 2);
  clock.jump(0);
  await stage.logged(/event=clock_believed .*came back/);
  await stage.metric('newswire_clock_doubted').becomes(0);
  assert.equal(await held(stage), 2);
});

test('the clock of the whole machine jumps: a worker that starts afterwards is told by those that lived through it', async (t) => {
  const clock = await WallClock.open(t);
  const stage = await Stage.open(t, { workers: 2, env: clock.env });
  assert.equal((await stage.post(item({ embargoedUntil: at(Date.now() + HOUR) }))).status, 202);
  await until(async () => (await stage.redis.exists('{newswire}:clock')) === 0, 'nobody to doubt');
  clock.jump(2 * HOUR);
  await until(() => jumps(stage) === 2, 'both workers to see the jump');
  await until(async () => (await stage.redis.get('{newswire}:clock')), 'others to be told');
  const [pid] = await stage.workers();
  process.kill(pid, 'SIGKILL');
  await until(async () => { const pids = await stage.workers(); return pids.length === 2 && !pids.includes(pid); }, 'a new worker');
  await stage.metric('newswire_redis_ready').becomes(2);
  const ticks = async () => (await stage.redis.get('{newswire}:clock')).split(' ')[0];
  for (let i = 0, last = await ticks(); i < 3; i += 1, last = await ticks()) await until(async () => (await ticks()) !== last, 'a second to pass');
  assert.equal(await held(stage), 1);
  assert.equal((await stage.post(item({ embargoedUntil: at(Date.now() + HOUR) }))).status, 202);
  assert.equal(await held(stage), 2);
});

test('Redis\' clock goes back and returns: what was released is not released again, and nothing is forgotten', async (t) => {
  const clock = await WallClock.open(t);
  const store = await Store.open(t, [], clock.env);
  const stage = await Stage.open(t, { store, workers: 2, 'raw-publish': 'everything' });
  const reader = await stage.reader();
  const first = item({ uri: 'urn:first', embargoedUntil: at(Date.now() + 300) });
  await stage.publish(first);
  await reader.hasRead(1);
  await stage.post(item({ uri: 'urn:second', embargoedUntil: at(Date.now() + 1000) }));
  clock.jump(-2 * HOUR);
  await until(() => jumps(stage) === 2, 'both workers to see the jump');
  assert.equal((await stage.post(item({ uri: 'urn:news' }))).status, 201);
  await reader.hasRead(2);
  await stage.publish(first); // a tool tries again
  await stage.metric('newswire_desk_heard_total').becomes(6); // two PUBLISHes that both workers heard, two posts
  assert.equal((await stage.post(first)).body.status, 'duplicate');
  assert.equal(await held(stage), 1);
  clock.jump(0);
  const posts = await reader.hasRead(3);
  assert.deepEqual(posts.map((post) => post.item.uri), ['urn:first', 'urn:news', 'urn:second']);
  const cursors = posts.map((post) => post.cursor.split(':')[1].split('-').map(Number));
  assert.ok(cursors.every(([ms, seq], i) => i === 0 || ms > cursors[i - 1][0] || (ms === cursors[i - 1][0] && seq > cursors[i - 1][1])),
    'the wire goes only forward');
});

test('a clock that stays where it was set is followed after a while', async (t) => {
  const clock = await WallClock.open(t);
  const store = await Store.open(t, [], clock.env);
  const stage = await Stage.open(t, { store, 'clock-patience': '2s' });
  const reader = await stage.reader();
  await stage.post(item({ embargoedUntil: at(Date.now() + HOUR) }));
  const begin = Date.now();
  clock.jump(2 * HOUR);
  await until(() => jumps(stage) === 1, 'the jump to be seen');
  await reader.hasRead(1);
  assert.ok(Date.now() - begin >= 1900, 'not at once');
  assert.match(stage.log, /event=clock_believed .*long enough/);
});

test('Redis\' clock was set back, and Redis loses its last posts: their ids are given to no others, and who has seen them is told', async (t) => {
  const clock = await WallClock.open(t);
  const store = await Store.open(t, [], clock.env);
  const stage = await Stage.open(t, { store, 'stall-time': '60s' });
  const reader = await stage.reader();
  const news = async (node, count) => { for (let i = 0; i < count; i += 1) assert.equal((await node.post(item())).status, 201); };
  clock.jump(HOUR);
  await news(stage, 1);
  clock.jump(0);
  await news(stage, 3);
  const [file, copy] = [join(store.dir, 'appendonlydir'), join(store.dir, 'copy')];
  await cp(file, copy, { recursive: true });
  await news(stage, 5);
  const lost = (await reader.hasRead(9)).slice(-5);

  const [pid] = await stage.workers(); // it comes back late
  process.kill(pid, 'SIGSTOP');
  await store.kill();
  await rm(file, { recursive: true });
  await rename(copy, file);
  await store.start();
  const other = await Stage.open(t, { store });
  await news(other, 12);
  const ids = (await store.redis.xrange('{newswire}:wire', '-', '+')).map(([id]) => id);
  assert.equal(ids.length, 16);
  assert.deepEqual(lost.filter(({ cursor }) => ids.includes(cursor.split(':')[1])), []);
  process.kill(pid, 'SIGCONT');
  await reader.type('gap');
  assert.equal(await stage.metric('newswire_wire_forks_total').read(), 1);

  const late = await other.reader({ since: lost[2].cursor });
  await late.type('gap'); // also who has only a cursor
});

test('time on the wire goes at half its pace until a clock that was set back has caught up', async (t) => {
  const clock = await WallClock.open(t);
  const store = await Store.open(t, [], clock.env);
  const stage = await Stage.open(t, { store });
  const sent = async () => {
    const asked = Date.now();
    const { body } = await stage.post(item());
    return { asked, id: Number(body.id.split('-')[0]), answered: Date.now() };
  };
  clock.jump(3000);
  const first = await sent();
  clock.jump(0);
  const ahead = [];
  for (let post = await sent(), last = first.id; post.id > post.answered; last = post.id, post = await sent()) {
    assert.ok(post.id >= last);
    ahead.push(post);
  }
  assert.ok(ahead.length > 20, `${ahead.length} posts`);
  const [begin] = ahead; // from its moment on, within these, it goes at half its pace
  const time = ahead.at(-1).answered - begin.asked;
  t.diagnostic(`${ahead.length} posts in ${time} ms, on the wire ${ahead.at(-1).id - first.id} ms`);
  assert.ok(time > 4000, 'twice as long as it was ahead');
  for (const { asked, id, answered } of ahead) {
    const [least, wire, most] = [(asked - begin.answered) / 2, id - first.id, (answered - begin.asked) / 2];
    assert.ok(wire >= least - 5 && wire <= most + 5, `${wire} after ${2 * least} to ${2 * most}`);
  }
  assert.ok((await sent()).id >= begin.asked, 'and then with the clock');
});
