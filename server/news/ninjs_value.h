/* ninjs_value.h - single values of ninjs: what each must be. All are `read` functions of rows
 * (ninjs_object.h). */
#ifndef NEWSWIRE_NEWS_NINJS_VALUE_H
#define NEWSWIRE_NEWS_NINJS_VALUE_H

#include "news/ninjs_object.h"

#define NINJS_READ(name) \
	json_t *ninjs_value_##name(struct ninjs *n, const struct place *at, const struct row *row, \
				   json_t *value)

NINJS_READ(any);
NINJS_READ(string);
NINJS_READ(number);
NINJS_READ(uri);     /* not empty, not long, no control characters */
NINJS_READ(version); /* a string, or an integer, which becomes one */
NINJS_READ(code);    /* the same, for codes of vocabularies */
NINJS_READ(time);    /* RFC 3339 in UTC where it can be read as a time, as it is where not */
NINJS_READ(expiry);  /* must be a time */
NINJS_READ(embargo); /* must be a time; the latest is kept in n->embargo_ms */
NINJS_READ(status);
NINJS_READ(type);
NINJS_READ(representation);
NINJS_READ(urgency);

#endif
