/* listeners.c - who named a channel, or the beginning of one. */
#include "audience/listeners.h"

#include <stdlib.h>
#include <string.h>

/* Prefixes of plain names and of derived ones never match the same channel. */
static uint32_t *lengths_of(struct listeners_index *index, const char *prefix)
{
	return index->lengths[strchr(prefix, ':') != NULL];
}

static struct listeners *find_or_make(struct listeners **names, const char *name)
{
	struct listeners *l;
	size_t len = strlen(name);

	HASH_FIND(hh, *names, name, len, l);
	if (l != NULL || (l = calloc(1, sizeof *l)) == NULL)
		return l;
	MUST(len < sizeof l->name);
	memcpy(l->name, name, len);
	l->len = (uint8_t)len;
	HASH_ADD_KEYPTR(hh, *names, l->name, len, l);
	if (!HASH_IS_IN(l)) {
		free(l);
		return NULL;
	}
	return l;
}

static void drop_if_empty(struct listeners **names, struct listeners *l)
{
	if (l->count > 0)
		return;
	HASH_DEL(*names, l);
	free(l->at);
	free(l);
}

static int make_room(struct listeners *l)
{
	uint32_t more = l->cap == 0 ? 1 : l->cap * 2;
	struct listener *moved;

	if (l->count < l->cap)
		return 0;
	if ((moved = realloc(l->at, more * sizeof *moved)) == NULL)
		return -1;
	l->at = moved;
	l->cap = more;
	return 0;
}

static int enter(struct listeners **names, const char *name, struct audience *audience,
		 struct listeners_place *place)
{
	struct listeners *l = find_or_make(names, name);

	if (l == NULL)
		return -1;
	if (make_room(l) != 0) {
		drop_if_empty(names, l);
		return -1;
	}
	*place = (struct listeners_place){l, l->count};
	l->at[l->count++] = (struct listener){audience, place};
	return 0;
}

/* The last of them takes its place. */
static void leave(struct listeners **names, const struct listeners_place *place)
{
	struct listeners *l = place->among;
	struct listener last = l->at[--l->count];

	l->at[place->at] = last;
	last.place->at = place->at;
	drop_if_empty(names, l);
}

static void leave_prefix(struct listeners_index *index, const struct listeners_place *place)
{
	const struct listeners *l = place->among;

	lengths_of(index, l->name)[l->len]--;
	leave(&index->by_prefix, place);
}

/* Out of the first `count` of its places: names come before prefixes. */
static void leave_first(struct listeners_index *index, struct listeners_place *places,
			const struct subscription *s, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (i < s->channels.count)
			leave(&index->by_name, &places[i]);
		else
			leave_prefix(index, &places[i]);
	free(places);
}

struct listeners_place *listeners_enter(struct listeners_index *index, struct audience *audience,
					const struct subscription *s)
{
	uint32_t names = s->channels.count, all = names + s->prefixes.count, i = 0;
	struct listeners_place *places = malloc((all > 0 ? all : 1) * sizeof *places);

	if (places == NULL)
		return NULL;
	for (; i < names; i++)
		if (enter(&index->by_name, s->channels.name[i], audience, &places[i]) != 0)
			goto fail;
	for (; i < all; i++) {
		const char *prefix = s->prefixes.name[i - names];

		if (enter(&index->by_prefix, prefix, audience, &places[i]) != 0)
			goto fail;
		lengths_of(index, prefix)[strlen(prefix)]++;
	}
	return places;

fail:
	leave_first(index, places, s, i);
	return NULL;
}

void listeners_leave(struct listeners_index *index, struct listeners_place *places,
		     const struct subscription *s)
{
	leave_first(index, places, s, s->channels.count + s->prefixes.count);
}

const struct listeners *listeners_next(const struct listeners_index *index, const char *channel,
				       size_t *len)
{
	const char *colon = strchr(channel, ':');
	const uint32_t *lengths = index->lengths[colon != NULL];
	size_t least = colon == NULL ? 0 : (size_t)(colon - channel), whole = strlen(channel);
	struct listeners *l;

	if (*len < least)
		*len = least;
	while (*len < whole && *len < CHANNEL_READABLE_MAX) {
		if (lengths[++*len] == 0)
			continue;
		HASH_FIND(hh, index->by_prefix, channel, *len, l);
		if (l != NULL)
			return l;
	}
	return NULL;
}
