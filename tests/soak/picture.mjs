// picture.mjs - a soak as a picture: one strip a figure over the same time, as SVG written by hand.
import { escape } from '../bench/lib/plot.mjs';

const WIDTH = 760, STRIP = 110, LEFT = 150, RIGHT = 730, TOP = 34;

const text = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3).replace(/\.?0+$/, ''));

function strip({ name, unit, points, colour }, at, end, warm) {
  const most = Math.max(...points.map(([, y]) => y)) * 1.1 || 1;
  const x = (seconds) => LEFT + (seconds / end) * (RIGHT - LEFT);
  const y = (value) => at + STRIP - 22 - (value / most) * (STRIP - 40);
  return `<text x="${LEFT - 12}" y="${at + 30}" text-anchor="end" fill="#1d1d1f">${escape(name)}</text>
<text x="${LEFT - 12}" y="${at + 46}" text-anchor="end" fill="#666">${escape(unit)}</text>
<rect x="${LEFT}" y="${y(most)}" width="${x(warm) - LEFT}" height="${y(0) - y(most)}" fill="#f3f3f5"/>
${[0, 0.5, 1].map((part) => `<line x1="${LEFT}" x2="${RIGHT}" y1="${y(most * part)}" y2="${y(most * part)}" stroke="#ddd"/><text x="${RIGHT + 4}" y="${y(most * part) + 4}" font-size="10" fill="#666">${text(most * part)}</text>`).join('')}
<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(' ')}"/>`;
}

/** series: [{name, unit, points: [[seconds, value], …], colour}]; warm: seconds in which everything fills, in grey. */
export function picture({ title, series, warm }) {
  const end = Math.max(...series.flatMap(({ points }) => points.map(([x]) => x)));
  const height = TOP + series.length * STRIP + 24;
  const minutes = end / 60;
  const step = [1, 2, 5, 10, 15, 30].find((n) => minutes / n <= 8) ?? 60;
  const marks = Array.from({ length: Math.floor(minutes / step) + 1 }, (_, i) => i * step);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH + 20} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="${escape(title)}">
<rect width="${WIDTH + 20}" height="${height}" fill="#fff"/>
<text x="12" y="22" font-size="14" fill="#1d1d1f">${escape(title)}</text>
${series.map((one, i) => strip(one, TOP + i * STRIP, end, warm)).join('\n')}
${marks.map((m) => `<text x="${LEFT + (m * 60 / end) * (RIGHT - LEFT)}" y="${height - 8}" text-anchor="middle" fill="#444">${m} min</text>`).join('')}
</svg>
`;
}
