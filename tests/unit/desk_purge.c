/* Goal: a purged story is nowhere, its uri is refused, those who saw it are told without a word, and nothing is done by halves. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>
#include "base/base.h"
#include "desk_accept.h"

/* Two public versions on three channels, and a third under embargo. */
static void send_horror(void)
{
	SAYS(SEND(.version = "1", .text = "horror", .channels = "feed:all world"), "accepted");
	SAYS(SEND(.version = "2", .text = "horror two", .channels = "feed:all sport"), "accepted");
	SAYS(SEND(.version = "3", .text = "horror three", .channels = "feed:all",
		  .embargo = redis_now() + 60000),
	     "held");
}

static void a_purge_takes_every_text_and_tells_all_who_saw_one(void **state)
{
	(void)state;
	send_horror();
	SEND(.uri = "urn:b", .text = "stays");
	SAYS(purge_item("urn:a"), "purged");
	assert_string_equal(gone.versions, "2");
	assert_string_equal(gone.feeds, "2"); /* the second version had left `world` */
	assert_string_equal(gone.held, "1");
	assert_false(stage_holds("horror", NULL));
	assert_true(stage_holds("stays", NULL));
	newest_says("\"action\":\"kill\",\"uri\":\"urn:a\",\"version\":\"2\"");
	newest_says("\"was\":\"feed:all sport world\"");
	assert_null(strstr(newest(), "notice"));
	assert_string_equal(gone.id, stage_text("GET {newswire}:head"));
	assert_false(in_feed("feed:all", "urn:a") || in_feed("sport", "urn:a") ||
		     in_feed("world", "urn:a"));
	assert_true(in_feed("feed:all", "urn:b"));
	assert_int_equal(stage_number("ZCARD {newswire}:embargo"), 0);
	release_due("");
	assert_true(*freed.rewrite != '\0');
}

static void a_purged_uri_is_refused_for_ever(void **state)
{
	(void)state;
	send_horror();
	purge_item("urn:a");
	assert_int_equal(stage_number("TTL {newswire}:item:urn:a"), -1);
	SAYS(SEND(.version = "9", .text = "horror again"), "refused");
	assert_string_equal(got.code, "killed");
	SAYS(SEND(.version = "9", .text = "horror again", .embargo = redis_now() + 60000),
	     "refused");
	SAYS(SEND(.version = "9", .status = "canceled", .notice = "horror"), "duplicate");
	assert_false(stage_holds("horror", NULL));
	assert_int_equal(stage_number("TTL {newswire}:item:urn:a"), -1);
}

static void a_second_purge_changes_nothing(void **state)
{
	struct buf before = {0}, after = {0};
	char id[48];

	(void)state;
	send_horror();
	purge_item("urn:a");
	snprintf(id, sizeof id, "%s", gone.id);
	stage_dump(&before, NULL);
	SAYS(purge_item("urn:a"), "purged");
	stage_dump(&after, NULL);
	assert_string_equal(gone.id, id);
	assert_string_equal(gone.versions, "0");
	assert_string_equal(gone.feeds, "0");
	assert_string_equal(gone.held, "0");
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
	buf_free(&before);
	buf_free(&after);
}

static void an_unknown_uri_is_said_and_leaves_no_trace(void **state)
{
	(void)state;
	SAYS(purge_item("urn:none"), "missing");
	assert_int_equal(stage_number("DBSIZE"), 0);
}

static void what_nobody_was_sent_is_purged_silently(void **state)
{
	(void)state;
	SEND(.text = "horror", .embargo = redis_now() + 60000);
	SAYS(purge_item("urn:a"), "purged");
	assert_string_equal(gone.id, "");
	assert_string_equal(gone.held, "1");
	assert_int_equal(on_the_wire(), 0);
	assert_false(stage_holds("horror", NULL));
	assert_int_equal(release_due(""), 0);
	SAYS(SEND(.version = "2"), "refused");
}

static void a_killed_story_loses_its_notice_too(void **state)
{
	(void)state;
	SEND(.version = "1");
	SEND(.version = "2", .status = "canceled", .notice = "He is named in it.");
	assert_string_equal(item_field("urn:a", "notice"), "He is named in it.");
	SAYS(purge_item("urn:a"), "purged");
	assert_false(stage_holds("He is named", "{newswire}:wire"));
	assert_null(strstr(newest(), "notice"));
	assert_int_equal(on_the_wire(), 3);
}

static void the_trail_says_who_purged_what_and_when(void **state)
{
	redisReply *last;
	struct buf line = {0};

	(void)state;
	send_horror();
	purge_item("urn:a");
	last = stage_ask("XREVRANGE {newswire}:audit + - COUNT 1");
	last = last->element[0]->element[1];
	for (size_t i = 0; i + 2 < last->elements; i++) {
		buf_adds(&line, last->element[i]->str);
		buf_addc(&line, ' ');
	}
	buf_addf(&line, "%c", '\0');
	assert_non_null(strstr(line.data, "who node what purge uri urn:a version 2 before 2 "
					  "channels feed:all sport world id "));
	buf_free(&line);
}

/* --- keys that hold something else -------------------------------------------------------------- */

/* Each key that a purge touches, of the wrong type in turn: the error names it, and nothing else changed. */
static void a_key_of_another_program_leaves_nothing_half_done(void **state)
{
	static const char *const keys[] = {
		"item:urn:a", "held:urn:a", "embargo",	    "audit",
		"rewrite",    "wire",	    "head",	    "epoch",
		"feed:sport", "feed:world", "body:urn:a:1", "body:urn:a:2",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		struct buf before = {0}, after = {0};

		stage_clear(NULL);
		send_horror();
		stage_ask("DEL {newswire}:%s", keys[i]);
		stage_ask("SADD {newswire}:%s mine", keys[i]);
		stage_dump(&before, NULL);
		purge_item("urn:a");
		stage_dump(&after, NULL);
		if (strncmp(gone.result, "WRONGKEY {newswire}:", 20) != 0 ||
		    strncmp(gone.result + 20, keys[i], strlen(keys[i])) != 0)
			fail_msg("%s: %s", keys[i], gone.result);
		assert_int_equal(before.len, after.len);
		assert_memory_equal(before.data, after.data, before.len);
		buf_free(&before);
		buf_free(&after);
	}
}

static void fields_that_make_no_sense_leave_nothing_half_done(void **state)
{
	static const char *const bodies[] = {"no json", "[1,{}]", "7"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		struct buf before = {0}, after = {0};

		stage_clear(NULL);
		send_horror();
		stage_ask("HSET {newswire}:item:urn:a bodies %s", bodies[i]);
		stage_dump(&before, NULL);
		purge_item("urn:a");
		stage_dump(&after, NULL);
		assert_int_equal(strncmp(gone.result, "WRONGKEY {newswire}:item:urn:a", 30), 0);
		assert_int_equal(before.len, after.len);
		assert_memory_equal(before.data, after.data, before.len);
		buf_free(&before);
		buf_free(&after);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, stage_clear)
	const struct CMUnitTest tests[] = {
		TEST(a_purge_takes_every_text_and_tells_all_who_saw_one),
		TEST(a_purged_uri_is_refused_for_ever),
		TEST(a_second_purge_changes_nothing),
		TEST(an_unknown_uri_is_said_and_leaves_no_trace),
		TEST(what_nobody_was_sent_is_purged_silently),
		TEST(a_killed_story_loses_its_notice_too),
		TEST(the_trail_says_who_purged_what_and_when),
		TEST(a_key_of_another_program_leaves_nothing_half_done),
		TEST(fields_that_make_no_sense_leave_nothing_half_done),
	};

	return cmocka_run_group_tests(tests, stage_open, stage_close);
}
