/* stream.c - one reader's link: it connects, listens, notices its death, and comes back from where it was.
 *
 * The states are enum newswire_link's; set_link() is the only one to change them. One timer serves them
 * all: the wait before a try, the deadline of a handshake, and the watch over a silent link.
 */
#include "backoff.h"
#include "client.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HANDSHAKE_MS = 15000,  /* from the connection's begin to hello */
	STEADY_MS = 10000,     /* a link that lived so long ends a row of failures */
	MAX_RETRY_MS = 600000, /* no server makes us wait longer than this */
	MAX_TICK_S = 3600,
	GRACE_MS = 500, /* a second tick that is only a little late is not missed */
	REASON_SIZE = 256,
};

/* Always true between two loop events:
 *   1. in its client's list, until newswire_stream_close()
 *   2. WAITING, FAILED => wsi == NULL
 *   3. wsi's opaque user data is this, as long as wsi is here
 *   4. cursor is the position after the last message that the caller was given
 */
struct newswire_stream {
	LIST_ENTRY(newswire_stream) next;
	struct newswire_client *client;
	struct newswire_stream_handlers handlers;
	void *data;
	struct url url;
	struct gather path; /* with the filters, before the cursor */
	char cursor[NEWSWIRE_CURSOR_SIZE];

	enum newswire_link link;
	struct lws *wsi; /* borrowed */
	bool open;	 /* wsi is an established WebSocket */
	bool closed;	 /* newswire_stream_close() was called; the memory lives until on_closed */
	bool hearing;	 /* inside the door: the connection may not be dropped now */
	int hang_code;	 /* we are about to close with this code; 0 while all is well */
	uv_timer_t timer;
	uint64_t watch_ms;   /* LIVE: silence that means death */
	uint64_t live_since; /* uv_now() at hello */
	struct backoff backoff;
	int64_t retry_ms; /* what a bye said; -1 without one */
	int close_code;	  /* what the server's close frame said; 0 without one */
	char reason[REASON_SIZE];
	struct gather message; /* what has arrived of a message */
};

static const char *const type_names[] = {
	[NEWSWIRE_MESSAGE_HELLO] = NEWSWIRE_TYPE_HELLO,
	[NEWSWIRE_MESSAGE_POST] = NEWSWIRE_TYPE_POST,
	[NEWSWIRE_MESSAGE_TICK] = NEWSWIRE_TYPE_TICK,
	[NEWSWIRE_MESSAGE_GAP] = NEWSWIRE_TYPE_GAP,
	[NEWSWIRE_MESSAGE_BYE] = NEWSWIRE_TYPE_BYE,
	[NEWSWIRE_MESSAGE_ERROR] = NEWSWIRE_TYPE_ERROR,
	[NEWSWIRE_MESSAGE_SUBSCRIBED] = NEWSWIRE_TYPE_SUBSCRIBED,
};

static void try_now(uv_timer_t *timer);

/* --- the state -------------------------------------------------------------------------------- */

static void set_link(struct newswire_stream *s, enum newswire_link link, int code, uint32_t wait_ms)
{
	struct newswire_link_change change = {
		.link = link,
		.code = code,
		.reason = s->reason,
		.wait_ms = wait_ms,
		.cursor = s->cursor,
	};

	s->link = link;
	if (s->handlers.link && !s->closed)
		s->handlers.link(s->data, &change);
}

/* Would the same request be refused again? */
static bool is_final(int code)
{
	switch (code) {
	case NEWSWIRE_CLOSE_BINARY:
	case NEWSWIRE_CLOSE_BAD_UTF8:
	case NEWSWIRE_CLOSE_POLICY:
	case NEWSWIRE_CLOSE_BAD_SUBSCRIPTION:
	case NEWSWIRE_CLOSE_TOKEN_EXPIRED:
	case NEWSWIRE_CLOSE_FORBIDDEN:
		return true;
	case 408: /* too slow with the request; too early; too many: another time it may do */
	case 425:
	case 429:
		return false;
	default:
		return code >= 400 && code < 500;
	}
}

static uint32_t next_wait(struct newswire_stream *s)
{
	if (s->live_since && uv_now(s->client->loop) - s->live_since >= STEADY_MS)
		backoff_reset(&s->backoff);
	if (s->retry_ms >= 0)
		return (uint32_t)s->retry_ms;
	return backoff_next(&s->backoff, backoff_draw());
}

/* The link is gone, or never came to be: s->reason and code say why. */
static void lost(struct newswire_stream *s, int code)
{
	uint32_t wait_ms;

	if (s->wsi)
		lws_set_opaque_user_data(s->wsi, NULL);
	s->wsi = NULL;
	s->open = false;
	s->hang_code = 0;
	gather_clear(&s->message);
	uv_timer_stop(&s->timer);
	if (is_final(code)) {
		set_link(s, NEWSWIRE_LINK_FAILED, code, 0);
		return;
	}
	wait_ms = next_wait(s);
	s->live_since = 0;
	uv_timer_start(&s->timer, try_now, wait_ms, 0);
	set_link(s, NEWSWIRE_LINK_WAITING, code, wait_ms);
}

static void __attribute__((format(printf, 2, 3)))
say(struct newswire_stream *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	/* clang-tidy 14 overlooks the va_start. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
	vsnprintf(s->reason, sizeof s->reason, format, args);
	va_end(args);
}

static void drop(struct newswire_stream *s, int code)
{
	client_drop(&s->wsi, s->open ? code : 0);
}

static void on_handshake_late(uv_timer_t *timer)
{
	struct newswire_stream *s = timer->data;

	drop(s, NEWSWIRE_CLOSE_NORMAL);
	say(s, "no hello within %d s", HANDSHAKE_MS / 1000);
	lost(s, 0);
}

static void on_silence(uv_timer_t *timer)
{
	struct newswire_stream *s = timer->data;

	drop(s, 0); /* nobody is there to read a close code */
	say(s, "nothing arrived for %llu s", (unsigned long long)((s->watch_ms - GRACE_MS) / 1000));
	lost(s, 0);
}

static void try_now(uv_timer_t *timer)
{
	struct newswire_stream *s = timer->data;
	struct gather path;
	int status;

	gather_init(&path, URL_PATH_SIZE + NEWSWIRE_MAX_QUERY + 256);
	gather_adds(&path, gather_text(&s->path));
	url_add(&path, "since", s->cursor[0] ? s->cursor : NULL);
	s->retry_ms = -1;
	s->close_code = 0;
	s->reason[0] = '\0';
	uv_timer_start(&s->timer, on_handshake_late, HANDSHAKE_MS, 0);
	set_link(s, NEWSWIRE_LINK_CONNECTING, 0, 0);
	if (s->closed) {
		gather_free(&path);
		return;
	}
	status = path.problem != GATHER_OK
			 ? -1
			 : client_connect(s->client, &s->url, path.data, NULL, s, &s->wsi);
	gather_free(&path);
	if (status < 0 && s->link == NEWSWIRE_LINK_CONNECTING) {
		say(s, "cannot connect");
		lost(s, 0);
	}
}

/* --- open and close ------------------------------------------------------------------------------ */

static void on_closed(uv_handle_t *timer)
{
	struct newswire_stream *s = timer->data;

	gather_free(&s->path);
	gather_free(&s->message);
	free(s);
}

/* -1 with errno EINVAL or ENOMEM. */
static int take_query(struct newswire_stream *s, const struct newswire_query *query,
		      const char *since)
{
	errno = EINVAL;
	if (url_parse(&s->url, query->url) < 0)
		return -1;
	if (since && strlen(since) > NEWSWIRE_MAX_CURSOR)
		return -1;
	snprintf(s->cursor, sizeof s->cursor, "%s", since ? since : "");
	gather_init(&s->path, URL_PATH_SIZE + NEWSWIRE_MAX_QUERY);
	gather_adds(&s->path, s->url.path);
	gather_adds(&s->path, NEWSWIRE_PATH_STREAM);
	if (url_add_query(&s->path, query) == 0)
		return 0;
	if (s->path.problem == GATHER_NO_MEMORY)
		errno = ENOMEM;
	return -1;
}

struct newswire_stream *newswire_stream_open(struct newswire_client *client,
					     const struct newswire_query *query, const char *since,
					     const struct newswire_stream_handlers *handlers,
					     void *data)
{
	struct newswire_stream *s;

	if ((s = calloc(1, sizeof *s)) == NULL)
		return NULL;
	if (take_query(s, query, since) < 0) {
		gather_free(&s->path);
		free(s);
		return NULL;
	}
	s->client = client;
	s->handlers = *handlers;
	s->data = data;
	gather_init(&s->message, NEWSWIRE_MAX_MESSAGE);
	uv_timer_init(client->loop, &s->timer);
	s->timer.data = s;
	s->link = NEWSWIRE_LINK_WAITING;
	LIST_INSERT_HEAD(&client->streams, s, next);
	uv_timer_start(&s->timer, try_now, 0, 0);
	return s;
}

const char *newswire_stream_cursor(const struct newswire_stream *s)
{
	return s->cursor;
}

void stream_end(struct newswire_stream *s)
{
	s->closed = true;
	LIST_REMOVE(s, next);
	drop(s, NEWSWIRE_CLOSE_NORMAL);
	uv_close((uv_handle_t *)&s->timer, on_closed);
}

static void on_end(uv_timer_t *timer)
{
	stream_end(timer->data);
}

void newswire_stream_close(struct newswire_stream *s)
{
	if (s == NULL || s->closed)
		return;
	s->closed = true;
	if (s->hearing)
		uv_timer_start(&s->timer, on_end, 0, 0);
	else
		stream_end(s);
}

/* --- messages -------------------------------------------------------------------------------- */

static enum newswire_message_type type_of(const json_t *json)
{
	const char *name = json_string_value(json_object_get(json, "type"));
	size_t count = sizeof type_names / sizeof *type_names;

	for (size_t i = 0; name && i < count; i++)
		if (strcmp(name, type_names[i]) == 0)
			return (enum newswire_message_type)i;
	return NEWSWIRE_MESSAGE_OTHER;
}

static void take_hello(struct newswire_stream *s, const json_t *json)
{
	double tick = json_number_value(json_object_get(json, "tick"));

	if (!(tick > 0 && tick <= MAX_TICK_S))
		tick = NEWSWIRE_TICK_S;
	s->watch_ms = (uint64_t)(tick * 1000 * NEWSWIRE_TICKS_MISSED) + GRACE_MS;
	s->live_since = uv_now(s->client->loop);
	uv_timer_start(&s->timer, on_silence, s->watch_ms, 0);
	if (s->link == NEWSWIRE_LINK_CONNECTING)
		set_link(s, NEWSWIRE_LINK_LIVE, 0, 0);
}

static void take_bye(struct newswire_stream *s, const json_t *json)
{
	const json_t *retry = json_object_get(json, "retry_ms");
	const char *reason = json_string_value(json_object_get(json, "reason"));
	json_int_t ms = json_integer_value(retry);

	if (json_is_integer(retry) && ms >= 0)
		s->retry_ms = ms < MAX_RETRY_MS ? ms : MAX_RETRY_MS;
	if (reason)
		say(s, "%s", reason);
}

/* A position to resume from. The cursor of a hello or of a `subscribed` may lie ahead of posts that are
 * still to be caught up, so it counts only when there is none yet. */
static void take_cursor(struct newswire_stream *s, enum newswire_message_type type,
			const json_t *json)
{
	const char *cursor = json_string_value(json_object_get(json, "cursor"));
	bool ahead = type == NEWSWIRE_MESSAGE_HELLO || type == NEWSWIRE_MESSAGE_SUBSCRIBED;

	if (cursor == NULL || strlen(cursor) > NEWSWIRE_MAX_CURSOR || (ahead && s->cursor[0]))
		return;
	snprintf(s->cursor, sizeof s->cursor, "%s", cursor);
}

/* A whole message. Returns -1 if it is none. */
static int hear(struct newswire_stream *s)
{
	struct newswire_message message = {.text = gather_text(&s->message), .len = s->message.len};
	json_t *json = json_loadb(message.text, message.len, 0, NULL);

	if (!json_is_object(json)) {
		json_decref(json);
		say(s, "the server sent something that is not a JSON object");
		return -1;
	}
	message.type = type_of(json);
	message.json = json;
	take_cursor(s, message.type, json);
	message.cursor = s->cursor;
	if (message.type == NEWSWIRE_MESSAGE_HELLO)
		take_hello(s, json);
	else if (message.type == NEWSWIRE_MESSAGE_BYE)
		take_bye(s, json);
	if (s->handlers.message && !s->closed)
		s->handlers.message(s->data, &message);
	json_decref(json);
	return 0;
}

/* --- what libwebsockets says ------------------------------------------------------------------ */

static void on_hang_up(uv_timer_t *timer)
{
	struct newswire_stream *s = timer->data;

	drop(s, s->hang_code);
	lost(s, 0);
}

/* Closes the connection as soon as libwebsockets has returned; s->reason says why. Returning -1 from the
 * door would corrupt memory when more of a frame is to come (see client_turn_away()). */
static void hang_up(struct newswire_stream *s, int code)
{
	s->hang_code = code;
	uv_timer_start(&s->timer, on_hang_up, 0, 0);
}

/* A piece of a frame. */
static void receive(struct newswire_stream *s, struct lws *wsi, const void *piece, size_t len)
{
	if (s->hang_code)
		return;
	if (s->link == NEWSWIRE_LINK_LIVE)
		uv_timer_start(&s->timer, on_silence, s->watch_ms, 0);
	if (lws_frame_is_binary(wsi)) {
		say(s, "the server sent a binary message");
		hang_up(s, NEWSWIRE_CLOSE_BINARY);
	} else if (gather_add(&s->message, piece, len) < 0) {
		say(s, s->message.problem == GATHER_TOO_MUCH ? "the server sent too long a message"
							     : "out of memory");
		hang_up(s, NEWSWIRE_CLOSE_TOO_BIG);
	} else if (lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0) {
		if (hear(s) < 0)
			hang_up(s, NEWSWIRE_CLOSE_POLICY);
		gather_clear(&s->message);
	}
}

static void peer_closes(struct newswire_stream *s, const unsigned char *in, size_t len)
{
	if (len < 2)
		return;
	s->close_code = in[0] << 8 | in[1];
	if (len > 2)
		say(s, "%.*s", (int)(len - 2), (const char *)in + 2);
}

static void refused(struct newswire_stream *s, struct lws *wsi, const char *why, size_t len)
{
	int status = (int)lws_http_client_http_response(wsi);

	if (status >= 300 && status < 600) {
		say(s, "the server answered with HTTP status %d", status);
	} else if (status >= 200 && status < 300) {
		say(s, "what answered is not newswired: no WebSocket");
		status = 0;
	} else {
		why = client_explain(why, &len);
		say(s, "cannot connect: %.*s", why ? (int)len : 9, why ? why : "no reason");
		status = 0;
	}
	lost(s, status);
}

static void broken(struct newswire_stream *s)
{
	if (s->reason[0] == '\0')
		say(s, "the connection broke");
	lost(s, s->close_code);
}

int stream_door(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct newswire_stream *s = lws_get_opaque_user_data(wsi);
	char **at = in;

	(void)user;
	if (s == NULL)
		return client_turn_away(reason);
	if (s->closed) {
		if (reason == LWS_CALLBACK_CLIENT_CLOSED || reason == LWS_CALLBACK_WSI_DESTROY)
			s->wsi = NULL;
		return client_turn_away(reason);
	}
	switch (reason) {
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		return client_add_header(wsi, at, *at + len, "user-agent:", s->client->user_agent);
	case LWS_CALLBACK_CLIENT_HTTP_REDIRECT:
		say(s, "the server redirects, which is not followed: name the right address");
		lost(s, (int)len);
		return -1;
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		s->open = true;
		return 0;
	case LWS_CALLBACK_CLIENT_RECEIVE:
		s->hearing = true;
		receive(s, wsi, in, len);
		s->hearing = false;
		return 0;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		peer_closes(s, in, len);
		return 0;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		refused(s, wsi, in, len);
		return 0;
	case LWS_CALLBACK_CLIENT_CLOSED:
	case LWS_CALLBACK_WSI_DESTROY:
		broken(s);
		return 0;
	default:
		return 0;
	}
}
