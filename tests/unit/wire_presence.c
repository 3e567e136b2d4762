/* Goal: what workers count by channel adds up in Redis, is heard by all of them, and goes with a worker that is dead. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/counters.h"
#include "wire/presence.h"
#include "wire_stage.h"

static struct presence *presence_of(struct stage *s, unsigned i)
{
	return wire_presence(s->follower[i].wire);
}

struct wish {
	struct presence *p;
	const char *channel;
	uint64_t total;
};

static bool has_total(void *arg)
{
	const struct wish *wish = arg;

	return presence_is_current(wish->p) &&
	       presence_total(wish->p, wish->channel) == wish->total;
}

/* Runs until worker i has heard so. */
static void until_total(struct stage *s, unsigned i, const char *channel, uint64_t total)
{
	stage_until(s, has_total, &(struct wish){presence_of(s, i), channel, total});
}

static void two_workers(struct stage *s)
{
	stage_follow(s, 0);
	stage_follow(s, 1);
	presence_set(presence_of(s, 0), "world", 3);
	presence_set(presence_of(s, 1), "world", 4);
	presence_set(presence_of(s, 1), "sport", 1);
	for (unsigned i = 0; i < 2; i++) {
		until_total(s, i, "world", 7);
		until_total(s, i, "sport", 1);
	}
}

static void eval(struct stage *s, const char *script)
{
	redis_fixture_eval(s->redis, script, 0, NULL);
}

/* All leases are over: who lives says so, and the others are taken away. */
static void lapse(struct stage *s)
{
	eval(s, "for _, name in ipairs(redis.call('ZRANGE', '{newswire}:counting', 0, -1)) do "
		"redis.call('ZADD', '{newswire}:counting', 0, name) end");
}

static void workers_add_up_and_all_hear_it(void **state)
{
	struct stage *s = *state;

	two_workers(s);
	presence_set(presence_of(s, 0), "world", 1);
	presence_set(presence_of(s, 1), "sport", 0);
	for (unsigned i = 0; i < 2; i++) {
		until_total(s, i, "world", 5);
		until_total(s, i, "sport", 0);
	}
}

static void who_comes_later_hears_all(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	presence_set(presence_of(s, 0), "world", 3);
	until_total(s, 0, "world", 3);
	stage_follow(s, 1);
	until_total(s, 1, "world", 3);
}

static void the_readers_of_a_dead_worker_go(void **state)
{
	struct stage *s = *state;

	two_workers(s);
	stage_leave(s, 1);
	lapse(s);
	until_total(s, 0, "sport", 0);
	until_total(s, 0, "world", 3);
}

static void a_worker_that_is_only_late_is_not_counted_twice(void **state)
{
	struct stage *s = *state;

	two_workers(s);
	lapse(s);
	presence_set(presence_of(s, 0), "after", 1);
	until_total(s, 1, "after", 1);
	until_total(s, 0, "world", 7);
	until_total(s, 1, "world", 7);
}

static void a_worker_that_was_taken_for_dead_begins_anew(void **state)
{
	struct stage *s = *state;

	two_workers(s);
	eval(s, "redis.call('DEL', '{newswire}:counting')");
	presence_set(presence_of(s, 0), "world", 10);
	presence_set(presence_of(s, 1), "world", 20);
	until_total(s, 0, "world", 30);
	until_total(s, 1, "world", 30);
	eval(s, "redis.call('DEL', '{newswire}:counting', '{newswire}:counts', "
		"'{newswire}:counts_order', '{newswire}:counts_idle', '{newswire}:counts_serial')");
	until_total(s, 0, "world", 30);
	until_total(s, 1, "world", 30);
	until_total(s, 1, "sport", 1);
}

static void one_that_is_half_taken_away_begins_anew_too(void **state)
{
	struct stage *s = *state;

	two_workers(s);
	eval(s, "for _, name in ipairs(redis.call('ZRANGE', '{newswire}:counting', 0, -1)) do "
		"local had = redis.call('HGET', '{newswire}:counts:' .. name, 'world') "
		"redis.call('HDEL', '{newswire}:counts:' .. name, 'world') "
		"redis.call('HINCRBY', '{newswire}:counts', 'world', -had) "
		"redis.call('ZADD', '{newswire}:counting', -1, name) end");
	presence_set(presence_of(s, 0), "after", 1);
	until_total(s, 1, "after", 1);
	for (unsigned i = 0; i < 2; i++) {
		until_total(s, i, "world", 7);
		until_total(s, i, "sport", 1);
	}
}

static void changes_are_taken_once(void **state)
{
	struct stage *s = *state;
	char channel[PRESENCE_NAME_MAX + 1];
	struct presence *p;

	stage_follow(s, 0);
	p = presence_of(s, 0);
	assert_false(presence_take_change(p, channel));
	presence_set(p, "world", 3);
	until_total(s, 0, "world", 3);
	assert_true(presence_take_change(p, channel));
	assert_string_equal(channel, "world");
	assert_false(presence_take_change(p, channel));
}

static void a_name_beyond_the_limit_is_not_counted_here(void **state)
{
	struct stage *s = *state;
	uint64_t before = COUNTER_GET(CHANNELS_UNCOUNTED);
	struct presence *p;
	char name[40];

	stage_follow(s, 0);
	p = presence_of(s, 0);
	for (int i = 0; i < PRESENCE_CHANNELS; i++) {
		snprintf(name, sizeof name, "c%d", i);
		presence_set(p, name, 1);
	}
	presence_set(p, "more", 1);
	assert_int_equal(COUNTER_GET(CHANNELS_UNCOUNTED), before + 1);
	presence_set(p, "c0", 0);
	presence_set(p, "more", 2);
	until_total(s, 0, "more", 2);
	until_total(s, 0, name, 1);
}

static bool is_refused(void *arg)
{
	return COUNTER_GET(CHANNELS_UNCOUNTED) > *(uint64_t *)arg;
}

static void nor_is_one_that_redis_has_no_room_for(void **state)
{
	struct stage *s = *state;
	uint64_t before = COUNTER_GET(CHANNELS_UNCOUNTED);

	eval(s, "for i = 1, 10000 do redis.call('HSET', '{newswire}:counts', 'c' .. i, 1) end");
	stage_follow(s, 0);
	presence_set(presence_of(s, 0), "world", 1);
	presence_set(presence_of(s, 0), "c7", 1);
	stage_until(s, is_refused, &before);
	until_total(s, 0, "c7", 2);
	assert_int_equal(presence_total(presence_of(s, 0), "world"), 0);
	eval(s, "redis.call('HDEL', '{newswire}:counts', 'c1')");
	presence_set(presence_of(s, 0), "world", 2);
	until_total(s, 0, "world", 2);
}

static void another_programs_key_is_left_alone(void **state)
{
	struct stage *s = *state;

	eval(s, "redis.call('SET', '{newswire}:counts', 'mine')");
	stage_follow(s, 0);
	presence_set(presence_of(s, 0), "world", 1);
	stage_post(s, "a", "publish", 1);
	stage_until_posts(s, &s->follower[0], 1);
	assert_false(presence_is_current(presence_of(s, 0)));
	eval(s, "assert(redis.call('GET', '{newswire}:counts') == 'mine') "
		"redis.call('DEL', '{newswire}:counts')");
	until_total(s, 0, "world", 1);
}

static void assert_page(struct presence *p, const char *prefix, const char *after, unsigned limit,
			const char *expected)
{
	struct buf out = {0};

	presence_write(p, prefix, after, limit, &out);
	buf_addc(&out, '\0');
	assert_string_equal(out.data, expected);
	buf_free(&out);
}

static void pages_are_by_name(void **state)
{
	struct stage *s = *state;
	struct presence *p;

	stage_follow(s, 0);
	p = presence_of(s, 0);
	assert_page(p, "", "", 5, "{\"channels\":[]}\n");
	presence_set(p, "b", 2);
	presence_set(p, "a.y", 1);
	presence_set(p, "a.x", 1);
	until_total(s, 0, "b", 2);
	assert_page(p, "", "", 2,
		    "{\"channels\":[{\"channel\":\"a.x\",\"readers\":1},{\"channel\":\"a.y\","
		    "\"readers\":1}],\"after\":\"a.y\"}\n");
	assert_page(p, "", "a.y", 2, "{\"channels\":[{\"channel\":\"b\",\"readers\":2}]}\n");
	assert_page(p, "a.", "", 1,
		    "{\"channels\":[{\"channel\":\"a.x\",\"readers\":1}],\"after\":\"a.x\"}\n");
	assert_page(p, "a.", "a.x", 1, "{\"channels\":[{\"channel\":\"a.y\",\"readers\":1}]}\n");
	assert_page(p, "c", "", 1, "{\"channels\":[]}\n");
	assert_page(p, "", "b", 1, "{\"channels\":[]}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(workers_add_up_and_all_hear_it, stage_set_up,
						stage_tear_down),
		cmocka_unit_test_setup_teardown(who_comes_later_hears_all, stage_set_up,
						stage_tear_down),
		cmocka_unit_test_setup_teardown(the_readers_of_a_dead_worker_go, stage_set_up,
						stage_tear_down),
		cmocka_unit_test_setup_teardown(a_worker_that_is_only_late_is_not_counted_twice,
						stage_set_up, stage_tear_down),
		cmocka_unit_test_setup_teardown(a_worker_that_was_taken_for_dead_begins_anew,
						stage_set_up, stage_tear_down),
		cmocka_unit_test_setup_teardown(one_that_is_half_taken_away_begins_anew_too,
						stage_set_up, stage_tear_down),
		cmocka_unit_test_setup_teardown(changes_are_taken_once, stage_set_up,
						stage_tear_down),
		cmocka_unit_test_setup_teardown(a_name_beyond_the_limit_is_not_counted_here,
						stage_set_up, stage_tear_down),
		cmocka_unit_test_setup_teardown(nor_is_one_that_redis_has_no_room_for, stage_set_up,
						stage_tear_down),
		cmocka_unit_test_setup_teardown(another_programs_key_is_left_alone, stage_set_up,
						stage_tear_down),
		cmocka_unit_test_setup_teardown(pages_are_by_name, stage_set_up, stage_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
