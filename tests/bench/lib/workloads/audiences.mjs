// Ten thousand readers with ten thousand different subscriptions, all of which every post matches, against as many
// with one.

import { figure } from '../figures.mjs';
import { Measurement } from '../measure.mjs';

const READERS = 10_000;
const RATE = 5;
const COUNT = 10;
const KIB = 1024;

async function withSubscriptions(settings, candidate, asked) {
  const measurement = new Measurement(settings, candidate, { asked });
  try {
    const empty = await measurement.memory();
    const { cpu_us } = await measurement.connect(settings.scaled(READERS));
    const kb = (await measurement.memory() - empty) / measurement.readers / KIB;
    await measurement.warmUp();
    const run = await measurement.publish({ rate: RATE, count: settings.posts(COUNT) });
    await measurement.drop();
    return { ...run, connect_us: cpu_us, kb };
  } finally {
    await measurement.stop();
  }
}

async function measure(settings, candidate) {
  const own = await withSubscriptions(settings, candidate, 'bench,own-{}');
  const one = await withSubscriptions(settings, candidate, 'bench');
  return { own, one, lost: own.lost + one.lost, others_load: own.others_load };
}

export const audiences = {
  says: '10,000 readers, each with a subscription of his own that every post matches', who: ['newswired'], measure, takes: 14,
  figures: [
    figure('ratio', 'CPU per delivery, own / one subscription', '×', 3, ({ own, one }) => own.cpu_us / one.cpu_us),
    figure('own_us', 'CPU per delivery, own subscriptions', 'µs', 2, ({ own }) => own.cpu_us),
    figure('one_us', 'CPU per delivery, one subscription', 'µs', 2, ({ one }) => one.cpu_us),
    figure('own_last', 'time to the last reader, own', 'ms', 1, ({ own }) => own.last_us.p50 / 1000),
    figure('one_last', 'time to the last reader, one', 'ms', 1, ({ one }) => one.last_us.p50 / 1000),
    figure('own_kb', 'memory per reader, own', 'KiB', 2, ({ own }) => own.kb),
    figure('own_connect', 'CPU per connect, own', 'µs', 1, ({ own }) => own.connect_us),
    figure('one_connect', 'CPU per connect, one', 'µs', 1, ({ one }) => one.connect_us),
    figure('lost', 'lost', '', 0),
  ],
  bars: [{ key: 'ratio', most: 1.3 }, { key: 'own_kb', most: 4 }, { key: 'lost', most: 0 }],
};
