/* door.h - the way in for readers and tools: one libwebsockets context on this worker's loop.
 *
 * Start here    for anything that touches libwebsockets; it lives in http/, and where a
 *               request is still to be read in ws/ and sse/, nowhere else. What was measured about it, and which of its traps shape this code, stands
 *               beside the code it shaped.
 * What it does  Accepts connections (listener.c), answers requests (request.c, routes.c), hands
 *               handshakes of WebSocket to ws/ and centrifuge/ through door_stream, and requests for Server-Sent
 *               Events to sse/events.c through door_events. Those take the socket: what lasts is a line (line/line.h).
 * Rules         Every HTTP answer closes its connection: a body in the same segment after another
 *               request of a keep-alive connection would hang libwebsockets 4.1.6 for ever.
 * Ownership     door_close() ends it, door_free() frees it once the loop has run. Everything in door_setup is borrowed and outlives it.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_HTTP_DOOR_H
#define NEWSWIRE_HTTP_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libwebsockets.h>
#include <uv.h>
#include "base/base.h"
#include "base/counters.h"
#include "desk/desk.h"
#include "line/line.h"
#include "reader/reader.h"
#include "wire/wire.h"

struct answers;
struct door;
struct canary;
struct request;
struct who;

/* What happens to a handshake of WebSocket. */
struct door_stream {
	void *owner;
	/* May one more connect? proved: it has shown a key. */
	bool (*has_room)(void *owner, const struct door *door, bool proved);
	/* It was looked at and is right: takes the connection's socket, and answers. */
	void (*begin)(void *owner, struct door *door, struct lws *wsi);
};

/* What happens to a request for events. */
struct door_events {
	void *owner;
	/* Answers it, or takes its socket. There is room for a reader. */
	void (*begin)(void *owner, struct request *r);
};

/* At most so many of a worker's connections stay free for requests. */
enum { DOOR_PLACES = 128 };

struct door_setup {
	uv_loop_t *loop;
	int listen_fd;
	struct wire *wire;
	struct desk *desk;
	struct readers *readers;
	const struct door_stream *stream;     /* readers: /v1/stream */
	const struct door_stream *tool;	      /* newsroom tools: /v1/publish */
	const struct door_stream *centrifuge; /* readers: /connection/websocket */
	const struct door_events *events;     /* readers: /v1/stream as Server-Sent Events */
	struct lines *lines;		      /* where sockets go that leave libwebsockets */
	size_t answers_bytes;		      /* --answer-memory */
	struct who *who;
	const struct canary *canary; /* says whether news flows */
	const struct counters_page *pages;
	size_t page_count;
	size_t max_item;
	size_t max_batch;   /* bytes of a body; max_item where that is more */
	size_t max_readers; /* 0: as many as the limit of open files allows */
	bool shows_readers; /* to everybody; else to publishers */
	bool has_newsroom;  /* the composer's files are there */
	unsigned user_timeout_ms;
	const char *public_url;	 /* --public-url; "": not given */
	const char *cors_origin; /* --cors-origin: a list with commas, "*", or "" */
	struct ssl_ctx_st
		*certificate; /* what those who connect are shown; NULL: there is no TLS */
};

struct door *door_open(const struct door_setup *setup) MUST_USE;
/* No more connections are accepted; those that are open stay. What queues on the socket is the
 * next worker's. */
void door_listen(struct door *door); /* not before this is anybody let in */
void door_stop_listening(struct door *door);
/* Ends every connection. Their last events come while the loop runs on; then door_free(). Both accept NULL. */
void door_close(struct door *door);
void door_free(struct door *door);
/* A second has passed. */
void door_second(struct door *door);
/* Requests that are not answered yet, and answers that have not arrived: a drain waits for them … */
size_t door_requests(const struct door *door);
/* … and, for a while, for connections that have not asked for anything: their requests may be on the way. */
size_t door_silent(const struct door *door);

/* Takes a connected socket of the server's own, as if it had been accepted; there is one at a time. 0, or -1: there is no place for it,
 * or memory is short; it is closed then. */
int door_enter(struct door *door, int fd) MUST_USE;
/* Is this connection that one? */
bool door_is_own(const struct door *door, const struct lws *wsi);

const struct door_setup *door_setup_of(const struct door *door);
struct answers *door_answers(const struct door *door);
/* Is there a place for one more reader? */
bool door_has_room(const struct door *door);
/* The socket of a connection, which from now on belongs to the caller and counts until door_socket_freed(). What
 * libwebsockets keeps for it ends as soon as its callback returns -1. -1: descriptors are short. */
int door_take_socket(struct door *door, struct lws *wsi) MUST_USE;
void door_socket_freed(struct door *door);

#endif
