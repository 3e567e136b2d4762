/* sentinel.h - asks Redis' Sentinels where the master is, and tells who wants to know when that changes.
 *
 * What it does  Has a link to each Sentinel that the address names, and asks all of them SENTINEL_ASK_MS apart. What counts is the
 *               answer with the highest configuration epoch: a Sentinel that was cut off from the others still names the old
 *               master, in an older epoch.
 * Ownership     One for a loop and an address, shared by all links to it: sentinel_join() makes or finds it, the last
 *               sentinel_leave() closes it. Its memory goes when the loop has run.
 * Errors        A Sentinel that cannot be reached is one voice less. That none knows the master is logged, with a remedy.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_SENTINEL_H
#define NEWSWIRE_WIRE_SENTINEL_H

#include <uv.h>
#include "base/base.h"

struct redis_place;
struct sentinel;
enum { SENTINEL_ASK_MS = 200 };

/* Who wants to know. The memory is his; it stays from join to leave. */
struct sentinel_ear {
	struct sentinel_ear *prev, *next; /* the sentinel's */
	void (*moved)(void *arg);	  /* the master is known, or is another one */
	void *arg;
};

/* place->master is there. NULL: out of memory. */
struct sentinel *sentinel_join(uv_loop_t *loop, const struct redis_place *place,
			       struct sentinel_ear *ear) MUST_USE;
void sentinel_leave(struct sentinel *s, struct sentinel_ear *ear);

/* The master's address: numeric, or a name if the Sentinels announce names. NULL: not known yet. Valid until moved() is called. */
const char *sentinel_master(const struct sentinel *s, int *port);

#endif
