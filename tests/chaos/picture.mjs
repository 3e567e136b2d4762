// picture.mjs - a run as text and as a picture: what was done when, what was accepted and delivered meanwhile, how long the way back took.
import { escape } from '../bench/lib/plot.mjs';
import { markdownTable } from '../bench/lib/text.mjs';
import { VERDICTS } from './checker.mjs';
import { LIMITS_MS } from './faults.mjs';

const sorted = (list) => [...list].sort((a, b) => a - b);
const median = (list) => sorted(list)[list.length >> 1];
export const SAID = { kept: 'nothing lost, no gap', told: 'every reader told `gap`; before it excused', torn: 'nothing lost; told `gap` if a tail is' };

/** A row for each kind of fault: {head, lines}. */
export function faultTable(done) {
  const names = [...new Set(done.map(({ fault }) => fault.name))].sort();
  return {
    head: ['fault', 'how', 'promised', 'times', 'news again: median', 'worst', 'limit'],
    lines: names.map((name) => {
      const all = done.filter(({ fault }) => fault.name === name);
      const { fault } = all[0];
      const back = all.map((one) => one.back).filter((ms) => ms !== null);
      return [name, fault.how, SAID[fault.promise], all.length, back.length ? `${median(back)} ms` : '–', back.length ? `${Math.max(...back)} ms` : '–',
        fault.back ? `< ${LIMITS_MS[fault.back]} ms` : '–'];
    }),
  };
}

export function columns({ head, lines }) {
  const all = [head, ...lines].map((line) => line.map(String));
  const widths = head.map((_, i) => Math.max(...all.map((line) => line[i].length)));
  return all.map((line) => `  ${line.map((cell, i) => (i < 3 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`.trimEnd()).join('\n');
}

/** The run for docs/reliability.md. */
export function report(run) {
  const number = (n) => n.toLocaleString('en-US');
  return [
    `${run.date}, \`${run.command}\`: ${run.machine}. ${number(run.accepted)} items accepted (${Object.entries(run.ways).map(([way, n]) => `${way} ${number(n)}`).join(', ')}), `
    + `${number(run.raw)} raw PUBLISH besides; ${run.clients} readers with ${number(run.sessions)} connections saw ${number(run.seen)} posts and were told ${number(run.told)} gaps; `
    + `${run.done.length} faults of ${new Set(run.done.map(({ fault }) => fault.name)).size} kinds.`,
    markdownTable({ head: ['', 'found'], lines: Object.entries(VERDICTS).map(([kind, words]) => [words, run.kinds[kind] ?? 0]) }),
    markdownTable(faultTable(run.done)),
  ].join('\n\n') + '\n';
}

const [OPEN, CLOSE] = ['<!-- what ./dev chaos --report wrote -->\n', '<!-- its end -->\n'];

/** What a file holds once the report is in it: between its marks, if `old` has them; else the report alone. */
export function withReport(old, run) {
  const [from, to] = [old.indexOf(OPEN), old.indexOf(CLOSE)];
  return from < 0 || to < from ? report(run) : `${old.slice(0, from + OPEN.length)}\n${report(run)}\n${old.slice(to)}`;
}

const BOX = { left: 170, right: 870, width: 900 };
const COLOURS = { kept: '#1f6feb', told: '#c8102e', torn: '#9a6700' };

function curve(samples, key, top, bottom, x, colour, name) {
  const most = Math.max(1, ...samples.map((one) => one[key]));
  const y = (value) => bottom - (value / most) * (bottom - top);
  return `<text x="${BOX.left}" y="${top - 6}" fill="#444">${escape(name)}, up to ${Math.round(most).toLocaleString('en-US')}</text>
<line x1="${BOX.left}" x2="${BOX.right}" y1="${bottom}" y2="${bottom}" stroke="#ccc"/>
<polyline fill="none" stroke="${colour}" stroke-width="1.2" points="${samples.map((one) => `${x(one.at).toFixed(1)},${y(one[key]).toFixed(1)}`).join(' ')}"/>`;
}

/** samples: [{at: s, accepted, seen}] a second; done: [{fault, at, until, back}] (s, s, ms). */
export function picture({ title, seconds, samples, done }) {
  const x = (at) => BOX.left + (at / seconds) * (BOX.right - BOX.left);
  const names = [...new Set(done.map(({ fault }) => fault.name))].sort();
  const rows = 330;
  const height = rows + names.length * 14 + 40;
  const worst = Math.max(2000, ...done.map(({ back }) => back ?? 0));
  const minutes = Array.from({ length: Math.floor(seconds / 60) + 1 }, (_, i) => i).filter((i) => i % Math.ceil(seconds / 600) === 0);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${BOX.width} ${height}" font-family="system-ui, sans-serif" font-size="11" role="img" aria-label="${escape(title)}">
<rect width="${BOX.width}" height="${height}" fill="#fff"/>
<text x="${BOX.left}" y="20" font-size="14" fill="#1d1d1f">${escape(title)}</text>
${curve(samples, 'accepted', 50, 120, x, '#1a7f37', 'items accepted a second')}
${curve(samples, 'seen', 145, 215, x, '#1f6feb', 'posts delivered a second')}
<text x="${BOX.left}" y="234" fill="#444">until news flows again, up to ${(worst / 1000).toFixed(1)} s (each dot a fault)</text>
<line x1="${BOX.left}" x2="${BOX.right}" y1="310" y2="310" stroke="#ccc"/>
${done.filter(({ back }) => back !== null).map(({ fault, until, back }) => `<circle cx="${x(until).toFixed(1)}" cy="${(310 - (back / worst) * 70).toFixed(1)}" r="2.5" fill="${COLOURS[fault.promise]}" fill-opacity=".7"><title>${escape(fault.name)}: ${back} ms</title></circle>`).join('\n')}
${names.map((name, i) => `<line x1="${BOX.left}" x2="${BOX.right}" y1="${rows + i * 14 + 13}" y2="${rows + i * 14 + 13}" stroke="#eee"/>
${done.filter(({ fault }) => fault.name === name).map(({ fault, at, until }) => `<rect x="${x(at).toFixed(1)}" y="${rows + i * 14 + 1}" width="${Math.max(2, x(until) - x(at)).toFixed(1)}" height="11" fill="${COLOURS[fault.promise]}" fill-opacity=".55"/>`).join('')}
<text x="${BOX.left - 8}" y="${rows + i * 14 + 10}" text-anchor="end" fill="#1d1d1f">${escape(name)}</text>`).join('\n')}
${minutes.map((i) => `<text x="${x(i * 60).toFixed(1)}" y="${height - 12}" text-anchor="middle" fill="#444">${i} min</text>`).join('\n')}
</svg>
`;
}
