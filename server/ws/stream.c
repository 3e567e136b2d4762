/* stream.c - a WebSocket's events become a reader's. */
#include "ws/stream.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <newswire/protocol.h>
#include "base/buf.h"
#include "base/counters.h"
#include "base/log.h"
#include "http/query.h"
#include "ws/socket.h"

/* A reader's line; the door knows the reader, and reader_line() finds this. */
struct stream {
	struct lws *wsi;
	struct buf *heard; /* a message in pieces; NULL: none */
};

static int sndbuf_bytes;

/* --- the line: how a reader reaches its connection -------------------------------------------- */

static enum line_result line_write(void *line, const uint8_t *bytes, size_t len)
{
	struct stream *st = line;

	return socket_write(st->wsi, bytes, len);
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

static void line_close(void *line, enum close_why why, bool blocked)
{
	struct stream *st = line;

	socket_close(st->wsi, why, blocked);
}

static const struct reader_line line_ops = {sizeof(struct stream), line_write, line_expect,
					    line_want_turn,	   line_close, NULL};

const struct reader_line *stream_line(void)
{
	return &line_ops;
}

/* --- opening ---------------------------------------------------------------------------------- */

static struct reader *open_with(struct readers *all, const struct stream *st, const struct query *q)
{
	const char *since_text = query_get(q, QUERY_SINCE);
	struct subscription_fault fault;
	struct subscription *s;
	struct cursor since;

	if (since_text != NULL && cursor_parse(since_text, strlen(since_text), &since) != 0)
		return reader_open_refused(all, FORMAT_WEBSOCKET, st, "bad_cursor",
					   "`since` is not a cursor: <epoch>:<number>-<number>");
	s = subscription_read(query_get(q, QUERY_CHANNELS), query_get(q, QUERY_CLASS),
			      query_get(q, QUERY_LANG), query_get(q, QUERY_TYPE), &fault);
	if (s == NULL)
		return reader_open_refused(all, FORMAT_WEBSOCKET, st, fault.code, fault.detail);
	return reader_open(all, FORMAT_WEBSOCKET, st, s, since_text == NULL ? NULL : &since);
}

static bool has_room(void *owner, struct door *door, bool proved)
{
	(void)owner;
	(void)proved;
	return door_has_room(door);
}

static void *established(void *owner, struct door *door, struct lws *wsi)
{
	struct stream st = {.wsi = wsi};
	struct readers *all = door_setup_of(door)->readers;
	struct query q = {0};
	struct reader *r;

	(void)owner;
	(void)setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_SNDBUF, &sndbuf_bytes,
			 sizeof sndbuf_bytes);
	if (query_read(&q, wsi) == 0)
		r = open_with(all, &st, &q);
	else
		r = reader_open_refused(
			all, FORMAT_WEBSOCKET, &st, "bad_query",
			"a part of the URL behind ? is too long or holds a NUL; ask for "
			"more in a subscribe message");
	query_free(&q);
	return r;
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

static int receive(void *reader, struct lws *wsi, const char *bytes, size_t len)
{
	struct stream *st = reader_line(reader);
	enum close_why why = CLOSE_NONE;

	if (lws_frame_is_binary(wsi))
		why = CLOSE_BINARY;
	else
		why = gather(st, bytes, len);
	if (why != CLOSE_NONE) {
		COUNT(CLIENT_BAD);
		forget_heard(st);
		reader_close(reader, why);
		return 0;
	}
	if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0)
		return 0;
	reader_hear(reader, st->heard->data, st->heard->len);
	forget_heard(st);
	return 0;
}

static void writeable(void *reader, struct lws *wsi)
{
	if (lws_partial_buffered(wsi))
		lws_callback_on_writable(wsi);
	else
		reader_turn(reader);
}

static void closed(void *reader)
{
	forget_heard(reader_line(reader));
	reader_gone(reader);
}

const struct door_stream *stream_door(size_t sndbuf)
{
	static const struct door_stream ops = {NULL,	has_room,  established,
					       receive, writeable, closed};

	sndbuf_bytes = (int)sndbuf;
	return &ops;
}
