/* tally.h - to how many readers of this worker each post was written, and the report of it to Redis.
 *
 * What it does  Keeps a tally for each of the last TALLIES posts that this worker told its readers.
 *               What changed is reported every TALLY_REPORT_MS, many posts in one call (report.lua),
 *               to the hash {prefix}:reach:<id>, a field for this worker. A post for nobody is reported
 *               as well: so whoever asks knows which workers have spoken.
 * Time          A report says how long ago the last write was, and the script takes that from Redis'
 *               clock: no clocks of two machines are compared. What the way to Redis takes is added.
 * Bounds        TALLIES of them. One that has to make room before it was reported is lost and counted.
 * Errors        A report that Redis did not take is made again.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_TALLY_H
#define NEWSWIRE_WIRE_TALLY_H

#include <stdint.h>
#include <uv.h>
#include "base/base.h"
#include "news/post.h"
#include "wire/link.h"

enum { TALLIES = 4096, TALLY_REPORT_MS = 200, TALLY_AGAIN_MS = 1000, TALLY_AT_ONCE = 250 };

struct tallies;

/* link is borrowed, and answers whoever waits on it before tallies_close(). keep_ms: how long Redis
 * keeps what is reported. NULL: out of memory. */
struct tallies *tallies_open(uv_loop_t *loop, struct link *link, const char *prefix,
			     uint64_t keep_ms) MUST_USE;
void tallies_close(struct tallies *t); /* accepts NULL */

/* The post is about to be told to readers; from now on it is counted (post->tally). */
void tallies_begin(struct tallies *t, struct post *post);
/* All posts begun before `owed` have been told, and may be reported; NULL: all of them. */
void tallies_told(struct tallies *t, const struct post *owed);
/* A post that is here already came by `out` as well. */
void tallies_hear(struct tallies *t, struct post *post);
/* So many readers more have the whole post since `when`, and so many more lagged when it went out. */
void tallies_add(struct tallies *t, const struct post *post, uint32_t readers, uint32_t behind,
		 uint64_t when_ms);

#endif
