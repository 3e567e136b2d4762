/* arena.h - memory for one piece of work, given back all at once.
 *
 * Ownership     The holder of the struct owns all that was taken from it; {.most = N} is an empty
 *               one that takes at most N bytes. Nothing is given back singly.
 * Lifetime      What was taken lasts until arena_reset() (which keeps one chunk for the next piece
 *               of work) or arena_free().
 * Errors        NULL: no memory, or more than `most` (then `over` is true).
 * Sanitizers    Each taking is an allocation of its own where a sanitizer looks on.
 */
#ifndef NEWSWIRE_BASE_ARENA_H
#define NEWSWIRE_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include "base/base.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_IS_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_IS_WATCHED 1
#endif
#endif
#ifndef ARENA_IS_WATCHED
#define ARENA_IS_WATCHED 0
#endif

struct arena_chunk;

struct arena {
	size_t most;		    /* bytes of all chunks */
	struct arena_chunk *chunks; /* the newest first */
	char *at;		    /* free from here … */
	size_t left;		    /* … this far */
	size_t taken;		    /* bytes of all chunks */
	bool over;		    /* something was refused because of `most` */
};

enum { ARENA_ALIGNMENT = 16 };

/* arena_take() where the chunk is full. */
void *arena_take_more(struct arena *arena, size_t size) MUST_USE;
/* Aligned for any type; its bytes are not set. */
static inline void *arena_take(struct arena *arena, size_t size)
{
	size_t room = (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
	char *bytes = arena->at;

	if (size == 0 || size > arena->left || room > arena->left)
		return arena_take_more(arena, size);
	arena->at += room;
	arena->left -= room;
	return bytes;
}
/* Zeroes what was taken and not yet given back. */
void arena_wipe(struct arena *arena);
void arena_reset(struct arena *arena);
void arena_free(struct arena *arena);

#endif
