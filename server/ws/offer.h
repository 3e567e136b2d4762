/* offer.h - what a client's Sec-WebSocket-Extensions offers, and what is agreed of it (RFC 6455, 9.1; RFC 7692, 7.1).
 *
 * What it does  Looks for the first offer of permessage-deflate that can be kept. Readers share compressed frames, made
 *               with the full window: an offer with a smaller server_max_window_bits is declined, as is one with a parameter
 *               that is unknown, given twice, or has a value that it may not have. A header that is no list
 *               of extensions offers nothing.
 *               Clients are always told client_no_context_takeover: nothing is kept for them here. If they
 *               ask for server_no_context_takeover, it is agreed to, and they read frames that stand alone.
 *               client_max_window_bits needs no answer: whatever the client's window is, it fits in ours.
 * Threads       Any; no state.
 */
#ifndef NEWSWIRE_WS_OFFER_H
#define NEWSWIRE_WS_OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include "base/base.h"

#define OFFER_DEFLATE "permessage-deflate"

/* libwebsockets ends a handshake in which the header is longer. */
enum { OFFER_HEADER_MAX = 254, OFFER_ANSWER_SIZE = 96 };

struct offer_agreed {
	bool alone; /* the client keeps no window: no message may refer to another */
	char answer[OFFER_ANSWER_SIZE]; /* its parameters, from the first `; ` on */
};

/* 0, or -1: no offer can be kept. */
int offer_agree(const char *header, struct offer_agreed *out) MUST_USE;

/* How often libwebsockets will find permessage-deflate in it. */
unsigned offer_mentions(const char *header);

#endif
