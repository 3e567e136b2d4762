// Results as one self-contained page: verdicts, a dot for every run, tables.

import { measured, median, rows, verdicts } from './results.mjs';
import { busyNote, number, tableCells, title, verdictCells } from './text.mjs';

const COLOURS = { floor: 'var(--floor)', newswired: 'var(--ours)' };
const CHARTED = ['cpu_us', 'p99', 'last_p50', 'rate', 'connect_1000_us', 'connect_15000_us', 'idle_5000_kb', 'idle_15000_kb'];

const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);

const STYLE = `
:root { color-scheme: light dark; --ink: #1d1d1f; --paper: #fff; --faint: #8884; --floor: #7a7f87; --ours: #c8102e; --pass: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8ea; --paper: #16171a; --floor: #9aa0a8; --ours: #ff5a6e; --pass: #4ac26b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--faint); }
th:first-child, td:first-child { text-align: left; font-weight: normal; }
.PASS { color: var(--pass); font-weight: 600; } .MISS { color: var(--ours); font-weight: 600; }
svg { width: 100%; height: auto; margin: .5rem 0; } svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 0 2rem; }
`;

function niceTop(value) {
  const step = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((k) => k * step).find((top) => top >= value) ?? value;
}

// One line of dots for each candidate, from zero, with a bar at the median.
function strip(row) {
  const { figure } = row;
  const top = niceTop(Math.max(...row.floor, ...row.newswired, 0));
  const x = (value) => 90 + (value / top) * 300;
  const line = (name, y) => row[name].length === 0 ? '' : `
    <text x="80" y="${y + 4}" text-anchor="end">${name}</text>
    <line x1="90" x2="390" y1="${y}" y2="${y}" stroke="var(--faint)"/>
    ${row[name].map((value) => `<circle cx="${x(value).toFixed(1)}" cy="${y}" r="4" fill="${COLOURS[name]}" fill-opacity=".6"/>`).join('')}
    <line x1="${x(median(row[name])).toFixed(1)}" x2="${x(median(row[name])).toFixed(1)}" y1="${y - 9}" y2="${y + 9}" stroke="${COLOURS[name]}" stroke-width="2"/>
    <text x="400" y="${y + 4}">${number(median(row[name]), figure.digits)}</text>`;
  const name = `${figure.name}${figure.unit ? `, ${figure.unit}` : ''}`;
  return `<svg viewBox="0 0 460 90" role="img" aria-label="${escape(name)}">
    <text x="90" y="14">${escape(name)}</text>${line('floor', 32)}${line('newswired', 58)}
    <text x="90" y="84" text-anchor="middle">0</text><text x="390" y="84" text-anchor="middle">${number(top, top < 10 ? 1 : 0)}</text>
  </svg>`;
}

function table(head, lines) {
  const cells = (tag, line) => line.map((cell) => `<${tag}${/^(PASS|MISS)$/.test(cell) ? ` class="${cell}"` : ''}>${escape(cell)}</${tag}>`).join('');
  return `<table><thead><tr>${cells('th', head)}</tr></thead><tbody>${lines.map((line) => `<tr>${cells('td', line)}</tr>`).join('')}</tbody></table>`;
}

export function page(runs, settings, machine) {
  const judged = verdicts(runs).map(verdictCells);
  const sections = measured(runs).map((workload) => {
    const all = rows(runs, workload);
    return `<h2>${escape(title(workload, settings))}</h2>
      <div class="charts">${all.filter(({ figure }) => CHARTED.includes(figure.key)).map(strip).join('')}</div>
      ${table(['', 'floor', 'newswired', 'ratio'], all.map(tableCells).map((c) => [c.name, c.floor, c.newswired, c.ratio]))}`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>newswire bench: ${escape(machine.date)}</title><style>${STYLE}</style></head><body>
<h1>newswire against the floor</h1>
<p>Each dot is one run, each upright line a median. The floor is bare epoll and send of the same bytes. ${escape(busyNote(runs))}</p>
${judged.length > 0 ? table(['what must be reached', 'median', 'lowest … highest', 'bar', ''],
    judged.map((c) => [`${c.workload}: ${c.what}`, c.value, c.range, c.bar, c.verdict])) : ''}
${sections.join('\n')}
<h2>Where</h2>
${table(['', ''], Object.entries(machine).map(([name, value]) => [name, String(value)]))}
</body></html>
`;
}
