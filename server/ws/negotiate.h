/* negotiate.h - permessage-deflate is agreed on with a client, and that is all that libwebsockets does of it.
 *
 * What it does  An extension for the library that compresses nothing: readers share frames that were compressed once
 *               (news/deflate.h), and what clients compress is inflated in stream.c. It is there so that the library answers
 *               the offer and lets RSV1 pass.
 * Threads       Loop thread only. A handshake runs from the library's first question to ESTABLISHED without another
 *               one in between.
 */
#ifndef NEWSWIRE_WS_NEGOTIATE_H
#define NEWSWIRE_WS_NEGOTIATE_H

#include "http/door.h"
#include "news/format.h"

/* For door_setup.extension. */
const struct door_extension *negotiate_deflate(void);
/* In ESTABLISHED: what was agreed on. */
enum format_coding negotiate_coding(struct lws *wsi);

#endif
