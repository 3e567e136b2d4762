/* withdrawals.c - a ring of the last kills and holds. */
#include "wire/withdrawals.h"

#include <string.h>
#include <xxhash.h>

static uint64_t hash_of(const char *uri)
{
	return XXH3_64bits(uri, strlen(uri));
}

void withdrawals_hear(struct withdrawals *w, const struct post *post)
{
	size_t at = w->count % WITHDRAWALS_MAX;

	if (post->action != POST_KILL && post->action != POST_HOLD)
		return;
	w->ring[at].uri = hash_of(post->uri);
	w->ring[at].id = post->id;
	w->count++;
}

bool withdrawals_has(const struct withdrawals *w, const char *uri, struct wire_id than)
{
	uint64_t hash = hash_of(uri);
	size_t kept = w->count < WITHDRAWALS_MAX ? w->count : WITHDRAWALS_MAX;

	for (size_t back = 1; back <= kept; back++) {
		size_t at = (w->count - back) % WITHDRAWALS_MAX;

		if (wire_id_compare(w->ring[at].id, than) <= 0)
			return false;
		if (w->ring[at].uri == hash)
			return true;
	}
	return w->count > kept; /* older ones were forgotten */
}
