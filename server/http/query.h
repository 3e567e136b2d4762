/* query.h - what stands behind the `?` of a request, decoded. */
#ifndef NEWSWIRE_HTTP_QUERY_H
#define NEWSWIRE_HTTP_QUERY_H

#include <libwebsockets.h>
#include "base/base.h"
#include "base/buf.h"
#include "news/subscription.h"

enum query_name {
	QUERY_CHANNELS,
	QUERY_CLASS,
	QUERY_LANG,
	QUERY_TYPE,
	QUERY_VIEW,
	QUERY_AHEAD,
	QUERY_SINCE,
	QUERY_LAST_EVENT_ID,
	QUERY_LIMIT,
	QUERY_BEFORE,
	QUERY_URI,
	QUERY_WHO,
	QUERY_WHAT,
	QUERY_REASON,
	QUERY_PREFIX,
	QUERY_AFTER,
	QUERY_READERS,
	QUERY_COUNT
};

/* {0} is an empty one. Names that are not in the list are ignored; one that is given twice is a
 * list. */
struct query {
	struct buf value[QUERY_COUNT]; /* NUL-terminated where given */
	struct buf faulty; /* name of a value that holds a NUL or is too long, or empty */
};

/* Reads them from a request whose headers libwebsockets still has. 0; -1 out of memory or a
 * faulty one. */
int query_read(struct query *q, struct lws *wsi) MUST_USE;
void query_free(struct query *q);
/* NULL if it was not given. */
const char *query_get(const struct query *q, enum query_name name);
/* What a reader asks for with it, but for channels, which may stand elsewhere too. NULL and *fault: it makes no sense. */
struct subscription *query_subscription(const struct query *q, const char *channels,
					struct subscription_fault *fault) MUST_USE;
/* A number from 1 to most; preset where none is given; 0: it makes no sense. */
unsigned query_number(const struct query *q, enum query_name name, unsigned preset, unsigned most);
/* `limit`, 1-100; 20 where none is given; 0: it makes no sense. */
unsigned query_limit(const struct query *q);

#endif
