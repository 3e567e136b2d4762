/* base.c - the last words of a programmer's mistake, sentences of what is wrong, and tables that grow. */
#include "base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void base_abort(const char *file, int line, const char *what)
{
	/* Not through the log: it may be the log that is broken. */
	fprintf(stderr, "%s:%d: this must be true and is not: %s\n", file, line, what);
	abort();
}

int say_why(char *why, size_t size, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	vsnprintf(why, size, text, args);
	va_end(args);
	return -1;
}

void *table_reach(void *table, size_t *cap, size_t at)
{
	size_t wanted = *cap == 0 ? 64 : *cap;
	char *moved;

	if (at < *cap)
		return table;
	while (wanted <= at)
		wanted *= 2;
	if ((moved = realloc(table, wanted * sizeof(void *))) == NULL)
		return NULL;
	memset(moved + *cap * sizeof(void *), 0, (wanted - *cap) * sizeof(void *));
	*cap = wanted;
	return moved;
}
