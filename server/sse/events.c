/* events.c - a request for events becomes a reader. */
#include "sse/events.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <newswire/protocol.h>
#include "base/backoff.h"
#include "base/counters.h"
#include "http/asking.h"
#include "http/full.h"
#include "http/request.h"
#include "line/line.h"
#include "reader/canary.h"

#define STREAM_HEADERS \
	"cache-control: no-store, no-transform\r\n" \
	"x-accel-buffering: no\r\n" \
	"vary: accept, accept-encoding\r\n"
#define GZIP_HEADERS STREAM_HEADERS "content-encoding: gzip\r\n"

/* A reader's line. */
struct stream {
	struct line line;
	uint16_t heard; /* bytes that came and were thrown away */
};

/* As events_door() was told. */
static struct {
	size_t sndbuf;
	bool compresses;
} how;

/* What a request asks for. */
struct asked {
	struct subscription *subscription;
	enum format format;
	bool has_since;
	struct cursor since;
};

/* --- judging ---------------------------------------------------------------------------------- */

static void refuse(struct request *r, const char *code, const char *detail)
{
	request_problem(r, 400, code, detail, "cache-control: no-store\r\n", NULL);
}

/* A browser sends the last id that it saw at this URL, even if another server gave it: that is a place that is not known
 * any more, and no reason to refuse it for good. */
static bool read_last_event_id(struct request *r, struct asked *asked)
{
	static const char name[] = "last-event-id:";
	char text[CURSOR_TEXT_MAX];
	int len = lws_hdr_custom_length(r->wsi, name, sizeof name - 1);

	if (len <= 0)
		return false;
	asked->has_since = true;
	if (lws_hdr_custom_copy(r->wsi, text, sizeof text, name, sizeof name - 1) < 0 ||
	    cursor_parse(text, strlen(text), &asked->since) != 0)
		asked->since = (struct cursor){0};
	return true;
}

/* 0, or -1: it was refused. */
static int read_since(struct request *r, struct asked *asked)
{
	const char *text = query_get(&r->query, QUERY_LAST_EVENT_ID);

	if (read_last_event_id(r, asked))
		return 0;
	if (text == NULL)
		text = query_get(&r->query, QUERY_SINCE);
	if (text == NULL)
		return 0;
	asked->has_since = true;
	if (cursor_parse(text, strlen(text), &asked->since) == 0)
		return 0;
	refuse(r, "bad_cursor",
	       "`since` (or `last_event_id`) is not a cursor: <epoch>:<number>-<number>");
	return -1;
}

/* The server's own reader: news comes to it as to any other, and its subscription is one that nobody may ask for. 0, or -1: it
 * was refused. */
static int read_own(struct request *r, struct asked *asked)
{
	*asked = (struct asked){.format = FORMAT_EVENT};
	asked->subscription = canary_subscription(door_setup_of(r->door)->canary);
	if (asked->subscription != NULL)
		return 0;
	request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	return -1;
}

/* 0, or -1: it was refused. */
static int read_asked(struct request *r, struct asked *asked)
{
	struct subscription_fault fault;

	*asked = (struct asked){.format = how.compresses && r->takes_gzip ? FORMAT_EVENT_GZIP
									  : FORMAT_EVENT};
	if (read_since(r, asked) != 0)
		return -1;
	asked->subscription = asking_read(door_setup_of(r->door)->readers, &r->query, &fault);
	if (asked->subscription != NULL)
		return 0;
	refuse(r, fault.code, fault.detail);
	return -1;
}

/* --- opening ---------------------------------------------------------------------------------- */

static const char *headers_of(enum format format)
{
	return format_is_coded(format) ? GZIP_HEADERS : STREAM_HEADERS;
}

/* A wait alone, which fires no event. */
static void write_wait(enum format format, struct buf *out)
{
	uint32_t ms =
		EVENTS_RETRY_MIN_MS + backoff_random(EVENTS_RETRY_MAX_MS - EVENTS_RETRY_MIN_MS + 1);

	format_wrap(format, &(struct face){.type = NEWSWIRE_TYPE_TICK, .retry_ms = ms}, "", 0, out);
}

/* The head and the wait go out with `hello`, in one packet. 0 or -1. */
static int send_head(int fd, const struct request *r, enum format format)
{
	struct buf head = {0};
	int result;

	request_write_head(r, "text/event-stream", headers_of(format), &head);
	format_begin(format, &head);
	write_wait(format, &head);
	result = head.failed ? -1 : line_greet(fd, head.data, head.len, true);
	buf_free(&head);
	return result;
}

static struct reader *reader_of(struct line *line)
{
	return reader_of_line(CONTAINER_OF(line, struct stream, line));
}

static enum line_fate heard(struct line *line, char *bytes, size_t len)
{
	struct stream *st = CONTAINER_OF(line, struct stream, line);

	(void)bytes;
	if (st->heard > EVENTS_HEARD_MAX)
		return LINE_LIVES; /* it is being closed */
	st->heard = (uint16_t)(len > EVENTS_HEARD_MAX ? EVENTS_HEARD_MAX + 1 : st->heard + len);
	if (st->heard > EVENTS_HEARD_MAX) {
		COUNT(CLIENT_BAD);
		reader_close(reader_of(line), CLOSE_TOO_MANY);
	}
	return LINE_LIVES;
}

static enum line_fate room(struct line *line)
{
	reader_turn(reader_of(line));
	return LINE_LIVES;
}

static void ended(struct line *line)
{
	reader_gone(reader_of(line));
}

static void line_close(void *line, enum close_why why, bool blocked)
{
	(void)why; /* there is no close code: `bye` has said it, or nobody would read it */
	line_end(line, blocked ? LINE_ENDS : LINE_PARTS);
}

const struct reader_line *events_line(void)
{
	static const struct reader_line ops = {
		.size = sizeof(struct stream), READER_WRITES_TO_LINE, .close = line_close};

	return &ops;
}

/* From here on the socket is ours, whatever happens. Takes the subscription over. */
static void open_line(struct request *r, int fd, struct asked *asked)
{
	static const struct line_events events = {heard, room, ended};
	const struct door_setup *setup = door_setup_of(r->door);
	struct stream st = {.line = {.fd = fd, .events = &events, .all = setup->lines}};
	struct reader *reader = NULL;

	line_bound(fd, how.sndbuf);
	if (send_head(fd, r, asked->format) != 0)
		subscription_free(asked->subscription);
	else
		reader = reader_open(setup->readers, asked->format, &st, asked->subscription,
				     asked->has_since ? &asked->since : NULL);
	if (reader == NULL) {
		line_drop(&st.line);
	} else if (line_watch(reader_line(reader)) != 0) {
		line_drop(reader_line(reader));
		reader_gone(reader);
	} else if (format_is_coded(asked->format)) {
		COUNT(READERS_DEFLATE);
	}
}

static void begin(void *owner, struct request *r)
{
	struct asked asked;
	int fd;

	(void)owner;
	if ((door_is_own(r->door, r->wsi) ? read_own : read_asked)(r, &asked) != 0)
		return;
	if (r->method == METHOD_HEAD) {
		subscription_free(asked.subscription);
		request_answer_head(r, "text/event-stream", headers_of(asked.format));
	} else if ((fd = request_take_socket(r)) < 0) {
		subscription_free(asked.subscription);
		request_problem(r, 503, FULL_CODE, FULL_DETAIL, full_retry_reader(), NULL);
	} else {
		open_line(r, fd, &asked);
	}
}

const struct door_events *events_door(size_t sndbuf, bool compresses)
{
	static const struct door_events ops = {NULL, begin};

	how.sndbuf = sndbuf;
	how.compresses = compresses;
	return &ops;
}
