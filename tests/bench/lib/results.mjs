// From many runs to few numbers: medians, paired ratios and verdicts.

import { BARS, FIGURES, WORKLOADS } from './workloads.mjs';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const of = (runs, workload, candidate) =>
  runs.filter((run) => run.workload === workload && run.candidate === candidate);

// newswired / floor, pair by pair: what disturbed both cancels out.
function ratios(runs, workload, figure) {
  return of(runs, workload, 'newswired').flatMap((ours) => {
    const theirs = runs.find((run) => run.workload === workload && run.candidate === 'floor' && run.pair === ours.pair);
    const floor = theirs ? figure.read(theirs) : 0;
    return floor > 0 ? [figure.read(ours) / floor] : [];
  });
}

// The table of one workload: a row for each figure.
export function rows(runs, workload) {
  return FIGURES[workload].map((figure) => {
    const values = (candidate) => of(runs, workload, candidate).map(figure.read);
    return { figure, floor: values('floor'), newswired: values('newswired'), ratios: ratios(runs, workload, figure) };
  });
}

export function verdicts(runs) {
  return BARS.flatMap((bar) => {
    const figure = FIGURES[bar.workload].find(({ key }) => key === bar.key);
    const ours = of(runs, bar.workload, 'newswired');
    const values = bar.ratio ? ratios(runs, bar.workload, figure) : ours.map(figure.read);
    if (values.length === 0) return [];
    // Nothing may be lost in any run; everything else is judged by its median.
    const value = bar.most === 0 ? Math.max(...values) : median(values);
    const pass = bar.most !== undefined ? value <= bar.most : value >= bar.least;
    return [{ bar, figure, value, low: Math.min(...values), high: Math.max(...values), pass }];
  });
}

// How busy the machine was with something else: the median over all runs, in cores.
export function disturbance(runs) {
  const loads = runs.map((run) => run.others_load).filter((load) => load !== undefined);
  return loads.length > 0 ? median(loads) : 0;
}

export const measured = (runs) => Object.keys(WORKLOADS).filter((name) => runs.some((run) => run.workload === name));
