/* held.h - a version under embargo, read from Redis for its owner. Nothing else ever tells its text before its time.
 *
 * Ownership     The answer's body is borrowed for the length of the call.
 * Errors        Told by the callback, once, later.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_HELD_H
#define NEWSWIRE_WIRE_HELD_H

#include "base/base.h"
#include "base/buf.h"
#include "wire/wire.h"

enum held_answer {
	HELD_OK, /* body: `{"uri":…,"version":…,"class":…,"channels":[…],"embargo":…,"item":{…}}` */
	HELD_MISSING, /* there is none, or it is somebody else's */
	HELD_AWAY,    /* Redis is not there, or its answer makes no sense (which was logged) */
};
typedef void held_cb(enum held_answer answer, const struct buf *body, void *arg);

/* who: only if it is this owner's; NULL: anybody's. 0, or -1: not READY or out of memory (cb is not called). */
int held_ask(struct wire *wire, const char *uri, const char *who, held_cb *cb, void *arg) MUST_USE;

#endif
