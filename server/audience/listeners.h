/* listeners.h - the index from channels, and from prefixes of channels, to the audiences that named them.
 *
 * What it does  A post finds its audiences by the names of its channels: one look-up for each, and one more for each length
 *               that a prefix of its kind has by now, however many prefixes there are.
 * Ownership     Borrows the audiences; whoever entered one calls listeners_leave() before it is freed.
 * Errors        0 is success; -1 is out of memory, and nothing changed.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_AUDIENCE_LISTENERS_H
#define NEWSWIRE_AUDIENCE_LISTENERS_H

#include <stddef.h>
#include <stdint.h>
#include <xxhash.h>
/* Every post asks for each of its channels: uthash's own function takes longer. */
#define HASH_FUNCTION(key, len, hash) ((hash) = (unsigned)XXH3_64bits(key, len))
#include "base/base.h"
#include "base/hash.h"
#include "news/subscription.h"

struct audience;
struct listeners;

/* Where an audience stands under one of its names, so that it leaves without being looked for. */
struct listeners_place {
	struct listeners *among;
	uint32_t at;
};

struct listener {
	struct audience *audience;
	struct listeners_place *place; /* its own: at == the index here */
};

/* The audiences that named one channel, or one prefix. In no order, and never empty between two calls. */
struct listeners {
	struct listener *at;
	uint32_t count, cap;
	UT_hash_handle hh;
	uint8_t len;
	char name[CHANNEL_READABLE_MAX + 1];
};

/* {0} is an empty one, and needs no end once everybody has left. */
struct listeners_index {
	struct listeners *by_name;
	struct listeners *by_prefix;
	/* How many prefixes are so long: of plain names, and of derived ones. */
	uint32_t lengths[2][CHANNEL_READABLE_MAX + 1];
};

/* Enters it under all names and prefixes of the subscription, and returns where; listeners_leave() frees that. NULL: out of
 * memory, and nothing changed. */
struct listeners_place *listeners_enter(struct listeners_index *index, struct audience *audience,
					const struct subscription *s) MUST_USE;
void listeners_leave(struct listeners_index *index, struct listeners_place *places,
		     const struct subscription *s);

/* Who named this channel; NULL: nobody. */
static inline const struct listeners *listeners_of(const struct listeners_index *index,
						   const char *channel)
{
	const struct listeners *l;

	HASH_FIND_STR(index->by_name, channel, l);
	return l;
}

/* Who named a prefix of it that is longer than *len characters; NULL: nobody. *len is moved on: it begins with 0. */
const struct listeners *listeners_next(const struct listeners_index *index, const char *channel,
				       size_t *len);

#endif
