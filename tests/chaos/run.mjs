// run.mjs - publishers, resuming readers and one fault after another; then the checker. What is promised: docs/reliability.md.
//
// Real newswired (two nodes, and a third in a network namespace where there may be one), real Redis (appendfsync always).
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOptions, refuse } from '../options.mjs';
import { until } from '../scenario/stage.mjs';
import { VERDICTS, check } from './checker.mjs';
import { Cast, namespaces } from './cast.mjs';
import { SocketClient } from './client.mjs';
import { seeded, sleep } from './dice.mjs';
import { LIMITS_MS, answers, schedule } from './faults.mjs';
import { BranchingLedger, Ledger } from './ledger.mjs';
import { columns, faultTable, picture, withReport } from './picture.mjs';
import { Publishers } from './publishers.mjs';

const USAGE = `usage: ./dev chaos [OPTION…]

  --minutes N      how long (1); parts of a minute too
  --seed S         what happens when; the same seed, the same order (from the date)
  --clients N      readers that come back by themselves (500)
  --workers N      of each of the two nodes (1)
  --rate N         items a second (40)
  --network WHAT   namespace: a third node behind a cable that is pulled (needs root); relay: without; auto (auto)
  --redis WHAT     single: one, whose file, clock and network are broken, too; sentinel: a master with two replicas and three real Sentinels,
                   min-replicas-to-write 1, --replicas 2: what is answered 2xx is on both and no failover loses it; whoever saw what stood
                   only on a master that was replaced is told of a gap (single)
  --only A,B       these faults only
  --quiet-end S    so many seconds without a fault at the end (3)
  --limits         hold the way back against its limits, and fail above
  --report FILE    the result as Markdown, between its marks if the file has them; --svg FILE  as a picture
  --keep DIR       what was accepted, seen and done, and what the nodes logged: for who looks for a cause
  --list           say what would happen when, and end`;

const { values } = readOptions('chaos', USAGE, {
  minutes: { type: 'number', default: 1 }, seed: { type: 'number', default: Date.now() % 1e6, whole: true }, clients: { type: 'number', default: 500, least: 1, whole: true },
  workers: { type: 'number', default: 1, least: 1, whole: true }, rate: { type: 'number', default: 40, least: 1 }, network: { type: 'string', default: 'auto' }, redis: { type: 'string', default: 'single' }, only: { type: 'string' },
  'quiet-end': { type: 'number', default: 3 }, limits: { type: 'boolean' }, report: { type: 'string' }, svg: { type: 'string' }, keep: { type: 'string' },
  list: { type: 'boolean' },
});
const BACK_MS = 20000; // nothing takes longer to come back
const seconds = values.minutes * 60;
const network = values.redis === 'sentinel' ? 'relay' : values.network === 'auto' ? (namespaces() ? 'namespace' : 'relay') : values.network;
const words = process.argv.slice(2).map((word) => (/ /.test(word) ? `'${word}'` : word)).join(' ');
const command = `./dev chaos ${words}${/--seed/.test(words) ? '' : ` --seed ${values.seed}`}`;
const only = values.only?.split(',');
const plan = (function* planned() {
  for (const one of schedule(seeded(values.seed), [values.redis, network]))
    if (!only || only.includes(one.fault.name)) yield one;
})();

if (values.list) {
  for (let i = 0; i < Math.max(10, seconds / 5); i++) {
    const { fault, pause } = plan.next().value;
    console.log(`${String(i + 1).padStart(4)}  after ${String(pause).padStart(4)} ms  ${fault.name}: ${fault.how}`);
  }
  process.exit(0);
}

let interrupted = null; // by which signal
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {
  if (interrupted) process.exit(130);
  interrupted = signal;
  console.log(`\nchaos: ${signal}: it ends after this fault (at once by another signal, which leaves processes behind)`);
});
const cast = await Cast.open({ clients: values.clients, workers: values.workers, network, redis: values.redis });
const wrong = [];
const bad = (kind, who, what) => wrong.push({ kind, who, what });
const scratch = mkdtempSync(join(tmpdir(), 'nw-chaos-judge-'));
cast.after(() => rmSync(scratch, { recursive: true, force: true }));

let code = 2;
try {
  code = await main();
} catch (error) {
  console.log(`chaos: ${error.stack}`);
} finally {
  for (const message of await cast.close()) {
    console.log(`  FAIL at the end: ${message}`);
    code = 1;
  }
}
process.exit(code);

async function main() {
  console.log(`chaos: ${values.minutes} min, seed ${values.seed}, ${values.clients} readers, ${cast.nodes.length} nodes, ${values.redis === 'sentinel' ? 'a Redis with two replicas and three Sentinels' : 'one Redis'}, network: ${network === 'namespace'
    ? 'a relay before each of two nodes, a namespace around the third' : 'a relay before each node, no namespace'}`);
  const ledger = cast.sentinels ? new BranchingLedger(() => cast.record, cast.ears) : new Ledger(cast.record);
  await ledger.begin();
  const publishers = new Publishers(cast, seeded(values.seed + 1), values.rate);
  const probes = cast.nodes.flatMap((node, n) => [0, 1].map((i) => new SocketClient(`probe ${i} of node ${n}`, { channels: ['world'] }, () => node.url,
    { heard: (m) => { if (m.type === 'post' && m.item) probe(n, i)?.waits?.(m.item.uri); } })));
  const probe = (n, i) => probes[2 * n + i];
  await until(() => probes.every((one) => one.cursor !== null), 'the probes to be there');

  const began = Date.now();
  const since = () => (Date.now() - began) / 1000;
  const done = [];
  const samples = [];
  const watch = progress(since, publishers, done, samples);
  const deaf = [];
  const goesOn = () => !interrupted && since() < seconds - values['quiet-end'];
  while (goesOn()) {
    const { fault, pause, seed } = plan.next().value;
    await sleep(pause);
    if (goesOn()) await disturb(fault, seed);
  }
  if (interrupted) return 130;
  await sleep(Math.max(0, (seconds - since()) * 1000));
  await publishers.end();
  clearInterval(watch);
  if (process.stdout.isTTY) process.stdout.write('\n');
  await calm();
  for (const one of probes) one.stop();
  return judge();

  async function disturb(fault, seed) {
    const one = { fault, at: since(), until: null, back: null };
    const from = Date.now();
    const tools = { ledger, grown: (n) => { const goal = publishers.accepted + n; return until(() => publishers.accepted >= goal, `${n} more items`, 30000); } };
    try {
      const at = await fault.does(cast, seeded(seed), tools);
      const over = typeof at === 'number' && at > 1e12 ? at : Date.now();
      one.back = await publishers.pulse(probes, BACK_MS) - over;
      await fault.settles?.(cast, tools);
    } catch (error) {
      bad('strange', fault.name, error.message);
    }
    one.until = since();
    done.push(one);
    if (fault.deaf) deaf.push({ from, to: Date.now() });
    if (process.env.NEWSWIRE_CHAOS_SAYS) console.log(`    ${one.at.toFixed(1)} s ${fault.name}: back in ${one.back} ms`);
  }

  /* Until everything that was taken has come out, and everybody has it. */
  async function calm() {
    const patience = 40000;
    const wait = (look, what) => until(look, what, patience).catch((error) => console.log(`  ${error.message}`));
    await answers(cast);
    await wait(async () => (await cast.redis.zcard('{newswire}:embargo')) === 0, 'every embargo to be over');
    await wait(async () => (await cast.redis.xlen('{newswire}:inbox')) === 0, 'the inbox to be empty');
    await ledger.end();
    const head = `${ledger.epoch}:${await cast.redis.get('{newswire}:head')}`;
    let behind = 0;
    await wait(async () => { behind = await cast.behind(head); if (behind > 0) await sleep(100); return behind === 0; }, 'every reader to be at the head');
    if (behind > 0) console.log(`  ${behind} readers are not at ${head}`);
    cast.tellCrowds({ stop: true });
  }

  async function judge() {
    const { receipts, queued, embargoes, strange } = publishers;
    const world = { wire: ledger.posts, receipts, queued, embargoes, branches: ledger.branches, losses: ledger.losses, deaf, clients: [] };
    wrong.push(...check(world, 'publishers'));
    for (const what of strange) bad('strange', 'publisher', what);
    const file = join(scratch, 'world.json');
    writeFileSync(file, JSON.stringify({ ...world, embargoes: [...embargoes], faults: done.map(({ fault, ...times }) => ({ name: fault.name, ...times })), began }));
    if (values.keep) keep(file);
    const kinds = {};
    for (const { kind } of wrong) kinds[kind] = (kinds[kind] ?? 0) + 1;
    const total = { seen: 0, sessions: 0, told: 0 };
    for (const crowd of cast.crowds) {
      crowd.tell({ judge: file });
      const verdict = await crowd.says('verdict', 300000);
      wrong.push(...verdict.wrong);
      for (const [kind, n] of Object.entries(verdict.kinds)) kinds[kind] = (kinds[kind] ?? 0) + n;
      for (const name of Object.keys(total)) total[name] += verdict[name];
    }
    return tell({ kinds, ...total, date: new Date(began).toISOString().slice(0, 10), command, done, samples, ways: publishers.ways, raw: publishers.heardRaw,
      accepted: publishers.accepted, clients: values.clients, machine: `${cpus().length} cores, ${cast.nodes.length} nodes`, seconds: Math.max(seconds, samples.at(-1)?.at ?? 0) });
  }

  function keep(file) {
    mkdirSync(values.keep, { recursive: true });
    copyFileSync(file, join(values.keep, 'world.json'));
    cast.nodes.forEach((node, n) => writeFileSync(join(values.keep, `node${n}.log`), node.everLogged + node.log));
  }

  function tell(run) {
    console.log(`\n${columns(faultTable(done))}\n`);
    console.log(`  ${done.length} faults of ${new Set(done.map(({ fault }) => fault.name)).size} kinds, ${run.accepted} items accepted (${Object.entries(run.ways)
      .map(([way, n]) => `${way} ${n}`).join(', ')}), ${run.raw} raw PUBLISH, ${ledger.posts.length} posts in ${new Set(ledger.posts.map(({ epoch }) => epoch)).size} histories${cast.sentinels ? `, ${ledger.branches.length} more on branches that were lost` : ''}`);
    console.log(`  ${run.seen} deliveries in ${run.sessions} connections of ${run.clients} readers, who were told ${run.told} gaps\n`);
    const rows = Object.entries(VERDICTS).map(([kind, words]) => ({ words, count: run.kinds[kind] ?? 0, these: wrong.filter((one) => one.kind === kind) }));
    for (const [back, limit] of Object.entries(LIMITS_MS)) {
      const all = done.filter(({ fault }) => fault.back === back);
      const late = all.filter((one) => one.back === null || one.back >= limit);
      if (values.limits || late.length === 0) rows.push({ words: `news again within ${limit} ms of a ${back === 'redis' ? 'Redis that is back' : 'worker\'s death'}, too late`, count: late.length,
        these: late.map((one) => ({ who: one.fault.name, what: `${one.back} ms, ${one.at.toFixed(0)} s into the run` })) });
      else console.log(`  note ${late.length} of ${all.length} ways back took more than ${limit} ms (${back}); --limits would fail`);
    }
    if (run.accepted === 0 || run.seen === 0) rows.push({ words: 'nothing was published or seen: this run shows nothing', count: 1, these: [] });
    for (const { words, count, these } of rows) {
      console.log(`  ${count === 0 ? 'ok  ' : 'FAIL'} ${words}: ${count}`);
      for (const { who, what } of these.slice(0, 8)) console.log(`         ${who}: ${what}`);
    }
    if (values.report) writeFileSync(values.report, withReport(existsSync(values.report) ? readFileSync(values.report, 'utf8') : '', run));
    if (values.svg) writeFileSync(values.svg, picture({ title: `${Math.round(run.seconds / 6) / 10} minutes of chaos, seed ${values.seed}`, ...run }));
    const failed = rows.filter(({ count }) => count > 0).length;
    if (failed > 0) console.log(`\n  again: ${command}`);
    console.log(`${rows.length - failed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  }
}

/* A line a second on a terminal, four a minute elsewhere; and the curves of the picture. */
function progress(since, publishers, done, samples) {
  let before = { accepted: 0, seen: 0 };
  let ticks = 0;
  return setInterval(() => {
    const now = { accepted: publishers.accepted, seen: cast.seen };
    samples.push({ at: since(), accepted: now.accepted - before.accepted, seen: Math.max(0, now.seen - before.seen) });
    before = now;
    const line = `  ${Math.max(0, Math.round(seconds - since()))} s left, ${now.accepted} accepted, ${now.seen} delivered, ${done.length} faults`;
    if (process.stdout.isTTY) process.stdout.write(`\r${line}   `);
    else if (++ticks % 15 === 0) console.log(line);
  }, 1000);
}
