/* reader.h - one connection's state: its audience, its cursor, and nothing queued.
 *
 * Start here    A reader is LIVE (its cursor is the wire's head; its audience writes to it) or it
 *               is behind and catches up by itself: from the backlog, from pages of history, or not
 *               at all (`gap`).
 * The line      A door (WebSocket, Server-Sent Events) gives each reader a line: how to write, to be called back
 *               when there is room again, to close. The door's own struct for it lies in the reader's memory.
 *               Doors call reader_open, reader_line, reader_hear, reader_turn and reader_gone; nothing else.
 * Speech        A door of another protocol says itself what newswire.v1 has messages for: it opens its readers quietly, has a
 *               `speech` in its line, and moves and answers its readers with the functions at the end of this header.
 * Ownership     reader_open() makes it, reader_gone() frees it. Closing is requested by whoever
 *               (reader_close), performed by readers_reap() at the end of a turn of the loop, and
 *               only the door's CLOSED event frees.
 * Bounds        A reader holds no posts. What waits in front of it: one block (AUDIENCE_BLOCK_MAX,
 *               or one larger frame) in the door's library, and READER_OWED_MAX bytes of answers;
 *               more means close 4008. How far it may be behind: lag.c; then it is told of a gap, or closed with 4008.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_READER_READER_H
#define NEWSWIRE_READER_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>
#include "audience/audience.h"
#include "base/base.h"
#include "line/line.h"
#include "news/cursor.h"
#include "news/format.h"
#include "news/subscription.h"
#include "reader/close.h"
#include "wire/backlog.h"
#include "wire/history.h"
#include "wire/wire.h"

struct reader;
struct readers;

/* What is said instead of the messages of newswire.v1; of `bye` there is no instead: the close code says it. */
struct reader_speech {
	void (*tick)(struct reader *reader); /* proof of life */
	/* History is gone for who is at or below this place: reader_move() it to where it goes on. */
	void (*gap)(struct reader *reader, struct wire_id lost);
	/* In a format that names the channel: has this one of the subscription not come so far yet? */
	bool (*wants)(const void *line, uint32_t channel, struct wire_id id);
};

/* How a door reaches a connection; `line` is the door's own struct, of `size` bytes. write() says what line/line.h says. */
struct reader_line {
	size_t size;
	enum line_result (*write)(void *line, const uint8_t *bytes, size_t len);
	void (*expect)(void *line);    /* a write follows soon: bring its memory near */
	void (*want_turn)(void *line); /* call reader_turn() once there is room */
	void (*close)(void *line, enum close_why why,
		      bool blocked);	    /* blocked: bytes still wait before it */
	const struct reader_speech *speech; /* NULL: newswire.v1 */
	/* Writes as much as the kernel takes at once, and keeps nothing. Returns how much that was; -1: as LINE_DEAD. */
	ssize_t (*write_some)(void *line, const uint8_t *bytes, size_t len);
	/* As write(), but the bytes before `at` have gone. What is whole here is kept once for all who were written the same. */
	enum line_result (*write_rest)(void *line, const uint8_t *bytes, size_t len, size_t at);
	/* Did it end because there was no room for what it did not read? */
	bool (*was_let_go)(const void *line);
};

/* What is a line's (line/line.h), for a door whose own struct begins with one. */
#define READER_WRITES_TO_LINE \
	.write = line_write, .write_some = line_write_some, .write_rest = line_write_rest, \
	.expect = line_expect, .want_turn = line_want_room, .was_let_go = line_was_let_go

enum { READER_OWED_MAX = 4096, READER_HEARD_PER_SECOND = 50, READER_EARLY_MAX = 32 };

struct readers_options {
	uint64_t tick_ms;
	uint64_t retention_ms; /* told in `hello` */
	uint64_t
		lag_bytes; /* of posts that a reader may be behind; 0: as far as the backlog goes */
	uint64_t lag_time_ms; /* how old what it has not got may be; 0: any age */
	size_t names_max;     /* channels that all subscriptions together may name; 0: any number */
	bool shows_readers;   /* how many read a channel; else asking for it is refused */
	const struct reader_line *lines[FORMAT_COUNT]; /* of the door of each format; borrowed */
};

/* All readers of this worker. The wire must outlive them. */
struct readers *readers_new(struct wire *wire, const struct readers_options *options) MUST_USE;
void readers_free(struct readers *all); /* accepts NULL; every reader must be gone */
size_t readers_count(const struct readers *all);

/* What the wire tells (wire_events). */
void readers_post(struct readers *all, struct post *post);
void readers_withdrawn(struct readers *all, const struct post *withdrawal);
/* The turn of the loop ends: its posts are offered, in one write for each reader, to some of them.
 * Returns whether there is more to offer: then it has to be called again soon, after whatever else waits
 * was served. */
bool readers_go_on(struct readers *all);
/* Is all that is left for readers who have not shown that they read, while others have? */
bool readers_can_wait(const struct readers *all);
/* As readers_go_on(), to everybody. Cheap when there is nothing. */
void readers_tick(struct readers *all);
/* The oldest post that not everybody was offered yet, or NULL. */
const struct post *readers_owed(const struct readers *all);
void readers_epoch(struct readers *all);
void readers_confirmed(struct readers *all, struct wire_id head);

/* A second has passed: the next bucket of readers gets its tick. */
void readers_second(struct readers *all);
/* This worker's canary came (wire_events.canary): goes out as a post does, to the reader that the server has for it. */
void readers_canary(struct readers *all, struct post *post);
/* Performs the closings that were asked for. Called at the end of each turn of the loop, never
 * from a door's callback. Returns how many there were. */
size_t readers_reap(struct readers *all);
/* The next `count` readers are told to come back in [min, max] ms, and closed (1001). Returns
 * how many are left. */
size_t readers_drain(struct readers *all, size_t count, uint32_t retry_min_ms,
		     uint32_t retry_max_ms);

/* May this be asked for? Not with --show-readers=publishers and `readers`: that is refused. */
bool reader_may_ask(const struct readers *all, const struct subscription *subscription);
#define READERS_HIDDEN_CODE   "readers_hidden"
#define READERS_HIDDEN_DETAIL "How many read a channel is not told here."

/* A connection was opened, in this format or that with its subscription's view. `line` is copied. Takes the subscription over, also on failure. since NULL: from now
 * on. Says hello, and whatever the reader missed follows. NULL: out of memory (close the
 * connection with CLOSE_INTERNAL). */
struct reader *reader_open(struct readers *all, enum format format, const void *line,
			   struct subscription *subscription, const struct cursor *since) MUST_USE;
/* It asked for something that makes no sense before it could be opened: an `error`, then the
 * close. */
struct reader *reader_open_refused(struct readers *all, enum format format, const void *line,
				   const char *code, const char *detail) MUST_USE;
/* The door's own struct. It lives as long as the reader. */
void *reader_line(struct reader *reader);
struct reader *reader_of_line(void *line);
/* The connection is gone: frees the reader. Accepts NULL. */
void reader_gone(struct reader *reader);
/* There is room to write again. */
void reader_turn(struct reader *reader);
/* A whole text message came. */
void reader_hear(struct reader *reader, const char *bytes, size_t len);
/* Asks for the end of it; the first reason stands. */
void reader_close(struct reader *reader, enum close_why why);
/* Where it stands, as text goes out. */
struct cursor reader_cursor(const struct reader *r);

/* --- for doors of another protocol ------------------------------------------------------------ */

/* A connection was opened, and subscribes to nothing yet. Says nothing. NULL: out of memory. */
struct reader *reader_open_quietly(struct readers *all, enum format format,
				   const void *line) MUST_USE;
/* Before what it said is looked at: the posts of this turn go out first. false: it is closing. */
bool reader_listens(struct reader *reader);
/* Says this now, or as soon as there is room (READER_OWED_MAX). */
void reader_answer(struct reader *reader, const char *json, size_t len);
/* It was given more than its connection has taken. */
bool reader_is_blocked(const struct reader *reader);
bool reader_is_live(const struct reader *reader);
const struct subscription *reader_subscription(const struct reader *reader);

enum reader_since {
	SINCE_KNOWN, /* in memory */
	SINCE_OLDER, /* Redis may have it */
	SINCE_AHEAD, /* above this worker's head */
	SINCE_LOST
};
enum reader_since reader_judge(const struct reader *reader, const struct cursor *since);
/* Replaces its subscription, which is taken over (NULL: out of memory, it is closed), and goes on from `at`, which is not above the
 * wire's head. */
void reader_move(struct reader *reader, struct subscription *subscription, struct wire_id at);

#endif
