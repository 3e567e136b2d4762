/* crowd.h - thousands of readers, of whatever protocol, that look at nothing but marks.
 *
 * What it does  Opens readers a bounded batch at a time, takes what arrives in big reads, and
 *               counts for every reader that it gets each numbered message once and in order.
 * Ownership     Owns the readers' sockets; the epoll descriptor is the caller's, and events that
 *               carry a tag of CROWD_TAG or more belong to crowd_turn().
 * Lifetime      One crowd per process, from crowd_open() to the end of the process.
 * Coming back   Where the protocol says so (speech.resumes), a reader whose connection ends comes back with its cursor, after the
 *               time that the server asked for, and goes on with the message that it should have next.
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
#include "speech.h"

#define CROWD_TAG   (UINT64_C(1) << 32)
#define CROWD_PLACE 256 /* bytes of a path, subject or topic */

/* Who the readers are: set before the first of them connects. */
struct crowd_kind {
	struct sockaddr_in server;
	const struct speech *speech;
	char place
		[CROWD_PLACE]; /* {} stands for the reader's channel, or its number if spread is 1 */
	unsigned base; /* number of the first reader: other processes have those before it */
	unsigned
		spread; /* channels: reader and message meet when their numbers agree modulo this */
};

/* What one message did: written by the readers, read at the end. */
struct flight {
	int64_t sent_ns;
	int64_t first_ns, last_ns; /* when the first and the last reader had it */
	unsigned readers;
};

struct crowd {
	struct crowd_kind kind;
	unsigned batch;	 /* handshakes under way at once */
	unsigned wanted; /* readers asked for; opened <= wanted */
	unsigned opened; /* sockets made */
	unsigned ready;	 /* were answered */
	unsigned failed; /* refused, or closed before they were ready */
	unsigned closed; /* were ready, and were then closed by the server */
	unsigned away;	 /* the same, but they are on their way back */

	uint64_t returned,
		refused; /* times that one was back; that one was not let in, and tried again */

	uint32_t first, count;	/* the messages expected: first, first + 1 … */
	struct flight *flights; /* [count] */
	uint64_t delivered;	/* in order or after a gap, never twice */
	uint64_t lost;		/* passed over; crowd_finish() adds what never came */
	uint64_t doubled;	/* came again, too late to be in order, or on another's channel */
	uint64_t bytes;		/* received since crowd_expect() */
	struct histogram latency;
};

extern struct crowd crowd;

void crowd_open(int epoll_fd, const struct crowd_kind *kind);

/* Asks for n more readers, at most `batch` at once; crowd.ready + crowd.failed says how far that is. */
int crowd_connect(unsigned n, unsigned batch);

/* Hangs up on the server, every reader at once. What was counted stays. */
void crowd_drop(void);

/* Starts counting anew, for messages first .. first + count - 1; with channels, the same number on each. */
int crowd_expect(uint32_t first, uint32_t count);

/* Whether every reader has had every message that it can still get. */
bool crowd_is_served(void);

/* Adds to `lost` what no longer comes. */
void crowd_finish(void);

void crowd_turn(uint64_t tag, uint32_t events);

/* Lets those come back who have waited for long enough. Milliseconds until the next call, -1: nobody is away. */
int crowd_come_back(void);

#endif
