/* durability.h - how much of what a Redis accepts survives a crash.
 *
 * What it does  Asks CONFIG, or INFO where that is forbidden, and warns with a remedy if accepted
 *               news could be lost: with the machine, or (behind Sentinels) with a master that goes on alone.
 * Lifetime      The struct outlives the link's connection.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_DURABILITY_H
#define NEWSWIRE_WIRE_DURABILITY_H

#include <stdbool.h>
#include "wire/link.h"

struct durability {
	struct link *link;
	bool has_replicas; /* Sentinels look after it: set before it is asked */
	const char *
		level; /* "fsync", "second", "memory" or "unknown"; never NULL after durability_ask() */
};

/* Asks anew: call when the link has become ready. */
void durability_ask(struct durability *d, struct link *link);

#endif
