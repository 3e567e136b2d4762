/* socket.h - how ready-made frames leave a WebSocket, and how it ends: what stream.c and tool.c have in common.
 *
 * Frames go straight to the socket, outside the library's writable callback; libwebsockets keeps what the kernel does not
 * take. Inline, because for a reader this is the hot path: one send(2) for a reader and tick.
 */
#ifndef NEWSWIRE_WS_SOCKET_H
#define NEWSWIRE_WS_SOCKET_H

#include <errno.h>
#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include "reader/reader.h"

/* A write follows soon. The library's two structs behind a connection are far apart, and socket_write() asks both. */
static inline void socket_expect(struct lws *wsi)
{
	if (lws_get_close_length(wsi) == 0)
		(void)!lws_partial_buffered(wsi);
}

/* What the kernel did not take: the library keeps it unchanged, and writes it when there is room. */
static inline enum line_result socket_leave(struct lws *wsi, const uint8_t *rest, size_t len)
{
	if (lws_write(wsi, (unsigned char *)(uintptr_t)rest, len, LWS_WRITE_HTTP) < 0)
		return LINE_DEAD;
	return lws_partial_buffered(wsi) ? LINE_PARTIAL : LINE_SENT;
}

/* The library comes in only when its own bytes (a pong) wait before ours, or the kernel takes less
 * than all. */
static inline enum line_result socket_write(struct lws *wsi, const uint8_t *bytes, size_t len)
{
	int fd = lws_get_socket_fd(wsi);
	ssize_t sent;

	if (lws_get_close_length(wsi) > 0)
		return LINE_DEAD; /* the library said goodbye (RFC 6455 was broken): nothing may follow */
	if (lws_partial_buffered(wsi))
		return socket_leave(wsi, bytes, len);
	sent = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent == (ssize_t)len)
		return LINE_SENT;
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		/* so that its CLOSED event comes, whatever the error was */
		(void)shutdown(fd, SHUT_RDWR);
		return LINE_DEAD;
	}
	sent = sent < 0 ? 0 : sent;
	return socket_leave(wsi, bytes + sent, len - (size_t)sent);
}

/* Ends it; not from one of its own callbacks. Only this way does the client see the close code
 * (`return -1` in WRITEABLE gives 1006). With bytes still waiting (blocked), the close frame would
 * land in the middle of them: then the connection is just ended. */
static inline void socket_close_as(struct lws *wsi, int code, const char *reason, bool blocked)
{
	if (!blocked)
		lws_close_reason(wsi, (enum lws_close_status)code,
				 (unsigned char *)(uintptr_t)reason, strlen(reason));
	lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

static inline void socket_close(struct lws *wsi, enum close_why why, bool blocked)
{
	socket_close_as(wsi, close_code(why), close_reason(why), blocked);
}

#endif
