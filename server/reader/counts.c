/* counts.c - numbers of readers, told and heard. */
#include "reader/counts.h"

#include <xxhash.h>
#include "base/counters.h"
#include "news/message.h"
#include "reader/reader_own.h"
#include "wire/presence.h"

static void tell_redis(void *arg, const char *channel, uint32_t readers)
{
	struct readers *all = arg;

	presence_set(wire_presence(all->wire), channel, readers);
}

static void hear_redis(struct readers *all)
{
	char channel[PRESENCE_NAME_MAX + 1];

	while (presence_take_change(wire_presence(all->wire), channel))
		census_heard(audiences_census(all->audiences), channel);
}

static uint64_t total_of(const char *channel, const void *arg)
{
	return presence_total(arg, channel);
}

/* Into all->json. */
static void write_numbers(struct readers *all, const struct subscription *s)
{
	buf_clear(&all->json);
	message_readers(&all->json, s, total_of, wire_presence(all->wire));
}

static uint64_t hash_of(const struct readers *all)
{
	return XXH3_64bits(all->json.data, all->json.len);
}

/* Returns what it cost. */
static int64_t tell_audience(struct readers *all, struct census_entry *e)
{
	struct audience *a = audience_of_entry(e);
	int64_t cost = 1;

	if (audience_live(a) == 0)
		return cost;
	write_numbers(all, e->subscription);
	cost += (int64_t)(all->json.len / COUNTS_BYTES);
	if (all->json.failed || hash_of(all) == e->told)
		return cost;
	buf_clear(&all->frame);
	format_wrap(audience_format(a), &(struct face){.type = NEWSWIRE_TYPE_READERS},
		    all->json.data, all->json.len, &all->frame);
	if (all->frame.failed)
		return cost; /* the next number will do */
	COUNT(COUNTS_TOLD);
	e->told = hash_of(all);
	cost += (int64_t)audience_live(a);
	audience_say(a, (uint8_t *)all->frame.data, all->frame.len);
	return cost;
}

void counts_second(struct readers *all)
{
	struct census *census = audiences_census(all->audiences);
	struct census_entry *e;

	census_take(census, tell_redis, all);
	hear_redis(all);
	all->counts_left += COUNTS_WRITES;
	if (all->counts_left > COUNTS_WRITES)
		all->counts_left = COUNTS_WRITES;
	while (presence_is_current(wire_presence(all->wire)) && all->counts_left > 0 &&
	       (e = census_next_late(census)) != NULL)
		all->counts_left -= tell_audience(all, e);
	GAUGE_SET(COUNTS_LATE, census->late_count);
}

/* What it has just been told and was too much for its connection is no reason to tell it again: that would never end. */
static void say_anew(struct reader *r)
{
	uint32_t before = r->told, now = (uint32_t)hash_of(r->all) | 1;

	r->told = 0;
	if (now == before)
		return;
	reader_say(r, NEWSWIRE_TYPE_READERS, NULL);
	if (r->state != READER_LIVE)
		r->told = now;
}

void counts_say(struct reader *r)
{
	struct audience *a = r->member.audience;
	struct census_entry *e = audience_entry(a);

	if (!e->subscription->readers)
		return;
	if (!presence_is_current(wire_presence(r->all->wire))) { /* all of them, once it is */
		e->told = 0;
		census_ask(audiences_census(r->all->audiences), e);
		return;
	}
	write_numbers(r->all, e->subscription);
	if (audience_live(a) == 1) /* it alone */
		e->told = hash_of(r->all);
	say_anew(r);
}
