/* catch_up.c - a reader that is behind comes forward, a block at a time.
 *
 * In a stretch that it missed, a version that a later post replaces for the same subscription is left out.
 * What went out while it was connected counts as written as soon as the kernel has all of its block.
 */
#include <stdlib.h>
#include "base/clock.h"
#include "base/counters.h"
#include "reader/reader_own.h"
#include "wire/tally.h"

/* Posts in wire order, wherever they are. */
struct posts {
	const struct backlog *backlog; /* or NULL: */
	const struct history_page *page;
	size_t next, end;
};

static struct post *posts_at(const struct posts *p, size_t i)
{
	if (p->backlog != NULL)
		return backlog_at(p->backlog, i);
	MUST(p->page != NULL);
	return p->page->posts[i];
}

static struct posts posts_of_backlog(const struct backlog *b, struct wire_id after)
{
	return (struct posts){
		.backlog = b, .next = backlog_after(b, after), .end = backlog_count(b)};
}

static struct posts posts_of_page(const struct history_page *page, struct wire_id after)
{
	size_t low = 0, high = page->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (wire_id_compare(page->posts[middle]->id, after) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return (struct posts){.page = page, .next = low, .end = page->count};
}

enum post_match reader_match(const struct reader *r, const struct post *post, const char *channel)
{
	uint32_t at;

	return channel == NULL ? subscription_match(audience_subscription(r->member.audience), post)
			       : post_in_channel(post, channel, &at);
}

bool reader_needs_not(const struct reader *r, const struct post *post, const char *channel,
		      bool in_backlog)
{
	const struct post *later = in_backlog ? post->newer : NULL;

	if (!in_backlog)
		later = backlog_newest(wire_backlog(r->all->wire), post->uri);
	if (later != NULL && wire_id_compare(later->id, post->id) <= 0)
		return false; /* a page reaches into the backlog: it is this very post */
	for (; later != NULL; later = later->newer)
		if (reader_match(r, later, channel) != MATCH_NOT)
			return true;
	return false;
}

/* A block that is being gathered. */
struct gathering {
	struct posts posts;
	struct reader_mark mark; /* what is in it */
};

/* Was it counted already, when the audience offered it? */
static bool was_offered(const struct reader *r, const struct post *post)
{
	return r->debts != NULL && wire_id_compare(post->id, r->debts->offered) <= 0;
}

/* Puts one frame behind the others. 0, or -1: memory is short. */
static int add_frame(struct reader *r, struct gathering *g, const struct post *post,
		     const struct frame *f)
{
	if (f == NULL)
		return post->blanked ? 0 : -1;
	buf_add(&r->all->block, f->data, f->len);
	if (!was_offered(r, post))
		g->mark.spared += f->spared;
	return 0;
}

/* What the post is to the reader, behind what is in the block. 0, or -1: memory is short. */
static int add_post(struct reader *r, struct gathering *g, struct post *post)
{
	enum post_match how = reader_match(r, post, NULL);

	if (how == MATCH_NOT)
		return 0;
	if (reader_needs_not(r, post, NULL, g->posts.backlog != NULL)) {
		g->mark.conflated++;
		return 0;
	}
	return add_frame(r, g, post, post_frame(post, (enum format)r->format, how));
}

/* The same in a format that names the channel: once for each that it is in, and that has not come so far yet. */
static int add_post_by_channel(struct reader *r, struct gathering *g, struct post *post)
{
	const struct channel_set *channels = &audience_subscription(r->member.audience)->channels;
	const struct reader_speech *speech = reader_door(r)->speech;
	uint32_t at;

	for (uint32_t i = 0; i < channels->count; i++) {
		if (post_in_channel(post, channels->name[i], &at) == MATCH_NOT ||
		    !speech->wants(reader_own_line(r), i, post->id))
			continue;
		if (reader_needs_not(r, post, channels->name[i], g->posts.backlog != NULL))
			g->mark.conflated++;
		else if (add_frame(r, g, post,
				   post_channel_frame(post, (enum format)r->format, at)) != 0)
			return -1;
	}
	return 0;
}

/* The post's frames are in the block: up to here it may be cut. */
static void put_mark(struct reader *r, struct reader_mark *mark, const struct post *post)
{
	mark->len = r->all->block.len;
	mark->posts += !was_offered(r, post);
	buf_add(&r->all->marks, mark, sizeof *mark);
}

/* Joins frames from the posts until a block is full. 0, or -1: memory is short. */
static int gather(struct reader *r, struct gathering *g)
{
	bool by_channel = format_names_channel((enum format)r->format);
	struct buf *block = &r->all->block;
	struct posts *p = &g->posts;

	buf_clear(block);
	buf_clear(&r->all->marks);
	for (; p->next < p->end; p->next++) {
		struct post *post = posts_at(p, p->next);
		struct reader_mark before = g->mark;

		if ((by_channel ? add_post_by_channel : add_post)(r, g, post) != 0)
			return -1;
		if (before.len > 0 && block->len > AUDIENCE_BLOCK_MAX) {
			block->len = before.len; /* it is for the next block */
			g->mark = before;
			break;
		}
		g->mark.upto = post->id;
		if (block->len > before.len)
			put_mark(r, &g->mark, post);
	}
	if (p->next == p->end && p->page != NULL)
		g->mark.upto = p->page->to;
	return block->failed || r->all->marks.failed ? -1 : 0;
}

/* --- what it got late ------------------------------------------------------------------------- */

/* Was this post left out of a block? It was replaced by what was known, or lost its text in the block's
 * own time. */
static bool was_left_out(const struct reader *r, const struct post *post,
			 const struct reader_block *block)
{
	const struct subscription *s = audience_subscription(r->member.audience);
	struct wire_id known = block->known;

	if (post->blanked && wire_id_compare(known, block->upto) < 0)
		known = block->upto;
	for (const struct post *later = post->newer;
	     later != NULL && wire_id_compare(later->id, known) <= 0; later = later->newer)
		if (subscription_match(s, later) != MATCH_NOT)
			return true;
	return false;
}

/* Each post of the block that went out while this reader was there has one reader more. Those that
 * left the backlog meanwhile are not counted. */
static void count_late(struct reader *r, const struct reader_block *block)
{
	const struct subscription *s = audience_subscription(r->member.audience);
	const struct backlog *backlog = wire_backlog(r->all->wire);
	struct wire_id present = reader_present(r);
	bool came_later = wire_id_compare(block->from, present) < 0;
	size_t i = backlog_after(backlog, came_later ? present : block->from);
	uint64_t now_ms = clock_mono_ms();

	for (; i < backlog_count(backlog); i++) {
		struct post *post = backlog_at(backlog, i);

		if (wire_id_compare(post->id, block->upto) > 0)
			return;
		if (subscription_match(s, post) == MATCH_FULL && !was_left_out(r, post, block))
			tallies_add(wire_tallies(r->all->wire), post, 1, 0, now_ms);
	}
}

void reader_left(struct reader *r, const struct reader_block *block)
{
	if (r->state == READER_CLOSING || wire_id_compare(block->upto, reader_present(r)) <= 0)
		return;
	if (!r->blocked) {
		count_late(r, block);
	} else if (reader_debts_of(r) != NULL) {
		r->debts->leaving = *block;
		r->debts->leaves = true;
	}
}

void reader_all_left(struct reader *r, const struct reader_block *block)
{
	if (r->state != READER_CLOSING)
		count_late(r, block);
}

/* --- forward ---------------------------------------------------------------------------------- */

/* The frame that the so many bytes end in. */
static const struct reader_mark *mark_at(const struct readers *all, size_t len, size_t *start)
{
	const struct reader_mark *mark = (const struct reader_mark *)all->marks.data;

	for (*start = 0; mark->len < len; mark++)
		*start = mark->len;
	return mark;
}

/* Writes no more than ends the frame that the kernel takes last: little waits in this worker, once for all who stand at this frame, and
 * a flash may come before the next. *mark: what that is; `none`: nothing. */
static void write_begun(struct reader *r, const struct reader_mark *none, struct reader_mark *mark)
{
	const uint8_t *bytes = (const uint8_t *)r->all->block.data;
	size_t len = r->all->block.len, sent = reader_write_some(r, bytes, len), start = 0;

	audience_took(&r->member, sent);
	if (sent == len)
		return;
	*mark = sent == 0 ? *none : *mark_at(r->all, sent, &start);
	if (sent < mark->len)
		reader_write_rest(r, bytes + start, mark->len - start, sent - start);
}

static void count(const struct reader_mark *mark)
{
	COUNT_ADD(DELIVERIES, mark->posts);
	COUNT_ADD(CONFLATED, mark->conflated);
	COUNT_ADD(DEFLATE_SPARED, mark->spared);
}

/* Writes one block of what the posts hold. */
static void advance(struct reader *r, struct posts posts)
{
	struct reader_block block = {.from = r->cursor,
				     .known = backlog_head(wire_backlog(r->all->wire))};
	const struct reader_mark none = {.upto = r->cursor};
	struct gathering g = {.posts = posts, .mark = none};

	if (gather(r, &g) != 0) {
		reader_close(r, CLOSE_INTERNAL);
		return;
	}
	if (r->all->block.len > 0)
		write_begun(r, &none, &g.mark);
	count(&g.mark);
	r->cursor = block.upto = g.mark.upto;
	if (g.mark.len > 0)
		reader_left(r, &block);
	if (r->state != READER_BEHIND || r->blocked)
		return;
	if (wire_id_compare(r->cursor, wire_head(r->all->wire)) == 0)
		reader_go_live(r);
	else
		reader_door(r)->want_turn(reader_own_line(r));
}

static void page_came(enum history_answer answer, struct history_page *page, void *arg)
{
	struct reader *r = arg;

	r->asked = false;
	if (r->state != READER_WAITING)
		return;
	if (answer == HISTORY_AWAY)
		return; /* readers_confirmed() asks again */
	reader_set_state(r, READER_BEHIND);
	if (answer == HISTORY_GONE)
		reader_gap(r);
	else if (!r->blocked)
		advance(r, posts_of_page(page, r->cursor));
}

static void catch_up_from_history(struct reader *r)
{
	struct history_page *page = history_find(r->all->history, r->cursor);

	if (page != NULL) {
		advance(r, posts_of_page(page, r->cursor));
		return;
	}
	reader_set_state(r, READER_WAITING);
	reader_hurry(r);
	if (r->state != READER_WAITING)
		return;
	if (history_ask(r->all->history, r->cursor, page_came, r) == 0)
		r->asked = true;
	else
		reader_close(r, CLOSE_INTERNAL);
}

/* It is further behind than it may be: what it would get is too old, or too much, to be of use. */
static void lose_to(struct reader *r, enum lag_limit limit)
{
	lag_count(limit);
	reader_gap(r);
}

void reader_catch_up(struct reader *r)
{
	const struct backlog *backlog = wire_backlog(r->all->wire);
	int ahead = wire_id_compare(r->cursor, wire_head(r->all->wire));
	enum lag_limit limit;

	if (r->blocked)
		return;
	if (ahead > 0)
		reader_set_state(r, READER_AHEAD);
	else if (ahead == 0)
		reader_go_live(r);
	else if ((limit = lag_judge(r)) != LAG_FINE)
		lose_to(r, limit);
	else if (wire_id_compare(r->cursor, backlog_start(backlog)) >= 0)
		advance(r, posts_of_backlog(backlog, r->cursor));
	else
		catch_up_from_history(r);
}
