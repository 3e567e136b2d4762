// The goal: a Redis that is there and takes nothing says why, in words: to who posts (503), to who looks (/readyz/publish), and once to the log. Nothing
// is lost meanwhile, and when it is over news flows again by itself.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, rmdir } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { Stage, Store, item, until } from './stage.mjs';

const user = (...rules) => ['ACL', 'SETUSER', 'newswired', ...rules];
const WHOLE = user('reset', 'on', '>secret', '~*', '&*', '+@all');
const RIGHTS = /does not let the user of --redis.*ACL SETUSER/;

/** What is done to Redis, how it ends, and what is said. open: items are taken all the same. */
const troubles = [
  { name: 'no memory left', words: /has no memory left \(maxmemory\) \(raise its maxmemory/,
    make: ({ redis }) => redis.config('SET', 'maxmemory', '1'), end: ({ redis }) => redis.config('SET', 'maxmemory', '0') },
  { name: 'no snapshot can be written', words: /cannot write to its disk.*make room/,
    make: async ({ redis, dir }) => {
      await mkdir(join(dir, 'gone'));
      await redis.config('SET', 'dir', join(dir, 'gone'));
      await rmdir(join(dir, 'gone'));
      await redis.config('SET', 'save', '900 1');
      await redis.bgsave();
      await until(async () => /rdb_last_bgsave_status:err/.test(await redis.info('persistence')), 'the snapshot to fail');
    },
    end: async ({ redis, dir }) => { await redis.config('SET', 'dir', dir); await redis.config('SET', 'save', ''); } },
  { name: 'too few replicas', words: /fewer replicas than its min-replicas-to-write.*bring its replicas back/,
    make: ({ redis }) => redis.config('SET', 'min-replicas-to-write', '1'), end: ({ redis }) => redis.config('SET', 'min-replicas-to-write', '0') },
  { name: 'no right to run scripts', words: RIGHTS, make: ({ redis }) => redis.call(...user('-evalsha')), end: ({ redis }) => redis.call(...WHOLE) },
  { name: 'no right to what a script does', words: RIGHTS, make: ({ redis }) => redis.call(...user('-xadd')), end: ({ redis }) => redis.call(...WHOLE) },
  { name: 'no right to listen', words: RIGHTS, open: true,
    make: async ({ redis }) => { await redis.call(...user('-psubscribe')); await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'); },
    end: ({ redis }) => redis.call(...WHOLE) },
  { name: 'another password', words: /does not know the user and password of --redis.*set them right/,
    make: async ({ redis }) => { await redis.call(...user('resetpass', '>other')); await redis.call('CLIENT', 'KILL', 'USER', 'newswired'); },
    end: ({ redis }) => redis.call(...WHOLE) },
  { name: 'a replica', words: /is a replica, and takes nothing \(--redis must name the master/,
    make: ({ redis }) => redis.replicaof('127.0.0.1', 1), end: ({ redis }) => redis.replicaof('NO', 'ONE') },
];

async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  return port;
}

async function opened(t) {
  const port = await freePort();
  const store = await Store.open(t, ['--port', String(port), '--bind', '127.0.0.1', '--enable-protected-configs', 'yes']);
  await store.redis.call(...WHOLE);
  const stage = await Stage.open(t, { store: { address: `redis://newswired:secret@127.0.0.1:${port}`, redis: store.redis } });
  return { store, stage };
}

const post = (stage, story = item()) => stage.post(story, { channels: 'world' });
const readiness = async (stage) => { const { status, text } = await stage.http('/readyz/publish'); return `${status} ${text}`; };
const count = (stage, pattern) => (stage.log.match(pattern) ?? []).length;

test('each trouble of Redis is said in words, once, and is over by itself', async (t) => {
  const { store, stage } = await opened(t);
  const reader = await stage.reader();
  let wanted = 0;
  for (const { name, words, open, make, end } of troubles) {
    await t.test(name, async () => {
      const from = stage.log.length;
      await make(store);
      if (!open) {
        const first = await until(async () => { const answer = await post(stage); wanted += answer.status === 201; return answer.status === 503 && words.test(answer.body.detail) && answer; },
          'the trouble to be told to who posts').catch(async (error) => { throw new Error(`${error.message}: ${(await post(stage)).text}`); });
        assert.deepEqual([first.body.code, first.headers.get('retry-after')], ['redis_away', '1']);
      }
      await until(async () => words.test(await readiness(stage)), '/readyz/publish to say so').catch(async (error) => { throw new Error(`${error.message}: ${await readiness(stage)}`); });
      assert.match(await readiness(stage), /^503 not ready: /);
      const heard = await stage.publish(item()).catch(() => 0);
      for (let i = 0; i < 5; i++) {
        const { status } = await post(stage);
        assert.equal(status, open ? 201 : 503);
        wanted += status === 201;
      }
      await end(store);
      await until(async () => (await readiness(stage)) === '200 ready\n', 'news to be taken again');
      assert.equal((await post(stage)).status, 201);
      wanted += 1 + (heard > 0);
      await until(() => reader.posts.length === wanted, `the reader to have ${wanted} posts`);
      const log = stage.log.slice(from);
      assert.equal((log.match(/event=redis_trouble /g) ?? []).length, 1, log);
      assert.doesNotMatch(log, /store_refused|item_lost/);
    });
  }
  assert.equal(reader.messages.filter(({ type }) => type === 'gap').length, 0);
  assert.ok(count(stage, /event=redis_trouble_over/g) >= 5);
});

test('a Redis that throws keys away when it is full: items are taken, and no receipt says that they are safe', async (t) => {
  const { store, stage } = await opened(t);
  const durable = async (level) => until(async () => (await post(stage)).body.durability === level, `receipts to say ${level}`);
  assert.equal((await post(stage)).body.durability, 'fsync');
  await store.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await store.redis.config('SET', 'maxmemory', '1gb');
  await durable('memory');
  assert.match(await readiness(stage), /^200 ready, degraded: Redis throws news away when its memory is full \(set its maxmemory-policy to noeviction/);
  await store.redis.config('SET', 'maxmemory-policy', 'noeviction');
  await durable('fsync');
  assert.equal(await readiness(stage), '200 ready\n');
  assert.equal(count(stage, /event=redis_evicts /g), 1);
});

test('a PUBLISH that Redis does not take yet outlives a reload, and a stop that does not wait for it says that it is lost', async (t) => {
  const { store, stage } = await opened(t);
  const refuse = async () => {
    await store.redis.config('SET', 'maxmemory', '1');
    assert.equal(await stage.publish(item(), 'world'), 1);
    await until(async () => /maxmemory/.test(await readiness(stage)), 'Redis to have refused it');
  };
  await refuse();
  const [old] = await stage.workers();
  stage.child.kill('SIGHUP');
  await stage.logged(/event=worker_drains/);
  const began = Date.now();
  const reader = await stage.reader();
  await until(() => Date.now() - began > 1000, 'five times --drain-time');
  assert.ok((await stage.workers()).includes(old), 'it waits for Redis');
  await store.redis.config('SET', 'maxmemory', '0');
  await reader.hasRead(1);
  await until(async () => !(await stage.workers()).includes(old), 'the old worker to end');
  assert.equal(await stage.metric('newswire_desk_total{result="lost"}').read(), 0);

  await refuse();
  stage.child.kill('SIGTERM');
  await until(() => count(stage, /event=worker_drains/g) === 2, 'the stop to begin');
  stage.child.kill('SIGTERM');
  await stage.stop();
  assert.match(stage.log, /event=item_lost channel=world bytes=\d+ why="the worker ends"/);
});
