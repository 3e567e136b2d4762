/* withdrawals.h - which stories were killed or held lately.
 *
 * What it does  Remembers the last WITHDRAWALS_MAX kills and holds, for whoever holds text that was
 *               read before they came. What it may have forgotten counts as withdrawn.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_WITHDRAWALS_H
#define NEWSWIRE_WIRE_WITHDRAWALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "news/post.h"

enum { WITHDRAWALS_MAX = 4096 };

/* {0} is an empty one. Ids rise. */
struct withdrawals {
	size_t count; /* all that ever were */
	struct {
		uint64_t uri; /* hashed */
		struct wire_id id;
	} ring[WITHDRAWALS_MAX];
};

/* Notes the post if it is a kill or hold. */
void withdrawals_hear(struct withdrawals *w, const struct post *post);
/* Was the uri withdrawn by a post newer than `than`? */
bool withdrawals_has(const struct withdrawals *w, const char *uri, struct wire_id than);
/* The same; what may have been forgotten does not count. */
bool withdrawals_knows(const struct withdrawals *w, const char *uri, struct wire_id than);

#endif
