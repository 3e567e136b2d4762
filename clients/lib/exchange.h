/* exchange.h - one HTTP request and its answer.
 *
 * What it does  Sends one GET, POST or DELETE, gathers the answer (at most NEWSWIRE_MAX_MESSAGE bytes), and
 *               calls back once, always from the loop itself and never from inside libwebsockets.
 * Ownership     The client owns it; it frees itself after its callback.
 * Errors        What the network does is told in the answer: status 0 and a problem.
 */
#ifndef NEWSWIRE_LIB_EXCHANGE_H
#define NEWSWIRE_LIB_EXCHANGE_H

#include "client.h"

enum { EXCHANGE_TIMEOUT_MS = 30000 };

struct exchange;

struct exchange_request {
	const struct url *url;
	const char *path;    /* with the query; the URL's prefix goes before it */
	const char *key;     /* bearer key, or NULL */
	const char *method;  /* NULL: POST with a body, GET without */
	const char *body;    /* makes it a POST of JSON; NULL for a GET */
	size_t len;	     /* bytes of body */
	void *owned;	     /* freed with the exchange, also when it cannot start; or NULL */
	uint64_t timeout_ms; /* 0: EXCHANGE_TIMEOUT_MS */
};

/* Everything in the request is copied. Returns 0, or -1 with errno ENOMEM or EINVAL: a key that cannot
 * be a header. */
int exchange_start(struct newswire_client *client, const struct exchange_request *request,
		   newswire_answer_cb *done, void *data) NEWSWIRE_MUST_USE;

/* The same for the server at `url`, with a path that was built piece by piece: a piece that could not be added
 * (url.h said -1, or memory ran out) is told here, and the path is freed in any case. */
int exchange_ask(struct newswire_client *client, const char *url, struct exchange_request *request,
		 struct gather *path, newswire_answer_cb *done, void *data) NEWSWIRE_MUST_USE;

/* Ends it without calling back. */
void exchange_cancel(struct exchange *exchange);

/* One line of English out of a problem document (RFC 9457), e.g. "bad_item: uri is no string (/uri)";
 * or out of the status alone when json is NULL or none. */
void exchange_explain(char *out, size_t size, int status, const struct json_t *json);

#endif
