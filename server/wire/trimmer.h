/* trimmer.h - keeps the stream within its age and length.
 *
 * What it does  Calls trim.lua every TRIMMER_SECONDS, in steps that are short for Redis. Every
 *               worker calls; the script lets one of them do it.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_TRIMMER_H
#define NEWSWIRE_WIRE_TRIMMER_H

#include <stdint.h>
#include "wire/link.h"

enum { TRIMMER_SECONDS = 10, TRIMMER_STEP = 1000, TRIMMER_NAME_MAX = 16 };

struct trimmer {
	struct link *link;
	const char *prefix;
	uint64_t retention_ms, max_entries;
	char name[TRIMMER_NAME_MAX + 1]; /* of this worker, unlike all others */
	unsigned seconds;
};

/* Call once a second while the link is ready. */
void trimmer_second(struct trimmer *t);

#endif
