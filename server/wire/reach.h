/* reach.h - to how many readers the posts of a uri were written, over all workers and nodes, read from Redis.
 *
 * What it says  As workers have reported it (tally.h): it grows while readers who lagged catch up. `complete` once
 *               all that have the post have spoken; a worker that died before it could never will.
 * Ownership     The answer's body is borrowed for the length of the call.
 * Errors        Told by the callback, once, later.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_REACH_H
#define NEWSWIRE_WIRE_REACH_H

#include <stddef.h>
#include "base/base.h"
#include "base/buf.h"
#include "wire/wire.h"

struct redisReply;

enum reach_answer {
	REACH_OK,      /* body: the JSON to send */
	REACH_MISSING, /* nothing is known of this uri */
	REACH_PURGED,
	REACH_AWAY, /* Redis is not there, or its answer makes no sense (which was logged) */
};
typedef void reach_cb(enum reach_answer answer, const struct buf *body, void *arg);

/* who: of stories that nobody was sent anything of (yet), only this owner's are told of; NULL: anybody's. 0, or
 * -1: not READY or out of memory (cb is not called). */
int reach_ask(struct wire *wire, const char *uri, const char *who, reach_cb *cb,
	      void *arg) MUST_USE;

/* Appends `"readers":…,"behind":…` and so on: the REACH_COLUMNS of a script's row from column `at`
 * on. */
enum { REACH_COLUMNS = 6 };
void reach_write(struct buf *out, const struct redisReply *row, size_t at);

#endif
