/* routes.h - which request is answered by whom: one table. */
#ifndef NEWSWIRE_HTTP_ROUTES_H
#define NEWSWIRE_HTTP_ROUTES_H

#include "http/request.h"

/* The head is read: answers, or waits for the body or for Redis. */
void routes_begin(struct request *r);
/* The body is complete. */
void routes_body(struct request *r);
/* Which kind of WebSocket is at the address that was asked for? NULL: none. */
const struct door_stream *routes_stream(const struct door *door, struct lws *wsi);
/* May this connection become a WebSocket? 0, or -1: a refusal stands in *refusal. */
int routes_upgrade(struct door *door, struct lws *wsi, const char *to,
		   struct buf *refusal) MUST_USE;

#endif
