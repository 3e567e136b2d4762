/* replicas.h - has Redis' replicas confirm what was decided, before anybody is told that it is safe.
 *
 * What it does  Keeps one WAIT at a time under way on the desk's command link. Redis answers a connection in order, so the answer is
 *               about everything that was decided on it before: one question for however many items came meanwhile. It is
 *               asked for what changed nothing, too: what a duplicate repeats may be another worker's, and on no replica yet.
 *               That link alone will do: on another one the answer may be a new master's, which never had the item.
 * Bounds        Redis takes nothing else on the link while it waits: REPLICAS_WAIT_MS, or REPLICAS_AGAIN_MS while there are too
 *               few of them anyway.
 * Ownership     Part of the desk. A struct replicas_wait is its asker's; it stays until cb is called.
 * Errors        Whoever asked is always told: cb is called once, perhaps from inside the call.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_DESK_REPLICAS_H
#define NEWSWIRE_DESK_REPLICAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "wire/link.h"

enum { REPLICAS_DETAIL_MAX = 400 };
enum { REPLICAS_WAIT_MS = 1000, REPLICAS_AGAIN_MS = 250 };

enum replicas_answer {
	REPLICAS_HAVE_IT,
	REPLICAS_TOO_FEW, /* the master has it, and perhaps nobody else */
	REPLICAS_LOST, /* the connection was lost: whether the master has it is for a new one to say */
	REPLICAS_UNASKED, /* memory is short, or Redis could not say: as LOST, but the connection is there */
};

struct replicas_wait {
	struct replicas_wait *prev, *next; /* while it waits */
	void (*cb)(enum replicas_answer answer, void *arg);
	void *arg;
};

/* Always true between two loop events: waits != NULL => asking. */
struct replicas {
	struct link *link;
	unsigned wanted; /* 0: nothing is ever asked */
	struct replicas_wait *waits;
	bool asking;
	uint64_t asked_ns;
	char trouble
		[200]; /* why nothing is confirmed, a clause without a full stop; "": all is well */
};

void replicas_init(struct replicas *r, struct link *link, unsigned wanted);
void replicas_confirm(struct replicas *r, struct replicas_wait *wait);
/* Once a second: do those that were missing confirm again? */
void replicas_second(struct replicas *r);
/* What a publisher is told who hears TOO_FEW: a sentence. */
void replicas_explain(const struct replicas *r, char *to, size_t size);
/* The link is closed: whoever waits hears LOST. */
void replicas_close(struct replicas *r);

#endif
