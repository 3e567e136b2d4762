/* feed.h - a page of the news, newest first, and what it can be written as.
 *
 * What it does  Holds what the shelf read in one atomic look; writes it as newswire's own JSON
 *               (feed_write), as JSON Feed (json_feed.h) or as Atom (atom.h).
 * Ownership     Whoever fills a feed owns it. Writers only read.
 * ETag          Each writer says what it is of: all that a reader would want to fetch anew for.
 */
#ifndef NEWSWIRE_NEWS_FEED_H
#define NEWSWIRE_NEWS_FEED_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "news/cursor.h"
#include "news/post.h"

enum { FEED_ETAG_SIZE = 36 };

struct feed_entry {
	struct post post;     /* without a place; its texts are borrowed, its channels are ours */
	int64_t published_ms; /* when readers could first see the story, by Redis' clock */
	int64_t updated_ms;   /* when they could see this version */
};

struct feed {
	struct cursor cursor; /* where the stream goes on */
	const char *before;   /* where the next page goes on; NULL: there is none */
	size_t count;
	struct feed_entry *entries;
};

/* Addresses that a feed for other programs says of itself: absolute URLs; NULL where we do not know
 * what we are called. */
struct feed_about {
	const char *title;
	const char *site; /* ends in a slash */
	const char *self;
	const char *next;
	const char *id; /* what names this feed for ever: an IRI, never NULL */
};

/* A strong ETag of some bytes, with its quotes. */
void feed_etag(const char *bytes, size_t len, char etag[FEED_ETAG_SIZE]);

/* `{"items":[…],"cursor":"…","before":"…"}`. The ETag is of the items only. */
void feed_write(const struct feed *feed, enum format_view view, struct buf *out,
		char etag[FEED_ETAG_SIZE]);

#endif
