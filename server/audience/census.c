/* census.c - readers by channel, summed over audiences. */
#include "audience/census.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include "base/hash.h"

/* An audience that asked, in a row. */
struct asker {
	struct census_entry *entry;
	uint32_t place; /* entry->places[place] is this row's */
};

/* One channel. It lives while an audience names it, or a change of it is not told. */
struct census_row {
	char name[CENSUS_NAME_MAX + 1];
	uint32_t readers;
	uint32_t audiences;
	bool changed;
	struct census_row *next_changed;
	struct asker *askers;
	uint32_t asker_count, asker_cap;
	UT_hash_handle hh;
};

struct census_place {
	struct census_row *row;
	uint32_t at; /* in row->askers, if it asks */
};

/* --- rows ------------------------------------------------------------------------------------- */

static void row_free(struct census *c, struct census_row *row)
{
	HASH_DEL(c->rows, row);
	free(row->askers);
	free(row);
}

static void row_drop_if_unused(struct census *c, struct census_row *row)
{
	if (row->audiences == 0 && !row->changed)
		row_free(c, row);
}

static struct census_row *row_of(struct census *c, const char *name)
{
	struct census_row *row;
	size_t len = strlen(name);

	HASH_FIND(hh, c->rows, name, len, row);
	if (row != NULL || (row = calloc(1, sizeof *row)) == NULL)
		return row;
	MUST(len < sizeof row->name);
	memcpy(row->name, name, len);
	HASH_ADD_KEYPTR(hh, c->rows, row->name, len, row);
	if (!HASH_IS_IN(row)) {
		free(row);
		return NULL;
	}
	return row;
}

static void row_change(struct census *c, struct census_row *row, uint32_t readers)
{
	if (row->readers == readers)
		return;
	row->readers = readers;
	if (row->changed)
		return;
	row->changed = true;
	row->next_changed = c->changed_rows;
	c->changed_rows = row;
}

static int row_add_asker(struct census_row *row, struct census_entry *e, uint32_t place)
{
	uint32_t cap = row->asker_cap == 0 ? 4 : row->asker_cap * 2;
	struct asker *moved;

	if (row->asker_count == row->asker_cap) {
		if ((moved = realloc(row->askers, cap * sizeof *moved)) == NULL)
			return -1;
		row->askers = moved;
		row->asker_cap = cap;
	}
	e->places[place].at = row->asker_count;
	row->askers[row->asker_count++] = (struct asker){e, place};
	return 0;
}

static void row_remove_asker(struct census_row *row, uint32_t at)
{
	struct asker last = row->askers[--row->asker_count];

	row->askers[at] = last;
	last.entry->places[last.place].at = at;
}

/* --- entries ---------------------------------------------------------------------------------- */

static uint32_t count_of(const struct subscription *s)
{
	return s->channels.count + s->prefixes.count;
}

/* Its channels, then its prefixes, each with its `*`. */
static struct census_row *row_at(struct census *c, const struct subscription *s, uint32_t i)
{
	char name[CENSUS_NAME_MAX + 1];

	if (i < s->channels.count)
		return row_of(c, s->channels.name[i]);
	snprintf(name, sizeof name, "%s*", s->prefixes.name[i - s->channels.count]);
	return row_of(c, name);
}

/* Gives back its first `count` places. */
static void leave_places(struct census *c, struct census_entry *e, uint32_t count)
{
	while (count-- > 0) {
		struct census_place *p = &e->places[count];

		if (e->subscription->readers)
			row_remove_asker(p->row, p->at);
		p->row->audiences--;
		row_drop_if_unused(c, p->row);
	}
	free(e->places);
	e->places = NULL;
}

void census_enter(struct census_entry *e, const struct subscription *subscription)
{
	*e = (struct census_entry){.subscription = subscription};
}

/* 0, or -1: out of memory, and nothing changed. */
static int take_places(struct census *c, struct census_entry *e)
{
	const struct subscription *s = e->subscription;

	if ((e->places = calloc(count_of(s) + 1, sizeof *e->places)) == NULL)
		return -1;
	for (uint32_t i = 0; i < count_of(s); i++) {
		struct census_row *row = row_at(c, s, i);

		if (row == NULL || (s->readers && row_add_asker(row, e, i) != 0)) {
			if (row != NULL)
				row_drop_if_unused(c, row);
			leave_places(c, e, i);
			return -1;
		}
		row->audiences++;
		e->places[i].row = row;
	}
	return 0;
}

/* Its rows are told what they do not know yet. */
static void settle(struct census *c, struct census_entry *e)
{
	for (uint32_t i = 0; i < count_of(e->subscription); i++) {
		struct census_row *row = e->places[i].row;

		row_change(c, row, row->readers + e->readers - e->counted);
	}
	e->counted = e->readers;
}

static void forget_late(struct census *c, struct census_entry *e)
{
	if (!e->late)
		return;
	e->late = false;
	DL_DELETE2(c->late, e, prev_late, next_late);
	c->late_count--;
}

void census_leave(struct census *c, struct census_entry *e)
{
	if (e->changed)
		DL_DELETE(c->changed, e);
	e->changed = false;
	forget_late(c, e);
	if (e->places == NULL)
		return;
	e->readers = 0;
	settle(c, e);
	leave_places(c, e, count_of(e->subscription));
}

void census_note(struct census *c, struct census_entry *e)
{
	e->changed = true;
	DL_APPEND(c->changed, e);
}

void census_take(struct census *c, census_cb *tell, void *arg)
{
	for (struct census_entry *e; (e = c->changed) != NULL;) {
		if (e->places == NULL && take_places(c, e) != 0)
			break; /* the next second may have more memory */
		DL_DELETE(c->changed, e);
		e->changed = false;
		settle(c, e);
	}
	for (struct census_row *row; (row = c->changed_rows) != NULL;) {
		c->changed_rows = row->next_changed;
		row->changed = false;
		tell(arg, row->name, row->readers);
		row_drop_if_unused(c, row);
	}
}

void census_free(struct census *c)
{
	struct census_row *row, *next;

	HASH_ITER (hh, c->rows, row, next) {
		MUST(row->audiences == 0);
		row_free(c, row);
	}
}

/* --- who asked -------------------------------------------------------------------------------- */

void census_ask(struct census *c, struct census_entry *e)
{
	if (e->late)
		return;
	e->late = true;
	DL_APPEND2(c->late, e, prev_late, next_late);
	c->late_count++;
}

void census_heard(struct census *c, const char *channel)
{
	struct census_row *row;

	HASH_FIND_STR(c->rows, channel, row);
	for (uint32_t i = 0; row != NULL && i < row->asker_count; i++)
		census_ask(c, row->askers[i].entry);
}

struct census_entry *census_next_late(struct census *c)
{
	struct census_entry *e = c->late;

	if (e != NULL)
		forget_late(c, e);
	return e;
}
