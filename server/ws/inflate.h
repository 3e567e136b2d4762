/* inflate.h - a compressed message of a client becomes text (RFC 7692, 7.2.2).
 *
 * What it does  Each message is whole and by itself (client_no_context_takeover), so one inflater of the process
 *               serves all connections, and none of them has a state of its own.
 * Bounds        At most `max` bytes come out, whatever went in: a bomb costs no more than a long message.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WS_INFLATE_H
#define NEWSWIRE_WS_INFLATE_H

#include <stddef.h>
#include "base/buf.h"

enum inflate_result {
	INFLATE_DONE,
	INFLATE_TOO_BIG, /* more than max would come out */
	INFLATE_BROKEN,	 /* this is not deflate, or not a whole message of it */
	INFLATE_NO_MEMORY,
};

/* bytes: the message as it came, without the four bytes that its sender left out. out is cleared first. */
enum inflate_result inflate_message(const void *bytes, size_t len, size_t max, struct buf *out);

#endif
