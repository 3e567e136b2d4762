/* latency.c - log-linear buckets. */
#include "latency.h"

#include "figures.h"

enum { LAST = LATENCY_BUCKETS - 1 };

/* Exact below LATENCY_SUB, then LATENCY_SUB buckets for each doubling. */
static unsigned bucket_of(uint64_t us)
{
	unsigned shift = 0;

	while (us >> shift >= 2ULL * LATENCY_SUB)
		shift++;
	if (us >= LATENCY_SUB)
		us = (uint64_t)shift * LATENCY_SUB + (us >> shift);
	return us > LAST ? LAST : (unsigned)us;
}

/* The largest value that falls into it. */
static uint64_t top_of(unsigned bucket)
{
	unsigned shift = bucket < 2 * LATENCY_SUB ? 0 : bucket / LATENCY_SUB - 1;
	uint64_t base = bucket - (uint64_t)shift * LATENCY_SUB;

	return ((base + 1) << shift) - 1;
}

void latency_add(struct latency *l, uint64_t us)
{
	l->count++;
	l->bucket[bucket_of(us)]++;
	if (us > l->max_us)
		l->max_us = us;
}

uint64_t latency_quantile(const struct latency *l, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)l->count + 0.999999), sum = 0;

	if (l->count == 0)
		return 0;
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		uint64_t top = top_of(i);

		sum += l->bucket[i];
		if (sum >= wanted && sum > 0)
			return top < l->max_us ? top : l->max_us;
	}
	return l->max_us;
}

const char *latency_text(char out[LATENCY_TEXT], uint64_t us)
{
	if (us < 1000)
		snprintf(out, LATENCY_TEXT, "%llu µs", (unsigned long long)us);
	else if (us < 1000000)
		snprintf(out, LATENCY_TEXT, "%.1f ms", (double)us / 1000);
	else
		snprintf(out, LATENCY_TEXT, "%.2f s", (double)us / 1000000);
	return out;
}

/* How many took from 2^(n-1) to 2^n microseconds, the upper end left out. */
static uint64_t in_doubling(const struct latency *l, unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
		if (top_of(i) < 1ULL << n && (n == 0 || top_of(i) >= 1ULL << (n - 1)))
			sum += l->bucket[i];
	return sum;
}

void latency_draw(const struct latency *l, FILE *out, unsigned width)
{
	uint64_t most = 0;
	unsigned first = 32, last = 0;

	for (unsigned n = 0; n < 32; n++) {
		uint64_t count = in_doubling(l, n);

		if (count == 0)
			continue;
		most = count > most ? count : most;
		first = n < first ? n : first;
		last = n;
	}
	for (unsigned n = first; n <= last && most > 0; n++) {
		uint64_t count = in_doubling(l, n);
		unsigned full = (unsigned)(count * width / most);
		char text[LATENCY_TEXT], number[FIGURES_TEXT];

		fprintf(out, "%12s  ", latency_text(text, 1ULL << n));
		for (unsigned i = 0; i < full + (count > 0 && full == 0); i++)
			fputc(full ? '#' : '.', out);
		fprintf(out, "%s%s\n", full || count ? " " : "",
			count ? figures_text(number, (double)count) : "");
	}
}
