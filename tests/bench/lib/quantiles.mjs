// Quantiles of latencies that were counted in buckets, [microseconds at most, how many] each, by one process or several.

export function merge(lists) {
  const counts = new Map();
  for (const [us, count] of lists.flat()) counts.set(us, (counts.get(us) ?? 0) + count);
  return [...counts].sort(([a], [b]) => a - b);
}

// The microseconds that a part of all (0.99: 99 of 100) did not exceed; 0 when there are none.
export function quantile(buckets, part) {
  const rank = Math.ceil(part * buckets.reduce((sum, [, count]) => sum + count, 0));
  let seen = 0;
  for (const [us, count] of buckets) {
    seen += count;
    if (seen >= rank) return us;
  }
  return 0;
}

// No quantile is above the largest value, though its bucket may end there.
export function quantiles(buckets, largest = Infinity) {
  const at = (part) => Math.min(quantile(buckets, part), largest);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999) };
}

// The same of plain values.
export const quantilesOf = (values) => quantiles(merge([values.map((value) => [value, 1])]));

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
