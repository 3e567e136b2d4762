#!/usr/bin/env node
// The instructions of the hot paths, counted by callgrind and held against those that the tree keeps (figures.json).
//
// Counts repeat to a fraction of a percent, whatever else the machine does; they hold for the release build of Debian 12's compiler.

import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readOptions } from '../../options.mjs';

const MOST = 1.05;
const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, '../../..');
const KEPT = join(HERE, 'figures.json');
const run = promisify(execFile);

const HELP = `usage: ./dev bench micro [--keep] [--build DIR]

Fails where one of the hot paths takes 5 % more instructions than the tree keeps.
  --keep        writes the figures down: a change on purpose, with its reason in the commit
  --build DIR   where the programs were built (build)
`;
const { values: options } = readOptions('bench micro', HELP, { build: { type: 'string', default: join(ROOT, 'build') }, keep: { type: 'boolean', default: false } });
const program = join(resolve(options.build), 'nw-micro');

// Where texts come to lie, and so how many instructions comparing them takes, depends on the length of arguments and environment: they are
// the same everywhere.
const FIXED = { cwd: ROOT, env: { PATH: '/usr/bin:/bin' } };

async function instructions({ name, units }) {
  const { stderr } = await run('valgrind', ['--tool=callgrind', '--toggle-collect=measured', '--callgrind-out-file=/dev/null',
    relative(ROOT, program), name, 'tests/samples'], FIXED);
  return Math.round(Number(/Collected : (\d+)/.exec(stderr)[1]) / units);
}

/** Each path, as many at a time as there are cores. */
async function measureAll() {
  const paths = (await run(program, ['--list'])).stdout.trim().split('\n').map((line) => line.split('\t'))
    .map(([name, units, unit]) => ({ name, units: Number(units), unit }));
  const waiting = [...paths];
  await Promise.all(cpus().map(async () => {
    for (let path; (path = waiting.shift());) path.now = await instructions(path);
  }));
  return paths;
}

const count = (n) => n.toLocaleString('en-US');

function judge(path, kept) {
  if (kept === undefined) return { ...path, verdict: 'NEW', grown: true };
  const ratio = path.now / kept;
  return { ...path, kept, ratio, grown: ratio > MOST, verdict: ratio > MOST ? 'GREW' : ratio < 1 / MOST ? 'shrank' : 'ok' };
}

function show({ name, unit, now, kept, ratio, verdict }) {
  const change = kept === undefined ? '' : ` (kept ${count(kept)}, ${ratio.toFixed(3)} ×)`;
  console.log(`${verdict.padEnd(7)}${name.padEnd(38)}${count(now).padStart(9)} instructions per ${unit}${change}`);
}

try {
  const kept = JSON.parse(readFileSync(KEPT, 'utf8'));
  const paths = (await measureAll()).map((path) => judge(path, kept[path.name]));
  paths.forEach(show);
  if (options.keep) {
    writeFileSync(KEPT, `${JSON.stringify(Object.fromEntries(paths.map(({ name, now }) => [name, now])), null, 2)}\n`);
    console.log(`kept: ${KEPT}`);
  } else {
    const grown = paths.filter((path) => path.grown).length;
    const gone = Object.keys(kept).filter((name) => !paths.some((path) => path.name === name));
    for (const name of gone) console.log(`GONE   ${name}`);
    if (paths.some(({ verdict }) => verdict === 'shrank')) console.log('what shrank may be kept: tests/bench/micro/run.mjs --keep');
    console.log(`# pass ${paths.length - grown}\n# fail ${grown + gone.length}`);
    process.exitCode = grown + gone.length > 0 ? 1 : 0;
  }
} catch (error) {
  console.error(`micro: ${error.code === 'ENOENT' ? `${error.path ?? program} is not there: build first (./dev build), and install valgrind` : error.message}`);
  process.exitCode = 1;
}
