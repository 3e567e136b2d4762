/* tool.h - lasting lines of newsroom tools: items come in over a WebSocket, and each is answered once it is durable.
 *
 * What it does  A connection to /v1/publish says whose it is (a Bearer key of the handshake, or an `auth`
 *               message), then publishes: each item goes to the desk, and its receipt comes back in the
 *               words of HTTP (http/receipt.h). Items pipeline: up to NEWSWIRE_LINE_WINDOW of a line are
 *               at the desk; more are not read from the socket until some are answered.
 * Order         Of one line's items: they are handed in as they came, and the desk decides in that order.
 * Ownership     established() makes a tool, closed() frees it, or the desk's last word about it. What
 *               was handed in is decided also if its tool has gone.
 * Bounds        TOOLS_MAX lines of a worker, of which TOOLS_STRANGERS_MAX may be unproved, for
 *               TOOLS_PROVE_MS; a line holds one message (at most --max-item and NEWSWIRE_MAX_ENVELOPE;
 *               before it has proved itself NEWSWIRE_MAX_STRANGER), all together TOOLS_HEARD_MAX bytes: one
 *               more is closed with 1013. Answers that are not read: from TOOLS_OWED_MAX bytes on nothing is
 *               read from the line, so at most a window of answers is added to that.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WS_TOOL_H
#define NEWSWIRE_WS_TOOL_H

#include <stddef.h>
#include <stdint.h>
#include "base/base.h"
#include "http/door.h"

enum {
	TOOLS_MAX = 256,
	TOOLS_STRANGERS_MAX = 64,
	TOOLS_PROVE_MS = 10000,
	TOOLS_HEARD_MAX = 64 << 20,
	TOOLS_OWED_MAX = 64 << 10,
	TOOLS_END_MS = 5000 /* a line that ends waits so long for its last answers */
};

struct tools;

/* All lines of this worker. tick_ms: how often one that says nothing is told that the server lives;
 * sndbuf (bytes) bounds what the kernel keeps for one that does not read. */
struct tools *tools_new(uint64_t tick_ms, size_t sndbuf) MUST_USE;
/* For door_setup.tool. Borrowed. */
const struct door_stream *tools_door(struct tools *all);
size_t tools_count(const struct tools *all);
/* Items that they handed in and that are not decided yet. */
size_t tools_in_flight(const struct tools *all);
/* A second has passed. */
void tools_second(struct tools *all);
/* Every line gets the answers to what it has handed in, a `bye`, and is closed (1001). */
void tools_drain(struct tools *all, uint32_t retry_min_ms, uint32_t retry_max_ms);
/* Performs the closings that were asked for, as readers_reap(). Returns how many there were. */
size_t tools_reap(struct tools *all);
/* Accepts NULL. Every line must be gone, and the desk closed. */
void tools_free(struct tools *all);

#endif
