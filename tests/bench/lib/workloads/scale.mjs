// The same load on one worker, on two, and on two nodes that share a Redis: what a delivery costs must not grow.

import { figure } from '../figures.mjs';
import { Measurement } from '../measure.mjs';
import { socketsOf } from '../proc.mjs';

const READERS = 5000;
const RATE = 10;
const COUNT = 20;
const SERVES = 0.02; // of all readers: a process with fewer is no worker

// How many readers the fullest process has beyond an even share.
function split(candidate, readers) {
  const shares = candidate.pids().map((pid) => socketsOf(pid)).filter((sockets) => sockets > readers * SERVES + 20);
  return shares.length > 0 ? Math.max(...shares) * shares.length / shares.reduce((a, b) => a + b, 0) : undefined;
}

async function measure(settings, candidate) {
  const measurement = new Measurement(settings, candidate);
  try {
    await measurement.connect(settings.scaled(READERS));
    await measurement.warmUp();
    return { ...await measurement.publish({ rate: RATE, count: settings.posts(COUNT) }), split: split(candidate, measurement.readers) };
  } finally {
    await measurement.stop();
  }
}

export const scale = {
  says: '5,000 readers, 10 posts a second: one worker, two workers, two nodes', who: ['newswired', 'workers2', 'nodes2'], measure, takes: 7,
  figures: [
    figure('cpu_us', 'server CPU per delivery', 'µs', 2),
    figure('p99', 'latency, p99', 'ms', 1, (run) => run.latency_us.p99 / 1000),
    figure('last_p50', 'time to the last reader, p50', 'ms', 1, (run) => run.last_us.p50 / 1000),
    figure('split', 'fullest worker / an even share', '×', 3),
    figure('lost', 'lost', '', 0),
    figure('others_load', 'cores used by anything else', '', 2),
  ],
  bars: [
    { key: 'cpu_us', of: 'workers2', against: 'newswired', most: 1.05 },
    { key: 'split', of: 'workers2', most: 1.1 },
    { key: 'lost', of: 'workers2', most: 0 },
    { key: 'lost', of: 'nodes2', most: 0 },
  ],
};
