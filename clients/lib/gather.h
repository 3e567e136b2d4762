/* gather.h - text that grows at its end, up to a limit.
 *
 * What it does  Collects what arrives in pieces (a message, an answer, a file) or is built in pieces (a
 *               query). The limit is checked before memory is taken.
 * Ownership     The holder of the struct owns the memory; gather_free() gives it back.
 * Errors        Too much, or no memory, is remembered in `problem`; later pieces are dropped, so that a
 *               writer may check once at the end. What was there before stays. GATHER_UNFIT is for the writer,
 *               who found that a piece makes no sense.
 */
#ifndef NEWSWIRE_LIB_GATHER_H
#define NEWSWIRE_LIB_GATHER_H

#include <stddef.h>

enum gather_problem { GATHER_OK, GATHER_TOO_MUCH, GATHER_NO_MEMORY, GATHER_UNFIT };

/* Always: data is NULL or holds len bytes and a zero; len <= limit. */
struct gather {
	char *data;
	size_t len;
	size_t cap;   /* bytes allocated */
	size_t limit; /* most bytes of text */
	enum gather_problem problem;
};

void gather_init(struct gather *g, size_t limit);
/* Each returns 0, or -1 when g->problem is (or was already) set. */
int gather_add(struct gather *g, const void *bytes, size_t len);
int gather_adds(struct gather *g, const char *text);
int gather_addc(struct gather *g, char c);
/* The text, zero-terminated; "" when there is none. Lent until the next call. */
const char *gather_text(const struct gather *g);
/* Empty again. Memory is kept, except more than 64 KiB of it: one long message should not stay. */
void gather_clear(struct gather *g);
void gather_free(struct gather *g);

#endif
