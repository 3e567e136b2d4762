/* history.c - a channel's last posts, from the backlog. */
#include "centrifuge/history.h"

#include <string.h>
#include "centrifuge/session.h"
#include "wire/backlog.h"

/* Appends the post as a publication of its channel, if it is one. Returns how many it appended. */
static int32_t add_publication(const struct post *post, const char *channel, struct buf *out)
{
	uint32_t at;
	enum post_match match = post_in_channel(post, channel, &at);

	if (match == MATCH_NOT || (match == MATCH_FULL && post->blanked))
		return 0;
	buf_adds(out, out->len > 0 ? ",{\"data\":" : "{\"data\":");
	post_write_message(post, match, out);
	buf_adds(out, ",\"offset\":");
	buf_add_number(out, centrifuge_offset(post->id));
	buf_addc(out, '}');
	return 1;
}

/* The posts that are asked for: from `next`, in steps of 1 or backwards, as long as it is below `end`. (Backwards it ends by
 * going below 0, which is above all.) */
struct walk {
	size_t next, end;
	bool back;
};

static struct walk walk_of(const struct backlog *b, const struct centrifuge_command *c)
{
	struct walk w = {.next = 0, .end = backlog_count(b), .back = c->reverse};
	const struct wire_id since = c->wish.since.id;

	if (c->wish.has_since) {
		w.next = backlog_after(b, since);
		if (w.back && w.next > 0 &&
		    wire_id_compare(backlog_at(b, w.next - 1)->id, since) == 0)
			w.next--; /* what came before it is asked for, without itself */
	}
	if (w.back)
		w.next = (c->wish.has_since ? w.next : w.end) - 1;
	return w;
}

static void gather(const struct backlog *b, const struct centrifuge_command *c, struct buf *out)
{
	int32_t left = c->limit < 0 ? CENTRIFUGE_HISTORY_MAX : c->limit;
	struct walk w = walk_of(b, c);

	for (; w.next < w.end && left > 0; w.next += w.back ? (size_t)-1 : 1) {
		size_t before = out->len;

		left -= add_publication(backlog_at(b, w.next), c->wish.channel, out);
		if (before > 0 && out->len > SESSION_HISTORY_BYTES) {
			out->len = before;
			return;
		}
	}
}

int history_answer(struct wire *wire, const struct reader *reader,
		   const struct centrifuge_command *c, struct buf *says)
{
	struct cursor top = {.id = wire_head(wire)}, since = c->wish.since;
	struct buf publications = {0};

	memcpy(top.epoch, wire_epoch(wire), sizeof top.epoch);
	if (c->wish.has_since) {
		if (c->wish.any_epoch)
			memcpy(since.epoch, top.epoch, sizeof since.epoch);
		switch (reader_judge(reader, &since)) {
		case SINCE_KNOWN:
			break;
		case SINCE_AHEAD:
			return CENTRIFUGE_INTERNAL;
		default:
			return CENTRIFUGE_UNRECOVERABLE;
		}
	}
	gather(wire_backlog(wire), c, &publications);
	centrifuge_say_history(says, c->id, &top, &publications);
	buf_free(&publications);
	return 0;
}
