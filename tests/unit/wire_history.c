/* Goal: older posts are read from Redis once for all who ask, and never a word of a killed one. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/counters.h"
#include "wire/history.h"
#include "wire_stage.h"

enum { ASKERS = 100 };

/* What an asker was told. */
struct asker {
	unsigned answers;
	enum history_answer answer;
	struct wire_id from, to;
	size_t count;
	char first[16], last[16]; /* versions */
	bool blanked;		  /* the first one */
};

static struct history *history; /* of the running test */

static int set_up(void **state)
{
	history = NULL;
	return stage_set_up(state);
}

static int tear_down(void **state)
{
	history_free(history);
	return stage_tear_down(state);
}

static void on_page(enum history_answer answer, struct history_page *page, void *arg)
{
	struct asker *a = arg;

	a->answers++;
	a->answer = answer;
	if (page == NULL)
		return;
	a->from = page->from;
	a->to = page->to;
	a->count = page->count;
	if (page->count == 0)
		return;
	snprintf(a->first, sizeof a->first, "%s", page->posts[0]->version);
	snprintf(a->last, sizeof a->last, "%s", page->posts[page->count - 1]->version);
	a->blanked = page->posts[0]->blanked;
}

static bool is_answered(void *arg)
{
	return ((struct asker *)arg)->answers > 0;
}

static void ask(struct stage *s, struct asker *a, struct wire_id after)
{
	*a = (struct asker){0};
	assert_int_equal(history_ask(history, after, on_page, a), 0);
	assert_int_equal(a->answers, 0); /* never from inside the call */
	stage_until(s, is_answered, a);
	assert_int_equal(a->answers, 1);
}

/* A follower whose backlog holds next to nothing, and 1,200 posts before it. */
static struct follower *open_stage(struct stage *s)
{
	struct follower *f;

	stage_post_many(s, 1, 1200);
	s->backlog_bytes = 1;
	f = stage_follow(s, 0);
	history = history_new(f->wire);
	assert_non_null(history);
	return f;
}

static void pages_follow_one_another_to_the_end(void **state)
{
	struct stage *s = *state;
	struct follower *f = open_stage(s);
	struct asker a;

	ask(s, &a, (struct wire_id){0});
	assert_int_equal(a.answer, HISTORY_PAGE);
	assert_int_equal(a.count, 500);
	assert_string_equal(a.first, "1");
	ask(s, &a, a.to);
	assert_string_equal(a.first, "501");
	ask(s, &a, a.to);
	assert_string_equal(a.first, "1001");
	assert_string_equal(a.last, "1200");
	assert_int_equal(wire_id_compare(a.to, wire_head(f->wire)), 0);
	ask(s, &a, a.to);
	assert_int_equal(a.answer, HISTORY_PAGE);
	assert_int_equal(a.count, 0);
}

static void a_page_is_bounded_in_bytes_too(void **state)
{
	struct stage *s = *state;
	struct asker a;

	for (unsigned version = 1; version <= 8; version++)
		stage_post_large(s, "large", version, 300000);
	s->backlog_bytes = 1;
	history = history_new(stage_follow(s, 0)->wire);
	ask(s, &a, (struct wire_id){0});
	assert_int_equal(a.count, 3);
}

static bool all_answered(void *arg)
{
	const struct asker *a = arg;

	for (int i = 0; i < ASKERS; i++)
		if (a[i].answers == 0)
			return false;
	return true;
}

static void a_hundred_askers_cost_one_read(void **state)
{
	static struct asker askers[ASKERS];
	struct stage *s = *state;
	uint64_t reads;
	struct asker a;

	open_stage(s);
	ask(s, &a, (struct wire_id){0});
	history_drop_all(history);
	memset(askers, 0, sizeof askers);
	reads = COUNTER_GET(HISTORY_READS);
	for (int i = 0; i < ASKERS; i++)
		assert_int_equal(history_ask(history, a.from, on_page, &askers[i]), 0);
	stage_until(s, all_answered, askers);
	assert_int_equal(COUNTER_GET(HISTORY_READS) - reads, 1);
	for (int i = 0; i < ASKERS; i++)
		assert_int_equal(askers[i].count, 500);
}

static void askers_at_different_places_of_a_page_share_it(void **state)
{
	static struct asker askers[ASKERS];
	struct wire_id places[ASKERS];
	struct stage *s = *state;
	struct history_page *page;
	uint64_t reads;
	struct asker a;

	open_stage(s);
	ask(s, &a, (struct wire_id){0});
	page = history_find(history, (struct wire_id){0});
	assert_non_null(page);
	for (int i = 0; i < ASKERS; i++)
		places[i] =
			page->posts[(size_t)4 * (ASKERS - 1 - i)]->id; /* the latest asks first */
	for (int i = 0; i < ASKERS; i++)
		assert_ptr_equal(history_find(history, places[i]), page);
	history_drop_all(history);
	assert_null(history_find(history, places[0]));
	memset(askers, 0, sizeof askers);
	reads = COUNTER_GET(HISTORY_READS);
	for (int i = 0; i < ASKERS; i++)
		assert_int_equal(history_ask(history, places[i], on_page, &askers[i]), 0);
	stage_until(s, all_answered, askers);
	assert_in_range(COUNTER_GET(HISTORY_READS) - reads, 1, 2);
	for (int i = 0; i < ASKERS; i++)
		assert_int_equal(askers[i].answer, HISTORY_PAGE);
}

static void a_place_that_is_none_is_gone(void **state)
{
	struct stage *s = *state;
	struct follower *f = open_stage(s);
	struct asker a;

	ask(s, &a, (struct wire_id){5, 5}); /* below all */
	assert_int_equal(a.answer, HISTORY_GONE);
	ask(s, &a, (struct wire_id){wire_head(f->wire).ms + 5, 0}); /* above all */
	assert_int_equal(a.answer, HISTORY_GONE);
	ask(s, &a, (struct wire_id){0});
	assert_int_equal(a.answer, HISTORY_PAGE);
	a.to.seq += 100000; /* inside, but no post */
	assert_null(history_find(history, a.to));
	ask(s, &a, a.to);
	assert_int_equal(a.answer, HISTORY_GONE);
}

static void what_was_trimmed_is_gone_but_the_floor_is_known(void **state)
{
	struct stage *s = *state;
	struct asker a;
	struct wire_id floor;

	open_stage(s);
	ask(s, &a, (struct wire_id){0});
	floor = a.to;
	redis_fixture_do(
		s->redis, "EVAL %s 0",
		"local all = redis.call('XRANGE', '{newswire}:wire', '-', '+', 'COUNT', 500)\n"
		"redis.call('SET', '{newswire}:floor', all[500][1])\n"
		"for i = 1, 500 do redis.call('XDEL', '{newswire}:wire', all[i][1]) end");
	history_drop_all(history);
	ask(s, &a, (struct wire_id){0});
	assert_int_equal(a.answer, HISTORY_GONE);
	ask(s, &a, floor);
	assert_int_equal(a.answer, HISTORY_PAGE);
	assert_string_equal(a.first, "501");
}

static void a_kill_blanks_the_pages_in_memory(void **state)
{
	struct stage *s = *state;
	struct follower *f = open_stage(s);
	struct history_page *page;
	struct asker a;

	ask(s, &a, (struct wire_id){0});
	stage_post(s, "u1", "kill", 7);
	stage_until_posts(s, f, 1);
	history_hear(history, backlog_newest(wire_backlog(f->wire), "u1"));
	page = history_find(history, (struct wire_id){0});
	assert_true(page->posts[0]->blanked);
	assert_false(page->posts[1]->blanked);
}

/* The test's desk leaves the text of killed stories in Redis: only what this worker heard can blank the page. */
static void a_kill_blanks_a_page_that_is_on_its_way(void **state)
{
	struct stage *s = *state;
	struct follower *f = open_stage(s);
	char epoch[EPOCH_MAX + 1], head[WIRE_ID_TEXT_MAX], message[400];
	struct asker a = {0};

	/* Redis answers the page as of now, and the message on `out` is from after it, but is read first. */
	snprintf(epoch, sizeof epoch, "%s", wire_epoch(f->wire));
	wire_id_format(wire_head(f->wire), head);
	snprintf(message, sizeof message,
		 "1 %s 9999999999999-0 %s\n{\"action\":\"kill\",\"uri\":\"u1\",\"version\":\"2\","
		 "\"class\":\"regular\",\"channels\":\"feed:all\"}\n",
		 epoch, head);
	redis_fixture_do(s->redis, "PUBLISH newswire:out %s", message);
	stage_until_posts(s, f, 1);
	assert_true(wire_is_withdrawn(f->wire, "u1", backlog_start(wire_backlog(f->wire))));
	assert_int_equal(history_ask(history, (struct wire_id){0}, on_page, &a), 0);
	stage_until(s, is_answered, &a);
	assert_true(a.blanked);
}

static void a_text_that_redis_has_no_more_comes_blanked(void **state)
{
	struct stage *s = *state;
	struct asker a;

	stage_post_many(s, 1, 10);
	redis_fixture_do(s->redis, "DEL {newswire}:body:u1:1");
	s->backlog_bytes = 1;
	history = history_new(stage_follow(s, 0)->wire);
	ask(s, &a, (struct wire_id){0});
	assert_int_equal(a.count, 10);
	assert_true(a.blanked);
}

static void while_redis_is_away_askers_hear_so(void **state)
{
	struct stage *s = *state;
	struct follower *f = open_stage(s);
	struct asker a = {0};

	assert_int_equal(history_ask(history, (struct wire_id){0}, on_page, &a), 0);
	redis_fixture_kill(s->redis);
	stage_until(s, is_answered, &a);
	while (link_state(wire_link(f->wire)) == LINK_READY)
		uv_run(&s->loop, UV_RUN_ONCE);
	ask(s, &a, (struct wire_id){1, 0});
	assert_int_equal(a.answer, HISTORY_AWAY);
}

static void who_forgets_is_not_told(void **state)
{
	struct stage *s = *state;
	struct asker stays = {0}, leaves = {0};

	open_stage(s);
	assert_int_equal(history_ask(history, (struct wire_id){0}, on_page, &leaves), 0);
	assert_int_equal(history_ask(history, (struct wire_id){0}, on_page, &stays), 0);
	history_forget(history, &leaves);
	stage_until(s, is_answered, &stays);
	assert_int_equal(leaves.answers, 0);
}

static void whoever_waits_at_the_end_hears_that_redis_is_away(void **state)
{
	struct stage *s = *state;
	struct asker a = {0};

	open_stage(s);
	assert_int_equal(history_ask(history, (struct wire_id){0}, on_page, &a), 0);
	history_free(history);
	history = NULL;
	assert_int_equal(a.answers, 1);
	assert_int_equal(a.answer, HISTORY_AWAY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(pages_follow_one_another_to_the_end),
		TEST(a_page_is_bounded_in_bytes_too),
		TEST(a_hundred_askers_cost_one_read),
		TEST(askers_at_different_places_of_a_page_share_it),
		TEST(a_place_that_is_none_is_gone),
		TEST(what_was_trimmed_is_gone_but_the_floor_is_known),
		TEST(a_kill_blanks_the_pages_in_memory),
		TEST(a_kill_blanks_a_page_that_is_on_its_way),
		TEST(a_text_that_redis_has_no_more_comes_blanked),
		TEST(while_redis_is_away_askers_hear_so),
		TEST(who_forgets_is_not_told),
		TEST(whoever_waits_at_the_end_hears_that_redis_is_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
