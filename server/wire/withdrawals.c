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

	if (!post_is_withdrawal(post))
		return;
	w->ring[at].uri = hash_of(post->uri);
	w->ring[at].id = post->id;
	w->count++;
}

enum answer { NOT_WITHDRAWN, WITHDRAWN, FORGOTTEN };

static enum answer find(const struct withdrawals *w, const char *uri, struct wire_id than)
{
	size_t kept = w->count < WITHDRAWALS_MAX ? w->count : WITHDRAWALS_MAX;
	uint64_t hash = 0;

	for (size_t back = 1; back <= kept; back++) {
		size_t at = (w->count - back) % WITHDRAWALS_MAX;

		if (wire_id_compare(w->ring[at].id, than) <= 0)
			return NOT_WITHDRAWN;
		if (back == 1) /* mostly, nothing is newer */
			hash = hash_of(uri);
		if (w->ring[at].uri == hash)
			return WITHDRAWN;
	}
	return w->count > kept ? FORGOTTEN : NOT_WITHDRAWN;
}

bool withdrawals_has(const struct withdrawals *w, const char *uri, struct wire_id than)
{
	return find(w, uri, than) != NOT_WITHDRAWN;
}

bool withdrawals_knows(const struct withdrawals *w, const char *uri, struct wire_id than)
{
	return find(w, uri, than) == WITHDRAWN;
}
