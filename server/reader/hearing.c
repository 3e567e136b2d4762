/* hearing.c - what a reader asks for: another subscription, or where the head is. */
#include "base/clock.h"
#include "base/counters.h"
#include "news/message.h"
#include "reader/close.h"
#include "reader/reader_own.h"

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
	bool waited = r->state == READER_ARRIVING;
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
		r->debts->lag.clear = (struct wire_id){0}; /* of what it asked for before */
		r->debts->lag.due = 0;
	}
	if (waited)
		lag_excuse(r);
	r->told = 0;
	reader_stand_at(r, at.id);
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
	reader_stand_at(r, at);
	if (r->state == READER_BEHIND)
		reader_catch_up(r);
	reader_check(r);
}

/* The whole subscription is replaced. Without `since` the place stays, so nothing is lost and
 * nothing comes twice. */
static void subscribe(struct reader *r, struct client_message *m)
{
	bool gap = m->has_since && reader_judge(r, &m->since) == SINCE_LOST;
	struct cursor at = reader_cursor(r);

	if (change_audience(r, m->subscription) != 0)
		return;
	if (m->has_since && !gap) {
		at.id = m->since.id;
		r->was_live = false;
	}
	reader_stand_at(r, at.id);
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

	reader_settle(r); /* which may find that it is gone */
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
