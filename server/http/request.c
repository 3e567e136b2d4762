/* request.c - the head is read, the body is gathered, the answer is written; then the connection closes. */
#include "http/request.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "base/counters.h"
#include "http/answers.h"
#include "http/encoding.h"
#include "http/problem.h"
#include "http/routes.h"

enum { ENCODINGS_SIZE = 256 }; /* a longer Accept-Encoding is none that we take */

/* --- the head --------------------------------------------------------------------------------- */

static enum method method_of(struct lws *wsi, int *uri_token)
{
	static const struct {
		enum lws_token_indexes token;
		enum method method;
	} rows[] = {
		{WSI_TOKEN_GET_URI, METHOD_GET},	 {WSI_TOKEN_HEAD_URI, METHOD_HEAD},
		{WSI_TOKEN_POST_URI, METHOD_POST},	 {WSI_TOKEN_PUT_URI, METHOD_OTHER},
		{WSI_TOKEN_DELETE_URI, METHOD_DELETE},	 {WSI_TOKEN_PATCH_URI, METHOD_OTHER},
		{WSI_TOKEN_OPTIONS_URI, METHOD_OPTIONS},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		*uri_token = (int)rows[i].token;
		if (lws_hdr_total_length(wsi, rows[i].token) > 0)
			return rows[i].method;
	}
	return METHOD_OTHER;
}

/* NULL: there is none, or no memory for it, which *is_short remembers. */
static char *header(struct lws *wsi, int token, bool *is_short)
{
	int len = lws_hdr_total_length(wsi, (enum lws_token_indexes)token);
	char *text = len > 0 ? malloc((size_t)len + 1) : NULL;

	if (text == NULL) {
		*is_short = *is_short || len > 0;
		return NULL;
	}
	if (lws_hdr_copy(wsi, text, len + 1, (enum lws_token_indexes)token) < 0)
		text[0] = '\0';
	return text;
}

static char *bearer(struct lws *wsi, bool *is_short)
{
	char *text = header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, is_short);

	if (text != NULL && strncasecmp(text, "Bearer ", 7) == 0) {
		memmove(text, text + 7, strlen(text + 7) + 1);
		return text;
	}
	free(text);
	return NULL;
}

char *request_bearer(struct lws *wsi)
{
	bool is_short = false;

	return bearer(wsi, &is_short);
}

/* Superdesk signs what it posts. */
static char *signature(struct lws *wsi, bool *is_short)
{
	static const char name[] = "x-superdesk-signature:";
	int len = lws_hdr_custom_length(wsi, name, sizeof name - 1);
	char *text = len > 0 ? malloc((size_t)len + 1) : NULL;

	if (text == NULL) {
		*is_short = *is_short || len > 0;
		return NULL;
	}
	if (lws_hdr_custom_copy(wsi, text, len + 1, name, sizeof name - 1) < 0)
		text[0] = '\0';
	return text;
}

long request_content_length(struct lws *wsi)
{
	char text[24];
	int len = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);

	if (len <= 0)
		return -1;
	if (len > 12 || lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0)
		return -2;
	for (int i = 0; text[i] != '\0'; i++)
		if (!isdigit((unsigned char)text[i]))
			return -2;
	return strtol(text, NULL, 10);
}

static bool takes_gzip(struct lws *wsi)
{
	char header[ENCODINGS_SIZE];

	return lws_hdr_copy(wsi, header, sizeof header, WSI_TOKEN_HTTP_ACCEPT_ENCODING) > 0 &&
	       encoding_takes_gzip(header);
}

struct request *request_begin(struct door *door, struct lws *wsi)
{
	struct request *r = calloc(1, sizeof *r);
	bool is_short = false;
	int token;

	if (r == NULL)
		return NULL;
	r->door = door;
	r->wsi = wsi;
	r->method = method_of(wsi, &token);
	if ((r->path = header(wsi, token, &is_short)) == NULL)
		r->path = strdup("/");
	r->key = bearer(wsi, &is_short);
	if (r->method == METHOD_POST)
		r->signature = signature(wsi, &is_short);
	r->if_none_match = header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, &is_short);
	r->takes_gzip = takes_gzip(wsi);
	r->content_type = header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, &is_short);
	r->host = header(wsi, WSI_TOKEN_HOST, &is_short);
	r->origin = header(wsi, WSI_TOKEN_ORIGIN, &is_short);
	r->query_failed = query_read(&r->query, wsi) != 0;
	if (is_short ||
	    r->path == NULL) { /* without what could not be kept, it would be another request */
		request_free(r);
		return NULL;
	}
	routes_begin(r);
	return r;
}

/* --- the body --------------------------------------------------------------------------------- */

/* Bytes of all bodies of this worker, held from here on by the request: is there room for them? */
static size_t bodies_held;

static bool hold_body(struct request *r, size_t len)
{
	size_t max = r->who != NULL ? REQUEST_BODIES_MAX : REQUEST_BODIES_MAX / 4;

	if (bodies_held + len > max)
		return false;
	bodies_held += len;
	r->body_held += len;
	return true;
}

static void let_go_of_body(struct request *r)
{
	bodies_held -= r->body_held;
	r->body_held = 0;
}

int request_body(struct request *r, const char *bytes, size_t len)
{
	if (r->body_ended)
		return -1; /* libwebsockets would spin on them while Redis is asked */
	if (r->method != METHOD_POST)
		return 0; /* libwebsockets reads a body after any method; nobody asked for it */
	if (r->body.len + len > r->body_max)
		return -1; /* more than its Content-Length said */
	if (!hold_body(r, len)) {
		request_problem(r, 503, "busy", "too much is being posted at once; try again",
				"retry-after: 1\r\n", NULL);
		return request_goes_on(r);
	}
	buf_add(&r->body, bytes, len);
	return r->body.failed ? -1 : 0;
}

int request_body_ends(struct request *r)
{
	if (r->body_ended)
		return -1;
	r->body_ended = true;
	if (r->method == METHOD_POST && r->answer.len == 0 && !r->answer.failed)
		routes_body(r);
	return request_goes_on(r);
}

static bool says(struct lws *wsi, enum lws_token_indexes token, const char *word)
{
	char text[32];

	return lws_hdr_copy(wsi, text, sizeof text, token) > 0 && strcasecmp(text, word) == 0;
}

/* Some send a body only when they are told to go on (RFC 9110, 10.1.1); one of HTTP/1.0 is not asked. */
static void ask_for_body(struct request *r)
{
	static char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (r->method == METHOD_POST && !r->body_ended && r->body.len == 0 && r->body_max > 0 &&
	    says(r->wsi, WSI_TOKEN_HTTP_EXPECT, "100-continue") &&
	    says(r->wsi, WSI_TOKEN_HTTP, "HTTP/1.1"))
		(void)lws_write(r->wsi, (unsigned char *)go_on, sizeof go_on - 1, LWS_WRITE_HTTP);
}

int request_goes_on(struct request *r)
{
	if (r->taken || (r->answer.failed && !r->sent))
		return -1;
	if (r->answer.len == 0 && !r->sent)
		ask_for_body(r);
	if (r->answer.len == 0 || r->sent)
		return 0;
	/* What is known at once is written at once: libwebsockets would first wait for a refused
	 * body, or for requests that were sent after this one and are never read. */
	return request_write(r);
}

/* --- the answer ------------------------------------------------------------------------------- */

/* cors: headers too, or NULL. */
static void write_head(struct buf *out, int status, const char *type, const char *cors,
		       const char *headers)
{
	buf_addf(out, "HTTP/1.1 %d %s\r\nserver: newswired\r\nconnection: close\r\n", status,
		 problem_title(status));
	buf_adds(out, "x-content-type-options: nosniff\r\n");
	if (type != NULL)
		buf_addf(out, "content-type: %s\r\n", type);
	if (cors != NULL)
		buf_adds(out, cors);
	buf_adds(out, headers);
}

static void write_answer(struct buf *out, bool head_only, int status, const char *type,
			 const char *cors, const char *headers, const void *body, size_t len)
{
	write_head(out, status, type, cors, headers);
	if (status != 304 && status != 204)
		buf_addf(out, "content-length: %zu\r\n", len);
	buf_adds(out, "\r\n");
	if (!head_only)
		buf_add(out, body, len);
}

static void answer_soon(struct request *r)
{
	if (r->answer.failed)
		lws_set_timeout(r->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
	else
		lws_callback_on_writable(r->wsi);
}

void request_answer(struct request *r, int status, const char *type, const char *headers,
		    const void *body, size_t len)
{
	MUST(r->answer.len == 0);
	if (status >= 400)
		COUNT(HTTP_REFUSED);
	write_answer(&r->answer, r->method == METHOD_HEAD, status, type, r->cors.data, headers,
		     body, len);
	answer_soon(r);
}

void request_write_head(const struct request *r, const char *type, const char *headers,
			struct buf *out)
{
	write_head(out, 200, type, r->cors.data, headers);
	buf_adds(out, "\r\n");
}

void request_answer_head(struct request *r, const char *type, const char *headers)
{
	MUST(r->answer.len == 0);
	request_write_head(r, type, headers, &r->answer);
	answer_soon(r);
}

int request_take_socket(struct request *r)
{
	int fd = door_take_socket(r->door, r->wsi);

	r->taken = fd >= 0;
	return fd;
}

static void problem_json(struct buf *out, int status, const char *code, const char *detail,
			 const struct item_report *report)
{
	buf_adds(out, "{\"type\":\"about:blank\",");
	problem_members(out, status, code, detail, report);
	buf_adds(out, "}\n");
}

void request_problem(struct request *r, int status, const char *code, const char *detail,
		     const char *headers, const struct item_report *report)
{
	struct buf json = {0};

	problem_json(&json, status, code, detail, report);
	request_answer(r, status, "application/problem+json", headers, json.data, json.len);
	buf_free(&json);
}

void request_write_problem(struct buf *out, bool head_only, int status, const char *code,
			   const char *detail, const char *headers,
			   const struct item_report *report)
{
	struct buf json = {0};

	COUNT(HTTP_REFUSED);
	problem_json(&json, status, code, detail, report);
	write_answer(out, head_only, status, "application/problem+json", NULL, headers, json.data,
		     json.len);
	buf_free(&json);
}

/* May there be a body that has not come whole? Some who post announce none, and send one. */
static bool body_may_come(const struct request *r)
{
	long length;

	if (r->body_ended)
		return false;
	if (lws_hdr_total_length(r->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
		return true;
	length = request_content_length(r->wsi);
	return length == -1 ? r->method == METHOD_POST : length != 0;
}

/* As much as the kernel takes; the rest of it leaves libwebsockets with its socket. So does an answer before the end of
 * the body: a socket that is closed while bytes come is reset, and the answer is lost (RFC 9112, 9.6). And so does all that is to
 * be encrypted. */
static void send_answer(struct request *r)
{
	ssize_t sent = lws_is_ssl(r->wsi) ? 0
					  : send(lws_get_socket_fd(r->wsi), r->answer.data,
						 r->answer.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	bool whole;
	int fd;

	r->sent = true;
	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		sent = 0;
	whole = sent == (ssize_t)r->answer.len;
	if (sent < 0 || (whole && !body_may_come(r)))
		return;
	if ((fd = request_take_socket(r)) >= 0)
		answers_go_on(door_answers(r->door), fd, &r->answer, (size_t)sent);
	else if (!whole)
		COUNT(ANSWERS_CUT);
}

int request_write(struct request *r)
{
	if (r->answer.len == 0)
		return 0;
	if (!r->sent)
		send_answer(r);
	return -1;
}

/* A list of ETags, or `*`; a proxy that compressed an answer has made `W/"…"` of its ETag. */
bool request_knows(const struct request *r, const char *etag)
{
	return r->if_none_match != NULL && etag[0] != '\0' &&
	       (strcmp(r->if_none_match, "*") == 0 || strstr(r->if_none_match, etag) != NULL);
}

/* --- tickets and the end ---------------------------------------------------------------------- */

struct ticket *request_ticket(struct request *r)
{
	MUST(r->ticket == NULL);
	if ((r->ticket = malloc(sizeof *r->ticket)) != NULL)
		r->ticket->request = r;
	return r->ticket;
}

struct request *ticket_use(struct ticket *t)
{
	struct request *r = t->request;

	if (r != NULL)
		r->ticket = NULL;
	free(t);
	return r;
}

void request_free(struct request *r)
{
	if (r == NULL)
		return;
	if (r->ticket != NULL)
		r->ticket->request = NULL;
	if (r->body_max > 0 && !r->body_ended && r->answer.len == 0)
		COUNT(HTTP_CUT_SHORT);
	let_go_of_body(r);
	query_free(&r->query);
	buf_free(&r->body);
	buf_free(&r->answer);
	free(r->path);
	if (r->key != NULL)
		explicit_bzero(r->key, strlen(r->key));
	free(r->key);
	free(r->signature);
	publisher_unref(r->who);
	free(r->if_none_match);
	free(r->content_type);
	free(r->host);
	free(r->origin);
	buf_free(&r->cors);
	free(r);
}
