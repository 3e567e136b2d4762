// Readers who come, stay, and come back: what each costs to let in and to keep, what they cost while nothing
// happens, and what it takes when all come back at once.

import { execFileSync } from 'node:child_process';
import { figure } from '../figures.mjs';
import { Measurement } from '../measure.mjs';

const KIB = 1024;
const MANY = 15_000;

// What a thousand cost to let in when few are there and when many are, and the memory that they keep.
async function comeAndStay(settings, candidate) {
  const measurement = new Measurement(settings, candidate);
  const thousand = settings.scaled(1000);
  try {
    const empty = await measurement.memory();
    const kernel = measurement.kernelMemory();
    const perReader = async () => (await measurement.memory() - empty) / measurement.readers / KIB;
    const result = {};
    result.connect_1000_us = (await measurement.connect(thousand)).cpu_us;
    await measurement.connect(4 * thousand);
    result.idle_5000_kb = await perReader();
    await measurement.connect(9 * thousand);
    result.connect_15000_us = (await measurement.connect(thousand)).cpu_us;
    result.connect_growth = result.connect_15000_us / result.connect_1000_us;
    result.idle_15000_kb = await perReader();
    result.kernel_kb = (measurement.kernelMemory() - kernel) / measurement.readers / KIB;
    return result;
  } finally {
    await measurement.stop();
  }
}

export const crowd = {
  says: 'readers who come and stay', floor: { joined: true }, measure: comeAndStay, takes: 9, peers: true, peerRounds: 2,
  figures: [
    figure('connect_1000_us', 'server CPU per connect, the first 1,000', 'µs', 1),
    figure('connect_15000_us', 'server CPU per connect, the 15th 1,000', 'µs', 1),
    figure('connect_growth', '15th 1,000 / first 1,000', '', 2),
    figure('idle_5000_kb', 'server memory per idle reader, 5,000', 'KiB', 2),
    figure('idle_15000_kb', 'server memory per idle reader, 15,000', 'KiB', 2),
    figure('kernel_kb', 'kernel memory per connection, both ends', 'KiB', 1),
  ],
  headlines: ['idle_15000_kb', 'connect_15000_us'],
  bars: [
    { key: 'idle_5000_kb', most: 2.0 },
    { key: 'idle_15000_kb', most: 1.6 },
    { key: 'connect_1000_us', most: 100 },
    { key: 'connect_growth', most: 1.5 },
  ],
};

const TICK_SECONDS = 26; // every reader has had a tick

async function waitAndSee(settings, candidate) {
  const measurement = new Measurement(settings, candidate);
  try {
    await measurement.connect(settings.scaled(MANY));
    await measurement.memory(); // has settled
    return { cores: await measurement.watch(settings.scale < 1 ? 1 : TICK_SECONDS) };
  } finally {
    await measurement.stop();
  }
}

export const idle = {
  says: '15,000 readers, nothing happens but ticks', who: ['newswired'], measure: waitAndSee, takes: 32, rounds: 3,
  figures: [figure('cores', 'cores used by the server', '', 4)],
  bars: [{ key: 'cores', most: 0.02 }],
};

const MISSED = 3; // posts while everybody is away
const ALL_AT_ONCE = MANY;

// Calls of all commands that a Redis has been asked for, also by scripts and each second by whoever counts readers; and those of them
// that read the wire.
function redisCalls(socket) {
  const stats = execFileSync('redis-cli', ['-s', socket, 'INFO', 'commandstats'], { encoding: 'utf8' });
  const calls = [...stats.matchAll(/^cmdstat_(?!info)([^:]*):calls=(\d+)/gm)].map(([, name, count]) => ({ name, count: Number(count) }));
  const sum = (some) => some.reduce((total, { count }) => total + count, 0);
  return { all: sum(calls), reads: sum(calls.filter(({ name }) => /^x(rev)?(range|read)$/.test(name))) };
}

// Everybody hangs up, misses some posts, and comes back at once: with a cursor, if the server has such a thing.
async function comeBack(settings, candidate) {
  const measurement = new Measurement(settings, candidate);
  const readers = settings.scaled(MANY);
  const missed = candidate.cursor ? MISSED : 0;
  try {
    await measurement.connect(readers);
    await measurement.warmUp();
    const place = candidate.place('bench');
    await measurement.drop(missed > 0 ? `${place}&since=${await candidate.cursor('bench')}` : place);
    return await measurement.reunion({ readers, missed, batch: ALL_AT_ONCE, calls: candidate.redis && (() => redisCalls(candidate.redis)) });
  } finally {
    await measurement.stop();
  }
}

export const storm = {
  says: '15,000 readers come back at once, newswired\'s with a cursor and to 3 posts that they missed', floor: { joined: true },
  measure: comeBack, takes: 10,
  figures: [
    figure('cpu_us', 'server CPU per reader', 'µs', 1),
    figure('seconds', 'until the last is back', 's', 2),
    figure('calls', 'commands that Redis was asked', '', 0),
    figure('reads', 'reads of the wire among them', '', 0),
    figure('deliveries', 'missed posts delivered', '', 0),
    figure('lost', 'lost', '', 0),
    figure('doubled', 'doubled or out of order', '', 0),
  ],
  headlines: ['cpu_us', 'seconds'],
  bars: [
    { key: 'cpu_us', most: 120 },
    { key: 'seconds', most: 3 },
    { key: 'calls', most: 100 },
    { key: 'reads', most: 10 },
    { key: 'lost', most: 0 },
    { key: 'doubled', most: 0 },
  ],
};
