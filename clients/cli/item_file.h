/* item_file.h - one item as it lies in a file.
 *
 * Ownership     item_file_read() allocates; item_file_free() gives back, also what is half read or {0}.
 * Errors        -1, and one line in `problem`.
 */
#ifndef NEWSWIRE_CLI_ITEM_FILE_H
#define NEWSWIRE_CLI_ITEM_FILE_H

#include <stddef.h>

struct item_file {
	char *text; /* zero-terminated */
	size_t len;
	char problem[256];
};

/* Reads a whole file, or standard input ("-"), of at most NEWSWIRE_MAX_ITEM_LIMIT bytes. */
int item_file_read(struct item_file *item, const char *name);

/* Is it one JSON object? Asked before an item goes through Redis, where no server would answer. */
int item_file_check(struct item_file *item);

void item_file_free(struct item_file *item);

/* The first line of a file, without its end, in `line`. -1 with errno: it cannot be read, is empty or
 * too long (EMSGSIZE). */
int item_file_first_line(const char *name, char *line, size_t size);

#endif
