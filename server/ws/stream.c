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

struct stream {
	struct lws *wsi;
	int fd;
	struct reader *reader;
	struct buf *heard; /* a message in pieces; NULL: none */
};

static int sndbuf_bytes;

/* --- the line: how a reader reaches its connection -------------------------------------------- */

static enum line_result line_write(void *line, const uint8_t *bytes, size_t len)
{
	struct stream *st = line;

	return socket_write(st->wsi, st->fd, bytes, len);
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

static bool has_room(void *owner, struct door *door, bool proved)
{
	(void)owner;
	(void)proved;
	return door_has_room(door);
}

static void *established(void *owner, struct door *door, struct lws *wsi)
{
	struct stream *st = calloc(1, sizeof *st);

	(void)owner;

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
	static const struct door_stream ops = {NULL,	has_room,  established,
					       receive, writeable, closed};

	sndbuf_bytes = (int)sndbuf;
	return &ops;
}
