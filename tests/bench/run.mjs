// The bench of newswired: it and a floor written for it, alternated in one run. docs/benchmarks.md
// says what the figures mean.

import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startFloor, startNewswired } from './lib/candidates.mjs';
import { machine } from './lib/machine.mjs';
import { FRAME_BYTES, calibrate } from './lib/measure.mjs';
import { page } from './lib/page.mjs';
import { parse } from './lib/parse.mjs';
import { verdicts } from './lib/results.mjs';
import { selftest } from './lib/selftest.mjs';
import { csv, markdown, terminal } from './lib/text.mjs';
import { FIGURES, WORKLOADS } from './lib/workloads.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, '../..');
const DOCS = join(ROOT, 'docs/benchmarks.md');

const HELP = `usage: tests/bench/run fanout|parse|selftest [options]

  fanout     newswired against the floor: ${Object.keys(WORKLOADS).join(', ')}
  parse      reading an item against jansson alone, in instructions (needs valgrind; a minute)
  selftest   the bench itself: nothing it should see is overlooked (seconds)

  --build DIR        where newswired and the bench's programs are (default: build)
  --only LIST        workloads, separated by commas; idle and connect mean crowd
  --pairs N          how often each is measured (default 5)
  --quick            one pair
  --readers N        of steady and burst (default 5000)
  --floor-only       measure the floor alone
  --no-pin           let the kernel choose the cores
  --state DIR        where state directories are made (default: ${tmpdir()})
  --server-args ARGS more options for newswired, separated by spaces
  --docs             write the tables into docs/benchmarks.md as well
`;

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      build: { type: 'string', default: join(ROOT, 'build') },
      only: { type: 'string' },
      pairs: { type: 'string', default: '5' },
      quick: { type: 'boolean', default: false },
      readers: { type: 'string', default: '5000' },
      'floor-only': { type: 'boolean', default: false },
      'no-pin': { type: 'boolean', default: false },
      state: { type: 'string', default: tmpdir() },
      'server-args': { type: 'string', default: '' },
      docs: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help || positionals.length !== 1) {
    console.log(HELP);
    process.exit(values.help ? 0 : 2);
  }
  const pin = !values['no-pin'] && cpus().length > 1;
  return {
    command: positionals[0],
    build: resolve(values.build),
    workloads: chosen(values.only),
    pairs: values.quick ? 1 : Number(values.pairs),
    readers: Number(values.readers),
    floorOnly: values['floor-only'],
    scratch: resolve(values.state),
    serverArgs: values['server-args'].split(' ').filter(Boolean),
    docs: values.docs,
    serverCore: pin ? 0 : null,
    loadCore: pin ? 1 : null,
  };
}

function chosen(only) {
  if (!only) return Object.keys(WORKLOADS);
  const names = only.split(',').map((name) => (name === 'idle' || name === 'connect' ? 'crowd' : name));
  const unknown = names.find((name) => !WORKLOADS[name]);
  if (unknown) throw new Error(`there is no workload "${unknown}": ${Object.keys(WORKLOADS).join(', ')}`);
  return [...new Set(names)];
}

function checkPrograms({ build, floorOnly, command }) {
  const needed = command === 'parse' ? ['nw-parse'] : ['nw-floor', 'nw-load', 'nw-publish', ...(floorOnly || command === 'selftest' ? [] : ['newswired'])];
  for (const program of needed) {
    try {
      accessSync(join(build, program), constants.X_OK);
    } catch {
      throw new Error(`${join(build, program)} is not there: build first (./dev build), or name the directory with --build`);
    }
  }
}

// One measurement of one candidate, started fresh for it.
async function measureOnce(settings, workload, name) {
  const how = WORKLOADS[workload];
  const candidate = name === 'floor' ? await startFloor(settings, how) : await startNewswired(settings);
  try {
    return await how.measure(settings, candidate, how);
  } finally {
    await candidate.stop();
  }
}

function progress(workload, run, settings) {
  const shown = FIGURES[workload].slice(0, 7).map((figure) => `${figure.key} ${figure.read(run).toFixed(figure.digits)}${figure.unit}`);
  console.log(`${workload} ${run.pair}/${settings.pairs} ${run.candidate.padEnd(9)} ${shown.join('  ')}`);
}

// Pairs, the order turned round every other time: what changes on the machine meets both alike.
async function measureAll(settings) {
  const runs = [];
  const names = settings.floorOnly ? ['floor'] : ['floor', 'newswired'];
  for (const workload of settings.workloads) {
    for (let pair = 1; pair <= settings.pairs; pair++) {
      for (const candidate of pair % 2 ? names : [...names].reverse()) {
        const run = { workload, pair, candidate, ...await measureOnce(settings, workload, candidate) };
        runs.push(run);
        progress(workload, run, settings);
      }
    }
  }
  return runs;
}

function writeDocs(name, text) {
  const old = readFileSync(DOCS, 'utf8');
  const renewed = old.replace(new RegExp(`(<!-- ${name}:begin -->\\n)[^]*(<!-- ${name}:end -->)`), (_, begin, end) => `${begin}${text}\n${end}`);
  writeFileSync(DOCS, renewed);
  console.log(`tables: ${DOCS}`);
}

function writeReports(runs, settings) {
  const where = join(settings.build, 'bench');
  const here = machine(settings);
  mkdirSync(where, { recursive: true });
  writeFileSync(join(where, 'results.json'), JSON.stringify({ machine: here, runs }, null, 1));
  writeFileSync(join(where, 'results.csv'), csv(runs));
  writeFileSync(join(where, 'report.html'), page(runs, settings, here));
  console.log(`report: ${join(where, 'report.html')} (results.csv and results.json beside it)`);
  if (settings.docs) writeDocs('bench', markdown(runs, settings, here));
}

async function fanout(settings) {
  settings.bytes = { floor: FRAME_BYTES - 4 };
  if (!settings.floorOnly) {
    const { bytes, frame } = await calibrate(settings, () => startNewswired(settings));
    settings.bytes = { newswired: bytes, floor: frame - 4 };
    console.log(`an item of ${bytes} bytes is a frame of ${frame} bytes`);
  }
  const runs = await measureAll(settings);
  console.log(`\n${terminal(runs, settings)}\n`);
  writeReports(runs, settings);
  const missed = verdicts(runs).filter(({ pass }) => !pass).length;
  if (!settings.floorOnly) console.log(missed > 0 ? `bars missed: ${missed}` : 'every bar was reached');
}

const COMMANDS = {
  fanout,
  parse: async (settings) => {
    const samples = join(ROOT, 'tests/samples');
    process.exitCode = await parse({ ...settings, samples, writeDocs: settings.docs && writeDocs }) > 0 ? 1 : 0;
  },
  selftest: async (settings) => {
    process.exitCode = await selftest(settings) > 0 ? 1 : 0;
  },
};

try {
  const settings = options();
  if (!COMMANDS[settings.command]) throw new Error(`there is no "${settings.command}"\n${HELP}`);
  checkPrograms(settings);
  await COMMANDS[settings.command](settings);
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}
