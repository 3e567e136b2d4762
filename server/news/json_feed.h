/* json_feed.h - the news as JSON Feed 1.1 (jsonfeed.org), for feed readers and other programs. */
#ifndef NEWSWIRE_NEWS_JSON_FEED_H
#define NEWSWIRE_NEWS_JSON_FEED_H

#include "news/feed.h"

/* The ETag is of all but the cursor of the stream, which moves with every post anywhere. Memory that
 * ran short shows in out->failed. */
void json_feed_write(const struct feed *feed, const struct feed_about *about, struct buf *out,
		     char etag[FEED_ETAG_SIZE]);

#endif
