/* crowd.h - thousands of WebSocket readers that look at nothing but marks.
 *
 * What it does  Opens readers a bounded batch at a time, takes what arrives in big reads, and
 *               counts for every reader that it gets each numbered message once and in order.
 * Ownership     Owns the readers' sockets; the epoll descriptor is the caller's, and events that
 *               carry a tag of CROWD_TAG or more belong to crowd_turn().
 * Lifetime      One crowd per process, from crowd_open() to the end of the process.
 * Errors        -1 is out of memory. Out of descriptors or ports ends the process with a message.
 *               A reader that is refused or closed is counted in crowd.failed or crowd.closed.
 * Threads       None of its own.
 */
#ifndef NW_BENCH_CROWD_H
#define NW_BENCH_CROWD_H

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>

#include "histogram.h"

#define CROWD_TAG   (UINT64_C(1) << 32)
#define CROWD_BATCH 128 /* handshakes under way at once */

/* What one message did: written by the readers, read at the end. */
struct flight {
	int64_t sent_ns;
	int64_t first_ns, last_ns; /* when the first and the last reader had it */
	unsigned readers;
};

struct crowd {
	unsigned wanted; /* readers asked for; opened <= wanted */
	unsigned opened; /* sockets made */
	unsigned ready;	 /* have had their 101 and a first frame */
	unsigned failed; /* refused, or closed before they were ready */
	unsigned closed; /* were ready, and were then closed by the server */

	uint32_t first, count;	/* the messages expected: first, first + 1 … */
	struct flight *flights; /* [count] */
	uint64_t delivered;	/* in order or after a gap, never twice */
	uint64_t lost;		/* passed over; crowd_finish() adds what never came */
	uint64_t doubled;	/* came again, or too late to be in order */
	uint64_t bytes;		/* received since crowd_expect() */
	struct histogram latency;
};

extern struct crowd crowd;

int crowd_open(int epoll_fd, const struct sockaddr_in *server, const char *path);

/* Asks for n more readers; crowd.ready + crowd.failed says how far that is. */
int crowd_connect(unsigned n);

/* Starts counting anew, for messages first .. first + count - 1. */
int crowd_expect(uint32_t first, uint32_t count);

/* Whether every reader has had every message that it can still get. */
bool crowd_is_served(void);

/* Adds to `lost` what no longer comes. */
void crowd_finish(void);

void crowd_turn(uint64_t tag, uint32_t events);

#endif
