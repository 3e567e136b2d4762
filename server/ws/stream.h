/* stream.h - readers over WebSocket (RFC 6455, subprotocol newswire.v1).
 *
 * What it does  Answers a handshake (handshake.h), makes a reader of its connection, and hands it what the
 *               client says (connection.h). What it is told leaves as ready-made frames, one send(2) for a tick.
 */
#ifndef NEWSWIRE_WS_STREAM_H
#define NEWSWIRE_WS_STREAM_H

#include "http/door.h"

/* For readers_options.lines. */
const struct reader_line *stream_line(void);
/* For door_setup.stream. sndbuf (bytes) bounds what the kernel keeps for a client that does not
 * read; deflates: permessage-deflate may be agreed on. */
const struct door_stream *stream_door(size_t sndbuf, bool deflates);

#endif
