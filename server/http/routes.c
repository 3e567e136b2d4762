/* routes.c - the table of paths, and who answers each. */
#include "http/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <newswire/protocol.h>
#include "base/counters.h"
#include "http/auditing.h"
#include "http/cors.h"
#include "http/counting.h"
#include "http/feeding.h"
#include "http/fronting.h"
#include "http/full.h"
#include "http/holding.h"
#include "http/naming.h"
#include "http/pages.h"
#include "http/posting.h"
#include "http/purging.h"
#include "http/reaching.h"
#include "reader/canary.h"
#include "wire/redis_words.h"
#include "wire/shelf.h"

struct route {
	const char *path;
	bool is_prefix; /* path ends in '/', and what follows is the handler's */
	unsigned methods;
	unsigned shared; /* those of them that pages of any origin may use (cors.h) */
	void (*begin)(struct request *r);
	void (*body)(struct request *r); /* POST: the body is complete */
};

#define READ_METHODS (METHOD_GET | METHOD_HEAD)
#define FRESH	     "cache-control: no-cache\r\n" /* a kill must not live on in a cache */
#define RETRY	     "retry-after: 1\r\n"
#define JSON	     "application/json"

enum { EXTENSIONS_MAX = 254 };

/* --- single items ----------------------------------------------------------------------------- */

/* Redis has answered; whoever asked may be gone. */
static void shelf_answered(enum shelf_answer answer, const struct buf *body, const char *etag,
			   void *arg)
{
	struct request *r = ticket_use(arg);
	struct buf headers = {0};

	if (r == NULL)
		return;
	buf_adds(&headers, FRESH);
	if (etag != NULL && etag[0] != '\0')
		buf_addf(&headers, "etag: %s\r\n", etag);
	buf_addc(&headers, '\0');
	if (headers.failed)
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	else if (answer == SHELF_OK && etag != NULL && request_knows(r, etag))
		request_answer(r, 304, NULL, headers.data, NULL, 0);
	else if (answer == SHELF_OK)
		request_answer(r, 200, JSON, headers.data, body->data, body->len);
	else if (answer == SHELF_KILLED)
		request_answer(r, 410, JSON, FRESH, body->data, body->len);
	else if (answer == SHELF_MISSING)
		request_problem(r, 404, "not_found", "no item has this uri", FRESH, NULL);
	else
		request_problem(r, 503, "redis_away", "the store cannot be reached; try again",
				FRESH RETRY, NULL);
	buf_free(&headers);
}

static void away(struct request *r, struct ticket *t)
{
	(void)ticket_use(t);
	request_problem(r, 503, "redis_away", "the store cannot be reached; try again", FRESH RETRY,
			NULL);
}

/* libwebsockets makes one slash of two in a path. No uri has `scheme:/x`, so the second one is
 * put back; who wants to be sure asks by `?uri=`. */
static char *uri_of(const char *path)
{
	const char *colon = strstr(path, ":/");
	size_t before = colon == NULL ? 0 : (size_t)(colon - path) + 2;
	size_t len = strlen(path);
	char *uri = malloc(len + 2);

	if (uri == NULL)
		return NULL;
	if (colon == NULL || path[before] == '/' || memchr(path, '/', before - 1) != NULL) {
		memcpy(uri, path, len + 1);
		return uri;
	}
	memcpy(uri, path, before);
	uri[before] = '/';
	memcpy(uri + before + 1, path + before, len - before + 1);
	return uri;
}

static void get_item_by(struct request *r, const char *uri)
{
	struct ticket *t;

	if (uri[0] == '\0' || strlen(uri) > ITEM_URI_MAX) {
		request_problem(r, 400, "bad_uri", "the uri is missing or longer than 1024 bytes",
				FRESH, NULL);
		return;
	}
	if ((t = request_ticket(r)) == NULL)
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	else if (shelf_item(door_setup_of(r->door)->wire, uri, shelf_answered, t) != 0)
		away(r, t);
}

static void item_by(struct request *r, const char *uri)
{
	if (r->method == METHOD_DELETE)
		purging_begin(r, uri);
	else
		get_item_by(r, uri);
}

static void item(struct request *r)
{
	char *uri = uri_of(r->path + strlen(NEWSWIRE_PATH_ITEMS "/"));
	size_t len = uri == NULL || r->method == METHOD_DELETE ? 0 : reaching_uri_len(uri);

	if (uri == NULL) {
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	} else if (len > 0) {
		uri[len] = '\0';
		reaching_begin(r, uri);
	} else {
		item_by(r, uri);
	}
	free(uri);
}

static void get_reach(struct request *r)
{
	const char *uri = query_get(&r->query, QUERY_URI);

	reaching_begin(r, uri == NULL ? "" : uri);
}

static void items(struct request *r)
{
	const char *uri = query_get(&r->query, QUERY_URI);

	if (r->method == METHOD_POST)
		posting_begin(r);
	else
		item_by(r, uri == NULL ? "" : uri);
}

/* --- how are you ------------------------------------------------------------------------------ */

static void say(struct request *r, int status, const char *text)
{
	request_answer(r, status, "text/plain; charset=utf-8", "cache-control: no-store\r\n", text,
		       strlen(text));
}

static void get_healthz(struct request *r)
{
	say(r, 200, "ok\n");
}

/* The wire is followed as far as it knows; a worker's canary knows better. Who has come keeps what there is, also where Redis holds
 * the news up: only a worker whose own fault it is, is to be left out. */
static void say_whether_news_flows(struct request *r)
{
	char why[CANARY_TROUBLE_MAX], text[CANARY_TROUBLE_MAX + 32];
	enum canary_news news = canary_explain(door_setup_of(r->door)->canary, why, sizeof why);

	if (news == CANARY_FLOWS) {
		say(r, 200, "ready\n");
		return;
	}
	snprintf(text, sizeof text,
		 news == CANARY_HELD_UP ? "ready, degraded: %s\n" : "not ready: %s\n", why);
	say(r, news == CANARY_HELD_UP ? 200 : 503, text);
}

/* Readers can be served from memory as soon as the wire was attached once, also while Redis is
 * away. */
static void get_readyz(struct request *r)
{
	const struct wire *wire = door_setup_of(r->door)->wire;

	char why[DESK_TROUBLE_MAX], text[DESK_TROUBLE_MAX + 64];

	if (wire_is_following(wire)) {
		say_whether_news_flows(r);
		return;
	}
	redis_words_write(wire_trouble(wire), why, sizeof why);
	snprintf(text, sizeof text,
		 wire_has_epoch(wire) ? "ready, degraded: readers keep what they have: %s\n"
				      : "not ready: %s\n",
		 why);
	say(r, wire_has_epoch(wire) ? 200 : 503, text);
}

static void get_readyz_publish(struct request *r)
{
	const struct desk *desk = door_setup_of(r->door)->desk;
	char why[DESK_TROUBLE_MAX], text[DESK_TROUBLE_MAX + 16];

	if (desk_is_open(desk)) {
		say(r, 200,
		    wire_may_vanish(door_setup_of(r->door)->wire)
			    ? "ready, degraded: Redis throws news away when its memory is full "
			      "(set its "
			      "maxmemory-policy to noeviction)\n"
			    : "ready\n");
		return;
	}
	desk_explain(desk, why, sizeof why);
	snprintf(text, sizeof text, "not ready: %s\n", why);
	say(r, 503, text);
}

static void get_metrics(struct request *r)
{
	const struct door_setup *s = door_setup_of(r->door);
	struct buf text = {0};

	counters_write(s->pages, s->page_count, &text);
	if (text.failed)
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	else
		request_answer(r, 200, "text/plain; version=0.0.4; charset=utf-8",
			       "cache-control: no-store\r\n", text.data, text.len);
	buf_free(&text);
}

static void get_websocket(struct request *r)
{
	request_problem(r, 426, "upgrade_required",
			"this address speaks WebSocket: connect with `Upgrade: websocket`",
			"upgrade: websocket\r\n", NULL);
}

/* Among what the client takes: parameters and what else it would take do not matter. */
static bool wants_events(struct request *r)
{
	char accept[256];
	int len = lws_hdr_copy(r->wsi, accept, sizeof accept, WSI_TOKEN_HTTP_ACCEPT);

	return len > 0 && strcasestr(accept, "text/event-stream") != NULL;
}

static void get_stream(struct request *r)
{
	const struct door_events *events = door_setup_of(r->door)->events;

	if (!wants_events(r))
		request_problem(
			r, 426, "upgrade_required",
			"this address speaks WebSocket (connect with `Upgrade: websocket`) and "
			"Server-Sent Events (ask with `Accept: text/event-stream`)",
			"upgrade: websocket\r\nvary: accept\r\n", NULL);
	else if (!wire_has_epoch(door_setup_of(r->door)->wire))
		request_problem(r, 503, "not_ready", "Redis has not been reached yet", RETRY, NULL);
	else if (!door_has_room(r->door) && !door_is_own(r->door, r->wsi))
		request_problem(r, 503, FULL_CODE, FULL_DETAIL, full_retry_reader(), NULL);
	else
		events->begin(events->owner, r);
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct route routes[] = {
	{"/", false, READ_METHODS, READ_METHODS, fronting_begin, NULL},
	{NEWSWIRE_PATH_STREAM, false, READ_METHODS, READ_METHODS, get_stream, NULL},
	{NEWSWIRE_PATH_PUBLISH, false, READ_METHODS, 0, get_websocket, NULL},
	{NEWSWIRE_PATH_CENTRIFUGE, false, READ_METHODS, 0, get_websocket, NULL},
	{NEWSWIRE_PATH_FEED, false, READ_METHODS, READ_METHODS, feeding_news, NULL},
	{NEWSWIRE_PATH_JSON_FEED, false, READ_METHODS, READ_METHODS, feeding_json, NULL},
	{NEWSWIRE_PATH_ATOM_FEED, false, READ_METHODS, READ_METHODS, feeding_atom, NULL},
	{NEWSWIRE_PATH_CHANNEL_FEEDS "/", true, READ_METHODS, READ_METHODS, feeding_channel, NULL},
	{NEWSWIRE_PATH_ITEMS "/", true, READ_METHODS | METHOD_DELETE, READ_METHODS, item, NULL},
	{NEWSWIRE_PATH_ITEMS, false, READ_METHODS | METHOD_POST | METHOD_DELETE, READ_METHODS,
	 items, posting_body},
	{NEWSWIRE_PATH_CHANNELS, false, READ_METHODS, READ_METHODS, counting_begin, NULL},
	{NEWSWIRE_PATH_KEY, false, READ_METHODS, 0, naming_begin, NULL},
	{NEWSWIRE_PATH_SENT, false, READ_METHODS, 0, auditing_sent, NULL},
	{NEWSWIRE_PATH_HELD, false, READ_METHODS, 0, holding_begin, NULL},
	{NEWSWIRE_PATH_AUDIT, false, READ_METHODS, 0, auditing_begin, NULL},
	{NEWSWIRE_PATH_REJECTS, false, READ_METHODS, 0, auditing_refused, NULL},
	{NEWSWIRE_PATH_REACH, false, READ_METHODS, 0, get_reach, NULL},
	{NEWSWIRE_PATH_METRICS, false, READ_METHODS, 0, get_metrics, NULL},
	{NEWSWIRE_PATH_HEALTHZ, false, READ_METHODS, 0, get_healthz, NULL},
	{NEWSWIRE_PATH_READYZ, false, READ_METHODS, 0, get_readyz, NULL},
	{NEWSWIRE_PATH_READYZ_PUBLISH, false, READ_METHODS, 0, get_readyz_publish, NULL},
};

static const struct route *route_of(const char *path)
{
	for (size_t i = 0; i < COUNT_OF(routes); i++) {
		const struct route *route = &routes[i];

		if (route->is_prefix ? strncmp(path, route->path, strlen(route->path)) == 0
				     : strcmp(path, route->path) == 0)
			return route;
	}
	return NULL;
}

static void wrong_method(struct request *r, unsigned methods)
{
	struct buf allow = {0};

	buf_adds(&allow, "allow: ");
	cors_add_methods(&allow, methods | METHOD_OPTIONS);
	buf_add(&allow, "\r\n", 3);
	request_problem(r, 405, "bad_method", "this address does not know the method",
			allow.failed ? "" : allow.data, NULL);
	buf_free(&allow);
}

static void begin_page(struct request *r)
{
	int page = pages_find(r->path);

	if (page != -1 && pages_is_newsroom(page) && !door_setup_of(r->door)->has_newsroom)
		page = -1;
	if (page != -1 && r->method == METHOD_OPTIONS) {
		cors_answer_preflight(r, READ_METHODS, READ_METHODS);
		return;
	}
	cors_begin(r, READ_METHODS);
	if (page == -1)
		request_problem(r, 404, "not_found", "there is nothing at this address", "", NULL);
	else if ((r->method & READ_METHODS) != 0)
		pages_answer(r, page);
	else
		wrong_method(r, READ_METHODS);
}

/* What pages of any origin may use of this address. Reach stands below the items, and takes a key; so may channels. */
static unsigned shared_of(const struct request *r)
{
	if (r->route == NULL)
		return READ_METHODS;
	if (r->route->begin == counting_begin && !door_setup_of(r->door)->shows_readers)
		return 0;
	return r->route->begin == item && reaching_uri_len(r->path) > 0 ? 0 : r->route->shared;
}

static void begin_route(struct request *r)
{
	if (r->method == METHOD_OPTIONS) {
		cors_answer_preflight(r, r->route->methods, shared_of(r));
		return;
	}
	cors_begin(r, shared_of(r));
	if ((r->route->methods & r->method) != 0)
		r->route->begin(r);
	else
		wrong_method(r, r->route->methods);
}

static void refuse_query(struct request *r)
{
	cors_begin(r, shared_of(r));
	request_problem(r, 400, "bad_query",
			"a part of the URL behind ? is too long or holds a NUL", "", NULL);
}

void routes_begin(struct request *r)
{
	if (!door_is_own(r->door, r->wsi))
		COUNT(HTTP_REQUESTS);
	r->route = route_of(r->path);
	if (r->query_failed)
		refuse_query(r);
	else if (r->route == NULL)
		begin_page(r);
	else
		begin_route(r);
}

void routes_body(struct request *r)
{
	MUST(r->route != NULL && r->route->body != NULL);
	r->route->body(r);
}

/* --- handshakes ------------------------------------------------------------------------------- */

/* Does the client offer protocols, and none of them is ours? */
static bool offers_other_protocol(struct lws *wsi)
{
	char offer[256], *save = NULL;
	int len = lws_hdr_copy(wsi, offer, sizeof offer, WSI_TOKEN_PROTOCOL);

	if (len <= 0)
		return lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) > 0;
	for (char *p = strtok_r(offer, ", ", &save); p != NULL; p = strtok_r(NULL, ", ", &save))
		if (strcmp(p, NEWSWIRE_SUBPROTOCOL) == 0)
			return false;
	return true;
}

/* RFC 6455 knows one version, and libwebsockets takes any. */
static bool has_other_version(struct lws *wsi)
{
	char version[8];
	int len = lws_hdr_copy(wsi, version, sizeof version, WSI_TOKEN_VERSION);

	return len <= 0 || strcmp(version, "13") != 0;
}

/* RFC 6455, 4.2.1: the key is 16 bytes in base64, and `Connection` names the upgrade. */
static bool is_no_handshake(struct lws *wsi)
{
	char connection[128], key[25], bytes[20];

	return lws_hdr_copy(wsi, key, sizeof key, WSI_TOKEN_KEY) != 24 ||
	       lws_b64_decode_string(key, bytes, sizeof bytes) != 16 ||
	       lws_hdr_copy(wsi, connection, sizeof connection, WSI_TOKEN_CONNECTION) <= 0 ||
	       strcasestr(connection, "upgrade") == NULL;
}

static bool offers_too_many_extensions(struct lws *wsi)
{
	return lws_hdr_total_length(wsi, WSI_TOKEN_EXTENSIONS) > EXTENSIONS_MAX;
}

/* Which kind of WebSocket is at the address that was asked for? NULL: none. */
static const struct door_stream *stream_at(const struct door *door, struct lws *wsi)
{
	char path[64];
	int len = lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);

	if (len > 0 && strcmp(path, NEWSWIRE_PATH_STREAM) == 0)
		return door_setup_of(door)->stream;
	if (len > 0 && strcmp(path, NEWSWIRE_PATH_PUBLISH) == 0)
		return door_setup_of(door)->tool;
	if (len > 0 && strcmp(path, NEWSWIRE_PATH_CENTRIFUGE) == 0)
		return door_setup_of(door)->centrifuge;
	return NULL;
}

/* Does it show a key that is none? Without one a tool may still say later who it is. */
static bool shows_wrong_key(const struct door *door, struct lws *wsi, bool *proved)
{
	char *key = request_bearer(wsi), from[64];
	const struct publisher *who = NULL;

	if (key == NULL)
		return false;
	if (lws_get_peer_simple(wsi, from, sizeof from) == NULL)
		snprintf(from, sizeof from, "unknown");
	who = who_has_key(door_setup_of(door)->who, key, from);
	*proved = who != NULL;
	explicit_bzero(key, strlen(key));
	free(key);
	return who == NULL;
}

const struct door_stream *routes_handshake(const struct door *door, struct lws *wsi,
					   struct buf *refusal)
{
	const struct door_stream *stream = stream_at(door, wsi);
	bool proved = false;

	COUNT(HTTP_REQUESTS);
	if (stream == NULL)
		request_write_problem(refusal, false, 404, "not_found",
				      "the stream is at /v1/stream, the line for tools at "
				      "/v1/publish, Centrifuge's protocol at "
				      "/connection/websocket",
				      "", NULL);
	else if (has_other_version(wsi))
		request_write_problem(refusal, false, 426, "bad_version",
				      "the version of WebSocket is 13",
				      "sec-websocket-version: 13\r\n", NULL);
	else if (is_no_handshake(wsi))
		request_write_problem(
			refusal, false, 400, "bad_handshake",
			"a handshake has `Connection: Upgrade` and a Sec-WebSocket-Key of "
			"16 bytes in base64",
			"", NULL);
	else if (offers_other_protocol(wsi))
		request_write_problem(refusal, false, 400, "bad_protocol",
				      "the subprotocol is newswire.v1 (or none at all)", "", NULL);
	else if (offers_too_many_extensions(wsi))
		request_write_problem(refusal, false, 431, "too_many_extensions",
				      "Sec-WebSocket-Extensions may have 254 characters", "", NULL);
	else if (!wire_has_epoch(door_setup_of(door)->wire))
		request_write_problem(refusal, false, 503, "not_ready",
				      "Redis has not been reached yet", RETRY, NULL);
	else if (stream == door_setup_of(door)->tool && shows_wrong_key(door, wsi, &proved))
		request_write_problem(refusal, false, 401, "unauthorized",
				      "this is no key that is in force",
				      "www-authenticate: Bearer\r\n", NULL);
	else if (!stream->has_room(stream->owner, door, proved))
		request_write_problem(refusal, false, 503, FULL_CODE, FULL_DETAIL,
				      stream == door_setup_of(door)->tool ? full_retry()
									  : full_retry_reader(),
				      NULL);
	else
		return stream;
	return NULL;
}
