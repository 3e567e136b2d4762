/* failing_malloc.h - memory that runs out where a test says: each allocation of an operation fails in its turn.
 *
 * What it does  Stands before malloc, calloc, realloc, strdup and strndup of all that is linked into the test (by the linker's --wrap; the
 *               program names FAILING_MALLOC in CMake), and of jansson. A failure sets errno to ENOMEM, as the C library does.
 * Threads       One.
 */
#ifndef NEWSWIRE_TESTS_FAILING_MALLOC_H
#define NEWSWIRE_TESTS_FAILING_MALLOC_H

#include <stdbool.h>

/* Runs `attempt` with one allocation failing, the 1st, the 2nd …, until it is not reached any more; then that last attempt must be
 * true. Before each the test is expected to be as at first; `attempt` says when memory is short and when it is not. */
void fail_each(bool (*attempt)(void));
/* The same with all allocations failing from the n-th on, as when memory is really gone. */
void fail_each_from(bool (*attempt)(void));

/* Once with enough; it must be true. */
void fail_none(bool (*attempt)(void));

/* Within an attempt: from here on they fail, and to here. */
void fail_begin(void);
void fail_end(void);
/* Did one fail in this attempt? */
bool fail_happened(void);

#endif
