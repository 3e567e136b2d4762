// Results as text: the terminal's, Markdown for the docs, CSV.

import { disturbance, measured, median, rows, verdicts } from './results.mjs';
import { FIGURES, WORKLOADS } from './workloads.mjs';

export const number = (value, digits) => value.toLocaleString('en-US',
  { minimumFractionDigits: digits, maximumFractionDigits: digits });

const withUnit = (value, { digits, unit }) => number(value, digits) + (unit ? ` ${unit}` : '');
const middle = (values, figure) => (values.length > 0 ? withUnit(median(values), figure) : '–');

export function verdictCells({ bar, figure, value, low, high, pass }) {
  const show = (x) => (bar.ratio ? `${x.toFixed(3)} ×` : withUnit(x, figure));
  const limit = bar.most ?? bar.least;
  return {
    workload: bar.workload,
    what: bar.ratio ? `${figure.name} / floor` : figure.name,
    value: show(value),
    range: `${show(low)} … ${show(high)}`,
    bar: (bar.most === 0 ? 'none' : `${bar.most !== undefined ? '≤' : '≥'} ${bar.ratio ? `${limit} ×` : withUnit(limit, { ...figure, digits: limit % 1 ? 1 : 0 })}`),
    verdict: pass ? 'PASS' : 'MISS',
  };
}

export function tableCells(row) {
  return {
    name: row.figure.name,
    floor: middle(row.floor, row.figure),
    newswired: middle(row.newswired, row.figure),
    ratio: row.ratios.length > 0 ? median(row.ratios).toFixed(3) : '–',
  };
}

export const title = (workload, settings) =>
  `${workload}: ${WORKLOADS[workload].says}${WORKLOADS[workload].rate ? `, ${number(settings.readers, 0)} readers` : ''}`;

export function busyNote(runs) {
  const load = disturbance(runs);
  return load > 0.1 ? `The machine was busy: something else used ${load.toFixed(2)} cores meanwhile. Believe a verdict only on a quiet one.` : '';
}

function columns(lines) {
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  return lines.map((line) => `  ${line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`).join('\n');
}

export function terminal(runs, settings) {
  const judged = verdicts(runs).map(verdictCells);
  const parts = [];
  if (judged.length > 0) {
    parts.push(columns(judged.map((cells) => [`${cells.workload}: ${cells.what}`, cells.value, `(${cells.range})`, cells.bar, cells.verdict])));
  }
  for (const workload of measured(runs)) {
    const lines = rows(runs, workload).map(tableCells).map(({ name, floor, newswired, ratio }) => [name, floor, newswired, ratio]);
    parts.push(`${title(workload, settings)}\n${columns([['', 'floor', 'newswired', 'ratio'], ...lines])}`);
  }
  return [...parts, busyNote(runs)].filter(Boolean).join('\n\n');
}

const markdownTable = (head, lines) => [
  `| ${head.join(' | ')} |`,
  `|${head.map((_, i) => (i === 0 ? '---' : '--:')).join('|')}|`,
  ...lines.map((line) => `| ${line.join(' | ')} |`),
].join('\n');

export function markdown(runs, settings, machine) {
  const pairs = Math.max(...runs.map((run) => run.pair));
  const judged = verdicts(runs).map(verdictCells);
  const parts = [
    `Measured ${machine.date}, ${pairs} ${pairs === 1 ? 'pair' : 'pairs'}: ${machine.cpu}, ${machine.cores} cores, ${machine.memory}; `
    + `${machine.system}; ${machine.newswired}, libwebsockets ${machine.libwebsockets}, Redis ${machine.redis}; `
    + `state on ${machine['state on']}; pinned: ${machine.pinned}. ${busyNote(runs)}`.trimEnd(),
  ];
  if (judged.length > 0) {
    parts.push(markdownTable(['what must be reached', 'median', 'lowest … highest', 'bar', ''],
      judged.map((cells) => [`${cells.workload}: ${cells.what}`, cells.value, cells.range, cells.bar, cells.verdict])));
  }
  for (const workload of measured(runs)) {
    parts.push(markdownTable([title(workload, settings), 'floor', 'newswired', 'ratio'],
      rows(runs, workload).map(tableCells).map(({ name, floor, newswired, ratio }) => [name, floor, newswired, ratio])));
  }
  return parts.join('\n\n');
}

export function csv(runs) {
  const lines = [['workload', 'pair', 'candidate', 'figure', 'unit', 'value']];
  for (const run of runs) {
    for (const figure of FIGURES[run.workload]) {
      lines.push([run.workload, run.pair, run.candidate, figure.key, figure.unit, figure.read(run)]);
    }
  }
  return lines.map((line) => line.join(',')).join('\n') + '\n';
}
