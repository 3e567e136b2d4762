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
	bool evicts;	/* it may throw keys away to make room */
	bool forbidden; /* CONFIG is: only INFO is asked for again */
};

/* Asks anew: call when the link has become ready. */
void durability_ask(struct durability *d, struct link *link);
/* Somebody may change it meanwhile: call every DURABILITY_AGAIN_S seconds while the link is READY. */
enum { DURABILITY_AGAIN_S = 5 };
void durability_ask_again(struct durability *d);
/* How durable what is accepted is: one of the levels, or "replicated" if replicas have it and it is not thrown away. */
const char *durability_level(const struct durability *d, bool replicated);

#endif
