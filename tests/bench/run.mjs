// The bench of newswired: it, a floor written for it, and other servers, alternated in one run. docs/benchmarks.md
// says what the figures mean.

import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CANDIDATES, PEERS, chosenPeers, isInstalled } from './lib/candidates.mjs';
import { machine, minute } from './lib/machine.mjs';
import { calibrate } from './lib/measure.mjs';
import { page } from './lib/page.mjs';
import { parse } from './lib/parse.mjs';
import { plan } from './lib/plan.mjs';
import { plots } from './lib/plots.mjs';
import { posting } from './lib/posting.mjs';
import { PROFILED, profile } from './lib/profile.mjs';
import { Progress } from './lib/progress.mjs';
import { measured, verdicts } from './lib/results.mjs';
import { selftest } from './lib/selftest.mjs';
import { csv, markdown, markdownHead, terminal } from './lib/text.mjs';
import { FANOUT, WORKLOADS, participants } from './lib/workloads.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, '../..');
const DOCS = join(ROOT, 'docs/benchmarks.md');
const PLOTS = join(ROOT, 'docs/benchmarks');

const HELP = `usage: tests/bench/run [all|fanout|parse|posting|profile|plan|selftest] [options]

  all        newswired beside the floor and the peers, every workload (about 20 minutes):
             ${Object.keys(WORKLOADS).join(', ')}
  fanout     newswired against the floor alone: ${FANOUT.join(', ')}
  parse      reading an item against jansson alone, in instructions (needs valgrind; a minute)
  posting    items accepted a second and how long a receipt takes, over the line and HTTP (two minutes)
  profile    where newswired's CPU goes in each workload, by perf (two minutes):
             ${PROFILED.join(', ')}
  plan       what 1, 10 and 100 million readers need, from measured unit costs
  selftest   the bench itself: nothing it should see is overlooked (seconds)

  --build DIR        where newswired and the bench's programs are (default: build)
  --only LIST        workloads, separated by commas
  --peers LIST       of ${PEERS.join(', ')}; none;
                     default: all that are installed but pushpin, which takes minutes
  --pairs N          how many rounds (default 5)
  --quick            one round
  --small            one round with a twentieth of the readers: whether everything runs
  --readers N        of steady, burst and mixed (default 5000)
  --floor-only       measure the floor alone
  --no-pin           let the kernel choose the cores
  --state DIR        where state directories are made (default: ${tmpdir()})
  --server-args ARGS more options for newswired, separated by spaces
  --with LIST        plan: other unit costs, such as gbit=25,workers_per_node=32
  --docs             write tables and plots into docs/ as well
`;

const SMALL = 1 / 20;

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      build: { type: 'string', default: join(ROOT, 'build') },
      only: { type: 'string' },
      peers: { type: 'string' },
      pairs: { type: 'string', default: '5' },
      quick: { type: 'boolean', default: false },
      small: { type: 'boolean', default: false },
      readers: { type: 'string', default: '5000' },
      'floor-only': { type: 'boolean', default: false },
      'no-pin': { type: 'boolean', default: false },
      state: { type: 'string', default: tmpdir() },
      'server-args': { type: 'string', default: '' },
      with: { type: 'string' },
      docs: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help || positionals.length > 1) {
    console.log(HELP);
    process.exit(values.help ? 0 : 2);
  }
  const command = positionals[0] ?? 'all';
  const pin = !values['no-pin'] && cpus().length > 1;
  const scale = values.small ? SMALL : 1;
  return {
    command,
    build: resolve(values.build),
    workloads: chosen(values.only, command === 'fanout' ? FANOUT : Object.keys(WORKLOADS)),
    peers: command === 'fanout' && values.peers === undefined ? [] : chosenPeers(values.peers),
    pairs: values.quick || values.small ? 1 : Number(values.pairs),
    scale,
    scaled: (n) => Math.max(Math.round(n * scale), 1),
    posts: (n) => n,
    settleMs: 500,
    readers: Math.round(Number(values.readers) * scale),
    floorOnly: values['floor-only'],
    scratch: resolve(values.state),
    serverArgs: values['server-args'].split(' ').filter(Boolean),
    with: values.with,
    docs: values.docs,
    serverCore: pin ? 0 : null,
    loadCore: pin ? 1 : null,
  };
}

function chosen(only, all) {
  if (!only) return all;
  const names = only.split(',').map((name) => (name === 'connect' ? 'crowd' : name));
  const unknown = names.find((name) => !WORKLOADS[name]);
  if (unknown) throw new Error(`there is no workload "${unknown}": ${Object.keys(WORKLOADS).join(', ')}`);
  return [...new Set(names)];
}

function programsFor({ command, floorOnly }) {
  if (command === 'plan') return [];
  if (command === 'parse') return ['nw-parse'];
  if (command === 'posting') return ['newswired'];
  return ['nw-ask', 'nw-floor', 'nw-load', 'nw-publish', 'nw-textbook', ...(floorOnly ? [] : ['newswired'])];
}

function checkPrograms(settings) {
  for (const program of programsFor(settings)) {
    try {
      accessSync(join(settings.build, program), constants.X_OK);
    } catch {
      throw new Error(`${join(settings.build, program)} is not there: build first (./dev build), or name the directory with --build`);
    }
  }
}

// One measurement of one candidate, started fresh for it.
async function measureOnce(settings, workload, name) {
  const how = WORKLOADS[workload];
  const candidate = await CANDIDATES[name].start(settings, name === 'floor' ? how.floor : undefined);
  try {
    return await how.measure(settings, candidate, how);
  } finally {
    await candidate.stop();
  }
}

// What fails is tried once more, as something else on the machine may have disturbed it; then the others go on.
async function measureOrSay(settings, workload, name) {
  for (let tries = 2;;) {
    try {
      return await measureOnce(settings, workload, name);
    } catch (error) {
      if (--tries === 0) return { failed: error.message };
    }
  }
}

function outcome({ workload, candidate, pair, ...run }, settings) {
  const shown = run.failed ?? WORKLOADS[workload].figures.slice(0, 7)
    .map((figure) => `${figure.key} ${figure.read(run)?.toFixed?.(figure.digits) ?? '–'}${figure.unit}`).join('  ');
  return `${workload} ${pair}/${settings.pairs} ${candidate.padEnd(9)} ${shown}`;
}

// What is measured, in order: rounds, turned round every other time, so that what changes on the machine meets all alike.
function schedule(settings) {
  return settings.workloads.flatMap((workload) => {
    const how = WORKLOADS[workload];
    const names = participants(how, settings);
    return Array.from({ length: Math.min(settings.pairs, how.rounds ?? Infinity) }, (_, i) => i + 1).flatMap((pair) =>
      (pair % 2 ? names : [...names].reverse())
        .filter((name) => !CANDIDATES[name].peer || pair <= (how.peerRounds ?? Infinity))
        .map((candidate) => ({ workload, pair, candidate, takes: how.takes * Math.max(settings.scale, 1 / 4) })));
  });
}

async function measureAll(settings) {
  const steps = schedule(settings);
  const progress = new Progress(steps.reduce((sum, { takes }) => sum + takes, 0));
  const runs = [];
  for (const { takes, ...step } of steps) {
    progress.begin(`${step.workload} ${step.pair}/${settings.pairs} ${step.candidate}`);
    const began = Date.now();
    const run = { ...step, ...await measureOrSay(settings, step.workload, step.candidate) };
    run.took = (Date.now() - began) / 1000;
    run.date = minute();
    if (!run.failed) runs.push(run);
    // Another server may be unable to do what it is asked; newswired and the floor may not.
    else if (!CANDIDATES[step.candidate].peer) process.exitCode = 1;
    progress.end(takes, outcome(run, settings));
  }
  return runs;
}

// Puts text between the two comments that name it.
function writeDocs(name, text) {
  const old = readFileSync(DOCS, 'utf8');
  const place = new RegExp(`(<!-- ${name}:begin -->\\n)[^]*(<!-- ${name}:end -->)`);
  if (!place.test(old)) throw new Error(`${DOCS} has no place for "${name}"`);
  writeFileSync(DOCS, old.replace(place, (_, begin, end) => `${begin}${text}\n${end}`));
}

function documentAll(runs, settings, here) {
  // What is made of all workloads is left as it was while some of them were never measured here.
  const isWhole = Object.keys(WORKLOADS).every((name) => runs.some(({ workload }) => workload === name));
  if (settings.command === 'all' && isWhole) {
    writeDocs('ratios', markdownHead(runs, here));
    plan({ ...settings, results: resultsFile(settings), writeDocs });
  }
  for (const workload of measured(runs)) writeDocs(workload, markdown(runs.filter((run) => run.workload === workload), workload, settings));
  mkdirSync(PLOTS, { recursive: true });
  for (const [name, svg] of Object.entries(plots(runs))) writeFileSync(join(PLOTS, `${name}.svg`), svg);
  console.log(`tables: ${DOCS}`);
}

// Small runs and those against the floor alone leave what all of it left as it was.
function reportDirectory({ build, command, scale }) {
  return join(build, 'bench', scale < 1 ? 'small' : command === 'fanout' ? 'fanout' : '');
}

const resultsFile = (settings) => join(reportDirectory(settings), 'results.json');

// What was measured before and not now stays in the report.
function earlier(settings) {
  if (!existsSync(resultsFile(settings))) return [];
  return JSON.parse(readFileSync(resultsFile(settings), 'utf8')).runs.filter(({ workload, date }) => date && WORKLOADS[workload] && !settings.workloads.includes(workload));
}

function writeReports(runs, settings) {
  const where = reportDirectory(settings);
  const here = machine(settings);
  mkdirSync(where, { recursive: true });
  writeFileSync(resultsFile(settings), JSON.stringify({ machine: here, runs }, null, 1));
  writeFileSync(join(where, 'results.csv'), csv(runs));
  writeFileSync(join(where, 'report.html'), page(runs, settings, here));
  for (const [name, svg] of Object.entries(plots(runs))) writeFileSync(join(where, `${name}.svg`), svg);
  console.log(`report: ${join(where, 'report.html')} (results.csv and results.json beside it)`);
  if (settings.docs) documentAll(runs, settings, here);
}

function sayWhoIsMissing(settings) {
  const missing = PEERS.filter((name) => !isInstalled(name) && !CANDIDATES[name].onlyIfNamed);
  if (settings.command === 'all' && missing.length > 0) console.log(`not installed, so not measured: ${missing.join(', ')}`);
}

async function measure(settings) {
  sayWhoIsMissing(settings);
  if (!settings.floorOnly) {
    const { envelope, frame } = await calibrate(settings, () => CANDIDATES.newswired.start(settings));
    settings.envelope = envelope;
    console.log(`newswired puts ${envelope} bytes around an item: frames have ${frame} bytes`);
  }
  const runs = await measureAll(settings);
  console.log(`\n${terminal(runs, settings)}\n`);
  writeReports([...earlier(settings), ...runs], settings);
  const missed = verdicts(runs).filter(({ pass }) => !pass).length;
  if (!settings.floorOnly) console.log(missed > 0 ? `bars missed: ${missed}` : 'every bar was reached');
}

const COMMANDS = {
  all: measure,
  fanout: measure,
  parse: async (settings) => {
    const samples = join(ROOT, 'tests/samples');
    process.exitCode = await parse({ ...settings, samples, writeDocs: settings.docs && writeDocs }) > 0 ? 1 : 0;
  },
  posting: async (settings) => {
    process.exitCode = await posting({ ...settings, writeDocs: settings.docs && writeDocs }) > 0 ? 1 : 0;
  },
  profile: (settings) => profile({ ...settings, writeDocs: settings.docs && writeDocs }),
  plan: (settings) => plan({ ...settings, results: resultsFile(settings), writeDocs: settings.docs && writeDocs }),
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
