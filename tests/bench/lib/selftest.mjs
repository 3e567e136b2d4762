// The bench tested: that it sees everything when nothing is wrong, and that it does not overlook a
// message that was lost, repeated, or cut in two; that it can drive every candidate that is here; and that every
// workload runs to its end. Nothing is judged by time.

import { CANDIDATES, PEERS, isInstalled } from './candidates.mjs';
import { Measurement, calibrate } from './measure.mjs';
import { merge, quantile } from './quantiles.mjs';
import { simulate, sized, units, wishes } from './plan.mjs';
import { WORKLOADS, participants } from './workloads.mjs';

const READERS = 50;
const COUNT = 20;

async function measure(settings, { name = 'floor', how, patienceMs = 20_000 }) {
  const candidate = await CANDIDATES[name].start(settings, how);
  const measurement = new Measurement(settings, candidate);
  try {
    await measurement.connect(READERS);
    if (name !== 'floor') await measurement.warmUp();
    return await measurement.publish({ rate: 500, count: COUNT, patienceMs });
  } finally {
    await measurement.stop();
    await candidate.stop();
  }
}

const FLOOR = [
  { says: 'a floor that sends each message by itself loses nothing', how: {}, lost: 0, doubled: 0 },
  { says: 'a floor that joins messages loses nothing', how: { joined: true }, lost: 0, doubled: 0 },
  { says: 'messages cut in two are read all the same', how: { faults: ['--tear'] }, lost: 0, doubled: 0 },
  { says: 'a message that one reader does not get is reported as lost', how: { faults: ['--drop', '7'] }, lost: 1, doubled: 0 },
  { says: 'so it is when it is the last', how: { faults: ['--drop', String(COUNT)] }, lost: 1, doubled: 0, patienceMs: 300 },
  { says: 'a message that one reader gets twice is reported as doubled', how: { faults: ['--twice', '7'] }, lost: 0, doubled: 1 },
];

function differences(seen, expected) {
  return Object.entries(expected).filter(([key, value]) => seen[key] !== value).map(([key, value]) => `${key} is ${seen[key]}, not ${value}`);
}

function wrongFloor(story, seen) {
  const expected = { lost: story.lost, doubled: story.doubled, deliveries: READERS * COUNT - story.lost, unheard: 0, closed: 0 };
  if (!story.how.faults) expected.frame_bytes = 512; // a cut message's end may come after the last mark
  return differences(seen, expected);
}

const drives = async (settings, name) => differences(await measure(settings, { name }),
  { lost: 0, doubled: 0, deliveries: READERS * COUNT, answered: COUNT, closed: 0 });

// A workload with few readers: each participant has every figure that its kind can have, and nothing is lost.
async function runsToItsEnd(settings, workload) {
  const how = WORKLOADS[workload];
  const faults = [];
  for (const name of participants(how, { ...settings, peers: [] })) {
    const candidate = await CANDIDATES[name].start(settings, name === 'floor' ? how.floor : undefined);
    try {
      const run = await how.measure(settings, candidate, how);
      if (run.lost > 0 || run.doubled > 0) faults.push(`${name}: ${run.lost} lost, ${run.doubled} doubled`);
      const unread = name === 'newswired' ? how.figures.filter((figure) => !Number.isFinite(figure.read(run)) && figure.key !== 'split') : [];
      if (unread.length > 0) faults.push(`${name} has no ${unread.map(({ key }) => key).join(', ')}`);
    } finally {
      await candidate.stop();
    }
  }
  return faults;
}

function quantilesAreThoseOfAll() {
  const both = merge([[[1, 50], [3, 1]], [[2, 49]]]);
  return differences({ half: quantile(both, 0.5), most: quantile(both, 0.99), all: quantile(both, 1), none: quantile([], 0.5) },
    { half: 1, most: 2, all: 3, none: 0 });
}

// Without hops, losses and ways, a post takes what its worker takes; and twice the readers need twice the workers.
function thePlanAddsUp() {
  const u = units([], wishes('tls=1,delivery_us=10,accept_ms=1,hop_ms=0,redis_us=0,reader_ms=0,loss=0,gbit=1000'));
  const one = simulate(u, u.readers_per_worker);
  return differences({
    workers: one.workers, last: Math.round(one.lastLeft * 1e3), twice: sized(u, 40 * u.readers_per_worker).workers,
    nodes: sized(u, 40 * u.readers_per_worker).nodes, half: Math.round(one.half * 100),
  }, { workers: 1, last: 191, twice: 40, nodes: 3, half: 10 });
}

function stories(settings) {
  const floor = FLOOR.map((story) => ({ says: story.says, tell: async () => wrongFloor(story, await measure(settings, story)) }));
  const drivable = ['newswired', ...PEERS.filter((name) => !CANDIDATES[name].onlyIfNamed)].map((name) => ({
    says: `${name} is driven, and loses nothing`, skip: !isInstalled(name), tell: () => drives(settings, name),
  }));
  const small = {
    ...settings, floorOnly: false, readers: READERS, scale: 1 / 200,
    scaled: (n) => Math.max(Math.round(n / 200), 1), posts: (n) => Math.max(Math.round(n / 20), 1), settleMs: 20,
  };
  const workloads = Object.keys(WORKLOADS).map((workload) => ({
    says: `${workload} runs to its end`, tell: () => runsToItsEnd(small, workload),
  }));
  return [
    { says: 'quantiles of several processes are those of all their readers', tell: quantilesAreThoseOfAll },
    { says: 'the plan for millions adds up', tell: thePlanAddsUp },
    ...floor, ...drivable, ...workloads,
  ];
}

async function toldOf(story) {
  try {
    return await story.tell();
  } catch (error) {
    return [error.message];
  }
}

// Returns how many stories were not true.
export async function selftest(settings) {
  settings.envelope = (await calibrate(settings, () => CANDIDATES.newswired.start(settings))).envelope;
  const count = { passed: 0, failed: 0, skipped: 0 };
  for (const story of stories(settings)) {
    if (story.skip) {
      console.log(`skipped - ${story.says}: it is not installed`);
      count.skipped++;
      continue;
    }
    const faults = await toldOf(story);
    console.log(`${faults.length === 0 ? 'ok' : 'not ok'} - ${story.says}${faults.length > 0 ? `: ${faults.join('; ')}` : ''}`);
    count[faults.length > 0 ? 'failed' : 'passed']++;
  }
  console.log(`${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ''}`);
  return count.failed;
}
