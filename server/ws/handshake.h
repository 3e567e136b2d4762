/* handshake.h - a request becomes a WebSocket (RFC 6455, 4.2.2; RFC 7692, 7.1).
 *
 * What it does  Takes the socket of a handshake that was found right (http/routes.c) away from libwebsockets, and answers it with 101:
 *               the accepted key, our subprotocol if it was offered, permessage-deflate if it can be kept (offer.h).
 *               The answer leaves together with whatever is said first.
 *               A client must wait for the answer before it speaks: what came in one piece with the request is not read.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WS_HANDSHAKE_H
#define NEWSWIRE_WS_HANDSHAKE_H

#include "http/door.h"
#include "news/format.h"
#include "ws/connection.h"

struct handshake_terms {
	size_t sndbuf;	    /* bytes that the kernel keeps for a client that does not read */
	bool deflates;	    /* permessage-deflate may be agreed on */
	const char *speaks; /* the subprotocol; NULL: none */
	bool waits;	    /* the client speaks first: the answer leaves at once */
};

/* On 0, *c can be written to, and has to be watched or dropped; *coding is how its frames are to be written. -1: refused or
 * dropped. Its `events` are the caller's. */
int handshake_answer(struct door *door, struct lws *wsi, const struct handshake_terms *terms,
		     struct connection *c, enum format_coding *coding) MUST_USE;

#endif
