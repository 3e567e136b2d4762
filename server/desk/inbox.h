/* inbox.h - the durable way in: entries of the stream `{newswire}:inbox` are handed to the desk, in order.
 *
 * What it does  One worker of all nodes reads the inbox (the key `inbox_reader` names it, for
 *               INBOX_LEASE_MS; the others look when that is over). It first takes over what a reader
 *               before it was given and did not decide, then what is new; for that it listens on a link of its own,
 *               because that blocks. Entries are given out by inbox.lua alone, to whom it names: two who think that they read
 *               (a clock was set, a network was slow) never have some at a time. accept.lua and reject.lua take
 *               an entry out of the inbox in the moment in which they
 *               decide about it, and decide nothing if it is another's by then: so each is decided
 *               once, whoever dies. docs/redis.md has the whole of it, lua/inbox.lua the rules.
 * Order         That of the ids. An entry that a key is in the way of is put off and holds nobody up.
 * Bounds        INBOX_AT_ONCE entries are read at a time, and only while the desk has room.
 * Ownership     Borrows desk, its link and options, which outlive it. inbox_close() frees it in a later turn of
 *               the loop, so that the desk may finish its jobs after it.
 * Errors        Redis away: all stays where it is. What cannot be done is logged when it changes
 *               (event=inbox_stopped).
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_DESK_INBOX_H
#define NEWSWIRE_DESK_INBOX_H

#include <uv.h>
#include "base/base.h"
#include "desk/desk.h"
#include "wire/link.h"

struct inbox;
enum {
	INBOX_LEASE_MS = 3000,
	INBOX_AT_ONCE = 32,
	INBOX_TRIES = 5, /* given so often and never decided: poison */
	INBOX_PAUSE_MS =
		1000, /* the first pause of an entry that was put off; each is five times as long, up to five minutes */
};

struct inbox *inbox_open(uv_loop_t *loop, const struct redis_place *place, struct desk *desk,
			 struct link *commands, const struct desk_options *options) MUST_USE;
void inbox_close(struct inbox *inbox); /* accepts NULL; `commands` was closed before */

/* The desk's link became ready. */
void inbox_wake(struct inbox *inbox);
/* Reads no more, and lets another worker do it at once. */
void inbox_leave(struct inbox *inbox);

#endif
