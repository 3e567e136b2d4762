/* readers.c - all readers of a worker: what the wire tells them, their ticks, their end. */
#include <stdlib.h>
#include <string.h>
#include "base/backoff.h"
#include "base/clock.h"
#include "base/counters.h"
#include "news/message.h"
#include "reader/counts.h"
#include "reader/reader_own.h"
#include "wire/tally.h"

/* The rare ends of an offer, apart so that the usual one needs no stack for them. */
static __attribute__((noinline)) void fall_behind(struct reader *r,
						  const struct audience_block *block)
{
	r->cursor = block->upto;
	lag_excuse(r);
	if (block->bytes != NULL) {
		reader_left(r, &(struct reader_block){.from = block->from, .upto = block->upto});
		return;
	}
	reader_set_state(r, READER_BEHIND);
	reader_door(r)->want_turn(reader_own_line(r));
}

/* The fan-out's last step: a block for one live reader. */
static void offer(struct audience_member *member, const struct audience_block *block)
{
	struct reader *r = CONTAINER_OF(member, struct reader, member);

	if (block->bytes == NULL) {
		fall_behind(r, block);
		return;
	}
	reader_write(r, block->bytes, block->len);
	if (r->blocked)
		fall_behind(r, block);
}

static void offer_early(struct audience_member *member, const struct audience_block *block)
{
	struct reader *r = CONTAINER_OF(member, struct reader, member);

	if (block->bytes == NULL)
		fall_behind(r, block);
	else
		reader_offer_early(r, block);
}

static void reached(void *arg, struct post *post, uint32_t readers, uint32_t behind,
		    uint64_t when_ms)
{
	struct readers *all = arg;

	tallies_add(wire_tallies(all->wire), post, readers, behind, when_ms);
}

static void expect(struct audience_member *member)
{
	struct reader *r = CONTAINER_OF(member, struct reader, member);

	reader_door(r)->expect(reader_own_line(r));
}

struct readers *readers_new(struct wire *wire, const struct readers_options *options)
{
	struct readers *all = calloc(1, sizeof *all);

	if (all == NULL)
		return NULL;
	all->wire = wire;
	all->options = *options;
	all->bucket_count = (uint16_t)(options->tick_ms / 1000 > 0 ? options->tick_ms / 1000 : 1);
	all->buckets = calloc(all->bucket_count, sizeof *all->buckets);
	lag_begin(&all->past, options->lag_time_ms);
	all->history = history_new(wire);
	all->audience_ops = (struct audience_ops){offer, offer_early, expect, reached, all};
	all->audiences = audiences_new(&all->audience_ops);
	if (all->audiences != NULL && options->names_max > 0)
		audiences_limit(all->audiences, options->names_max);
	if (all->buckets != NULL && all->history != NULL && all->audiences != NULL)
		return all;
	readers_free(all);
	return NULL;
}

void readers_free(struct readers *all)
{
	if (all == NULL)
		return;
	MUST(all->count == 0);
	for (unsigned i = 0; all->buckets != NULL && i < all->bucket_count; i++)
		free(all->buckets[i].at);
	free(all->buckets);
	history_free(all->history);
	audiences_free(all->audiences);
	buf_free(&all->json);
	buf_free(&all->frame);
	buf_free(&all->block);
	buf_free(&all->marks);
	free(all);
}

const struct post *readers_owed(const struct readers *all)
{
	return audiences_owed(all->audiences);
}

size_t readers_count(const struct readers *all)
{
	return all->count;
}

/* --- what the wire tells ---------------------------------------------------------------------- */

/* Every reader that waits and is in `state` is tried again. Trying may take it from the list, or
 * put it back in front. */
static void wake(struct readers *all, enum reader_state state, void (*try)(struct reader *))
{
	for (struct reader *r = all->waiting, *next; r != NULL; r = next) {
		next = r->next;
		if (r->state == state)
			try(r);
	}
}

/* The worker has caught up with a reader that was ahead: is its place one of ours? Redis knows of what is older. */
static void meet(struct reader *r)
{
	const struct backlog *backlog = wire_backlog(r->all->wire);

	if (wire_id_compare(r->cursor, wire_head(r->all->wire)) > 0)
		return;
	if (wire_id_compare(r->cursor, backlog_start(backlog)) >= 0 &&
	    !backlog_knows(backlog, r->cursor)) {
		reader_gap(r);
		return;
	}
	reader_set_state(r, READER_BEHIND);
	reader_catch_up(r);
}

/* It joins its row, after what has come meanwhile. */
static void arrive(struct reader *r)
{
	lag_excuse(r);
	reader_set_state(r, READER_BEHIND);
	reader_catch_up(r);
}

static void go_on(struct readers *all, uint32_t slice)
{
	if (all->pressing) {
		wake(all, READER_WAITING, reader_hurry);
		wake(all, READER_ARRIVING, reader_hurry);
	}
	all->pressing = false;
	all->pending = audiences_go_on(all->audiences, slice);
	if (all->pending)
		return;
	wake(all, READER_ARRIVING, arrive);
	wake(all, READER_AHEAD, meet);
}

void readers_post(struct readers *all, struct post *post)
{
	history_hear(all->history, post);
	audiences_post(all->audiences, post);
	all->pending = true;
	if (all->early > 0 && all->waiting != NULL && reader_may_hurry(post))
		all->pressing = true;
}

void readers_withdrawn(struct readers *all, const struct post *withdrawal)
{
	history_hear(all->history, withdrawal);
	audiences_blanked(all->audiences);
}

void readers_canary(struct readers *all, struct post *post)
{
	audiences_post(all->audiences, post);
	all->pending = true;
}

bool readers_go_on(struct readers *all)
{
	if (all->pending)
		go_on(all, AUDIENCE_SLICE);
	return all->pending;
}

bool readers_can_wait(const struct readers *all)
{
	return audiences_can_wait(all->audiences);
}

void readers_tick(struct readers *all)
{
	if (all->pending)
		go_on(all, AUDIENCE_ALL);
}

static void for_all(struct readers *all, void (*act)(struct reader *))
{
	for (unsigned b = 0; b < all->bucket_count; b++)
		for (uint32_t i = all->buckets[b].count; i-- > 0;)
			act(all->buckets[b].at[i]);
}

void readers_epoch(struct readers *all)
{
	all->pending = false;
	audiences_forget(all->audiences, wire_head(all->wire));
	history_drop_all(all->history);
	lag_forget(&all->past, backlog_passed(wire_backlog(all->wire)));
	for_all(all, reader_lose_all);
}

static void ask_again(struct reader *r)
{
	if (r->asked)
		return;
	reader_set_state(r, READER_BEHIND);
	reader_catch_up(r);
}

/* No cursor may be above a head that Redis has confirmed: that place was lost. The first answer
 * after a reader came may be older than its cursor, so it is only judged by the second. */
static void still_ahead(struct reader *r)
{
	if (r->doubted && wire_id_compare(r->cursor, r->all->confirmed) > 0)
		reader_gap(r);
	else
		r->doubted = true;
}

void readers_confirmed(struct readers *all, struct wire_id head)
{
	all->confirmed = head;
	wake(all, READER_AHEAD, still_ahead);
	wake(all, READER_WAITING, ask_again);
}

/* --- ticks, closing, draining ----------------------------------------------------------------- */

/* It waits for a page of history, for its worker or for its row, and nothing else is on its way to it. */
static bool is_patient(const struct reader *r)
{
	return !r->blocked && (r->state == READER_WAITING || r->state == READER_AHEAD ||
			       r->state == READER_ARRIVING);
}

/* Proof of life that leaves the cursor where it is: the head would skip what it waits for. */
static void tick_in_place(struct reader *r)
{
	struct cursor at = reader_cursor(r);

	if (reader_door(r)->speech != NULL) {
		reader_door(r)->speech->tick(r);
		return;
	}
	buf_clear(&r->all->json);
	message_tick(&r->all->json, &at);
	reader_say(r, NEWSWIRE_TYPE_TICK, &at);
}

/* all->json has the tick of those who are at the head. */
static void tick_at_head(struct reader *r, const struct cursor *head)
{
	if (reader_door(r)->speech != NULL)
		reader_door(r)->speech->tick(r);
	else
		reader_say(r, NEWSWIRE_TYPE_TICK, head);
}

/* It is at the head, and no post is on its way to it: that would be proof of life enough. Other protocols count
 * on their own. */
static bool is_quiet(const struct reader *r)
{
	return r->state == READER_LIVE &&
	       (reader_door(r)->speech != NULL || !audience_owes(&r->member));
}

/* The oldest post that it has not got whole; of what the backlog holds no more, the newest. 0-0: it has everything. */
static struct wire_id first_missing(const struct reader *r)
{
	const struct backlog *backlog = wire_backlog(r->all->wire);
	bool is_leaving = r->debts != NULL && r->debts->leaves;
	struct wire_id has = is_leaving ? r->debts->leaving.from : r->cursor;
	size_t next;

	if (r->state == READER_LIVE)
		return (struct wire_id){0};
	if (wire_id_compare(has, backlog_start(backlog)) < 0)
		return backlog_start(backlog);
	next = backlog_after(backlog, has);
	return next < backlog_count(backlog) ? backlog_at(backlog, next)->id : (struct wire_id){0};
}

static void observe_lag(const struct reader *r)
{
	struct wire_id missing = first_missing(r);
	int64_t age_ms = missing.ms == 0 ? 0 : clock_wall_ms() - (int64_t)missing.ms;

	OBSERVE_US(READER_LAG, age_ms > 0 ? (uint64_t)age_ms * 1000 : 0);
}

/* Those who are ticked also while posts are on their way to them. Who is found to be gone for that leaves the bucket, so it comes
 * before anybody in it is told anything. */
static void settle_all(const struct bucket *b)
{
	for (uint32_t i = b->count; i-- > 0;)
		if (i < b->count && reader_door(b->at[i])->speech != NULL)
			reader_settle(b->at[i]);
}

void readers_second(struct readers *all)
{
	struct bucket *b = &all->buckets[all->next_bucket];
	struct cursor head = {.id = wire_head(all->wire)};

	/* However busy the worker is, nobody waits for longer. */
	wake(all, READER_ARRIVING, arrive);
	wake(all, READER_AHEAD, meet);
	counts_second(all);
	lag_second(&all->past, head.id, backlog_passed(wire_backlog(all->wire)));
	all->next_bucket = (uint16_t)((all->next_bucket + 1) % all->bucket_count);
	memcpy(head.epoch, wire_epoch(all->wire), strlen(wire_epoch(all->wire)) + 1);
	buf_clear(&all->json);
	message_tick(&all->json, &head);
	for (uint32_t i = 0; i < b->count; i++)
		if (!b->at[i]->canary)
			observe_lag(b->at[i]);
	settle_all(b);
	for (uint32_t i = b->count; i-- > 0;)
		if (is_quiet(b->at[i]))
			tick_at_head(b->at[i], &head);
	for (uint32_t i = b->count; i-- > 0;)
		if (is_patient(b->at[i]))
			tick_in_place(b->at[i]);
}

size_t readers_reap(struct readers *all)
{
	size_t count = 0;

	for (struct reader *r; (r = all->closing) != NULL; count++) {
		all->closing = r->next;
		if (r->next != NULL)
			r->next->prev = NULL;
		r->queued = false;
		r->prev = r->next = NULL;
		reader_door(r)->close(reader_own_line(r), (enum close_why)r->why,
				      r->blocked); /* may free r */
	}
	return count;
}

static void say_bye(struct reader *r, uint32_t retry_ms)
{
	if (reader_door(r)->speech == NULL) {
		buf_clear(&r->all->json);
		message_bye(&r->all->json, "drain", retry_ms);
		reader_say_retry(r, NEWSWIRE_TYPE_BYE, retry_ms);
	}
	reader_close(r, CLOSE_DRAIN);
}

size_t readers_drain(struct readers *all, size_t count, uint32_t retry_min_ms,
		     uint32_t retry_max_ms)
{
	size_t left = 0;

	readers_tick(all);
	for (unsigned b = 0; b < all->bucket_count; b++) {
		struct bucket *bucket = &all->buckets[b];

		for (; bucket->count > 0 && count > 0; count--)
			say_bye(bucket->at[bucket->count - 1],
				retry_min_ms + backoff_random(retry_max_ms - retry_min_ms + 1));
		left += bucket->count;
	}
	return left;
}
