// Which plots there are: name → SVG, of what was measured.

import { colour, lines } from './plot.mjs';
import { median } from './quantiles.mjs';
import { measuredCandidates, values } from './results.mjs';
import { WORKLOADS } from './workloads.mjs';
import { READERS } from './workloads/flash.mjs';

const figure = (key) => WORKLOADS.flash.figures.find((one) => one.key === key);

const curve = (runs, name, key) => READERS.flatMap((readers) => {
  const seen = values(runs, 'flash', name, figure(`${key}@${readers}`));
  return seen.length > 0 ? [[readers, median(seen)]] : [];
});

const everybody = (runs, key, text) => ({
  ...text,
  xName: 'readers who wait',
  series: measuredCandidates(runs, 'flash').map((name) => ({ name, colour: colour(name), dashed: name === 'floor', points: curve(runs, name, key) })),
});

const PARTS = [['last', 'last reader', '#c8102e'], ['most', '99 %', '#1f6feb'], ['half', 'half', '#1a7f37'], ['first', 'first reader', '#7a7f87']];

export function plots(runs) {
  if (!runs.some((run) => run.workload === 'flash' && run.candidate === 'newswired')) return {};
  return {
    'flash-last': lines(everybody(runs, 'last', { title: 'One breaking item: until the last of N readers has it', yName: 'milliseconds' })),
    'flash-newswired': lines({
      title: 'One breaking item, newswired: when the readers have it', xName: 'readers who wait', yName: 'milliseconds',
      series: PARTS.map(([key, name, stroke]) => ({ name, colour: stroke, points: curve(runs, 'newswired', key) })),
    }),
    'flash-cpu': lines(everybody(runs, 'cpu', { title: 'One breaking item: server CPU for each delivery', yName: 'microseconds' })),
  };
}
