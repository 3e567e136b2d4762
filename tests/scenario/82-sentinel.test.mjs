// The goal: Redis' Sentinels make another master, and nobody notices: readers stay, nothing that was accepted is lost or doubled, no gap is told where
// nothing was lost; and where the new master lacks the last posts, that is told.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { Sentinels } from './sentinels.mjs';
import { Stage, item, program, until } from './stage.mjs';

const uris = (reader) => reader.posts.map((post) => post.item?.uri ?? post.uri);

/** Where a master has no replica left (83-replicas has the others). */
const alone = { replicas: 0 };

/** Where no master dies: one that stands still for a moment stays it. */
const calm = { downMs: 5000 };

/** Posts all the time, each item until it is accepted. */
function desk(t, stage) {
  const posts = { accepted: [], over: false };
  const end = (async () => {
    while (!posts.over) {
      const story = item();
      for (;;) {
        const answer = await stage.post(story, { channels: 'world' }).catch((error) => ({ status: 0, error }));
        if (answer.status === 200 || answer.status === 201) break;
        assert.equal(answer.status, 503, JSON.stringify(answer.body));
        await new Promise((go) => setTimeout(go, 20));
      }
      posts.accepted.push(story.uri);
    }
  })();
  posts.end = async () => { posts.over = true; await end; };
  posts.more = async (n, patience) => { const was = posts.accepted.length; await until(() => posts.accepted.length >= was + n, `${n} more posts`, patience); };
  t.after(() => posts.end());
  return posts;
}

async function whole(reader, posts) {
  await posts.end();
  await until(() => reader.posts.length >= posts.accepted.length, 'the reader to have everything');
  assert.deepEqual(uris(reader), posts.accepted, 'each once, in order');
  assert.equal(reader.messages.filter((m) => m.type === 'gap').length, 0);
  assert.equal(reader.closed, null);
}

test('the master dies: news goes on from the replica, and the old one comes back as a replica', async (t) => {
  const redises = await Sentinels.open(t);
  const stage = await Stage.open(t, { store: redises, workers: 2, ...alone });
  const reader = await stage.reader();
  const posts = desk(t, stage);
  await posts.more(10);
  const old = redises.master;
  await redises.replicasFollow(1);
  await old.stop();
  await redises.newMaster();
  await posts.more(10);
  assert.ok(await stage.metric('newswire_redis_failovers_total').read() >= 1);
  assert.equal(await stage.metric('newswire_wire_forks_total').read(), 0);
  await old.start();
  await until(async () => (await old.redis.role())[0] === 'slave', 'the old master to follow the new one');
  await posts.more(10);
  await whole(reader, posts);
});

test('the master is frozen: it counts as away, and when it thaws nobody goes back to it', async (t) => {
  const redises = await Sentinels.open(t);
  const stage = await Stage.open(t, { store: redises, ...alone });
  const reader = await stage.reader();
  const posts = desk(t, stage);
  await posts.more(10);
  await redises.replicasFollow(1);
  const old = redises.master;
  old.freeze();
  await redises.newMaster();
  await posts.more(10);
  old.thaw();
  await posts.more(10);
  await whole(reader, posts);
});

test('a failover on order, twice, and a Sentinel that has died meanwhile: nothing was lost, and no gap is told', async (t) => {
  const redises = await Sentinels.open(t, { replicas: 2, ...calm });
  const stage = await Stage.open(t, { store: redises, workers: 2 });
  const reader = await stage.reader();
  const accepted = [];
  for (const [i, sentinel] of redises.sentinels.slice(1).entries()) {
    const posts = desk(t, stage);
    await posts.more(10);
    await posts.end();
    accepted.push(...posts.accepted);
    const length = await redises.redis.xlen('{newswire}:wire');
    for (const replica of redises.replicas) await until(async () => (await replica.redis.xlen('{newswire}:wire')) === length, 'the replica to have everything');
    await until(async () => (await sentinel.redis.call('SENTINEL', 'FAILOVER', redises.name).catch(() => '')) === 'OK', 'the failover to begin');
    await redises.newMaster();
    // The old master lives, and would take what a worker that has not heard of it yet sends there (docs/redis.md).
    await stage.metric('newswire_redis_failovers_total').reaches(2 * (i + 1));
    await redises.sentinels[0].stop();
  }
  await until(async () => (await stage.post(item(), { channels: 'world' }).catch(() => ({}))).status === 201, 'a post');
  await until(() => reader.posts.length === accepted.length + 1, 'the reader to have everything');
  assert.deepEqual(uris(reader).slice(0, -1), accepted);
  assert.equal(reader.messages.filter((m) => m.type === 'gap').length, 0);
});

test('a Sentinel forgets the master: the others are believed, and no connection is given up', async (t) => {
  const redises = await Sentinels.open(t, calm);
  const stage = await Stage.open(t, { store: redises, workers: 2, ...alone });
  const reader = await stage.reader();
  const posts = desk(t, stage);
  await posts.more(10);
  const lost = await stage.metric('newswire_redis_lost_total').read();
  await redises.sentinels[0].redis.call('SENTINEL', 'REMOVE', redises.name);
  await until(() => stage.log.split('event=redis_master_unknown').length > 2, 'both workers to have heard it');
  await posts.more(300, 60000); // and the others are asked again meanwhile
  assert.equal(await stage.metric('newswire_redis_failovers_total').read(), 0);
  assert.equal(await stage.metric('newswire_redis_lost_total').read(), lost);
  await whole(reader, posts);
});

test('the new master lacks the last post: a new epoch begins, and readers are told that there is a gap', async (t) => {
  const redises = await Sentinels.open(t);
  const stage = await Stage.open(t, { store: redises, ...alone });
  const reader = await stage.reader();
  assert.equal((await stage.post(item(), { channels: 'world' })).status, 201);
  await redises.replicasFollow(1);
  await until(async () => Number(await redises.replicas[0].redis.xlen('{newswire}:wire')) === 1, 'the replica to have the first');
  redises.replicas[0].freeze();
  await redises.redis.call('CLIENT', 'KILL', 'TYPE', 'replica'); // or the post would wait for it in its socket
  assert.equal((await stage.post(item({ headline: 'Lost' }), { channels: 'world' })).status, 201);
  await reader.hasRead(2);
  await redises.master.stop();
  redises.replicas[0].thaw();
  await redises.newMaster();
  const gap = await reader.type('gap');
  assert.notEqual(gap.cursor.split(':')[0], reader.messages[0].cursor.split(':')[0]);
  await until(async () => (await stage.post(item(), { channels: 'world' })).status === 201, 'a post');
  await until(() => reader.posts.length === 3, 'the next post');
  assert.ok(await stage.metric('newswire_wire_forks_total').read() >= 1);
});

/** Starts newswired where it cannot become ready, and waits until its log says why. */
async function complains(t, redis, pattern) {
  const dir = await mkdtemp(join(tmpdir(), 'nw-sentinel-'));
  const child = spawn(program('newswired'), ['--port=0', '--workers=1', `--state-dir=${dir}`, `--redis=${redis}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (text) => { log += text; });
  t.after(async () => {
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
    await rm(dir, { recursive: true, force: true });
  });
  await until(() => pattern.test(log), `a line like ${pattern}`).catch((error) => { throw new Error(`${error.message}:\n${log}`); });
  return log;
}

test('a name that the Sentinels do not know, and a --redis that is a replica, are said in words; a password is not said', async (t) => {
  const redises = await Sentinels.open(t, calm);
  await complains(t, redises.address.replace(/news$/, 'olds'), /event=redis_master_unknown name=olds error="ERR No such master.*sentinel monitor NAME/);
  await complains(t, `redis://127.0.0.1:${redises.replicas[0].port}`, /event=redis_is_replica .*nothing can be written there.*--redis names the master/);
  const shown = await new Promise((done) => execFile(program('newswired'), ['--print-config',
    '--redis=redis+sentinel://desk:s3cret@h:1,i:2/news/3?sentinel_user=u&sentinel_password=hush'], (error, out) => done(out)));
  assert.match(shown, /redis\+sentinel:\/\/desk:\*\*\*@h:1,i:2\/news\/3\?\*\*\*/);
  assert.doesNotMatch(shown, /s3cret|hush/);
});
