/* stream.c - a WebSocket's events become a reader's. */
#include "ws/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <newswire/protocol.h>
#include "base/buf.h"
#include "base/counters.h"
#include "base/log.h"
#include "http/query.h"

struct stream {
	struct lws *wsi;
	int fd;
	struct reader *reader;
	struct buf *heard; /* a message in pieces; NULL: none */
};

static int sndbuf_bytes;

/* --- the line: how a reader reaches its connection -------------------------------------------- */

/* What the kernel did not take: the library keeps it unchanged, and writes it when there is room. */
static enum line_result leave_to_library(struct lws *wsi, const uint8_t *rest, size_t len)
{
	if (lws_write(wsi, (unsigned char *)(uintptr_t)rest, len, LWS_WRITE_HTTP) < 0)
		return LINE_DEAD;
	return lws_partial_buffered(wsi) ? LINE_PARTIAL : LINE_SENT;
}

/* The hot path: one send(2) for a reader and tick. The library comes in only when its own bytes
 * (a pong) wait before ours, or the kernel takes less than all. */
static enum line_result line_write(void *line, const uint8_t *bytes, size_t len)
{
	struct stream *st = line;
	ssize_t sent;

	if (lws_get_close_length(st->wsi) > 0)
		return LINE_DEAD; /* the library said goodbye (RFC 6455 was broken): nothing may follow */
	if (lws_partial_buffered(st->wsi))
		return leave_to_library(st->wsi, bytes, len);
	sent = send(st->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent == (ssize_t)len)
		return LINE_SENT;
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		(void)shutdown(
			st->fd,
			SHUT_RDWR); /* so that its CLOSED event comes, whatever the error was */
		return LINE_DEAD;
	}
	sent = sent < 0 ? 0 : sent;
	return leave_to_library(st->wsi, bytes + sent, len - (size_t)sent);
}

/* The library's two structs behind a connection are far apart, and line_write() asks both. */
static void line_expect(void *line)
{
	struct stream *st = line;

	if (lws_get_close_length(st->wsi) == 0)
		(void)!lws_partial_buffered(st->wsi);
}

static void line_want_turn(void *line)
{
	struct stream *st = line;

	lws_callback_on_writable(st->wsi);
}

/* Only this way does the client see the close code (`return -1` in WRITEABLE gives 1006). With
 * bytes still waiting, the close frame would land in the middle of them: then the connection is
 * just ended. */
static void line_close(void *line, enum close_why why, bool blocked)
{
	struct stream *st = line;
	const char *reason = close_reason(why);

	if (!blocked)
		lws_close_reason(st->wsi, (enum lws_close_status)close_code(why),
				 (unsigned char *)(uintptr_t)reason, strlen(reason));
	lws_set_timeout(st->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

static const struct reader_line line_ops = {line_write, line_expect, line_want_turn, line_close};

/* --- opening ---------------------------------------------------------------------------------- */

static struct reader *open_with(struct door *door, struct stream *st, const struct query *q)
{
	struct readers *all = door_setup_of(door)->readers;
	const char *since_text = query_get(q, QUERY_SINCE);
	struct subscription_fault fault;
	struct subscription *s;
	struct cursor since;

	if (since_text != NULL && cursor_parse(since_text, strlen(since_text), &since) != 0)
		return reader_open_refused(all, &line_ops, st, FORMAT_WEBSOCKET, "bad_cursor",
					   "`since` is not a cursor: <epoch>:<number>-<number>");
	s = subscription_read(query_get(q, QUERY_CHANNELS), query_get(q, QUERY_CLASS),
			      query_get(q, QUERY_LANG), query_get(q, QUERY_TYPE), &fault);
	if (s == NULL)
		return reader_open_refused(all, &line_ops, st, FORMAT_WEBSOCKET, fault.code,
					   fault.detail);
	return reader_open(all, &line_ops, st, FORMAT_WEBSOCKET, s,
			   since_text == NULL ? NULL : &since);
}

static struct reader *open_reader(struct door *door, struct stream *st)
{
	struct query q = {0};
	struct reader *r;

	if (query_read(&q, st->wsi) == 0)
		r = open_with(door, st, &q);
	else
		r = reader_open_refused(door_setup_of(door)->readers, &line_ops, st,
					FORMAT_WEBSOCKET, "bad_query",
					"a part of the URL behind ? is too long or holds a NUL");
	query_free(&q);
	return r;
}

static void *established(struct door *door, struct lws *wsi)
{
	struct stream *st = calloc(1, sizeof *st);

	if (st == NULL)
		return NULL;
	st->wsi = wsi;
	st->fd = lws_get_socket_fd(wsi);
	(void)setsockopt(st->fd, SOL_SOCKET, SO_SNDBUF, &sndbuf_bytes, sizeof sndbuf_bytes);
	if ((st->reader = open_reader(door, st)) == NULL) {
		free(st);
		return NULL;
	}
	return st;
}

/* --- hearing ---------------------------------------------------------------------------------- */

static void forget_heard(struct stream *st)
{
	if (st->heard == NULL)
		return;
	buf_free(st->heard);
	free(st->heard);
	st->heard = NULL;
}

/* A piece of a message: keeps it until the last one. Returns 0, or the reason to close. */
static enum close_why gather(struct stream *st, const char *bytes, size_t len)
{
	if (st->heard == NULL && (st->heard = calloc(1, sizeof *st->heard)) == NULL)
		return CLOSE_INTERNAL;
	if (st->heard->len + len > NEWSWIRE_MAX_CLIENT_MESSAGE)
		return CLOSE_TOO_BIG;
	buf_add(st->heard, bytes, len);
	return st->heard->failed ? CLOSE_INTERNAL : CLOSE_NONE;
}

static int receive(void *stream, struct lws *wsi, const char *bytes, size_t len)
{
	struct stream *st = stream;
	enum close_why why = CLOSE_NONE;

	if (lws_frame_is_binary(wsi))
		why = CLOSE_BINARY;
	else
		why = gather(st, bytes, len);
	if (why != CLOSE_NONE) {
		COUNT(CLIENT_BAD);
		forget_heard(st);
		reader_close(st->reader, why);
		return 0;
	}
	if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0)
		return 0;
	reader_hear(st->reader, st->heard->data, st->heard->len);
	forget_heard(st);
	return 0;
}

static void writeable(void *stream, struct lws *wsi)
{
	struct stream *st = stream;

	if (lws_partial_buffered(wsi))
		lws_callback_on_writable(wsi);
	else
		reader_turn(st->reader);
}

static void closed(void *stream)
{
	struct stream *st = stream;

	reader_gone(st->reader);
	forget_heard(st);
	free(st);
}

const struct door_stream *stream_door(size_t sndbuf)
{
	static const struct door_stream ops = {established, receive, writeable, closed};

	sndbuf_bytes = (int)sndbuf;
	return &ops;
}
