// Results as text: the terminal's, Markdown for the docs, CSV.

import { CANDIDATES } from './candidates.mjs';
import { disturbance, headlines, measured, measuredCandidates, ratios, rows, verdictsOf } from './results.mjs';
import { median } from './quantiles.mjs';
import { WORKLOADS } from './workloads.mjs';

export const number = (value, digits) => value.toLocaleString('en-US',
  { minimumFractionDigits: digits, maximumFractionDigits: digits });

const withUnit = (value, { digits, unit }) => number(value, digits) + (unit ? ` ${unit}` : '');
const middle = (values, figure) => (values.length > 0 ? withUnit(median(values), figure) : '–');

function barName({ bar, figure }) {
  const whose = bar.of ? `${bar.of}: ` : '';
  return whose + figure.name + (bar.against ? ` / ${bar.against}` : '');
}

export function verdictCells(verdict) {
  const { workload, bar, figure, value, low, high, pass, missing } = verdict;
  const show = (x) => (bar.against ? `${x.toFixed(3)} ×` : withUnit(x, figure));
  const limit = bar.most ?? bar.least;
  const shown = bar.against ? `${limit} ×` : withUnit(limit, { ...figure, digits: limit % 1 ? `${limit}`.split('.')[1].length : 0 });
  return {
    workload,
    what: barName(verdict),
    value: show(value),
    range: `${show(low)} … ${show(high)}`,
    bar: bar.most === 0 ? 'none' : `${bar.most !== undefined ? '≤' : '≥'} ${shown}`,
    verdict: (pass ? 'PASS' : 'MISS') + (missing ? ` (by the ${missing})` : ''),
  };
}

export const title = (workload, settings) =>
  `${workload}: ${WORKLOADS[workload].says}${WORKLOADS[workload].ofReaders ? `, ${number(settings.readers, 0)} readers` : ''}`;

export function busyNote(runs) {
  const load = disturbance(runs);
  return load > 0.1 ? `The machine was busy: something else used ${load.toFixed(2)} cores meanwhile. Believe a verdict only on a quiet one.` : '';
}

// The table of a workload: what it is called, then a column for each candidate; newswired / floor after newswired.
export function table(runs, workload, settings) {
  const names = measuredCandidates(runs, workload);
  const compared = names.includes('floor') && names.includes('newswired');
  const cells = (cell, ratio) => names.flatMap((name) => (compared && name === 'newswired' ? [cell(name), ratio] : [cell(name)]));
  return {
    head: [title(workload, settings), ...cells((name) => name, '/ floor')],
    lines: rows(runs, workload).map((row) => {
      const pairs = ratios(runs, workload, row.figure);
      return [row.figure.name, ...cells((name) => middle(row.values[name], row.figure), pairs.length > 0 ? median(pairs).toFixed(3) : '–')];
    }),
  };
}

// newswired against everybody, the figures that matter most.
export function ratioTable(runs) {
  const all = headlines(runs);
  const names = Object.keys(CANDIDATES).filter((name) => all.some((row) => row.ratios[name]?.length > 0));
  return {
    head: ['newswired /', ...names],
    lines: all.filter((row) => names.some((name) => row.ratios[name]?.length > 0)).map(({ workload, figure, ratios: seen }) =>
      [`${workload}: ${figure.name}`, ...names.map((name) => (seen[name]?.length > 0 ? `${median(seen[name]).toFixed(3)} ×` : '–'))]),
  };
}

export function barTable(runs, workload) {
  return {
    head: ['what must be reached', 'median', 'lowest … highest', 'bar', ''],
    lines: verdictsOf(runs, workload).map(verdictCells).map((cells) => [`${cells.workload}: ${cells.what}`, cells.value, cells.range, cells.bar, cells.verdict]),
  };
}

function columns(lines) {
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  return lines.map((line) => `  ${line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`).join('\n');
}

export function terminal(runs, settings) {
  const short = ({ head, lines }) => (lines.length > 0 ? columns([head, ...lines]) : '');
  const parts = [short(ratioTable(runs))];
  const judged = measured(runs).flatMap((workload) => barTable(runs, workload).lines);
  if (judged.length > 0) parts.push(columns(judged));
  for (const workload of measured(runs)) {
    const { head, lines } = table(runs, workload, settings);
    parts.push(`${head[0]}\n${columns([['', ...head.slice(1)], ...lines])}`);
  }
  return [...parts, busyNote(runs)].filter(Boolean).join('\n\n');
}

export const markdownTable = ({ head, lines }) => [
  `| ${head.join(' | ')} |`,
  `|${head.map((_, i) => (i === 0 ? '---' : '--:')).join('|')}|`,
  ...lines.map((line) => `| ${line.join(' | ')} |`),
].join('\n');

// Of the runs of one workload.
export function markdown(runs, workload, settings) {
  const rounds = Math.max(...runs.map((run) => run.pair));
  const bars = barTable(runs, workload);
  return [
    `${runs.at(-1).date}, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}. ${busyNote(runs)}`.trimEnd(),
    bars.lines.length > 0 ? markdownTable(bars) : '',
    markdownTable(table(runs, workload, settings)),
  ].filter(Boolean).join('\n\n');
}

export function markdownHead(runs, machine) {
  return [
    `Measured ${machine.date}: ${machine.cpu}, ${machine.cores} cores, ${machine.memory}; ${machine.system}; ${machine.newswired}, `
    + `libwebsockets ${machine.libwebsockets}, Redis ${machine.redis}${machine.peers.map((peer) => `; ${peer}`).join('')}; `
    + `state on ${machine['state on']}; pinned: ${machine.pinned}. ${busyNote(runs)}`.trimEnd(),
    markdownTable(ratioTable(runs)),
  ].join('\n\n');
}

export function csv(runs) {
  const lines = [['workload', 'pair', 'candidate', 'figure', 'unit', 'value']];
  for (const workload of measured(runs)) {
    for (const run of runs.filter((one) => one.workload === workload)) {
      for (const { figure } of rows([run], workload)) lines.push([workload, run.pair, run.candidate, figure.key, figure.unit, figure.read(run)]);
    }
  }
  return lines.map((line) => line.join(',')).join('\n') + '\n';
}
