/* backlog.h - the last posts, in memory, bounded in bytes.
 *
 * What it does  A ring of posts in wire order, found by id (binary search), chained by uri
 *               (post->newer). Frames count from the moment they are made. Evicts the oldest while the sum of post->bytes (all formats' frames
 *               included) is above the bound; the newest always stays.
 * Ownership     Holds one reference on each post.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_BACKLOG_H
#define NEWSWIRE_WIRE_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/base.h"
#include "news/post.h"

struct backlog;

struct backlog *backlog_new(uint64_t max_bytes) MUST_USE;
void backlog_free(struct backlog *b); /* accepts NULL */
/* Forgets everything; `from` becomes its start. */
void backlog_reset(struct backlog *b, struct wire_id from);
/* Appends (post->id must be above the last). A kill or hold blanks the older posts of its uri.
 * 0, or -1 out of memory: they are blanked all the same, and backlog_reset() is due. */
int backlog_append(struct backlog *b, struct post *post) MUST_USE;
/* A kill or hold that is not appended (yet): blanks the posts of its uri. */
void backlog_withdraw(struct backlog *b, const struct post *withdrawal);
/* Frames were made since: evicts what there is no room for any more. Call once a turn of the loop: nobody may be among its posts. */
void backlog_settle(struct backlog *b);

/* A second has passed: says how far back it reaches (newswire_backlog_span_seconds). */
void backlog_second(const struct backlog *b);
/* Bytes of the texts of all posts that were ever appended; and of those of them that are here, after `id`. */
uint64_t backlog_passed(const struct backlog *b);
uint64_t backlog_passed_after(const struct backlog *b, struct wire_id id);

size_t backlog_count(const struct backlog *b);
uint64_t backlog_bytes(const struct backlog *b);
/* Posts after `start` are all here: a reader whose cursor is >= start and known can go on from
 * memory. */
struct wire_id backlog_start(const struct backlog *b);
/* The id of the newest post here, or the start. */
struct wire_id backlog_head(const struct backlog *b);
/* The i-th post, oldest first. Borrowed. */
struct post *backlog_at(const struct backlog *b, size_t i);
/* Index of the first post with an id above `id` (== count if none). */
size_t backlog_after(const struct backlog *b, struct wire_id id);
/* Is `id` backlog_start() or the id of a post here? (a cursor that is neither is of another
 * history) */
bool backlog_knows(const struct backlog *b, struct wire_id id);
/* The post with this id, or NULL. */
struct post *backlog_find(const struct backlog *b, struct wire_id id);
/* The newest post of a uri, or NULL. */
struct post *backlog_newest(const struct backlog *b, const char *uri);

#endif
