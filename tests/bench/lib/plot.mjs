// Plots, as SVG written by hand: lines over the number of readers, dots in a strip.

import { number } from './text.mjs';

const COLOURS = {
  floor: '#7a7f87', newswired: '#c8102e', workers2: '#a03a6a', nodes2: '#6a3a8a', textbook: '#b8860b', nchan: '#1a7f37', nats: '#1f6feb', mosquitto: '#8250df', pushpin: '#0e7c86', redis: '#e8590c',
};
export const colour = (name) => COLOURS[name] ?? '#555';

export const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);

const WIDTH = 720;
const HEIGHT = 380;
const BOX = { left: 70, right: 590, top: 40, bottom: 330 };

function niceTop(value) {
  const step = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((k) => k * step).find((top) => top >= value) ?? value;
}

// Names at the right end of their lines, none on top of another.
function spreadOut(labels) {
  const sorted = labels.sort((a, b) => a.y - b.y);
  for (let i = 1; i < sorted.length; i++) sorted[i].y = Math.max(sorted[i].y, sorted[i - 1].y + 15);
  const over = sorted.length > 0 ? Math.max(0, sorted.at(-1).y - BOX.bottom) : 0;
  return sorted.map((label) => ({ ...label, y: label.y - over }));
}

// series: [{ name, colour, points: [[x, y], …] }]; both axes from zero.
export function lines({ title, xName, yName, series }) {
  const all = series.flatMap(({ points }) => points);
  const xTop = Math.max(...all.map(([x]) => x));
  const yTop = niceTop(Math.max(...all.map(([, y]) => y)));
  const x = (value) => BOX.left + (value / xTop) * (BOX.right - BOX.left);
  const y = (value) => BOX.bottom - (value / yTop) * (BOX.bottom - BOX.top);
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const labels = spreadOut(series.map((one) => ({ ...one, y: y(one.points.at(-1)[1]) })));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="${escape(title)}">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${BOX.left}" y="22" font-size="14" fill="#1d1d1f">${escape(title)}</text>
${ticks.map((part) => `<line x1="${BOX.left}" x2="${BOX.right}" y1="${y(yTop * part)}" y2="${y(yTop * part)}" stroke="#ddd"/>
<text x="${BOX.left - 8}" y="${y(yTop * part) + 4}" text-anchor="end" fill="#444">${number(yTop * part, yTop < 10 ? 1 : 0)}</text>`).join('\n')}
${[...new Set(all.map(([value]) => value))].filter((value) => value >= xTop / 10).map((value) => `<text x="${x(value)}" y="${BOX.bottom + 18}" text-anchor="middle" fill="#444">${number(value, 0)}</text>`).join('\n')}
<text x="${(BOX.left + BOX.right) / 2}" y="${BOX.bottom + 38}" text-anchor="middle" fill="#444">${escape(xName)}</text>
<text x="16" y="${(BOX.top + BOX.bottom) / 2}" text-anchor="middle" fill="#444" transform="rotate(-90 16 ${(BOX.top + BOX.bottom) / 2})">${escape(yName)}</text>
${series.map(({ colour: stroke, points, dashed }) => `<polyline fill="none" stroke="${stroke}" stroke-width="2"${dashed ? ' stroke-dasharray="5 4"' : ''} points="${points.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(' ')}"/>
${points.map(([a, b]) => `<circle cx="${x(a).toFixed(1)}" cy="${y(b).toFixed(1)}" r="3" fill="${stroke}"/>`).join('')}`).join('\n')}
${labels.map((label) => `<text x="${BOX.right + 10}" y="${(label.y + 4).toFixed(1)}" fill="${label.colour}">${escape(label.name)}</text>`).join('\n')}
</svg>
`;
}

// One line of dots for each candidate, from zero, with an upright line at the median.
export function strip({ figure, values }, median) {
  const names = Object.keys(values).filter((name) => values[name].length > 0);
  const top = niceTop(Math.max(...names.flatMap((name) => values[name]), 0));
  const x = (value) => 90 + (value / top) * 300;
  const bottom = 32 + names.length * 22;
  const name = `${figure.name}${figure.unit ? `, ${figure.unit}` : ''}`;
  const line = (who, i) => {
    const at = 34 + i * 22;
    const middle = x(median(values[who])).toFixed(1);
    return `<text x="80" y="${at + 4}" text-anchor="end">${who}</text><line x1="90" x2="390" y1="${at}" y2="${at}" stroke="#8884"/>
    ${values[who].map((value) => `<circle cx="${x(value).toFixed(1)}" cy="${at}" r="4" fill="${colour(who)}" fill-opacity=".6"/>`).join('')}
    <line x1="${middle}" x2="${middle}" y1="${at - 8}" y2="${at + 8}" stroke="${colour(who)}" stroke-width="2"/>
    <text x="400" y="${at + 4}">${number(median(values[who]), figure.digits)}</text>`;
  };
  return `<svg viewBox="0 0 460 ${bottom + 16}" role="img" aria-label="${escape(name)}"><text x="90" y="14">${escape(name)}</text>
    ${names.map(line).join('\n')}
    <text x="90" y="${bottom + 8}" text-anchor="middle">0</text><text x="390" y="${bottom + 8}" text-anchor="middle">${number(top, top < 10 ? 1 : 0)}</text></svg>`;
}
