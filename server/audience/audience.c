/* audience.c - who belongs to which audience, and what is said to all of them that is no post. */
#include "audience/audience_own.h"

#include <string.h>

struct audiences *audiences_new(const struct audience_ops *ops)
{
	struct audiences *set = calloc(1, sizeof *set);

	if (set == NULL || buf_reserve(&set->block, AUDIENCE_BLOCK_MAX) != 0) {
		free(set);
		return NULL;
	}
	set->ops = ops;
	set->pass = 1;
	TAILQ_INIT(&set->dirty);
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
	return audience->live_count - audience->sweep.holes;
}

bool audience_owes(const struct audience *audience)
{
	return audience->is_dirty;
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
	MUST(a->live_count == 0 && a->lagging == 0);
	free(a->tick.at);
	free(a->live);
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
			       .offer = s->early ? set->ops->offer_early : set->ops->offer};
	if ((a->places = listeners_enter(&set->index, a, s)) == NULL) {
		free(a);
		return NULL;
	}
	census_enter(&a->census, s);
	HASH_ADD_KEYPTR(hh, set->by_key, a->key, strlen(a->key), a);
	if (HASH_IS_IN(a))
		return a;
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
	if ((a = audience_new(set, subscription, key, format)) != NULL)
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
	if (audience->is_dirty)
		audience_rest(audience);
	listeners_leave(&audience->set->index, audience->places, audience->subscription);
	census_leave(&audience->set->census, &audience->census);
	HASH_DEL(audience->set->by_key, audience);
	audience_free(audience);
}

int audience_join(struct audience_member *member)
{
	struct audience *a = member->audience;

	MUST(member->index == AUDIENCE_NOT_LIVE && !a->is_dirty);
	if (audience_grow((void **)&a->live, a->live_count, &a->live_cap,
			  sizeof(struct audience_member *)) != 0)
		return -1;
	member->index = a->live_count;
	a->live[a->live_count++] = member;
	census_add(&a->set->census, &a->census, 1);
	return 0;
}

void audience_leave(struct audience_member *member)
{
	struct audience *a = member->audience;

	if (a == NULL || member->index == AUDIENCE_NOT_LIVE)
		return;
	MUST(a->live[member->index] == member);
	if (a->sweep.on) {
		a->live[member->index] = NULL;
		a->sweep.holes++;
	} else {
		a->live[member->index] = a->live[--a->live_count];
		a->live[member->index]->index = member->index;
	}
	member->index = AUDIENCE_NOT_LIVE;
	census_add(&a->set->census, &a->census, -1);
}

void audience_lag(struct audience *audience, int more)
{
	MUST(more >= 0 || audience->lagging >= (uint32_t)-more);
	audience->lagging += (uint32_t)more;
	if (more != 0)
		census_add(&audience->set->census, &audience->census, more);
}

/* --- what is no post -------------------------------------------------------------------------- */

/* What it owes goes out, before others have their turn. */
static void pay_all(struct audience *a)
{
	while (a->is_dirty) {
		TAILQ_REMOVE(&a->set->dirty, a, turn);
		TAILQ_INSERT_HEAD(&a->set->dirty, a, turn);
		audiences_go_on(a->set, a->live_count + 1);
	}
}

void audience_say(struct audience *a, const uint8_t *bytes, size_t len)
{
	const struct audience_ops *ops = a->set->ops;
	struct audience_block block = {.bytes = bytes, .len = len};

	pay_all(a);
	block.from = block.upto = a->pass == a->set->pass ? a->offered : a->set->flushed;
	for (uint32_t i = a->live_count; i-- > 0;) { /* who leaves is replaced by one that has it */
		ops->expect(a->live[i]);
		ops->offer(a->live[i], &block);
	}
}
