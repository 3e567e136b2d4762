/* fronting.h - GET /: the reader page, with the newest stories in it.
 *
 * What it does  Puts news/front.h's articles and data into clients/web/page/index.html, where its comments `<!--stories-->`,
 *               `<!--json-ld-->` and `<!--older-->` stand, so that the news can be read before, or without, any script. What
 *               the store cannot tell now is left out: the page's script says why, and goes on trying.
 * The copy      The page of those who ask for nothing in particular, nearly everybody, is kept for a second, or until
 *               anything happens on the wire: a flash's crowd is one question to Redis, and a kill ends it at once.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_HTTP_FRONTING_H
#define NEWSWIRE_HTTP_FRONTING_H

#include "http/request.h"

void fronting_begin(struct request *r);
/* Gives the copy's memory back: the door closes. */
void fronting_forget(void);

#endif
