// The goal: behind Sentinels "accepted" means that a replica has it, too (WAIT). Who cannot be told that is told so, and tries again; and no
// failover loses what was answered with 201.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Sentinels } from './sentinels.mjs';
import { Stage, item, until } from './stage.mjs';

/** Where no master dies: one that stands still for a moment stays it. */
const calm = { downMs: 5000 };
const key = (name) => ({ headers: { 'idempotency-key': name } });
const post = (stage, story, more = {}) => stage.post(story, { channels: 'world', ...more });
const readies = (stage, status) => until(async () => (await stage.http('/readyz/publish')).status === status, `/readyz/publish to be ${status}`);

test('a replica that does not answer: 503 replicas, until one does; trying again doubles nothing', async (t) => {
  const redises = await Sentinels.open(t, { replicas: 2, ...calm });
  const stage = await Stage.open(t, { store: redises, workers: 1 });
  const reader = await stage.reader();
  const story = item();
  const first = await post(stage, story);
  assert.deepEqual([first.status, first.body.status, first.body.durability], [201, 'accepted', 'replicated']);
  assert.equal(await stage.metric('newswire_unconfirmed_total').read(), 0);
  assert.ok(await stage.metric('newswire_replicas_seconds_count').read() >= 1);

  const [one, two] = redises.replicas;
  one.freeze();
  assert.equal((await post(stage, item())).body.durability, 'replicated', 'one of two is enough');
  two.freeze();
  const late = item();
  const unsure = await post(stage, late, key('once'));
  assert.deepEqual([unsure.status, unsure.body.code, unsure.headers.get('retry-after')], [503, 'replicas', '1']);
  assert.match(unsure.body.detail, /only 0 of the 1 replicas that --replicas asks for .*a failover may lose it.*nothing is doubled/);
  await reader.hasRead(3);
  assert.deepEqual([(await post(stage, story)).body.code, (await stage.http('/readyz/publish')).status], ['replicas', 503], 'a duplicate waits, too');
  assert.ok(await stage.metric('newswire_unconfirmed_total').read() >= 2);

  two.thaw();
  await readies(stage, 200);
  const again = await post(stage, late, key('once'));
  assert.deepEqual([again.status, again.body.status, again.body.durability, again.body.replayed], [201, 'accepted', 'replicated', true]);
  const duplicate = await post(stage, story);
  assert.deepEqual([duplicate.status, duplicate.body.status, duplicate.body.durability], [200, 'duplicate', 'replicated']);
  assert.equal((await post(stage, item())).status, 201);
  await reader.hasRead(4);
  assert.equal(new Set(reader.posts.map((p) => p.item.uri)).size, 4, 'nothing twice');
  one.thaw();
  assert.equal(stage.log.match(/event=replicas_missing/g).length, 1, 'said once, not for each post');
  assert.match(stage.log, /event=replicas_missing why="only 0 of the 1 .*event=replicas_confirm/s);
});

test('many who post at once wait together; a raw PUBLISH and the inbox wait for nobody; a batch and a purge do', async (t) => {
  const redises = await Sentinels.open(t, { replicas: 1, ...calm });
  const stage = await Stage.open(t, { store: redises, workers: 1 });
  const reader = await stage.reader();
  const answers = await Promise.all(Array.from({ length: 40 }, () => post(stage, item())));
  assert.ok(answers.every(({ status, body }) => status === 201 && body.durability === 'replicated'));
  await reader.hasRead(40);
  const [replica] = redises.replicas;
  replica.freeze();
  await stage.publish(item());
  await redises.redis.xadd('{newswire}:inbox', '*', 'channel', 'world', 'item', JSON.stringify(item()));
  await reader.hasRead(42);
  const two = [item(), item()];
  const batch = await post(stage, two);
  assert.deepEqual([batch.status, ...batch.body.results.map(({ http, code }) => `${http} ${code}`)], [200, '503 replicas', '503 replicas']);
  const uri = two[0].uri;
  const purge = () => stage.http(`/v1/items/${encodeURIComponent(uri)}`, { method: 'DELETE', headers: { authorization: `Bearer ${stage.key}` } });
  const unsure = await purge();
  assert.deepEqual([unsure.status, unsure.body.code, unsure.headers.get('retry-after')], [503, 'replicas', '1']);
  replica.thaw();
  await readies(stage, 200);
  assert.equal((await purge()).status, 200);
  assert.deepEqual((await post(stage, two)).body.results.map(({ http }) => http), [200, 200]);
});

/** Posts all the time, one after the other, each item until it is accepted. */
function desk(stage, accepted, doubtful) {
  let over = false;
  const end = (async () => {
    while (!over) {
      const story = item();
      for (let last; !over && last?.status !== 201 && last?.status !== 200;) {
        last = await post(stage, story).catch(() => ({ status: 0 }));
        if (last.status === 201 || last.status === 200) accepted.push(story.uri);
        else doubtful.push(story.uri);
      }
    }
  })();
  return async () => { over = true; await end; };
}

test('the master dies while many post, and one replica is behind: all that was answered is on the new master', async (t) => {
  const redises = await Sentinels.open(t, { replicas: 2 });
  const stage = await Stage.open(t, { store: redises, workers: 2 });
  const [whole, behind] = redises.replicas;
  const accepted = [], doubtful = [];
  const ends = Array.from({ length: 6 }, () => desk(stage, accepted, doubtful));
  t.after(() => Promise.all(ends.map((end) => end())));
  await until(() => accepted.length >= 30, '30 posts');
  behind.freeze();
  await redises.redis.call('CLIENT', 'KILL', 'TYPE', 'replica'); // or what is posted would wait for it in its socket
  const before = accepted.length;
  await until(() => accepted.length >= before + 60, '60 posts that one replica lacks');
  await redises.master.stop();
  behind.thaw();
  await redises.newMaster();
  assert.equal(redises.master.port, whole.port, 'the Sentinels take the one that has most');
  const then = accepted.length;
  await until(() => accepted.length >= then + 30, '30 posts after it');
  await Promise.all(ends.map((end) => end()));
  for (const uri of accepted) assert.equal(await redises.redis.exists(`{newswire}:item:${uri}`), 1, `${uri} of ${accepted.length}, ${doubtful.length} tries`);
});
