/* cursor.h - a place on the wire: `<epoch>:<ms>-<seq>`.
 *
 * An id is Redis' stream id. A cursor adds the epoch: a name (1-16 of [a-z0-9]) for one unbroken history, so that
 * an id from before Redis lost data is never taken for a place after it.
 */
#ifndef NEWSWIRE_NEWS_CURSOR_H
#define NEWSWIRE_NEWS_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_id {
	uint64_t ms;
	uint64_t seq;
};

enum { EPOCH_MAX = 16, WIRE_ID_TEXT_MAX = 42, CURSOR_TEXT_MAX = EPOCH_MAX + 1 + WIRE_ID_TEXT_MAX };

struct cursor {
	char epoch[EPOCH_MAX + 1];
	struct wire_id id;
};

/* -1, 0 or 1. */
static inline int wire_id_compare(struct wire_id a, struct wire_id b)
{
	if (a.ms != b.ms)
		return a.ms < b.ms ? -1 : 1;
	return a.seq == b.seq ? 0 : a.seq < b.seq ? -1 : 1;
}

/* Reads `<ms>-<seq>`, digits only, no overflow. 0 or -1. */
int wire_id_parse(const char *text, size_t len, struct wire_id *out);
/* Writes it, NUL-terminated, and returns the length. out holds WIRE_ID_TEXT_MAX. */
size_t wire_id_format(struct wire_id id, char *out);
/* Is it the name of an epoch? */
bool cursor_is_epoch(const char *text, size_t len);
/* Reads and writes `<epoch>:<ms>-<seq>`. out holds CURSOR_TEXT_MAX. */
int cursor_parse(const char *text, size_t len, struct cursor *out);
size_t cursor_format(const struct cursor *cursor, char *out);

#endif
