/* reader.c - a reader's life: open, live, behind, gap, gone. */
#include "reader/reader_own.h"

#include <stdlib.h>
#include <string.h>
#include "base/counters.h"
#include "base/log.h"
#include "base/sabotage.h"
#include "news/message.h"
#include "reader/bucket.h"
#include "reader/counts.h"

/* --- state ------------------------------------------------------------------------------------ */

static const char *const state_names[] = {"live",  "behind",   "waiting",
					  "ahead", "arriving", "closing"};

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
	return state != READER_LIVE && state != READER_CLOSING;
}

void reader_set_state(struct reader *r, enum reader_state state)
{
	int more = is_lagging(state) - is_lagging((enum reader_state)r->state);
	int arriving = (state == READER_ARRIVING) - (r->state == READER_ARRIVING);

	if (log_wants(LOG_DEBUG))
		log_debug("reader_state", LOG_I("reader", (uintptr_t)r),
			  LOG_S("from", state_names[r->state]), LOG_S("to", state_names[state]));
	audience_leave(&r->member);
	queue_leave(r);
	if (!r->canary)
		r->all->lagging += (size_t)more;
	if (r->member.audience != NULL) {
		audience_lag(r->member.audience, more);
		audience_arrive(r->member.audience, arriving);
	}
	GAUGE_SET(READERS_LAGGING, r->all->lagging);
	r->state = (uint8_t)state;
	r->doubted = false;
	if (state != READER_LIVE && state != READER_BEHIND)
		queue_enter(r);
}

/* At the head nothing is older than its coming, and nothing goes before its turn. */
static void forget_place(struct reader_debts *debts)
{
	free(debts->early);
	debts->early = NULL;
	debts->lag = (struct lag_memo){0};
	debts->present = debts->looked = debts->offered = (struct wire_id){0};
}

/* What its row owes goes out first. A back row behind a front has to wait for that until it is done by itself, which in a busy worker
 * may take long. */
void reader_go_live(struct reader *r)
{
	r->was_live = true;
	if (audience_owes(&r->member)) {
		reader_set_state(r, READER_ARRIVING);
		if (audience_can_wait(&r->member))
			return;
		audience_pay(&r->member);
	}
	reader_set_state(r, READER_LIVE);
	if (r->debts != NULL)
		forget_place(r->debts);
	reader_free_debts_if_none(r);
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

/* Why its connection ended, where nobody decided that it should. */
static enum close_why why_it_ended(struct reader *r)
{
	return reader_door(r)->was_let_go(reader_own_line(r)) ? CLOSE_TOO_SLOW : CLOSE_NORMAL;
}

void reader_died(struct reader *r)
{
	reader_close(r, why_it_ended(r));
	queue_leave(r);
}

void reader_check(const struct reader *r)
{
	MUST((r->state == READER_LIVE) == (r->member.index != AUDIENCE_NOT_LIVE));
	MUST((r->state == READER_CLOSING) == (r->why != CLOSE_NONE));
	MUST(!r->blocked || r->state != READER_LIVE);
}

/* --- a gap ------------------------------------------------------------------------------------ */

/* What went out up to `lost` cannot be told any more to who does not have it. */
static void lose(struct reader *r, struct wire_id lost)
{
	struct cursor at;

	if (r->state == READER_CLOSING)
		return;
	if (!r->canary)
		COUNT(READERS_GAP);
	if (reader_door(r)->speech != NULL) {
		reader_door(r)->speech->gap(r, lost);
		return;
	}
	reader_set_state(r, READER_BEHIND);
	r->cursor = wire_head(r->all->wire);
	if (r->debts != NULL) { /* ids of another epoch may be anything */
		r->debts->looked = r->debts->offered = (struct wire_id){0};
		r->debts->lag.clear = r->debts->lag.excused = (struct wire_id){0};
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

/* It came, or went. */
static void count_reader(struct reader *r, int step)
{
	if (r->canary)
		return;
	r->all->count += (size_t)step;
	GAUGE_SET(READERS, r->all->count);
	count_by_transport((enum format)r->format, step);
}

static struct reader *reader_new(struct readers *all, enum format format, const void *line,
				 bool canary)
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
		.member.taken = canary ? AUDIENCE_PROVEN : 0,
		.canary = canary,
	};
	memcpy(reader_own_line(r), line, line_size);
	if (bucket_enter(r) != 0) {
		free(r);
		return NULL;
	}
	count_reader(r, 1);
	if (!canary) {
		all->lagging++;
		COUNT(READERS_OPENED);
	}
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

static void hello(struct reader *r, bool resumed)
{
	const struct readers_options *o = &r->all->options;
	struct cursor at = reader_cursor(r);

	buf_clear(&r->all->json);
	message_hello(&r->all->json, &at, resumed, (unsigned)(o->tick_ms / 1000),
		      o->retention_ms / 1000);
	reader_say(r, NEWSWIRE_TYPE_HELLO, &at);
}

void reader_stand_at(struct reader *r, struct wire_id at)
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
	bool early = subscription->early, canary = subscription->canary;
	struct audience *audience = audience_get(all->audiences, subscription, "", viewed);
	struct reader *r;

	if (audience == NULL)
		return NULL;
	if ((r = reader_new(all, viewed, line, canary)) == NULL) {
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
	bool resumed = since != NULL && judge(all, since) != SINCE_LOST;
	struct reader *r = admit(all, format, line, subscription);

	if (r == NULL)
		return NULL;
	if (resumed)
		reader_stand_at(r, since->id);
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
	struct reader *r = reader_new(all, format, line, false);

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
	reader_close(r, why_it_ended(r));
	if (!r->canary)
		close_count((enum close_why)r->why);
	queue_leave(r);
	if (r->asked)
		history_forget(r->all->history, r);
	audience_put(r->member.audience);
	r->all->early -= r->early;
	count_reader(r, -1);
	reader_free_debts(r);
	free(r);
}

bool reader_listens(struct reader *r)
{
	reader_settle(r); /* which may find that it is gone */
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
