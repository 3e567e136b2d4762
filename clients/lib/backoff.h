/* backoff.h - how long a stream waits before it tries again: doubling, capped, with full jitter.
 *
 * The wait is drawn evenly from 0 to the ceiling, so that ten thousand readers who lost the same
 * server do not come back in the same second.
 */
#ifndef NEWSWIRE_LIB_BACKOFF_H
#define NEWSWIRE_LIB_BACKOFF_H

#include <stdint.h>

enum { BACKOFF_BASE_MS = 1000, BACKOFF_CAP_MS = 30000 };

struct backoff {
	uint32_t failures; /* in a row */
};

/* The longest wait after that many failures in a row (milliseconds). */
uint32_t backoff_ceiling(uint32_t failures);
/* The next wait (milliseconds); counts a failure. `draw` is any random number: the wait is 0 to the
 * ceiling in proportion to it. */
uint32_t backoff_next(struct backoff *b, uint32_t draw);
void backoff_reset(struct backoff *b);
/* A random number for backoff_next(). */
uint32_t backoff_draw(void);

#endif
