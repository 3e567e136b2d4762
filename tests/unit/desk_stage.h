/* desk_stage.h - a real Redis for the desk's tests, and what they ask it.
 *
 * stage_open() starts a private redis-server (a cmocka group setup); it dies with the test. stage_clear() empties it before
 * each test.
 */
#ifndef NEWSWIRE_TESTS_DESK_STAGE_H
#define NEWSWIRE_TESTS_DESK_STAGE_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include "base/buf.h"
#include "redis_fixture.h"

struct stage {
	struct redis_fixture *redis;
	const char *place; /* unix:<socket> */
	const char *socket;
	redisContext *link;
};
extern struct stage stage;

int stage_open(void **state);
int stage_close(void **state);
int stage_clear(void **state);
/* kill -9, and a new one on the same directory (append-only: nothing acknowledged is lost). */
void stage_kill_redis(void);
void stage_start_redis(void);

/* One command; fails the test if Redis does not answer. The reply lives until the next call. */
redisReply *stage_ask(const char *format, ...);
/* The same where the answer is a text or nothing: "" for nothing. */
const char *stage_text(const char *format, ...);
long long stage_number(const char *format, ...);

/* Every key but those that begin with `except` (or NULL), with type and whole content, sorted: two of these are equal if
 * nothing changed. The caller frees it. */
void stage_dump(struct buf *out, const char *except);
/* Does any key but those that begin with `except` hold the text, in its name or content? */
bool stage_holds(const char *text, const char *except);
/* The uris on the wire must be urn:0, urn:1 … each once and in order, so many. */
void stage_holds_stories(int count);

#endif
