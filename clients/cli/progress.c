/* progress.c - a bar on a terminal while many items are sent. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 20 };

struct progress progress_begin(size_t total)
{
	return (struct progress){.shown = total > 1 && isatty(STDERR_FILENO), .total = total};
}

void progress_text(char out[PROGRESS_SIZE], size_t done, size_t total)
{
	char bar[WIDTH + 1];
	size_t full = total ? done * WIDTH / total : WIDTH;

	memset(bar, '.', WIDTH);
	memset(bar, '#', full < WIDTH ? full : WIDTH);
	bar[WIDTH] = '\0';
	snprintf(out, PROGRESS_SIZE, "[%s] %zu/%zu", bar, done, total);
}

void progress_draw(const struct progress *progress, size_t done)
{
	char text[PROGRESS_SIZE];

	if (!progress->shown)
		return;
	progress_text(text, done, progress->total);
	fprintf(stderr, "\r%s", text);
}

void progress_clear(const struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
}
