/* counters.h - what happened, counted; one page of shared memory per process.
 *
 * What it does  One table (counters.def) names every metric: a row is name, type, labels, what it
 *               means, and what to do about it. A worker adds to its own page without locks; any
 *               process of the node reads all pages and sums, or takes the least of what was said (rows LEAST).
 * Ownership     The supervisor maps the pages before it forks (counters_map) and they live as long
 *               as it does.
 * Threads       Each page has one writer; readers may see a counter a moment late.
 *
 *     COUNT(READERS_OPENED);   COUNT_ADD(BYTES_SENT, n);   GAUGE_SET(BACKLOG_BYTES, n);   OBSERVE_US(FANOUT, us);
 *     LEAST_SET(BACKLOG_SPAN, n);   LEAST_UNSET(BACKLOG_SPAN);
 */
#ifndef NEWSWIRE_BASE_COUNTERS_H
#define NEWSWIRE_BASE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>
#include <newswire/protocol.h>
#include "base/buf.h"

#ifndef NEWSWIRE_VERSION
#define NEWSWIRE_VERSION "0"
#endif

enum counter_id {
#define COUNTER(id, name, labels, type, help, remedy) COUNTER_##id,
#include "base/counters.def"
	COUNTER_COUNT
};

enum histogram_id {
#define HISTOGRAM(id, name, help, remedy) HISTOGRAM_##id,
#include "base/counters.def"
	HISTOGRAM_COUNT
};

/* The buckets of every histogram, from 250 us to 10 s, and one for what took longer. */
enum { HISTOGRAM_BUCKETS = 15 };

/* How often a duration fell into each bucket (not into those below), and all of them together. */
struct histogram {
	uint64_t count[HISTOGRAM_BUCKETS + 1];
	uint64_t sum_us;
};

/* One process's page. Padded to whole pages by counters_map(). */
struct counters_page {
	uint64_t value
		[COUNTER_COUNT]; /* of a row LEAST: one more than what was said; 0: nothing was */
	struct histogram histogram[HISTOGRAM_COUNT];
	uint64_t
		beat_ms; /* when the process last showed that it lives (clock_mono_ms); 0: never yet */
};

/* Maps `pages` zeroed pages, shared with children forked later. Returns NULL if memory is short. */
struct counters_page *counters_map(size_t pages);

/* Page i of what counters_map returned. */
struct counters_page *counters_page_at(struct counters_page *first, size_t i);

/* From now on this process counts on `page` (before the first call: on a private static one). Its
 * gauges become 0: what a predecessor on this page held is gone. */
void counters_use(struct counters_page *page);

/* Gauges of a process that has ended become 0, and so does its beat. */
void counters_forget(struct counters_page *page);

/* Shows that this process lives, and when another did so. */
void counters_beat(void);
uint64_t counters_beat_of(const struct counters_page *page);

extern struct counters_page *counters_mine; /* written by counters_use() only */

#define COUNT(id)	 (counters_mine->value[COUNTER_##id]++)
#define COUNT_ADD(id, n) (counters_mine->value[COUNTER_##id] += (uint64_t)(n))
#define GAUGE_SET(id, n) (counters_mine->value[COUNTER_##id] = (uint64_t)(n))
#define COUNTER_GET(id)	 (counters_mine->value[COUNTER_##id])

/* A row LEAST: what this process says, and that it says nothing (any more). */
#define LEAST_SET(id, n) counters_say(COUNTER_##id, (uint64_t)(n))
#define LEAST_UNSET(id)	 counters_unsay(COUNTER_##id)
void counters_say(enum counter_id id, uint64_t n);
void counters_unsay(enum counter_id id);

#define OBSERVE_US(id, us) counters_observe(HISTOGRAM_##id, us)

/* Something of this kind took so many microseconds. */
void counters_observe(enum histogram_id id, uint64_t us);

/* One row of all pages together: the sum, or (a row LEAST) the least that was said; 0 if nothing was. */
uint64_t counters_sum(const struct counters_page *first, size_t pages, enum counter_id id);
uint64_t counters_least(const struct counters_page *first, size_t pages, enum counter_id id);

/* Appends all pages, taken together, as Prometheus text exposition format 0.0.4 (HELP, TYPE, one line per
 * row; rows of one name stand together). */
void counters_write(const struct counters_page *first, size_t pages, struct buf *out);

#endif
