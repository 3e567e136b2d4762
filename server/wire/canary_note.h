/* canary_note.h - a worker's message to itself: published on `out` as a post is, and no post.
 *
 * What it is    Every worker may send some, and all workers of all nodes hear all of them; each is for the one that it names.
 *
 *     out:   "1 <epoch> 0-0 0-0\n" <meta> "\n" {"canary":<number>}       laid out as a post (news/post.h)
 *     meta:  its only channel is `canary:<name of the worker>`
 *
 * Its place     0-0, which no post has: it is on no wire, moves no head, and is in no feed and no history. A release that does not
 *               know of canaries takes it for a post that it has already (newswire_wire_dropped_total).
 * Its channel   Of a kind that nobody may ask for (news/channel.h), so that nobody but the worker reads it.
 * The script    canary.lua publishes it, and writes a short-lived key as well: a Redis that takes no writes is found, too.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_CANARY_NOTE_H
#define NEWSWIRE_WIRE_CANARY_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/base.h"
#include "news/post.h"
#include "wire/wire.h"

struct redis_words;

#define CANARY_NOTE_KIND "canary:"
enum { CANARY_NOTE_CHANNEL_MAX = 32 }; /* with its end */

/* Who sends them, and hears what Redis says of each: whether it was published (not without an epoch; nor where the connection was
 * lost), and, if Redis refused it in words that are known, these; else NULL. Borrowed by the question. */
struct canary_note_sender {
	struct wire *wire;
	void (*answered)(struct canary_note_sender *sender, bool published,
			 const struct redis_words *why);
};

/* Asks Redis to publish one. 0, or -1: its link is not READY, and no answer comes. */
int canary_note_send(struct canary_note_sender *sender, uint64_t number) MUST_USE;
/* Is this message of `out` a canary, of whichever worker? */
bool canary_note_is(const char *message, size_t len);
/* The canary as a post in the worker's channel, with one reference. NULL: it is another's, makes no sense, or memory is short. */
struct post *canary_note_read(const char *message, size_t len, const char *worker) MUST_USE;
/* The channel that a worker's canaries are in. */
void canary_note_channel(const char *worker, char to[CANARY_NOTE_CHANNEL_MAX]);
/* The number in what a reader of it is sent (its body is in there). 0: there is none. */
uint64_t canary_note_number(const char *text, size_t len);

#endif
