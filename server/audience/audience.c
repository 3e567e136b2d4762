/* audience.c - who belongs to which audience, and what is said to all of them that is no post. */
#include "audience/audience_own.h"

#include <stdint.h>
#include <string.h>
#include "base/counters.h"

struct audiences *audiences_new(const struct audience_ops *ops)
{
	struct audiences *set = calloc(1, sizeof *set);

	if (set == NULL || buf_reserve(&set->block, AUDIENCE_BLOCK_MAX) != 0) {
		free(set);
		return NULL;
	}
	set->ops = ops;
	set->names_max = SIZE_MAX;
	TAILQ_INIT(&set->dirty[ROW_FRONT]);
	TAILQ_INIT(&set->dirty[ROW_BACK]);
	return set;
}

void audiences_free(struct audiences *set)
{
	if (set == NULL)
		return;
	MUST(set->by_key == NULL);
	owed_free(&set->owed);
	census_free(&set->census);
	free(set->joined.at);
	buf_free(&set->block);
	free(set);
}

void audiences_limit(struct audiences *set, size_t names_max)
{
	set->names_max = names_max;
}

size_t audiences_count(const struct audiences *set)
{
	return HASH_COUNT(set->by_key);
}

struct census *audiences_census(struct audiences *set)
{
	return &set->census;
}

struct audience *audience_of_entry(struct census_entry *entry)
{
	return CONTAINER_OF(entry, struct audience, census);
}

struct census_entry *audience_entry(struct audience *audience)
{
	return &audience->census;
}

size_t audience_live(const struct audience *audience)
{
	return row_live(&audience->rows[ROW_FRONT]) + row_live(&audience->rows[ROW_BACK]);
}

/* Where it is live, or would be. */
static struct row *row_of(const struct audience_member *member)
{
	bool is_back = member->index == AUDIENCE_NOT_LIVE ? member->taken < AUDIENCE_PROVEN
							  : member->in_back;

	return &member->audience->rows[is_back ? ROW_BACK : ROW_FRONT];
}

bool audience_owes(const struct audience_member *member)
{
	return row_of(member)->is_dirty;
}

const struct subscription *audience_subscription(const struct audience *audience)
{
	return audience->subscription;
}

enum format audience_format(const struct audience *audience)
{
	return audience->format;
}

/* --- an audience's life ----------------------------------------------------------------------- */

static void audience_free(struct audience *a)
{
	MUST(audience_live(a) == 0 && a->lagging == 0);
	for (int i = 0; i < AUDIENCE_ROWS; i++) {
		free(a->rows[i].tick.at);
		free(a->rows[i].live);
	}
	subscription_free(a->subscription);
	free(a->key);
	free(a);
}

/* `<format> <entitlement> <subscription>`, of early ones with an end; none of the three holds a control character. */
static char *key_of(const struct subscription *s, const char *entitlement, enum format format)
{
	struct buf b = {0};

	buf_adds(&b, format_name(format));
	buf_addc(&b, '\x1f');
	buf_adds(&b, entitlement);
	buf_addc(&b, '\x1f');
	buf_adds(&b, s->key);
	if (s->early)
		buf_addc(&b, '\x1f');
	buf_addc(&b, '\0');
	if (b.failed)
		buf_free(&b);
	return b.data;
}

/* The server's own reader is never in the way of others, nor they in his. */
static size_t names_of(const struct subscription *s)
{
	return s->canary ? 0 : s->channels.count + s->prefixes.count;
}

static bool has_room_for(const struct audiences *set, const struct subscription *s)
{
	if (set->names + names_of(s) <= set->names_max)
		return true;
	COUNT(READERS_NAMES);
	return false;
}

static struct audience *audience_new(struct audiences *set, struct subscription *s, char *key,
				     enum format format)
{
	struct audience *a = calloc(1, sizeof *a);

	if (a == NULL)
		return NULL;
	*a = (struct audience){.set = set,
			       .key = key,
			       .subscription = s,
			       .format = format,
			       .refs = 1,
			       .by_channel = format_names_channel(format),
			       .is_coded = format_is_coded(format),
			       .uncounted = s->canary,
			       .offer = s->early ? set->ops->offer_early : set->ops->offer};
	a->rows[ROW_FRONT].audience = a->rows[ROW_BACK].audience = a;
	a->rows[ROW_BACK].is_back = true;
	if ((a->places = listeners_enter(&set->index, a, s)) == NULL) {
		free(a);
		return NULL;
	}
	census_enter(&a->census, s);
	HASH_ADD_KEYPTR(hh, set->by_key, a->key, strlen(a->key), a);
	if (HASH_IS_IN(a)) {
		set->names += names_of(s);
		return a;
	}
	listeners_leave(&set->index, a->places, s);
	free(a);
	return NULL;
}

struct audience *audience_get(struct audiences *set, struct subscription *subscription,
			      const char *entitlement, enum format format)
{
	struct audience *a = NULL;
	char *key = key_of(subscription, entitlement, format);

	if (key == NULL)
		goto fail;
	HASH_FIND_STR(set->by_key, key, a);
	if (a != NULL) {
		subscription_free(subscription);
		free(key);
		return audience_hold(a);
	}
	if (has_room_for(set, subscription) &&
	    (a = audience_new(set, subscription, key, format)) != NULL)
		return a;
fail:
	free(key);
	subscription_free(subscription);
	return NULL;
}

struct audience *audience_hold(struct audience *audience)
{
	audience->refs++;
	return audience;
}

void audience_put(struct audience *audience)
{
	if (audience == NULL || --audience->refs > 0)
		return;
	for (int i = 0; i < AUDIENCE_ROWS; i++)
		if (audience->rows[i].is_dirty)
			row_rest(&audience->rows[i]);
	listeners_leave(&audience->set->index, audience->places, audience->subscription);
	census_leave(&audience->set->census, &audience->census);
	HASH_DEL(audience->set->by_key, audience);
	audience->set->names -= names_of(audience->subscription);
	audience_free(audience);
}

static void count_readers(struct audience *a, int more)
{
	if (!a->uncounted)
		census_add(&a->set->census, &a->census, more);
}

/* --- rows ------------------------------------------------------------------------------------- */

bool audience_can_wait(const struct audience_member *member)
{
	return row_can_wait(row_of(member));
}

void audience_took(struct audience_member *member, size_t bytes)
{
	size_t taken = member->taken + bytes;

	MUST(member->index == AUDIENCE_NOT_LIVE);
	member->taken = taken < AUDIENCE_PROVEN ? (uint32_t)taken : AUDIENCE_PROVEN;
}

static void count_front(struct row *row, int more)
{
	if (!row->is_back && !row->audience->uncounted)
		row->audience->set->in_front += (uint32_t)more;
}

/* 0, or -1 out of memory. */
static int sit_down(struct row *row, struct audience_member *member)
{
	MUST(!row->is_dirty);
	if (audience_grow((void **)&row->live, row->live_count, &row->live_cap,
			  sizeof(struct audience_member *)) != 0)
		return -1;
	member->in_back = row->is_back;
	member->taken -= row->is_back ? row->told : 0;
	member->index = row->live_count;
	row->live[row->live_count++] = member;
	count_front(row, 1);
	return 0;
}

static void stand_up(struct row *row, struct audience_member *member)
{
	uint32_t index = member->index;

	MUST(row->live[index] == member);
	if (row->sweep.on) {
		row->live[index] = NULL;
		row->sweep.holes++;
	} else {
		row->live[index] = row->live[--row->live_count];
		row->live[index]->index = index;
	}
	member->index = AUDIENCE_NOT_LIVE;
	count_front(row, -1);
	if (row->is_back) {
		member->taken += row->told;
		audience_took(member, 0);
	}
}

static void free_if_empty(struct row *row)
{
	if (row->live_count > 0)
		return;
	free(row->live);
	row->live = NULL;
	row->live_cap = 0;
}

void row_move_up(struct row *back)
{
	struct row *front = &back->audience->rows[ROW_FRONT];

	for (uint32_t i = back->live_count; i-- > 0;) {
		struct audience_member *member = back->live[i];

		if (member->taken + back->told < AUDIENCE_PROVEN)
			continue;
		stand_up(back, member);
		if (sit_down(front, member) == 0)
			continue;
		member->taken = 0; /* memory is short: another time */
		MUST(sit_down(back, member) == 0);
		return;
	}
	free_if_empty(back);
}

int audience_join(struct audience_member *member)
{
	MUST(member->index == AUDIENCE_NOT_LIVE);
	if (sit_down(row_of(member), member) != 0)
		return -1;
	count_readers(member->audience, 1);
	return 0;
}

void audience_leave(struct audience_member *member)
{
	struct audience *a = member->audience;

	if (a == NULL || member->index == AUDIENCE_NOT_LIVE)
		return;
	stand_up(row_of(member), member);
	count_readers(a, -1);
}

void audience_lag(struct audience *audience, int more)
{
	MUST(more >= 0 || audience->lagging >= (uint32_t)-more);
	audience->lagging += (uint32_t)more;
	if (more != 0)
		count_readers(audience, more);
}

void audience_arrive(struct audience *audience, int more)
{
	MUST(more >= 0 || audience->arriving >= (uint32_t)-more);
	audience->arriving += (uint32_t)more;
}

/* --- what is no post -------------------------------------------------------------------------- */

void audience_pay(const struct audience_member *member)
{
	row_pay(row_of(member));
}

static void say(struct row *row, const uint8_t *bytes, size_t len)
{
	const struct audiences *set = row->audience->set;
	struct audience_block block = {
		.bytes = bytes, .len = len, .from = set->heard, .upto = set->heard};

	for (uint32_t i = row->live_count;
	     i-- > 0;) { /* who leaves is replaced by one that has it */
		set->ops->expect(row->live[i]);
		set->ops->offer(row->live[i], &block);
	}
}

void audience_say(struct audience *audience, const uint8_t *bytes, size_t len)
{
	row_pay(&audience->rows[ROW_FRONT]);
	row_pay(&audience->rows[ROW_BACK]); /* who moves up for that hears it in front */
	say(&audience->rows[ROW_FRONT], bytes, len);
	say(&audience->rows[ROW_BACK], bytes, len);
}
