/* site.h - what the outside calls this server: the beginning of absolute URLs. */
#ifndef NEWSWIRE_HTTP_SITE_H
#define NEWSWIRE_HTTP_SITE_H

#include "http/request.h"

/* Appends --public-url, or `http://` and the request's Host where that looks like one, with a slash at
 * the end. Nothing where neither is there. */
void site_add(const struct request *r, struct buf *out);

#endif
