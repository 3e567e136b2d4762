/* handover.h - what a newswired tells the program that takes its place (an upgrade: execve() in the same process).
 *
 * What it does  Everything that the next program cannot find by itself stands in a text in memory: files that stay open, children that
 *               stay its children. Its first line is a version, so that releases understand each other.
 * Ownership     Files are inherited by number; whoever reads the text owns them.
 * Threads       One.
 */
#ifndef NEWSWIRE_HANDOVER_H
#define NEWSWIRE_HANDOVER_H

#include <stdint.h>
#include <sys/types.h>
#include "base/base.h"
#include "crew.h"

struct handover {
	int lock_fd; /* of the state directory */
	unsigned port;
	pid_t redis_pid;  /* the private one; 0: none runs */
	int redis_log_fd; /* -1: none */
	unsigned generation, renewals;
	unsigned count;
	struct {
		int listen_fd;
		pid_t pid; /* of its worker; 0: none runs */
	} places[CREW_MAX];
};

/* Writes it down for the program that execve() starts next, and lets it inherit the files. 0, or -1 with errno. */
MUST_USE int handover_give(const struct handover *h);
/* Takes back what handover_give() did: there was no execve(). */
void handover_take_back(const struct handover *h);
/* In the next program: 1: *h is filled; 0: nobody has handed anything over; -1: it cannot be understood. */
MUST_USE int handover_take(struct handover *h);

#endif
