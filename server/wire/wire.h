/* wire.h - the one ordered log of accepted posts, followed.
 *
 * Start here: everything that readers get comes out of wire_events.post, in order, each once (but a worker's canary).
 *
 * What it does  Keeps two links. `out` SUBSCRIBEs to `newswire:out`; only after the acknowledgement the command link attaches (attach.lua:
 *               epoch, head, floor) and reads what is missing. Then each `out` message says epoch, id and the id before it:
 *                   id <= head: drop;  prev == head: append;  prev > head: read the stream first;  prev < head: a fork.
 *               Every second the command link reads `head` and `epoch`: a lost *last* message shows, and so does a frozen Redis.
 *               A fork (or a head that Redis has lost) is told to attach.lua, which mints a new epoch once for all workers.
 *               Looks after trimming (trim.lua: by age and length, with an explicit floor), on one worker at a time.
 * Backlog       Posts that were appended stay in memory (backlog.h) within its byte bound.
 * Errors        Redis away is a state (wire_is_following() false), never an end: readers keep what
 *               they have.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_WIRE_H
#define NEWSWIRE_WIRE_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>
#include "base/base.h"
#include "news/post.h"
#include "wire/link.h"

struct wire;
struct backlog;
struct tallies;
struct presence;

struct wire_events {
	/* A new post, appended to the backlog. When it is a kill or hold, older posts of its uri
	 * are blanked already. Borrowed. */
	void (*post)(void *arg, struct post *post);
	/* Attached for the first time: the backlog holds what there was (it is no news). Or
	 * history broke, or went on too far while we were away: a new start at wire_head(), the
	 * backlog is empty. */
	void (*epoch)(void *arg);
	/* All that one reading of the socket brought has been told. */
	void (*tick)(void *arg);
	/* Once a second while following: Redis had this head when it was asked, a moment ago. Of
	 * cursors that were there then, none may be ahead of it; one that came since may be. Who
	 * has waited for one `confirmed` before was there. */
	void (*confirmed)(void *arg, struct wire_id head);
	/* This worker's own canary came back (canary_note.h): no post of the wire, though it is to go out like one. Its place
	 * is the head, which it does not move; no backlog holds it. A tick follows. Borrowed. */
	void (*canary)(void *arg, struct post *post);
	/* A kill or hold has come, whose turn to be told may come later: posts before it are still being read. What the backlog
	 * has of its uri is blanked already. Borrowed. */
	void (*withdrawn)(void *arg, const struct post *withdrawal);
};

struct wire_options {
	const char *prefix;
	uint64_t backlog_bytes;
	uint64_t retention_ms; /* of the stream */
	uint64_t max_entries;  /* of the stream */
	uint64_t vacate_ms;    /* a channel without readers for so long is vacated */
};

struct wire *wire_open(uv_loop_t *loop, const struct redis_place *place,
		       const struct wire_options *options, const struct wire_events *events,
		       void *arg) MUST_USE;
/* Accepts NULL. Not from inside one of its events. Whoever waits for an answer on wire_link()
 * gets NULL first. */
void wire_close(struct wire *wire);

/* The backlog keeps within its bound, whatever frames were made of its posts. Call after each turn of the loop. */
void wire_turn_ends(struct wire *wire);
/* News has gone out: the readers of all posts before `owed` (NULL: of all) may be reported. Call after each tick. */
void wire_settle(struct wire *wire, const struct post *owed);

/* Attached and hearing? Readers can be served (from memory) once it was true for the first time
 * (wire_has_epoch). */
bool wire_is_following(const struct wire *wire);
bool wire_has_epoch(const struct wire *wire);
const char *wire_epoch(const struct wire *wire);
/* The id of the last post that was told: the cursor of a reader who has everything. */
struct wire_id wire_head(const struct wire *wire);
const struct backlog *wire_backlog(const struct wire *wire);

/* This worker's name, random and unlike all others. */
const char *wire_name(const struct wire *wire);

/* Counts to how many readers each post was written (tally.h). */
struct tallies *wire_tallies(const struct wire *wire);

/* How many readers each channel has, everywhere (presence.h). */
struct presence *wire_presence(const struct wire *wire);

/* The loop, the command link and the key prefix, for history.h and shelf.h. */
uv_loop_t *wire_loop(const struct wire *wire);
struct link *wire_link(struct wire *wire);
const char *wire_prefix(const struct wire *wire);

/* Does this Redis throw keys away when its memory is full? */
bool wire_may_vanish(const struct wire *wire);
/* Why it does not follow (redis_words.h). Never NULL. */
const struct redis_words *wire_trouble(const struct wire *wire);
/* What survives when Redis' machine goes down: "fsync" all that was accepted, "second" all but
 * the last second's, "memory" nothing to rely on, "unknown"; of what replicas have, "replicated" (or "memory" where it is thrown away). */
const char *wire_durability(const struct wire *wire, bool replicated);

/* Did a kill or hold of this uri, newer than `than`, reach this worker? (what was read from
 * Redis before it must not go out) */
bool wire_is_withdrawn(const struct wire *wire, const char *uri, struct wire_id than);

#endif
