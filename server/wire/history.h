/* history.h - posts older than the backlog, read from Redis once for all who ask.
 *
 * What it does  Pages of the stream with their bodies (read.lua: at most HISTORY_PAGE_POSTS or
 *               HISTORY_PAGE_BYTES a page). A page covers the ids (from, to]. One page is read at a
 *               time, for the oldest place that is asked for; all who asked for a place inside it
 *               get it. HISTORY_PAGES are kept, the least used goes first; a new epoch or a lost
 *               link drops all. Kills and holds blank posts in pages (history_hear), also in those
 *               on their way.
 * Ownership     Pages belong to history and are borrowed for the length of a call; who wants a post
 *               for longer holds that.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_HISTORY_H
#define NEWSWIRE_WIRE_HISTORY_H

#include <stddef.h>
#include "base/base.h"
#include "news/post.h"
#include "wire/wire.h"

struct history;
enum { HISTORY_PAGE_POSTS = 500, HISTORY_PAGE_BYTES = 1 << 20, HISTORY_PAGES = 8 };

struct history_page {
	unsigned refs;		 /* history's own */
	uint64_t used;		 /* history's own */
	struct wire_id from, to; /* every post of the wire with from < id <= to is here */
	size_t count;
	struct post **posts;
};

enum history_answer {
	HISTORY_PAGE, /* *page, borrowed for the length of the call */
	HISTORY_GONE, /* below the floor, or no entry has this id: a gap */
	HISTORY_AWAY, /* Redis is not there: ask again later */
};
typedef void history_cb(enum history_answer answer, struct history_page *page, void *arg);

struct history *history_new(struct wire *wire) MUST_USE;
void history_free(struct history *h); /* accepts NULL; waiting callbacks get HISTORY_AWAY */

/* A page that holds the posts right after `after`, if it is in memory and knows that id.
 * Borrowed; NULL if not. */
struct history_page *history_find(struct history *h, struct wire_id after);
/* Asks for it. cb is called later, once, never from inside the call. 0, or -1 out of memory. */
int history_ask(struct history *h, struct wire_id after, history_cb *cb, void *arg) MUST_USE;
/* Whoever asked with this arg does not want to know any more (a reader that went away).
 * O(waiting). */
void history_forget(struct history *h, void *arg);
/* Tell it of every post of the wire: kills and holds blank pages. */
void history_hear(struct history *h, const struct post *post);
void history_drop_all(struct history *h);

#endif
