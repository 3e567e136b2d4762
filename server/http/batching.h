/* batching.h - several items in one POST: each is decided on its own, in order, and has a result.
 *
 * What it does  Hands the pieces of a body (news/batch.h) to the desk, a few at a time, so that a
 *               batch never takes the desk's last place from those who post one; gathers what
 *               became of each, and answers when all are decided.
 * Order         Of the body. After an item that could not be decided (503) those that were not
 *               handed in yet are not tried: a correction must not overtake its story. A key of ours
 *               that holds something else (`store`) stops only its own item.
 * Again         An Idempotency-Key is that of each item, together with its index.
 * Lifetime      Lives until the last item that was handed in is decided. If the publisher goes away
 *               before, what was handed in stays decided, and the rest is dropped and counted.
 * Bounds        BATCHING_WINDOW items of a batch are at the desk; a result is as large as one receipt.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_HTTP_BATCHING_H
#define NEWSWIRE_HTTP_BATCHING_H

#include "http/request.h"
#include "news/batch.h"
#include "news/channel.h"

enum { BATCHING_WINDOW = 64 };

/* The body is whole, and is BATCH_LINES or an array. It is answered now or later. */
void batching_begin(struct request *r, enum batch_form form, const struct channel_set *channels);

#endif
