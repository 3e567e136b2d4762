/* manual.h - a manual of docs/, read whole, for the tests that hold it against a table. */
#ifndef NEWSWIRE_TEST_MANUAL_H
#define NEWSWIRE_TEST_MANUAL_H

#include <stdio.h>
#include <stdlib.h>

static char *manual;

/* 0, or -1: it cannot be read. */
static inline int read_manual_of(const char *path)
{
	FILE *file = fopen(path, "re");
	enum { MOST = 1 << 18 };
	size_t len;

	if (file == NULL || (manual = malloc(MOST)) == NULL)
		return -1;
	len = fread(manual, 1, MOST - 1, file);
	manual[len] = '\0';
	fclose(file);
	return 0;
}

static inline int forget_manual(void **state)
{
	(void)state;
	free(manual);
	return 0;
}

#endif
