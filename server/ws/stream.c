/* stream.c - a WebSocket's events become a reader's. */
#include "ws/stream.h"

#include <stdlib.h>
#include <string.h>
#include <newswire/protocol.h>
#include "base/counters.h"
#include "http/asking.h"
#include "ws/connection.h"
#include "ws/handshake.h"

/* A reader's line is a connection, and nothing else. */

static struct handshake_terms terms = {.speaks = NEWSWIRE_SUBPROTOCOL};

static struct reader *reader_of(struct connection *c)
{
	return reader_of_line(c);
}

static void line_close(void *line, enum close_why why, bool blocked)
{
	(void)blocked; /* the connection knows */
	connection_close(line, close_code(why), close_reason(why));
}

const struct reader_line *stream_line(void)
{
	static const struct reader_line ops = {
		.size = sizeof(struct connection), READER_WRITES_TO_LINE, .close = line_close};

	return &ops;
}

/* --- hearing ---------------------------------------------------------------------------------- */

static size_t max_message(const struct connection *c)
{
	(void)c;
	return NEWSWIRE_MAX_CLIENT_MESSAGE;
}

static void message(struct connection *c, struct buf *text)
{
	reader_hear(reader_of(c), text->data, text->len);
}

static void wrong(struct connection *c, enum close_why why)
{
	COUNT(CLIENT_BAD);
	reader_close(reader_of(c), why);
}

static void room(struct connection *c)
{
	reader_turn(reader_of(c));
}

static void closed(struct connection *c)
{
	reader_gone(reader_of(c));
}

/* --- opening ---------------------------------------------------------------------------------- */

static struct reader *open_with(struct readers *all, enum format format, const struct connection *c,
				const struct query *q)
{
	const char *since_text = query_get(q, QUERY_SINCE);
	struct subscription_fault fault;
	struct subscription *s;
	struct cursor since;

	if (since_text != NULL && cursor_parse(since_text, strlen(since_text), &since) != 0)
		return reader_open_refused(all, format, c, "bad_cursor",
					   "`since` is not a cursor: <epoch>:<number>-<number>");
	s = asking_read(all, q, &fault);
	if (s == NULL)
		return reader_open_refused(all, format, c, fault.code, fault.detail);
	return reader_open(all, format, c, s, since_text == NULL ? NULL : &since);
}

static struct reader *open_reader(struct readers *all, enum format format,
				  const struct connection *c, struct lws *wsi)
{
	struct query q = {0};
	struct reader *r;

	if (query_read(&q, wsi) == 0)
		r = open_with(all, format, c, &q);
	else
		r = reader_open_refused(
			all, format, c, "bad_query",
			"a part of the URL behind ? is too long or holds a NUL; ask for "
			"more in a subscribe message");
	query_free(&q);
	return r;
}

static bool has_room(void *owner, const struct door *door, bool proved)
{
	(void)owner;
	(void)proved;
	return door_has_room(door);
}

static void begin(void *owner, struct door *door, struct lws *wsi)
{
	static const struct connection_events events = {max_message, NULL, message,
							wrong,	     room, closed};
	struct readers *all = door_setup_of(door)->readers;
	struct connection c;
	enum format_coding coding;
	struct reader *r;

	(void)owner;
	if (handshake_answer(door, wsi, &terms, &c, &coding) != 0)
		return;
	c.events = &events;
	r = open_reader(all, format_find(FAMILY_WEBSOCKET, VIEW_FULL, coding), &c, wsi);
	if (r == NULL)
		line_drop(&c.line);
	else if (connection_watch(reader_line(r)) != 0)
		reader_gone(r);
	else if (coding != CODING_PLAIN)
		COUNT(READERS_DEFLATE);
}

const struct door_stream *stream_door(size_t sndbuf, bool deflates)
{
	static const struct door_stream ops = {NULL, has_room, begin};

	terms.sndbuf = sndbuf;
	terms.deflates = deflates;
	return &ops;
}
