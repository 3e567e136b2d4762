// The goal: /metrics is what Prometheus reads without a complaint, and it moves when what it measures happens.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Stage, Store, WallClock, item, until } from './stage.mjs';

const SAMPLE = /^([a-z_]+)(?:\{((?:[a-z_]+="[^"\\\n]*",?)+)\})? (\d+(?:\.\d+)?)$/;

/** Every family: its type and samples. Fails on whatever the format does not allow. */
function parse(text) {
  const families = new Map();
  let family;
  assert.ok(text.endsWith('\n'));
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-z_]+) (.+)$/.exec(line);
    const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line);
    if (help) {
      assert.ok(!families.has(help[1]), `${help[1]} comes twice`);
      family = { name: help[1], samples: new Map() };
      families.set(help[1], family);
    } else if (type) {
      assert.equal(type[1], family.name);
      family.type = type[2];
    } else {
      const sample = SAMPLE.exec(line);
      assert.ok(sample, `no sample: ${line}`);
      const own = family.type === 'histogram' ? ['_bucket', '_sum', '_count'].map((s) => family.name + s) : [family.name];
      assert.ok(own.includes(sample[1]), `${line} among ${family.name}`);
      const key = line.slice(0, line.lastIndexOf(' '));
      assert.ok(!family.samples.has(key), `${key} comes twice`);
      family.samples.set(key, Number(sample[3]));
    }
  }
  return families;
}

function isHistogram({ name, samples }) {
  const counts = [...samples].filter(([key]) => key.includes('_bucket{')).map(([, n]) => n);
  for (let i = 1; i < counts.length; i += 1) assert.ok(counts[i] >= counts[i - 1], `${name} falls`);
  assert.equal(counts.at(-1), samples.get(`${name}_count`));
  assert.equal(counts.at(-1), samples.get(`${name}_bucket{le="+Inf"}`));
  assert.ok(samples.has(`${name}_sum`));
}

test('the text is what Prometheus reads, and counters say so in their names', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const answer = await stage.http('/metrics');
  const families = parse(answer.text);
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  for (const family of families.values()) {
    assert.equal(family.type === 'counter', family.name.endsWith('_total'), family.name);
    if (family.type === 'histogram') isHistogram(family);
  }
  assert.equal([...families.get('newswire_build_info').samples.values()][0], 1);
  const started = families.get('newswire_start_time_seconds').samples.get('newswire_start_time_seconds');
  assert.ok(Math.abs(Date.now() / 1000 - started) < 600);
});

test('histograms count posts, answers of Redis and seconds', async (t) => {
  const stage = await Stage.open(t, { workers: 1 });
  const reader = await stage.reader({ channels: ['sport'] });
  for (let i = 0; i < 20; i += 1) await stage.publish(item({ uri: `urn:test:${i}` }), 'sport');
  await reader.hasRead(20);
  await stage.metric('newswire_post_age_seconds_count').becomes(20);
  const second = item({ uri: 'urn:test:1', version: '2' });
  for (let i = 0; i < 2; i += 1) await stage.post(second, { channels: 'sport', headers: { 'idempotency-key': 'once' } }); // the second is replayed
  await stage.metric('newswire_accept_seconds_count').becomes(21);
  await stage.metric('newswire_fanout_seconds_count').becomes(21);
  await stage.metric('newswire_redis_latency_seconds_count').reaches(2);
  await stage.metric('newswire_loop_lag_seconds_count').reaches(2);
  await stage.metric('newswire_open_files').reaches(8);
  const families = parse((await stage.http('/metrics')).text);
  for (const family of families.values()) if (family.type === 'histogram') isHistogram(family);
});

test('how far readers lag is told of each, once a tick', async (t) => {
  const stage = await Stage.open(t, { workers: 1, sndbuf: '16k' });
  /** How often somebody was looked at, and how often he lagged by more than a quarter of a second. */
  const looked = async () => {
    const { samples } = parse((await stage.http('/metrics')).text).get('newswire_reader_lag_seconds');
    const all = samples.get('newswire_reader_lag_seconds_count');
    return { all, late: all - samples.get('newswire_reader_lag_seconds_bucket{le="0.25"}') };
  };
  const quick = await stage.reader({ channels: ['sport'] });
  await until(async () => (await looked()).all >= 2, 'two looks at a reader');
  assert.equal((await looked()).late, 0);
  const stuck = await stage.reader({ channels: ['sport'] });
  stuck.stopReading();
  for (let i = 0; i < 40; i += 1) await stage.publish(item({ body: 'x'.repeat(60000) }), 'sport');
  await quick.hasRead(40);
  await stage.metric('newswire_readers_lagging').becomes(1);
  await until(async () => (await looked()).late >= 2, 'two looks at one who lags');
  stuck.goOnReading();
  await stuck.hasRead(40);
  await stage.metric('newswire_readers_lagging').becomes(0);
  const before = await looked();
  await until(async () => (await looked()).all >= before.all + 4, 'four more looks');
  assert.equal((await looked()).late, before.late);
});

test('how far back memory reaches is the age of its oldest post', async (t) => {
  const clock = await WallClock.open(t);
  clock.jump(-3_600_000);
  const store = await Store.open(t, [], clock.env);
  const stage = await Stage.open(t, { store, workers: 2, backlog: '64k' });
  const span = stage.metric('newswire_backlog_span_seconds');
  await span.becomes(0);
  await stage.post(item());
  await span.reaches(3600);
  clock.jump(0);
  await Promise.all(Array.from({ length: 30 }, () => stage.post(item({ body: 'x'.repeat(4096) }))));
  await until(async () => (await span.read()) < 3600, 'the old post to be gone from memory');
});

test('each link to Redis is up, or not', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store, workers: 2 });
  const links = ['out', 'wire', 'desk', 'desk-ear', 'desk-inbox'].map((name) => stage.metric(`newswire_link_up{link="${name}"}`));
  for (const link of links) await link.becomes(1);
  await store.kill();
  for (const link of links) await link.becomes(0);
  await store.start();
  for (const link of links) await link.becomes(1);
});

test('a link that Redis has no room for is down alone', async (t) => {
  const stage = await Stage.open(t, { workers: 1 });
  const up = (name) => stage.metric(`newswire_link_up{link="${name}"}`);
  await up('desk-ear').becomes(1);
  const clients = (await stage.redis.client('LIST')).split('\n').filter((line) => line);
  const ear = clients.find((line) => line.includes(' name=newswired-desk-ear '));
  await stage.redis.config('SET', 'maxclients', clients.length - 1);
  await stage.redis.client('KILL', 'ID', /\bid=(\d+)/.exec(ear)[1]);
  await up('desk-ear').becomes(0);
  for (const name of ['out', 'wire', 'desk', 'desk-inbox', 'desk-ear']) assert.equal(await up(name).read(), Number(name !== 'desk-ear'), name);
  assert.equal(await stage.metric('newswire_redis_ready').read(), 1);
  await stage.redis.config('SET', 'maxclients', 100);
  await up('desk-ear').becomes(1);
});
