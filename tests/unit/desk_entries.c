/* Goal: what is added to the inbox is published once and in order, by two desks as by one, whatever happens to Redis or to
 * the desk that reads it; who signs an entry is its publisher, and who signs it wrongly is nobody.
 */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/counters.h"
#include "base/log.h"
#include "desk/desk.h"
#include "desk/inbox.h"
#include "desk_stage.h"
#include "keys_file.h"

enum { PATIENCE_MS = 20000 };

static struct desk_options options = {
	.prefix = "newswire",
	.max_item = (size_t)64 * 1024,
	.retention_ms = 86400000,
	.archive_ms = UINT64_C(2592000000),
	.max_embargo_ms = 86400000,
	.feed_max = 100,
	.raw_rights = RIGHTS_OUTSIDE,
	.clock_patience_ms = 600000,
	.inbox_pause_ms = 50,
};

static uv_loop_t loop;
static struct redis_place place;
static struct desk *desks[2];
static struct counters_page page;
static struct keyring *keyring;

/* --- waiting ---------------------------------------------------------------------------------- */

static void wait_until(bool (*condition)(void *arg), void *arg)
{
	redis_fixture_run_until(&loop, condition, arg, PATIENCE_MS);
}

struct counter_at {
	enum counter_id id;
	uint64_t value;
};

static bool has_counted(void *arg)
{
	const struct counter_at *c = arg;

	return page.value[c->id] >= c->value;
}

static void wait_for_count(enum counter_id id, uint64_t value)
{
	wait_until(has_counted, &(struct counter_at){id, value});
	assert_int_equal(page.value[id], value);
}

static bool is_empty(void *arg)
{
	(void)arg;
	return stage_number("XLEN {newswire}:inbox") == 0;
}

static bool has_posts(void *arg)
{
	return stage_number("XLEN {newswire}:wire") >= *(int *)arg;
}

static void wait_for_posts(int count)
{
	wait_until(has_posts, &count);
}

static bool is_read(void *arg)
{
	(void)arg;
	return page.value[COUNTER_INBOX_READER] == 1;
}

/* --- adding ----------------------------------------------------------------------------------- */

static void add(const char *json)
{
	stage_ask("XADD {newswire}:inbox * channel world item %s", json);
}

/* Many at once: the answers are read when all are written. */
static void add_stories(int from, int to)
{
	redisReply *reply;

	for (int i = from; i < to; i++)
		redisAppendCommand(stage.link,
				   "XADD {newswire}:inbox * channel world item "
				   "{\"uri\":\"urn:%d\",\"headlines\":[{\"value\":\"Story\"}]}",
				   i);
	for (int i = from; i < to; i++) {
		assert_int_equal(redisGetReply(stage.link, (void **)&reply), REDIS_OK);
		freeReplyObject(reply);
	}
}

static const char *refusal(int back)
{
	redisReply *entries = stage_ask("XREVRANGE {newswire}:rejects + - COUNT 100");

	assert_true(back < (int)entries->elements);
	return entries->element[back]->element[1]->element[3]->str;
}

/* --- stage ------------------------------------------------------------------------------------ */

static const char keys[] = "{\"keys\":[{\"name\":\"desk\",\"secret\":\"a long "
			   "secret\",\"channels\":[\"world\",\"sport.*\"],"
			   "\"may\":[\"publish\",\"correct\",\"kill\"]},"
			   "{\"name\":\"unsigned\",\"sha256\":"
			   "\"9b74c9897bac770ffc029102a200c5de27e1d2a1e8f1b0f1f5f3c5b2d8f6a1e0\","
			   "\"may\":[\"publish\"]}]}";

static void open_keyring(void)
{
	keyring = keyring_of(keys);
	options.keyring = keyring;
}

static int open_loop(void **state)
{
	char error[128];

	stage_clear(state);
	memset(&page, 0, sizeof page);
	counters_use(&page);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(redis_place_read(&place, stage.place, error, sizeof error), 0);
	open_keyring();
	return 0;
}

static void open_desk(int i)
{
	assert_non_null(desks[i] = desk_open(&loop, &place, &options));
}

static void close_desk(int i)
{
	desk_close(desks[i]);
	desks[i] = NULL;
}

static int open_one(void **state)
{
	open_loop(state);
	open_desk(0);
	wait_until(is_read, NULL);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	close_desk(0);
	close_desk(1);
	redis_fixture_close_loop(&loop);
	redis_place_free(&place);
	keyring_close(keyring);
	return 0;
}

/* --- in order, once --------------------------------------------------------------------------- */

static void what_was_added_before_any_desk_was_there_is_published_once(void **state)
{
	(void)state;
	add_stories(0, 500);
	open_desk(0);
	open_desk(1);
	wait_until(is_empty, NULL);
	stage_holds_stories(500);
	wait_for_count(COUNTER_INBOX_DONE, 500);
	add_stories(500, 510);
	wait_for_count(COUNTER_INBOX_DONE, 510);
	stage_holds_stories(510);
	assert_int_equal(page.value[COUNTER_DESK_ACCEPTED], 510);
}

static void a_flood_is_published_in_order_and_never_fills_the_desk(void **state)
{
	(void)state;
	add_stories(0, 4000);
	while (stage_number("XLEN {newswire}:wire") < 4000) {
		assert_in_range(stage_ask("XPENDING {newswire}:inbox desk")->element[0]->integer, 0,
				DESK_IN_FLIGHT / 2 + INBOX_AT_ONCE);
		uv_run(&loop, UV_RUN_ONCE);
	}
	stage_holds_stories(4000);
}

/* It has closed without a word, with entries in hand and more given to its connection. */
static void what_a_dead_reader_was_given_is_taken_over(void **state)
{
	(void)state;
	add_stories(0, 300);
	while (page.value[COUNTER_INBOX_READ] < 100)
		uv_run(&loop, UV_RUN_ONCE);
	close_desk(0);
	open_desk(1);
	wait_until(is_empty, NULL);
	stage_holds_stories(300);
	assert_true(page.value[COUNTER_INBOX_TAKEN_OVER] > 0);
	assert_int_equal(stage_ask("XINFO CONSUMERS {newswire}:inbox desk")->elements, 1);
}

static void a_reader_who_leaves_hands_over_at_once(void **state)
{
	(void)state;
	open_desk(1);
	add_stories(0, 50);
	desk_leave_inbox(desks[0]);
	wait_until(is_empty, NULL);
	desk_leave_inbox(desks[0]); /* twice is as once */
	wait_for_posts(50);
	stage_holds_stories(50);
}

static void a_lost_connection_loses_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		add_stories(i * 100, i * 100 + 100);
		while (stage_number("XLEN {newswire}:wire") < i * 100 + 20)
			uv_run(&loop, UV_RUN_ONCE);
		stage_ask("CLIENT KILL TYPE normal SKIPME yes");
		if (i % 2)
			wait_for_posts(i * 100 + 100);
	}
	wait_until(is_empty, NULL);
	assert_int_equal(stage_number("XLEN {newswire}:wire"), 1000);
	assert_int_equal(stage_number("XLEN {newswire}:rejects"), 0);
}

static void redis_may_die_in_the_middle(void **state)
{
	(void)state;
	add_stories(0, 1000);
	for (int i = 1; i <= 3; i++) {
		wait_for_posts(i * 200);
		stage_kill_redis();
		uv_run(&loop, UV_RUN_NOWAIT);
		stage_start_redis();
	}
	wait_until(is_empty, NULL);
	stage_holds_stories(1000);
}

static void an_inbox_that_is_gone_is_made_again(void **state)
{
	(void)state;
	add_stories(0, 3);
	wait_for_posts(3);
	stage_ask("FLUSHALL");
	add_stories(0, 3);
	wait_for_posts(3);
	stage_ask("XGROUP DESTROY {newswire}:inbox desk");
	add_stories(3, 6);
	wait_for_posts(6);
	stage_ask("SET {newswire}:inbox x");
	wait_until(is_read, NULL);
	stage_ask("DEL {newswire}:inbox");
	add_stories(6, 9);
	wait_for_posts(9);
	stage_holds_stories(9);
}

/* --- in trouble ------------------------------------------------------------------------------- */

static void an_entry_that_a_key_is_in_the_way_of_is_put_off_and_the_next_is_not(void **state)
{
	(void)state;
	stage_ask("SET {newswire}:feed:jam x");
	stage_ask("XADD {newswire}:inbox * channel jam item "
		  "{\"uri\":\"urn:j\",\"headlines\":[{\"value\":\"A\"}]}");
	add("{\"uri\":\"urn:k\",\"headlines\":[{\"value\":\"B\"}]}");
	wait_for_posts(1);
	wait_for_count(COUNTER_INBOX_PUT_OFF, 1);
	stage_ask("DEL {newswire}:feed:jam");
	wait_for_posts(2);
	wait_until(is_empty, NULL);
	assert_int_equal(stage_number("XLEN {newswire}:rejects"), 0);
}

static void after_five_tries_it_is_poison(void **state)
{
	(void)state;
	close_desk(0);
	options.inbox_pause_ms = 0;
	stage_ask("SET {newswire}:feed:jam x");
	stage_ask("XADD {newswire}:inbox * channel jam item "
		  "{\"uri\":\"urn:j\",\"headlines\":[{\"value\":\"A-text\"}]}");
	open_desk(0);
	wait_until(is_empty, NULL);
	options.inbox_pause_ms = 50;
	wait_for_count(COUNTER_INBOX_POISON, 1);
	assert_int_equal(page.value[COUNTER_REJECT_POISON], 1);
	assert_int_equal(page.value[COUNTER_INBOX_PUT_OFF], 5);
	assert_string_equal(refusal(0), "poison");
	assert_false(stage_holds("A-text", NULL));
}

static void a_redis_that_cannot_write_keeps_all_where_it_is(void **state)
{
	(void)state;
	add_stories(0, 300);
	while (page.value[COUNTER_INBOX_READ] < 1)
		uv_run(&loop, UV_RUN_ONCE);
	stage_ask("CONFIG SET maxmemory 1");
	for (int i = 0; i < 50; i++)
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(page.value[COUNTER_INBOX_READ] <= DESK_IN_FLIGHT / 2 + INBOX_AT_ONCE);
	stage_ask("CONFIG SET maxmemory 0");
	wait_until(is_empty, NULL);
	assert_int_equal(stage_number("XLEN {newswire}:wire"), 300);
	assert_int_equal(page.value[COUNTER_INBOX_PUT_OFF], 0);
}

/* --- what is in an entry ---------------------------------------------------------------------- */

static void channels_come_in_any_number_of_fields(void **state)
{
	(void)state;
	stage_ask("XADD {newswire}:inbox * note x channel %s channel sport channel world item %s "
		  "channel golf,golf",
		  "world, culture",
		  "{\"uri\":\"urn:a\",\"headlines\":[{\"value\":\"A\"}],\"channels\":[\"own\"]}");
	wait_for_posts(1);
	assert_string_equal(stage_text("HGET {newswire}:item:urn:a channels"),
			    "class:regular culture feed:all golf own sport story:26d27f365f44511a "
			    "type:text world");
}

static void an_entry_that_makes_no_sense_is_refused_at_once(void **state)
{
	static char large[70 * 1024];
	static const char *const reasons[] = {"too_large",   "not_utf8",    "not_json",
					      "bad_channel", "bad_channel", "bad_channel",
					      "bad_value",   "empty"};

	(void)state;
	memset(large, ' ', sizeof large);
	stage_ask("XADD {newswire}:inbox * channel world text {}");
	stage_ask("XADD {newswire}:inbox * channel world item {} item {}");
	stage_ask("XADD {newswire}:inbox * channel World! item {}");
	stage_ask("XADD {newswire}:inbox * channel class:flash item {}");
	stage_ask("XADD {newswire}:inbox * channel %b item {}", "world\0x", (size_t)7);
	stage_ask("XADD {newswire}:inbox * channel world item %b", "{\"uri\":\"a\0b\"}",
		  (size_t)13);
	stage_ask("XADD {newswire}:inbox * channel world item %b", "\"\xff\"", (size_t)3);
	stage_ask("XADD {newswire}:inbox * channel world item %b", large, sizeof large);
	wait_for_count(COUNTER_INBOX_DONE, 8);
	assert_int_equal(page.value[COUNTER_DESK_REFUSED], 8);
	for (int i = 0; i < (int)COUNT_OF(reasons); i++)
		assert_string_equal(refusal(i), reasons[i]);
	assert_true(is_empty(NULL));
	stage_ask("XADD {newswire}:inbox * channel world text {}"); /* again: another entry */
	wait_for_count(COUNTER_DESK_REFUSED, 9);
	assert_int_equal(stage_number("XLEN {newswire}:rejects"), 9);
}

static void without_a_signature_an_entry_may_do_what_a_publish_may(void **state)
{
	(void)state;
	add("{\"uri\":\"urn:a\",\"headlines\":[{\"value\":\"A\"}]}");
	add("{\"uri\":\"urn:a\",\"version\":\"2\",\"pubStatus\":\"canceled\"}");
	add("{\"uri\":\"urn:b\",\"urgency\":1,\"headlines\":[{\"value\":\"A\"}]}");
	wait_for_count(COUNTER_INBOX_DONE, 3);
	assert_string_equal(stage_text("HGET {newswire}:item:urn:a owner"), "redis");
	assert_string_equal(refusal(1), "may_not_kill");
	assert_string_equal(refusal(0), "may_not_flash");
}

/* The signatures are OpenSSL's: printf '<channels>\n<item>' | openssl dgst -sha256 -hmac 'a long secret' */
static void who_signs_an_entry_is_its_publisher(void **state)
{
	(void)state;
	stage_ask("XADD {newswire}:inbox * key desk signature %s channel %s item %s",
		  "b019da0aff5c8cc6bc2604ebcbd514d2af93eff5938af8ee7f7d3c31ad49cf9c",
		  "world sport.golf", "{\"uri\":\"urn:s\",\"headlines\":[{\"value\":\"A\"}]}");
	stage_ask("XADD {newswire}:inbox * item %s key desk signature %s",
		  "{\"uri\":\"urn:s\",\"version\":\"2\",\"pubStatus\":\"canceled\"}",
		  "dfbb6f4f0bafc66aae0f2c96bf8860bf7ab34d2e793027ffbdf99e7039873fe1");
	wait_for_count(COUNTER_INBOX_DONE, 2);
	assert_string_equal(stage_text("HGET {newswire}:item:urn:s owner"), "desk");
	assert_string_equal(stage_text("HGET {newswire}:item:urn:s status"), "canceled");
	stage_ask("XADD {newswire}:inbox * key desk signature %s channel culture item %s",
		  "51fdec3e165dfa5d526ea8235aa938c5a98d64721df683352dfba57936e6e956",
		  "{\"uri\":\"urn:t\",\"headlines\":[{\"value\":\"A\"}]}");
	wait_for_count(COUNTER_REJECT_CHANNEL_FORBIDDEN, 1);
}

static void a_signature_that_does_not_fit_lets_nothing_in(void **state)
{
	static const char good[] =
		"b019da0aff5c8cc6bc2604ebcbd514d2af93eff5938af8ee7f7d3c31ad49cf9c";
	static const char item[] = "{\"uri\":\"urn:s\",\"headlines\":[{\"value\":\"A\"}]}";
	static const char text[] = "{\"uri\":\"urn:t\",\"headlines\":[{\"value\":\"A text\"}]}";
	char upper[sizeof good], changed[sizeof good];

	(void)state;
	memcpy(upper, good, sizeof good);
	memcpy(changed, good, sizeof good);
	for (char *c = upper; *c; c++)
		*c = *c >= 'a' ? (char)(*c - 32) : *c;
	changed[63] = changed[63] == '0' ? '1' : '0';
#define TRY(format, ...) stage_ask("XADD {newswire}:inbox * " format, __VA_ARGS__)
	TRY("key desk signature %s channel world item %s", good, item); /* other channels */
	TRY("key desk signature %s channel world channel sport.golf item %s", good, text);
	TRY("key desk signature %s channel world channel sport.golf item %s", upper, item);
	TRY("key desk signature %s channel world channel sport.golf item %s", changed, item);
	TRY("key desk signature %b channel world channel sport.golf item %s", good, (size_t)63,
	    item);
	TRY("key desk signature %b channel world channel sport.golf item %s", good, sizeof good,
	    item); /* its NUL too */
	TRY("key %b signature %s channel world channel sport.golf item %s", "desk\0x", (size_t)6,
	    good, item);
	TRY("key unsigned signature %s channel world channel sport.golf item %s", good, item);
	TRY("key nobody signature %s channel world channel sport.golf item %s", good, item);
	TRY("key desk channel world channel sport.golf item %s", item);
	TRY("signature %s channel world channel sport.golf item %s", good, item);
	TRY("key %s signature %s channel world channel sport.golf item %s", "", "", item);
	wait_for_count(COUNTER_INBOX_DONE, 12);
	assert_int_equal(page.value[COUNTER_REJECT_BAD_SIGNATURE], 12);
	assert_int_equal(stage_number("XLEN {newswire}:rejects"), 12);
	assert_string_equal(refusal(0), "bad_signature");
	assert_int_equal(stage_number("XLEN {newswire}:wire"), 0);
	assert_false(stage_holds("A text", NULL));
	TRY("key desk signature %s channel sport.golf channel world item %s", good, item);
	wait_for_posts(1);
}

int main(void)
{
#define WITH(open, test) cmocka_unit_test_setup_teardown(test, open, close_all)
	const struct CMUnitTest tests[] = {
		WITH(open_loop, what_was_added_before_any_desk_was_there_is_published_once),
		WITH(open_one, a_flood_is_published_in_order_and_never_fills_the_desk),
		WITH(open_one, what_a_dead_reader_was_given_is_taken_over),
		WITH(open_one, a_reader_who_leaves_hands_over_at_once),
		WITH(open_one, a_lost_connection_loses_nothing),
		WITH(open_one, redis_may_die_in_the_middle),
		WITH(open_one, an_inbox_that_is_gone_is_made_again),
		WITH(open_one, an_entry_that_a_key_is_in_the_way_of_is_put_off_and_the_next_is_not),
		WITH(open_one, after_five_tries_it_is_poison),
		WITH(open_one, a_redis_that_cannot_write_keeps_all_where_it_is),
		WITH(open_one, channels_come_in_any_number_of_fields),
		WITH(open_one, an_entry_that_makes_no_sense_is_refused_at_once),
		WITH(open_one, without_a_signature_an_entry_may_do_what_a_publish_may),
		WITH(open_one, who_signs_an_entry_is_its_publisher),
		WITH(open_one, a_signature_that_does_not_fit_lets_nothing_in),
	};

	log_open(STDERR_FILENO, LOG_KEY_VALUE, LOG_ERROR);
	return cmocka_run_group_tests(tests, stage_open, stage_close);
}
