/* redis_clock.h - what time it is by Redis' clock, as far as that can be believed.
 *
 * What it does  Embargoes end by Redis' TIME, which somebody may set. So each worker keeps a time of its own: Redis', as it
 *               was once read, carried on by the monotonic clock. Each reading draws it on as far as clocks drift; where
 *               Redis' clock has jumped by more, the own time goes on as before (a jump back to it ends that), until
 *               Redis' clock has stood where it jumped to for the patience. The scripts take the earlier of both times,
 *               so that an embargo ends when both say so.
 * Starting      Before the first reading this machine's wall clock stands in. A first reading that is ahead of it is a
 *               jump, too; behind it, it is believed.
 * Others        A worker that starts after a jump cannot know of it: those who lived through it say by how much Redis'
 *               clock is ahead (redis_clock_ahead_ms()), and the scripts keep that in the key `clock`.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_DESK_REDIS_CLOCK_H
#define NEWSWIRE_DESK_REDIS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* What is no jump: so much, and what clocks may drift since the last reading (1 in 2,000). */
enum { REDIS_CLOCK_TOLERANCE_MS = 100, REDIS_CLOCK_DRIFT = 2000 };

/* Offsets are from clock_boot_ms(). */
struct redis_clock {
	int64_t offset_ms;     /* of the own time */
	int64_t jumped_ms;     /* while doubted: of Redis' clock */
	uint64_t jumped_since; /* while doubted: clock_boot_ms() when it was first seen there */
	uint64_t heard_at;     /* clock_boot_ms() of the last reading that was believed */
	uint64_t patience_ms;
	bool is_read;	 /* the own time was read from Redis, not from this machine */
	bool is_doubted; /* Redis' clock has jumped away from the own time */
};

void redis_clock_init(struct redis_clock *c, uint64_t patience_ms);

/* Milliseconds since 1970 UTC, by the own time. */
int64_t redis_clock_now_ms(const struct redis_clock *c);
/* How far Redis' clock is ahead of the own time, for others to know; 0 where it is believed, or nothing is known. */
int64_t redis_clock_ahead_ms(const struct redis_clock *c);

/* Redis said that its time is redis_ms, to a question that was asked at asked_at (clock_boot_ms()). Returns whether a jump
 * came to light. */
bool redis_clock_hear(struct redis_clock *c, uint64_t asked_at, int64_t redis_ms);

#endif
