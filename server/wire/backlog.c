/* backlog.c - a ring of posts in wire order, and the newest post of each uri. */
#include "wire/backlog.h"

#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/counters.h"
#include "base/hash.h"

enum { FIRST_CAPACITY = 256 }; /* a power of two, as every later one */

/* The posts of one uri: oldest to newest they are chained by post->newer. */
struct story {
	const char *uri; /* the newest post's: it lives as long as the story */
	struct post *newest;
	struct post *oldest;
	UT_hash_handle hh;
};

/* Always true: ids rise from `first` on; bytes is the sum of theirs; start is below all ids;
 * every post is in exactly one story's chain. */
struct backlog {
	struct post **ring;
	size_t capacity, first, count;
	uint64_t bytes, max_bytes;
	uint64_t passed; /* bytes of texts, of all posts that were ever appended */
	struct wire_id start;
	struct story *stories;
};

static size_t slot(const struct backlog *b, size_t i)
{
	return (b->first + i) & (b->capacity - 1);
}

struct backlog *backlog_new(uint64_t max_bytes)
{
	struct backlog *b = calloc(1, sizeof *b);

	if (b)
		b->max_bytes = max_bytes;
	return b;
}

static void tell_gauges(const struct backlog *b)
{
	GAUGE_SET(BACKLOG_BYTES, b->bytes);
	GAUGE_SET(BACKLOG_POSTS, b->count);
}

/* The oldest post is always the oldest of its story. */
static void leave_story(struct backlog *b, struct post *post)
{
	struct story *story;

	HASH_FIND_STR(b->stories, post->uri, story);
	if (story == NULL) { /* it was lost when memory was short: see backlog_append() */
		post->newer = NULL;
		return;
	}
	MUST(story->oldest == post);
	story->oldest = post->newer;
	if (story->oldest == NULL) {
		HASH_DEL(b->stories, story);
		free(story);
	}
	post->newer = NULL;
}

static void evict_oldest(struct backlog *b)
{
	struct post *post = b->ring[b->first];

	b->start = post->id;
	b->bytes -= post->bytes;
	post->sum = NULL;
	b->first = slot(b, 1);
	b->count--;
	leave_story(b, post);
	post_drop(post);
}

static void evict(struct backlog *b)
{
	while (b->bytes > b->max_bytes && b->count > 1)
		evict_oldest(b);
	tell_gauges(b);
}

void backlog_reset(struct backlog *b, struct wire_id from)
{
	while (b->count > 0)
		evict_oldest(b);
	b->start = from;
	tell_gauges(b);
}

void backlog_free(struct backlog *b)
{
	if (b == NULL)
		return;
	backlog_reset(b, b->start);
	free(b->ring);
	free(b);
}

/* Twice the room, with the oldest post at slot 0. */
static int grow(struct backlog *b)
{
	size_t capacity = b->capacity ? 2 * b->capacity : FIRST_CAPACITY;
	struct post **ring = calloc(capacity, sizeof *ring);

	if (ring == NULL)
		return -1;
	for (size_t i = 0; i < b->count; i++)
		ring[i] = b->ring[slot(b, i)];
	free(b->ring);
	b->ring = ring;
	b->capacity = capacity;
	b->first = 0;
	return 0;
}

static void blank_older(const struct post *withdrawal, struct post *oldest)
{
	for (struct post *post = oldest; post != withdrawal; post = post->newer)
		post_blank(post);
}

/* Makes the post the newest of its story. */
static int join_story(struct backlog *b, struct post *post)
{
	struct story *story;

	HASH_FIND_STR(b->stories, post->uri, story);
	if (story == NULL) {
		if ((story = calloc(1, sizeof *story)) == NULL)
			return -1;
		story->oldest = post;
	} else {
		HASH_DEL(b->stories,
			 story); /* the key moves to the newest post, which lives longest */
		story->newest->newer = post;
	}
	story->uri = post->uri;
	story->newest = post;
	HASH_ADD_KEYPTR(hh, b->stories, story->uri, strlen(story->uri), story);
	if (!HASH_IS_IN(story)) {
		free(story);
		return -1;
	}
	if (post_is_withdrawal(post))
		blank_older(post, story->oldest);
	return 0;
}

void backlog_withdraw(struct backlog *b, const struct post *withdrawal)
{
	struct story *story;

	HASH_FIND_STR(b->stories, withdrawal->uri, story);
	for (struct post *post = story ? story->oldest : NULL; post; post = post->newer)
		post_blank(post);
}

/* Without memory for it: what it withdraws must not go out all the same. */
static int fail_to_append(struct backlog *b, const struct post *post)
{
	for (size_t i = 0; post_is_withdrawal(post) && i < b->count; i++)
		if (strcmp(b->ring[slot(b, i)]->uri, post->uri) == 0)
			post_blank(b->ring[slot(b, i)]);
	return -1;
}

int backlog_append(struct backlog *b, struct post *post)
{
	MUST(wire_id_compare(post->id, backlog_head(b)) > 0);
	if (b->count == b->capacity && grow(b) == -1)
		return fail_to_append(b, post);
	post->newer = NULL;
	post->before = b->passed;
	if (join_story(b, post) == -1)
		return fail_to_append(b, post);
	b->ring[slot(b, b->count++)] = post_hold(post);
	post->sum = &b->bytes;
	b->bytes += post->bytes;
	b->passed += post->body_len;
	evict(b);
	return 0;
}

void backlog_settle(struct backlog *b)
{
	evict(b);
}

void backlog_second(const struct backlog *b)
{
	int64_t age_ms = b->count ? clock_wall_ms() - (int64_t)b->ring[b->first]->id.ms : 0;

	LEAST_SET(BACKLOG_SPAN, age_ms > 0 ? age_ms / 1000 : 0); /* Redis' clock may be ahead */
}

uint64_t backlog_passed(const struct backlog *b)
{
	return b->passed;
}

uint64_t backlog_passed_after(const struct backlog *b, struct wire_id id)
{
	size_t i = backlog_after(b, id);

	return i == b->count ? 0 : b->passed - backlog_at(b, i)->before;
}

size_t backlog_count(const struct backlog *b)
{
	return b->count;
}

uint64_t backlog_bytes(const struct backlog *b)
{
	return b->bytes;
}

struct wire_id backlog_start(const struct backlog *b)
{
	return b->start;
}

struct wire_id backlog_head(const struct backlog *b)
{
	return b->count ? b->ring[slot(b, b->count - 1)]->id : b->start;
}

struct post *backlog_at(const struct backlog *b, size_t i)
{
	MUST(i < b->count);
	return b->ring[slot(b, i)];
}

size_t backlog_after(const struct backlog *b, struct wire_id id)
{
	size_t low = 0, high = b->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (wire_id_compare(b->ring[slot(b, middle)]->id, id) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool backlog_knows(const struct backlog *b, struct wire_id id)
{
	if (backlog_after(b, id) == 0)
		return wire_id_compare(b->start, id) == 0;
	return backlog_find(b, id) != NULL;
}

struct post *backlog_find(const struct backlog *b, struct wire_id id)
{
	size_t after = backlog_after(b, id);
	struct post *post = after == 0 ? NULL : b->ring[slot(b, after - 1)];

	return post != NULL && wire_id_compare(post->id, id) == 0 ? post : NULL;
}

struct post *backlog_newest(const struct backlog *b, const char *uri)
{
	struct story *story;

	HASH_FIND_STR(b->stories, uri, story);
	return story ? story->newest : NULL;
}
