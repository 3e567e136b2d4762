/* client.h - libnewswire: follow and publish news from a C program.
 *
 * Start here    newswire_client_new() on a libuv loop of yours, then newswire_stream_open() to follow the news,
 *               newswire_feed() to read what was, newswire_publish_http() to send an item; uv_run(). To end:
 *               newswire_client_stop(), uv_run() until it returns, newswire_client_free().
 * Build         cc prog.c $(pkg-config --cflags --libs newswire), or find_package(newswire) and the target
 *               newswire::newswire in CMake. Of the library, what begins with newswire_ is there and nothing else.
 * Ownership     A client owns its streams and exchanges: newswire_client_free() ends them all without calling
 *               back. Arguments are copied; what a callback is given is lent until it returns.
 * Errors        Functions return 0, or -1 when memory ran out or an argument cannot be used (errno is ENOMEM or
 *               EINVAL; nothing was begun). What the network does comes by callback.
 * Threads       All calls and callbacks on the thread of the loop. Name look-ups (getaddrinfo) block it.
 * Callbacks     Never run inside the function that they were given to. They may open and close streams and start
 *               exchanges; they may not stop the client.
 * Follows       docs/protocol.md's newswire.v1 (protocol.h); RFC 6455 (WebSocket), RFC 9110 (HTTP), RFC 6750
 *               (bearer keys), RFC 9457 (problem documents). Certificates are verified for wss and https. HTTP
 *               redirects are not followed: a key or an item goes to the server named and no other.
 * Versions      Until 1.0 a new minor version may change this header; the soname's number changes when a program
 *               that was built before would break.
 */
#ifndef NEWSWIRE_CLIENT_H
#define NEWSWIRE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <newswire/protocol.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NEWSWIRE_API	  __attribute__((visibility("default")))
#define NEWSWIRE_MUST_USE __attribute__((warn_unused_result))

struct uv_loop_s; /* libuv's uv_loop_t; include <uv.h> to have one */
struct json_t;	  /* jansson's json_t; include <jansson.h> to look inside */

struct newswire_client;
struct newswire_stream;

/* --- the client --------------------------------------------------------------------------------
 */

struct newswire_client_options {
	const char *user_agent; /* NULL: "libnewswire/<version>" */
	const char *ca_file; /* PEM file of authorities to trust instead of the system's; or NULL */
	bool verbose;	     /* libwebsockets' own log on stderr (it is one per process) */
};

/* A client on `loop`, which must outlive it. `options` may be NULL.
 * Returns NULL when memory or a library failed (libwebsockets without its libuv plugin, a ca_file
 * that cannot be read). */
NEWSWIRE_API NEWSWIRE_MUST_USE struct newswire_client *
newswire_client_new(struct uv_loop_s *loop, const struct newswire_client_options *options);

/* Ends everything of this client, calling nobody back, and begins to close its handles: run the loop
 * until it returns. Not from within a callback of this client. Accepts NULL. */
NEWSWIRE_API void newswire_client_stop(struct newswire_client *client);

/* Gives back a client's memory, once it was stopped and the loop has no handle left: libwebsockets keeps
 * its own in there and cannot tell when the last is closed. Accepts NULL. */
NEWSWIRE_API void newswire_client_free(struct newswire_client *client);

/* --- what to ask for ---------------------------------------------------------------------------
 */

/* Which news, of which server. Lists end in NULL; a NULL list narrows nothing. */
struct newswire_query {
	const char *url; /* the server: http, https, ws or wss, e.g. "https://news.example"; a path
			  * is kept in front of the protocol's own, for a server behind a proxy */
	const char *const *channels;  /* a union; NULL: feed:all */
	const char *const *classes;   /* "flash", "bulletin", … */
	const char *const *languages; /* "en", … */
	const char *const *types;     /* ninjs types: "text", "video", … */
	const char *view;	      /* "brief": items without their bodies; NULL: whole ones */
};

/* --- following the news ------------------------------------------------------------------------
 */

enum newswire_message_type {
	NEWSWIRE_MESSAGE_HELLO,
	NEWSWIRE_MESSAGE_POST,
	NEWSWIRE_MESSAGE_TICK,
	NEWSWIRE_MESSAGE_GAP, /* history is gone: read the feed anew; what follows comes after
				 `cursor` */
	NEWSWIRE_MESSAGE_BYE, /* the server is about to close; the stream comes back by itself */
	NEWSWIRE_MESSAGE_ERROR,
	NEWSWIRE_MESSAGE_SUBSCRIBED,
	NEWSWIRE_MESSAGE_OTHER, /* a type of a later protocol: leave it alone */
};

struct newswire_message {
	enum newswire_message_type type;
	const char *text; /* the JSON as it came, zero-terminated */
	size_t len;	  /* bytes of text */
	const struct json_t *json;
	const char *cursor; /* the stream's position after this message; "" before the first */
};

/* A stream's life. It moves by itself between the first three until it is closed or FAILED. */
enum newswire_link {
	NEWSWIRE_LINK_CONNECTING,
	NEWSWIRE_LINK_LIVE,    /* the server said hello */
	NEWSWIRE_LINK_WAITING, /* lost or refused for now; tries again after wait_ms */
	NEWSWIRE_LINK_FAILED, /* refused for good; only newswire_stream_close() remains to be called
			       */
};

struct newswire_link_change {
	enum newswire_link link;
	int code;	    /* WAITING, FAILED: the close code, or the HTTP status (< 1000), or 0 */
	const char *reason; /* WAITING, FAILED: plain English, never NULL */
	uint32_t wait_ms;   /* WAITING: until the next try */
	const char *cursor; /* where the stream is, and will go on from; "" if nothing came yet */
};

/* What the stream tells you. Either may be NULL. */
struct newswire_stream_handlers {
	void (*message)(void *data, const struct newswire_message *message);
	void (*link)(void *data, const struct newswire_link_change *change);
};

/* Follows the news that `query` names, after `since` (a cursor; NULL or "": from now on).
 *
 * The stream keeps the cursor of the last message and resumes from it: after a loss it waits with
 * full jitter (0 to 1 s at first, doubling to at most 30 s), or as long as the server's `bye` said.
 * A link on which nothing arrived for two ticks (`hello` says how long one is) is dead; so is a
 * handshake that takes 15 s. A message larger than NEWSWIRE_MAX_MESSAGE bytes ends the connection
 * (1009) and counts as a failure. Close codes 1003, 1007, 1008, 4000, 4001 and 4003, and HTTP
 * statuses 4xx but 408, 425 and 429, are for good: FAILED. A cursor from a hello is taken only when
 * the stream has none: one from a resumed link would skip what is still to be caught up.
 *
 * Returns NULL with errno ENOMEM, or EINVAL: the URL, a name or the cursor is unusable or too long.
 */
NEWSWIRE_API NEWSWIRE_MUST_USE struct newswire_stream *
newswire_stream_open(struct newswire_client *client, const struct newswire_query *query,
		     const char *since, const struct newswire_stream_handlers *handlers,
		     void *data);

/* The cursor of the last message, to go on from in another run; "" before the first. Lent. */
NEWSWIRE_API const char *newswire_stream_cursor(const struct newswire_stream *stream);

/* Ends the stream, calling back no more, also from within its own callbacks. Accepts NULL. */
NEWSWIRE_API void newswire_stream_close(struct newswire_stream *stream);

/* --- reading what was --------------------------------------------------------------------------
 */

/* An answer of the server, or the lack of one. */
struct newswire_answer {
	int status;	  /* HTTP status; 0: no answer, and `problem` says why */
	bool sent;	  /* status 0: the request may have reached the server all the same */
	const char *text; /* the body, zero-terminated; "" without one */
	size_t len;	  /* bytes of text */
	const struct json_t *json; /* the body, if it is JSON; else NULL */
	const char *problem;	   /* NULL on success; else one line of plain English */
};

typedef void newswire_answer_cb(void *data, const struct newswire_answer *answer);

/* Reads one page of the feed, newest first. `limit`: posts, 1-100, 0 for the server's choice;
 * `before`: the token of the previous page, or NULL. Calls back once, within 30 s. On success
 * answer->json is
 * {"items":[post…],"cursor":…,"before":…}; newswire_stream_open() from that cursor misses nothing.
 * Returns 0, or -1 with errno as above. */
NEWSWIRE_API NEWSWIRE_MUST_USE int newswire_feed(struct newswire_client *client,
						 const struct newswire_query *query, unsigned limit,
						 const char *before, newswire_answer_cb *done,
						 void *data);

/* Reads one story. Calls back once, within 30 s. On success answer->json is the post that readers have of it. 404:
 * unknown, withheld or under embargo. 410: killed, and answer->json is the post that says so, with its version and its
 * notice. Returns 0, or -1 with errno as above. */
NEWSWIRE_API NEWSWIRE_MUST_USE int newswire_item(struct newswire_client *client, const char *url,
						 const char *uri, newswire_answer_cb *done,
						 void *data);

/* --- publishing --------------------------------------------------------------------------------
 * To correct a story is to publish it whole with a higher version; to kill it, to publish its uri with `pubStatus`
 * `canceled`, and a description of role `withdrawal` that readers are shown in its place. */

/* What became of an item. Only the first four are a server's word that it is durable. */
enum newswire_status {
	NEWSWIRE_ACCEPTED,    /* 201: on the wire */
	NEWSWIRE_DUPLICATE,   /* 200: it had this very item already */
	NEWSWIRE_STALE,	      /* 200: a later version is out; recorded, not sent */
	NEWSWIRE_HELD,	      /* 202: under embargo; sent when that is over */
	NEWSWIRE_REFUSED,     /* 4xx, or an answer that is no receipt: the same again will not do */
	NEWSWIRE_UNAVAILABLE, /* no connection, or 408, 429 or 5xx: not taken; try again */
	NEWSWIRE_UNKNOWN, /* sent, but no answer came. Publishing it again is safe: a server that
			   * took it says DUPLICATE */
};

struct newswire_receipt {
	enum newswire_status status;
	int http_status; /* 0 without an answer */
	const char *id;	 /* place on the wire, "<ms>-<seq>"; "" when it has none */
	const char *uri; /* "" when the server named none; so for the next three */
	const char *version;
	const char *action;	/* "publish", "correct", "kill", … */
	const char *durability; /* how safe it is: "replicated", "fsync", … */
	const char *problem;	/* from REFUSED on: one line of plain English; else NULL */
	const struct newswire_answer *answer; /* the answer itself */
};

typedef void newswire_receipt_cb(void *data, const struct newswire_receipt *receipt);

/* Posts one item (JSON text of `len` bytes: ninjs of any generation) to the server at `url`, on
 * `channels` (ends in NULL; plain names). `key`: the publishing key, or NULL. Calls back once,
 * within 30 s. Returns 0, or -1 with errno as above. */
NEWSWIRE_API NEWSWIRE_MUST_USE int newswire_publish_http(struct newswire_client *client,
							 const char *url, const char *key,
							 const char *const *channels,
							 const char *item, size_t len,
							 newswire_receipt_cb *done, void *data);

/* --- what was done, and how it goes --------------------------------------------------------------
 */

/* What entries of the audit trail must say, exactly. NULL: anything. */
struct newswire_audit_filter {
	const char *uri, *who, *what;
};

/* Reads one page of the audit trail, newest first. `key`: one that may, or NULL; `filter` may be NULL;
 * `limit`: entries, 1-100, 0 for the server's choice; `before`: of the previous page, or NULL. Calls back
 * once, within 30 s. On success answer->json is {"entries":[…],"before":…}. Returns 0, or -1 with errno as
 * above. */
NEWSWIRE_API NEWSWIRE_MUST_USE int newswire_audit(struct newswire_client *client, const char *url,
						  const char *key,
						  const struct newswire_audit_filter *filter,
						  unsigned limit, const char *before,
						  newswire_answer_cb *done, void *data);

/* What refusals must say, exactly. NULL: anything. `reason`: a word of docs/items.md or docs/keys.md, such as not_owner. */
struct newswire_reject_filter {
	const char *uri, *who, *reason;
};

/* Reads one page of what was refused, newest first; otherwise as newswire_audit(). On success answer->json is
 * {"rejects":[…],"before":…}. */
NEWSWIRE_API NEWSWIRE_MUST_USE int newswire_rejects(struct newswire_client *client, const char *url,
						    const char *key,
						    const struct newswire_reject_filter *filter,
						    unsigned limit, const char *before,
						    newswire_answer_cb *done, void *data);

/* Reads the numbers of one node: on success answer->text is Prometheus' text format. Calls back once, within 5 s.
 * Returns 0, or -1 with errno as above. */
NEWSWIRE_API NEWSWIRE_MUST_USE int newswire_metrics(struct newswire_client *client, const char *url,
						    newswire_answer_cb *done, void *data);

/* Reads one page of the channels that have readers now, by name. `key`: one, where the server wants it, or NULL;
 * `prefix`: only channels that begin so, or NULL; `limit`: 1-1000, 0 for the server's choice; `after`: of the previous
 * page, or NULL. Calls back once, within 30 s. On success answer->json is {"channels":[{"channel":…,"readers":…},…],
 * "after":…}. Returns 0, or -1 with errno as above. */
NEWSWIRE_API NEWSWIRE_MUST_USE int newswire_channels(struct newswire_client *client,
						     const char *url, const char *key,
						     const char *prefix, unsigned limit,
						     const char *after, newswire_answer_cb *done,
						     void *data);

/* Takes a story away for good: all texts, feeds, what is under embargo; who was sent any of it is told by
 * a kill. `key`: one that may, or NULL. Calls back once, within 30 s. On success answer->json is
 * {"status":"purged","id":…,"versions":…,"feeds":…,"held":…}. Purging again is safe. Returns 0, or -1
 * with errno as above. */
NEWSWIRE_API NEWSWIRE_MUST_USE int newswire_purge(struct newswire_client *client, const char *url,
						  const char *key, const char *uri,
						  newswire_answer_cb *done, void *data);

/* Asks to how many readers the posts of `uri` were written, over all workers and nodes. `key`: one that may,
 * or NULL. Calls back once, within 30 s. On success answer->json is {"uri":…,"status":…,"posts":[{"id":…,
 * "readers":…,"behind":…,"ms":…,"workers":…,"reported":…,"complete":…},…]}, newest first. Returns 0, or -1
 * with errno as above. */
NEWSWIRE_API NEWSWIRE_MUST_USE int newswire_reach(struct newswire_client *client, const char *url,
						  const char *key, const char *uri,
						  newswire_answer_cb *done, void *data);

/* --- publishing through Redis ------------------------------------------------------------------
 * The raw ways in, for tools that speak Redis already. PUBLISH <prefix>:in:<channel>: Redis pub/sub
 * gives no receipt and keeps nothing: the count of listeners is all that can be known. XADD
 * {<prefix>}:inbox: Redis keeps the item until it is decided. Both block (at most 5 s a step) and need
 * no client. */

struct newswire_redis;

/* Does `url` begin like a Redis address, rather than a web server's? */
NEWSWIRE_API bool newswire_redis_is_url(const char *url);

/* Connects to `url`: redis://[[user]:password@]host[:port][/db] or unix:PATH. `prefix`: NULL for
 * "newswire". Returns NULL with errno ENOMEM, EINVAL (not such a URL) or EIO (no connection, or
 * login refused) and the reason, as one line of at most `size` bytes, in `problem`. */
NEWSWIRE_API NEWSWIRE_MUST_USE struct newswire_redis *
newswire_redis_open(const char *url, const char *prefix, char *problem, size_t size);

/* Publishes one item. One channel an item: Redis would carry it once for each, and all but the
 * first would be duplicates. Returns how many listeners heard it, or -1 with the reason in
 * `problem`; the connection is then of no more use. */
NEWSWIRE_API NEWSWIRE_MUST_USE long long newswire_publish_redis(struct newswire_redis *redis,
								const char *channel,
								const char *item, size_t len,
								char *problem, size_t size);

/* Adds one item to the inbox, for these channels (NULL-terminated; none: the item's own): it stays there until a
 * newswired has decided about it. Returns 0 and the id of the entry, or -1 with the reason in
 * `problem`; the connection is then of no more use. */
enum { NEWSWIRE_ENTRY_SIZE = 48 };
NEWSWIRE_API NEWSWIRE_MUST_USE int
newswire_queue_redis(struct newswire_redis *redis, const char *const *channels, const char *item,
		     size_t len, char id[NEWSWIRE_ENTRY_SIZE], char *problem, size_t size);

/* Accepts NULL. */
NEWSWIRE_API void newswire_redis_close(struct newswire_redis *redis);

/* --- the server on this machine ----------------------------------------------------------------
 */

struct newswire_local {
	char url[256];	 /* its HTTP address */
	char redis[256]; /* its Redis: unix:PATH or redis://… */
	char key[256];	 /* its publishing key; "" if it cannot be read by this user */
};

/* Finds the newswired whose state directory is `state_dir` (NULL: $NEWSWIRE_STATE_DIR, else
 * $XDG_STATE_HOME/newswire, else ~/.local/state/newswire). Returns 0, or -1 with errno (ENOENT:
 * none runs there) and the reason in `problem`. */
NEWSWIRE_API NEWSWIRE_MUST_USE int newswire_local_find(const char *state_dir,
						       struct newswire_local *local, char *problem,
						       size_t size);

/* Where that directory is: the first of these that is told, whether it exists or not. Returns 0, or -1: none is told, or
 * its path is too long. */
NEWSWIRE_API NEWSWIRE_MUST_USE int newswire_local_dir(const char *state_dir, char *out,
						      size_t size);

/* --- names -------------------------------------------------------------------------------------
 */

/* May a publisher use this channel name? [a-z0-9][a-z0-9._-]{0,63} */
NEWSWIRE_API bool newswire_channel_is_plain(const char *name);

/* The library's version, e.g. "0.1.0". */
NEWSWIRE_API const char *newswire_version(void);

#ifdef __cplusplus
}
#endif

#endif
