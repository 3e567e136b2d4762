/* events.h - readers over Server-Sent Events: GET /v1/stream with `Accept: text/event-stream`.
 *
 * What it does  Judges the request while errors can still be said by a status, answers 200, takes the socket away from
 *               libwebsockets, and makes a reader of it (line/line.h). A plain `new EventSource(url)` is a full client.
 * The place     Last-Event-ID (which browsers send when they come back), else `last_event_id`, else `since`.
 * The wait      Every stream begins with a `retry:` of its own, drawn evenly from EVENTS_RETRY_MIN_MS to
 *               EVENTS_RETRY_MAX_MS: readers who lose a worker together do not come back together.
 * Compression   Who takes gzip gets a gzip stream, of pieces that were compressed once for all (news/gzip.h).
 * The end       The body ends with the connection: so it also passes through proxies that speak HTTP/1.0.
 *               One that is cut within an event (too slow) is reset, so that neither client nor proxy takes the stump for the whole.
 * Bounds        A client has nothing to say: what it says is thrown away, and more than EVENTS_HEARD_MAX bytes of it end the
 *               stream (4029).
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_SSE_EVENTS_H
#define NEWSWIRE_SSE_EVENTS_H

#include "http/door.h"

enum { EVENTS_RETRY_MIN_MS = 100, EVENTS_RETRY_MAX_MS = 5000, EVENTS_HEARD_MAX = 4096 };

/* For readers_options.lines. */
const struct reader_line *events_line(void);
/* For door_setup.events. sndbuf (bytes) bounds what the kernel keeps for a client that does not read; compresses: for those
 * who take it. */
const struct door_events *events_door(size_t sndbuf, bool compresses);

#endif
