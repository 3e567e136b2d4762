// What many millions of readers need: nodes, replicas of Redis, bandwidth; and a simulation of one breaking item on
// its way to all of them. From unit costs that the bench measured, where it has; everything else is said in ASSUMED.

import { existsSync, readFileSync } from 'node:fs';
import { median } from './quantiles.mjs';
import { figureOf, values } from './results.mjs';
import { markdownTable, number } from './text.mjs';

const MILLION = 1e6;
const READERS = [1 * MILLION, 10 * MILLION, 100 * MILLION];

// Where a number comes from when the bench has measured: workload, key, and whose if it is not newswired's; and what is taken when it has not.
const MEASURED = {
  delivery_us: { from: ['flash', 'cpu@15000'], or: 9, says: 'CPU for a delivery of a lone post, µs' },
  accept_ms: { from: ['flash', 'first@1000'], or: 2, says: 'from the publisher\'s send until a worker begins to write, ms' },
  reader_kb: { from: ['crowd', 'idle_15000_kb'], or: 1.6, says: 'memory of a reader in the process, KiB' },
  connection_kb: { from: ['crowd', 'kernel_kb'], or: 8, says: 'memory of a connection in the kernel, both ends, KiB' },
  redis_us: { from: ['flash', 'cpu@1000', 'redis'], or: 12, says: 'CPU of a Redis for each subscriber and post, µs' },
  return_us: { from: ['storm', 'cpu_us'], or: 120, says: 'CPU for a reader who comes back with a cursor, µs' },
};

const ASSUMED = {
  readers_per_worker: { is: 19_000, says: 'readers of one worker: no more than was measured' },
  workers_per_node: { is: 16, says: 'workers of one node, a core each' },
  gbit: { is: 10, says: 'what a node\'s network takes, Gbit/s' },
  frame: { is: 512, says: 'bytes of a post on the wire' },
  overhead: { is: 90, says: 'bytes of Ethernet, IP and TCP around it, and of its acknowledgement' },
  redis_load: { is: 0.25, says: 'of a core that a Redis may spend on that' },
  burst: { is: 200, says: 'posts a second that it must stand' },
  hop_ms: { is: 0.3, says: 'from one machine of the centre to the next, ms' },
  reader_ms: { is: 40, says: 'from a node to a reader, median, ms' },
  reader_spread: { is: 0.7, says: 'how unlike these ways are: sigma of a log-normal distribution' },
  loss: { is: 0.01, says: 'of the packets that are lost on them' },
  again_ms: { is: 250, says: 'until a lost one is sent again, ms' },
  tls: { is: 1.5, says: 'times the CPU of a delivery, with TLS' },
  handshake_us: { is: 900, says: 'CPU of a TLS handshake (P-256), µs' },
};

const SAMPLES = 200_000;

const seenOf = (runs, [workload, key, name = 'newswired']) => values(runs, workload, name, figureOf(workload, key));

// The unit costs: what was measured, then what the caller wants otherwise.
export function units(runs, wanted = {}) {
  const found = Object.fromEntries(Object.entries(MEASURED).map(([key, { from, or }]) => {
    const seen = seenOf(runs, from);
    return [key, seen.length > 0 ? median(seen) : or];
  }));
  return { ...found, ...Object.fromEntries(Object.entries(ASSUMED).map(([key, { is }]) => [key, is])), ...wanted };
}

// How many of everything.
export function sized(u, readers) {
  const workers = Math.ceil(readers / u.readers_per_worker);
  const nodes = Math.ceil(workers / u.workers_per_node);
  const perRedis = Math.max(1, Math.floor(u.redis_load / (u.burst * u.redis_us * 1e-6)));
  const replicas = workers <= perRedis ? 0 : Math.ceil(workers / perRedis);
  const nodeReaders = Math.min(readers, u.readers_per_worker * u.workers_per_node);
  return {
    readers, workers, nodes, replicas, nodeReaders,
    // Replicas of replicas, when one Redis cannot feed them all.
    levels: replicas === 0 ? 0 : Math.max(1, Math.ceil(Math.log(replicas) / Math.log(perRedis))),
    nodeGb: nodeReaders * (u.reader_kb + u.connection_kb / 2) / 2 ** 20,
    flashGbit: readers * (u.frame + u.overhead) * 8 / 1e9,
    mostFlashesASecond: 1 / (u.readers_per_worker * pace(u)),
    backSeconds: u.readers_per_worker * u.return_us * 1e-6,
    backTlsSeconds: u.readers_per_worker * (u.return_us + u.handshake_us) * 1e-6,
  };
}

// Seconds between two deliveries of a worker: its CPU's, or its share of the network's.
function pace(u) {
  return Math.max(u.delivery_us * u.tls * 1e-6, u.workers_per_node * (u.frame + u.overhead) * 8 / (u.gbit * 1e9));
}

// Random numbers, the same in every run (mulberry32).
function dice(seed) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const normal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

// When each worker begins to write, in seconds after the publisher's send: the primary feeds its replicas one after
// the other, each of these its workers.
function workerStarts(u, { workers, replicas, levels }) {
  const perRedis = replicas === 0 ? workers : Math.ceil(workers / replicas);
  const feed = u.redis_us * 1e-6;
  return Array.from({ length: workers }, (_, i) => {
    const replica = Math.floor(i / perRedis);
    return u.accept_ms / 1e3 + levels * u.hop_ms / 1e3 + (replicas > 0 ? replica * feed : 0) + (i % perRedis) * feed + u.hop_ms / 1e3;
  });
}

function wayToReader(u, random) {
  let seconds = u.reader_ms / 1e3 * Math.exp(u.reader_spread * normal(random));
  while (random() < u.loss) seconds += u.again_ms / 1e3;
  return seconds;
}

// One post to everybody. When it has left for the last reader is exact; when it arrives is drawn for a sample of them.
export function simulate(u, readers) {
  const size = sized(u, readers);
  const starts = workerStarts(u, size);
  const each = readers / size.workers;
  const random = dice(1);
  const arrivals = Array.from({ length: Math.min(SAMPLES, readers) }, () => {
    const start = starts[Math.floor(random() * starts.length)];
    return start + Math.floor(random() * each) * pace(u) + wayToReader(u, random);
  }).sort((a, b) => a - b);
  const at = (part) => arrivals[Math.min(arrivals.length - 1, Math.ceil(part * arrivals.length) - 1)];
  return {
    ...size,
    firstLeft: starts[0] + pace(u),
    lastLeft: starts.reduce((most, start) => Math.max(most, start), 0) + each * pace(u),
    half: at(0.5), most: at(0.99), nearlyAll: at(0.999),
  };
}

const seconds = (s) => (s < 1 ? `${number(s * 1e3, s < 0.01 ? 1 : 0)} ms` : `${number(s, 1)} s`);

const ROWS = [
  ['workers, a core each', ({ workers }) => number(workers, 0)],
  ['nodes', ({ nodes }) => number(nodes, 0)],
  ['memory of a node\'s readers', ({ nodeGb }) => `${number(nodeGb, 1)} GiB`],
  ['replicas of Redis', ({ replicas }) => (replicas === 0 ? 'none' : number(replicas, 0))],
  ['bytes of one post, all nodes', ({ flashGbit }) => `${number(flashGbit / 8, 1)} GB`],
  ['it has left for the first reader after', ({ firstLeft }) => seconds(firstLeft)],
  ['it has left for the last reader after', ({ lastLeft }) => seconds(lastLeft)],
  ['half of the readers have it after', ({ half }) => seconds(half)],
  ['99 % have it after', ({ most }) => seconds(most)],
  ['99.9 % have it after', ({ nearlyAll }) => seconds(nearlyAll)],
  ['lone posts a second, at most', ({ mostFlashesASecond }) => number(mostFlashesASecond, 1)],
  ['everybody comes back, plain', ({ backSeconds }) => seconds(backSeconds)],
  ['everybody comes back, new TLS handshakes', ({ backTlsSeconds }) => seconds(backTlsSeconds)],
];

export function planTable(u, counts = READERS) {
  const runs = counts.map((readers) => simulate(u, readers));
  return { head: ['', ...counts.map((n) => `${number(n / MILLION, n % MILLION ? 1 : 0)} million`)], lines: ROWS.map(([name, read]) => [name, ...runs.map(read)]) };
}

function unitTable(u, runs) {
  const digits = (value) => (Number.isInteger(value) ? 0 : value < 10 ? 2 : 1);
  const source = ({ from }) => (seenOf(runs, from).length > 0 ? from[0] : 'not measured here');
  return {
    head: ['what is taken for granted', 'value', 'from'],
    lines: Object.entries({ ...MEASURED, ...ASSUMED }).map(([key, row]) =>
      [`\`${key}\`: ${row.says}`, number(u[key], digits(u[key])), row.from ? source(row) : 'assumed']),
  };
}

// `gbit=25,workers_per_node=32` as an object; names that do not exist are refused.
export function wishes(text = '') {
  return Object.fromEntries(text.split(',').filter(Boolean).map((pair) => {
    const [key, value] = pair.split('=');
    if (!MEASURED[key] && !ASSUMED[key]) throw new Error(`there is no "${key}": ${Object.keys({ ...MEASURED, ...ASSUMED }).join(', ')}`);
    if (!(Number(value) >= 0)) throw new Error(`"${pair}" is no number`);
    return [key, Number(value)];
  }));
}

export function plan(settings) {
  const runs = existsSync(settings.results) ? JSON.parse(readFileSync(settings.results, 'utf8')).runs : [];
  const u = units(runs, wishes(settings.with));
  const text = [markdownTable(planTable(u)), markdownTable(unitTable(u, runs))].join('\n\n');
  console.log(text);
  if (settings.writeDocs) settings.writeDocs('plan', text);
}
