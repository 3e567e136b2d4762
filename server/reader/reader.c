/* reader.c - a reader's life: open, hear, write, fall behind, close. */
#include "reader/reader_own.h"

#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/sabotage.h"
#include "news/message.h"
#include "reader/bucket.h"
#include "reader/counts.h"

/* --- state ------------------------------------------------------------------------------------ */

static const char *const state_names[] = {"live", "behind", "waiting", "ahead", "closing"};

/* The list that it is in, or goes into. */
static struct reader **queue_of(const struct reader *r)
{
	return r->state == READER_CLOSING ? &r->all->closing : &r->all->waiting;
}

static void queue_leave(struct reader *r)
{
	if (!r->queued)
		return;
	if (r->prev != NULL)
		r->prev->next = r->next;
	else
		*queue_of(r) = r->next;
	if (r->next != NULL)
		r->next->prev = r->prev;
	r->queued = false;
	r->prev = r->next = NULL;
}

static void queue_enter(struct reader *r)
{
	struct reader **queue = queue_of(r);

	r->queued = true;
	r->prev = NULL;
	r->next = *queue;
	if (r->next != NULL)
		r->next->prev = r;
	*queue = r;
}

static int is_lagging(enum reader_state state)
{
	return state == READER_BEHIND || state == READER_WAITING || state == READER_AHEAD;
}

void reader_set_state(struct reader *r, enum reader_state state)
{
	int more = is_lagging(state) - is_lagging((enum reader_state)r->state);

	if (log_wants(LOG_DEBUG))
		log_debug("reader_state", LOG_I("reader", (uintptr_t)r),
			  LOG_S("from", state_names[r->state]), LOG_S("to", state_names[state]));
	audience_leave(&r->member);
	queue_leave(r);
	r->all->lagging += (size_t)more;
	if (r->member.audience != NULL)
		audience_lag(r->member.audience, more);
	GAUGE_SET(READERS_LAGGING, r->all->lagging);
	r->state = (uint8_t)state;
	r->doubted = false;
	if (state == READER_WAITING || state == READER_AHEAD || state == READER_CLOSING)
		queue_enter(r);
}

static void free_debts(struct reader *r)
{
	if (r->debts == NULL)
		return;
	buf_free(&r->debts->owed);
	free(r->debts->early);
	free(r->debts);
	r->debts = NULL;
}

static void free_debts_if_none(struct reader *r)
{
	const struct reader_debts *debts = r->debts;

	if (debts != NULL && !debts->leaves && debts->owed.len == 0 && debts->present.ms == 0 &&
	    debts->looked.ms == 0 && debts->offered.ms == 0 && debts->lag.due == 0 &&
	    debts->lag.clear.ms == 0)
		free_debts(r);
}

/* At the head nothing is older than its coming, and nothing goes before its turn. */
static void forget_place(struct reader_debts *debts)
{
	free(debts->early);
	debts->early = NULL;
	debts->lag = (struct lag_memo){0};
	debts->present = debts->looked = debts->offered = (struct wire_id){0};
}

void reader_go_live(struct reader *r)
{
	reader_set_state(r, READER_LIVE);
	r->was_live = true;
	if (r->debts != NULL)
		forget_place(r->debts);
	free_debts_if_none(r);
	if (audience_join(&r->member) != 0) {
		reader_set_state(r, READER_BEHIND);
		reader_close(r, CLOSE_INTERNAL);
		return;
	}
	counts_say(r);
}

struct cursor reader_cursor(const struct reader *r)
{
	struct cursor c = {.id = r->state == READER_LIVE ? wire_head(r->all->wire) : r->cursor};

	memcpy(c.epoch, wire_epoch(r->all->wire), strlen(wire_epoch(r->all->wire)) + 1);
	return c;
}

void reader_close(struct reader *r, enum close_why why)
{
	if (r->state == READER_CLOSING)
		return;
	r->why = (uint8_t)why;
	bucket_leave(r);
	reader_set_state(r, READER_CLOSING);
}

void reader_check(const struct reader *r)
{
	MUST((r->state == READER_LIVE) == (r->member.index != AUDIENCE_NOT_LIVE));
	MUST((r->state == READER_CLOSING) == (r->why != CLOSE_NONE));
	MUST(!r->blocked || r->state != READER_LIVE);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* The door said that the connection is gone: nothing is left to ask of it. */
static void died(struct reader *r)
{
	reader_close(r, CLOSE_NORMAL);
	queue_leave(r);
}

static void wrote(struct reader *r, enum line_result result)
{
	switch (result) {
	case LINE_SENT:
		return;
	case LINE_PARTIAL:
		COUNT(WRITES_PARTIAL);
		if (r->state == READER_LIVE) {
			r->cursor = wire_head(r->all->wire);
			reader_set_state(r, READER_BEHIND);
		}
		r->blocked = true;
		reader_door(r)->want_turn(reader_own_line(r));
		return;
	case LINE_DEAD:
		died(r);
		return;
	}
}

void reader_write(struct reader *r, const uint8_t *bytes, size_t len)
{
	COUNT(WRITES);
	COUNT_ADD(BYTES_SENT, len);
	wrote(r, reader_door(r)->write(reader_own_line(r), bytes, len));
}

void reader_write_rest(struct reader *r, const uint8_t *bytes, size_t len, size_t at)
{
	COUNT(WRITES);
	COUNT_ADD(BYTES_SENT, len - at);
	wrote(r, reader_door(r)->write_rest(reader_own_line(r), bytes, len, at));
}

size_t reader_write_some(struct reader *r, const uint8_t *bytes, size_t len)
{
	ssize_t sent = reader_door(r)->write_some(reader_own_line(r), bytes, len);

	COUNT(WRITES);
	if (sent < 0) {
		died(r);
		return 0;
	}
	COUNT_ADD(BYTES_SENT, (uint64_t)sent);
	if ((size_t)sent < len)
		COUNT(WRITES_PARTIAL);
	return (size_t)sent;
}

/* Bytes that cannot be written yet. A client that asks on and on and does not read its answers
 * is too slow. */
static void owe(struct reader *r, const struct buf *frame)
{
	struct reader_debts *debts = reader_debts_of(r);

	if (debts == NULL) {
		reader_close(r, CLOSE_INTERNAL);
		return;
	}
	if (debts->owed.len + frame->len > READER_OWED_MAX) {
		reader_close(r, CLOSE_TOO_SLOW);
		return;
	}
	buf_add(&debts->owed, frame->data, frame->len);
	if (debts->owed.failed)
		reader_close(r, CLOSE_INTERNAL);
}

static void say_json(struct reader *r, const struct face *face, const char *json, size_t len)
{
	struct readers *all = r->all;

	if (r->state == READER_CLOSING)
		return;
	buf_clear(&all->frame);
	format_wrap((enum format)r->format, face, json, len, &all->frame);
	if (all->frame.failed)
		reader_close(r, CLOSE_INTERNAL);
	else if (r->blocked)
		owe(r, &all->frame);
	else
		reader_write(r, (uint8_t *)all->frame.data, all->frame.len);
}

static void say(struct reader *r, const struct face *face)
{
	if (r->all->json.failed)
		reader_close(r, CLOSE_INTERNAL);
	else
		say_json(r, face, r->all->json.data, r->all->json.len);
}

void reader_answer(struct reader *r, const char *json, size_t len)
{
	say_json(r, &(struct face){.type = ""}, json, len);
}

void reader_say(struct reader *r, const char *type, const struct cursor *at)
{
	say(r, &(struct face){.type = type, .at = at});
}

void reader_say_retry(struct reader *r, const char *type, uint32_t retry_ms)
{
	say(r, &(struct face){.type = type, .retry_ms = retry_ms});
}

struct reader_debts *reader_debts_of(struct reader *r)
{
	if (r->debts == NULL)
		r->debts = calloc(1, sizeof *r->debts);
	return r->debts;
}

/* What waited has left. */
static void note_left(struct reader *r)
{
	if (r->debts->leaves)
		reader_all_left(r, &r->debts->leaving);
	r->debts->leaves = false;
}

/* There is room. */
static void pay(struct reader *r)
{
	struct buf owed = r->debts->owed;

	r->debts->owed = (struct buf){0};
	if (owed.len > 0 && r->state != READER_CLOSING)
		reader_write(r, (uint8_t *)owed.data, owed.len);
	buf_free(&owed);
	free_debts_if_none(r);
}

void reader_turn(struct reader *r)
{
	readers_tick(r->all);
	r->blocked = false;
	if (r->debts != NULL)
		note_left(r);
	if (r->early)
		reader_hurry(r);
	if (r->debts != NULL && !r->blocked)
		pay(r);
	if (r->state == READER_BEHIND)
		reader_catch_up(r);
	reader_check(r);
}

/* What went out up to `lost` cannot be told any more to who does not have it. */
static void lose(struct reader *r, struct wire_id lost)
{
	struct cursor at;

	if (r->state == READER_CLOSING)
		return;
	COUNT(READERS_GAP);
	if (reader_door(r)->speech != NULL) {
		reader_door(r)->speech->gap(r, lost);
		return;
	}
	reader_set_state(r, READER_BEHIND);
	r->cursor = wire_head(r->all->wire);
	if (r->debts != NULL) { /* ids of another epoch may be anything */
		r->debts->looked = r->debts->offered = (struct wire_id){0};
		r->debts->lag.clear = (struct wire_id){0};
	}
	at = reader_cursor(r);
	buf_clear(&r->all->json);
	message_gap(&r->all->json, &at);
	if (!SABOTAGE("silence", 1))
		reader_say(r, NEWSWIRE_TYPE_GAP, &at);
	if (r->state == READER_BEHIND)
		reader_catch_up(r);
}

void reader_gap(struct reader *r)
{
	lose(r, reader_cursor(r).id);
}

void reader_lose_all(struct reader *r)
{
	lose(r, (struct wire_id){UINT64_MAX, UINT64_MAX});
}

/* --- opening ---------------------------------------------------------------------------------- */

void *reader_line(struct reader *r)
{
	return reader_own_line(r);
}

struct reader *reader_of_line(void *line)
{
	return (struct reader *)line - 1;
}

/* A reader came, or went. */
static void count_by_transport(enum format format, int step)
{
	switch (format_family(format)) {
	case FAMILY_WEBSOCKET:
		COUNT_ADD(READERS_WEBSOCKET, step);
		break;
	case FAMILY_EVENT:
		COUNT_ADD(READERS_EVENTS, step);
		break;
	case FAMILY_CENTRIFUGE:
		COUNT_ADD(READERS_CENTRIFUGE, step);
		break;
	}
}

static struct reader *reader_new(struct readers *all, enum format format, const void *line)
{
	size_t line_size = all->options.lines[format]->size;
	struct reader *r = malloc(sizeof *r + line_size);

	if (r == NULL)
		return NULL;
	*r = (struct reader){
		.all = all,
		.format = (uint8_t)format,
		.state = READER_BEHIND,
		.member.index = AUDIENCE_NOT_LIVE,
	};
	memcpy(reader_own_line(r), line, line_size);
	if (bucket_enter(r) != 0) {
		free(r);
		return NULL;
	}
	all->lagging++;
	all->count++;
	GAUGE_SET(READERS, all->count);
	count_by_transport(format, 1);
	COUNT(READERS_OPENED);
	return r;
}

static enum reader_since judge(const struct readers *all, const struct cursor *since)
{
	const struct backlog *backlog = wire_backlog(all->wire);

	if (strcmp(since->epoch, wire_epoch(all->wire)) != 0)
		return SINCE_LOST;
	if (wire_id_compare(since->id, wire_head(all->wire)) > 0)
		return SINCE_AHEAD;
	if (wire_id_compare(since->id, backlog_start(backlog)) < 0)
		return SINCE_OLDER;
	return backlog_knows(backlog, since->id) ? SINCE_KNOWN : SINCE_LOST;
}

enum reader_since reader_judge(const struct reader *r, const struct cursor *since)
{
	return judge(r->all, since);
}

/* Is this a place in the history that this worker knows, or one that Redis may know? */
static bool is_possible(const struct readers *all, const struct cursor *since)
{
	return judge(all, since) != SINCE_LOST;
}

static void hello(struct reader *r, bool resumed)
{
	const struct readers_options *o = &r->all->options;
	struct cursor at = reader_cursor(r);

	buf_clear(&r->all->json);
	message_hello(&r->all->json, &at, resumed, (unsigned)(o->tick_ms / 1000),
		      o->retention_ms / 1000);
	reader_say(r, NEWSWIRE_TYPE_HELLO, &at);
}

/* Goes on from there. What is not newer than the head went out without it (or without this subscription of it). */
static void stand_at(struct reader *r, struct wire_id at)
{
	struct wire_id head = wire_head(r->all->wire);
	bool is_late = wire_id_compare(at, head) < 0;

	r->cursor = at;
	if (is_late && reader_debts_of(r) == NULL)
		reader_close(r, CLOSE_INTERNAL);
	else if (r->debts != NULL)
		r->debts->present = is_late ? head : (struct wire_id){0};
}

/* It stands at the head, and is not live yet. */
static struct reader *admit(struct readers *all, enum format format, const void *line,
			    struct subscription *subscription)
{
	enum format viewed = format_viewed(format, subscription->view);
	bool early = subscription->early;
	struct audience *audience = audience_get(all->audiences, subscription, "", viewed);
	struct reader *r;

	readers_tick(all);
	if (audience == NULL)
		return NULL;
	if ((r = reader_new(all, viewed, line)) == NULL) {
		audience_put(audience);
		return NULL;
	}
	r->member.audience = audience;
	audience_lag(audience, 1);
	r->early = early;
	all->early += early;
	r->cursor = wire_head(all->wire);
	return r;
}

struct reader *reader_open(struct readers *all, enum format format, const void *line,
			   struct subscription *subscription, const struct cursor *since)
{
	bool resumed = since != NULL && is_possible(all, since);
	struct reader *r = admit(all, format, line, subscription);

	if (r == NULL)
		return NULL;
	if (resumed)
		stand_at(r, since->id);
	hello(r, resumed);
	if (resumed)
		COUNT(READERS_RESUMED);
	if (since != NULL && !resumed)
		reader_gap(r);
	else if (r->state == READER_BEHIND)
		reader_catch_up(r);
	reader_check(r);
	return r;
}

struct reader *reader_open_quietly(struct readers *all, enum format format, const void *line)
{
	struct channel_set none = {0};
	struct subscription *subscription = subscription_of_channels(&none);
	struct reader *r = subscription == NULL ? NULL : admit(all, format, line, subscription);

	if (r != NULL)
		reader_catch_up(r);
	return r;
}

struct reader *reader_open_refused(struct readers *all, enum format format, const void *line,
				   const char *code, const char *detail)
{
	struct reader *r = reader_new(all, format, line);

	if (r == NULL)
		return NULL;
	COUNT(CLIENT_BAD);
	buf_clear(&all->json);
	message_error(&all->json, code, detail, NULL);
	reader_say(r, NEWSWIRE_TYPE_ERROR, NULL);
	reader_close(r, CLOSE_BAD_SUBSCRIPTION);
	return r;
}

void reader_gone(struct reader *r)
{
	if (r == NULL)
		return;
	close_count(r->why == CLOSE_NONE ? CLOSE_NORMAL : (enum close_why)r->why);
	reader_close(r, CLOSE_NORMAL);
	queue_leave(r);
	if (r->asked)
		history_forget(r->all->history, r);
	audience_put(r->member.audience);
	r->all->count--;
	r->all->early -= r->early;
	GAUGE_SET(READERS, r->all->count);
	count_by_transport((enum format)r->format, -1);
	free_debts(r);
	free(r);
}

bool reader_listens(struct reader *r)
{
	readers_tick(r->all); /* which may find that it is gone */
	return r->state != READER_CLOSING;
}

bool reader_is_blocked(const struct reader *r)
{
	return r->blocked;
}

bool reader_is_live(const struct reader *r)
{
	return r->state == READER_LIVE;
}

const struct subscription *reader_subscription(const struct reader *r)
{
	return audience_subscription(r->member.audience);
}

/* --- hearing ---------------------------------------------------------------------------------- */

static bool is_too_many(struct reader *r)
{
	uint32_t now = (uint32_t)(clock_mono_ms() / 1000);

	if (r->heard_at != now) {
		r->heard_at = now;
		r->heard = 0;
	}
	return ++r->heard > READER_HEARD_PER_SECOND;
}

static void complain(struct reader *r, const char *code, const char *detail, const char *ref)
{
	COUNT(CLIENT_BAD);
	buf_clear(&r->all->json);
	message_error(&r->all->json, code, detail, ref[0] == '\0' ? NULL : ref);
	reader_say(r, NEWSWIRE_TYPE_ERROR, NULL);
}

bool reader_may_ask(const struct readers *all, const struct subscription *s)
{
	return all->options.shows_readers || !s->readers;
}

/* Its place stays, and it is not live. 0, or -1: memory is short, and it is closed. */
static int change_audience(struct reader *r, struct subscription *subscription)
{
	enum format viewed = format_viewed((enum format)r->format, subscription->view);
	struct cursor at = reader_cursor(r);
	struct audience *next;

	subscription->early = r->early; /* said when it came, for good */
	next = audience_get(r->all->audiences, subscription, "", viewed);
	if (next == NULL) {
		reader_close(r, CLOSE_INTERNAL);
		return -1;
	}
	if (r->asked)
		history_forget(r->all->history, r);
	r->asked = false;
	reader_set_state(r, READER_BEHIND);
	audience_lag(r->member.audience, -1);
	audience_put(r->member.audience);
	r->member.audience = next;
	r->format = (uint8_t)viewed;
	audience_lag(next, 1);
	if (r->debts != NULL) {
		r->debts->leaves = false;
		r->debts->offered = (struct wire_id){0};
		r->debts->lag = (struct lag_memo){0}; /* of what it asked for before */
	}
	r->told = 0;
	stand_at(r, at.id);
	return 0;
}

void reader_move(struct reader *r, struct subscription *subscription, struct wire_id at)
{
	if (subscription == NULL) {
		reader_close(r, CLOSE_INTERNAL);
		return;
	}
	if (change_audience(r, subscription) != 0)
		return;
	if (wire_id_compare(at, wire_head(r->all->wire)) < 0)
		r->was_live = false;
	stand_at(r, at);
	if (r->state == READER_BEHIND)
		reader_catch_up(r);
	reader_check(r);
}

/* The whole subscription is replaced. Without `since` the place stays, so nothing is lost and
 * nothing comes twice. */
static void subscribe(struct reader *r, struct client_message *m)
{
	bool gap = m->has_since && !is_possible(r->all, &m->since);
	struct cursor at = reader_cursor(r);

	if (change_audience(r, m->subscription) != 0)
		return;
	if (m->has_since && !gap) {
		at.id = m->since.id;
		r->was_live = false;
	}
	stand_at(r, at.id);
	buf_clear(&r->all->json);
	message_subscribed(&r->all->json, m->ref[0] == '\0' ? NULL : m->ref, &at);
	reader_say(r, NEWSWIRE_TYPE_SUBSCRIBED, &at);
	if (gap)
		reader_gap(r);
	else if (r->state == READER_BEHIND)
		reader_catch_up(r);
}

static void answer_ping(struct reader *r)
{
	struct cursor at = reader_cursor(r);

	buf_clear(&r->all->json);
	message_tick(&r->all->json, &at);
	reader_say(r, NEWSWIRE_TYPE_TICK, &at);
}

void reader_hear(struct reader *r, const char *bytes, size_t len)
{
	struct client_message m;
	struct message_fault fault;

	readers_tick(r->all); /* which may find that it is gone */
	if (r->state == READER_CLOSING)
		return;
	COUNT(CLIENT_MESSAGES);
	if (is_too_many(r)) {
		complain(r, "too_many", "more than 50 messages in one second", "");
		reader_close(r, CLOSE_TOO_MANY);
	} else if (message_read(bytes, len, &m, &fault) != 0) {
		complain(r, fault.code, fault.detail, fault.ref);
		if (fault.close != 0)
			reader_close(r, close_of_code(fault.close));
	} else if (m.kind == CLIENT_SUBSCRIBE && !reader_may_ask(r->all, m.subscription)) {
		complain(r, READERS_HIDDEN_CODE, READERS_HIDDEN_DETAIL, m.ref);
		subscription_free(m.subscription);
	} else if (m.kind == CLIENT_SUBSCRIBE) {
		subscribe(r, &m);
	} else {
		answer_ping(r);
	}
	reader_check(r);
}
