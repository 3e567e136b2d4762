/* presence.h - how many readers each channel has, over all workers and nodes: told to Redis, and heard from it.
 *
 * What it does  This worker's numbers go to Redis at most once a second, and only those that changed; the same call (presence.lua)
 *               brings the totals that changed, whoever changed them. Redis takes away the readers of a worker that has
 *               said nothing for PRESENCE_LEASE_MS, and says on `<prefix>:channels` which channels are occupied and vacated.
 * Anew          After a lost connection, or when Redis does not know this worker any more, all is told and heard
 *               anew, under a new name; the old one's numbers are taken away.
 * Bounds        PRESENCE_CHANNELS of this worker's, and as many of all workers'. A channel that finds no room is not counted (a
 *               metric says so); it is tried again when its number changes.
 * Errors        Redis away: the totals stay as they were, and are no longer current.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_PRESENCE_H
#define NEWSWIRE_WIRE_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <newswire/protocol.h>
#include "base/base.h"
#include "base/buf.h"
#include "news/channel.h"
#include "wire/link.h"

enum {
	PRESENCE_CHANNELS = NEWSWIRE_MAX_COUNTED,
	PRESENCE_NAME_MAX = CHANNEL_READABLE_MAX + 1, /* a prefix that is read has its `*` */
	PRESENCE_LEASE_MS = 5000,
	PRESENCE_STEP = 250, /* channels in one call */
};

struct presence;

/* link and prefix are borrowed; link answers whoever waits on it before presence_close(). vacate_ms: how long a channel
 * stays without readers before it is said to be vacated. NULL: out of memory. */
struct presence *presence_open(struct link *link, const char *prefix, uint64_t vacate_ms) MUST_USE;
void presence_close(struct presence *p); /* accepts NULL */

/* A second has passed: tells and asks. */
void presence_second(struct presence *p);
/* The connection was lost. */
void presence_lost(struct presence *p);

/* So many readers of this worker have the channel. */
void presence_set(struct presence *p, const char *channel, uint32_t readers);

/* Have the totals been heard just now? */
bool presence_is_current(const struct presence *p);
uint64_t presence_total(const struct presence *p, const char *channel);
/* A channel whose total has changed since it was last taken. false: there is none. */
bool presence_take_change(struct presence *p, char channel[PRESENCE_NAME_MAX + 1]);

/* Appends a page of the channels that have readers, by name: {"channels":[{"channel":…,"readers":…},…],"after":…}. prefix and
 * after ("": none) narrow it; limit is at least 1. */
void presence_write(struct presence *p, const char *prefix, const char *after, unsigned limit,
		    struct buf *out);

#endif
