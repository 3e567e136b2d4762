/* presence.c - tells Redis this worker's readers by channel, and keeps what all workers' add up to. */
#include "wire/presence.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include "base/backoff.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/hash.h"
#include "base/log.h"
#include "lua_scripts.h"
#include "wire/page.h"

enum { NAME_LEN = 12, NUMBER_SIZE = 24 };

/* What presence.lua answers. */
enum column { STATE = 2, SERIAL, MORE, REFUSED, PROBLEM, CHANGED, COLUMNS };

static struct link_script presence_script = {.text = lua_presence};

/* One channel. Kept while it has readers anywhere, or something of it is to be told. */
struct row {
	char name[PRESENCE_NAME_MAX + 1];
	uint32_t mine;
	uint64_t total;
	uint64_t heard_in; /* the round of hearing everything in which it was heard of */
	bool unsaid;	   /* in p->unsaid: Redis is to be told `mine` */
	bool untaken;	   /* in p->untaken: presence_take_change() is to tell `total` */
	struct row *prev, *next;
	struct row *prev_untaken, *next_untaken;
	UT_hash_handle hh;
};

struct presence {
	struct link *link;
	const char *prefix;
	struct row *rows;
	struct row *unsaid, *untaken;
	size_t mine_count;   /* rows with readers of this worker */
	size_t total_count;  /* rows with readers anywhere */
	struct row **sorted; /* those, by name; NULL: to be made */
	char name[NAME_LEN + 1], was[NAME_LEN + 1];
	char vacate_ms[NUMBER_SIZE], serial[NUMBER_SIZE];
	uint64_t round;	   /* counts how often everything was heard anew */
	uint64_t heard_ms; /* monotonic; 0: never */
	bool fresh;	   /* Redis has not answered to this name yet */
	bool sent;	   /* … but may have heard it */
	bool hearing_all;  /* rows of an older round may be gone */
	bool asking;
	struct buf lines;
};

/* --- rows ------------------------------------------------------------------------------------- */

static struct row *row_find(const struct presence *p, const char *name)
{
	struct row *row;

	HASH_FIND_STR(p->rows, name, row);
	return row;
}

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= PRESENCE_NAME_MAX;
}

/* NULL: out of memory, or no name of a channel. */
static struct row *row_of(struct presence *p, const char *name)
{
	struct row *row = row_find(p, name);
	size_t len = strlen(name);

	if (row != NULL || !is_name(name) || (row = calloc(1, sizeof *row)) == NULL)
		return row;
	memcpy(row->name, name, len);
	HASH_ADD_KEYPTR(hh, p->rows, row->name, len, row);
	if (!HASH_IS_IN(row)) {
		free(row);
		return NULL;
	}
	return row;
}

static void row_drop_if_unused(struct presence *p, struct row *row)
{
	if (row->mine > 0 || row->total > 0 || row->unsaid || row->untaken)
		return;
	HASH_DEL(p->rows, row);
	free(row);
}

static void say_later(struct presence *p, struct row *row)
{
	if (row->unsaid)
		return;
	row->unsaid = true;
	DL_APPEND(p->unsaid, row);
}

static void set_total(struct presence *p, struct row *row, uint64_t total)
{
	row->heard_in = p->round;
	if (row->total == total)
		return;
	if ((row->total > 0) != (total > 0)) {
		free(p->sorted);
		p->sorted = NULL;
		p->total_count += total > 0 ? 1 : (size_t)-1;
	}
	row->total = total;
	if (row->untaken)
		return;
	row->untaken = true;
	DL_APPEND2(p->untaken, row, prev_untaken, next_untaken);
}

void presence_set(struct presence *p, const char *channel, uint32_t readers)
{
	struct row *row = row_find(p, channel);
	uint32_t had = row != NULL ? row->mine : 0;

	if (had == readers)
		return;
	if (had == 0 &&
	    (p->mine_count >= PRESENCE_CHANNELS || (row = row_of(p, channel)) == NULL)) {
		COUNT(CHANNELS_UNCOUNTED);
		return;
	}
	p->mine_count += (size_t)(readers > 0) - (size_t)(had > 0);
	GAUGE_SET(CHANNELS_COUNTED, p->mine_count);
	row->mine = readers;
	say_later(p, row);
}

/* --- beginning anew --------------------------------------------------------------------------- */

static void random_name(char *out)
{
	for (int i = 0; i < NAME_LEN; i++)
		out[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[backoff_random(36)];
	out[NAME_LEN] = '\0';
}

/* Under a new name, everything is said and heard. */
static void begin_anew(struct presence *p)
{
	if (p->sent)
		memcpy(p->was, p->name, sizeof p->was);
	p->sent = false;
	random_name(p->name);
	p->fresh = p->hearing_all = true;
	p->round++;
	snprintf(p->serial, sizeof p->serial, "0");
	for (struct row *row = p->rows; row != NULL; row = row->hh.next)
		if (row->mine > 0)
			say_later(p, row);
}

void presence_lost(struct presence *p)
{
	if (p->sent)
		begin_anew(p);
}

/* Everything was heard: what was not heard of has no readers. */
static void drop_unheard(struct presence *p)
{
	p->hearing_all = false;
	for (struct row *row = p->rows; row != NULL; row = row->hh.next)
		if (row->total > 0 && row->heard_in != p->round)
			set_total(p, row, 0);
}

/* --- telling and asking ----------------------------------------------------------------------- */

/* -1: memory is short; of the rest nothing was heard. */
static int hear_changes(struct presence *p, const redisReply *changed)
{
	for (size_t i = 0; i + 1 < changed->elements; i += 2) {
		const char *name = page_text(changed, i);
		struct row *row = row_of(p, name);

		if (row == NULL && !is_name(name))
			continue;
		if (row == NULL) {
			log_error("no_memory", LOG_S("for", "presence"));
			return -1;
		}
		set_total(p, row, strtoull(page_text(changed, i + 1), NULL, 10));
		row_drop_if_unused(p, row);
	}
	return 0;
}

static void tell(struct presence *p);

static void hear(struct presence *p, const redisReply *reply)
{
	bool more = strcmp(page_text(reply, MORE), "1") == 0;

	COUNT_ADD(CHANNELS_UNCOUNTED, strtoull(page_text(reply, REFUSED), NULL, 10));
	if (*page_text(reply, PROBLEM) != '\0')
		log_error("channels_not_told", LOG_S("error", page_text(reply, PROBLEM)));
	if (hear_changes(p, reply->element[CHANGED]) == -1)
		return; /* in a second, from the same serial on */
	snprintf(p->serial, sizeof p->serial, "%s", page_text(reply, SERIAL));
	if (p->hearing_all && reply->element[CHANGED]->elements < 2 * PRESENCE_STEP)
		drop_unheard(p);
	p->heard_ms = clock_mono_ms();
	if (more || p->unsaid != NULL)
		tell(p);
}

static void on_told(redisReply *reply, void *arg)
{
	struct presence *p = arg;
	struct page_place at;

	p->asking = false;
	if (reply == NULL || page_read_place(reply, COLUMNS, &at) == -1 ||
	    reply->element[CHANGED]->type != REDIS_REPLY_ARRAY ||
	    strcmp(page_text(reply, STATE), "ok") != 0) {
		begin_anew(p);
		return;
	}
	p->fresh = false;
	p->was[0] = '\0';
	hear(p, reply);
}

/* Takes the first of what is to be said. */
static void gather(struct presence *p)
{
	buf_clear(&p->lines);
	for (unsigned n = 0; p->unsaid != NULL && n < PRESENCE_STEP; n++) {
		struct row *row = p->unsaid;

		DL_DELETE(p->unsaid, row);
		row->unsaid = false;
		buf_adds(&p->lines, row->name);
		buf_addc(&p->lines, ' ');
		buf_add_number(&p->lines, row->mine);
		buf_addc(&p->lines, '\n');
		row_drop_if_unused(p, row);
	}
	buf_addc(&p->lines, '\0');
}

static void tell(struct presence *p)
{
	char lease[NUMBER_SIZE], most[NUMBER_SIZE], step[NUMBER_SIZE];
	const char *argv[] = {p->name, p->was,	     p->fresh ? "1" : "0",
			      lease,   p->vacate_ms, most,
			      step,    p->serial,    NULL};

	gather(p);
	snprintf(lease, sizeof lease, "%d", PRESENCE_LEASE_MS);
	snprintf(most, sizeof most, "%d", PRESENCE_CHANNELS);
	snprintf(step, sizeof step, "%d", PRESENCE_STEP);
	argv[COUNT_OF(argv) - 1] = p->lines.data;
	p->asking = !p->lines.failed && page_script(p->link, &presence_script, p->prefix, on_told,
						    p, COUNT_OF(argv), argv) == 0;
	if (p->asking)
		p->sent = true;
	else
		begin_anew(p);
}

void presence_second(struct presence *p)
{
	if (!p->asking && link_state(p->link) == LINK_READY)
		tell(p);
}

/* --- opening and closing ---------------------------------------------------------------------- */

struct presence *presence_open(struct link *link, const char *prefix, uint64_t vacate_ms)
{
	struct presence *p = calloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	p->link = link;
	p->prefix = prefix;
	snprintf(p->vacate_ms, sizeof p->vacate_ms, "%" PRIu64, vacate_ms);
	begin_anew(p);
	return p;
}

void presence_close(struct presence *p)
{
	struct row *row, *next;

	if (p == NULL)
		return;
	HASH_ITER (hh, p->rows, row, next) {
		HASH_DEL(p->rows, row);
		free(row);
	}
	free(p->sorted);
	buf_free(&p->lines);
	free(p);
}

/* --- questions -------------------------------------------------------------------------------- */

bool presence_is_current(const struct presence *p)
{
	return p->heard_ms != 0 && clock_mono_ms() - p->heard_ms < PRESENCE_LEASE_MS;
}

uint64_t presence_total(const struct presence *p, const char *channel)
{
	const struct row *row = row_find(p, channel);

	return row != NULL ? row->total : 0;
}

bool presence_take_change(struct presence *p, char channel[PRESENCE_NAME_MAX + 1])
{
	struct row *row = p->untaken;

	if (row == NULL)
		return false;
	DL_DELETE2(p->untaken, row, prev_untaken, next_untaken);
	row->untaken = false;
	memcpy(channel, row->name, sizeof row->name);
	row_drop_if_unused(p, row);
	return true;
}

static int compare_names(const void *a, const void *b)
{
	const struct row *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

/* 0, or -1 out of memory. */
static int sort(struct presence *p)
{
	size_t n = 0;

	if (p->sorted != NULL || p->total_count == 0)
		return 0;
	if ((p->sorted = calloc(p->total_count, sizeof(struct row *))) == NULL)
		return -1;
	for (struct row *row = p->rows; row != NULL; row = row->hh.next)
		if (row->total > 0)
			p->sorted[n++] = row;
	MUST(n == p->total_count);
	qsort(p->sorted, n, sizeof(struct row *), compare_names);
	return 0;
}

/* The first row behind `after` that is not before `prefix`. */
static size_t find_first(const struct presence *p, const char *prefix, const char *after)
{
	size_t low = 0, high = p->total_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *name = p->sorted[middle]->name;

		if (strcmp(name, after) <= 0 || strcmp(name, prefix) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void presence_write(struct presence *p, const char *prefix, const char *after, unsigned limit,
		    struct buf *out)
{
	size_t prefix_len = strlen(prefix), at, first;

	if (sort(p) != 0) {
		out->failed = true;
		return;
	}
	first = find_first(p, prefix, after);
	buf_adds(out, "{\"channels\":[");
	for (at = first; at < p->total_count && at < first + limit; at++) {
		const struct row *row = p->sorted[at];

		if (strncmp(row->name, prefix, prefix_len) != 0)
			break;
		buf_adds(out, at == first ? "{\"channel\":" : ",{\"channel\":");
		buf_add_json(out, row->name, strlen(row->name));
		buf_adds(out, ",\"readers\":");
		buf_add_number(out, row->total);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
	if (at < p->total_count && strncmp(p->sorted[at]->name, prefix, prefix_len) == 0) {
		buf_adds(out, ",\"after\":");
		buf_add_json(out, p->sorted[at - 1]->name, strlen(p->sorted[at - 1]->name));
	}
	buf_adds(out, "}\n");
}
