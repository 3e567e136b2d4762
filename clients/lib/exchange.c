/* exchange.c - one HTTP request and its answer. */
#include "exchange.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { WRITE_BYTES = 65536, READ_BYTES = 16384, PROBLEM_SIZE = 512 };

/* Always true between two loop events:
 *   1. in its client's list, until finish() or exchange_cancel()
 *   2. settled  => wsi == NULL, and the timer is set to call finish()
 *   3. wsi's opaque user data is this, as long as wsi is here
 */
struct exchange {
	LIST_ENTRY(exchange) next;
	struct newswire_client *client;
	struct lws *wsi;  /* borrowed; NULL before and after the connection */
	uv_timer_t timer; /* first to begin, then the deadline, then finish() */
	uint64_t timeout_ms;
	struct url url;
	const char *method; /* a literal of whoever asked */
	char *path;
	char *authorization; /* "Bearer …", or NULL */
	char *body;	     /* LWS_PRE bytes before it are room for libwebsockets; NULL for GET */
	size_t len, written;
	struct gather answer;
	int status;	 /* of the answer; 0 until its head is here */
	bool has_length; /* the answer says how long it is */
	bool sent;	 /* the request's head, at least, left */
	bool settled;
	char problem[PROBLEM_SIZE];
	newswire_answer_cb *done;
	void *data;
	void *owned; /* freed with this */
};

static void on_closed(uv_handle_t *timer)
{
	struct exchange *x = timer->data;

	gather_free(&x->answer);
	free(x->path);
	free(x->authorization);
	free(x->body);
	free(x->owned);
	free(x);
}

/* Frees it in the loop's own time: libuv still holds the timer. */
static void leave(struct exchange *x)
{
	LIST_REMOVE(x, next);
	client_drop(&x->wsi, 0);
	uv_close((uv_handle_t *)&x->timer, on_closed);
}

void exchange_cancel(struct exchange *exchange)
{
	leave(exchange);
}

static bool is_success(int status)
{
	return status >= 200 && status < 300;
}

/* Tells the caller, outside of any libwebsockets callback. */
static void finish(uv_timer_t *timer)
{
	struct exchange *x = timer->data;
	struct newswire_answer answer = {.sent = x->sent};
	json_t *json = NULL;

	if (x->status) {
		answer.status = x->status;
		answer.text = gather_text(&x->answer);
		answer.len = x->answer.len;
		answer.json = json = json_loadb(answer.text, answer.len, 0, NULL);
		if (!is_success(x->status))
			exchange_explain(x->problem, sizeof x->problem, x->status, json);
	} else {
		answer.text = "";
	}
	answer.problem = x->problem[0] ? x->problem : NULL;
	x->done(x->data, &answer);
	json_decref(json);
	leave(x);
}

/* The answer is known, or that there is none: say so at the loop's next turn. */
static void settle(struct exchange *x)
{
	if (x->settled)
		return;
	x->settled = true;
	if (x->wsi)
		lws_set_opaque_user_data(x->wsi, NULL); /* its door closes it */
	x->wsi = NULL;
	uv_timer_start(&x->timer, finish, 0, 0);
}

static void fail(struct exchange *x, const char *problem)
{
	if (x->settled)
		return;
	x->status = 0;
	snprintf(x->problem, sizeof x->problem, "%s", problem);
	settle(x);
}

static void connection_failed(struct exchange *x, const char *why, size_t len);

static void on_deadline(uv_timer_t *timer)
{
	struct exchange *x = timer->data;
	char problem[64];

	client_drop(&x->wsi, 0);
	snprintf(problem, sizeof problem, "no answer within %llu s",
		 (unsigned long long)(x->timeout_ms / 1000));
	fail(x, problem);
}

static void on_begin(uv_timer_t *timer)
{
	struct exchange *x = timer->data;

	uv_timer_start(&x->timer, on_deadline, x->timeout_ms, 0);
	if (client_connect(x->client, &x->url, x->path, x->method, x, &x->wsi) < 0)
		connection_failed(x, NULL, 0);
}

static int copy_request(struct exchange *x, const struct exchange_request *request)
{
	x->url = *request->url;
	x->method = request->method ? request->method : request->body ? "POST" : "GET";
	x->timeout_ms = request->timeout_ms ? request->timeout_ms : EXCHANGE_TIMEOUT_MS;
	if (asprintf(&x->path, "%s%s", x->url.path, request->path) < 0) {
		x->path = NULL;
		return -1;
	}
	if (request->key && asprintf(&x->authorization, "Bearer %s", request->key) < 0) {
		x->authorization = NULL;
		return -1;
	}
	if (request->body) {
		if ((x->body = malloc(LWS_PRE + request->len + 1)) == NULL)
			return -1;
		memcpy(x->body + LWS_PRE, request->body, request->len);
		x->len = request->len;
	}
	return 0;
}

/* RFC 6750's b64token, told by what it may not be: a line break would forge a header. */
static bool key_is_sane(const char *key)
{
	if (key == NULL)
		return true;
	for (const char *c = key; *c; c++)
		if (*c <= ' ' || *c == 0x7f)
			return false;
	return *key != '\0' && strlen(key) < 4096;
}

int exchange_start(struct newswire_client *client, const struct exchange_request *request,
		   newswire_answer_cb *done, void *data)
{
	struct exchange *x;

	if (!key_is_sane(request->key)) {
		free(request->owned);
		errno = EINVAL;
		return -1;
	}
	if ((x = calloc(1, sizeof *x)) == NULL) {
		free(request->owned);
		return -1;
	}
	x->owned = request->owned;
	x->client = client;
	x->done = done;
	x->data = data;
	gather_init(&x->answer, NEWSWIRE_MAX_MESSAGE);
	uv_timer_init(client->loop, &x->timer);
	x->timer.data = x;
	LIST_INSERT_HEAD(&client->exchanges, x, next);
	if (copy_request(x, request) < 0) {
		leave(x);
		errno = ENOMEM;
		return -1;
	}
	uv_timer_start(&x->timer, on_begin, 0, 0);
	return 0;
}

int exchange_ask(struct newswire_client *client, const char *url, struct exchange_request *request,
		 struct gather *path, newswire_answer_cb *done, void *data)
{
	struct url where;
	int status = -1;

	if (path->problem != GATHER_OK || url_parse(&where, url) < 0) {
		errno = path->problem == GATHER_NO_MEMORY ? ENOMEM : EINVAL;
		free(request->owned);
	} else {
		request->url = &where;
		request->path = path->data;
		status = exchange_start(client, request, done, data);
	}
	gather_free(path);
	return status;
}

/* --- what libwebsockets says -------------------------------------------------------------------- */

static int add_headers(struct exchange *x, struct lws *wsi, void *in, size_t room)
{
	char **at = in, *end = *at + room, length[24];

	x->sent = true;
	if (client_add_header(wsi, at, end, "user-agent:", x->client->user_agent) ||
	    client_add_header(wsi, at, end, "accept:", "application/json"))
		return -1;
	if (x->authorization && client_add_header(wsi, at, end, "authorization:", x->authorization))
		return -1;
	if (x->body == NULL)
		return 0;
	snprintf(length, sizeof length, "%zu", x->len);
	if (client_add_header(wsi, at, end, "content-type:", "application/json") ||
	    client_add_header(wsi, at, end, "content-length:", length))
		return -1;
	lws_client_http_body_pending(wsi, 1);
	lws_callback_on_writable(wsi);
	return 0;
}

/* A server that refuses a request need not wait for all of it (RFC 9110, 15.5.14). What it said is lost
 * if we go on writing to a connection that it has closed. Under TLS, what waits may be no answer but
 * the protocol's own. */
static bool has_answered(const struct exchange *x, struct lws *wsi)
{
	int waiting = 0;

	return !x->url.tls && ioctl(lws_get_socket_fd(wsi), FIONREAD, &waiting) == 0 && waiting > 0;
}

static int write_body(struct exchange *x, struct lws *wsi)
{
	size_t left = x->len - x->written;
	size_t n = left < WRITE_BYTES ? left : WRITE_BYTES;
	unsigned char *from = (unsigned char *)x->body + LWS_PRE + x->written;

	if (x->body == NULL || left == 0)
		return 0;
	if (has_answered(x, wsi)) {
		x->written = x->len;
		lws_client_http_body_pending(wsi, 0);
		return 0;
	}
	if (lws_write(wsi, from, n, n == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) != (int)n)
		return -1;
	x->written += n;
	if (x->written == x->len)
		lws_client_http_body_pending(wsi, 0);
	else
		lws_callback_on_writable(wsi);
	return 0;
}

static int read_head(struct exchange *x, struct lws *wsi)
{
	x->status = (int)lws_http_client_http_response(wsi);
	x->has_length = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0 ||
			lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
	return 0;
}

static int read_body(struct lws *wsi)
{
	char room[LWS_PRE + READ_BYTES], *at = room + LWS_PRE;
	int len = READ_BYTES;

	return lws_http_client_read(wsi, &at, &len) < 0 ? -1 : 0;
}

static int read_piece(struct exchange *x, const void *piece, size_t len)
{
	if (gather_add(&x->answer, piece, len) == 0)
		return 0;
	fail(x, x->answer.problem == GATHER_TOO_MUCH ? "the answer is too long" : "out of memory");
	return -1;
}

static void connection_failed(struct exchange *x, const char *why, size_t len)
{
	char problem[PROBLEM_SIZE];

	why = client_explain(why, &len);
	snprintf(problem, sizeof problem, "%s %s%s%.*s",
		 x->sent ? "no answer came from" : "cannot connect to", x->url.authority,
		 why ? ": " : "", why ? (int)len : 0, why ? why : "");
	fail(x, problem);
}

/* Closed: with a whole answer that had no length, or too early. */
static void connection_closed(struct exchange *x)
{
	if (x->status && !x->has_length)
		settle(x);
	else
		fail(x, x->status ? "the connection broke in the middle of the answer"
				  : "the connection was closed without an answer");
}

int exchange_door(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		  size_t len)
{
	struct exchange *x = lws_get_opaque_user_data(wsi);

	(void)user;
	if (x == NULL)
		return client_turn_away(reason);
	switch (reason) {
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		return add_headers(x, wsi, in, len);
	case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
		return write_body(x, wsi);
	case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
		return read_head(x, wsi);
	case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
		return read_body(wsi);
	case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
		return read_piece(x, in, len);
	case LWS_CALLBACK_CLIENT_HTTP_REDIRECT:
		x->status = (int)len; /* the status is in there; in is where to */
		settle(x);
		return -1;
	case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
		settle(x);
		return -1;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		connection_failed(x, in, len);
		return 0;
	case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
	case LWS_CALLBACK_WSI_DESTROY:
		connection_closed(x);
		return 0;
	default:
		return 0;
	}
}

/* --- explaining ------------------------------------------------------------------------------- */

static const char *member(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text ? text : "";
}

void exchange_explain(char *out, size_t size, int status, const struct json_t *json)
{
	const char *code = member(json, "code"), *detail = member(json, "detail");
	const json_t *first = json_array_get(json_object_get(json, "errors"), 0);
	const char *pointer = member(first, "pointer"), *what = member(first, "detail");

	if (*detail == '\0')
		detail = *what ? what : member(json, "title");
	if (*code == '\0' && *detail == '\0') {
		snprintf(out, size, "the server answered with HTTP status %d", status);
		return;
	}
	snprintf(out, size, "%s%s%s%s%s%s", code, *code && *detail ? ": " : "", detail,
		 *pointer ? " (" : "", pointer, *pointer ? ")" : "");
}
