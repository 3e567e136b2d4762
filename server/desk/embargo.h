/* embargo.h - what the clock brings: items come out when their embargo is over.
 *
 * What it does  Asks release.lua every EMBARGO_TICK_MS, and right when the next item is due by
 *               Redis' TIME; every worker of every node does, whoever comes first releases. It also
 *               starts BGREWRITEAOF when a kill took text that is still in the append-only file
 *               (the script says which worker, at most once a minute). Each answer has Redis' time,
 *               so this is who sets the desk's redis_clock.
 * Ownership     Borrows link, options and clock, which outlive it.
 * Errors        Nothing is lost while Redis is away: what is due then comes out later.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_DESK_EMBARGO_H
#define NEWSWIRE_DESK_EMBARGO_H

#include <stdint.h>
#include <uv.h>
#include "base/base.h"
#include "desk/desk.h"
#include "desk/redis_clock.h"

struct embargo;
enum { EMBARGO_TICK_MS = 1000 };

struct embargo *embargo_open(uv_loop_t *loop, struct link *link, const struct desk_options *options,
			     struct redis_clock *clock) MUST_USE;
void embargo_close(struct embargo *e); /* accepts NULL; the link was closed before */

/* The link became ready: ask at once. */
void embargo_wake(struct embargo *e);
/* An item is due in so many ms: do not sleep longer. */
void embargo_expect(struct embargo *e, uint64_t ms);

#endif
