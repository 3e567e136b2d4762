/* events.c - a request for events becomes a reader. */
#include "sse/events.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <newswire/protocol.h>
#include "base/backoff.h"
#include "base/counters.h"
#include "http/encoding.h"
#include "http/request.h"
#include "sse/line.h"

#define STREAM_HEADERS \
	"cache-control: no-store, no-transform\r\n" \
	"x-accel-buffering: no\r\n" \
	"vary: accept, accept-encoding\r\n"
#define GZIP_HEADERS STREAM_HEADERS "content-encoding: gzip\r\n"

/* A longer Accept-Encoding is none that we take. */
enum { ENCODINGS_SIZE = 256 };

struct events {
	struct door_events door_ops;
	struct lines *lines;
	struct door *door; /* of the last request: a worker has one */
	int sndbuf;
	bool compresses;
};

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

static bool takes_gzip(const struct request *r)
{
	char header[ENCODINGS_SIZE];

	return lws_hdr_copy(r->wsi, header, sizeof header, WSI_TOKEN_HTTP_ACCEPT_ENCODING) > 0 &&
	       encoding_takes_gzip(header);
}

/* 0, or -1: it was refused. */
static int read_asked(const struct events *all, struct request *r, struct asked *asked)
{
	const struct query *q = &r->query;
	struct subscription_fault fault;

	*asked = (struct asked){.format = all->compresses && takes_gzip(r) ? FORMAT_EVENT_GZIP
									   : FORMAT_EVENT};
	if (read_since(r, asked) != 0)
		return -1;
	asked->subscription = query_subscription(q, query_get(q, QUERY_CHANNELS), &fault);
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
	ssize_t sent;
	int result;

	request_write_head(r, "text/event-stream", headers_of(format), &head);
	format_begin(format, &head);
	write_wait(format, &head);
	sent = head.failed ? -1
			   : send(fd, head.data, head.len, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE);
	result = sent == (ssize_t)head.len ? 0 : -1;
	buf_free(&head);
	return result;
}

/* From here on the socket is ours, whatever happens. Takes the subscription over. */
static void open_line(struct events *all, struct request *r, int fd, struct asked *asked)
{
	const struct line line = {.fd = fd, .all = all->lines};
	struct readers *readers = door_setup_of(r->door)->readers;
	struct reader *reader = NULL;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &all->sndbuf, sizeof all->sndbuf);
	if (send_head(fd, r, asked->format) != 0)
		subscription_free(asked->subscription);
	else
		reader = reader_open(readers, asked->format, &line, asked->subscription,
				     asked->has_since ? &asked->since : NULL);
	if (reader == NULL) {
		close(fd);
		door_socket_freed(r->door);
	} else {
		if (format_is_coded(asked->format))
			COUNT(READERS_DEFLATE);
		(void)!line_watch(reader);
	}
}

static void begin(void *owner, struct request *r)
{
	struct events *all = owner;
	struct asked asked;
	int fd;

	all->door = r->door;
	if (read_asked(all, r, &asked) != 0)
		return;
	if (r->method == METHOD_HEAD) {
		subscription_free(asked.subscription);
		request_answer_head(r, "text/event-stream", headers_of(asked.format));
	} else if ((fd = request_take_socket(r)) < 0) {
		subscription_free(asked.subscription);
		request_problem(r, 503, "full", "as many connections as this worker may hold",
				"retry-after: 5\r\n", NULL);
	} else {
		open_line(all, r, fd, &asked);
	}
}

/* --- all of them ------------------------------------------------------------------------------ */

static void freed(void *arg)
{
	struct events *all = arg;

	door_socket_freed(all->door);
}

struct events *events_new(uv_loop_t *loop, size_t sndbuf, bool compresses)
{
	struct events *all = calloc(1, sizeof *all);

	if (all == NULL)
		return NULL;
	all->door_ops = (struct door_events){all, begin};
	all->sndbuf = (int)sndbuf;
	all->compresses = compresses;
	if ((all->lines = lines_new(loop, freed, all)) != NULL)
		return all;
	free(all);
	return NULL;
}

const struct door_events *events_door(struct events *all)
{
	return &all->door_ops;
}

void events_close(struct events *all)
{
	lines_close(all->lines);
}

void events_free(struct events *all)
{
	if (all == NULL)
		return;
	lines_free(all->lines);
	free(all);
}
