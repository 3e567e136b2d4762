/* base.c - the last words of a programmer's mistake. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void base_abort(const char *file, int line, const char *what)
{
	/* Not through the log: it may be the log that is broken. */
	fprintf(stderr, "%s:%d: this must be true and is not: %s\n", file, line, what);
	abort();
}
