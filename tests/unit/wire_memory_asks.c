/* Goal: whenever memory is short, whoever asks for what Redis has is answered once: with all of it, or that it cannot be had now. It is never
 * said to be missing, nor told in part. */
#include "cmocka_all.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "failing_malloc.h"
#include "fake_link.h"
#include "wire/audit.h"
#include "wire/canary_note.h"
#include "wire/held.h"
#include "wire/reach.h"
#include "wire/shelf.h"
#include "wire/wire.h"

enum { SAID_SIZE = 1024 };

static uv_loop_t loop;
static struct wire *wire;

/* What was answered. */
static struct {
	unsigned count;
	int answer;
	char text[SAID_SIZE];
} said;

static void say(int answer, const char *text, size_t len)
{
	said.count++;
	said.answer = answer;
	assert_in_range(len, 0, SAID_SIZE - 1);
	if (len > 0)
		memcpy(said.text, text, len);
	said.text[len] = '\0';
}

static void on_event(void *arg)
{
	(void)arg;
}

static void open_wire(void)
{
	static const struct wire_events events = {.tick = on_event, .epoch = on_event};
	static const struct wire_options options = {.prefix = "newswire", .backlog_bytes = 1 << 20};
	struct redis_place place = {.unix_path = (char *)"/nowhere"};

	memset(&said, 0, sizeof said);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_non_null(wire = wire_open(&loop, &place, &options, &events, NULL));
	fake_link_ready(fake_link("wire"));
	while (fake_link_answer(fake_link("wire"), NULL))
		;
}

static void close_wire(void)
{
	wire_close(wire);
	while (uv_run(&loop, UV_RUN_NOWAIT))
		;
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(fake_link_count(), 0);
}

/* --- the questions ---------------------------------------------------------------------------- */

static void on_reach(enum reach_answer answer, const struct buf *body, void *arg)
{
	(void)arg;
	say((int)answer, body->data, body->len);
}

static int ask_reach(void)
{
	return reach_ask(wire, "u", "desk", on_reach, NULL);
}

static void on_audit(enum audit_answer answer, const struct buf *body, void *arg)
{
	(void)arg;
	say((int)answer, body->data, body->len);
}

static int ask_audit(void)
{
	const struct audit_filter filter = {.uri = "u", .who = "desk", .reader = "desk"};
	const struct wire_id before = {9, 0};

	return audit_ask(wire, &filter, 10, &before, on_audit, NULL);
}

static int ask_rejects(void)
{
	const struct audit_filter filter = {.what = "bad_value", .refused = true};

	return audit_ask(wire, &filter, 10, NULL, on_audit, NULL);
}

static void on_held(enum held_answer answer, const struct buf *body, void *arg)
{
	(void)arg;
	say((int)answer, body->data, body->len);
}

static int ask_held(void)
{
	return held_ask(wire, "u", NULL, on_held, NULL);
}

static void on_item(enum shelf_answer answer, const struct buf *body, const char *etag, void *arg)
{
	(void)arg;
	say((int)answer, body->data, body->len);
	snprintf(said.text + body->len, SAID_SIZE - body->len, " %s", etag);
}

static int ask_item(void)
{
	return shelf_item(wire, "u", on_item, NULL);
}

static void on_feed(enum shelf_answer answer, const struct feed *feed, void *arg)
{
	size_t len = 0;

	(void)arg;
	say((int)answer, "", 0);
	for (size_t i = 0; feed && i < feed->count; i++)
		len += (size_t)snprintf(said.text + len, SAID_SIZE - len, "%s in %u, ",
					feed->entries[i].post.uri,
					feed->entries[i].post.channels.count);
	if (feed)
		snprintf(said.text + len, SAID_SIZE - len, "before %s", feed->before);
}

static struct subscription *subscription;

static int ask_feed(void)
{
	return shelf_feed(wire, subscription, 20, 1 << 20, "5.dQ", on_feed, NULL);
}

static int ask_feed_badly(void)
{
	return shelf_feed(wire, subscription, 20, 1 << 20, "nonsense", on_feed, NULL);
}

static void on_canary(struct canary_note_sender *sender, bool published,
		      const struct redis_words *why)
{
	(void)sender;
	assert_null(why);
	say(published ? 1 : 0, "", 0);
}

static int ask_canary(void)
{
	static struct canary_note_sender sender = {.answered = on_canary};

	sender.wire = wire;
	return canary_note_send(&sender, 7);
}

/* Of each: what Redis says, in as many steps as it takes; what that is to those who ask; and with which word they are told that it
 * cannot be had. `shows`: something of the answer. */
static const struct question {
	int (*ask)(void);
	const char *says[2];
	int answer, away;
	const char *shows;
} questions[] = {
	{ask_reach,
	 {"[e1 9-0 usable [[5-0 correct 2 3 1 120 2 2 1] [4-0 publish 1 8 0 90 2 1 0]]]"},
	 REACH_OK,
	 REACH_AWAY,
	 "{\"id\":\"4-0\",\"action\":\"publish\",\"version\":\"1\",\"readers\":8,"},
	{ask_audit,
	 {"[e1 9-0 8-0 [[8-0 1767000000000 desk kill u 2 1 'sport world' 7-0 canceled 2 desk '' '' "
	  "3 1 120 2 2 1]]]",
	  "[e1 9-0 '' [[6-0 1766000000000 desk publish u 1 '' world 5-0 usable 2 desk '' '']]]"},
	 AUDIT_OK,
	 AUDIT_AWAY,
	 "\"what\":\"publish\",\"uri\":\"u\",\"version\":\"1\",\"channels\":[\"world\"]"},
	{ask_rejects,
	 {"[e1 9-0 7-0 [[8-0 desk bad_value No. /uri u 1 world 90]]]",
	  "[e1 9-0 '' [[6-0 redis bad_value No. '' '' '' sport 12]]]"},
	 AUDIT_OK,
	 AUDIT_AWAY,
	 "\"channel\":\"sport\",\"bytes\":12}]}"},
	{ask_held,
	 {"[e1 9-0 2 1767000000000 flash 'sport world' '{\"a\":1}']"},
	 HELD_OK,
	 HELD_AWAY,
	 "\"item\":{\"a\":1}}"},
	{ask_item,
	 {"[e1 9-0 usable 1 publish regular 'sport world' '' '{\"a\":1}']"},
	 SHELF_OK,
	 SHELF_AWAY,
	 "{\"a\":1}"},
	{ask_item,
	 {"[e1 9-0 canceled 2 kill regular world 'It is withdrawn.' ~]"},
	 SHELF_KILLED,
	 SHELF_AWAY,
	 "It is withdrawn."},
	{ask_feed,
	 {"[e1 9-0 3 u2 [[u1 1 publish regular 'sport world' '{\"a\":1}' 1-0 1-0]"
	  " [u2 1 publish flash world '{\"a\":2}' 1-0 2-0]]]"},
	 SHELF_OK,
	 SHELF_AWAY,
	 "u1 in 2, u2 in 1, before 3."},
	{ask_feed_badly, {"PONG"}, SHELF_BAD_BEFORE, SHELF_AWAY, ""},
	{ask_canary, {":1"}, 1, 0, ""},
};

/* --- asking ----------------------------------------------------------------------------------- */

static const struct question *question;
static char whole[SAID_SIZE]; /* what it is where there is memory */

/* Redis answers whatever steps are asked for. */
static void answer(void)
{
	for (size_t i = 0; i < COUNT_OF(question->says) && question->says[i]; i++) {
		redisReply *reply = fake_link_says(question->says[i]);

		fail_begin();
		fake_link_answer(fake_link("wire"), reply);
		fail_end();
		freeReplyObject(reply);
	}
}

static bool ask(void)
{
	int sent;

	open_wire();
	fail_begin();
	sent = question->ask();
	fail_end();
	assert_int_equal(said.count, 0); /* later, or not at all */
	answer();
	assert_int_equal(said.count, sent == 0);
	assert_int_equal(fake_link_owes(fake_link("wire")), 0);
	close_wire();
	if (sent == -1 || said.answer == question->away)
		return false;
	assert_int_equal(said.answer, question->answer);
	if (whole[0] != '\0')
		assert_string_equal(said.text, whole);
	return true;
}

static void who_asks_is_told_all_or_that_it_cannot_be_had(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(questions); i++) {
		question = &questions[i];
		whole[0] = '\0';
		fail_none(ask);
		memcpy(whole, said.text, sizeof whole);
		assert_non_null(strstr(whole, question->shows));
		fail_each(ask);
		fail_each_from(ask);
	}
}

static int open_subscription(void **state)
{
	struct subscription_fault fault;

	(void)state;
	subscription = subscription_read("sport,topic:2*", "flash", "en", "video", &fault);
	assert_non_null(subscription);
	return 0;
}

static int close_subscription(void **state)
{
	(void)state;
	subscription_free(subscription);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asks_is_told_all_or_that_it_cannot_be_had),
	};

	log_open(-1, LOG_KEY_VALUE, LOG_ERROR);
	return cmocka_run_group_tests_name("wire_memory_asks", tests, open_subscription,
					   close_subscription);
}
