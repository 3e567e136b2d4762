// Readers who get their posts, alone and then beside a thousand who never read: what those cost the worker, and the others.

import { setTimeout as pause } from 'node:timers/promises';
import { figure } from '../figures.mjs';
import { Measurement } from '../measure.mjs';
import { StuckReaders } from '../stuck.mjs';

const MIB = 1024 * 1024;
const QUICK = 200; // readers who read
const STUCK = 1000;
const RATE = 200;
const SECONDS = 60;
const FRAME = '4096';
const LOOK_MS = 500;

// What the workers say of themselves.
async function told(candidate) {
  const text = await (await fetch(`http://127.0.0.1:${candidate.ports[0]}/metrics`)).text();
  const value = (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  return { resident: value('newswire_resident_bytes'), readers: value('newswire_readers') };
}

// The most memory that the workers have until `over`, and how many readers there are in the end.
async function watch(candidate, over) {
  const seen = { resident: 0, readers: 0 };
  for (;;) {
    const last = over.aborted;
    const now = await told(candidate);
    seen.resident = Math.max(seen.resident, now.resident);
    seen.readers = now.readers;
    if (last) return seen;
    await pause(LOOK_MS, null, { signal: over }).catch(() => {});
  }
}

async function publishWatched(measurement, candidate, seconds) {
  const over = new AbortController();
  const count = measurement.settings.posts(RATE * seconds);
  const [run, seen] = await Promise.all([
    measurement.publish({ rate: RATE, count, frame: FRAME }).finally(() => over.abort()),
    watch(candidate, over.signal),
  ]);
  return { ...run, ...seen };
}

async function calmAndBesideStuck(settings, candidate) {
  const measurement = new Measurement(settings, candidate);
  let stuck;
  try {
    await measurement.connect(settings.scaled(QUICK));
    await measurement.warmUp();
    const before = await publishWatched(measurement, candidate, SECONDS / 2);
    stuck = await StuckReaders.open(candidate.ports[0], candidate.place('bench'), settings.scaled(STUCK));
    const beside = await publishWatched(measurement, candidate, SECONDS);
    stuck.close();
    await haveLeft(candidate, measurement.readers);
    const after = await publishWatched(measurement, candidate, SECONDS / 2);
    return both(halves(before, after), beside, measurement.readers);
  } finally {
    stuck?.close();
    await measurement.stop();
  }
}

// Those who never read are gone.
async function haveLeft(candidate, quick) {
  while ((await told(candidate)).readers > quick) await pause(LOOK_MS);
}

// The calm minute in two halves, one before and one after the other minute: what the machine does beside has come between as it has there.
function halves(before, after) {
  const mean = (of) => (of(before) + of(after)) / 2;
  const calm = {
    resident: before.resident, // the allocator keeps what the others took
    server_load: mean(({ server_load }) => server_load), others_load: mean(({ others_load }) => others_load),
    latency_us: { p50: mean(({ latency_us }) => latency_us.p50), p99: mean(({ latency_us }) => latency_us.p99) },
    apart: after.latency_us.p99 / before.latency_us.p99,
  };
  for (const key of ['lost', 'doubled', 'closed']) calm[key] = before[key] + after[key];
  return calm;
}

function both(calm, beside, quick) {
  const sum = (key) => calm[key] + beside[key];
  return {
    calm, beside,
    left: beside.readers - quick,
    lost: sum('lost'), doubled: sum('doubled'), closed: sum('closed'), others_load: sum('others_load') / 2,
  };
}

const of = (part, key, per = 1) => (run) => run[part][key] / per;
const ms = (part, key) => (run) => run[part].latency_us[key] / 1000;

export const stuck = {
  says: `200 posts of 4 KB a second for a minute, to ${QUICK} readers: alone (half before, half after), and beside ${STUCK.toLocaleString('en-US')} who never read`,
  who: ['newswired'], measure: calmAndBesideStuck, takes: 130, rounds: 5,
  figures: [
    figure('more_mb', 'memory of the worker, above the calm run', 'MiB', 1, ({ calm, beside }) => (beside.resident - calm.resident) / MIB),
    figure('ratio', 'latency of the others, p99, beside them / calm', '×', 3, ({ calm, beside }) => beside.latency_us.p99 / calm.latency_us.p99),
    figure('calm_p99', 'latency, p99, calm', 'ms', 1, ms('calm', 'p99')),
    figure('beside_p99', 'latency, p99, beside them', 'ms', 1, ms('beside', 'p99')),
    figure('apart', 'calm p99, half a minute after / half a minute before', '×', 3, of('calm', 'apart')),
    figure('calm_p50', 'latency, p50, calm', 'ms', 1, ms('calm', 'p50')),
    figure('beside_p50', 'latency, p50, beside them', 'ms', 1, ms('beside', 'p50')),
    figure('calm_mb', 'memory of the worker, calm', 'MiB', 1, of('calm', 'resident', MIB)),
    figure('beside_mb', 'memory of the worker, beside them', 'MiB', 1, of('beside', 'resident', MIB)),
    figure('left', 'of those who never read, connected in the end', '', 0),
    figure('calm_load', 'cores used by the server, calm', '', 2, of('calm', 'server_load')),
    figure('beside_load', 'cores used by the server, beside them', '', 2, of('beside', 'server_load')),
    figure('lost', 'lost, or not there in time', '', 0),
    figure('doubled', 'doubled or out of order', '', 0),
    figure('closed', 'readers closed', '', 0),
    figure('others_load', 'cores used by anything else', '', 2),
  ],
  headlines: [],
  bars: [
    { key: 'more_mb', most: 64 },
    { key: 'ratio', most: 1.2 },
    { key: 'lost', most: 0 },
    { key: 'doubled', most: 0 },
  ],
};
