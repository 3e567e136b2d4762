/* lag.c - how far behind a connected reader may be: in bytes and in time.
 *
 * What counts   What the reader would still be sent: posts that match, less those that a later one replaces. Only of who has kept up
 *               once: whoever comes back to something older is brought forward, however long that takes.
 * When          As soon as there is room to write, so that nothing is done for who does not read: a connection that takes nothing at
 *               all is ended by the kernel (--user-timeout). No reader has a timer, and the fan-out knows nothing of this.
 * Cost          Usually two searches in the backlog. What was counted is remembered (struct lag_memo): no post is looked at
 *               twice for its age, and for bytes only after so many more have gone over the wire as were left.
 * Elsewhere     What the backlog does not hold any more is not counted post by post: there, all that has gone over the wire since is
 *               what a reader is behind. Within the limits it goes on from Redis. Without --lag-time a reader may have waited for
 *               longer than that is known: then only what is known to have gone since counts. So nobody is told of a gap for what he
 *               may have got; and who waits for more bytes than he may goes on from Redis all the same, if most of them went
 *               long ago and have left the backlog.
 */
#include "base/counters.h"
#include "reader/reader_own.h"

enum { UNTIMED_SECONDS = 120 }; /* of the past are known without --lag-time */

/* --- the past of the wire --------------------------------------------------------------------- */

void lag_begin(struct lag_past *past, uint64_t lag_time_ms)
{
	uint64_t seconds = lag_time_ms == 0 ? UNTIMED_SECONDS : (lag_time_ms + 999) / 1000;

	*past = (struct lag_past){.timed = lag_time_ms > 0};
	past->step = (uint32_t)((seconds + LAG_STEPS - 1) / LAG_STEPS);
	past->count = (uint32_t)((seconds + past->step - 1) / past->step) + 1;
}

void lag_second(struct lag_past *past, struct wire_id head, uint64_t passed)
{
	if (++past->seconds < past->step)
		return;
	past->seconds = 0;
	past->at[past->next] = (struct lag_place){head, passed};
	past->next = (past->next + 1) % past->count;
}

void lag_forget(struct lag_past *past, uint64_t passed)
{
	for (uint32_t i = 0; i < past->count; i++)
		past->at[i] = (struct lag_place){.passed = passed};
}

struct wire_id lag_old(const struct lag_past *past)
{
	return past->timed ? past->at[past->next].head : (struct wire_id){0};
}

uint64_t lag_passed(const struct lag_past *past, struct wire_id id)
{
	const struct lag_place *best = &past->at[past->next];

	for (uint32_t i = 1; i < past->count; i++) {
		const struct lag_place *at = &past->at[(past->next + i) % past->count];

		if (wire_id_compare(at->head, id) > 0)
			break;
		best = at;
	}
	return best->passed;
}

/* --- bytes and time --------------------------------------------------------------------------- */

/* What is asked about a reader. */
struct question {
	bool late; /* may it wait for a post that is not newer than `old`? */
	bool far;  /* may it wait for more than it may in bytes? */
	struct wire_id old;
	uint64_t bytes; /* that it waits for, as far as they were counted */
};

static bool waits_for(const struct reader *r, const struct post *post)
{
	return !post->blanked && reader_match(r, post, NULL) != MATCH_NOT &&
	       !reader_needs_not(r, post, NULL, true);
}

static enum lag_limit look(const struct reader *r, struct question *q)
{
	const struct backlog *backlog = wire_backlog(r->all->wire);

	for (size_t i = backlog_after(backlog, r->cursor); i < backlog_count(backlog); i++) {
		const struct post *post = backlog_at(backlog, i);
		bool is_old = q->late && wire_id_compare(post->id, q->old) <= 0;

		if (!is_old && !q->far)
			break;
		if (!waits_for(r, post))
			continue;
		q->bytes += post->body_len;
		if (is_old)
			return LAG_TOO_LATE;
		if (q->far && q->bytes > r->all->options.lag_bytes)
			return LAG_TOO_FAR;
	}
	return LAG_FINE;
}

/* What need not be asked again so soon. */
static void remember(struct reader *r, const struct question *q)
{
	struct reader_debts *debts = reader_debts_of(r);

	if (debts == NULL)
		return;
	if (q->late)
		debts->lag.clear = q->old;
	if (q->far)
		debts->lag.due = backlog_passed(wire_backlog(r->all->wire)) +
				 r->all->options.lag_bytes - q->bytes;
}

/* Its place is older than the backlog. Where the past is not known for so long, it is behind by what is known of it, and by what
 * the backlog holds. */
static enum lag_limit judge_by_past(const struct reader *r)
{
	const struct lag_past *past = &r->all->past;
	const struct backlog *backlog = wire_backlog(r->all->wire);
	uint64_t most = r->all->options.lag_bytes;

	if (wire_id_compare(r->cursor, lag_old(past)) < 0)
		return LAG_TOO_LATE;
	if (most > 0 && (backlog_passed(backlog) - lag_passed(past, r->cursor) > most ||
			 backlog_passed_after(backlog, r->cursor) > most))
		return LAG_TOO_FAR;
	return LAG_FINE;
}

/* It was not slow: it had to wait. */
static bool is_excused(const struct reader *r)
{
	return r->debts != NULL && wire_id_compare(r->cursor, r->debts->lag.excused) < 0;
}

void lag_excuse(struct reader *r)
{
	struct wire_id head = wire_head(r->all->wire);

	if (wire_id_compare(r->cursor, head) < 0 && reader_debts_of(r) != NULL)
		r->debts->lag.excused = head;
}

enum lag_limit lag_judge(struct reader *r)
{
	const struct backlog *backlog = wire_backlog(r->all->wire);
	uint64_t most = r->all->options.lag_bytes;
	struct question q = {.old = lag_old(&r->all->past)};
	enum lag_limit limit;

	if (!r->was_live || is_excused(r))
		return LAG_FINE;
	if (wire_id_compare(r->cursor, backlog_start(backlog)) < 0)
		return judge_by_past(r);
	q.late = wire_id_compare(r->cursor, q.old) < 0;
	q.far = most > 0 && backlog_passed_after(backlog, r->cursor) > most;
	if (r->debts != NULL) {
		q.late = q.late && wire_id_compare(r->debts->lag.clear, q.old) < 0;
		q.far = q.far && backlog_passed(backlog) >= r->debts->lag.due;
	}
	if (!q.late && !q.far)
		return LAG_FINE;
	if ((limit = look(r, &q)) == LAG_FINE)
		remember(r, &q);
	return limit;
}

void lag_count(enum lag_limit limit)
{
	if (limit == LAG_TOO_LATE)
		COUNT(LAG_TIME);
	else if (limit == LAG_TOO_FAR)
		COUNT(LAG_BYTES);
}
