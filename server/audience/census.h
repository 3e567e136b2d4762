/* census.h - how many readers each channel has on this worker, and which audiences want to know how many it has everywhere.
 *
 * What it does  An audience knows how many readers it holds, and its subscription names its channels: so a channel's readers
 *               are a sum over audiences, never over readers. A reader that comes or goes costs a number and a place in a list,
 *               and so does an audience; census_take() adds up, once a second, only what changed.
 * Asking        Audiences whose subscription asks for `readers` become late when a channel of theirs is heard to have another
 *               number, and wait in order to be told.
 * Ownership     An entry lies in its audience, between census_enter() and census_leave(); it borrows the subscription.
 * Bounds        A row for each name that an audience has: never more than the subscriptions hold.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_AUDIENCE_CENSUS_H
#define NEWSWIRE_AUDIENCE_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/base.h"
#include "news/subscription.h"

enum { CENSUS_NAME_MAX = CHANNEL_READABLE_MAX + 1 }; /* a prefix has its `*` */

struct census_row;
struct census_place;

/* One audience. Always true: changed <=> it is in census->changed; late <=> it is in census->late. */
struct census_entry {
	const struct subscription *subscription;
	struct census_place
		*places;  /* a row for each of its channels; NULL: no census has seen it yet */
	uint32_t readers; /* now, live or lagging */
	uint32_t counted; /* of them, what its rows know */
	bool changed, late;
	uint64_t told; /* hash of the numbers that its readers were told last; for who tells them */
	struct census_entry *prev, *next;
	struct census_entry *prev_late, *next_late;
};

/* {0} is an empty one. */
struct census {
	struct census_row *rows; /* by name */
	struct census_row *changed_rows;
	struct census_entry *changed;
	struct census_entry *late; /* the first has waited longest */
	size_t late_count;
};

void census_free(struct census *c); /* every entry must have left */

void census_enter(struct census_entry *e, const struct subscription *subscription);
/* Its readers are gone with it. */
void census_leave(struct census *c, struct census_entry *e);

void census_note(struct census *c, struct census_entry *e); /* census_add()'s own */
/* So many readers more, or less. */
static inline void census_add(struct census *c, struct census_entry *e, int more)
{
	e->readers += (uint32_t)more;
	if (!e->changed)
		census_note(c, e);
}

/* Tells each channel that may have another number of readers than when this was called last; the rest the next time, if memory is
 * short. `tell` must not call this header. */
typedef void census_cb(void *arg, const char *channel, uint32_t readers);
void census_take(struct census *c, census_cb *tell, void *arg);

/* The channel has another number of readers everywhere: who asked is late. */
void census_heard(struct census *c, const char *channel);
/* This one is late. */
void census_ask(struct census *c, struct census_entry *e);
/* Who waits longest to be told, taken out; NULL: nobody. */
struct census_entry *census_next_late(struct census *c);

#endif
