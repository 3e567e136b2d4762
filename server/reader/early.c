/* early.c - flashes go to a reader that lags before their turn, if it asked for that (`ahead=1`).
 *
 * What goes     A flash, in its latest version; and whatever becomes of an item that went, of any class: a correction, a
 *               hold, a kill. Each once, without a place, and again when it is its turn.
 * When          As soon as there is room. Nothing is queued: at each turn the backlog is looked at from where that ended
 *               the last time. So that room comes early, an early reader's connection is left no more than the frame that
 *               was begun (reader_write_some()).
 * Bounds        A reader remembers READER_EARLY_MAX stories that went and have not come in their turn; while there are so many, a
 *               flash of another one goes in its turn only. Frames belong to the posts, and are shared.
 */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include "base/counters.h"
#include "reader/reader_own.h"

/* Stories that went. Two with the same hash are taken for one: something harmless goes early that need not. */
struct reader_early {
	uint32_t count;
	struct {
		uint64_t story;
		struct wire_id id; /* the post that went last */
	} sent[READER_EARLY_MAX];
};

/* --- what went -------------------------------------------------------------------------------- */

static uint64_t story_of(const struct post *post)
{
	return XXH3_64bits(post->uri, strlen(post->uri));
}

/* Its index, or `count`. */
static uint32_t find(const struct reader_early *early, uint64_t story)
{
	uint32_t i = 0;

	while (i < early->count && early->sent[i].story != story)
		i++;
	return i;
}

static bool has_gone(const struct reader *r, const struct post *post)
{
	const struct reader_early *early = r->debts->early;

	return early != NULL && find(early, story_of(post)) < early->count;
}

/* Those that have come in their turn too are forgotten. */
static void make_room(struct reader_early *early, struct wire_id cursor)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < early->count; i++)
		if (wire_id_compare(early->sent[i].id, cursor) > 0)
			early->sent[kept++] = early->sent[i];
	early->count = kept;
}

/* 0, or -1: there is no room for one more. */
static int remember(struct reader *r, const struct post *post)
{
	struct reader_early *early = r->debts->early;
	uint64_t story = story_of(post);
	uint32_t i;

	if (early == NULL && (early = r->debts->early = calloc(1, sizeof *early)) == NULL)
		return -1;
	if ((i = find(early, story)) == READER_EARLY_MAX) {
		make_room(early, r->cursor);
		i = early->count;
	}
	if (i == READER_EARLY_MAX)
		return -1;
	early->sent[i].story = story;
	early->sent[i].id = post->id;
	early->count += i == early->count;
	return 0;
}

/* --- going ------------------------------------------------------------------------------------ */

bool reader_may_hurry(const struct post *post)
{
	return post->class == CLASS_FLASH ||
	       (post->action != POST_PUBLISH && post->action != POST_UPDATE);
}

/* What the reader is to be told of it now; MATCH_NOT: nothing. */
static enum post_match judge(const struct reader *r, const struct post *post)
{
	if (post->class != CLASS_FLASH && !has_gone(r, post))
		return MATCH_NOT;
	return reader_needs_not(r, post, NULL, true) ? MATCH_NOT : reader_match(r, post, NULL);
}

static void go(struct reader *r, struct post *post, enum post_match how)
{
	const struct frame *f = post_early_frame(post, (enum format)r->format, how);

	if (f == NULL)
		return; /* it comes in its turn, or what took its text does */
	if (remember(r, post) != 0) {
		COUNT(AHEAD_LEFT_OUT);
		return;
	}
	reader_write(r, f->data, f->len);
	COUNT(AHEAD_SENT);
}

static bool has_room(const struct reader *r)
{
	return !r->blocked && (r->state == READER_BEHIND || r->state == READER_WAITING ||
			       r->state == READER_ARRIVING);
}

void reader_hurry(struct reader *r)
{
	const struct backlog *backlog = wire_backlog(r->all->wire);
	struct reader_debts *debts;

	if (!r->early || !has_room(r) || (debts = reader_debts_of(r)) == NULL)
		return;
	if (wire_id_compare(debts->looked, r->cursor) < 0)
		debts->looked = r->cursor;
	for (size_t i = backlog_after(backlog, debts->looked);
	     i < backlog_count(backlog) && has_room(r); i++) {
		struct post *post = backlog_at(backlog, i);
		enum post_match how = judge(r, post);

		debts->looked = post->id;
		if (how != MATCH_NOT)
			go(r, post, how);
	}
}

/* --- leaving room ----------------------------------------------------------------------------- */

/* How much of a block goes, and what that is. */
struct cut {
	size_t len;
	struct wire_id upto;
};

/* To the end of the frame in which so many bytes end. What the audience joined is found again in the backlog; where that has
 * changed meanwhile, the whole block goes. */
static struct cut cut_block(const struct reader *r, const struct audience_block *block, size_t sent)
{
	const struct backlog *backlog = wire_backlog(r->all->wire);
	struct cut cut = {.upto = block->from};
	size_t i = backlog_after(backlog, block->from), len = 0;

	for (; i < backlog_count(backlog); i++) {
		struct post *post = backlog_at(backlog, i);
		enum post_match how = reader_match(r, post, NULL);
		const struct frame *f;

		if (wire_id_compare(post->id, block->upto) > 0)
			break;
		if (how == MATCH_NOT || (f = post_frame(post, (enum format)r->format, how)) == NULL)
			continue;
		len += f->len;
		if (cut.len < sent)
			cut = (struct cut){len, post->id};
	}
	return len == block->len ? cut : (struct cut){block->len, block->upto};
}

/* The kernel took so many bytes of it. */
static __attribute__((noinline)) void fall_behind(struct reader *r,
						  const struct audience_block *block, size_t sent)
{
	struct cut cut = cut_block(r, block, sent);
	struct reader_debts *debts = reader_debts_of(r);

	r->cursor = cut.upto;
	reader_set_state(r, READER_BEHIND);
	if (debts != NULL)
		debts->offered = block->upto;
	if (wire_id_compare(block->upto, wire_head(r->all->wire)) < 0)
		lag_excuse(r);
	if (sent < cut.len)
		reader_write_rest(r, block->bytes, cut.len, sent);
	if (cut.len > 0)
		reader_left(r, &(struct reader_block){.from = block->from, .upto = cut.upto});
	if (r->state == READER_BEHIND && !r->blocked)
		reader_door(r)->want_turn(reader_own_line(r));
}

void reader_offer_early(struct reader *r, const struct audience_block *block)
{
	size_t sent = reader_write_some(r, block->bytes, block->len);

	if (sent < block->len && r->state != READER_CLOSING)
		fall_behind(r, block, sent);
}
