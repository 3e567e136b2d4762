/* full.c - a refusal for want of room, with a spread wait. */
#include "http/full.h"

#include <stdio.h>
#include "base/backoff.h"
#include "base/counters.h"

const char *full_retry(void)
{
	static char line[32];
	unsigned wait = FULL_RETRY_MIN_S + backoff_random(FULL_RETRY_MAX_S - FULL_RETRY_MIN_S + 1);

	snprintf(line, sizeof line, "retry-after: %u\r\n", wait);
	return line;
}

const char *full_retry_reader(void)
{
	COUNT(READERS_FULL);
	return full_retry();
}
