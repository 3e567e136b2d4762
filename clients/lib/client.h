/* client.h - what the rooms of libnewswire share: the client with its libwebsockets context.
 *
 * Ownership     The client owns the context, and its streams and exchanges through their lists.
 * Door          libwebsockets calls one function a protocol (stream_door, exchange_door); it finds its
 *               struct as the connection's opaque user data. NULL there means that nobody waits for
 *               this connection any more, or that there is none: client_turn_away() answers.
 */
#ifndef NEWSWIRE_LIB_CLIENT_H
#define NEWSWIRE_LIB_CLIENT_H

#include "url.h"

#include <newswire/client.h>

#include <libwebsockets.h>
#include <sys/queue.h>
#include <uv.h>

#define CLIENT_HTTP_PROTOCOL "newswire-http" /* the name of a door, never sent */

struct exchange;

struct newswire_client {
	uv_loop_t *loop; /* the caller's */
	struct lws_context *lws;
	char user_agent[128];
	LIST_HEAD(, newswire_stream) streams;
	LIST_HEAD(, exchange) exchanges;
};

/* Begins a connection to `url`. `method` NULL makes it a WebSocket. `owner` becomes the opaque user
 * data; *wsi is set before anything can fail, and cleared by the owner's door.
 * Returns 0, or -1: it failed at once (the door may have been told why). */
int client_connect(struct newswire_client *client, const struct url *url, const char *path,
		   const char *method, void *owner, struct lws **wsi) NEWSWIRE_MUST_USE;

/* Ends a stream at once; newswire_stream_close() may wait until libwebsockets has returned. */
void stream_end(struct newswire_stream *stream);

/* Lets go of a connection from outside its own door: it is closed at once, and its door hears nothing.
 * `code`: the close code to send on an established WebSocket, or 0. Sets *wsi to NULL. */
void client_drop(struct lws **wsi, int code);

/* What libwebsockets says of a connection that failed, in words for people; *len is its length. `why` may be NULL, and stays so. */
const char *client_explain(const char *why, size_t *len);

/* A door's answer to an event that nobody waits for: closes the connection where that is possible. */
int client_turn_away(enum lws_callback_reasons reason);

/* Appends "name: value" to a request's headers in libwebsockets' APPEND_HANDSHAKE_HEADER callback. */
int client_add_header(struct lws *wsi, char **at, char *end, const char *name,
		      const char *value) NEWSWIRE_MUST_USE;

/* The doors. */
int stream_door(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		size_t len);
int exchange_door(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		  size_t len);

#endif
