/* ninjs.h - JSON of any ninjs generation, made ninjs 3.1.
 *
 * What it does  ninjs.c holds the tables: each property of 1.x, 2.x, 3.x and Superdesk's dialect,
 *               what it must be and what it becomes. ninjs_object.c reads an object by such a table,
 *               ninjs_value.c checks single values, ninjs_legacy.c turns old forms into new ones,
 *               ninjs_html.c cleans HTML, ninjs_write.c makes text of the result.
 * Private       edNote, contactInfo and annotations are never written, at whatever depth:
 *               ninjs_write() is the only way out.
 * Floor         For item.c only; jansson's types do not leave this floor.
 */
#ifndef NEWSWIRE_NEWS_NINJS_H
#define NEWSWIRE_NEWS_NINJS_H

#include <jansson.h>
#include "base/buf.h"
#include "news/item.h"

/* One reading of one item. */
struct ninjs {
	struct item_report *report;
	bool forgiving; /* a kill: faults of anything but uri, version and status are dropped */
	bool no_memory;
	int64_t embargo_ms; /* out: the latest of the item and all that it carries; 0 none */
};

/* Where a value stands; NULL is the document itself. */
struct place {
	const struct place *up;
	const char *key; /* NULL: an element of an array */
	size_t index;
};

/* Makes the item canonical; its tree is changed or taken apart. Returns a new reference, or NULL if
 * it is no object or memory is short. The caller looks at report->count: with faults the result is
 * not to be used. */
json_t *ninjs_read(json_t *item, struct ninjs *n);

/* Notes a fault at a place (up to ITEM_FAULTS_MAX), unless it is forgiven. `detail`
 * is a sentence. */
void ninjs_fault(struct ninjs *n, const struct place *at, enum item_refusal refusal,
		 const char *detail);

/* Appends the value as compact JSON in UTF-8, without private properties. */
void ninjs_write(const json_t *value, struct buf *out);
/* May a property of this name never reach a reader? */
bool ninjs_write_hides(const char *key, size_t len);

#endif
