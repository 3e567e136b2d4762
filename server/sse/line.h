/* line.h - the connections of readers over Server-Sent Events: plain sockets, written to and watched without libwebsockets.
 *
 * What it does  Once a stream has begun, nothing of HTTP is left in it: bytes go out until one side ends it. So the socket
 *               needs no HTTP engine behind it, whose memory (a table of headers, buffers) is several times a reader's. One
 *               epoll set a worker watches all of them; the loop watches that set.
 * Ownership     A line lies in its reader's memory. line_watch() gives it the reader; hanging up, an error, or the closing
 *               that was asked for end it: socket closed, reader freed.
 * Bounds        What the kernel does not take of one write is kept, at most a block; no more is written before it has left.
 *               SO_SNDBUF bounds what the kernel keeps. A client has nothing to say: what it says is thrown away, and more
 *               than LINE_HEARD_MAX bytes of it end the line (4029).
 * The end       Clean where nothing is cut: the client sees the end of the body. A line that ends within an event
 *               (too slow) is reset, so that neither client nor proxy takes the stump for the whole.
 * Encryption    A socket under TLS cannot leave its library: such a reader would need a reader_line that writes by lws_write(),
 *               as ws/socket.h does.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_SSE_LINE_H
#define NEWSWIRE_SSE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "base/base.h"
#include "reader/reader.h"

enum { LINE_HEARD_MAX = 4096 };

struct lines;
struct line_rest;

/* A reader's line. What a write needs stands first. */
struct line {
	int fd;
	bool wants_turn;	/* the reader waits for room … */
	bool armed;		/* … and the epoll set looks for it */
	uint16_t heard;		/* bytes that came and were thrown away */
	struct line_rest *rest; /* what the kernel did not take; NULL: nothing */
	struct reader *reader;	/* NULL: not watched yet */
	struct lines *all;
};

/* All lines of this worker. freed() is called for every line that has ended. */
struct lines *lines_new(uv_loop_t *loop, void (*freed)(void *arg), void *arg) MUST_USE;
/* Ends every line. */
void lines_close(struct lines *all);
/* Accepts NULL. Every line must be gone. The rest of its memory goes when the loop has run. */
void lines_free(struct lines *all);

/* How readers reach theirs; for readers_options.lines. */
const struct reader_line *line_ops(void);
/* A reader was made of a line: from now on it is watched. 0, or -1: memory was short, and both are gone. */
int line_watch(struct reader *reader) MUST_USE;

#endif
