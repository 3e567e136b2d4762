// Workers are replaced under their readers, twice, while the news goes on.

import { setTimeout as pause } from 'node:timers/promises';
import { FANOUT_FIGURES, figure } from '../figures.mjs';
import { Measurement } from '../measure.mjs';

const PATIENCE_MS = 30_000;
const TRIES = 100;
const TRY_MS = 200;

// A reload after a quarter of the time, an upgrade after five eighths, but not before the workers of the reload have left.
async function renew({ order }, ms) {
  await pause(ms / 4);
  await order('reload');
  await pause(ms * 3 / 8);
  for (let tries = 0; ; tries++) {
    try {
      return await order('upgrade');
    } catch (error) {
      if (tries >= TRIES || !/still saying goodbye/.test(error.message)) throw error;
    }
    await pause(TRY_MS);
  }
}

async function replaceWorkers(settings, candidate, { rate, seconds }) {
  const measurement = new Measurement(settings, candidate);
  try {
    await measurement.connect(settings.readers);
    await measurement.warmUp();
    const count = settings.posts(rate * seconds);
    const [run] = await Promise.all([
      measurement.publish({ rate, count, patienceMs: PATIENCE_MS }),
      renew(candidate, count / rate * 1000),
    ]);
    return run;
  } finally {
    await measurement.stop();
  }
}

export const renewing = {
  says: '5,000 readers, 50 posts a second, all workers replaced by a reload and by an upgrade', who: ['resuming'], ofReaders: true,
  measure: replaceWorkers, rate: 50, seconds: 40, takes: 50, rounds: 1,
  figures: [
    figure('returned', 'readers who came back', '', 0),
    figure('refused', 'of them not let in at once', '', 0),
    ...FANOUT_FIGURES,
  ],
  headlines: ['returned', 'p99'],
  bars: [
    { key: 'refused', of: 'resuming', most: 0 },
    { key: 'lost', of: 'resuming', most: 0 },
    { key: 'doubled', of: 'resuming', most: 0 },
    { key: 'unheard', of: 'resuming', most: 0 },
  ],
};
