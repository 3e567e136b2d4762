/* connection.h - a WebSocket after its handshake: a line that speaks in frames (RFC 6455).
 *
 * What it does  Makes messages of the bytes that come (frames.h; inflate.h where permessage-deflate was agreed on), answers pings,
 *               and does the closing handshake, whoever begins it. What goes out are ready-made frames: line_write().
 * Ownership     It lies in the memory of whoever uses it, as its line does; closed() gives the memory back.
 * Bounds        A message grows to what max() says, as the user's grows() allows. CONNECTION_PINGS_MAX pings a second, and
 *               CONNECTION_PONGS_MAX pongs that wait for room; more ends it. Between two messages nothing is kept but this struct.
 * Errors        What a client does wrong is told by wrong(), and nothing is heard after it; the user closes, by connection_close().
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WS_CONNECTION_H
#define NEWSWIRE_WS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "line/line.h"
#include "reader/close.h"

enum { CONNECTION_PINGS_MAX = 50, CONNECTION_PONGS_MAX = 16 };

struct connection;
struct hearing;

struct connection_events {
	/* How many bytes a message may have now. */
	size_t (*max)(const struct connection *c);
	/* A message becomes `more` bytes longer: CLOSE_NONE, or why it may not. NULL: it may. */
	enum close_why (*grows)(struct connection *c, size_t more);
	/* A whole text message. Its memory may be taken (and *text set to {0}). Whether it is UTF-8 was not looked at. */
	void (*message)(struct connection *c, struct buf *text);
	void (*wrong)(struct connection *c, enum close_why why);
	/* line_want_room() was called, and there is room. */
	void (*room)(struct connection *c);
	void (*closed)(struct connection *c);
};

struct connection {
	struct line line; /* first: a reader's line is written to as one */
	const struct connection_events *events;
	struct hearing *hearing; /* NULL: nothing of a frame or message has come */
	uint32_t second;	 /* monotonic seconds … */
	uint8_t pings;		 /* … and the pings in it */
	uint8_t pongs;		 /* that wait for room */
	bool deflates;		 /* permessage-deflate was agreed on */
	bool paused;
	bool deafened; /* it did wrong, or said goodbye: nothing is heard any more */
};

/* From now on its events come. 0, or -1: memory was short, and it is dropped, without closed(). */
int connection_watch(struct connection *c) MUST_USE;
/* Nothing is heard any more, or again. What has been read already is kept until then. */
void connection_pause(struct connection *c, bool paused);
/* Says code and reason, and ends it; if bytes still wait, it can only be ended. closed() comes before this returns. Not
 * from one of its own events. */
void connection_close(struct connection *c, int code, const char *reason);

#endif
