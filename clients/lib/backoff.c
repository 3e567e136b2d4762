/* backoff.c - how long a stream waits before it tries again. */
#include "backoff.h"

#include <sys/random.h>
#include <time.h>

uint32_t backoff_ceiling(uint32_t failures)
{
	uint32_t ms = BACKOFF_BASE_MS;

	while (failures-- > 0 && ms < BACKOFF_CAP_MS)
		ms *= 2;
	return ms < BACKOFF_CAP_MS ? ms : BACKOFF_CAP_MS;
}

uint32_t backoff_next(struct backoff *b, uint32_t draw)
{
	uint64_t ceiling = backoff_ceiling(b->failures);

	if (b->failures < UINT32_MAX)
		b->failures++;
	return (uint32_t)(ceiling * draw / UINT32_MAX);
}

void backoff_reset(struct backoff *b)
{
	b->failures = 0;
}

uint32_t backoff_draw(void)
{
	struct timespec now;
	uint32_t draw;

	if (getrandom(&draw, sizeof draw, GRND_NONBLOCK) == sizeof draw)
		return draw;
	/* Only early at boot: the clock's lowest digits spread well enough. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)now.tv_nsec * 2654435761U;
}
