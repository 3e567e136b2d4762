/* ninjs_legacy.h - what becomes of old forms. Most are `merge` functions of tables
 * (ninjs_object.h).
 *
 * What a newer generation says in its own form wins: an old one is merged only where the new name
 * is free.
 */
#ifndef NEWSWIRE_NEWS_NINJS_LEGACY_H
#define NEWSWIRE_NEWS_NINJS_LEGACY_H

#include "news/ninjs_object.h"

#define NINJS_MERGE(name) \
	void ninjs_legacy_##name(struct ninjs *n, struct rebuild *r, const char *key, json_t *value)

NINJS_MERGE(headline);	  /* headline, headline_<role> */
NINJS_MERGE(description); /* description_<role or format> */
NINJS_MERGE(body);	  /* body_<role or format>; a picture's is its alt text */
NINJS_MERGE(later);	  /* charcount, wordcount: ninjs_legacy_finish_item() sees to it */
NINJS_MERGE(embargo);	  /* of several embargoes the latest */
NINJS_MERGE(source);	  /* Superdesk's source: an infoSource */
NINJS_MERGE(authors);	  /* Superdesk's authors, made associations by now */
NINJS_MERGE(code);	  /* scheme and code: uri and literal; a scheme that is no uri stays */
NINJS_MERGE(trust_code);  /* scheme and code of a trust indicator: its role */

/* One of Superdesk's authors as an association of rel author, not yet checked. Returns a new
 * reference. */
json_t *ninjs_legacy_author(struct ninjs *n, json_t *author);
/* An object by kind of id becomes an array of role and value. Returns a new reference. */
json_t *ninjs_legacy_alt_ids(struct ninjs *n, json_t *ids);

/* The counts of the first body; the credit of a nested picture that names only its source. */
void ninjs_legacy_finish_item(struct ninjs *n, struct rebuild *r);

#endif
