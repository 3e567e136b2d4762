/* writing.c - what is written to one reader: now, or as soon as there is room.
 *
 * Little waits  Of what the door cannot write at once it keeps no more than it was given. Until that has left the reader is blocked, and
 *               stays behind; its answers (READER_OWED_MAX bytes) wait here, in what is kept only for such readers.
 */
#include <stdlib.h>
#include "base/counters.h"
#include "news/message.h"
#include "reader/reader_own.h"

/* --- what waits ------------------------------------------------------------------------------- */

struct reader_debts *reader_debts_of(struct reader *r)
{
	if (r->debts == NULL)
		r->debts = calloc(1, sizeof *r->debts);
	return r->debts;
}

void reader_free_debts(struct reader *r)
{
	if (r->debts == NULL)
		return;
	buf_free(&r->debts->owed);
	free(r->debts->early);
	free(r->debts);
	r->debts = NULL;
}

void reader_free_debts_if_none(struct reader *r)
{
	const struct reader_debts *debts = r->debts;

	if (debts != NULL && !debts->leaves && debts->owed.len == 0 && debts->present.ms == 0 &&
	    debts->looked.ms == 0 && debts->offered.ms == 0 && debts->lag.due == 0 &&
	    debts->lag.clear.ms == 0 && debts->lag.excused.ms == 0)
		reader_free_debts(r);
}

/* --- bytes ------------------------------------------------------------------------------------ */

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
		reader_died(r);
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
		reader_died(r);
		return 0;
	}
	COUNT_ADD(BYTES_SENT, (uint64_t)sent);
	if ((size_t)sent < len)
		COUNT(WRITES_PARTIAL);
	return (size_t)sent;
}

/* --- messages --------------------------------------------------------------------------------- */

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

void reader_settle(struct reader *r)
{
	if (r->state == READER_LIVE)
		audience_pay(&r->member);
}

static void say_json(struct reader *r, const struct face *face, const char *json, size_t len)
{
	struct readers *all = r->all;

	reader_settle(r);
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

/* --- a turn ----------------------------------------------------------------------------------- */

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
	reader_free_debts_if_none(r);
}

void reader_turn(struct reader *r)
{
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
