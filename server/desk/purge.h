/* purge.h - takes a story away for good: purge.lua, called, and what it answers.
 *
 * What it does  Texts, feeds, what is under embargo and notices go in one script; who was sent any of it is told
 *               by a kill without a word; Redis' append-only file is written anew as after a kill (embargo.h).
 *               The uri stays refused for ever.
 * Errors        Told by the callback. What was not answered may have been done: asking again is safe.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_DESK_PURGE_H
#define NEWSWIRE_DESK_PURGE_H

#include "base/base.h"
#include "desk/desk.h"
#include "desk/replicas.h"

/* cb is called later, once, and not with PURGED before Redis' replicas have it (replicas.h). 0, or -1: the link is not READY or memory is short (cb is not called). */
int purge_ask(struct link *link, struct replicas *replicas, const struct desk_options *options,
	      const char *uri, const char *owner, desk_purge_cb *cb, void *arg) MUST_USE;

#endif
