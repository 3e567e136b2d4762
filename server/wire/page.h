/* page.h - a stretch of the wire, as read.lua answers it.
 *
 * Ownership     A page points into the reply that it was read from.
 * Errors        An answer that makes no sense is -1, and has been logged with what to do about it.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_PAGE_H
#define NEWSWIRE_WIRE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/base.h"
#include "news/post.h"
#include "wire/link.h"

/* What every script of the wire answers first. */
struct page_place {
	char epoch[EPOCH_MAX + 1];
	struct wire_id head;
};

struct page {
	struct page_place place;
	struct wire_id floor;
	bool known; /* is there an entry, or the floor, where the page begins? */
	size_t count;
	struct redisReply **entries;
};

/* An entry: its place, and its post, which is NULL if it cannot be read (then counted and
 * logged). Foreign entries, which somebody else put there, have no place in the chain. The
 * caller drops the post. */
struct page_entry {
	struct wire_id id, prev;
	bool is_foreign;
	bool no_memory; /* it may be read another time: nobody may go on behind it */
	struct post *post;
};

/* Asks for what follows `after`. 0, or -1: not READY. */
int page_ask(struct link *link, const char *prefix, struct wire_id after, unsigned max_posts,
	     unsigned max_bytes, link_reply_cb *cb, void *arg) MUST_USE;
int page_read(const struct redisReply *reply, struct page *page) MUST_USE;
struct page_entry page_entry(const struct page *page, size_t i);

/* Calls a script: its KEYS[1] is the wire, ARGV[1] the braced prefix, argv (strings) the rest.
 * 0, or -1: not READY. */
int page_script(struct link *link, struct link_script *script, const char *prefix,
		link_reply_cb *cb, void *arg, int argc, const char *const *argv) MUST_USE;

/* Reads {epoch, head, …} of at least `elements` elements: 0, or -1. An error of Redis is logged
 * here. */
int page_read_place(const struct redisReply *reply, size_t elements,
		    struct page_place *place) MUST_USE;
/* An element of an array, as an id and as text ("" if it is none). */
int page_read_id(const struct redisReply *reply, size_t i, struct wire_id *id) MUST_USE;
const char *page_text(const struct redisReply *reply, size_t i);
/* No script of ours says this: it is logged. -1. */
int page_bad_answer(const char *what);

#endif
