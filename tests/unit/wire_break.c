/* Goal: Redis may die, freeze, forget or fork: what was accepted comes once and in order, and lost history is said. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>
#include "base/counters.h"
#include "wire_stage.h"

static bool is_away(void *arg)
{
	return !wire_is_following(((struct follower *)arg)->wire);
}

static void posts_made_while_a_worker_is_away_come_once_and_in_order(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	stage_post(s, "a", "publish", 1);
	stage_until_posts(s, f, 1);
	redis_fixture_restart(s->redis);
	stage_post(s, "b", "publish", 2); /* before the worker is back */
	stage_post(s, "c", "publish", 3);
	stage_until_posts(s, f, 3);
	stage_until_following(s, f);
	stage_post(s, "d", "publish", 4);
	stage_until_posts(s, f, 4);
	assert_string_equal(stage_told(f), "E1 2 3 4 ");
	assert_int_equal(f->epochs, 1);
}

static void a_worker_that_starts_before_redis_finds_it(void **state)
{
	struct stage *s = *state;
	struct follower *f;
	uint64_t lost = COUNTER_GET(REDIS_LOST);

	redis_fixture_kill(s->redis);
	f = stage_open_wire(s, 0);
	while (COUNTER_GET(REDIS_LOST) < lost + 4)
		uv_run(&s->loop, UV_RUN_ONCE);
	assert_false(wire_has_epoch(f->wire));
	redis_fixture_restart(s->redis);
	stage_until_following(s, f);
	stage_post(s, "a", "publish", 1);
	stage_until_posts(s, f, 1);
	assert_string_equal(stage_told(f), "E1 ");
}

static bool is_loading(void *arg)
{
	const struct wire *wire = ((struct follower *)arg)->wire;

	return !wire_has_epoch(wire) && backlog_count(wire_backlog(wire)) >= 500;
}

static void a_worker_that_is_interrupted_while_it_loads_begins_again_and_harms_nobody(void **state)
{
	struct stage *s = *state;
	struct follower *old = stage_follow(s, 0), *new;

	stage_post_many(s, 1, 2000); /* four pages */
	stage_until_posts(s, old, 2000);
	stage_told(old);
	s->backlog_bytes = 64 << 20;
	new = stage_open_wire(s, 1);
	stage_until(s, is_loading, new);
	redis_fixture_do(s->redis, "CLIENT KILL TYPE normal SKIPME yes");
	stage_until_following(s, new);
	stage_until_following(s, old);
	assert_int_equal(backlog_count(wire_backlog(new->wire)), 2000);
	assert_string_equal(wire_epoch(new->wire), wire_epoch(old->wire));
	stage_post(s, "a", "publish", 2001);
	stage_until_posts(s, old, 2001);
	stage_until_posts(s, new, 1);
	assert_string_equal(stage_told(new), "E2001 ");
	assert_int_equal(old->epochs, 1);
}

static void throwing_out_either_connection_loses_nothing(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);
	unsigned version = 0;

	for (int round = 0; round < 10; round++) {
		stage_post(s, "a", "correct", ++version);
		redis_fixture_do(s->redis, "CLIENT KILL TYPE %s SKIPME yes",
				 round % 2 ? "normal" : "pubsub");
		stage_post(s, "a", "correct", ++version);
		stage_until_posts(s, f, version);
	}
	assert_string_equal(stage_told(f), "E1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 ");
}

static void a_frozen_redis_is_noticed_and_caught_up_with(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	stage_post(s, "a", "publish", 1);
	stage_until_posts(s, f, 1);
	redis_fixture_freeze(s->redis);
	stage_until(s, is_away, f);
	redis_fixture_thaw(s->redis);
	stage_post(s, "b", "publish", 2);
	stage_until_posts(s, f, 2);
	stage_until_following(s, f);
	assert_string_equal(stage_told(f), "E1 2 ");
}

static bool has_moved_on(void *arg)
{
	struct stage *s = arg;

	return strcmp(redis_fixture_do(
			      s->redis, "EVAL %s 0",
			      "local time = redis.call('TIME')\n"
			      "return tostring(time[1] * 1000 + math.floor(time[2] / 1000) >\n"
			      "  tonumber(redis.call('GET', '{newswire}:head'):match('%d+')))"),
		      "true") == 0;
}

/* As if Redis had lost its last posts: only so many are left. That takes longer than a millisecond. */
static void lose_tail(struct stage *s, unsigned keep)
{
	char keep_text[12];
	const char *argv[] = {keep_text};

	stage_until(s, has_moved_on, s);
	snprintf(keep_text, sizeof keep_text, "%u", keep);
	redis_fixture_eval(s->redis,
			   "local all = redis.call('XRANGE', '{newswire}:wire', '-', '+')\n"
			   "local keep = tonumber(ARGV[1])\n"
			   "redis.call('DEL', '{newswire}:wire')\n"
			   "for i = 1, keep do redis.call('XADD', '{newswire}:wire', all[i][1], "
			   "unpack(all[i][2])) end\n"
			   "local last = keep > 0 and all[keep][1] or '0-0'\n"
			   "redis.call('SET', '{newswire}:head', last)\n",
			   1, argv);
}

static void a_lost_tail_begins_a_new_epoch(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);
	uint64_t forks = COUNTER_GET(WIRE_FORKS);
	char before[EPOCH_MAX + 1];

	for (unsigned version = 1; version <= 3; version++)
		stage_post(s, "a", "correct", version);
	stage_until_posts(s, f, 3);
	snprintf(before, sizeof before, "%s", wire_epoch(f->wire));
	lose_tail(s, 1);
	stage_until_epochs(s, f, 2);
	assert_string_not_equal(wire_epoch(f->wire), before);
	assert_int_equal(COUNTER_GET(WIRE_FORKS) - forks, 1);
	assert_int_equal(backlog_count(wire_backlog(f->wire)), 0);
	stage_post(s, "b", "publish", 9);
	stage_until_posts(s, f, 4);
	assert_string_equal(stage_told(f), "E1 2 3 E9 ");
}

static void a_tail_that_was_lost_and_grown_over_is_a_fork(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	for (unsigned version = 1; version <= 3; version++)
		stage_post(s, "a", "correct", version);
	stage_until_posts(s, f, 3);
	lose_tail(s, 1);
	stage_post(s, "b", "publish", 4); /* above our head, but on another chain */
	stage_until_epochs(s, f, 2);
	stage_post(s, "c", "publish", 5);
	stage_until_posts(s, f, 4);
	assert_string_equal(stage_told(f), "E1 2 3 E5 ");
}

static void a_fork_while_the_worker_was_away_is_seen_by_reading(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	for (unsigned version = 1; version <= 3; version++)
		stage_post(s, "a", "correct", version);
	stage_until_posts(s, f, 3);
	redis_fixture_restart(s->redis);
	lose_tail(s, 2);
	stage_post(s, "b", "publish", 4);
	stage_until_epochs(s, f, 2);
	stage_until_following(s, f);
	stage_post(s, "c", "publish", 5);
	stage_until_posts(s, f, 4);
	assert_string_equal(stage_told(f), "E1 2 3 E5 ");
}

/* As two masters do that do not know of each other: the last id is that of another post. */
static void give_the_last_id_to_another(struct stage *s)
{
	redis_fixture_eval(
		s->redis,
		"local all = redis.call('XRANGE', '{newswire}:wire', '-', '+')\n"
		"redis.call('DEL', '{newswire}:wire')\n"
		"for i, entry in ipairs(all) do\n"
		"  local fields = entry[2]\n"
		"  for j = 2, #fields, 2 do\n"
		"    if i == #all and fields[j - 1] == 'meta' then\n"
		"      fields[j] = fields[j]:gsub('\"uri\":\"a\"', '\"uri\":\"other\"')\n"
		"    end\n"
		"  end\n"
		"  redis.call('XADD', '{newswire}:wire', entry[1], unpack(fields))\n"
		"end\n",
		0, NULL);
}

static void another_post_with_the_id_of_the_last_one_is_a_fork(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	stage_post(s, "a", "publish", 1);
	stage_post(s, "a", "correct", 2);
	stage_until_posts(s, f, 2);
	redis_fixture_restart(s->redis);
	give_the_last_id_to_another(s);
	stage_until_epochs(s, f, 2);
	stage_until_following(s, f);
	stage_post(s, "b", "publish", 3);
	stage_until_posts(s, f, 3);
	assert_string_equal(stage_told(f), "E1 2 E3 ");
}

static void the_same_last_post_is_no_fork(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	stage_post(s, "a", "publish", 1);
	stage_until_posts(s, f, 1);
	redis_fixture_restart(s->redis);
	stage_post(s, "b", "publish", 2);
	stage_until_posts(s, f, 2);
	assert_string_equal(stage_told(f), "E1 2 ");
}

static bool agree(void *arg)
{
	struct stage *s = arg;
	const struct follower *a = &s->follower[0], *b = &s->follower[1];

	return wire_is_following(a->wire) && wire_is_following(b->wire) && a->epochs > 1 &&
	       b->epochs > 1 && strcmp(wire_epoch(a->wire), wire_epoch(b->wire)) == 0;
}

static void two_workers_take_the_same_new_epoch(void **state)
{
	struct stage *s = *state;
	struct follower *a = stage_follow(s, 0), *b = stage_follow(s, 1);

	assert_string_equal(wire_epoch(a->wire), wire_epoch(b->wire));
	stage_post_many(s, 1, 3);
	stage_until_posts(s, a, 3);
	stage_until_posts(s, b, 3);
	lose_tail(s, 1);
	stage_until(s, agree, s);
	stage_post(s, "z", "publish", 9);
	stage_until_posts(s, a, 4);
	stage_until_posts(s, b, 4);
	assert_string_equal(stage_told(a), "E1 2 3 E9 ");
	assert_string_equal(stage_told(b), "E1 2 3 E9 ");
}

static void an_emptied_redis_begins_a_new_epoch(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	stage_post(s, "a", "publish", 1);
	stage_until_posts(s, f, 1);
	redis_fixture_do(s->redis, "FLUSHALL");
	stage_until_epochs(s, f, 2);
	stage_until_following(s, f);
	stage_post(s, "b", "publish", 2);
	stage_until_posts(s, f, 2);
	assert_string_equal(stage_told(f), "E1 E2 ");
}

static void a_redis_that_comes_back_empty_begins_a_new_epoch(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	stage_post(s, "a", "publish", 1);
	stage_until_posts(s, f, 1);
	redis_fixture_kill(s->redis);
	redis_fixture_forget_data(s->redis);
	redis_fixture_restart(s->redis);
	stage_until_epochs(s, f, 2);
	stage_until_following(s, f);
	stage_post(s, "b", "publish", 2);
	stage_until_posts(s, f, 2);
	assert_string_equal(stage_told(f), "E1 E2 ");
}

static void who_was_away_longer_than_the_retention_starts_anew_alone(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0), *other = stage_follow(s, 1);
	char before[EPOCH_MAX + 1];

	stage_post(s, "a", "publish", 1);
	stage_until_posts(s, f, 1);
	stage_until_posts(s, other, 1);
	snprintf(before, sizeof before, "%s", wire_epoch(f->wire));
	/* One Redis process stands for two nodes: only the first worker misses what comes now. */
	for (unsigned version = 2; version <= 5; version++)
		stage_post_unheard(s, "a", version);
	redis_fixture_do(
		s->redis, "EVAL %s 0",
		"local all = redis.call('XRANGE', '{newswire}:wire', '-', '+', 'COUNT', 3)\n"
		"redis.call('SET', '{newswire}:floor', all[3][1])\n"
		"for i = 1, 3 do redis.call('XDEL', '{newswire}:wire', all[i][1]) end");
	stage_until_epochs(s, f, 2);
	stage_until_following(s, f);
	assert_string_equal(wire_epoch(f->wire), before);
	stage_post(s, "b", "publish", 6);
	stage_until_posts(s, f, 2);
	assert_string_equal(stage_told(f), "E1 E6 ");
}

/* attach.lua was refused twice. */
static bool has_tried_twice(void *arg)
{
	struct stage *s = arg;
	const char *stat =
		strstr(redis_fixture_do(s->redis, "INFO commandstats"), "cmdstat_evalsha:");

	return stat && strstr(stat, "failed_calls=2");
}

static void keys_of_another_program_are_left_alone_until_they_are_moved(void **state)
{
	struct stage *s = *state;
	struct follower *f;

	redis_fixture_do(s->redis, "LPUSH {newswire}:wire somebody's");
	f = stage_open_wire(s, 0);
	stage_until(s, has_tried_twice, s);
	assert_false(wire_has_epoch(f->wire));
	assert_string_equal(redis_fixture_do(s->redis, "EXISTS {newswire}:epoch"), "0");
	redis_fixture_do(s->redis, "RENAME {newswire}:wire somebody");
	stage_until_following(s, f);
}

static void posts_that_come_while_reading_wait_their_turn(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);
	char expected[32000] = "E";
	unsigned version = 0;

	/* Each round leaves a hole, so that reading and hearing go on side by side. */
	for (int round = 0; round < 60; round++) {
		stage_post_unheard(s, "a", ++version);
		stage_post(s, "a", "correct", ++version);
		stage_post(s, "a", "correct", ++version);
		if (round % 5 == 0)
			uv_run(&s->loop, UV_RUN_NOWAIT);
	}
	for (unsigned v = 1; v <= version; v++)
		snprintf(expected + strlen(expected), 8, "%u ", v);
	stage_until_posts(s, f, version);
	assert_string_equal(stage_told(f), expected);
}

static void a_flood_beyond_the_queue_is_read_instead(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	stage_post_unheard(s, "a", 1);
	stage_post_many(s, 2, 3000); /* in one batch: all of it waits for the reading */
	stage_until_posts(s, f, 3001);
	assert_int_equal(f->posts, 3001);
	assert_string_equal(backlog_newest(wire_backlog(f->wire), "u3001")->version, "3001");
	assert_int_equal(f->epochs, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_set_up, stage_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(posts_made_while_a_worker_is_away_come_once_and_in_order),
		TEST(a_worker_that_starts_before_redis_finds_it),
		TEST(a_worker_that_is_interrupted_while_it_loads_begins_again_and_harms_nobody),
		TEST(throwing_out_either_connection_loses_nothing),
		TEST(a_frozen_redis_is_noticed_and_caught_up_with),
		TEST(a_lost_tail_begins_a_new_epoch),
		TEST(a_tail_that_was_lost_and_grown_over_is_a_fork),
		TEST(a_fork_while_the_worker_was_away_is_seen_by_reading),
		TEST(another_post_with_the_id_of_the_last_one_is_a_fork),
		TEST(the_same_last_post_is_no_fork),
		TEST(two_workers_take_the_same_new_epoch),
		TEST(an_emptied_redis_begins_a_new_epoch),
		TEST(a_redis_that_comes_back_empty_begins_a_new_epoch),
		TEST(who_was_away_longer_than_the_retention_starts_anew_alone),
		TEST(keys_of_another_program_are_left_alone_until_they_are_moved),
		TEST(posts_that_come_while_reading_wait_their_turn),
		TEST(a_flood_beyond_the_queue_is_read_instead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
