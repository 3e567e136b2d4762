/* feed_about.h - what a document of news says of itself: its title, and addresses as the outside knows them. */
#ifndef NEWSWIRE_HTTP_FEED_ABOUT_H
#define NEWSWIRE_HTTP_FEED_ABOUT_H

#include "http/request.h"
#include "news/feed.h"

/* The texts of a feed_about, each NUL-terminated where it is not empty. */
struct about {
	struct buf title, site, self, next, id;
	struct feed_about said;
};

/* The last part of the path, behind its slash. */
const char *feed_about_name(const struct request *r);
/* The channels of the path and of the query together, NUL-terminated. Lists have commas. */
void feed_about_channels(const struct request *r, struct buf *out);
/* Fills an empty one for the page that `r` asked for. 0, or -1: out of memory. feed_about_free() in any case. */
int feed_about_write(const struct request *r, const struct feed *feed, struct about *a) MUST_USE;
void feed_about_free(struct about *a);

#endif
