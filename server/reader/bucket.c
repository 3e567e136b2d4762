/* bucket.c - which readers get their tick in which second. */
#include "reader/bucket.h"

#include <stdlib.h>

int bucket_enter(struct reader *r)
{
	struct readers *all = r->all;
	struct bucket *b = &all->buckets[all->fill_bucket];

	if (b->count == b->cap) {
		uint32_t cap = b->cap == 0 ? 16 : b->cap * 2;
		struct reader **moved = realloc(b->at, cap * sizeof(struct reader *));

		if (moved == NULL)
			return -1;
		b->at = moved;
		b->cap = cap;
	}
	r->bucket = all->fill_bucket;
	r->bucket_at = b->count;
	b->at[b->count++] = r;
	all->fill_bucket = (uint16_t)((all->fill_bucket + 1) % all->bucket_count);
	return 0;
}

void bucket_leave(struct reader *r)
{
	struct bucket *b = &r->all->buckets[r->bucket];

	MUST(b->at[r->bucket_at] == r);
	b->at[r->bucket_at] = b->at[--b->count];
	b->at[r->bucket_at]->bucket_at = r->bucket_at;
}
