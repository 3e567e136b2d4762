/* connection.c - bytes become messages; pings and goodbyes are answered. */
#include "ws/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "ws/frames.h"
#include "ws/inflate.h"

enum { FINAL_CLOSE = 0x88, FINAL_PONG = 0x8a };

/* What is kept while a frame or a message is not whole, or nobody listens. */
struct hearing {
	struct frames frames;
	struct buf message;
	struct buf unread; /* came while it was paused */
};

static struct connection *connection_of(struct line *line)
{
	return CONTAINER_OF(line, struct connection, line);
}

static void forget_message(struct hearing *h)
{
	if (h->message.data != NULL)
		explicit_bzero(h->message.data, h->message.len); /* it may hold a key */
	buf_free(&h->message);
}

static void forget(struct connection *c)
{
	struct hearing *h = c->hearing;

	if (h == NULL)
		return;
	forget_message(h);
	buf_free(&h->unread);
	free(h);
	c->hearing = NULL;
}

static void wrong(struct connection *c, enum close_why why)
{
	c->deafened = true;
	c->events->wrong(c, why);
}

/* --- control frames --------------------------------------------------------------------------- */

static enum line_result say_control(struct connection *c, uint8_t first, const void *payload,
				    size_t len)
{
	uint8_t frame[2 + FRAMES_CONTROL_MAX] = {first, (uint8_t)len};

	memcpy(frame + 2, payload, len);
	return line_write(&c->line, frame, 2 + len);
}

/* The last of a second: then it is one too many. */
static bool is_too_many(struct connection *c)
{
	uint32_t now = (uint32_t)(clock_mono_ms() / 1000);

	if (c->second != now) {
		c->second = now;
		c->pings = 0;
	}
	return ++c->pings > CONNECTION_PINGS_MAX;
}

static void pong(struct connection *c, const struct frames *f)
{
	if (is_too_many(c))
		wrong(c, CLOSE_TOO_MANY);
	else if (line_is_blocked(&c->line) && c->pongs >= CONNECTION_PONGS_MAX)
		wrong(c, CLOSE_TOO_SLOW);
	else if (say_control(c, FINAL_PONG, f->control, f->control_len) == LINE_PARTIAL)
		c->pongs++;
	else
		c->pongs = 0;
}

/* The other side begins the closing handshake: its code comes back. */
static enum line_fate say_goodbye(struct connection *c, const struct frames *f)
{
	c->deafened = true;
	if (line_is_blocked(&c->line))
		return LINE_ENDS;
	(void)say_control(c, FINAL_CLOSE, f->control, f->control_len >= 2 ? 2 : 0);
	return LINE_PARTS;
}

/* --- messages --------------------------------------------------------------------------------- */

static enum close_why gather(struct connection *c, const struct frames_piece *piece)
{
	struct buf *message = &c->hearing->message;
	enum close_why why = CLOSE_NONE;

	if (c->events->grows != NULL)
		why = c->events->grows(c, piece->len);
	if (why == CLOSE_NONE)
		buf_add(message, piece->bytes, piece->len);
	return message->failed ? CLOSE_INTERNAL : why;
}

static enum close_why tell_inflated(struct connection *c)
{
	const struct buf *message = &c->hearing->message;
	static struct buf text;

	switch (inflate_message(message->data, message->len, c->events->max(c), &text)) {
	case INFLATE_DONE:
		c->events->message(c, &text);
		return CLOSE_NONE;
	case INFLATE_TOO_BIG:
		return CLOSE_TOO_BIG;
	case INFLATE_BROKEN:
		return CLOSE_BAD_DEFLATE;
	case INFLATE_NO_MEMORY:
		break;
	}
	return CLOSE_INTERNAL;
}

/* The message is whole. */
static enum close_why tell(struct connection *c)
{
	struct hearing *h = c->hearing;
	enum close_why why = CLOSE_NONE;

	if (h->frames.compressed)
		why = tell_inflated(c);
	else
		c->events->message(c, &h->message);
	forget_message(h);
	return why;
}

static void hear_piece(struct connection *c, const struct frames_piece *piece)
{
	enum close_why why = gather(c, piece);

	if (why == CLOSE_NONE && piece->last)
		why = tell(c);
	if (why != CLOSE_NONE)
		wrong(c, why);
}

/* --- hearing ---------------------------------------------------------------------------------- */

/* Deals with what comes next. LINE_LIVES with *more false: all is read. */
static enum line_fate hear_next(struct connection *c, struct frames_input *in, bool *more)
{
	struct frames *f = &c->hearing->frames;
	struct frames_rules rules = {.max = c->events->max(c), .deflates = c->deflates};
	struct frames_piece piece;

	switch (frames_read(f, in, &rules, &piece)) {
	case FRAMES_MORE:
		*more = false;
		break;
	case FRAMES_PIECE:
		hear_piece(c, &piece);
		break;
	case FRAMES_PING:
		pong(c, f);
		break;
	case FRAMES_PONG:
		break;
	case FRAMES_CLOSE:
		return say_goodbye(c, f);
	case FRAMES_WRONG:
		wrong(c, f->why);
		break;
	}
	return LINE_LIVES;
}

static enum line_fate hear(struct connection *c, struct frames_input *in)
{
	enum line_fate fate = LINE_LIVES;
	bool more = true;

	while (fate == LINE_LIVES && more && !c->deafened && !c->paused)
		fate = hear_next(c, in, &more);
	return fate;
}

/* Bytes came, behind those that were read when nobody listened. */
static enum line_fate hear_all(struct connection *c, char *bytes, size_t len)
{
	struct hearing *h = c->hearing;
	struct frames_input in = {bytes, len};
	struct buf before = h->unread;
	enum line_fate fate;

	if (before.len > 0) {
		buf_add(&before, bytes, len);
		in = (struct frames_input){before.data, before.len};
		h->unread = (struct buf){.failed = before.failed};
	}
	fate = hear(c, &in);
	if (fate == LINE_LIVES && c->paused)
		buf_add(&h->unread, in.at, in.len);
	if (h->unread.failed && !c->deafened)
		wrong(c, CLOSE_INTERNAL);
	if (before.len > 0)
		buf_free(&before);
	if (frames_is_between(&h->frames) && h->unread.len == 0)
		forget(c);
	return fate;
}

static enum line_fate on_bytes(struct line *line, char *bytes, size_t len)
{
	struct connection *c = connection_of(line);

	if (c->deafened)
		return LINE_LIVES;
	if (c->hearing == NULL && (c->hearing = calloc(1, sizeof *c->hearing)) == NULL) {
		wrong(c, CLOSE_INTERNAL);
		return LINE_LIVES;
	}
	return hear_all(c, bytes, len);
}

static enum line_fate on_room(struct line *line)
{
	struct connection *c = connection_of(line);
	enum line_fate fate = LINE_LIVES;
	char nothing[1];

	c->pongs = 0;
	if (c->hearing != NULL && c->hearing->unread.len > 0 && !c->paused && !c->deafened)
		fate = hear_all(c, nothing, 0);
	if (fate == LINE_LIVES)
		c->events->room(c);
	return fate;
}

/* --- its beginning and its end ---------------------------------------------------------------- */

static void on_ended(struct line *line)
{
	struct connection *c = connection_of(line);

	forget(c);
	c->events->closed(c);
}

int connection_watch(struct connection *c)
{
	static const struct line_events events = {on_bytes, on_room, on_ended};

	c->line.events = &events;
	if (line_watch(&c->line) == 0)
		return 0;
	line_drop(&c->line);
	return -1;
}

void connection_pause(struct connection *c, bool paused)
{
	c->paused = paused;
	line_set_deaf(&c->line, paused);
	if (!paused && c->hearing != NULL && c->hearing->unread.len > 0)
		line_want_room(&c->line); /* it is a turn of its own */
}

void connection_close(struct connection *c, int code, const char *reason)
{
	char payload[FRAMES_CONTROL_MAX + 1] = {(char)(code >> 8), (char)code};
	int len = snprintf(payload + 2, sizeof payload - 2, "%s", reason);
	bool blocked = line_is_blocked(&c->line);

	MUST(len >= 0 && len <= FRAMES_CONTROL_MAX - 2);
	if (!blocked)
		blocked = say_control(c, FINAL_CLOSE, payload, (size_t)len + 2) != LINE_SENT;
	line_end(&c->line, blocked ? LINE_ENDS : LINE_PARTS);
}
