// What compression costs and what it spares: short messages, long ones, the samples, and readers who only stay.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figure } from '../figures.mjs';
import { Measurement } from '../measure.mjs';
import { remove, scratch } from '../start.mjs';

const KIB = 1024;
const SAMPLES = ['01-story', '02-video', '03-flash', '04-correction-of-01', '07-no-headline', '08-superdesk-dialect'];
const LONG = '3072';

// One item a line, each with a uri and a mark for nw-publish to fill in.
function itemsFile(directory) {
  const path = join(directory, 'items');
  const lines = SAMPLES.map((name) => {
    const text = readFileSync(fileURLToPath(new URL(`../../../samples/${name}.json`, import.meta.url)), 'utf8');
    const { guid, uri, ...rest } = JSON.parse(text);
    return JSON.stringify({ ...(guid ? { guid: '@URI@' } : { uri: '@URI@' }), ...rest, slugline: '@MARK@' });
  });
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

async function compression(settings, candidate, { rate, seconds }) {
  const measurement = new Measurement(settings, candidate);
  const directory = scratch(settings);
  const count = settings.posts(rate * seconds);
  try {
    const empty = await measurement.memory();
    await measurement.connect(settings.readers);
    const idle = (await measurement.memory() - empty) / measurement.readers / KIB;
    await measurement.warmUp();
    const short = await measurement.publish({ rate, count });
    const long = await measurement.publish({ rate, count, frame: LONG });
    const samples = await measurement.publish({ rate, count: Math.ceil(count / SAMPLES.length) * SAMPLES.length, items: itemsFile(directory) });
    const runs = [short, long, samples];
    return { short, long, samples, idle, lost: runs.reduce((sum, { lost }) => sum + lost, 0), doubled: runs.reduce((sum, { doubled }) => sum + doubled, 0) };
  } finally {
    await measurement.stop();
    remove(directory);
  }
}

const of = (part, key) => (run) => run[part][key];

export const deflate = {
  says: '10 posts a second, plain and compressed', ofReaders: true, who: ['newswired', 'deflate', 'gzip'], measure: compression, rate: 10, seconds: 3, takes: 14,
  figures: [
    figure('cpu_short', '512 bytes: server CPU per delivery', 'µs', 2, of('short', 'cpu_us')),
    figure('cpu_long', '3 KB: server CPU per delivery', 'µs', 2, of('long', 'cpu_us')),
    figure('cpu_samples', 'the samples: server CPU per delivery', 'µs', 2, of('samples', 'cpu_us')),
    figure('bytes_samples', 'the samples: bytes per delivery', '', 0, of('samples', 'frame_bytes')),
    figure('p99_samples', 'the samples: latency, p99', 'ms', 1, (run) => run.samples.latency_us.p99 / 1000),
    figure('idle_kb', 'server memory per idle reader', 'KiB', 2, (run) => run.idle),
    figure('lost', 'lost, or not there in time', '', 0),
    figure('doubled', 'doubled or out of order', '', 0),
  ],
  headlines: ['cpu_short', 'cpu_long', 'bytes_samples'],
  bars: [
    { key: 'cpu_short', of: 'deflate', against: 'newswired', most: 1.1 },
    { key: 'cpu_long', of: 'deflate', against: 'newswired', most: 1.0 },
    { key: 'bytes_samples', of: 'deflate', against: 'newswired', most: 0.45 },
    { key: 'idle_kb', of: 'deflate', most: 2.2 },
    { key: 'lost', of: 'deflate', most: 0 },
    { key: 'cpu_short', of: 'gzip', against: 'newswired', most: 1.1 },
    { key: 'cpu_long', of: 'gzip', against: 'newswired', most: 1.0 },
    { key: 'bytes_samples', of: 'gzip', against: 'newswired', most: 0.6 },
    { key: 'lost', of: 'gzip', most: 0 },
  ],
};
