// Receipts with reach: to how many readers each post went, how many were behind and how long it took, over all workers and nodes.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Stage, Store, item, program, until } from './stage.mjs';
import { changeKeys, keyOf, publisher } from './keys.mjs';

const reach = (stage, uri, key = stage.key) => stage.http(`/v1/items/${encodeURIComponent(uri)}/reach`,
  { headers: key === null ? {} : { authorization: `Bearer ${key}` } });

/** The reach of a uri once test() is true of it. A worker that has only just started is away from Redis. */
const reachOnce = (stage, uri, test, what) => until(async () => {
  const { status, body } = await reach(stage, uri);
  if (status === 503) return null;
  assert.equal(status, 200, JSON.stringify(body));
  return test(body) ? body : null;
}, what);
const complete = (stage, uri, id) => reachOnce(stage, uri, (r) => r.id === id && r.complete, `the whole reach of ${uri}`);

/** One run of newswire: {code, out, err}. */
const command = (stage, args, env = {}) => new Promise((tell) => {
  execFile(program('newswire'), args, { env: { ...process.env, NEWSWIRE_STATE_DIR: stage.dir, NEWSWIRE_KEY: '', ...env } },
    (error, out, err) => tell({ code: error ? error.code : 0, out, err }));
});

/** So many readers, some at a time. */
async function crowd(stage, count, subscription) {
  const readers = [];
  while (readers.length < count)
    readers.push(...await Promise.all(Array.from({ length: Math.min(25, count - readers.length) }, () => stage.reader(subscription))));
  return readers;
}

test('a post is counted once for each reader, over two nodes of two workers', async (t) => {
  const store = await Store.open(t);
  const one = await Stage.open(t, { store, workers: 2 });
  const two = await Stage.open(t, { store, workers: 2 });
  const readers = [...await crowd(one, 60, { channels: ['world', 'sport'] }), ...await crowd(two, 40, { channels: ['sport'] }),
    ...await crowd(two, 5, { channels: ['weather'] })];
  const began = Date.now();
  const posted = await one.post(item({ uri: 'urn:reach:1' }), { channels: 'sport,world' });
  await Promise.all(readers.slice(0, 100).map((reader) => reader.hasRead(1)));
  const taken = Date.now() - began;
  const r = await complete(two, 'urn:reach:1', posted.body.id);
  assert.deepEqual({ ...r, ms: 0, posts: [] }, { uri: 'urn:reach:1', status: 'usable', id: posted.body.id, action: 'publish',
    version: '1', readers: 100, behind: 0, ms: 0, workers: 4, reported: 4, complete: true, posts: [] });
  assert.ok(r.ms >= 0 && r.ms <= taken + 200, `${r.ms} of ${taken} ms`);
  assert.deepEqual(r.posts, [{ id: r.id, action: r.action, version: '1', readers: 100, behind: 0, ms: r.ms, workers: 4, reported: 4, complete: true }]);
  assert.equal((await two.http(`/v1/reach?uri=urn:reach:1`, { headers: { authorization: `Bearer ${two.key}` } })).body.readers, 100);

  // A correction that leaves a channel: who only had that one is sent a `remove`, which is not the post.
  const corrected = await two.post(item({ uri: 'urn:reach:1', version: '2' }), { channels: 'world' });
  assert.equal((await complete(one, 'urn:reach:1', corrected.body.id)).readers, 60);
  const killed = await two.post(item({ uri: 'urn:reach:1', version: '3', pubStatus: 'canceled' }));
  const all = await complete(one, 'urn:reach:1', killed.body.id);
  assert.deepEqual(all.posts.map((p) => [p.action, p.version, p.readers, p.complete]),
    [['kill', '3', 100, true], ['correct', '2', 60, true], ['publish', '1', 100, true]]);
  assert.equal(all.status, 'canceled');
});

test('in a flood of posts every one has all its readers', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const readers = [...await crowd(stage, 20, { channels: ['world'] }), ...await crowd(stage, 10, { channels: ['sport', 'world'] }),
    ...await crowd(stage, 5, { class: 'flash' })];
  const many = 1000;
  await Promise.all(Array.from({ length: many }, (_, i) => stage.publish(item({ urgency: i % 10 ? 5 : 1 }), 'world')));
  await Promise.all(readers.map((reader, i) => reader.hasRead(i < 30 ? many : many / 10)));
  const seen = await until(async () => {
    const found = [];
    for (let query = '?limit=100'; query;) {
      const { body } = await stage.http(`/v1/audit${query}`, { headers: { authorization: `Bearer ${stage.key}` } });
      found.push(...body.entries.map((e) => e.reach));
      query = body.before && `?limit=100&before=${body.before}`;
    }
    return found.every((r) => r.complete) && found;
  }, 'every reach to be complete');
  const counts = seen.map((r) => r.readers);
  assert.deepEqual([counts.filter((n) => n === 30).length, counts.filter((n) => n === 35).length], [many * 0.9, many / 10]);
  assert.ok(seen.every((r) => r.workers === 2 && r.ms !== null));
  assert.equal(await stage.metric('newswire_reach_lost_total').read(), 0);
});

test('an embargo that is over reaches readers from its release on', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  await stage.post(item({ uri: 'urn:released', embargoed: new Date(Date.now() + 5000).toISOString() }), { channels: 'world' });
  assert.equal((await reach(stage, 'urn:released')).body.status, 'held');
  await reader.hasRead(1);
  const r = await reachOnce(stage, 'urn:released', (found) => found.readers === 1, 'the release to count');
  assert.deepEqual([r.action, r.status, r.complete], ['release', 'usable', true]);
  assert.ok(r.ms < 5000, 'what it waited for its release is not counted');
});

test('a slow reader is behind, and is counted when all of it has left', async (t) => {
  const stage = await Stage.open(t, { sndbuf: '16k', backlog: '64m' });
  const quick = await stage.reader({ channels: ['world'] });
  const slow = await stage.reader({ channels: ['world'] });
  const lagging = stage.metric('newswire_readers_lagging');
  const ids = [];
  const post = async () => {
    const uri = `urn:slow:${ids.length}`;
    ids.push((await stage.post(item({ uri, body: 'z'.repeat(20000) }), { channels: 'world' })).body.id);
    await quick.hasRead(ids.length); // one tick for each
  };
  const all = () => Promise.all(ids.map((id, i) => complete(stage, `urn:slow:${i}`, id)));
  slow.stopReading();
  for (let stuck = 0; stuck < 5; stuck = (await lagging.read()) === 1 ? stuck + 1 : 0) {
    assert.ok(ids.length < 1000, 'the kernel takes it all');
    await post();
  }
  // The kernel may have taken the rest of some after all; from `first` on it took none.
  const then = await all();
  const first = then.findIndex((r) => r.readers === 1);
  assert.ok(first >= 0 && first <= ids.length - 3, `${first} of ${ids.length}`);
  then.forEach((r, i) => (i < first ? assert.equal(r.readers, 2) : assert.deepEqual([r.readers, r.behind], [1, 1], `post ${i}, slow from ${first} on`)));
  slow.goOnReading();
  await slow.hasRead(ids.length);
  await lagging.becomes(0);
  await reachOnce(stage, `urn:slow:${ids.length - 1}`, (r) => r.readers === 2, 'the slow reader to count');
  const now = await all();
  now.forEach((r, i) => assert.deepEqual([r.readers, r.behind], [2, then[i].behind], `post ${i}`));
  assert.ok(now.at(-1).ms >= then.at(-1).ms);
  const later = await stage.reader({ channels: ['world'], since: quick.posts.at(-4).cursor });
  await later.hasRead(3);
  await post();
  const last = await complete(stage, `urn:slow:${ids.length - 1}`, ids.at(-1));
  assert.deepEqual([last.readers, last.behind], [3, 0]);
  assert.equal((await reach(stage, `urn:slow:${ids.length - 2}`)).body.readers, 2, 'who came later is no reader of then');
});

test('a worker that dies before it has reported is missed, and said to be', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const [pid] = await stage.workers();
  process.kill(pid, 'SIGSTOP');
  const story = item({ uri: 'urn:dead' });
  let posted;
  try {
    posted = await until(async () => { // by the worker that is left: a connection to the other one hangs
      const answer = await Promise.race([stage.post(story, { channels: 'world' }).catch(() => null),
        new Promise((tell) => setTimeout(tell, 200))]);
      return answer?.body.id ? answer : null;
    }, 'the other worker to take it');
  } finally {
    process.kill(pid, 'SIGKILL');
  }
  await stage.metric('newswire_workers_died_total').becomes(1);
  const r = await reachOnce(stage, 'urn:dead', (r) => r.reported === 1, 'the report of the other one');
  assert.deepEqual([r.id, r.workers, r.reported, r.complete], [posted.body.id, 2, 1, false]);
  const { out } = await until(async () => {
    const run = await command(stage, ['audit', '--uri', 'urn:dead', '--what', 'publish']);
    return run.code === 3 ? null : run;
  }, 'the audit trail');
  assert.match(out, /: written to 0 readers \(1 of 2 workers have reported\)\n$/);
});

test('reach is for those with a key, and unknown, held and purged stories say what they are', async (t) => {
  const stage = await Stage.open(t);
  await stage.post(item({ uri: 'https://x.example/story', headline: 'No word of this' }), { channels: 'world' });
  await stage.post(item({ uri: 'urn:held', headline: 'Nor of this', embargoed: new Date(Date.now() + 3600000).toISOString() }), { channels: 'world' });
  for (const uri of ['https://x.example/story', 'urn:held', 'urn:nothing'])
    for (const key of [null, 'wrong', `${stage.key}x`]) {
      const { status, body, headers, text } = await reach(stage, uri, key);
      assert.deepEqual([status, body.code, headers.get('www-authenticate')], [401, 'unauthorized', 'Bearer']);
      assert.ok(!text.includes(uri));
    }
  const story = await reach(stage, 'https://x.example/story');
  assert.deepEqual([story.status, story.body.posts.length, story.headers.get('cache-control')], [200, 1, 'no-store']);
  assert.ok(!story.text.includes('No word'));
  const held = await reach(stage, 'urn:held');
  assert.deepEqual([held.status, held.body], [200, { uri: 'urn:held', status: 'held', posts: [] }]);
  assert.deepEqual([(await reach(stage, 'urn:nothing')).status, (await reach(stage, 'urn:nothing')).body.code], [404, 'not_found']);
  const key = { authorization: `Bearer ${stage.key}` };
  assert.equal((await stage.http('/v1/reach', { headers: key })).body.code, 'bad_uri');
  assert.equal((await stage.http(`/v1/reach?uri=${'u'.repeat(1025)}`, { headers: key })).body.code, 'bad_uri');
  assert.equal((await stage.http('/v1/reach?uri=urn:held', { method: 'PUT', headers: key })).status, 405);
  await stage.post(item({ uri: 'urn:silent', pubStatus: 'canceled' }));
  assert.deepEqual((await reach(stage, 'urn:silent')).body, { uri: 'urn:silent', status: 'canceled', posts: [] });

  await stage.http('/v1/items?uri=https://x.example/story', { method: 'DELETE', headers: key });
  const purged = await reach(stage, 'https://x.example/story');
  assert.deepEqual([purged.status, purged.body.code], [410, 'purged']);
  assert.ok(!stage.log.includes(stage.key));
});

test('any publisher may ask, but what is under embargo is known to its owner and the auditor only', async (t) => {
  const stage = await Stage.open(t);
  await changeKeys(stage, { keys: [publisher('desk', ['publish', 'embargo']), publisher('other', ['publish']), publisher('auditor', ['audit'])] });
  const embargoed = new Date(Date.now() + 3600000).toISOString();
  assert.equal((await stage.post(item({ uri: 'urn:owned', embargoed }), { channels: 'world', key: keyOf('desk') })).status, 202);
  await stage.post(item({ uri: 'urn:public' }), { channels: 'world', key: keyOf('desk') });
  const asked = async (uri) => Object.fromEntries(await Promise.all(['desk', 'other', 'auditor'].map(async (name) => {
    const { status, body } = await reach(stage, uri, keyOf(name));
    return [name, [status, body.code ?? body.status]];
  })));
  assert.deepEqual(await asked('urn:owned'), { desk: [200, 'held'], other: [404, 'not_found'], auditor: [200, 'held'] });
  assert.deepEqual(await asked('urn:public'), { desk: [200, 'usable'], other: [200, 'usable'], auditor: [200, 'usable'] });
});

test('newswire publish --wait says to how many readers it was written, and newswire audit does so later', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  await crowd(stage, 3, { channels: ['world'] });
  const file = join(stage.dir, 'story.json');
  const write = (version) => writeFile(file, JSON.stringify(item({ uri: 'urn:cli', version })));
  await write('1');
  const posted = await command(stage, ['publish', '-c', 'world', '--wait', file]);
  assert.equal(posted.code, 0, posted.err);
  assert.match(posted.out, /^sent urn:cli version 1 publish id \S+ \(fsync\)\nwritten to 3 readers in \d+ ms\n$/);
  const again = await command(stage, ['publish', '-c', 'world', '--wait=5', file]);
  assert.match(again.out, /^duplicate urn:cli .*\nwritten to 3 readers in \d+ ms\n$/);
  await write('2');
  const json = await command(stage, ['publish', '-c', 'world', '--wait', '--json', file]);
  const [receipt, found] = json.out.trimEnd().split('\n').map(JSON.parse);
  assert.equal(receipt.status, 'accepted');
  assert.deepEqual([found.id, found.readers, found.complete, found.posts.length], [receipt.id, 3, true, 2]);
  const { out } = await command(stage, ['audit', '--uri', 'urn:cli']);
  assert.match(out, /correct {2}urn:cli version 2 before 1 · world id \S+: written to 3 readers in \d+ ms\n.*publish .*: written to 3 readers in \d+ ms\n$/);
  const trail = await stage.http('/v1/audit?uri=urn:cli', { headers: { authorization: `Bearer ${stage.key}` } });
  assert.deepEqual(trail.body.entries.map((e) => [e.reach.readers, e.reach.workers, e.reach.complete]), [[3, 2, true], [3, 2, true]]);

  await writeFile(file, JSON.stringify(item({ uri: 'urn:cli:held', embargoed: new Date(Date.now() + 3600000).toISOString() })));
  const held = await command(stage, ['publish', '-c', 'world', '--wait', file]);
  assert.match(held.out, /^held urn:cli:held [^\n]*\n$/);
  const raw = await command(stage, ['publish', '--to', `unix:${stage.redisPath}`, '--wait', file]);
  assert.deepEqual([raw.code, raw.out], [2, '']);
  assert.match(raw.err, /--wait/);
  assert.equal((await command(stage, ['publish', '--wait=0', file])).code, 2);
});

test('what Redis could not be told at once is told when it is back', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store });
  const reader = await stage.reader({ channels: ['world'] });
  const posted = await stage.post(item({ uri: 'urn:away' }), { channels: 'world' });
  await reader.hasRead(1);
  await store.kill();
  await store.start();
  assert.deepEqual([(await complete(stage, 'urn:away', posted.body.id)).readers,
    await stage.metric('newswire_reach_lost_total').read()], [1, 0]);
});
