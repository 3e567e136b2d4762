// The goal: a worker that stands still does not keep its readers waiting for ever; and when everything stood still, nobody is blamed for it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Stage, item, until } from './stage.mjs';

test('a worker that shows no life is killed and replaced, the others go on, and readers are served again', async (t) => {
  const stage = await Stage.open(t, { workers: 2, stallTime: '2s' });
  const [victim, other] = await stage.workers();
  process.kill(victim, 'SIGSTOP'); // as if it hung
  await stage.logged(new RegExp(`event=worker_stalled .*pid=${victim} .*replaced`));
  await until(async () => { const now = await stage.workers(); return now.length === 2 && !now.includes(victim) && now.includes(other); }, 'another worker in its place');
  await stage.metric('newswire_workers_stalled_total').becomes(1);
  assert.equal((await stage.log.match(/worker_stalled/g)).length, 1);
  const readers = await Promise.all(Array.from({ length: 8 }, () => stage.reader()));
  await stage.post(item());
  for (const reader of readers) await reader.hasRead(1);
});

test('who stood still with the whole machine is left alone', async (t) => {
  const stage = await Stage.open(t, { workers: 2, stallTime: '2s' });
  const all = [stage.child.pid, ...await stage.children()];
  const workers = await stage.workers();
  const reader = await stage.reader();
  for (const pid of all) process.kill(pid, 'SIGSTOP');
  const began = Date.now();
  await until(() => Date.now() - began > 5000, 'five seconds of standing still');
  // The supervisor first: it would see old signs of life.
  for (const pid of all) process.kill(pid, 'SIGCONT');
  await stage.post(item());
  await reader.hasRead(1);
  const beats = reader.messages.filter((m) => m.type === 'tick').length;
  await until(() => reader.messages.filter((m) => m.type === 'tick').length >= beats + 4, 'four more ticks');
  assert.ok(!stage.log.includes('worker_stalled'));
  assert.deepEqual(await stage.workers(), workers);
});
