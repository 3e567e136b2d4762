/* cors.h - what pages of other origins may do with this server (Fetch standard, CORS).
 *
 * Policy        Whatever is for every reader may be read by every page. The rest takes a key, which a
 *               browser never sends by itself; all the same only pages of --cors-origin may try, so
 *               that no other page can use its visitors to guess keys, or to post from inside a network.
 */
#ifndef NEWSWIRE_HTTP_CORS_H
#define NEWSWIRE_HTTP_CORS_H

#include <stdbool.h>
#include "http/request.h"

/* Sets r->cors, the headers that tell the browser whether the page may see the answer. shared: the
 * methods of this address that are for every page. */
void cors_begin(struct request *r, unsigned shared);
/* Answers OPTIONS: 204, what the address can, and what the page may do with it. */
void cors_answer_preflight(struct request *r, unsigned methods, unsigned shared);
/* Appends the methods, with commas. */
void cors_add_methods(struct buf *out, unsigned methods);

#endif
