/* histogram.h - counts latencies in buckets that are never wider than 1/64 of their value.
 *
 * What it does  Log-linear: exact below 64 µs, then 64 buckets for each doubling, up to 2^36 µs. Quantiles
 *               are read from the buckets of all processes together (lib/quantiles.mjs).
 * Ownership     Plain data; zeroed means empty.
 * Errors        None: what is negative counts as 0, what is too large as the largest.
 * Threads       None of its own.
 */
#ifndef NW_BENCH_HISTOGRAM_H
#define NW_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB	  64 /* buckets for each doubling */
#define HISTOGRAM_BUCKETS (31 * HISTOGRAM_SUB)

struct histogram {
	uint64_t count;
	uint64_t sum_us;
	uint64_t max_us;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, int64_t ns);

/* The largest value that falls into the bucket, in microseconds. */
uint64_t histogram_top(unsigned bucket);

#endif
