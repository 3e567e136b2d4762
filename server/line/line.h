/* line.h - connections that have left libwebsockets: plain sockets, written to at once, watched for bytes, for room and for their end.
 *
 * What it does  Once a stream has begun, nothing of HTTP is left in it. So its socket needs no HTTP engine behind it, whose memory
 *               (a table of headers, buffers, handles) is several times a reader's. One epoll set a worker watches all of
 *               them; the loop watches that set.
 * Ownership     A line lies in the memory of whoever uses it, who must not move it once line_watch() was called. Its end is
 *               told once, by ended(): the socket is not the user's any more, and the memory is his again.
 * The end       Hanging up, an error, what heard() or room() say, or line_end(). A line that is ended politely
 *               (LINE_PARTS) has its socket kept, without its user, until the other side closes too, at most
 *               LINE_PARTS_MS: a socket that is closed over unread bytes would be reset, and what was said last might be lost.
 * Bounds        What the kernel does not take of a write is kept; who is told so (LINE_PARTIAL) writes no more before room(). Bytes
 *               that many were written are kept once. SO_SNDBUF bounds what the kernel keeps, lines_limit() what all
 *               lines together do: where there is no more room, those are let go that have stood still for longest, and
 *               who alone would need more than that, before anybody else.
 * Encryption    Where a descriptor has a session of TLS (line/tls.h), what is written leaves as its records, and what comes is
 *               decrypted. What of a record the kernel does not take waits before what is not encrypted yet, and is not shared.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_LINE_LINE_H
#define NEWSWIRE_LINE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>
#include "base/base.h"
#include "base/counters.h"

struct line;
struct lines;
struct line_rest;

enum line_result {
	LINE_SENT,    /* all of it is in the kernel */
	LINE_PARTIAL, /* taken, but some of it waits: write no more until there is room */
	LINE_DEAD,    /* the connection is gone; its end follows */
};

enum line_fate {
	LINE_LIVES,
	LINE_ENDS, /* at once; reset if bytes still wait, so that nobody takes a stump for the whole */
	LINE_PARTS /* what was written still arrives, the other side may say goodbye */
};

enum { LINE_PARTS_MS = 5000, LINE_PARTS_BYTES = 1 << 20 };

/* What happens to a line. Only ended() may free it; the others say what becomes of it. */
struct line_events {
	/* These bytes came; they may be written over. */
	enum line_fate (*heard)(struct line *line, char *bytes, size_t len);
	/* line_want_room() was called, and nothing waits any more. */
	enum line_fate (*room)(struct line *line);
	void (*ended)(struct line *line);
};

/* What a write needs stands first. */
struct line {
	int fd;
	bool wants_room;	/* its user waits for room … */
	bool armed;		/* … or bytes do, and the epoll set looks for it */
	bool deaf : 1;		/* nothing is read */
	bool cut : 1;		/* let go, for want of room: what waited is gone */
	bool watched;		/* line_watch() was called */
	struct line_rest *rest; /* what the kernel did not take; NULL: nothing */
	const struct line_events *events;
	struct lines *all;
};

/* All lines of this worker. freed() is called for every socket that was closed. */
struct lines *lines_new(uv_loop_t *loop, void (*freed)(void *arg), void *arg) MUST_USE;
/* All lines together keep at most so many bytes; at first, any number. */
void lines_limit(struct lines *all, size_t waiting_max);
/* What counts the bytes that wait, and the lines that were let go for want of room: at first, what is for readers. */
void lines_count_as(struct lines *all, enum counter_id waiting, enum counter_id let_go);
/* A second has passed. */
void lines_second(struct lines *all);
/* Sockets that wait for the other side to close. */
size_t lines_parting(const struct lines *all);
/* Ends every line. */
void lines_close(struct lines *all);
/* Accepts NULL. Every line must be gone. The rest of its memory goes when the loop has run. */
void lines_free(struct lines *all);

/* What the kernel keeps of what is written to a connected socket: so many bytes at most, a quarter of them more than the other side has room
 * for. (Who does not read costs little, and what still waits here can be taken back when a story is killed.) Other sockets than
 * TCP's have the first bound only. */
void line_bound(int fd, size_t bytes);
/* The first bytes on a connected socket which is to be a line's, and the kernel takes them whole: an answer's head. more: others follow,
 * and shall go out with them. 0, or -1: it is dead. */
int line_greet(int fd, const void *bytes, size_t len, bool more) MUST_USE;
/* From now on its events come. Before, it may be moved and written to. 0, or -1: memory was short. Then it is not
 * watched, and line_drop() is all that may follow. */
int line_watch(struct line *line) MUST_USE;
/* Closes its socket, without ended(): for a line that is not watched. */
void line_drop(struct line *line);
/* Ends it; ended() comes before this returns. Not from within heard() or room(). */
void line_end(struct line *line, enum line_fate how);
/* Nothing is read any more, or again. */
void line_set_deaf(struct line *line, bool deaf);
/* Do bytes wait for room? */
static inline bool line_is_blocked(const struct line *line)
{
	return line->rest != NULL;
}

/* A reader's line (reader/reader.h) begins with one of these, so these are its functions. */
/* Was it let go for want of room? */
bool line_was_let_go(const void *arg);
enum line_result line_write(void *arg, const uint8_t *bytes, size_t len);
enum line_result line_write_rest(void *arg, const uint8_t *bytes, size_t len, size_t at);
ssize_t line_write_some(void *arg, const uint8_t *bytes, size_t len);
void line_expect(void *arg);
void line_want_room(void *arg);

#endif
