/* histogram.c - a log-linear histogram: see histogram.h. */
#include "histogram.h"

#include <math.h>

static unsigned bucket_of(uint64_t us)
{
	unsigned shift;
	unsigned bucket;

	if (us < HISTOGRAM_SUB)
		return (unsigned)us;
	shift = 63 - (unsigned)__builtin_clzll(us) - 6; /* us >> shift is in 64..127 */
	bucket = shift * HISTOGRAM_SUB + (unsigned)(us >> shift);
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The largest value that falls into the bucket. */
static uint64_t top_of(unsigned bucket)
{
	unsigned shift;

	if (bucket < 2 * HISTOGRAM_SUB)
		return bucket;
	shift = bucket / HISTOGRAM_SUB - 1;
	return ((uint64_t)(bucket - shift * HISTOGRAM_SUB + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, int64_t ns)
{
	uint64_t us = ns > 0 ? (uint64_t)ns / 1000 : 0;

	h->count++;
	h->sum_us += us;
	if (us > h->max_us)
		h->max_us = us;
	h->bucket[bucket_of(us)]++;
}

uint64_t histogram_quantile(const struct histogram *h, double part)
{
	uint64_t rank = (uint64_t)ceil(part * (double)h->count);
	uint64_t seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= rank && seen > 0)
			return top_of(i) < h->max_us ? top_of(i) : h->max_us;
	}
	return 0;
}

double histogram_mean(const struct histogram *h)
{
	return h->count > 0 ? (double)h->sum_us / (double)h->count : 0;
}
