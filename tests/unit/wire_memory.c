/* Goal: whenever memory is short, the wire loses nothing in silence: each post is told once and in order as soon as there is memory
 * again, or history begins anew, which readers are told. */
#include "cmocka_all.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "failing_malloc.h"
#include "fake_link.h"
#include "heard_log.h"
#include "wire/backlog.h"
#include "wire/history.h"
#include "wire/wire.h"

enum { POSTS = 4 };

static uv_loop_t loop;
static struct wire *wire;
static unsigned head; /* Redis has 1-0 … head-0 */
static unsigned told, epochs, canaries;

/* What Redis has --------------------------------------------------------------------------------- */

static void add(struct buf *b, const char *text)
{
	buf_addf(b, "$%zu\r\n%s\r\n", strlen(text), text);
}

static void add_id(struct buf *b, unsigned n)
{
	char id[16];

	snprintf(id, sizeof id, "%u-0", n);
	add(b, id);
}

/* The last one is a kill of the first. */
static const char *meta_of(unsigned n, char *out, size_t size)
{
	bool kill = n == POSTS;

	snprintf(out, size,
		 "{\"action\":\"%s\",\"uri\":\"u%u\",\"version\":\"%u\",\"class\":\"flash\","
		 "\"channels\":\"a world\",\"was\":\"%s\",\"notice\":\"n\"}",
		 kill ? "kill" : "publish", kill ? 1 : n, n, kill ? "a world" : "");
	return out;
}

static void add_entry(struct buf *b, unsigned n)
{
	char meta[300];

	buf_adds(b, "*4\r\n");
	add_id(b, n);
	add_id(b, n - 1);
	add(b, meta_of(n, meta, sizeof meta));
	if (n == POSTS)
		buf_adds(b, "$-1\r\n");
	else
		add(b, "{\"text\":\"secret\"}");
}

/* {epoch, head, floor …} and what else the question is about. */
static redisReply *answer_to(const char *question, const char *argument)
{
	bool attach = strstr(question, "attach.lua - ") != NULL;
	bool recent = strstr(question, "recent.lua - ") != NULL;
	bool read = strstr(question, "read.lua - ") != NULL;
	unsigned after = (unsigned)atoi(argument);
	struct buf b = {0};
	redisReply *reply;

	if (strstr(question, "MGET")) {
		buf_adds(&b, "*2\r\n");
		add(&b, "e1");
		add_id(&b, head);
	} else if (attach || recent || read) {
		buf_addf(&b, "*%d\r\n", attach ? 3 : recent ? 4 : 5);
		add(&b, "e1");
		add_id(&b, head);
		add_id(&b, 0);
		if (recent)
			add_id(&b, 0);
		if (read) {
			buf_addf(&b, ":1\r\n*%u\r\n", head - after);
			while (after < head)
				add_entry(&b, ++after);
		}
	} else {
		buf_adds(&b, "-ERR not here\r\n");
	}
	reply = fake_link_reply(b.data, b.len);
	buf_free(&b);
	return reply;
}

static void answer_one(void)
{
	struct link *link = fake_link("wire");
	redisReply *reply = answer_to(fake_link_question(link), fake_link_word(link, 1));

	fake_link_answer(link, reply);
	freeReplyObject(reply);
}

static void answer_all(bool short_of_memory)
{
	struct link *link = fake_link("wire");
	const char *question;

	while ((question = fake_link_question(link)) != NULL) {
		redisReply *reply = answer_to(question, fake_link_word(link, 1));

		if (short_of_memory)
			fail_begin();
		fake_link_answer(link, reply);
		fail_end();
		freeReplyObject(reply);
	}
}

static void say_text(struct buf *text, bool short_of_memory)
{
	struct buf b = {0};
	redisReply *reply;

	buf_addf(&b, "*3\r\n$7\r\nmessage\r\n$12\r\nnewswire:out\r\n$%zu\r\n", text->len);
	buf_add(&b, text->data, text->len);
	buf_adds(&b, "\r\n");
	reply = fake_link_reply(b.data, b.len);
	buf_free(text);
	buf_free(&b);
	if (short_of_memory)
		fail_begin();
	fake_link_message(fake_link("out"), reply);
	fake_link_batch(fake_link("out"));
	fail_end();
	freeReplyObject(reply);
}

/* A message on `out`. */
static void say(unsigned n, bool short_of_memory)
{
	char meta[300];
	struct buf text = {0};

	head = n;
	buf_addf(&text, "1 e1 %u-0 %u-0\n%s\n%s", n, n - 1, meta_of(n, meta, sizeof meta),
		 n == POSTS ? "" : "{\"text\":\"secret\"}");
	say_text(&text, short_of_memory);
}

/* The worker's own canary. */
static void sing(bool short_of_memory)
{
	struct buf text = {0};

	buf_addf(&text,
		 "1 e1 0-0 0-0\n{\"action\":\"publish\",\"uri\":\"u\",\"version\":\"1\","
		 "\"class\":\"regular\",\"channels\":\"canary:%s\"}\n{\"canary\":7}",
		 wire_name(wire));
	say_text(&text, short_of_memory);
}

/* Redis acknowledges, if it was asked. */
static void subscribed(bool short_of_memory)
{
	redisReply *reply = fake_link_says("[subscribe newswire:out :1]");

	if (short_of_memory)
		fail_begin();
	fake_link_message(fake_link("out"), reply);
	fail_end();
	freeReplyObject(reply);
}

/* Seconds pass, and there is memory. */
static void recover(void)
{
	for (int i = 0; i < 4; i++) {
		fake_link_time(&loop);
		subscribed(false);
		answer_all(false);
	}
}

/* The wire --------------------------------------------------------------------------------------- */

static void on_post(void *arg, struct post *post)
{
	(void)arg;
	assert_int_equal(post->id.ms, told + 1);
	told++;
}

static void on_epoch(void *arg)
{
	(void)arg;
	epochs++;
	told = (unsigned)wire_head(wire).ms;
}

static void on_tick(void *arg)
{
	(void)arg;
}

static void on_confirmed(void *arg, struct wire_id at)
{
	(void)arg;
	(void)at;
}

static void on_canary(void *arg, struct post *post)
{
	(void)arg;
	assert_int_equal(post->id.ms, told);
	canaries++;
}

static void on_withdrawn(void *arg, const struct post *withdrawal)
{
	(void)arg;
	assert_true(post_is_withdrawal(withdrawal));
}

static void open_wire(void)
{
	static const struct wire_events events = {on_post,	on_epoch,  on_tick,
						  on_confirmed, on_canary, on_withdrawn};
	static const struct wire_options options = {.prefix = "newswire",
						    .backlog_bytes = 1 << 20,
						    .retention_ms = 1000,
						    .max_entries = 1000,
						    .vacate_ms = 1000};
	struct redis_place place = {.unix_path = (char *)"/nowhere"};

	head = told = epochs = canaries = 0;
	wire = wire_open(&loop, &place, &options, &events, NULL);
}

static void follow(bool short_of_memory)
{
	if (short_of_memory)
		fail_begin();
	fake_link_ready(fake_link("out"));
	fake_link_ready(fake_link("wire"));
	fail_end();
	assert_int_equal(heard_log_take("event=no_memory for=subscribing"),
			 !fake_link_hears(fake_link("out")));
	subscribed(short_of_memory);
	answer_all(short_of_memory);
}

static void close_all(void)
{
	wire_close(wire);
	while (uv_run(&loop, UV_RUN_NOWAIT))
		;
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(fake_link_count(), 0);
}

static bool open_and_close(void)
{
	bool done;

	assert_int_equal(uv_loop_init(&loop), 0);
	fail_begin();
	open_wire();
	fail_end();
	done = wire != NULL;
	close_all();
	return done;
}

static void a_wire_is_opened_or_is_not(void **state)
{
	(void)state;
	fail_each(open_and_close);
	fail_each_from(open_and_close);
}

static void must_have_all(void)
{
	const struct backlog *b = wire_backlog(wire);

	assert_true(wire_is_following(wire));
	assert_int_equal(told, head);
	assert_int_equal(wire_head(wire).ms, head);
	for (size_t i = 0; head == POSTS && i < backlog_count(b); i++)
		assert_true(strcmp(backlog_at(b, i)->uri, "u1") != 0 || backlog_at(b, i)->blanked ||
			    backlog_at(b, i)->action == POST_KILL);
}

/* As it comes, one by one; the last is a kill. */
static bool hear(void)
{
	unsigned at_first;

	assert_int_equal(uv_loop_init(&loop), 0);
	open_wire();
	assert_non_null(wire);
	follow(false);
	recover();
	at_first = epochs;
	for (unsigned n = 1; n <= POSTS; n++)
		say(n, true);
	answer_all(true);
	recover();
	must_have_all();
	assert_int_equal(epochs, at_first);
	close_all();
	return true;
}

/* Not of memory, but who else could time it: `out` goes and comes while attach.lua is on its way. */
static const char *next_script(void)
{
	struct link *link = fake_link("wire");
	const char *question;

	while ((question = fake_link_question(link)) && !strstr(question, ".lua - "))
		answer_one();
	return question;
}

static void who_was_deaf_while_it_attached_attaches_again(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	open_wire();
	assert_non_null(wire);
	fake_link_ready(fake_link("out"));
	fake_link_ready(fake_link("wire"));
	subscribed(false);
	assert_non_null(strstr(next_script(), "attach.lua - "));
	fake_link_lost(fake_link("out"));
	fake_link_ready(fake_link("out"));
	subscribed(false);
	answer_one();
	assert_non_null(strstr(next_script(), "attach.lua - "));
	recover();
	must_have_all();
	close_all();
}

/* One that is not heard is one that does not come back; the next one does. */
static bool hear_canary(void)
{
	assert_int_equal(uv_loop_init(&loop), 0);
	open_wire();
	assert_non_null(wire);
	follow(false);
	recover();
	say(1, false);
	sing(true);
	assert_in_range(canaries, 0, 1);
	canaries = 0;
	sing(false);
	say(2, false);
	recover();
	assert_int_equal(canaries, 1);
	must_have_all();
	close_all();
	return true;
}

static void a_canary_is_heard_or_is_not(void **state)
{
	(void)state;
	fail_each(hear_canary);
	fail_each_from(hear_canary);
}

static void what_is_heard_is_told_now_or_a_little_later(void **state)
{
	(void)state;
	fail_each(hear);
	fail_each_from(hear);
}

/* As it is read after a loss. */
static bool fill(void)
{
	assert_int_equal(uv_loop_init(&loop), 0);
	open_wire();
	assert_non_null(wire);
	follow(false);
	say(1, false);
	recover();
	fake_link_lost(fake_link("wire"));
	fake_link_lost(fake_link("out"));
	head = POSTS;
	follow(true);
	recover();
	must_have_all();
	assert_int_equal(epochs, 1);
	close_all();
	return true;
}

static void what_was_missed_is_read_now_or_a_little_later(void **state)
{
	(void)state;
	fail_each(fill);
	fail_each_from(fill);
}

/* Memory is short in one second; in it the last message was lost, which shows in the next. */
static bool pass_a_second(void)
{
	assert_int_equal(uv_loop_init(&loop), 0);
	open_wire();
	assert_non_null(wire);
	follow(false);
	recover();
	say(1, false);
	head = 2;
	fail_begin();
	fake_link_time(&loop);
	fail_end();
	answer_all(true);
	recover();
	must_have_all();
	assert_int_equal(epochs, 1);
	close_all();
	return true;
}

static void what_was_lost_in_a_short_second_shows_in_the_next(void **state)
{
	(void)state;
	fail_each(pass_a_second);
	fail_each_from(pass_a_second);
}

/* Older news for one who was away --------------------------------------------------------------- */

static unsigned read_up_to, answers;

static void on_page(enum history_answer answer, struct history_page *page, void *arg)
{
	(void)arg;
	answers++;
	assert_int_not_equal(answer, HISTORY_GONE);
	for (size_t i = 0; page != NULL && i < page->count; i++)
		assert_int_equal(page->posts[i]->id.ms, ++read_up_to);
	if (page != NULL)
		assert_int_equal(page->to.ms, read_up_to);
}

static bool read_history(void)
{
	struct history *history;
	bool asked = false;

	assert_int_equal(uv_loop_init(&loop), 0);
	open_wire();
	assert_non_null(wire);
	head = POSTS;
	follow(false);
	recover();
	fail_begin();
	history = history_new(wire);
	fail_end();
	if (history == NULL) {
		close_all();
		return false;
	}
	read_up_to = answers = 0;
	for (int i = 0; i < 5 && read_up_to < POSTS; i++) {
		unsigned before = answers;

		if (i == 0)
			fail_begin();
		asked = history_ask(history, (struct wire_id){read_up_to, 0}, on_page, NULL) == 0;
		fail_end();
		answer_all(i == 0);
		for (int k = 0; asked && answers == before && k < 3; k++)
			recover();
		assert_int_equal(answers, before + asked); /* each who asks is answered, once */
	}
	assert_int_equal(read_up_to, POSTS);
	history_free(history);
	close_all();
	return true;
}

static void who_was_away_reads_everything_sooner_or_later(void **state)
{
	(void)state;
	fail_each(read_history);
	fail_each_from(read_history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wire_is_opened_or_is_not),
		cmocka_unit_test(what_is_heard_is_told_now_or_a_little_later),
		cmocka_unit_test(a_canary_is_heard_or_is_not),
		cmocka_unit_test(what_was_missed_is_read_now_or_a_little_later),
		cmocka_unit_test(what_was_lost_in_a_short_second_shows_in_the_next),
		cmocka_unit_test(who_was_away_reads_everything_sooner_or_later),
		cmocka_unit_test(who_was_deaf_while_it_attached_attaches_again),
	};

	heard_log_open();
	return cmocka_run_group_tests_name("wire_memory", tests, NULL, NULL);
}
