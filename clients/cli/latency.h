/* latency.h - how long deliveries took: counted in buckets, none wider than 1/16 of its value.
 *
 * Plain data; zeroed means empty. No I/O but latency_draw().
 */
#ifndef NEWSWIRE_CLI_LATENCY_H
#define NEWSWIRE_CLI_LATENCY_H

#include <stdint.h>
#include <stdio.h>

enum { LATENCY_SUB = 16, LATENCY_BUCKETS = 32 * LATENCY_SUB };

struct latency {
	uint64_t count;
	uint64_t max_us;
	uint64_t bucket[LATENCY_BUCKETS];
};

void latency_add(struct latency *l, uint64_t us);

/* The time within which `share` (0 to 1) of all deliveries were there, in microseconds; 0 if there are none. */
uint64_t latency_quantile(const struct latency *l, double share);

/* A bar for each doubling, from the first to the last that has any: `up to 2 ms  ####  1,234`. */
void latency_draw(const struct latency *l, FILE *out, unsigned width);

/* "850 µs", "2.3 ms", "1.20 s". */
enum { LATENCY_TEXT = 32 };
const char *latency_text(char out[LATENCY_TEXT], uint64_t us);

#endif
