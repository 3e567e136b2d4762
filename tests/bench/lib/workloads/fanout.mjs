// Messages to many readers: steady, in a burst, of mixed sizes, on many channels, at several rates.

import { FANOUT_FIGURES, figure } from '../figures.mjs';
import { Measurement } from '../measure.mjs';

const PATIENCE_MS = 20_000;
const PEER_PATIENCE_MS = 2_000; // a server that cannot keep up is not waited for

const patience = ({ name }) => (['floor', 'newswired', 'centrifuge'].includes(name) ? PATIENCE_MS : PEER_PATIENCE_MS);

async function fanout(settings, candidate, { rate, seconds, frame }) {
  const measurement = new Measurement(settings, candidate);
  try {
    await measurement.connect(settings.readers);
    await measurement.warmUp();
    return await measurement.publish({ rate, count: settings.posts(rate * seconds), frame, patienceMs: patience(candidate) });
  } finally {
    await measurement.stop();
  }
}

const CHANNELS = 1000;
const CHANNELS_READERS = 10_000;

// A thousand channels, ten readers each; the messages go round.
async function manyChannels(settings, candidate, { rate }) {
  const spread = settings.scaled(CHANNELS);
  const measurement = new Measurement(settings, candidate, { channel: 'bench{}', spread });
  try {
    await measurement.connect(spread * (CHANNELS_READERS / CHANNELS));
    await measurement.publish({ rate, count: spread });
    return await measurement.publish({ rate, count: spread, patienceMs: patience(candidate) });
  } finally {
    await measurement.stop();
  }
}

const MANY_FIGURES = [figure('cpu_post_us', 'server CPU per post', 'µs', 0), ...FANOUT_FIGURES];

const RATES = [1, 10, 50];
const RATES_READERS = [5000, 15_000];
const RATES_SECONDS = 2;
const LEAST_POSTS = 3;
const cell = (readers, rate) => `${rate}x${readers}`;

// One server, readers added, each rate in turn.
async function rates(settings, candidate) {
  const measurement = new Measurement(settings, candidate);
  const cells = {};
  try {
    for (const readers of RATES_READERS) {
      await measurement.connect(settings.scaled(readers) - measurement.readers);
      await measurement.warmUp();
      for (const rate of RATES) {
        cells[cell(readers, rate)] = await measurement.publish({ rate, count: settings.posts(Math.max(LEAST_POSTS, rate * RATES_SECONDS)) });
      }
    }
    return { cells, lost: Object.values(cells).reduce((sum, { lost }) => sum + lost, 0) };
  } finally {
    await measurement.stop();
  }
}

const RATE_FIGURES = RATES_READERS.flatMap((readers) => RATES.flatMap((rate) => {
  const of = (run) => run.cells[cell(readers, rate)];
  const where = `${rate} a second × ${readers.toLocaleString('en-US')}`;
  return [
    figure(`cpu@${cell(readers, rate)}`, `${where}: server CPU per delivery`, 'µs', 2, (run) => of(run).cpu_us),
    figure(`p99@${cell(readers, rate)}`, `${where}: latency, p99`, 'ms', 1, (run) => of(run).latency_us.p99 / 1000),
    figure(`last@${cell(readers, rate)}`, `${where}: time to the last reader, p50`, 'ms', 1, (run) => of(run).last_us.p50 / 1000),
  ];
}));

export const centrifuge = {
  says: 'readers who speak Centrifuge\'s protocol beside our own, 10 posts a second', who: ['newswired', 'centrifuge'], ofReaders: true,
  measure: fanout, rate: 10, seconds: 3, takes: 5, figures: FANOUT_FIGURES, headlines: ['cpu_us', 'p99', 'last_p50'],
  bars: [
    { key: 'cpu_us', of: 'centrifuge', against: 'newswired', most: 1.1 },
    { key: 'lost', of: 'centrifuge', most: 0 },
  ],
};

export const steady = {
  says: '10 posts a second', ofReaders: true, measure: fanout, rate: 10, seconds: 3, takes: 5, peers: true,
  figures: FANOUT_FIGURES, headlines: ['cpu_us', 'p99', 'last_p50'],
  bars: [
    { key: 'cpu_us', against: 'floor', most: 1.05, with: 'p99' },
    { key: 'p99', against: 'floor', most: 1.1 },
    { key: 'cpu_us', against: 'nchan', most: 0.85 },
    { key: 'cpu_us', against: 'nats', most: 0.6 },
    { key: 'cpu_us', against: 'mosquitto', most: 0.4 },
    { key: 'lost', most: 0 },
  ],
};

export const burst = {
  says: '200 posts a second, floor joined', ofReaders: true, floor: { joined: true }, measure: fanout, rate: 200, seconds: 2, takes: 7, peers: true,
  figures: FANOUT_FIGURES, headlines: ['cpu_us', 'p99', 'rate'],
  bars: [
    { key: 'cpu_us', against: 'floor', most: 1.05, with: 'p99' },
    { key: 'p99', against: 'floor', most: 1.2 },
    { key: 'per_cpu', against: 'nchan', least: 10 },
    { key: 'per_cpu', against: 'nats', least: 2.5 },
    { key: 'rate', least: 900_000 },
    { key: 'lost', most: 0 },
  ],
};

export const mixed = {
  says: '10 posts a second of 0.5 to 12 KB', ofReaders: true, measure: fanout, rate: 10, seconds: 3, frame: '512-12288', takes: 6, rounds: 3,
  figures: FANOUT_FIGURES, headlines: ['cpu_us', 'p99'],
  bars: [{ key: 'lost', most: 0 }],
};

export const many = {
  says: '1,000 channels with 10 readers each, 500 posts a second', measure: manyChannels, floor: { spread: CHANNELS }, rate: 500, takes: 7, rounds: 3, peers: true,
  without: ['textbook', 'pushpin'], peerRounds: 2, figures: MANY_FIGURES, headlines: ['cpu_post_us', 'p99'],
  bars: [{ key: 'lost', most: 0 }],
};

export const matrix = {
  says: 'other rates and more readers, floor joined', floor: { joined: true }, measure: rates, takes: 16, rounds: 2,
  figures: [...RATE_FIGURES, figure('lost', 'lost', '', 0)],
  bars: [{ key: 'lost', most: 0 }],
};
