/* atom.h - the news as Atom (RFC 4287), written by libxml2, which lives here and nowhere else.
 *
 * Well-formed whatever the items hold: characters that XML 1.0 does not have become U+FFFD.
 */
#ifndef NEWSWIRE_NEWS_ATOM_H
#define NEWSWIRE_NEWS_ATOM_H

#include "news/feed.h"

/* The ETag is of the whole document. Memory that ran short shows in out->failed. */
void atom_write(const struct feed *feed, const struct feed_about *about, struct buf *out,
		char etag[FEED_ETAG_SIZE]);

#endif
