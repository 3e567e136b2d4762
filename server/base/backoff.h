/* backoff.h - how long to wait before trying again: doubling, capped, with full jitter.
 *
 * The wait is drawn evenly from [0, min(cap, base * 2^tries)], so that a thousand waiters do not
 * come back together.
 * Threads       Loop thread only; a forked child draws numbers of its own.
 */
#ifndef NEWSWIRE_BASE_BACKOFF_H
#define NEWSWIRE_BASE_BACKOFF_H

#include <stdint.h>

struct backoff {
	uint32_t base_ms;
	uint32_t cap_ms;
	uint32_t tries; /* failures in a row */
};

/* The next wait in milliseconds; counts a try. */
uint32_t backoff_next(struct backoff *b);
/* It worked: the next failure starts from base again. */
void backoff_reset(struct backoff *b);

/* An evenly drawn number in [0, below); 0 if below is 0. From getrandom(2), buffered. */
uint32_t backoff_random(uint32_t below);

#endif
