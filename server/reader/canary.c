/* canary.c - a message to oneself: sent, followed from station to station, read. */
#include "reader/canary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <newswire/protocol.h>
#include "base/backoff.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "wire/canary_note.h"
#include "wire/redis_words.h"

/* How far a canary came. */
enum station {
	STATION_NONE,  /* it was not sent: there is no stream to read it from */
	STATION_ASKED, /* Redis was asked to take it, or is away */
	STATION_TAKEN, /* Redis has published it */
	STATION_HEARD, /* it came on `out` */
	STATION_READ,  /* it came out of the socket; or none is on its way */
};

/* The end of a stream of events at which the worker reads. It goes when its handle has closed. */
struct ear {
	uv_poll_t poll;
	int fd;
	struct canary *of;
	bool open; /* `hello` came */
	size_t len;
	char line[1024]; /* the beginning of one: of what is longer nothing is needed */
};

/* Always true: silent => nothing has come back for CANARY_PATIENCE intervals. */
struct canary {
	uv_timer_t turn;
	struct canary_note_sender sender;
	uint64_t interval_ms; /* 0: there are none */
	canary_enter *enter;
	void *arg;
	struct ear *ear;      /* NULL: there is no stream */
	enum station station; /* of the last that was sent */
	enum station lost_at; /* of the last that did not come back in time */
	uint64_t number;      /* of the last that was sent: when that was (now_us()) */
	uint64_t back_ms;     /* clock_mono_ms(): when one came back last, or the first was due */
	unsigned unanswered;  /* questions to Redis */
	const struct redis_words *words; /* why Redis refused the last; NULL: it did not say */
	bool silent;
};

static uint64_t now_us(void)
{
	return clock_mono_ns() / 1000;
}

/* --- saying ----------------------------------------------------------------------------------- */

static const char *words_of(enum station station)
{
	static const char *const words[] = {
		[STATION_NONE] = "the server's own stream could not be opened (is this worker "
				 "short of files or memory?)",
		[STATION_ASKED] = "Redis did not take it",
		[STATION_TAKEN] = "Redis took it, and it was not heard (may the user of --redis "
				  "SUBSCRIBE to `out`?)",
		[STATION_HEARD] = "it was heard, and did not come out of its reader's socket (is "
				  "this worker too busy?)",
		[STATION_READ] = "",
	};

	return words[station];
}

enum canary_news canary_explain(const struct canary *c, char *to, size_t size)
{
	char why[160];

	if (c == NULL || !c->silent)
		return CANARY_FLOWS;
	snprintf(why, sizeof why, "%s", words_of(c->lost_at));
	if (c->lost_at == STATION_ASKED && c->words != NULL)
		redis_words_write(c->words, why, sizeof why);
	snprintf(to, size,
		 "news does not flow: what this worker sends itself has not come back for %llu s: "
		 "%s",
		 (unsigned long long)((clock_mono_ms() - c->back_ms) / 1000), why);
	return c->lost_at == STATION_ASKED || c->lost_at == STATION_TAKEN ? CANARY_HELD_UP
									  : CANARY_BROKEN;
}

static void set_silent(struct canary *c, bool silent)
{
	if (c->silent == silent)
		return;
	c->silent = silent;
	if (silent)
		log_warn("canary_silent", LOG_S("why", words_of(c->lost_at)));
	else
		log_info("canary_back", LOG_I("silent_ms", clock_mono_ms() - c->back_ms));
}

/* --- reading ---------------------------------------------------------------------------------- */

static void send_next(struct canary *c);

static void read_canary(struct canary *c, uint64_t number)
{
	uint64_t now = now_us();

	if (number > now)
		return; /* none of ours */
	OBSERVE_US(CANARY, now - number);
	set_silent(c, false);
	c->back_ms = clock_mono_ms();
	if (number == c->number)
		c->station = STATION_READ;
	LEAST_SET(CANARY_UP, 1);
}

static void read_line(struct ear *ear)
{
	static const char data[] = "data: ", hello[] = "event: " NEWSWIRE_TYPE_HELLO;
	uint64_t number;

	if (!ear->open && ear->len >= sizeof hello - 1 &&
	    memcmp(ear->line, hello, sizeof hello - 1) == 0) {
		ear->open = true;
		send_next(ear->of);
	}
	if (ear->len < sizeof data - 1 || memcmp(ear->line, data, sizeof data - 1) != 0)
		return;
	if ((number = canary_note_number(ear->line, ear->len)) > 0)
		read_canary(ear->of, number);
}

static void on_ear_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void close_ear(struct canary *c)
{
	struct ear *ear = c->ear;

	if (ear == NULL)
		return;
	c->ear = NULL;
	uv_poll_stop(&ear->poll);
	close(ear->fd);
	uv_close((uv_handle_t *)&ear->poll, on_ear_closed);
}

static void take_bytes(struct ear *ear, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			read_line(ear);
			ear->len = 0;
		} else if (ear->len < sizeof ear->line) {
			ear->line[ear->len++] = bytes[i];
		}
	}
}

static void on_bytes(uv_poll_t *poll, int status, int events)
{
	struct ear *ear = poll->data;
	char bytes[4096];
	ssize_t len = status < 0 ? 0 : recv(ear->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	(void)events;
	if (len > 0)
		take_bytes(ear, bytes, (size_t)len);
	else if (len == 0 || (errno != EAGAIN && errno != EINTR))
		close_ear(ear->of); /* the next turn opens another */
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Takes the descriptor over, also on failure. */
static struct ear *ear_new(struct canary *c, int fd)
{
	struct ear *ear = calloc(1, sizeof *ear);

	if (ear == NULL || uv_poll_init(c->turn.loop, &ear->poll, fd) != 0) {
		free(ear);
		close(fd);
		return NULL;
	}
	ear->fd = fd;
	ear->of = c;
	ear->poll.data = ear;
	uv_poll_start(&ear->poll, UV_READABLE, on_bytes);
	return ear;
}

static void open_ear(struct canary *c)
{
	static const char request[] = "GET " NEWSWIRE_PATH_STREAM " HTTP/1.1\r\nhost: canary\r\n"
				      "accept: text/event-stream\r\n\r\n";
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
		return;
	if (c->enter(c->arg, ends[1]) != 0) {
		close(ends[0]);
		return;
	}
	c->ear = ear_new(c, ends[0]);
	if (c->ear != NULL &&
	    send(c->ear->fd, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1)
		close_ear(c);
}

/* --- sending ---------------------------------------------------------------------------------- */

static void answered(struct canary_note_sender *sender, bool published,
		     const struct redis_words *why)
{
	struct canary *c = CONTAINER_OF(sender, struct canary, sender);

	c->unanswered--;
	c->words = why;
	if (published && c->unanswered == 0 && c->station == STATION_ASKED)
		c->station = STATION_TAKEN;
}

static void send_next(struct canary *c)
{
	c->number = now_us();
	c->station = STATION_ASKED;
	c->unanswered++;
	if (canary_note_send(&c->sender, c->number) != 0)
		c->unanswered--;
}

struct subscription *canary_subscription(const struct canary *c)
{
	char channel[CANARY_NOTE_CHANNEL_MAX];
	struct channel_set channels = {0};
	struct subscription *s;

	canary_note_channel(wire_name(c->sender.wire), channel);
	if (channel_set_read(&channels, channel, strlen(channel), ' ') != 0)
		return NULL;
	if ((s = subscription_of_channels(&channels)) != NULL)
		s->canary = true;
	return s;
}

void canary_heard(struct canary *c, const struct post *post)
{
	if (canary_note_number(post->body, post->body_len) == c->number &&
	    c->station < STATION_HEARD)
		c->station = STATION_HEARD;
}

/* The next is due: where is the last? */
static void look_after_last(struct canary *c)
{
	if (c->station == STATION_READ)
		return;
	COUNT(CANARY_FAILURES);
	c->lost_at = c->station;
	if (clock_mono_ms() - c->back_ms < CANARY_PATIENCE * c->interval_ms)
		return;
	set_silent(c, true);
	LEAST_SET(CANARY_UP, 0);
}

static void on_turn(uv_timer_t *timer)
{
	struct canary *c = timer->data;

	if (!wire_has_epoch(c->sender.wire))
		return; /* readers are not let in yet */
	if (c->back_ms == 0)
		c->back_ms = clock_mono_ms();
	else
		look_after_last(c);
	c->station = STATION_NONE;
	if (c->ear == NULL)
		open_ear(c);
	else if (c->ear->open)
		send_next(c);
	else
		close_ear(c); /* a whole interval was not enough for `hello` */
}

/* --- its life --------------------------------------------------------------------------------- */

struct canary *canary_open(uv_loop_t *loop, struct wire *wire, uint64_t interval_ms,
			   canary_enter *enter, void *arg)
{
	struct canary *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->sender = (struct canary_note_sender){wire, answered};
	c->interval_ms =
		interval_ms > 0 && interval_ms < CANARY_LEAST_MS ? CANARY_LEAST_MS : interval_ms;
	c->enter = enter;
	c->arg = arg;
	c->station = STATION_READ;
	uv_timer_init(loop, &c->turn);
	c->turn.data = c;
	return c;
}

/* Workers that began together do not go on together. */
void canary_begin(struct canary *c)
{
	if (c->interval_ms > 0)
		uv_timer_start(&c->turn, on_turn, 1 + backoff_random((uint32_t)c->interval_ms),
			       c->interval_ms);
}

void canary_stop(struct canary *c)
{
	if (c == NULL)
		return;
	uv_timer_stop(&c->turn);
	close_ear(c);
	c->silent = false;
	LEAST_UNSET(CANARY_UP);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void canary_close(struct canary *c)
{
	if (c == NULL)
		return;
	canary_stop(c);
	uv_close((uv_handle_t *)&c->turn, on_closed);
}
