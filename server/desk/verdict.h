/* verdict.h - what the scripts said about an item: read, counted, logged, and made a receipt.
 *
 * Counting newswire_desk_total and newswire_rejects_total count an item where it was decided, once:
 * not where another worker heard the same PUBLISH, nor where the same refused bytes come again.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_DESK_VERDICT_H
#define NEWSWIRE_DESK_VERDICT_H

#include <stdint.h>
#include "base/base.h"
#include "desk/desk.h"
#include "desk/job.h"

struct redisReply;

struct verdict {
	struct desk_receipt receipt; /* borrows from job and reply */
	int64_t due_ms;		     /* held: how long; else -1 */
};

/* The reply of accept.lua or reject.lua: an array or an error. */
void verdict_of_reply(struct verdict *v, const struct job *job, const struct redisReply *reply);
/* A copy that borrows from the job only; free() it. NULL: out of memory. */
struct desk_receipt *verdict_keep(const struct desk_receipt *receipt) MUST_USE;
/* Without asking anybody: BUSY, AWAY, or a DUPLICATE that the probe showed. */
void verdict_plain(struct verdict *v, const struct job *job, enum desk_result result);

#endif
