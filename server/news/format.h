/* format.h - the ways bytes go out: a row a format.
 *
 * A format says how one JSON message is wrapped for one kind of connection. WebSocket: RFC 6455, one unmasked, unfragmented text
 * frame. More rows will come (SSE, brief, compressed): only format.c and the table know them.
 */
#ifndef NEWSWIRE_NEWS_FORMAT_H
#define NEWSWIRE_NEWS_FORMAT_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

enum format { FORMAT_WEBSOCKET, FORMAT_COUNT };

/* Ready-made bytes, exactly as they go to the socket. data NULL: not made yet. */
struct frame {
	uint8_t *data;
	uint32_t len;
};

const char *format_name(enum format f);
/* Writes what stands before a message of `len` bytes; returns how much. out holds FORMAT_OPEN_MAX. */
enum { FORMAT_OPEN_MAX = 16 };
size_t format_open(enum format f, size_t len, uint8_t *out);
/* Appends one message, wrapped. */
void format_wrap(enum format f, struct buf *out, const char *json, size_t len);

#endif
