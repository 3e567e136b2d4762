/* audience_own.h - what the files of this floor share: the structs behind audience.h. Nobody else includes it. */
#ifndef NEWSWIRE_AUDIENCE_OWN_H
#define NEWSWIRE_AUDIENCE_OWN_H

#include <stdlib.h>
#include <sys/queue.h>
#include "audience/audience.h"
#include "audience/listeners.h"
#include "base/buf.h"

/* A post that is being offered, and how it matched. */
struct pending {
	struct post *post;
	enum post_match match;
	uint32_t at;  /* which of its channels; 0 where the format names none */
	uint32_t due; /* it has been around when sweep.visits is this; counts over */
};

struct pendings {
	struct pending *at;
	uint32_t count, cap;
};

/* The posts that not everybody was offered yet, in wire order. */
struct owed {
	struct post **at; /* each holds a reference */
	uint32_t from, count, cap;
	size_t bytes; /* of their texts */
};

/* The way around the live members, from the last to the first and over again. What was taken into the
 * block is offered to all of them once, wherever the sweep was when it was taken in. While it lasts nobody
 * joins, and who leaves leaves a hole. */
struct sweep {
	uint32_t slots;	      /* members and holes */
	uint32_t at;	      /* the slot that was visited last */
	uint32_t visits;      /* slots that were visited; counts over */
	uint32_t first, upto; /* of `tick`: what is in the block, until it has been around */
	uint32_t holes;
	uint32_t turn_ends; /* the visit after which others may have a turn */
	bool on;
};

/* Always true: live[i]->index == i for i < live_count, but where a sweep has holes; refs >= live_count + lagging. */
struct audience {
	/* Of the set's ops, the one for its members: some have asked for flashes before their turn. */
	void (*offer)(struct audience_member *member, const struct audience_block *block);
	struct audiences *set;
	char *key;
	struct subscription *subscription;
	struct listeners_place *places; /* in the index */
	enum format format;
	unsigned refs;
	struct audience_member **live;
	uint32_t live_count, live_cap;
	uint32_t lagging;     /* readers of it that are behind */
	struct pendings tick; /* each holds a reference on its post */
	struct sweep sweep;
	struct wire_id offered; /* in pass `pass`: the last post that has been around */
	uint64_t pass;
	uint64_t looked; /* set->serial of the last post: one with several channels is matched once
			  */
	TAILQ_ENTRY(audience) turn; /* in set->dirty */
	bool is_dirty;
	bool by_channel; /* the format names the channel: a post is pending once for each that it matches */
	bool is_coded; /* its frames may be compressed */
	bool torn; /* memory was short: its members are told to catch up after what is in the block */
	struct census_entry census;
	UT_hash_handle hh;
};

struct audiences {
	const struct audience_ops *ops;
	struct audience *by_key;
	struct listeners_index index;
	struct census census;
	TAILQ_HEAD(, audience) dirty; /* those with something to offer, by turn */
	uint64_t pass;		      /* counts the times when nothing was left to offer */
	struct wire_id flushed;	      /* the wire's head at that time */
	uint64_t serial;	      /* counts posts, for audience->looked */
	struct wire_id heard;	      /* the last post */
	struct owed owed;
	struct buf block; /* the joined frames being offered; has room for AUDIENCE_BLOCK_MAX */
	struct pendings joined; /* what `block` is made of, to use it again for the next audience */
	enum format joined_format;
	uint64_t now_ms; /* the clock, as it was … */
	uint64_t since;	 /* … so many offers ago */
};

/* Room for one more in a growing array. 0, or -1 out of memory. */
static inline int audience_grow(void **at, uint32_t count, uint32_t *cap, size_t size)
{
	uint32_t more = *cap == 0 ? 4 : *cap * 2;
	void *moved;

	if (count < *cap)
		return 0;
	if ((moved = realloc(*at, more * size)) == NULL)
		return -1;
	*at = moved;
	*cap = more;
	return 0;
}

/* The audience owes nothing any more, or there is nobody left to offer it to. */
void audience_rest(struct audience *a);
/* What the posts that are owed hold of `o` is given back. */
void owed_free(struct owed *o);

#endif
