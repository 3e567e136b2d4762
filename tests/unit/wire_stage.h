/* wire_stage.h - a stage for tests of the wire: a private Redis, a loop, wires that follow, and a desk of a few lines of Lua.
 *
 * Every follower writes down what it was told, as text: the version of each post (and "-", if it is blanked), "|" for each tick,
 * "E" for each epoch, "W" for each withdrawal that came.
 */
#ifndef NEWSWIRE_TESTS_WIRE_STAGE_H
#define NEWSWIRE_TESTS_WIRE_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>
#include "redis_fixture.h"
#include "wire/backlog.h"
#include "wire/canary_note.h"
#include "wire/wire.h"

enum { STAGE_SOON = 10000, STAGE_FOLLOWERS = 2 };

struct follower {
	struct wire *wire;
	char *told; /* e.g. "E1 2 |3 |" */
	size_t told_len;
	unsigned posts, epochs, ticks, confirms;
	struct wire_id confirmed;
	unsigned canaries;
	uint64_t canary; /* the number of the last */
	struct wire_id canary_at;
};

struct stage {
	uv_loop_t loop;
	struct redis_fixture *redis;
	struct follower follower[STAGE_FOLLOWERS];
	uint64_t backlog_bytes; /* for wires opened from now on */
	uint64_t max_entries;
};

int stage_set_up(void **state);	   /* Redis and loop, no wire yet */
int stage_tear_down(void **state); /* closes what is open */

struct follower *stage_follow(struct stage *s,
			      unsigned i); /* opens wire i and waits until it follows */
struct follower *stage_open_wire(struct stage *s, unsigned i); /* opens it only */
void stage_leave(struct stage *s, unsigned i);

/* Puts a post on the wire as accept.lua does; version is its number. */
void stage_post(struct stage *s, const char *uri, const char *action, unsigned version);
/* The same, with a text of about so many bytes. */
void stage_post_large(struct stage *s, const char *uri, unsigned version, size_t bytes);
/* On the wire, but the message on `out` is lost. */
void stage_post_unheard(struct stage *s, const char *uri, unsigned version);
/* `count` posts of uris u<version>, from this version on, in one script. */
void stage_post_many(struct stage *s, unsigned first_version, unsigned count);

/* Runs the loop until this many posts were told to a follower; then, what. */
void stage_until_posts(struct stage *s, struct follower *f, unsigned posts);
void stage_until(struct stage *s, bool (*condition)(void *), void *arg);
void stage_until_following(struct stage *s, struct follower *f);
void stage_until_epochs(struct stage *s, struct follower *f, unsigned epochs);
/* What was told, without ticks. */
const char *stage_told(struct follower *f);

#endif
