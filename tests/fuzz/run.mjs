#!/usr/bin/env node
// run.mjs - drives the fuzzers of tests/fuzz: two at a time, a table, and what crashed in a form that can be repeated.
//
// Each begins with what is in corpus/<name> (in the tree) and in <build>/corpus/<name> (found here before). New finds go to the
// latter; --merge takes the least of both that covers as much into the tree. What crashed stays in <build>, is printed, and belongs
// into corpus/<name> once it is mended: the unit tests run all of that.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readOptions, refuse } from '../options.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const HELP = `usage: ./dev fuzz [TARGET…] [--seconds N | --runs N | --total N | --replay | --merge | --list] [--seed S]
       ./dev fuzz connection [--seconds N] [--seed S]     hostile conversations with a running server

  --seconds N   of each target (30), two at a time
  --runs N      of each target
  --total N     over all targets, spread so that each takes about as long
  --replay      only what was found before
  --merge       the least of what was found that covers as much, into the tree
  --list        the targets, and end
  --build DIR   where they were built (build/fuzz)
`;
const number = { type: 'number', least: 1, whole: true };
const { values: flags, positionals } = readOptions('fuzz', HELP, {
  build: { type: 'string', default: join(here, '../../build/fuzz') }, seconds: number, runs: number, total: number, seed: number,
  list: { type: 'boolean' }, replay: { type: 'boolean' }, merge: { type: 'boolean' } }, true);
const all = readdirSync(here).filter((f) => f.endsWith('_fuzz.c')).map((f) => f.replace('_fuzz.c', '')).sort();
if (flags.list) {
  for (const name of all) {
    const about = readFileSync(join(here, `${name}_fuzz.c`), 'utf8').split('\n')[0].replace(/^.* - /, '').replace(/[ :,*/]+$/, '');
    console.log(`${name.padEnd(12)} ${about}`);
  }
  process.exit(0);
}
for (const name of positionals)
  if (!all.includes(name)) refuse('fuzz', name === 'connection' ? 'connection stands before its options' : `"${name}" is none of the targets: ${all.join(', ')}`);
const build = resolve(flags.build);
const names = positionals.length ? positionals : all;
const JOBS = 2, MEMORY_MB = 1024, TIMEOUT_S = 10, MAX_LEN = { html: 16384, item: 16384, redis: 4096, client: 8192, config: 4096, query: 4096, frames: 4096 };

const tree = (name) => join(here, 'corpus', name);
const found = (name) => join(build, 'corpus', name);
const files = (dir) => (existsSync(dir) ? readdirSync(dir).length : 0);

/** Runs a fuzzer; what it says is kept, its end. */
function run(name, args, corpora) {
  return new Promise((done) => {
    const dict = join(here, `${name}.dict`);
    const child = spawn(join(build, `${name}_fuzz`), [`-rss_limit_mb=${MEMORY_MB}`, `-timeout=${TIMEOUT_S}`, `-max_len=${MAX_LEN[name] ?? 8192}`,
      `-artifact_prefix=${build}/${name}-`, '-print_final_stats=1', ...(existsSync(dict) ? [`-dict=${dict}`] : []), ...args, ...corpora],
    { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (data) => { said = (said + data).slice(-200000); });
    child.on('error', (error) => done({ said: String(error), code: 1 }));
    child.on('close', (code) => done({ said, code: code ?? 1 }));
  });
}

let passed = 0, failed = 0;
function row(name, began, { said, code }) {
  const number = (pattern) => Number([...said.matchAll(pattern)].at(-1)?.[1] ?? 0);
  const runs = number(/stat::number_of_executed_units: +(\d+)/g) || number(/^#(\d+)/gm);
  const took = (Date.now() - began) / 1000;
  const crash = said.match(/Test unit written to (\S+)/)?.[1];
  const ok = code === 0;
  ok ? passed++ : failed++;
  console.log(`${name.padEnd(12)} ${String(runs).padStart(10)} ${String(Math.round(runs / took)).padStart(8)}/s ${String(files(tree(name)) + files(found(name))).padStart(7)} ${
    String(number(/\bft: (\d+)/g)).padStart(8)}  ${ok ? 'ok' : 'CRASHED'}`);
  if (!ok) {
    console.log(said.split('\n').filter((line) => !/^#\d+\s+(NEW|REDUCE|pulse)/.test(line)).slice(-60).map((line) => `    | ${line}`).join('\n'));
    if (crash && existsSync(crash)) console.log(`    ${name} crashed on (base64):\n    ${readFileSync(crash).toString('base64')}\n` +
      `    again: ${join(build, `${name}_fuzz`)} ${crash}\n    once it is mended: cp ${crash} ${tree(name)}/`);
  }
  return { runs, took };
}

async function inTwos(work) {
  const queue = [...names];
  await Promise.all(Array.from({ length: JOBS }, async () => { for (let name; (name = queue.shift());) await work(name); }));
}

async function fuzz(name, args) {
  for (const dir of [tree(name), found(name)]) mkdirSync(dir, { recursive: true });
  const began = Date.now();
  const seeded = flags.seed ? [`-seed=${flags.seed}`] : [];
  return row(name, began, await run(name, [...args, ...seeded], [found(name), tree(name)]));
}

async function merge(name) {
  const small = `${found(name)}.small`;
  rmSync(small, { recursive: true, force: true });
  mkdirSync(small, { recursive: true });
  const named = readdirSync(tree(name)).filter((f) => !/^[0-9a-f]{40}$/.test(f)); // people gave them a name: they stay
  for (const f of named) cpSync(join(tree(name), f), join(small, f));
  const { code } = await run(name, ['-merge=1', '-use_counters=0'], [small, tree(name), found(name)]);
  if (code !== 0) { failed++; console.log(`${name}: could not merge`); return; }
  for (const f of readdirSync(tree(name))) if (!named.includes(f)) rmSync(join(tree(name), f));
  for (const f of readdirSync(small)) if (!named.includes(f) && statSync(join(small, f)).size <= 2048) renameSync(join(small, f), join(tree(name), f));
  rmSync(small, { recursive: true, force: true });
  passed++;
  console.log(`${name.padEnd(12)} ${files(tree(name))} files`);
}

if (flags.merge) {
  await inTwos(merge);
} else {
  console.log(`${'target'.padEnd(12)} ${'runs'.padStart(10)} ${'speed'.padStart(10)} ${'corpus'.padStart(7)} ${'features'.padStart(8)}`);
  const total = { runs: 0 };
  const add = ({ runs }) => { total.runs += runs; };
  if (flags.replay) {
    await inTwos(async (name) => add(await fuzz(name, ['-runs=0'])));
  } else if (flags.total) {
    // A tenth of the time shows how fast each is; what is left is spread so that all take about as long.
    const speed = {};
    await inTwos(async (name) => { const { runs, took } = await fuzz(name, ['-max_total_time=4']); speed[name] = Math.max(1, runs / took); total.runs += runs; });
    const sum = names.reduce((a, name) => a + speed[name], 0);
    const left = Math.max(0, flags.total - total.runs);
    if (failed === 0) { passed = 0; await inTwos(async (name) => add(await fuzz(name, [`-runs=${Math.ceil(left * speed[name] / sum)}`]))); }
  } else {
    await inTwos(async (name) => add(await fuzz(name, [flags.runs ? `-runs=${flags.runs}` : `-max_total_time=${flags.seconds ?? 30}`])));
  }
  console.log(`${total.runs} runs of ${names.length} targets`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
