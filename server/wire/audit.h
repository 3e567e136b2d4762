/* audit.h - the audit trail, read from Redis: who did what to which story, and when; and what was refused.
 *
 * What it does  Walks {prefix}:audit (or {prefix}:rejects) from its newest entry back, in steps of at most AUDIT_LOOKS
 *               entries (audit.lua, rejects.lua), so that a filter over a long trail never keeps Redis from its other work.
 * Ownership     The answer's body is borrowed for the length of the call.
 * Errors        Told by the callback, once, later.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_AUDIT_H
#define NEWSWIRE_WIRE_AUDIT_H

#include <stdbool.h>
#include "base/base.h"
#include "base/buf.h"
#include "wire/wire.h"

enum {
	AUDIT_LOOKS = 500,    /* entries that one step looks at */
	AUDIT_STEPS = 400,    /* steps of one answer; the trail has about 100,000 entries */
	AUDIT_OWN_STEPS = 10, /* the same where it is asked of each story whose it is */
};

/* What entries must say, exactly; NULL: anything. */
struct audit_filter {
	const char *uri, *who, *what;
	const char *
		reader; /* tell of each story what has become of it, as this publisher may know it; NULL: don't */
	bool only_own; /* nothing but the reader's stories, and what he did to others' */
	bool sees_all; /* the reader may know of everybody's embargoes */
	bool refused;  /* not what was done: what was refused. `what` is the reason then */
};

enum audit_answer {
	AUDIT_OK, /* body: `{"entries":[…],"before":"…"}` (of the refused, "rejects"); no `before` at the end */
	AUDIT_AWAY, /* Redis is not there, or its answer makes no sense (which was logged) */
};
typedef void audit_cb(enum audit_answer answer, const struct buf *body, void *arg);

/* At most limit entries below `before` (NULL: from the newest). The filter is copied. 0, or -1: not
 * READY or out of memory (cb is not called). */
int audit_ask(struct wire *wire, const struct audit_filter *filter, unsigned limit,
	      const struct wire_id *before, audit_cb *cb, void *arg) MUST_USE;

#endif
