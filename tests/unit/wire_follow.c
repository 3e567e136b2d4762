/* Goal: whatever pub/sub does, each follower is told every post of the wire once, in order. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/counters.h"
#include "wire_stage.h"

static void posts_are_told_in_order_each_once(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	for (unsigned version = 1; version <= 5; version++)
		stage_post(s, "a", version == 1 ? "publish" : "correct", version);
	stage_until_posts(s, f, 5);
	assert_string_equal(stage_told(f), "E1 2 3 4 5 ");
	assert_int_equal(backlog_count(wire_backlog(f->wire)), 5);
}

static void a_burst_is_one_tick(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	stage_post_many(s, 1, 100);
	stage_until_posts(s, f, 100);
	assert_int_equal(f->ticks, 1);
}

static void a_new_worker_loads_what_there_was_as_no_news(void **state)
{
	struct stage *s = *state;
	struct follower *f;

	stage_post_many(s, 1, 1200); /* more than two pages */
	s->backlog_bytes = 64 << 20;
	f = stage_follow(s, 0);
	assert_string_equal(stage_told(f), "E");
	assert_int_equal(backlog_count(wire_backlog(f->wire)), 1200);
	assert_string_equal(backlog_at(wire_backlog(f->wire), 0)->version, "1");
	assert_int_equal(wire_id_compare(backlog_start(wire_backlog(f->wire)), (struct wire_id){0}),
			 0);
	stage_post(s, "a", "publish", 7);
	stage_until_posts(s, f, 1);
	assert_string_equal(stage_told(f), "E7 ");
}

static void a_new_worker_loads_only_what_fits(void **state)
{
	struct stage *s = *state;
	struct follower *f;
	const struct backlog *b;

	stage_post_many(s, 1, 1200);
	s->backlog_bytes = 100 << 10;
	f = stage_follow(s, 0);
	b = wire_backlog(f->wire);
	assert_in_range(backlog_count(b), 40, 200);
	assert_in_range(backlog_bytes(b), 1, 100 << 10);
	assert_string_equal(backlog_at(b, backlog_count(b) - 1)->version, "1200");
	assert_int_equal(wire_id_compare(backlog_start(b), backlog_at(b, 0)->prev), 0);
}

static void a_message_that_comes_twice_is_told_once(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);
	uint64_t dropped = COUNTER_GET(WIRE_DROPPED);
	char again[400];
	const char *head;

	stage_post(s, "a", "publish", 1);
	head = redis_fixture_do(s->redis, "GET {newswire}:head");
	snprintf(again, sizeof again,
		 "1 %s %s 0-0\n{\"action\":\"publish\",\"uri\":\"a\",\"version\":\"1\","
		 "\"class\":\"regular\",\"channels\":\"feed:all\"}\n{\"uri\":\"a\"}",
		 wire_epoch(f->wire), head);
	redis_fixture_do(s->redis, "PUBLISH newswire:out %s", again);
	stage_post(s, "a", "correct", 2);
	stage_until_posts(s, f, 2);
	assert_string_equal(stage_told(f), "E1 2 ");
	assert_int_equal(COUNTER_GET(WIRE_DROPPED) - dropped, 1);
}

static void a_message_that_was_lost_is_read_from_the_stream(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);
	uint64_t filled = COUNTER_GET(WIRE_FILLED);

	stage_post(s, "a", "publish", 1);
	stage_post_unheard(s, "b", 2);
	stage_post_unheard(s, "c", 3);
	stage_post(s, "d", "publish", 4);
	stage_post(s, "e", "publish", 5);
	stage_until_posts(s, f, 5);
	assert_string_equal(stage_told(f), "E1 2 3 4 5 ");
	assert_true(COUNTER_GET(WIRE_FILLED) - filled >= 2);
}

static void a_kill_takes_the_text_before_its_turn(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	stage_post(s, "a", "publish", 1);
	stage_until_posts(s, f, 1);
	stage_post_unheard(s, "b", 2);
	stage_post_unheard(s, "a", 3); /* Redis gives its text, as if it was read before … */
	stage_post(s, "a", "kill", 4); /* … this; it waits for them */
	stage_post_unheard(s, "a", 5); /* a new one: what was killed before is no matter of it */
	stage_post(s, "a", "hold", 6);
	stage_until_posts(s, f, 6);
	assert_string_equal(stage_told(f), "E1 WW2 3- 4 5- 6 ");
	stage_post(s, "a", "release", 7);
	stage_until_posts(s, f, 7);
	assert_string_equal(stage_told(f), "E1 WW2 3- 4 5- 6 7 ");
}

static void a_lost_last_message_shows_within_seconds(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	stage_post(s, "a", "publish", 1);
	stage_post_unheard(s, "b", 2);
	stage_until_posts(s, f, 2);
	assert_string_equal(stage_told(f), "E1 2 ");
}

static void a_thousand_lost_messages_come_in_order(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);
	char expected[8000] = "E";

	for (unsigned version = 1; version <= 1203; version++) {
		if (version <= 1201)
			stage_post_unheard(s, "a", version);
		else
			stage_post(s, "a", "correct", version);
		snprintf(expected + strlen(expected), 8, "%u ", version);
	}
	stage_until_posts(s, f, 1203);
	assert_string_equal(stage_told(f), expected);
}

static void garbage_on_out_and_in_the_stream_is_counted_and_passed_over(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);
	uint64_t bad = COUNTER_GET(WIRE_BAD);

	redis_fixture_do(s->redis, "PUBLISH newswire:out nonsense");
	redis_fixture_do(s->redis, "XADD {newswire}:wire 5-5 who knows");
	stage_post(s, "a", "publish", 1);
	stage_post_unheard(s, "a", 2);
	stage_post(s, "a", "correct", 3);
	stage_until_posts(s, f, 3);
	assert_string_equal(stage_told(f), "E1 2 3 ");
	assert_int_equal(f->epochs, 1);
	assert_true(COUNTER_GET(WIRE_BAD) > bad);
}

static bool is_confirmed(void *arg)
{
	const struct follower *f = arg;

	return f->confirms > 0 && wire_id_compare(f->confirmed, wire_head(f->wire)) == 0;
}

static void the_head_is_confirmed_every_second(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	stage_post(s, "a", "publish", 1);
	stage_until_posts(s, f, 1);
	f->confirms = 0;
	stage_until(s, is_confirmed, f);
}

static void a_kill_blanks_what_is_in_memory(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);
	const struct backlog *b = wire_backlog(f->wire);

	stage_post(s, "a", "publish", 1);
	stage_post(s, "b", "publish", 2);
	stage_post(s, "a", "correct", 3);
	stage_until_posts(s, f, 3);
	assert_false(wire_is_withdrawn(f->wire, "a", (struct wire_id){0}));
	stage_post(s, "a", "kill", 4);
	stage_until_posts(s, f, 4);
	assert_true(backlog_at(b, 0)->blanked);
	assert_false(backlog_at(b, 1)->blanked);
	assert_true(backlog_at(b, 2)->blanked);
	assert_true(wire_is_withdrawn(f->wire, "a", backlog_at(b, 2)->id));
	assert_false(wire_is_withdrawn(f->wire, "a", backlog_at(b, 3)->id));
	assert_false(wire_is_withdrawn(f->wire, "b", (struct wire_id){0}));
}

static bool is_trimmed(void *arg)
{
	struct stage *s = arg;

	return strtol(redis_fixture_do(s->redis, "XLEN {newswire}:wire"), NULL, 10) <= 500;
}

static void the_stream_is_trimmed_to_its_length_and_the_floor_says_so(void **state)
{
	struct stage *s = *state;
	struct follower *f;

	stage_post_many(s, 1, 3700);
	s->max_entries = 500;
	f = stage_follow(s, 0);
	stage_until(s, is_trimmed, s);
	assert_string_equal(redis_fixture_do(s->redis, "XLEN {newswire}:wire"), "500");
	/* The floor is the entry before the oldest that is left. */
	assert_string_equal(
		redis_fixture_do(
			s->redis, "EVAL %s 0",
			"local first = redis.call('XRANGE', '{newswire}:wire', '-', '+', 'COUNT', "
			"1)[1]\n"
			"return tostring(first[2][4] == redis.call('GET', '{newswire}:floor'))"),
		"true");
	assert_int_equal(f->epochs, 1);
}

static void trimming_does_not_lower_the_floor_that_a_new_epoch_has_set(void **state)
{
	struct stage *s = *state;

	stage_post_many(s, 1, 3700);
	redis_fixture_do(
		s->redis, "EVAL %s 0",
		"redis.call('SET', '{newswire}:floor', redis.call('GET', '{newswire}:head'))");
	s->max_entries = 500;
	stage_follow(s, 0);
	stage_until(s, is_trimmed, s);
	assert_string_equal(
		redis_fixture_do(s->redis, "EVAL %s 0",
				 "return tostring(redis.call('GET', '{newswire}:floor') == "
				 "redis.call('GET', '{newswire}:head'))"),
		"true");
}

static bool promises_a_second(void *arg)
{
	const struct follower *f = arg;

	return strcmp(wire_durability(f->wire, false), "second") == 0;
}

static void what_a_redis_with_append_only_file_promises_is_known(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	assert_string_equal(wire_durability(f->wire, false), "fsync");
	assert_string_equal(wire_durability(f->wire, true), "replicated");
	redis_fixture_do(s->redis, "CONFIG SET appendfsync everysec");
	stage_follow(s, 1);
	assert_string_equal(wire_durability(s->follower[1].wire, false), "second");
	stage_leave(s, 1);
	stage_until(s, promises_a_second, f); /* though its connection is the one that it was */
	redis_fixture_do(s->redis, "CONFIG SET appendonly no");
	stage_follow(s, 1);
	assert_string_equal(wire_durability(s->follower[1].wire, false), "memory");
	stage_leave(s, 1);
	redis_fixture_do(s->redis, "CONFIG SET appendonly yes");
	redis_fixture_do(s->redis, "CONFIG SET maxmemory 100mb");
	redis_fixture_do(s->redis, "CONFIG SET maxmemory-policy allkeys-lru");
	stage_follow(s, 1);
	assert_string_equal(wire_durability(s->follower[1].wire, true), "memory");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_set_up, stage_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(posts_are_told_in_order_each_once),
		TEST(a_burst_is_one_tick),
		TEST(a_new_worker_loads_what_there_was_as_no_news),
		TEST(a_new_worker_loads_only_what_fits),
		TEST(a_message_that_comes_twice_is_told_once),
		TEST(a_message_that_was_lost_is_read_from_the_stream),
		TEST(a_kill_takes_the_text_before_its_turn),
		TEST(a_lost_last_message_shows_within_seconds),
		TEST(a_thousand_lost_messages_come_in_order),
		TEST(garbage_on_out_and_in_the_stream_is_counted_and_passed_over),
		TEST(the_head_is_confirmed_every_second),
		TEST(a_kill_blanks_what_is_in_memory),
		TEST(the_stream_is_trimmed_to_its_length_and_the_floor_says_so),
		TEST(trimming_does_not_lower_the_floor_that_a_new_epoch_has_set),
		TEST(what_a_redis_with_append_only_file_promises_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
