// run.mjs - a long time of ordinary life, ten times as lively: does newswired hold more and more?
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { seeded } from '../chaos/seeded.mjs';
import { readOptions } from '../options.mjs';
import { Stage, Reader, buildDir, until } from '../scenario/stage.mjs';
import { Desk } from './desk.mjs';
import { picture } from './picture.mjs';
import { median, verdict } from './verdict.mjs';
import { Visitor } from './visitor.mjs';

const HELP = `usage: ./dev soak [--minutes N] [--readers N] [--stay SECONDS] [--posts N] [--seed S] [--svg FILE]

Readers come, stay and go (all transports, some asleep, some talking nonsense, a third of them coming back with a cursor), stories come on all
ways in, and every few seconds it is looked at what newswired holds: memory, open files, latency. At the end nothing may have
grown beyond noise, and when everybody has gone, nothing is held for them.

  --minutes N     how long (60)
  --readers N     at a time (1000)
  --stay SECONDS  how long each stays, on average (18; an ordinary reader stays three minutes: this is ten times the churn)
  --posts N       stories, corrections, kills and mistakes a second (15)
  --seed S        of everything that is drawn by lot
  --svg FILE      where the picture goes (build/soak.svg)
`;
const { values } = readOptions('soak', HELP, {
  minutes: { type: 'number', default: 60, least: 0.1 }, readers: { type: 'number', default: 1000, least: 1, whole: true }, stay: { type: 'number', default: 18, least: 0.1 },
  posts: { type: 'number', default: 15, least: 0.1 }, seed: { type: 'number', default: Date.now() % 1e6, whole: true }, svg: { type: 'string', default: join(buildDir, 'soak.svg') },
});
const { readers } = values;
const seconds = values.minutes * 60, stayMs = values.stay * 1000;
const random = seeded(values.seed);
const SAMPLE_MS = Math.max(1000, Math.min(5000, seconds * 1000 / 60));
const WARM_S = 300; // until then everything fills: backlog, archive, heaps
const LEAST_POINTS = 30; // fewer say nothing of growth
const RETURNING = 500;

/* Everything that is kept fills within the warm-up. */
const OPTIONS = { workers: 2, tick: '5s', backlog: '2m', retention: '90s', archive: '3m', 'feed-max': 100, 'log-level': 'warn' };

const ended = [];
const stage = await Stage.open({ after: (f) => ended.unshift(f) }, OPTIONS);
process.on('exit', () => stage.child.kill('SIGKILL')); // however this ends; workers and Redis go with it
const desk = new Desk(stage, random);
const visitors = new Set();
const returning = [];
const counts = { came: 0, back: 0, heard: 0, failed: 0 };
const latencies = []; // since the last sample, ms
const samples = [];
let over = false;

function welcome() {
  const since = returning.length > 0 && random() < 0.33 ? returning.shift() : undefined;
  counts.came += 1;
  counts.back += since !== undefined;
  visitors.add(new Visitor(stage.url, { random, since, stayMs: -Math.log(1 - random()) * stayMs, over(visitor) {
    visitors.delete(visitor);
    counts.heard += visitor.heard;
    if (visitor.cursor && returning.length < RETURNING) returning.push(visitor.cursor);
  } }));
}

async function keepTheHouseFull() {
  while (!over) {
    const perTurn = Math.ceil(readers / stayMs * 50 * 2);
    for (let i = 0; i < perTurn && visitors.size < readers; i++) welcome();
    await pause(50);
  }
}

async function work() {
  while (!over) {
    desk.work().catch(() => { counts.failed += 1; });
    await pause(-Math.log(1 - random()) * 1000 / values.posts);
  }
}

/* One who stays, by whom it is seen how long a story takes. */
function listen() {
  const probe = new Reader(stage.streamUrl({}));
  probe.messages = { push(m) {
    const at = m.type === 'post' && m.item ? desk.sent.get(m.item.uri) : undefined;
    if (at === undefined) return;
    latencies.push(performance.now() - at);
    desk.sent.delete(m.item.uri);
  } };
  return probe;
}

const files = (pid) => readdirSync(`/proc/${pid}/fd`).length;
const resident = (pid) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;

/* Keys of Redis but those of what was seen, which are kept for an hour longer than --retention: longer than a soak may last. */
async function keys() {
  let count = 0;
  for await (const some of stage.redis.scanStream({ count: 2000 })) count += some.filter((key) => !key.startsWith('{newswire}:seen:')).length;
  return count;
}

async function look() {
  const workers = await stage.workers();
  const info = await stage.redis.info('memory');
  const sum = (of) => workers.reduce((n, pid) => n + of(pid), 0);
  const quantile = (part) => latencies.sort((a, b) => a - b)[Math.floor(latencies.length * part)] ?? 0;
  return { workers, memory: sum(resident), files: sum(files), redis: Number(/used_memory:(\d+)/.exec(info)[1]), keys: await keys(), readers: visitors.size,
    half: quantile(0.5), most: quantile(0.99) };
}

await stage.metric('newswire_canary_seconds_count').reaches(2 * (await stage.workers()).length); // each has its connection to itself by now
const began = performance.now();
const passed = () => (performance.now() - began) / 1000;
const empty = await look();
const probe = listen();

function say() {
  const { memory, files: open, most } = samples.at(-1);
  const line = `${(passed() / 60).toFixed(1)} of ${values.minutes} min: ${visitors.size} readers (${counts.came} came), ${desk.counts.posts} posts, `
    + `${(memory / 2 ** 20).toFixed(1)} MiB, ${open} files, p99 ${most.toFixed(0)} ms`;
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K  ${line}`);
  else if (samples.length % Math.ceil(30000 / SAMPLE_MS) === 0) console.log(`  ${line}`);
}

async function watch() {
  while (passed() < seconds) {
    await pause(SAMPLE_MS);
    samples.push({ at: passed(), ...await look() });
    latencies.length = 0;
    for (const [uri, at] of desk.sent) if (performance.now() - at > 30000) desk.sent.delete(uri);
    say();
  }
  over = true;
}

console.log(`soak: ${values.minutes} min, ${readers} readers who stay ${values.stay} s each, ${values.posts} stories a second, seed ${values.seed}, ${stage.url}`);
await Promise.all([keepTheHouseFull(), work(), watch()]);
if (process.stdout.isTTY) process.stdout.write('\n');

/* Everybody leaves. */
for (const visitor of visitors) visitor.leave();
probe.close();
await until(() => visitors.size === 0, 'all readers to be gone');
const wrong = [];
const passes = [];
const judge = (good, line) => (good ? passes : wrong).push(line);
await stage.metric('newswire_readers').becomes(0).catch(() => wrong.push('newswire_readers is not 0 although everybody has left'));
await until(async () => (await look()).files <= empty.files + 2, 'the files of readers to be closed').catch(() => {});
const left = await look();

const MIB = 2 ** 20;
const FIGURES = [
  { key: 'memory', name: 'workers’ memory', unit: 'MiB', by: MIB, least: { part: 0.03, value: MIB }, colour: '#c8102e' },
  { key: 'files', name: 'open files', unit: '', by: 1, least: { part: 0.03, value: 5 }, colour: '#1f6feb' },
  { key: 'keys', name: 'Redis’ keys', unit: 'but what was seen', by: 1, least: { part: 0.05, value: 50 }, colour: '#b8860b' },
  { key: 'redis', name: 'Redis’ memory', unit: 'MiB', by: MIB, colour: '#e8590c' }, // audit and rejects fill for longer than this lasts
  { key: 'half', name: 'latency, half', unit: 'ms', by: 1, least: { part: 0.5, value: 10 }, colour: '#1a7f37' },
  { key: 'most', name: 'latency, p99', unit: 'ms', by: 1, least: { part: 0.5, value: 30 }, colour: '#8250df' },
  { key: 'readers', name: 'readers', unit: '', by: 1, colour: '#7a7f87' },
];
const warmed = samples.filter(({ at }) => at >= WARM_S);
console.log(`\n  ${counts.came} readers came (${counts.back} with a cursor) and heard ${counts.heard} messages; ${desk.counts.posts} posts, ${desk.counts.refused} refused, ${counts.failed} failed`);
if (warmed.length >= LEAST_POINTS) {
  console.log('\n  figure                   from   growth    noise');
  for (const { key, name, unit, by, least } of FIGURES.filter((figure) => figure.least)) {
    const v = verdict(warmed.map((s) => [s.at, s[key]]), least);
    const show = (n) => (n / by).toFixed(by === 1 ? 0 : 2).padStart(8);
    console.log(`  ${`${name}${unit && `, ${unit}`}`.padEnd(20)} ${show(v.from)} ${show(v.growth)} ${show(v.noise)}`);
    judge(!v.grows, `${name} does not grow`);
  }
} else {
  console.log(`  (too short to say whether anything grows: in ${WARM_S} s everything fills, and ${LEAST_POINTS} looks after that are needed)`);
}
judge(left.files <= empty.files + 2, `when everybody has gone, ${left.files} files are open; ${empty.files} were at the start`);
judge(String(left.workers) === String(empty.workers), 'the workers are those of the start: none died');
judge(counts.failed === 0, `${counts.failed} requests without an answer`);
judge(counts.heard > 0 && desk.counts.posts > 0 && median(samples.map((s) => s.readers)) > readers / 2, 'there was life');
writeFileSync(values.svg, picture({ title: `${values.minutes} minutes, ${readers} readers who stay ${values.stay} s each, ${values.posts} stories a second`, warm: Math.min(WARM_S, seconds),
  series: FIGURES.map(({ key, name, unit, by, colour }) => ({ name, unit, colour, points: samples.map((s) => [s.at, s[key] / by]) })) }));
for (const end of ended) await end().catch((error) => wrong.push(error.message.slice(0, 2000)));
for (const line of passes) console.log(`  ok   ${line}`);
for (const line of wrong) console.log(`  FAIL ${line}`);
console.log(`  picture: ${values.svg}`);
console.log(`${passes.length} passed, ${wrong.length} failed`);
process.exit(wrong.length === 0 ? 0 : 1);
