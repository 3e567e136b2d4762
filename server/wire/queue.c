/* queue.c - a bounded ring of waiting posts. */
#include "wire/queue.h"

#include <string.h>

/* Without frames, which are made after it has left. */
static size_t bytes_of(const struct post *post)
{
	return sizeof *post + post->body_len;
}

int queue_add(struct queue *q, struct post *post)
{
	size_t at = (q->first + q->count) % QUEUE_POSTS;

	if (q->count == QUEUE_POSTS || q->bytes + bytes_of(post) > QUEUE_BYTES) {
		queue_keep(q, NULL);
		post_drop(post);
		return -1;
	}
	q->post[at] = post;
	q->size[at] = bytes_of(post);
	q->bytes += q->size[at];
	q->count++;
	return 0;
}

struct post *queue_at(const struct queue *q, size_t i)
{
	MUST(i < q->count);
	return q->post[(q->first + i) % QUEUE_POSTS];
}

struct post *queue_first(const struct queue *q)
{
	return q->count ? q->post[q->first] : NULL;
}

struct post *queue_take(struct queue *q)
{
	struct post *post = queue_first(q);

	MUST(post);
	q->bytes -= q->size[q->first];
	q->first = (q->first + 1) % QUEUE_POSTS;
	q->count--;
	return post;
}

void queue_keep(struct queue *q, const char *epoch)
{
	for (size_t n = q->count; n > 0; n--) {
		struct post *post = queue_take(q);

		if (epoch == NULL || strcmp(post->epoch, epoch) != 0)
			post_drop(post);
		else if (queue_add(q, post) == -1)
			base_abort(__FILE__, __LINE__, "there was room for it before");
	}
}
