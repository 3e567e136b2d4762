// Results as one self-contained page: ratios, verdicts, plots, a dot for every run, tables.

import { escape, strip } from './plot.mjs';
import { plots } from './plots.mjs';
import { median } from './quantiles.mjs';
import { measured, rows } from './results.mjs';
import { barTable, busyNote, ratioTable, table, title } from './text.mjs';
import { WORKLOADS } from './workloads.mjs';

const STYLE = `
:root { color-scheme: light dark; --ink: #1d1d1f; --paper: #fff; --faint: #8884; --miss: #c8102e; --pass: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8ea; --paper: #16171a; --miss: #ff5a6e; --pass: #4ac26b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--faint); }
th:first-child, td:first-child { text-align: left; font-weight: normal; }
.PASS { color: var(--pass); font-weight: 600; } .MISS { color: var(--miss); font-weight: 600; }
svg { width: 100%; height: auto; margin: .5rem 0; } .charts svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 0 2rem; }
.plots { max-width: 48rem; }
`;

function htmlTable({ head, lines }) {
  const classOf = (cell) => (/^(PASS|MISS)/.exec(cell) ? ` class="${cell.slice(0, 4)}"` : '');
  const cells = (tag, line) => line.map((cell) => `<${tag}${classOf(cell)}>${escape(cell)}</${tag}>`).join('');
  return `<table><thead><tr>${cells('th', head)}</tr></thead><tbody>${lines.map((line) => `<tr>${cells('td', line)}</tr>`).join('')}</tbody></table>`;
}

function section(runs, workload, settings) {
  const charted = rows(runs, workload).filter(({ figure }) => (WORKLOADS[workload].headlines ?? []).includes(figure.key));
  const { head, lines } = table(runs, workload, settings);
  return `<h2>${escape(title(workload, settings))}</h2>
    ${htmlTable(barTable(runs, workload))}
    <div class="charts">${charted.map((row) => strip(row, median)).join('')}</div>
    ${htmlTable({ head: ['', ...head.slice(1)], lines })}`;
}

export function page(runs, settings, machine) {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>newswire bench: ${escape(machine.date)}</title><style>${STYLE}</style></head><body>
<h1>newswire, measured</h1>
<p>Each dot is one run, each upright line a median; ratios are medians of the rounds' ratios. The floor is bare epoll and send of the same bytes.
${escape(busyNote(runs))}</p>
${htmlTable(ratioTable(runs))}
<div class="plots">${Object.values(plots(runs)).join('')}</div>
${measured(runs).map((workload) => section(runs, workload, settings)).join('\n')}
<h2>Where</h2>
${htmlTable({ head: ['', ''], lines: Object.entries(machine).map(([name, value]) => [name, String(value)]) })}
</body></html>
`;
}
