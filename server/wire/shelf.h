/* shelf.h - snapshots: the feed of a subscription and single items, read from Redis.
 *
 * One atomic script each (feed.lua, item.lua), so that the cursor belongs exactly to the items beside it.
 * A kill that reached this worker after Redis answered wins: wire_is_withdrawn().
 */
#ifndef NEWSWIRE_WIRE_SHELF_H
#define NEWSWIRE_WIRE_SHELF_H

#include <stddef.h>
#include "base/base.h"
#include "base/buf.h"
#include "news/feed.h"
#include "news/subscription.h"
#include "wire/wire.h"

enum shelf_answer {
	SHELF_OK,	  /* here it is */
	SHELF_MISSING,	  /* no such item */
	SHELF_KILLED,	  /* body: the kill message (HTTP 410) */
	SHELF_BAD_BEFORE, /* `before` makes no sense */
	SHELF_AWAY,	  /* Redis is not there (HTTP 503) */
};

/* The most bytes of items on one page; at least one item is on it. A document for other programs is
 * made of every item's insides, on the loop that serves readers, and so is a brief page: they get fewer. */
enum { SHELF_FEED_BYTES = 4 << 20, SHELF_DOCUMENT_BYTES = 1 << 20 };

/* feed is borrowed for the length of the call; NULL unless the answer is SHELF_OK. */
typedef void shelf_feed_cb(enum shelf_answer answer, const struct feed *feed, void *arg);
/* body and etag (quoted, strong; "" if none) are borrowed for the length of the call. */
typedef void shelf_item_cb(enum shelf_answer answer, const struct buf *body, const char *etag,
			   void *arg);

/* Newest first, at most limit (1-100) items that match s. before: token of an earlier answer or
 * NULL. cb is called later, once. 0, or -1: not READY or out of memory (cb is not called). */
int shelf_feed(struct wire *wire, const struct subscription *s, unsigned limit, size_t max_bytes,
	       const char *before, shelf_feed_cb *cb, void *arg) MUST_USE;
/* One item by uri. */
int shelf_item(struct wire *wire, const char *uri, shelf_item_cb *cb, void *arg) MUST_USE;

#endif
