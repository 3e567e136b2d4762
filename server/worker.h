/* worker.h - one worker process: the floors put together on one event loop.
 *
 * What it does  Opens its Redis links, follows the wire, accepts readers on its listening socket
 *               and serves them until it is told to stop: SIGTERM, or SIGUSR1 if others serve in its
 *               place, so that its readers need not wait before they come back. Told again, it stops at once.
 * A drain       Nobody is accepted any more; readers are told goodbye over --drain-time. What a
 *               publisher handed in before is answered even if that takes longer, by
 *               WORKER_ANSWERS_MS at most. Then it exits with 0.
 * Lifetime      worker_run() is called in the child, after the fork; it returns when the worker is
 *               done.
 * Threads       One.
 */
#ifndef NEWSWIRE_WORKER_H
#define NEWSWIRE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include "base/counters.h"

struct options;

enum { WORKER_ANSWERS_MS = 12000 }; /* more than the desk's own patience (DESK_PATIENCE_MS) */

/* What the supervisor hands down. Everything is borrowed and outlives the worker. */
struct worker_setup {
	const struct options *options;
	struct ssl_ctx_st *certificate; /* of --tls-cert (certificate.h) */
	unsigned index;			/* 0 … workers - 1 */
	int listen_fd; /* bound, listening, non-blocking, SO_REUSEPORT; stays open in the supervisor */
	int ready_fd;	/* one byte is written here once readers can be served, then it is closed */
	bool joins;	/* other workers of this node serve already */
	bool successor; /* another one serves in its place until it says that it can */
	const char *redis; /* where Redis is: `unix:PATH` or `redis://…` (resolved: never NULL) */
	const char *keys;  /* the file of publishers' keys */
	unsigned raw_rights;	 /* what a raw PUBLISH may do where that file says nothing of it */
	const char *publish_key; /* what `Authorization: Bearer` must carry to post over HTTP */
	struct counters_page
		*pages; /* all processes' counters; [0] supervisor, [1 + index] this worker */
	size_t page_count;
};

/* Runs the worker. Returns the exit code: 0 drained, 1 could not start (it has said why). */
int worker_run(const struct worker_setup *setup);

#endif
