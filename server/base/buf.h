/* buf.h - bytes that grow at the end.
 *
 * Ownership     The holder of the struct owns the memory; {0} is an empty one. buf_free() makes it
 *               {0} again.
 * Errors        Out of memory is remembered (`failed`) and later appends do nothing, so that a
 *               writer checks once at the end.
 */
#ifndef NEWSWIRE_BASE_BUF_H
#define NEWSWIRE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data;
	size_t len;
	size_t cap;
	bool failed; /* out of memory at some append; data is what was there before */
};

/* buf_reserve() where there is no room yet. */
int buf_grow(struct buf *b, size_t more);
/* Makes room for `more` bytes. Returns 0, or -1 (and sets failed). */
static inline int buf_reserve(struct buf *b, size_t more)
{
	return !b->failed && more <= b->cap - b->len ? 0 : buf_grow(b, more);
}

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *text);
static inline void buf_addc(struct buf *b, char c)
{
	if (buf_reserve(b, 1) == 0)
		b->data[b->len++] = c;
}

void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends text as a JSON string with its quotes (RFC 8259: quotes, backslash and controls
 * escaped, UTF-8 kept). */
void buf_add_json(struct buf *b, const char *text, size_t len);
/* Appends text as HTML and XML have it, within an element or a quoted attribute: &, <, > and " as entities. */
void buf_add_markup(struct buf *b, const char *text, size_t len);
/* A decimal number, for a tenth of what printf takes. Writes at most BUF_NUMBER_MAX characters and returns how many. */
enum { BUF_NUMBER_MAX = 20 };
size_t buf_write_number(uint64_t value, char *out);
void buf_add_number(struct buf *b, uint64_t value);
/* Appends 16 hexadecimal digits. */
void buf_add_hex(struct buf *b, uint64_t value);
void buf_clear(struct buf *b); /* len = 0, failed = false, memory kept */
void buf_free(struct buf *b);

#endif
