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
	uint32_t at;   /* which of its channels; 0 where the format names none */
	uint32_t due;  /* it has been around when sweep.visits is this; counts over */
	uint32_t len;  /* of its frame */
	uint8_t match; /* enum post_match */
	bool is_last;  /* no other row of the audience is told of it after this one */
};

struct pendings {
	struct pending *at;
	uint32_t count, cap;
};

/* The posts that not everybody was offered yet, in wire order. */
struct owed {
	struct post **at; /* each holds a reference */
	uint32_t from, count, cap;
	size_t bytes;	   /* of their texts */
	uint64_t added_up; /* … which were added up when set->serial was this */
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

/* Who is offered a post first, and who after them. */
enum { ROW_FRONT, ROW_BACK, AUDIENCE_ROWS };

/* Members of an audience who are served together. Always true: live[i]->index == i for i < live_count, but where a sweep
 * has holes. */
struct row {
	struct audience *audience;
	struct audience_member **live;
	uint32_t live_count, live_cap;
	struct pendings tick; /* each holds a reference on its post */
	struct sweep sweep;
	struct wire_id offered; /* of a dirty one: the last post that has been around */
	uint32_t told;	 /* bytes that were offered to whoever was live all the time; counts over */
	uint32_t looked; /* `told` when it was last looked for members that move up */
	TAILQ_ENTRY(row) turn; /* in set->dirty */
	bool is_dirty;
	bool is_back;
	bool torn; /* memory was short: its members are told to catch up after what is in the block */
};

/* Always true: refs >= live_count of its rows + lagging. */
struct audience {
	/* Of the set's ops, the one for its members: some have asked for flashes before their turn. */
	void (*offer)(struct audience_member *member, const struct audience_block *block);
	struct audiences *set;
	char *key;
	struct subscription *subscription;
	struct listeners_place *places; /* in the index */
	enum format format;
	unsigned refs;
	struct row rows[AUDIENCE_ROWS];
	uint32_t lagging;  /* readers of it that are behind */
	uint32_t arriving; /* … of which so many wait at the head for their row */
	uint64_t looked; /* set->serial of the last post: one with several channels is matched once
			  */
	bool by_channel; /* the format names the channel: a post is pending once for each that it matches */
	bool is_coded;	/* its frames may be compressed */
	bool uncounted; /* its reader is the server's own, which counts as nobody */
	struct census_entry census;
	UT_hash_handle hh;
};

TAILQ_HEAD(row_queue, row);

struct audiences {
	const struct audience_ops *ops;
	struct audience *by_key;
	size_t names, names_max; /* channels and prefixes, of every audience */
	struct listeners_index index;
	struct census census;
	struct row_queue dirty[AUDIENCE_ROWS]; /* those with something to offer, by turn */
	uint32_t in_front;		       /* live in a front row, of whoever counts */
	uint32_t
		ahead; /* slices to the front while a back row waited, less half of what that got */
	uint64_t serial;      /* counts posts, for audience->looked */
	struct wire_id heard; /* the last post: who owes nothing has offered everything up to it */
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

/* The row owes nothing any more, or there is nobody left to offer it to. */
void row_rest(struct row *row);
/* All that it owes goes out at once. */
void row_pay(struct row *row);
/* Some members have been written enough: they change to the front. */
void row_move_up(struct row *back);
/* Its members have not shown that they read, and others have. */
static inline bool row_can_wait(const struct row *row)
{
	return row->is_back && row->audience->set->in_front > 0;
}

/* Its live members. */
static inline uint32_t row_live(const struct row *row)
{
	return row->live_count - row->sweep.holes;
}

/* What the posts that are owed hold of `o` is given back. */
void owed_free(struct owed *o);

#endif
