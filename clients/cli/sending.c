/* sending.c - sends, waits and sends again. */
#include "sending.h"

#include "result.h"
#include "show.h"

#include <errno.h>

enum { FIRST_WAIT_MS = 100, MOST_WAIT_MS = 2000 };

static void send_once(struct sending *s);

static void on_timer(uv_timer_t *timer)
{
	send_once(timer->data);
}

/* Tries again soon if there is time. Returns whether it will. */
static bool try_later(struct sending *s, const struct newswire_receipt *receipt)
{
	if (!result_is_temporary(receipt->status) ||
	    uv_now(s->timer.loop) + s->wait_ms > s->deadline)
		return false;
	if (s->wait_ms == FIRST_WAIT_MS) {
		if (s->waits)
			s->waits(s->data);
		fputs("newswire: ", stderr);
		show_text(stderr, receipt->problem, 400);
		fputs("; trying again\n", stderr);
	}
	uv_timer_start(&s->timer, on_timer, s->wait_ms, 0);
	s->wait_ms = s->wait_ms * 2 < MOST_WAIT_MS ? s->wait_ms * 2 : MOST_WAIT_MS;
	return true;
}

static void on_receipt(void *data, const struct newswire_receipt *receipt)
{
	struct sending *s = data;

	if (!try_later(s, receipt))
		s->done(s->data, receipt);
}

static void send_once(struct sending *s)
{
	const char *key = s->desk->key[0] ? s->desk->key : NULL;

	if (newswire_publish_http(s->client, s->desk->url, key, s->channels, s->text, s->len,
				  on_receipt, s) == 0)
		return;
	if (errno == EINVAL)
		command_say("an address, a channel or a key that cannot be used");
	else
		command_say("out of memory");
	s->failed(s->data, errno == EINVAL ? CLI_USAGE : CLI_FAILED);
}

void sending_open(struct sending *s, uv_loop_t *loop)
{
	uv_timer_init(loop, &s->timer);
	s->timer.data = s;
}

void sending_close(struct sending *s)
{
	uv_close((uv_handle_t *)&s->timer, NULL);
}

void sending_begin(struct sending *s, const char *const *channels, const char *text, size_t len)
{
	s->channels = channels;
	s->text = text;
	s->len = len;
	uv_update_time(s->timer.loop);
	s->deadline = uv_now(s->timer.loop) + s->settings->patience * 1000;
	s->wait_ms = FIRST_WAIT_MS;
	uv_timer_start(&s->timer, on_timer, 0, 0);
}
