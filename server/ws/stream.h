/* stream.h - readers over WebSocket (RFC 6455, subprotocol newswire.v1).
 *
 * What it does  Turns a connection that libwebsockets has upgraded into a reader, hands it what the
 *               client says, and writes ready-made frames straight to the socket, outside the
 *               writable callback; libwebsockets keeps what the kernel does not take.
 */
#ifndef NEWSWIRE_WS_STREAM_H
#define NEWSWIRE_WS_STREAM_H

#include "http/door.h"

/* For readers_options.lines. */
const struct reader_line *stream_line(void);
/* For door_setup.stream. sndbuf (bytes) bounds what the kernel keeps for a client that does not
 * read. */
const struct door_stream *stream_door(size_t sndbuf);

#endif
