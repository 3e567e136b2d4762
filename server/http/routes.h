/* routes.h - which request is answered by whom: one table. */
#ifndef NEWSWIRE_HTTP_ROUTES_H
#define NEWSWIRE_HTTP_ROUTES_H

#include "http/request.h"

/* The head is read: answers, or waits for the body or for Redis. */
void routes_begin(struct request *r);
/* The body is complete. */
void routes_body(struct request *r);
/* May this connection become a WebSocket? Who answers its handshake, or NULL: a refusal stands in *refusal. */
const struct door_stream *routes_handshake(const struct door *door, struct lws *wsi,
					   struct buf *refusal) MUST_USE;

#endif
