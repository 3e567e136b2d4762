// From many runs to few numbers: medians, paired ratios and verdicts.

import { CANDIDATES } from './candidates.mjs';
import { median } from './quantiles.mjs';
import { WORKLOADS } from './workloads.mjs';

const isThere = (value) => value !== undefined && value !== null && Number.isFinite(value);

function valueOf(run, figure) {
  try {
    return figure.read(run);
  } catch {
    return undefined; // this candidate has no such thing
  }
}

const of = (runs, workload, candidate) => runs.filter((run) => run.workload === workload && run.candidate === candidate);

export const values = (runs, workload, candidate, figure) =>
  of(runs, workload, candidate).map((run) => valueOf(run, figure)).filter(isThere);

// One candidate / another, round by round: what disturbed both cancels out.
export function ratios(runs, workload, figure, ours = 'newswired', theirs = 'floor') {
  return of(runs, workload, ours).flatMap((run) => {
    const other = of(runs, workload, theirs).find(({ pair }) => pair === run.pair);
    const [above, below] = [valueOf(run, figure), other && valueOf(other, figure)];
    return isThere(above) && isThere(below) && below > 0 ? [above / below] : [];
  });
}

export const figureOf = (workload, key) => WORKLOADS[workload].figures.find((figure) => figure.key === key);

// Who was measured, in the order of the table of candidates.
export const measuredCandidates = (runs, workload) =>
  Object.keys(CANDIDATES).filter((name) => of(runs, workload, name).length > 0);

// The table of one workload: a row for each figure that anybody has.
export function rows(runs, workload) {
  const names = measuredCandidates(runs, workload);
  return WORKLOADS[workload].figures
    .map((figure) => ({ figure, values: Object.fromEntries(names.map((name) => [name, values(runs, workload, name, figure)])) }))
    .filter((row) => names.some((name) => row.values[name].length > 0));
}

function verdict(runs, workload, bar) {
  const figure = figureOf(workload, bar.key);
  const ours = bar.of ?? 'newswired';
  const seen = bar.against ? ratios(runs, workload, figure, ours, bar.against) : values(runs, workload, ours, figure);
  if (seen.length === 0) return [];
  // Nothing may be lost in any run; everything else is judged by its median.
  const value = bar.most === 0 ? Math.max(...seen) : median(seen);
  const pass = bar.most !== undefined ? value <= bar.most : value >= bar.least;
  return [{ workload, bar, figure, value, low: Math.min(...seen), high: Math.max(...seen), pass }];
}

// A bar `with` another is not reached without it.
function together(verdicts) {
  return verdicts.map((one) => {
    const other = one.bar.with && verdicts.find(({ bar }) => bar.key === one.bar.with && bar.against === one.bar.against);
    return other && !other.pass ? { ...one, pass: false, missing: other.figure.name } : one;
  });
}

export const verdictsOf = (runs, workload) => together(WORKLOADS[workload].bars.flatMap((bar) => verdict(runs, workload, bar)));

export const verdicts = (runs) => measured(runs).flatMap((workload) => verdictsOf(runs, workload));

// How busy the machine was with something else: the median over all runs, in cores.
export function disturbance(runs) {
  const loads = runs.map((run) => run.others_load).filter((load) => load !== undefined);
  return loads.length > 0 ? median(loads) : 0;
}

export const measured = (runs) => Object.keys(WORKLOADS).filter((name) => runs.some((run) => run.workload === name));

// newswired / each of the others, for the figures that stand at the head: rows of { workload, figure, ratios }.
export function headlines(runs) {
  return measured(runs).flatMap((workload) => (WORKLOADS[workload].headlines ?? []).map((key) => {
    const figure = figureOf(workload, key);
    const others = measuredCandidates(runs, workload).filter((name) => name !== 'newswired');
    return { workload, figure, ratios: Object.fromEntries(others.map((name) => [name, ratios(runs, workload, figure, 'newswired', name)])) };
  }));
}
