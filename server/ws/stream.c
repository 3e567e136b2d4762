/* stream.c - a WebSocket's events become a reader's. */
#include "ws/stream.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <newswire/protocol.h>
#include "base/buf.h"
#include "base/counters.h"
#include "base/log.h"
#include "http/query.h"
#include "ws/inflate.h"
#include "ws/negotiate.h"
#include "ws/socket.h"

enum { RSV1 = 0x40, DEFLATE_OVERHEAD = 32 };

/* A message in pieces. */
struct heard {
	struct buf bytes;
	bool compressed;
	bool between; /* one of its frames has ended, and another is to come */
};

/* A reader's line; the door knows the reader, and reader_line() finds this. */
struct stream {
	struct lws *wsi;
	struct heard *heard; /* NULL: none */
};

static int sndbuf_bytes;

/* --- the line: how a reader reaches its connection -------------------------------------------- */

static enum line_result line_write(void *line, const uint8_t *bytes, size_t len)
{
	struct stream *st = line;

	return socket_write(st->wsi, bytes, len);
}

static void line_expect(void *line)
{
	struct stream *st = line;

	socket_expect(st->wsi);
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

static struct reader *open_with(struct readers *all, enum format format, const struct stream *st,
				const struct query *q)
{
	const char *since_text = query_get(q, QUERY_SINCE);
	struct subscription_fault fault;
	struct subscription *s;
	struct cursor since;

	if (since_text != NULL && cursor_parse(since_text, strlen(since_text), &since) != 0)
		return reader_open_refused(all, format, st, "bad_cursor",
					   "`since` is not a cursor: <epoch>:<number>-<number>");
	s = query_subscription(q, query_get(q, QUERY_CHANNELS), &fault);
	if (s == NULL)
		return reader_open_refused(all, format, st, fault.code, fault.detail);
	return reader_open(all, format, st, s, since_text == NULL ? NULL : &since);
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
	enum format_coding coding = negotiate_coding(wsi);
	enum format format = format_find(FAMILY_WEBSOCKET, VIEW_FULL, coding);
	struct query q = {0};
	struct reader *r;

	(void)owner;
	(void)setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_SNDBUF, &sndbuf_bytes,
			 sizeof sndbuf_bytes);
	if (query_read(&q, wsi) == 0)
		r = open_with(all, format, &st, &q);
	else
		r = reader_open_refused(
			all, format, &st, "bad_query",
			"a part of the URL behind ? is too long or holds a NUL; ask for "
			"more in a subscribe message");
	query_free(&q);
	if (r != NULL && coding != CODING_PLAIN)
		COUNT(READERS_DEFLATE);
	return r;
}

/* --- hearing ---------------------------------------------------------------------------------- */

static void forget_heard(struct stream *st)
{
	if (st->heard == NULL)
		return;
	buf_free(&st->heard->bytes);
	free(st->heard);
	st->heard = NULL;
}

/* A piece of a message: keeps it until the last one. Returns 0, or the reason to close. */
static enum close_why gather(struct stream *st, const char *bytes, size_t len)
{
	bool rsv1 = (lws_get_reserved_bits(st->wsi) & RSV1) != 0;
	struct heard *h = st->heard;
	size_t max = NEWSWIRE_MAX_CLIENT_MESSAGE;

	if (h == NULL) {
		if ((h = st->heard = calloc(1, sizeof *h)) == NULL)
			return CLOSE_INTERNAL;
		h->compressed = rsv1;
	} else if (h->between && rsv1) {
		return CLOSE_PROTOCOL; /* RFC 7692, 6: only a message's first frame says it */
	}
	h->between = lws_remaining_packet_payload(st->wsi) == 0;
	if (h->bytes.len + len > (h->compressed ? max + DEFLATE_OVERHEAD : max))
		return CLOSE_TOO_BIG;
	buf_add(&h->bytes, bytes, len);
	return h->bytes.failed ? CLOSE_INTERNAL : CLOSE_NONE;
}

static enum close_why hear_compressed(struct reader *r, const struct buf *bytes)
{
	static struct buf text;

	switch (inflate_message(bytes->data, bytes->len, NEWSWIRE_MAX_CLIENT_MESSAGE, &text)) {
	case INFLATE_DONE:
		reader_hear(r, text.data, text.len);
		return CLOSE_NONE;
	case INFLATE_TOO_BIG:
		return CLOSE_TOO_BIG;
	case INFLATE_BROKEN:
		return CLOSE_BAD_DEFLATE;
	case INFLATE_NO_MEMORY:
		break;
	}
	return CLOSE_INTERNAL;
}

/* The message is whole. */
static enum close_why hear(struct reader *r, const struct heard *h)
{
	if (h->compressed)
		return hear_compressed(r, &h->bytes);
	reader_hear(r, h->bytes.data, h->bytes.len);
	return CLOSE_NONE;
}

static int receive(void *reader, struct lws *wsi, const char *bytes, size_t len)
{
	struct stream *st = reader_line(reader);
	enum close_why why = CLOSE_NONE;

	if (lws_frame_is_binary(wsi))
		why = CLOSE_BINARY;
	else
		why = gather(st, bytes, len);
	if (why == CLOSE_NONE &&
	    (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0))
		return 0;
	if (why == CLOSE_NONE)
		why = hear(reader, st->heard);
	forget_heard(st);
	if (why != CLOSE_NONE) {
		COUNT(CLIENT_BAD);
		reader_close(reader, why);
	}
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
	static const struct door_stream ops = {NULL,	  has_room, established, receive,
					       writeable, closed,   true};

	sndbuf_bytes = (int)sndbuf;
	return &ops;
}
