/* batch.h - the items of one body: a JSON array, or lines of JSON (NDJSON).
 *
 * What it does  Finds where each item begins and ends, without decoding any: strings, escapes and
 *               nesting are minded, so that of valid JSON the pieces are exactly its elements. What
 *               stands inside a piece is for item_read() to judge, piece by piece.
 * Ownership     The pieces are places in the bytes that were split; batch_free() frees the list.
 * Bounds        BATCH_ITEMS_MAX items; one item more, and none is taken.
 * Threads       Any.
 */
#ifndef NEWSWIRE_NEWS_BATCH_H
#define NEWSWIRE_NEWS_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <newswire/protocol.h>
#include "base/base.h"

enum { BATCH_ITEMS_MAX = NEWSWIRE_MAX_BATCH_ITEMS };

/* What a body is, by its Content-Type. */
enum batch_form {
	BATCH_UNKNOWN, /* nothing that we take */
	BATCH_JSON,    /* one item, or an array of them */
	BATCH_LINES,   /* an item a line */
};
/* NULL or "": JSON. Parameters are ignored, but for a charset that is not UTF-8. */
enum batch_form batch_form_of(const char *content_type);
/* What is taken, for a sentence. */
#define BATCH_FORMS "application/json (or any +json), application/x-ndjson"

/* Does this JSON begin an array? */
bool batch_is_array(const char *bytes, size_t len);

struct batch_piece {
	size_t at, len; /* without the space around it */
};

/* Always true after batch_split() returned 0: 1 <= count <= BATCH_ITEMS_MAX; no piece is empty; they
 * are in order and do not overlap. */
struct batch {
	struct batch_piece *piece;
	size_t count;
};

enum batch_fault {
	BATCH_GOOD,
	BATCH_BROKEN, /* the array does not end, or has no item between two commas; *at says where */
	BATCH_EMPTY,  /* there is no item at all */
	BATCH_TOO_MANY, /* *at: how many */
	BATCH_NO_MEMORY,
};

/* Fills an empty batch; if it is not BATCH_GOOD, it stays empty. */
enum batch_fault batch_split(struct batch *batch, enum batch_form form, const char *bytes,
			     size_t len, size_t *at) MUST_USE;
void batch_free(struct batch *batch); /* an empty one too */

#endif
