/* audience.c - who belongs to which audience. */
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
	free(set->joined.at);
	buf_free(&set->block);
	free(set);
}

size_t audiences_count(const struct audiences *set)
{
	return HASH_COUNT(set->by_key);
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

/* `<format> <entitlement> <subscription>`; none of the three holds a control character. */
static char *key_of(const struct subscription *s, const char *entitlement, enum format format)
{
	struct buf b = {0};

	buf_adds(&b, format_name(format));
	buf_addc(&b, '\x1f');
	buf_adds(&b, entitlement);
	buf_addc(&b, '\x1f');
	buf_adds(&b, s->key);
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
			       .is_coded = format_is_coded(format)};
	if ((a->places = listeners_enter(&set->index, a, s)) == NULL) {
		free(a);
		return NULL;
	}
	HASH_ADD_KEYPTR(hh, set->by_key, a->key, strlen(a->key), a);
	return a;
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
}

void audience_lag(struct audience *audience, int more)
{
	MUST(more >= 0 || audience->lagging >= (uint32_t)-more);
	audience->lagging += (uint32_t)more;
}
