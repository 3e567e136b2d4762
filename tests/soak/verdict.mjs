// verdict.mjs - does a figure that was looked at again and again grow? Pure: no server, no clock, so it is tested itself.

const sorted = (values) => [...values].sort((a, b) => a - b);
export const median = (values) => {
  const all = sorted(values);
  const middle = all.length >> 1;
  return all.length % 2 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
};

const MOST_PAIRS = 400; // of points, in each direction: the slope is a median of so many slopes

/** Theil's and Sen's slope: the median of the slopes between all pairs. One wild value does not move it. points: [[x, y], …] */
export function slope(points) {
  const step = Math.max(1, Math.ceil(points.length / MOST_PAIRS));
  const some = points.filter((_, i) => i % step === 0);
  const slopes = some.flatMap(([x, y], i) => some.slice(i + 1).map(([x2, y2]) => (y2 - y) / (x2 - x)));
  return slopes.length > 0 ? median(slopes) : 0;
}

const NOISES = 4; // so many times what a value is usually away from the trend is still noise

/**
 * How much a figure grew from the first point to the last, and how much of that may be noise.
 * points: [[seconds, value], …], without the time in which everything fills. least: what is noise in any case: {part: of the median, value}.
 * Returns {from, growth, noise, grows}.
 */
export function verdict(points, least) {
  const [x0] = points[0];
  const rise = slope(points);
  const level = median(points.map(([x, y]) => y - rise * (x - x0)));
  const away = median(points.map(([x, y]) => Math.abs(y - rise * (x - x0) - level)));
  const growth = rise * (points.at(-1)[0] - x0);
  const noise = Math.max(NOISES * away, least.part * level, least.value);
  return { from: level, growth, noise, grows: growth > noise };
}
