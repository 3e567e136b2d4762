// What is measured, and what newswired must reach.

import { Measurement } from './measure.mjs';

const KIB = 1024;

// Messages to many readers: `each` and `joined` name the way the floor sends.
async function fanout(settings, candidate, { rate, seconds }) {
  const measurement = new Measurement(settings, candidate);
  try {
    await measurement.connect(settings.readers);
    await measurement.warmUp(settings.bytes[candidate.name]);
    return await measurement.publish({ rate, count: rate * seconds, bytes: settings.bytes[candidate.name] });
  } finally {
    await measurement.stop();
  }
}

// Readers who come and stay, and say nothing: what a thousand of them cost to let in when few are
// there and when many are, and the memory that they keep.
async function crowd(settings, candidate) {
  const measurement = new Measurement(settings, candidate);
  try {
    const empty = await measurement.memory();
    const perReader = async () => (await measurement.memory() - empty) / measurement.readers / KIB;
    const result = {};
    result.connect_1000_us = await measurement.connect(1000);
    await measurement.connect(4000);
    result.idle_5000_kb = await perReader();
    await measurement.connect(9000);
    result.connect_15000_us = await measurement.connect(1000);
    result.connect_growth = result.connect_15000_us / result.connect_1000_us;
    result.idle_15000_kb = await perReader();
    return result;
  } finally {
    await measurement.stop();
  }
}

export const WORKLOADS = {
  steady: { says: '10 posts a second', joined: false, measure: fanout, rate: 10, seconds: 10 },
  burst: { says: '200 posts a second, floor joined', joined: true, measure: fanout, rate: 200, seconds: 5 },
  crowd: { says: 'readers who come and stay idle', joined: true, measure: crowd },
};

// A figure: key in the results, name, unit, digits, and what divides the raw value.
const figure = (key, name, unit, digits, read = (run) => run[key]) => ({ key, name, unit, digits, read });
const ms = (field, quantile) => (run) => run[field][quantile] / 1000;

const FANOUT_FIGURES = [
  figure('cpu_us', 'server CPU per delivery', 'µs', 2),
  figure('p50', 'latency, p50', 'ms', 1, ms('latency_us', 'p50')),
  figure('p99', 'latency, p99', 'ms', 1, ms('latency_us', 'p99')),
  figure('last_p50', 'time to the last reader, p50', 'ms', 1, ms('last_us', 'p50')),
  figure('last_p99', 'time to the last reader, p99', 'ms', 1, ms('last_us', 'p99')),
  figure('rate', 'deliveries a second', '', 0),
  figure('lost', 'lost', '', 0),
  figure('doubled', 'doubled or out of order', '', 0),
  figure('closed', 'readers closed', '', 0),
  figure('unheard', 'posts nobody heard', '', 0),
  figure('frame_bytes', 'bytes per delivery', '', 0),
  figure('late_ms', 'latest send of the publisher', 'ms', 2, (run) => run.late_us / 1000),
  figure('server_load', 'cores used by the server', '', 2),
  figure('client_load', 'cores used by the readers', '', 2),
  figure('others_load', 'cores used by anything else', '', 2),
];

export const FIGURES = {
  steady: FANOUT_FIGURES,
  burst: FANOUT_FIGURES,
  crowd: [
    figure('connect_1000_us', 'server CPU per connect, the first 1,000', 'µs', 1),
    figure('connect_15000_us', 'server CPU per connect, the 15th 1,000', 'µs', 1),
    figure('connect_growth', '15th 1,000 / first 1,000', '', 2),
    figure('idle_5000_kb', 'server memory per idle reader, 5,000', 'KiB', 2),
    figure('idle_15000_kb', 'server memory per idle reader, 15,000', 'KiB', 2),
  ],
};

// What newswired must reach: `ratio` bars compare with the floor, `value` bars stand alone.
export const BARS = [
  { workload: 'steady', key: 'cpu_us', ratio: true, most: 1.15 },
  { workload: 'steady', key: 'p99', ratio: true, most: 1.25 },
  { workload: 'steady', key: 'lost', most: 0 },
  { workload: 'burst', key: 'cpu_us', ratio: true, most: 1.2 },
  { workload: 'burst', key: 'p99', ratio: true, most: 1.5 },
  { workload: 'burst', key: 'rate', least: 900_000 },
  { workload: 'burst', key: 'lost', most: 0 },
  { workload: 'crowd', key: 'idle_5000_kb', most: 2.0 },
  { workload: 'crowd', key: 'idle_15000_kb', most: 2.0 },
  { workload: 'crowd', key: 'connect_1000_us', most: 100 },
  { workload: 'crowd', key: 'connect_growth', most: 1.5 },
];
