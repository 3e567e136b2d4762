/* tally.c - counts readers for each post, and reports it to Redis. */
#include "wire/tally.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "lua_scripts.h"
#include "wire/page.h"

enum { NAME_LEN = 12 };

static struct link_script report_script = {.text = lua_report};

struct tally {
	struct wire_id id;
	uint64_t begun_ms; /* monotonic: it came */
	uint64_t when_ms;  /* monotonic: the last write; only with readers */
	uint32_t readers, behind;
	bool heard;   /* the message on `out` came */
	bool changed; /* Redis does not know it */
	bool sent;    /* a report of it is on its way */
};

/* Always true: what is changed or sent has a number in [first, last], and no number is older than
 * `last - TALLIES + 1`. */
struct tallies {
	struct tally at[TALLIES]; /* [number % TALLIES] */
	uint64_t first;
	uint64_t last;	/* of the newest post; the first one is 1 */
	uint64_t timed; /* up to here it was observed how long they took */
	uint64_t
		told; /* up to here readers have been offered them: else a report would be too early */
	struct link *link;
	const char *prefix;
	uv_timer_t timer;
	bool waiting;		 /* the timer runs */
	bool reporting;		 /* a report is on its way */
	bool full;		 /* … and could not take all */
	char name[NAME_LEN + 1]; /* of this worker, unlike all others */
	char keep_ms[24];
	struct buf lines;
};

static void on_timer(uv_timer_t *timer);

/* NULL: its place was taken. */
static struct tally *tally_of(struct tallies *t, uint64_t number)
{
	return number == 0 || number + TALLIES <= t->last ? NULL : &t->at[number % TALLIES];
}

static void wait_for(struct tallies *t, uint64_t ms)
{
	if (t->waiting || t->reporting)
		return;
	t->waiting = true;
	uv_timer_start(&t->timer, on_timer, ms, 0);
}

static void change(struct tallies *t, uint64_t number)
{
	struct tally *tally = tally_of(t, number);

	tally->changed = true;
	if (number < t->first)
		t->first = number;
	wait_for(t, TALLY_REPORT_MS);
}

/* --- counting --------------------------------------------------------------------------------- */

static void observe_age(struct wire_id id)
{
	int64_t age_ms = clock_wall_ms() - (int64_t)id.ms;

	OBSERVE_US(POST_AGE, age_ms > 0 ? (uint64_t)age_ms * 1000 : 0);
}

/* Posts that were just told to the last of their live readers. */
static void observe_told(struct tallies *t)
{
	while (t->timed < t->told) {
		const struct tally *tally = tally_of(t, ++t->timed);

		if (tally != NULL && tally->readers > 0 && tally->when_ms >= tally->begun_ms)
			OBSERVE_US(FANOUT, (tally->when_ms - tally->begun_ms) * 1000);
	}
}

void tallies_begin(struct tallies *t, struct post *post)
{
	struct tally *tally = &t->at[++t->last % TALLIES];

	if (tally->changed || tally->sent)
		COUNT(REACH_LOST);
	if (t->last >= TALLIES && t->first <= t->last - TALLIES)
		t->first = t->last - TALLIES + 1;
	*tally = (struct tally){.id = post->id, .begun_ms = clock_mono_ms(), .heard = post->heard};
	if (post->heard)
		observe_age(post->id);
	post->tally = t->last;
	change(t, t->last);
}

void tallies_told(struct tallies *t, const struct post *owed)
{
	t->told = owed != NULL && owed->tally > 0 ? owed->tally - 1 : t->last;
	observe_told(t);
}

void tallies_hear(struct tallies *t, struct post *post)
{
	struct tally *tally = tally_of(t, post->tally);

	if (post->heard)
		return;
	post->heard = true;
	if (post->tally == 0) {
		tallies_begin(t, post);
	} else if (tally != NULL) {
		tally->heard = true;
		change(t, post->tally);
	}
}

void tallies_add(struct tallies *t, const struct post *post, uint32_t readers, uint32_t behind,
		 uint64_t when_ms)
{
	struct tally *tally = tally_of(t, post->tally);

	if (tally == NULL || readers + behind == 0)
		return;
	tally->readers += readers;
	tally->behind += behind;
	if (readers > 0)
		tally->when_ms = when_ms;
	change(t, post->tally);
}

/* --- reporting -------------------------------------------------------------------------------- */

/* The line that report.lua reads. */
static void add_line(struct tallies *t, const struct tally *tally, uint64_t now_ms)
{
	char id[WIRE_ID_TEXT_MAX], age[24] = "-";

	wire_id_format(tally->id, id);
	if (tally->readers > 0)
		snprintf(age, sizeof age, "%" PRIu64,
			 now_ms > tally->when_ms ? now_ms - tally->when_ms : 0);
	buf_addf(&t->lines, "%s %u %u %d %s\n", id, tally->readers, tally->behind, tally->heard,
		 age);
}

/* A report has come to its end: Redis knows what was sent, or has to be told again. */
static void settle(struct tallies *t, bool again)
{
	for (uint64_t n = t->first; n <= t->last; n++) {
		struct tally *tally = tally_of(t, n);

		tally->changed |= tally->sent && again;
		tally->sent = false;
	}
	while (t->first <= t->last && !tally_of(t, t->first)->changed)
		t->first++;
}

static void on_reported(redisReply *reply, void *arg)
{
	struct tallies *t = arg;
	struct page_place at;
	bool failed = reply == NULL || page_read_place(reply, 3, &at) == -1;

	t->reporting = false;
	settle(t, failed);
	if (!failed && *page_text(reply, 2) != '\0')
		log_error("reach_not_kept", LOG_S("error", page_text(reply, 2)));
	if (t->first <= t->last)
		wait_for(t, failed ? TALLY_AGAIN_MS : t->full ? 0 : TALLY_REPORT_MS);
}

/* Writes down the oldest changes. Returns how many. */
static unsigned gather(struct tallies *t)
{
	uint64_t now_ms = clock_mono_ms();
	unsigned count = 0;

	buf_clear(&t->lines);
	for (uint64_t n = t->first; n <= t->told && count < TALLY_AT_ONCE; n++) {
		struct tally *tally = tally_of(t, n);

		if (!tally->changed)
			continue;
		add_line(t, tally, now_ms);
		tally->changed = false;
		tally->sent = true;
		count++;
	}
	buf_addc(&t->lines, '\0');
	t->full = count == TALLY_AT_ONCE;
	return count;
}

static void report(struct tallies *t)
{
	const char *argv[] = {t->name, t->keep_ms, NULL};

	if (gather(t) == 0) {
		if (t->told < t->last)
			wait_for(t, TALLY_REPORT_MS);
		return;
	}
	argv[2] = t->lines.data;
	if (!t->lines.failed && page_script(t->link, &report_script, t->prefix, on_reported, t,
					    COUNT_OF(argv), argv) == 0) {
		t->reporting = true;
		return;
	}
	settle(t, true);
	wait_for(t, TALLY_AGAIN_MS);
}

static void on_timer(uv_timer_t *timer)
{
	struct tallies *t = timer->data;

	t->waiting = false;
	report(t);
}

/* --- opening and closing ---------------------------------------------------------------------- */

struct tallies *tallies_open(uv_loop_t *loop, struct link *link, const char *prefix,
			     uint64_t keep_ms)
{
	struct tallies *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->first = 1;
	t->link = link;
	t->prefix = prefix;
	t->timer.data = t;
	uv_timer_init(loop, &t->timer);
	snprintf(t->keep_ms, sizeof t->keep_ms, "%" PRIu64, keep_ms);
	for (int i = 0; i < NAME_LEN; i++)
		t->name[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[backoff_random(36)];
	return t;
}

static void on_closed(uv_handle_t *handle)
{
	struct tallies *t = handle->data;

	buf_free(&t->lines);
	free(t);
}

void tallies_close(struct tallies *t)
{
	if (t != NULL)
		uv_close((uv_handle_t *)&t->timer, on_closed);
}
