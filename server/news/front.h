/* front.h - the news as a browser shows it before, or without, any script: articles of HTML, and what they are for machines.
 *
 * What it does  front_write_stories() writes the same articles as clients/web/story/draw.js draws, which takes their place
 *               once the script runs; front_write_data() writes schema.org's LiveBlogPosting as JSON-LD.
 * Trusts        Bodies of HTML to be what html.h made of them, as everything does that reads the store. All else is text,
 *               and is escaped.
 * Errors        Memory that ran short shows in out->failed.
 */
#ifndef NEWSWIRE_NEWS_FRONT_H
#define NEWSWIRE_NEWS_FRONT_H

#include "news/feed.h"

/* Articles, newest first. */
void front_write_stories(const struct feed *feed, struct buf *out);
/* One object, which may stand inside a script element. */
void front_write_data(const struct feed *feed, const struct feed_about *about, struct buf *out);

#endif
