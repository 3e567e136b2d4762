/* canary.h - does news flow? This worker sends itself a message through Redis and reads it as a reader does.
 *
 * What it does  Holds one end of a pair of sockets; the door was given the other as if it had been accepted, and there the
 *               worker has a reader of Server-Sent Events like any other. Every interval it publishes a number on `out` (wire/canary_note.h) and
 *               waits for it at its end. What comes back has been through Redis, both links of the wire, the loop, the audience, the reader, its line and
 *               the kernel. The listening socket and what stands before it are left out.
 * What it says  newswire_canary_seconds, _failures_total and _up; /readyz by canary_explain(). When nothing has come back for
 *               CANARY_PATIENCE intervals news does not flow, and how far the last one came says where it ends.
 * Its reader    Counts as nobody: in no number of readers, no limit of theirs, no reach, no delivery. There is one at a time; should it be lost it is
 *               made anew with the next canary.
 * Ownership     canary_close() ends it and frees it once the loop has run. The wire must be closed before it has.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_READER_CANARY_H
#define NEWSWIRE_READER_CANARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "base/base.h"
#include "news/post.h"
#include "news/subscription.h"
#include "wire/wire.h"

enum { CANARY_PATIENCE = 3, CANARY_LEAST_MS = 100, CANARY_TROUBLE_MAX = 320 };

struct canary;

/* Gives the server this end of a connection, which is its own from now on: 0, or -1 (it is closed). */
typedef int canary_enter(void *arg, int fd);

/* interval 0: there are no canaries; below CANARY_LEAST_MS it is that. NULL: out of memory. */
struct canary *canary_open(uv_loop_t *loop, struct wire *wire, uint64_t interval_ms,
			   canary_enter *enter, void *arg) MUST_USE;
/* The door is open. */
void canary_begin(struct canary *canary);
/* This worker goes: no more canaries, and it says nothing any more. Accepts NULL. */
void canary_stop(struct canary *canary);
void canary_close(struct canary *canary); /* accepts NULL */

/* What its reader asks for: this worker's canaries, which nobody else may ask for. Such a reader is counted nowhere. NULL: out of
 * memory. */
struct subscription *canary_subscription(const struct canary *canary) MUST_USE;
/* This worker's canary was heard (wire_events.canary), and is about to go out. */
void canary_heard(struct canary *canary, const struct post *post);

/* Does news flow? Where it does not, why, in words. Held up by Redis, all workers of all nodes are alike; a canary that was heard and not read,
 * or has no stream, is this worker's own fault. NULL is a worker without canaries. */
enum canary_news { CANARY_FLOWS, CANARY_HELD_UP, CANARY_BROKEN };
enum canary_news canary_explain(const struct canary *canary, char *to, size_t size);

#endif
