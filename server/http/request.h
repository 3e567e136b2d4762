/* request.h - one HTTP request and its one answer, after which the connection closes.
 *
 * Ownership     request_begin() makes it; request_free() (the connection is gone) frees it. Whoever
 *               answers later (Redis was asked) holds a ticket, which outlives the request and then
 *               says NULL.
 * Bounds        A body is as long as its Content-Length says, which its route has judged before a byte
 *               of it is read; all bodies of a worker together at most REQUEST_BODIES_MAX, of which
 *               a quarter is for those who prove only by their body who they are: 503 for the next.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_HTTP_REQUEST_H
#define NEWSWIRE_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <libwebsockets.h>
#include "base/base.h"
#include "base/buf.h"
#include "http/door.h"
#include "http/query.h"
#include "http/who.h"
#include "news/item.h"

enum method {
	METHOD_GET = 1,
	METHOD_HEAD = 2,
	METHOD_POST = 4,
	METHOD_DELETE = 8,
	METHOD_OPTIONS = 16,
	METHOD_OTHER = 32
};

/* Bytes of all bodies that are being gathered. */
enum { REQUEST_BODIES_MAX = 128 << 20 };

struct ticket;

struct request {
	struct door *door;
	struct lws *wsi;
	enum method method;
	const struct route *route; /* routes.c's */
	char *path;		   /* decoded, NUL-terminated */
	struct query query;
	bool query_failed; /* what stands behind the ? could not be read: nothing is routed by it */
	struct buf body;
	char *key;		     /* what stood behind `Authorization: Bearer `, or NULL */
	char *signature;	     /* x-superdesk-signature of a POST, or NULL */
	char *if_none_match;	     /* or NULL */
	bool takes_gzip;	     /* its Accept-Encoding says so */
	char *origin;		     /* of the page that asks, or NULL */
	struct buf cors;	     /* headers of cors.h, NUL-terminated where there are any */
	char *host;		     /* as the client wrote it, or NULL */
	const struct publisher *who; /* who has proved to be somebody (who.h), counted; or NULL */
	char *content_type;	     /* or NULL */
	char idempotency[NEWSWIRE_MAX_IDEMPOTENCY + 1]; /* a POST's Idempotency-Key, or "" */
	size_t body_max; /* what its Content-Length said; written by the route */
	struct ticket *ticket;
	struct buf answer; /* head and body, ready to go; empty: not answered yet */
	size_t body_held;  /* bytes of REQUEST_BODIES_MAX that are its own */
	bool body_ended;   /* the body is whole: more bytes are not ours */
	bool sent;
	bool taken; /* its socket is somebody else's: libwebsockets only has to forget it */
};

/* Who answers later keeps a ticket instead of the request. */
struct ticket {
	struct request *request; /* NULL: it has gone away */
};

/* LWS_CALLBACK_HTTP: reads the head and routes it. NULL out of memory. */
struct request *request_begin(struct door *door, struct lws *wsi) MUST_USE;
/* LWS_CALLBACK_HTTP_BODY and _COMPLETION. 0, or -1: close. */
int request_body(struct request *r, const char *bytes, size_t len) MUST_USE;
int request_body_ends(struct request *r) MUST_USE;
/* LWS_CALLBACK_HTTP_WRITEABLE: 0 not yet, -1 done, or on its way without libwebsockets (answers.h): close. */
int request_write(struct request *r) MUST_USE;
/* What LWS_CALLBACK_HTTP returns. A POST that is refused before its body came is not read further; what the client still
 * sends is thrown away until it closes (line.h's end), so that it is not reset and hears why. */
int request_goes_on(struct request *r) MUST_USE;
void request_free(struct request *r); /* accepts NULL */

/* Answers, once. headers: whole lines with CRLF, or "". body may be empty. */
void request_answer(struct request *r, int status, const char *type, const char *headers,
		    const void *body, size_t len);
/* Answers HEAD where GET begins a stream: 200 without a length. */
void request_answer_head(struct request *r, const char *type, const char *headers);
/* Appends the head of a stream's answer, for who has taken the socket. */
void request_write_head(const struct request *r, const char *type, const char *headers,
			struct buf *out);
/* The socket of one whose answer libwebsockets does not write; it now belongs to the caller and counts until
 * door_socket_freed(). The request and what libwebsockets keeps for it end by themselves. -1: descriptors are short. */
int request_take_socket(struct request *r) MUST_USE;
/* Answers with application/problem+json (RFC 9457). report adds the list of faults; NULL: none. */
void request_problem(struct request *r, int status, const char *code, const char *detail,
		     const char *headers, const struct item_report *report);
/* Writes the whole problem answer into out, for refusals without a request (upgrades). */
void request_write_problem(struct buf *out, bool head_only, int status, const char *code,
			   const char *detail, const char *headers,
			   const struct item_report *report);

/* Does the client say that it has what this ETag (with its quotes) is of? */
bool request_knows(const struct request *r, const char *etag);

struct ticket *request_ticket(struct request *r) MUST_USE; /* NULL out of memory */
/* Gives the ticket back. Returns the request, or NULL if it is gone. */
struct request *ticket_use(struct ticket *t);

/* What stands behind `Authorization: Bearer `, or NULL; the caller wipes and frees it. */
char *request_bearer(struct lws *wsi);
/* The number in Content-Length. -1: none; -2: not a plain number, or given twice. */
long request_content_length(struct lws *wsi);

#endif
