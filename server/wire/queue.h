/* queue.h - posts that `out` brought and that cannot be told yet, in order, bounded.
 *
 * Ownership     Owns the posts in it.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_QUEUE_H
#define NEWSWIRE_WIRE_QUEUE_H

#include <stddef.h>
#include "base/base.h"
#include "news/post.h"

enum { QUEUE_POSTS = 1024, QUEUE_BYTES = 4 << 20 };

/* {0} is an empty one. */
struct queue {
	struct post *post[QUEUE_POSTS];
	size_t size[QUEUE_POSTS]; /* of each when it came: it may be blanked while it waits */
	size_t first, count;	  /* a ring */
	size_t bytes;
};

/* Takes the post. 0; or -1: it would run over, so everything was forgotten, this post too. */
int queue_add(struct queue *q, struct post *post) MUST_USE;
/* The i-th from the oldest. Borrowed. */
struct post *queue_at(const struct queue *q, size_t i);
/* The oldest, borrowed, or NULL. */
struct post *queue_first(const struct queue *q);
/* Takes the oldest out; the caller drops it. */
struct post *queue_take(struct queue *q);
/* Keeps only posts of this epoch (NULL: none). */
void queue_keep(struct queue *q, const char *epoch);

#endif
