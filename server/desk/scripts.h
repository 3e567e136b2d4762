/* scripts.h - the desk's Lua scripts, called.
 *
 * Each sends one command on a link; cb gets Redis' reply as link.h says. 0, or -1: the link is not READY or memory is short
 * (cb is not called).
 */
#ifndef NEWSWIRE_DESK_SCRIPTS_H
#define NEWSWIRE_DESK_SCRIPTS_H

#include <stdbool.h>
#include "base/base.h"
#include "desk/desk.h"
#include "desk/job.h"
#include "desk/redis_clock.h"
#include "wire/link.h"

/* accept.lua: job->item is there; rights: what its sender may do. */
int scripts_accept(struct link *link, const struct desk_options *options,
		   const struct redis_clock *clock, const struct job *job, unsigned rights,
		   link_reply_cb *cb, void *arg) MUST_USE;
/* reject.lua: job->report is there. */
int scripts_reject(struct link *link, const struct desk_options *options, const struct job *job,
		   link_reply_cb *cb, void *arg) MUST_USE;
/* release.lua; rewritten: the token of a rewriting that was begun, or "". */
int scripts_release(struct link *link, const struct desk_options *options,
		    const struct redis_clock *clock, const char *rewritten, link_reply_cb *cb,
		    void *arg) MUST_USE;

/* purge.lua; owner: who purges. */
int scripts_purge(struct link *link, const struct desk_options *options, const char *uri,
		  const char *owner, link_reply_cb *cb, void *arg) MUST_USE;

/* What inbox.lua is asked; see there. */
struct inbox_question {
	const char *name, *consumer;
	uint64_t lease_ms, idle_ms, pause_ms;
	bool take;
	const char *from;
	unsigned tries, read;
};
int scripts_inbox(struct link *link, const struct desk_options *options,
		  const struct inbox_question *question, link_reply_cb *cb, void *arg) MUST_USE;

/* probe.lua: can Redis write what deciding writes? */
int scripts_probe(struct link *link, const struct desk_options *options, link_reply_cb *cb,
		  void *arg) MUST_USE;

#endif
