/* events.h - readers over Server-Sent Events: GET /v1/stream with `Accept: text/event-stream`.
 *
 * What it does  Judges the request while errors can still be said by a status, answers 200, takes the socket away from
 *               libwebsockets, and makes a reader of it (line.h). A plain `new EventSource(url)` is a full client.
 * The place     Last-Event-ID (which browsers send when they come back), else `last_event_id`, else `since`.
 * The wait      Every stream begins with a `retry:` of its own, drawn evenly from EVENTS_RETRY_MIN_MS to
 *               EVENTS_RETRY_MAX_MS: readers who lose a worker together do not come back together.
 * Compression   Who takes gzip gets a gzip stream, of pieces that were compressed once for all (news/gzip.h).
 * The end       The body ends with the connection: so it also passes through proxies that speak HTTP/1.0.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_SSE_EVENTS_H
#define NEWSWIRE_SSE_EVENTS_H

#include "http/door.h"

enum { EVENTS_RETRY_MIN_MS = 100, EVENTS_RETRY_MAX_MS = 5000 };

struct events;

/* sndbuf (bytes) bounds what the kernel keeps for a client that does not read. compresses: for those who take it. */
struct events *events_new(uv_loop_t *loop, size_t sndbuf, bool compresses) MUST_USE;
/* For door_setup.events. Borrowed. */
const struct door_events *events_door(struct events *all);
/* Ends every stream; the door must still be there. */
void events_close(struct events *all);
/* Accepts NULL. Every stream must be gone, and the loop runs once more. */
void events_free(struct events *all);

#endif
