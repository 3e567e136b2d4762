/* Goal: a connection hears whole messages, once, in order, also if nobody listened meanwhile; it answers pings within bounds, and
 * each way to end it ends with the right last word. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ws/connection.h"

enum { TEXT = 0x81, PING = 0x89, CLOSING = 0x88, PONG = 0x8a };

struct stage {
	uv_loop_t loop;
	struct lines *lines;
	struct connection c;
	int far;
	struct buf said; /* every message, and a bar */
	bool takes_memory, pauses;
	enum close_why refuses, why;
	size_t grown;
	unsigned rooms, closed;
};

static struct stage *now;

static size_t max_message(const struct connection *c)
{
	(void)c;
	return 1000;
}

static enum close_why grows(struct connection *c, size_t more)
{
	(void)c;
	now->grown += more;
	return now->refuses;
}

static void message(struct connection *c, struct buf *text)
{
	buf_add(&now->said, text->data, text->len);
	buf_addc(&now->said, '|');
	if (now->takes_memory) {
		buf_free(text);
		*text = (struct buf){0};
	}
	if (now->pauses)
		connection_pause(c, true);
}

static void wrong(struct connection *c, enum close_why why)
{
	(void)c;
	assert_int_equal(now->why, CLOSE_NONE); /* it is told once */
	now->why = why;
}

static void room(struct connection *c)
{
	(void)c;
	now->rooms++;
}

static void closed(struct connection *c)
{
	assert_ptr_equal(c, &now->c);
	now->closed++;
}

static void freed(void *arg)
{
	(void)arg;
}

static int set_up(void **state)
{
	static const struct connection_events events = {max_message, grows, message,
							wrong,	     room,  closed};
	struct stage *s = calloc(1, sizeof *s);
	int fds[2];

	assert_non_null(s);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	assert_int_equal(uv_loop_init(&s->loop), 0);
	assert_non_null(s->lines = lines_new(&s->loop, freed, s));
	s->c = (struct connection){.line = {.fd = fds[0], .all = s->lines}, .events = &events};
	s->far = fds[1];
	now = s;
	assert_int_equal(connection_watch(&s->c), 0);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	lines_close(s->lines);
	assert_int_equal(s->closed, 1);
	lines_free(s->lines);
	uv_run(&s->loop, UV_RUN_NOWAIT);
	uv_run(&s->loop, UV_RUN_NOWAIT);
	assert_int_equal(uv_loop_close(&s->loop), 0);
	close(s->far);
	buf_free(&s->said);
	free(s);
	return 0;
}

static void turn(struct stage *s)
{
	for (int i = 0; i < 3; i++)
		uv_run(&s->loop, UV_RUN_NOWAIT);
}

/* A short frame, whose mask changes nothing. */
static void sends(struct stage *s, int first, const char *payload)
{
	uint8_t frame[6 + 125] = {(uint8_t)first, (uint8_t)(0x80 | strlen(payload))};

	memcpy(frame + 6, payload, strlen(payload));
	assert_int_equal(send(s->far, frame, 6 + strlen(payload), MSG_DONTWAIT | MSG_NOSIGNAL),
			 (ssize_t)(6 + strlen(payload)));
}

static void has_said(struct stage *s, const char *expected)
{
	buf_addc(&s->said, '\0');
	assert_string_equal(s->said.data, expected);
	s->said.len--;
}

/* The next frame that came is this one. */
static void gets(struct stage *s, int first, const char *payload, size_t len)
{
	uint8_t frame[2 + 125];

	assert_int_equal(read(s->far, frame, 2), 2);
	assert_int_equal(frame[0], first);
	assert_int_equal(frame[1], len);
	assert_int_equal(read(s->far, frame, len == 0 ? 1 : len), len == 0 ? -1 : (ssize_t)len);
	assert_memory_equal(frame, payload, len);
}

static void messages_come_once_and_in_order(void **state)
{
	struct stage *s = *state;

	sends(s, TEXT, "one");
	sends(s, 0x01, "t");
	turn(s);
	has_said(s, "one|");
	sends(s, 0x80, "wo");
	sends(s, TEXT, "");
	s->takes_memory = true;
	sends(s, TEXT, "three");
	turn(s);
	has_said(s, "one|two||three|");
	assert_int_equal(s->grown, 11);
	assert_null(s->c.hearing); /* between two messages nothing is kept */
}

static void whoever_pauses_hears_the_rest_later(void **state)
{
	struct stage *s = *state;

	s->pauses = true;
	for (const char *text = "abcde"; *text != '\0'; text++)
		sends(s, TEXT, (char[]){*text, '\0'});
	turn(s);
	has_said(s, "a|");
	sends(s, TEXT, "late"); /* stays in the socket */
	turn(s);
	has_said(s, "a|");
	connection_pause(&s->c, false);
	turn(s);
	has_said(s, "a|b|");
	s->pauses = false;
	connection_pause(&s->c, false);
	turn(s);
	has_said(s, "a|b|c|d|e|late|");
	assert_null(s->c.hearing);
}

static void a_message_that_may_not_grow_is_wrong_and_nothing_is_heard_after_it(void **state)
{
	struct stage *s = *state;

	s->refuses = CLOSE_FULL;
	sends(s, TEXT, "x");
	sends(s, TEXT, "y");
	turn(s);
	sends(s, TEXT, "z");
	turn(s);
	assert_int_equal(s->why, CLOSE_FULL);
	assert_int_equal(s->grown, 1);
	assert_int_equal(s->said.len, 0);
	connection_close(&s->c, 1013, "full");
	gets(s, CLOSING,
	     "\x03\xf5"
	     "full",
	     6);
	assert_int_equal(s->closed, 1);
}

static void a_ping_is_answered_and_too_many_are_not(void **state)
{
	struct stage *s = *state;

	sends(s, PING, "one");
	sends(s, 0x8a, "a pong that nobody asked for");
	sends(s, PING, "two");
	turn(s);
	gets(s, PONG, "one", 3);
	gets(s, PONG, "two", 3);
	for (int i = 0; i < 2 * CONNECTION_PINGS_MAX + 1; i++) /* in two seconds at most */
		sends(s, PING, "");
	turn(s);
	assert_int_equal(s->why, CLOSE_TOO_MANY);
}

static void pongs_that_cannot_leave_are_bounded(void **state)
{
	struct stage *s = *state;
	static const uint8_t block[4096];

	while (line_write(&s->c.line, block, sizeof block) == LINE_SENT)
		;
	for (int i = 0; i <= CONNECTION_PONGS_MAX; i++)
		sends(s, PING, "x");
	turn(s);
	assert_int_equal(s->why, CLOSE_TOO_SLOW);
	connection_close(&s->c, 4008, "too_slow"); /* which cannot be said */
	assert_int_equal(s->closed, 1);
}

static void a_goodbye_is_answered_with_its_code(void **state)
{
	struct stage *s = *state;

	sends(s, CLOSING,
	      "\x0b\xb8"
	      "that was it");
	sends(s, TEXT, "and another thing");
	turn(s);
	gets(s, CLOSING, "\x0b\xb8", 2);
	assert_int_equal(s->closed, 1);
	assert_int_equal(s->why, CLOSE_NONE);
	assert_int_equal(s->said.len, 0);
}

static void what_is_not_a_frame_is_wrong(void **state)
{
	struct stage *s = *state;

	assert_int_equal(write(s->far, "\x81\x01x", 3), 3);
	turn(s);
	assert_int_equal(s->why, CLOSE_PROTOCOL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		IN_STAGE(messages_come_once_and_in_order),
		IN_STAGE(whoever_pauses_hears_the_rest_later),
		IN_STAGE(a_message_that_may_not_grow_is_wrong_and_nothing_is_heard_after_it),
		IN_STAGE(a_ping_is_answered_and_too_many_are_not),
		IN_STAGE(pongs_that_cannot_leave_are_bounded),
		IN_STAGE(a_goodbye_is_answered_with_its_code),
		IN_STAGE(what_is_not_a_frame_is_wrong),
#undef IN_STAGE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
