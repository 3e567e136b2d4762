// The bench tested: that it sees everything when nothing is wrong, and that it does not overlook a
// message that was lost, repeated, or cut in two.

import { startFloor } from './candidates.mjs';
import { Measurement } from './measure.mjs';

const READERS = 50;
const COUNT = 20;

async function measure(settings, how, patienceMs) {
  const floor = await startFloor(settings, how);
  const measurement = new Measurement(settings, floor);
  try {
    await measurement.connect(READERS);
    return await measurement.publish({ rate: 500, count: COUNT, bytes: 508, patienceMs });
  } finally {
    await measurement.stop();
    await floor.stop();
  }
}

const STORIES = [
  { says: 'a floor that sends each message by itself loses nothing', how: {}, lost: 0, doubled: 0 },
  { says: 'a floor that joins messages loses nothing', how: { joined: true }, lost: 0, doubled: 0 },
  { says: 'messages cut in two are read all the same', how: { faults: ['--tear'] }, lost: 0, doubled: 0 },
  { says: 'a message that one reader does not get is reported as lost', how: { faults: ['--drop', '7'] }, lost: 1, doubled: 0 },
  { says: 'so it is when it is the last', how: { faults: ['--drop', String(COUNT)] }, lost: 1, doubled: 0, patienceMs: 300 },
  { says: 'a message that one reader gets twice is reported as doubled', how: { faults: ['--twice', '7'] }, lost: 0, doubled: 1 },
];

function wrong(story, seen) {
  const expected = { lost: story.lost, doubled: story.doubled, deliveries: READERS * COUNT - story.lost, unheard: 0, closed: 0 };
  if (!story.how.faults) expected.frame_bytes = 512; // a cut message's end may come after the last mark
  return Object.entries(expected).filter(([key, value]) => seen[key] !== value)
    .map(([key, value]) => `${key} is ${seen[key]}, not ${value}`);
}

// Returns how many stories were not true.
export async function selftest(settings) {
  let failed = 0;
  for (const story of STORIES) {
    const faults = wrong(story, await measure(settings, story.how, story.patienceMs ?? 20_000));
    console.log(`${faults.length === 0 ? 'ok' : 'not ok'} - ${story.says}${faults.length > 0 ? `: ${faults.join(', ')}` : ''}`);
    failed += faults.length > 0;
  }
  console.log(`${STORIES.length - failed} passed, ${failed} failed`);
  return failed;
}
