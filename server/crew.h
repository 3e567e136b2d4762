/* crew.h - the workers of a node: started, started again when they die, and replaced by others without a gap.
 *
 * What it does  Keeps one place for each listening socket. A worker that dies is started again, at once the first time, then with
 *               backoff. One that shows no life is killed, and so replaced. A renewal starts a successor in every place, on the same socket; once all of them serve, those
 *               before are told to drain, and leave. If a successor cannot serve, those before stay as if nothing had been.
 * Ownership     crew_free() closes the sockets; no worker may run any more. What stands in crew_setup is borrowed.
 * Errors        Logged, and tried again.
 * Threads       The supervisor's. Nothing blocks.
 */
#ifndef NEWSWIRE_CREW_H
#define NEWSWIRE_CREW_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/base.h"

enum { CREW_MAX = 64, CREW_POLLED_MAX = 2 * CREW_MAX };

struct crew;

/* What a new worker is told. */
struct crew_worker {
	unsigned index; /* of its place */
	unsigned page;	/* of its counters: no other process counts there while it runs */
	int listen_fd;
	int ready_fd;	/* where it says that it serves */
	bool successor; /* it belongs to the renewal that goes on */
	bool joins;	/* others serve already */
};

struct crew_setup {
	unsigned count;
	const int *listen_fds; /* taken */
	uint64_t leave_ms;     /* how long those who were told to drain may take … */
	uint64_t
		answers_ms; /* … and how much longer if they live, since somebody waits for an answer */
	/* In the child: becomes the worker. The sockets of the others are closed already. */
	void (*become)(void *arg, const struct crew_worker *worker);
	/* The last process that counted on this page has left. */
	void (*left)(void *arg, unsigned page);
	/* When the process of this page last showed life (clock_mono_ms); 0: never yet, or nobody can tell. */
	uint64_t (*beat)(void *arg, unsigned page);
	uint64_t stall_ms; /* how long it may show none; 0: for ever */
	void *arg;
};

MUST_USE struct crew *crew_new(const struct crew_setup *setup); /* NULL: memory is short */
void crew_free(struct crew *crew);				/* accepts NULL */

/* Pages of counters that workers use, beginning with 1: two for each place, as there may be two of them. */
unsigned crew_pages(unsigned count);

/* Starts what is due, unless `starting` is false; ends who takes too long to leave. Returns when to call again
 * (clock_mono_ms), UINT64_MAX for never. */
uint64_t crew_step(struct crew *crew, bool starting);
/* If `pid` is one of them: notes that it has ended, and returns true. */
bool crew_ended(struct crew *crew, pid_t pid, int status);
/* All of them are told to drain, and no more are started, whoever ends. */
void crew_dismiss(struct crew *crew);

/* What to poll for, at most CREW_POLLED_MAX; crew_hear() with the same when poll() has returned. */
unsigned crew_polled(const struct crew *crew, struct pollfd *polled);
void crew_hear(struct crew *crew, const struct pollfd *polled);

unsigned crew_ready(const struct crew *crew);	       /* how many places are served */
bool crew_any(const struct crew *crew);		       /* runs any process? */
void crew_signal(const struct crew *crew, int signum); /* to all of them */

enum crew_renewal { CREW_QUIET, CREW_RENEWING, CREW_RENEWED, CREW_NOT_RENEWED };

/* Begins a renewal. False: one goes on, or those of the one before are still leaving. */
MUST_USE bool crew_renew(struct crew *crew);
/* Other times than in the setup. */
void crew_set_times(struct crew *crew, uint64_t leave_ms, uint64_t stall_ms);
/* How it stands. RENEWED and NOT_RENEWED are told once. */
enum crew_renewal crew_renewal(struct crew *crew);
bool crew_is_settled(const struct crew *crew); /* may one begin? */

/* For an upgrade: what the next program is told of a place, and takes over. */
int crew_listen_fd(const struct crew *crew, unsigned index);
pid_t crew_pid(const struct crew *crew, unsigned index);
void crew_adopt(struct crew *crew, unsigned index, pid_t pid);

#endif
