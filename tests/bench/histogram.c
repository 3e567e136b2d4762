/* histogram.c - a log-linear histogram: see histogram.h. */
#include "histogram.h"

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

uint64_t histogram_top(unsigned bucket)
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
