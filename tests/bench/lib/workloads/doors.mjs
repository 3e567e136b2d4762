// The same posts to readers of one kind of connection and of another: what a delivery costs, and what a reader keeps.

import { FANOUT_FIGURES, figure } from '../figures.mjs';
import { Measurement } from '../measure.mjs';

const KIB = 1024;
const RATE = 10;
const SECONDS = 3;

async function keepAndDeliver(settings, candidate) {
  const measurement = new Measurement(settings, candidate);
  try {
    const empty = await measurement.memory();
    await measurement.connect(settings.readers);
    const idle_kb = (await measurement.memory() - empty) / measurement.readers / KIB;
    await measurement.warmUp();
    return { ...await measurement.publish({ rate: RATE, count: settings.posts(RATE * SECONDS) }), idle_kb };
  } finally {
    await measurement.stop();
  }
}

export const sse = {
  says: 'Server-Sent Events beside WebSocket, 10 posts a second', who: ['newswired', 'sse', 'gzip'], ofReaders: true, measure: keepAndDeliver, takes: 7,
  figures: [...FANOUT_FIGURES, figure('idle_kb', 'server memory per idle reader', 'KiB', 2)],
  headlines: ['cpu_us', 'p99', 'idle_kb'],
  bars: [
    { key: 'cpu_us', of: 'sse', against: 'newswired', most: 1.05 },
    { key: 'idle_kb', of: 'sse', most: 1.3 },
    { key: 'lost', of: 'sse', most: 0 },
    { key: 'idle_kb', of: 'gzip', most: 1.3 },
    { key: 'lost', of: 'gzip', most: 0 },
  ],
};
