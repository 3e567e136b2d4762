// Where newswired's CPU goes in each workload: perf samples the server's core while it is measured, and the samples are added up
// by who was running and in whose code.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CANDIDATES } from './candidates.mjs';
import { minute } from './machine.mjs';
import { scratch } from './start.mjs';
import { WORKLOADS } from './workloads.mjs';

const HERTZ = 1999;
const ATTACH_MS = 300; // perf says nothing when it has begun
const SHOWN = 4; // functions of a workload

/** What is looked at in a workload: its posts, unless it is about something else. */
const PHASE = { crowd: 'connect', storm: 'reunion', idle: 'watch' };
export const PROFILED = ['flash', 'steady', 'burst', 'mixed', 'many', 'audiences', 'crowd', 'storm', 'idle'];

const PARTS = [
  ['kernel, for the worker', ({ who, where }) => who === 'newswired' && where.startsWith('[')],
  ['newswired', ({ who, where }) => who === 'newswired' && where === 'newswired'],
  ['libwebsockets', ({ who, where }) => who === 'newswired' && where.startsWith('libwebsockets')],
  ['other libraries', ({ who }) => who === 'newswired'],
  ['kernel, for Redis', ({ who, where }) => who === 'redis-server' && where.startsWith('[')],
  ['Redis', ({ who }) => who === 'redis-server'],
];

/** Records while a phase of this name lasts; the measurement says when. */
class Recorder {
  samples = [];

  constructor(settings, phase) {
    this.core = settings.serverCore ?? 0;
    this.phase = phase;
    this.directory = scratch(settings);
  }

  async begin(phase) {
    if (phase !== this.phase) return;
    this.file = join(this.directory, 'perf.data');
    this.perf = spawn('perf', ['record', '-q', '-F', String(HERTZ), '-C', String(this.core), '-o', this.file], { stdio: 'ignore' });
    this.ended = once(this.perf, 'close');
    await pause(ATTACH_MS);
  }

  async end(phase) {
    if (phase !== this.phase) return;
    this.perf.kill('SIGINT');
    await this.ended;
    this.samples.push(...samplesIn(this.file));
    rmSync(this.file, { force: true });
  }
}

// `count who where function`, a line each.
function samplesIn(file) {
  const text = execFileSync('perf', ['report', '-i', file, '--stdio', '-g', 'none', '-F', 'sample,comm,dso,sym', '-t', '\t'],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 28 });
  return text.split('\n').filter((line) => /^\s*\d+\s*\t/.test(line)).map((line) => {
    const [count, who, where, name] = line.split('\t').map((field) => field.trim());
    return { count: Number(count), who, where, name: name.replace(/^\[.\] /, '') };
  });
}

/** Shares of what newswired and its Redis took: of each part, and of the functions outside the kernel that took most. */
export function shares(samples) {
  const ours = samples.filter(({ who }) => who === 'newswired' || who === 'redis-server');
  const total = ours.reduce((sum, { count }) => sum + count, 0);
  const parts = PARTS.map(([name]) => [name, 0]);
  const functions = new Map();
  for (const sample of ours) {
    parts[PARTS.findIndex(([, belongs]) => belongs(sample))][1] += sample.count / total;
    if (sample.who === 'newswired' && !sample.where.startsWith('[')) {
      functions.set(sample.name, (functions.get(sample.name) ?? 0) + sample.count / total);
    }
  }
  return { total, parts, functions: [...functions].sort((a, b) => b[1] - a[1]).slice(0, SHOWN) };
}

async function profileOf(settings, workload) {
  const how = WORKLOADS[workload];
  const profiler = new Recorder(settings, PHASE[workload] ?? 'publish');
  const candidate = await CANDIDATES.newswired.start(settings);
  try {
    await how.measure({ ...settings, profiler }, candidate, how);
  } finally {
    await candidate.stop();
  }
  return shares(profiler.samples);
}

const percent = (share) => `${(share * 100).toFixed(1)} %`;

function table(profiles) {
  const head = ['workload', ...PARTS.map(([name]) => name), 'functions that take most'];
  const row = ([workload, { parts, functions }]) => [workload, ...parts.map(([, share]) => percent(share)),
    functions.map(([name, share]) => `\`${name}\` ${percent(share)}`).join(', ')];
  return [head, head.map((_, i) => (i > 0 && i <= PARTS.length ? '--:' : '---')), ...profiles.map(row)].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export async function profile(settings) {
  try {
    execFileSync('perf', ['--version'], { stdio: 'ignore' });
  } catch {
    throw new Error('perf is not there: apt-get install linux-perf');
  }
  const profiles = [];
  for (const workload of settings.workloads.filter((name) => PROFILED.includes(name))) {
    const shown = await profileOf(settings, workload);
    if (shown.total === 0) throw new Error(`${workload}: perf saw nothing of newswired; does perf_event_paranoid allow it?`);
    profiles.push([workload, shown]);
    console.log(`${workload.padEnd(10)} ${shown.parts.map(([name, share]) => `${name} ${percent(share)}`).join('  ')}\n${' '.repeat(11)}${
      shown.functions.map(([name, share]) => `${name} ${percent(share)}`).join('  ')}`);
  }
  if (settings.writeDocs) settings.writeDocs('profile', `${minute()}, one round each.\n\n${table(profiles)}`);
}
