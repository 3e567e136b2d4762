/* progress.h - a bar on a terminal while many items are sent.
 *
 * Drawn on stderr, and only when that is a terminal and there is more than one item. Take it off before
 * printing a line, and draw it again after.
 */
#ifndef NEWSWIRE_CLI_PROGRESS_H
#define NEWSWIRE_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

enum { PROGRESS_SIZE = 64 };

struct progress {
	bool shown; /* whether to draw at all */
	size_t total;
};

struct progress progress_begin(size_t total);
void progress_draw(const struct progress *progress, size_t done);
void progress_clear(const struct progress *progress);
/* The bar as text: "[######..............] 3/10". */
void progress_text(char out[PROGRESS_SIZE], size_t done, size_t total);

#endif
