/* option_value.h - one option's value, from text and back.
 *
 * Ownership     A TEXT read into a field is allocated; option_value_free() frees it. Fields of
 *               other types hold no memory.
 * Errors        -1 and what is wrong with the value and what is allowed, without saying which
 *               option it is.
 * Threads       Any.
 */
#ifndef NEWSWIRE_OPTION_VALUE_H
#define NEWSWIRE_OPTION_VALUE_H

#include <stddef.h>
#include <stdint.h>
#include "base/base.h"
#include "options.h"

enum { OPTION_VALUE_MAX = 64 }; /* what option_value_number() writes, at most */

/* Reads `text` as the row's type, checks it against the row's limits and sets the row's field of
 * `o`; the text that was there before is freed. On error the field keeps what it had. */
MUST_USE int option_value_read(enum option_id id, const char *text, struct options *o, char *why,
			       size_t size);

/* Writes a NUMBER, BYTES or DURATION as people would: 65536 bytes are `64k`. Returns out. */
const char *option_value_number(enum option_type type, uint64_t n, char *out);

/* The row's field of `o` as text, without any password; in `out` or elsewhere, valid as long as
 * both. */
const char *option_value_show(enum option_id id, const struct options *o, char *out, size_t size);

void option_value_free(enum option_id id, struct options *o);

#endif
