/* Goal: what workers count adds up in Redis, says who has not spoken yet, and neither grows nor is lost in silence. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/counters.h"
#include "wire/reach.h"
#include "wire/tally.h"
#include "wire_stage.h"

/* What was answered, kept. */
static struct {
	unsigned count;
	enum reach_answer answer;
	char *body;
} got;

static const char *asker; /* NULL: one who may see all */

static int set_up(void **state)
{
	got.count = 0;
	asker = NULL;
	return stage_set_up(state);
}

static int tear_down(void **state)
{
	free(got.body);
	got.body = NULL;
	return stage_tear_down(state);
}

static void on_answer(enum reach_answer answer, const struct buf *body, void *arg)
{
	(void)arg;
	got.count++;
	got.answer = answer;
	free(got.body);
	got.body = strndup(body->len ? body->data : "", body->len);
}

static bool is_answered(void *arg)
{
	return got.count == *(unsigned *)arg;
}

static void ask(struct stage *s, unsigned worker)
{
	unsigned wanted = got.count + 1;

	assert_int_equal(reach_ask(s->follower[worker].wire, "a", asker, on_answer, NULL), 0);
	stage_until(s, is_answered, &wanted);
}

/* Asks until the newest post's reach says this. */
static void ask_until(struct stage *s, unsigned worker, const char *what)
{
	uint64_t end = clock_mono_ms() + STAGE_SOON;

	do {
		ask(s, worker);
		if (strstr(got.body, what))
			return;
	} while (clock_mono_ms() < end);
	fail_msg("no %s in %s", what, got.body);
}

/* A post of the uri `a`, which is heard, or missed by all. The item knows all of the wire. */
static void post(struct stage *s, unsigned version, bool heard)
{
	if (heard)
		stage_post(s, "a", "publish", version);
	else
		stage_post_unheard(s, "a", version);
	redis_fixture_eval(
		s->redis,
		"local ids = {}\n"
		"for i, entry in ipairs(redis.call('XRANGE', '{newswire}:wire', '-', '+')) do "
		"ids[i] = entry[1] end\n"
		"redis.call('HSET', '{newswire}:item:a', 'status', 'usable', 'version', '1', "
		"'posts', table.concat(ids, ' '))\n",
		0, NULL);
}

static struct post *newest(const struct follower *f)
{
	return backlog_newest(wire_backlog(f->wire), "a");
}

static void written(const struct follower *f, unsigned readers, unsigned behind)
{
	tallies_add(wire_tallies(f->wire), newest(f), readers, behind, clock_mono_ms());
}

/* Two workers that have heard of one post. */
static void two_workers_hear(struct stage *s)
{
	stage_follow(s, 0);
	stage_follow(s, 1);
	post(s, 1, true);
	stage_until_posts(s, &s->follower[0], 1);
	stage_until_posts(s, &s->follower[1], 1);
}

static void a_worker_without_readers_says_so(void **state)
{
	struct stage *s = *state;

	two_workers_hear(s);
	ask_until(s, 0,
		  "\"readers\":0,\"behind\":0,\"ms\":null,\"workers\":2,\"reported\":2,"
		  "\"complete\":true");
	assert_int_equal(got.answer, REACH_OK);
	assert_non_null(strstr(got.body, "{\"uri\":\"a\",\"status\":\"usable\",\"id\":\""));
	assert_non_null(strstr(got.body, "\"action\":\"publish\",\"version\":\"1\",\"readers\":0"));
}

static void workers_add_up_and_the_last_write_counts(void **state)
{
	struct stage *s = *state;
	uint64_t began = clock_mono_ms();
	unsigned long ms;

	two_workers_hear(s);
	written(&s->follower[0], 18000, 1);
	written(&s->follower[0], 400, 0);
	written(&s->follower[1], 12, 2);
	ask_until(s, 1, "\"workers\":2,\"reported\":2,\"complete\":true");
	assert_non_null(strstr(got.body, "\"readers\":18412,\"behind\":3,\"ms\":"));
	ms = strtoul(strstr(got.body, "\"ms\":") + 5, NULL, 10);
	assert_in_range(ms, 0, clock_mono_ms() - began + 1);
}

static void who_lagged_is_added_when_he_has_caught_up(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	post(s, 1, true);
	stage_until_posts(s, &s->follower[0], 1);
	written(&s->follower[0], 5, 1);
	ask_until(s, 0, "\"readers\":5,\"behind\":1");
	written(&s->follower[0], 1, 0);
	ask_until(s, 0, "\"readers\":6,\"behind\":1");
}

static void the_report_of_a_worker_that_died_stays_missing(void **state)
{
	struct stage *s = *state;

	two_workers_hear(s);
	stage_leave(s, 1);
	ask_until(s, 0, "\"reported\":1");
	assert_non_null(strstr(got.body, "\"workers\":2,\"reported\":1,\"complete\":false"));
	post(s, 2, true);
	stage_until_posts(s, &s->follower[0], 2);
	ask_until(s, 0,
		  "\"version\":\"2\",\"readers\":0,\"behind\":0,\"ms\":null,\"workers\":1,"
		  "\"reported\":1,\"complete\":true");
	assert_non_null(strstr(got.body, "\"workers\":2,\"reported\":1,\"complete\":false"));
}

static void a_worker_that_missed_the_message_reports_too(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	stage_follow(s, 1);
	post(s, 1, false);
	stage_until_posts(s, &s->follower[0], 1);
	stage_until_posts(s, &s->follower[1], 1);
	ask_until(s, 0, "\"workers\":2,\"reported\":2,\"complete\":true");
}

static void nothing_is_twice_when_the_message_comes_after_reading(void **state)
{
	struct stage *s = *state;
	struct post *first;
	char message[300];
	char id[WIRE_ID_TEXT_MAX];

	stage_follow(s, 0);
	post(s, 1, false);
	stage_until_posts(s, &s->follower[0], 1);
	first = newest(&s->follower[0]);
	wire_id_format(first->id, id);
	written(&s->follower[0], 3, 0);
	redis_fixture_eval(s->redis,
			   "local e = redis.call('XRANGE', '{newswire}:wire', '-', '+')[1]\n"
			   "redis.call('DEL', '{newswire}:wire')\n"
			   "redis.call('XADD', '{newswire}:wire', e[1], 'v', '1', 'prev', e[2][4], "
			   "'meta', e[2][6], 'heard', '1')\n",
			   0, NULL);
	ask_until(s, 0, "\"readers\":3");
	assert_non_null(strstr(got.body, "\"workers\":2,\"reported\":1,\"complete\":false"));
	snprintf(message, sizeof message,
		 "1 %s %s 0-0\n{\"action\":\"publish\",\"uri\":\"a\",\"version\":\"1\",\"class\":"
		 "\"regular\",\"channels\":\"world\"}\n{}",
		 wire_epoch(s->follower[0].wire), id);
	redis_fixture_do(s->redis, "PUBLISH newswire:out %s", message);
	ask_until(s, 0, "\"workers\":1,\"reported\":1,\"complete\":true");
	assert_non_null(strstr(got.body, "\"readers\":3,"));
}

static bool is_away(void *arg)
{
	return !wire_is_following(((struct follower *)arg)->wire);
}

static void a_report_that_redis_did_not_take_is_made_again(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	post(s, 1, true);
	stage_until_posts(s, &s->follower[0], 1);
	written(&s->follower[0], 7, 0);
	redis_fixture_restart(s->redis);
	stage_until(s, is_away, &s->follower[0]);
	stage_until_following(s, &s->follower[0]);
	ask_until(s, 0, "\"readers\":7,");
	assert_non_null(strstr(got.body, "\"complete\":true"));
}

static void what_has_to_make_room_unreported_is_counted(void **state)
{
	struct stage *s = *state;
	char path[] = "/nonexistent/redis.sock";
	struct redis_place nowhere = {.unix_path = path};
	struct link_events none = {0};
	struct link *link = link_open(&s->loop, &nowhere, "nowhere", &none, NULL);
	struct tallies *t = tallies_open(&s->loop, link, "newswire", 1000);
	uint64_t lost = COUNTER_GET(REACH_LOST);
	struct post post = {.id = {1, 0}}, first = {.id = {0, 1}};

	tallies_begin(t, &first);
	for (unsigned i = 1; i < TALLIES + 10; i++, post.id.seq++)
		tallies_begin(t, &post);
	assert_int_equal(COUNTER_GET(REACH_LOST) - lost, 10);
	tallies_add(t, &first, 1, 0, clock_mono_ms()); /* its place is another's now */
	tallies_add(t, &post, 1, 0, clock_mono_ms());
	for (int i = 0; i < 3; i++)
		uv_run(&s->loop, UV_RUN_ONCE); /* a report that cannot be sent */
	assert_int_equal(COUNTER_GET(REACH_LOST) - lost, 10);
	link_close(link);
	tallies_close(t);
}

static bool has_reach(struct stage *s, const char *id)
{
	return strcmp(redis_fixture_do(s->redis, "EXISTS {newswire}:reach:%s", id), "1") == 0;
}

static const char *count_reaches(struct stage *s)
{
	return redis_fixture_eval(s->redis, "return #redis.call('KEYS', '{newswire}:reach:*')", 0,
				  NULL);
}

/* Goal: nobody takes a zero for the truth because a report fell between hearing a post and writing it. */
static void a_post_is_not_reported_before_its_readers_were_written_to(void **state)
{
	struct stage *s = *state;
	struct wire *wire = stage_follow(s, 0)->wire;
	struct tallies *t = tallies_open(&s->loop, wire_link(wire), "newswire", 1000000);
	struct post first = {.id = {1, 0}}, second = {.id = {2, 0}};

	tallies_begin(t, &first);
	tallies_told(t, NULL);
	tallies_begin(t, &second);
	while (!has_reach(s, "1-0"))
		uv_run(&s->loop, UV_RUN_ONCE);
	assert_false(has_reach(s, "2-0"));
	tallies_told(t, NULL);
	while (!has_reach(s, "2-0"))
		uv_run(&s->loop, UV_RUN_ONCE);
	stage_leave(s, 0);
	tallies_close(t);
}

static void a_thousand_posts_are_a_few_calls(void **state)
{
	struct stage *s = *state;
	const char *calls;
	struct wire_id last;
	char id[WIRE_ID_TEXT_MAX];

	stage_follow(s, 0);
	redis_fixture_do(s->redis, "CONFIG RESETSTAT");
	stage_post_many(s, 1, 1000);
	stage_until_posts(s, &s->follower[0], 1000);
	last = wire_head(s->follower[0].wire);
	wire_id_format(last, id);
	while (!has_reach(s, id))
		uv_run(&s->loop, UV_RUN_ONCE);
	calls = strstr(redis_fixture_do(s->redis, "INFO commandstats"), "cmdstat_evalsha:calls=");
	assert_non_null(calls);
	assert_in_range(strtol(calls + strlen("cmdstat_evalsha:calls="), NULL, 10), 1,
			1000 / TALLY_AT_ONCE + 12); /* the wire's own among them */
	assert_string_equal(count_reaches(s), "1000");
	assert_true(strtol(redis_fixture_do(s->redis, "PTTL {newswire}:reach:%s", id), NULL, 10) >
		    3500000);
}

static bool is_trimmed(void *arg)
{
	return strcmp(redis_fixture_do(arg, "XLEN {newswire}:wire"), "10") == 0;
}

static void trimming_the_wire_takes_the_reach_along(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	stage_post_many(s, 1, 30);
	stage_until_posts(s, &s->follower[0], 30);
	while (strcmp(count_reaches(s), "30") != 0)
		uv_run(&s->loop, UV_RUN_ONCE);
	s->max_entries = 10;
	stage_leave(s, 0);
	redis_fixture_do(s->redis, "DEL {newswire}:trimmer");
	stage_follow(s, 0);
	stage_until(s, is_trimmed, s->redis);
	assert_string_equal(count_reaches(s), "10");
}

static void a_key_of_another_program_spoils_only_its_own_post(void **state)
{
	struct stage *s = *state;
	char id[WIRE_ID_TEXT_MAX];

	stage_follow(s, 0);
	post(s, 1, true);
	stage_until_posts(s, &s->follower[0], 1);
	wire_id_format(wire_head(s->follower[0].wire), id);
	redis_fixture_do(s->redis, "SET {newswire}:reach:%s mine", id);
	post(s, 2, true);
	stage_until_posts(s, &s->follower[0], 2);
	ask_until(s, 0,
		  "\"version\":\"2\",\"readers\":0,\"behind\":0,\"ms\":null,\"workers\":1,"
		  "\"reported\":1,\"complete\":true");
	assert_non_null(strstr(got.body, "\"version\":\"1\",\"readers\":0,\"behind\":0,\"ms\":null,"
					 "\"workers\":1,\"reported\":0,\"complete\":false"));
	assert_string_equal(redis_fixture_do(s->redis, "GET {newswire}:reach:%s", id), "mine");
	wire_id_format(wire_head(s->follower[0].wire), id);
	redis_fixture_do(s->redis, "HSET {newswire}:reach:%s other nonsense", id);
	ask(s, 0);
	assert_non_null(strstr(got.body, "\"workers\":1,\"reported\":1,\"complete\":true"));
}

static void an_unknown_uri_is_missing_and_one_under_embargo_is_held(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	ask(s, 0);
	assert_int_equal(got.answer, REACH_MISSING);
	redis_fixture_do(s->redis, "HSET {newswire}:held:a body horror");
	ask(s, 0);
	assert_string_equal(got.body, "{\"uri\":\"a\",\"status\":\"held\",\"posts\":[]}\n");
	redis_fixture_do(s->redis, "HSET {newswire}:item:a status canceled action purge version 1");
	ask(s, 0);
	assert_int_equal(got.answer, REACH_PURGED);
	redis_fixture_do(s->redis, "SET {newswire}:item:a mine");
	ask(s, 0);
	assert_int_equal(got.answer, REACH_AWAY);
}

static void what_nobody_was_sent_is_only_its_owners_to_know(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	redis_fixture_do(s->redis, "HSET {newswire}:held:a body horror owner desk");
	asker = "other";
	ask(s, 0);
	assert_int_equal(got.answer, REACH_MISSING);
	asker = "desk";
	ask(s, 0);
	assert_string_equal(got.body, "{\"uri\":\"a\",\"status\":\"held\",\"posts\":[]}\n");
	redis_fixture_do(s->redis, "DEL {newswire}:held:a");
	redis_fixture_do(s->redis, "HSET {newswire}:item:a status canceled version 1 owner desk");
	ask(s, 0);
	assert_int_equal(got.answer, REACH_OK);
	asker = "other";
	ask(s, 0);
	assert_int_equal(got.answer, REACH_MISSING);
	redis_fixture_do(s->redis, "HSET {newswire}:item:a first 1-0");
	ask(s, 0);
	assert_int_equal(got.answer, REACH_OK);
}

static void whoever_waits_when_the_wire_closes_is_answered(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	assert_int_equal(reach_ask(s->follower[0].wire, "a", NULL, on_answer, NULL), 0);
	stage_leave(s, 0);
	assert_int_equal(got.count, 1);
	assert_int_equal(got.answer, REACH_AWAY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_worker_without_readers_says_so),
		TEST(workers_add_up_and_the_last_write_counts),
		TEST(who_lagged_is_added_when_he_has_caught_up),
		TEST(the_report_of_a_worker_that_died_stays_missing),
		TEST(a_worker_that_missed_the_message_reports_too),
		TEST(nothing_is_twice_when_the_message_comes_after_reading),
		TEST(a_report_that_redis_did_not_take_is_made_again),
		TEST(what_has_to_make_room_unreported_is_counted),
		TEST(a_post_is_not_reported_before_its_readers_were_written_to),
		TEST(a_thousand_posts_are_a_few_calls),
		TEST(trimming_the_wire_takes_the_reach_along),
		TEST(a_key_of_another_program_spoils_only_its_own_post),
		TEST(an_unknown_uri_is_missing_and_one_under_embargo_is_held),
		TEST(what_nobody_was_sent_is_only_its_owners_to_know),
		TEST(whoever_waits_when_the_wire_closes_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
