/* backoff.c - how long to wait before trying again. */
#include "base/backoff.h"

#include <sys/random.h>
#include <unistd.h>
#include <xxhash.h>
#include "base/base.h"
#include "base/clock.h"

uint32_t backoff_next(struct backoff *b)
{
	uint64_t window = b->base_ms;

	for (uint32_t i = 0; i < b->tries && window < b->cap_ms; i++)
		window *= 2;
	if (window > b->cap_ms)
		window = b->cap_ms;
	if (b->tries < UINT32_MAX)
		b->tries++;
	return window < UINT32_MAX ? backoff_random((uint32_t)window + 1)
				   : backoff_random(UINT32_MAX);
}

void backoff_reset(struct backoff *b)
{
	b->tries = 0;
}

/* Random words, drawn from the kernel 64 at a time. A child drops what its parent had drawn, or all
 * workers would wait for the same time. */
static uint32_t random_word(void)
{
	static uint32_t pool[64];
	static size_t left;
	static pid_t owner;

	if (left == 0 || owner != getpid()) {
		left = COUNT_OF(pool);
		owner = getpid();
		/* A kernel that refuses still gives jitter good enough for waiting. */
		if (getrandom(pool, sizeof pool, 0) != (ssize_t)sizeof pool)
			for (size_t i = 0; i < left; i++) {
				uint64_t seed[] = {clock_mono_ns(), (uint64_t)owner, i};

				pool[i] = (uint32_t)XXH3_64bits(seed, sizeof seed);
			}
	}
	return pool[--left];
}

uint32_t backoff_random(uint32_t below)
{
	uint32_t uneven, word;

	if (below == 0)
		return 0;
	/* The first 2^32 % below words would make small results likelier: draw again. */
	uneven = -below % below;
	do
		word = random_word();
	while (word < uneven);
	return word % below;
}
