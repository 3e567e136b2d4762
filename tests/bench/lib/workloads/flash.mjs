// One breaking item to N readers who sit and wait: when the first has it, half of them, 99 of 100, the last.

import { figure } from '../figures.mjs';
import { Measurement } from '../measure.mjs';
import { median } from '../quantiles.mjs';

export const READERS = [1000, 2000, 5000, 10_000, 15_000, 19_000];
const FLASHES = 3; // each by itself, when the one before has reached everybody
const PATIENCE_MS = 10_000;

async function flashTo(measurement) {
  const flashes = [];
  for (let i = 0; i < FLASHES; i++) flashes.push(await measurement.publish({ rate: 10, count: 1, patienceMs: PATIENCE_MS }));
  const middle = (read) => median(flashes.map(read));
  return {
    first: middle(({ first_us }) => first_us.p50) / 1000,
    half: middle(({ latency_us }) => latency_us.p50) / 1000,
    most: middle(({ latency_us }) => latency_us.p99) / 1000,
    last: middle(({ last_us }) => last_us.p50) / 1000,
    cpu: flashes.reduce((sum, { cpu_us, deliveries }) => sum + cpu_us * deliveries, 0) / flashes.reduce((sum, { deliveries }) => sum + deliveries, 0),
    lost: flashes.reduce((sum, { lost }) => sum + lost, 0),
    others_load: middle(({ others_load }) => others_load),
  };
}

// One server; readers are added.
async function measure(settings, candidate) {
  const measurement = new Measurement(settings, candidate);
  const points = {};
  try {
    for (const readers of READERS) {
      await measurement.connect(settings.scaled(readers) - measurement.readers);
      await measurement.warmUp(1);
      points[readers] = await flashTo(measurement);
    }
  } finally {
    await measurement.stop();
  }
  const all = Object.values(points);
  return {
    points,
    growth: points[READERS.at(-1)].cpu / points[READERS[0]].cpu,
    lost: all.reduce((sum, { lost }) => sum + lost, 0),
    others_load: median(all.map(({ others_load }) => others_load)),
  };
}

const WIDE = 38_000; // two workers, as many descriptors as each may have

async function measureWide(settings, candidate) {
  const measurement = new Measurement(settings, candidate);
  try {
    const { cpu_us } = await measurement.connect(settings.scaled(WIDE));
    await measurement.warmUp(1);
    return { ...await flashTo(measurement), connect_us: cpu_us };
  } finally {
    await measurement.stop();
  }
}

const at = (readers) => readers.toLocaleString('en-US');
const SHOWN = [
  ['last', 'last reader', 'ms', 1],
  ['most', '99 % of readers', 'ms', 1],
  ['half', 'half of the readers', 'ms', 1],
  ['first', 'first reader', 'ms', 2],
];

export const flash = {
  says: 'one post to readers who wait', measure, takes: 12, peers: true, plot: true,
  figures: [
    ...SHOWN.flatMap(([key, name, unit, digits]) => READERS.map((readers) =>
      figure(`${key}@${readers}`, `${name} of ${at(readers)}`, unit, digits, (run) => run.points[readers][key]))),
    ...READERS.map((readers) => figure(`cpu@${readers}`, `server CPU per delivery to ${at(readers)}`, 'µs', 2, (run) => run.points[readers].cpu)),
    figure('growth', `CPU per delivery, ${at(READERS.at(-1))} against ${at(READERS[0])} readers`, '×', 3),
    figure('lost', 'lost', '', 0),
    figure('others_load', 'cores used by anything else', '', 2),
  ],
  headlines: ['last@1000', 'last@5000', 'last@15000', 'cpu@15000'],
  bars: [
    { key: 'last@15000', against: 'floor', most: 1.1 },
    ...['textbook', 'redis', 'nchan', 'nats', 'mosquitto'].map((against) => ({ key: 'last@15000', against, most: 1 })),
    { key: 'growth', most: 1.1 },
    { key: 'lost', most: 0 },
  ],
};

export const wide = {
  says: `one post to ${at(WIDE)} readers of two workers`, who: ['workers2'], measure: measureWide, takes: 8, rounds: 3,
  figures: [
    ...SHOWN.map(([key, name, unit, digits]) => figure(key, name, unit, digits)),
    figure('cpu', 'server CPU per delivery', 'µs', 2),
    figure('connect_us', 'server CPU per connect', 'µs', 1),
    figure('lost', 'lost', '', 0),
    figure('others_load', 'cores used by anything else', '', 2),
  ],
  bars: [{ key: 'lost', of: 'workers2', most: 0 }],
};
