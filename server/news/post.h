/* post.h - an accepted item with its place on the wire. Immutable, refcounted, encoded once per format.
 *
 * What it is    What the accepting script PUBLISHes to `newswire:out`, and keeps in the stream
 *               `wire` + `body:…`:
 *
 *     out:   "1 <epoch> <id> <prev>\n" <meta> "\n" <body>       (first number: version of this layout)
 *     wire:  v 1  prev <id>  meta <meta>                         body:<uri>:<version>  <body>
 *     meta:  one flat JSON object of strings: action uri version class channels was [lang] [type] [notice] [also]
 *            `channels` (where it goes) and `was` (where earlier versions of its uri went) are sorted names joined by spaces.
 *     body:  the item, canonical ninjs 3.1; empty for kill and hold.
 *
 * also="1" The same version again, for more channels: only for those whom `was` does not match.
 * Ownership     post_hold/post_drop. Its frames belong to it and live as long.
 * Threads       Loop thread only (the count is not atomic).
 */
#ifndef NEWSWIRE_NEWS_POST_H
#define NEWSWIRE_NEWS_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/base.h"
#include "base/buf.h"
#include "news/channel.h"
#include "news/cursor.h"
#include "news/format.h"
#include "news/item.h"

enum post_action {
	POST_PUBLISH,
	POST_UPDATE,
	POST_CORRECT,
	POST_RELEASE,
	POST_KILL,
	POST_HOLD,
	POST_ACTION_COUNT
};
const char *post_action_name(enum post_action a);

/* How a post matches a subscription. */
enum post_match {
	MATCH_NOT,
	MATCH_FULL,   /* the whole post */
	MATCH_REMOVE, /* it matched before, not now: a textless `remove` */
};

/* Always true: action is kill or hold => body is NULL; blanked => body is NULL and FULL frames
 * are gone. */
struct post {
	unsigned refs;
	struct wire_id id;
	struct wire_id prev; /* the id before it, 0-0 for the first */
	char epoch[EPOCH_MAX + 1];
	enum post_action action;
	enum news_class class;
	bool also;
	bool blanked; /* a later kill or hold took its text: it is not sent any more */
	bool heard;   /* it came as a message on `out`, not from the stream */
	bool canary;  /* no post of the wire: a worker's message to itself (wire/canary_note.h) */
	char *uri;
	char *version;
	char *lang;   /* NULL if none */
	char *type;   /* NULL if none */
	char *notice; /* NULL if none */
	struct channel_set channels;
	struct channel_set was;
	char *body;
	size_t body_len;
	char *brief; /* the item without its body (brief.h), made when first needed; or NULL */
	size_t brief_len;
	struct frame frames[FORMAT_COUNT]
			   [2];	  /* [format][0 full, 1 remove], made when first needed */
	struct frame (*early)[2]; /* NULL, or the same for readers who get it before its turn */
	struct frame *
		by_channel; /* NULL, or one for each of `channels`, then of `was`: of FORMAT_CENTRIFUGE */
	size_t bytes;	    /* all memory of this post, frames included */
	uint64_t *sum;	    /* the backlog's: `bytes` of all posts in it; NULL: it is in none */
	struct post *newer; /* the backlog's: next post of the same uri, or NULL */
	uint64_t before;    /* the backlog's: bytes of the texts that came before it */
	uint64_t tally;	    /* wire/tally.h's number of it; 0: it is not counted */
	uint32_t owed; /* audiences (and channels) that have not offered it to all members yet */
};

/* Reads an `out` message. Returns a post with one reference, or NULL if it is none, or memory is
 * short: then errno is ENOMEM. */
struct post *post_read(const char *message, size_t len) MUST_USE;
/* A kill or a hold: it takes the text of the older posts of its uri. */
static inline bool post_is_withdrawal(const struct post *post)
{
	return post->action == POST_KILL || post->action == POST_HOLD;
}

/* Reads a wire entry; body may be NULL (killed since, or expired: the post is then blanked,
 * unless its action has no text). NULL as post_read(). */
struct post *post_read_entry(const char *epoch, struct wire_id id, struct wire_id prev,
			     const char *meta, size_t meta_len, const char *body,
			     size_t body_len) MUST_USE;
struct post *post_hold(struct post *post);
void post_drop(struct post *post); /* accepts NULL */

/* Takes text and full frames away. Returns how many bytes that freed. */
size_t post_blank(struct post *post);

/* The post's frame in a format, made now if it is the first time (post->bytes grows). `match` is
 * FULL or REMOVE. Returns NULL if the post is blanked (FULL) or memory is short. */
const struct frame *post_frame(struct post *post, enum format format, enum post_match match);

/* The same before its turn: the message is marked `"ahead":true`, and has no place. Not for formats that name the channel. */
const struct frame *post_early_frame(struct post *post, enum format format, enum post_match match);

/* How the post is for those who follow this one channel, as if nothing else were followed. *at: which of the post's channels
 * it is, for post_channel_frame(). */
enum post_match post_in_channel(const struct post *post, const char *channel, uint32_t *at);
/* Its frame in a format that names the channel (format_names_channel()), made now if it is the first time. at: as
 * post_in_channel() has it, which matched. NULL as with post_frame(). */
const struct frame *post_channel_frame(struct post *post, enum format format, uint32_t at);

/* Appends the message that the post is: the JSON in its frames. `match` is FULL (then it is not blanked) or REMOVE. */
void post_write_message(const struct post *post, enum post_match match, struct buf *out);

/* Appends the post as the feed shows it: the message without its cursor. */
void post_write_json(const struct post *post, enum format_view view, struct buf *out);

#endif
