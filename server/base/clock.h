/* clock.h - the time: a monotonic one to compare, a wall one to show.
 *
 * Whatever is compared or waited for uses clock_mono_*; a test may drive it by
 * clock_set_for_test(). Wall time is only shown, or read from items.
 * Threads       Any.
 */
#ifndef NEWSWIRE_BASE_CLOCK_H
#define NEWSWIRE_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds and nanoseconds of CLOCK_MONOTONIC (or of the test's clock). */
uint64_t clock_mono_ms(void);
uint64_t clock_mono_ns(void);
/* The same, and it goes on while the machine sleeps (CLOCK_BOOTTIME). */
uint64_t clock_boot_ms(void);

/* Milliseconds since 1970 UTC, CLOCK_REALTIME (or of the test's clock). */
int64_t clock_wall_ms(void);

/* From now on both clocks stand at these values until set again; clock_real_for_test() undoes it. */
void clock_set_for_test(uint64_t mono_ms, int64_t wall_ms);
void clock_real_for_test(void);

enum { CLOCK_TEXT_MAX = 32 };
/* Writes `2026-01-10T11:02:07Z`, or `…:07.123Z` with_ms. Returns the length. out holds
 * CLOCK_TEXT_MAX bytes. */
size_t clock_format(int64_t wall_ms, bool with_ms, char *out);

/* Reads RFC 3339 and ISO 8601 as newsrooms write it: `Z`, `+00:00`, `+0000`, `+00`, with or
 * without fractions of any length, `T` or a space, seconds optional. A time without zone is UTC.
 * Returns 0, or -1 if the text is no time (month 13, 30 February, trailing text …). */
int clock_parse(const char *text, size_t len, int64_t *wall_ms);

#endif
