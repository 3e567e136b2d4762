/* Goal: the backlog finds places by id, stays within its bytes, and keeps no word of a killed story. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/counters.h"
#include "wire/backlog.h"
#include "wire/queue.h"

static struct wire_id at(uint64_t ms)
{
	return (struct wire_id){ms, 0};
}

static struct post *make(uint64_t ms, const char *uri, const char *action, size_t text)
{
	static char body[100000];
	char meta[300];

	snprintf(meta, sizeof meta,
		 "{\"action\":\"%s\",\"uri\":\"%s\",\"version\":\"1\",\"class\":\"regular\","
		 "\"channels\":\"feed:all\"}",
		 action, uri);
	memset(body, 'x', text + 2);
	body[0] = '{';
	body[text + 1] = '}';
	return post_read_entry("e", at(ms), at(ms - 1), meta, strlen(meta), body, text + 2);
}

static struct post *add(struct backlog *b, uint64_t ms, const char *uri, const char *action,
			size_t text)
{
	struct post *post = make(ms, uri, action, text);

	assert_non_null(post);
	assert_int_equal(backlog_append(b, post), 0);
	post_drop(post); /* the backlog holds it */
	return post;
}

static void places_are_found_by_id(void **state)
{
	struct backlog *b = backlog_new(1 << 20);

	(void)state;
	backlog_reset(b, at(5));
	assert_true(backlog_knows(b, at(5)));
	assert_int_equal(backlog_after(b, at(5)), 0);
	for (uint64_t ms = 10; ms <= 10000; ms += 10)
		add(b, ms, "a", "correct", 1);
	for (uint64_t ms = 10; ms <= 10000; ms += 10) {
		assert_int_equal(backlog_after(b, at(ms)), ms / 10);
		assert_int_equal(backlog_after(b, at(ms - 1)), ms / 10 - 1);
		assert_true(backlog_knows(b, at(ms)));
		assert_false(backlog_knows(b, at(ms + 1)));
	}
	assert_true(backlog_knows(b, at(5)));
	assert_false(backlog_knows(b, at(4)));
	assert_int_equal(backlog_head(b).ms, 10000);
	backlog_free(b);
}

static void the_oldest_go_first_when_bytes_run_out(void **state)
{
	struct backlog *b = backlog_new(20000);

	(void)state;
	for (uint64_t ms = 1; ms <= 1000; ms++)
		add(b, ms, ms % 2 ? "odd" : "even", "correct", 1000);
	assert_in_range(backlog_bytes(b), 15000, 20000);
	assert_in_range(backlog_count(b), 8, 19);
	assert_int_equal(backlog_start(b).ms, 1000 - backlog_count(b));
	assert_true(backlog_knows(b, backlog_start(b)));
	assert_int_equal(backlog_newest(b, "odd")->id.ms, 999);
	assert_int_equal(backlog_newest(b, "even")->id.ms, 1000);
	backlog_free(b);
}

static void the_newest_stays_however_large(void **state)
{
	struct backlog *b = backlog_new(1000);

	(void)state;
	add(b, 1, "a", "publish", 90000);
	assert_int_equal(backlog_count(b), 1);
	add(b, 2, "b", "publish", 90000);
	assert_int_equal(backlog_count(b), 1);
	assert_null(backlog_newest(b, "a"));
	assert_int_equal(backlog_start(b).ms, 1);
	backlog_free(b);
}

static uint64_t sum_of(const struct backlog *b)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < backlog_count(b); i++)
		sum += backlog_at(b, i)->bytes;
	return sum;
}

static void frames_count_as_soon_as_they_are_made(void **state)
{
	struct backlog *b = backlog_new(30000);
	uint64_t before;

	(void)state;
	for (uint64_t ms = 1; ms <= 10; ms++)
		add(b, ms, "a", "correct", 1000);
	before = backlog_bytes(b);
	assert_int_equal(backlog_count(b), 10);
	for (size_t i = 0; i < 10; i++)
		assert_non_null(post_frame(backlog_at(b, i), FORMAT_WEBSOCKET, MATCH_FULL));
	assert_true(backlog_bytes(b) > before + 10000);
	assert_int_equal(backlog_count(b), 10);
	for (uint64_t ms = 11; ms <= 200; ms++) {
		assert_non_null(
			post_frame(add(b, ms, "a", "correct", 1000), FORMAT_WEBSOCKET, MATCH_FULL));
		backlog_settle(b);
		assert_true(backlog_bytes(b) <= 30000);
	}
	assert_int_equal(backlog_bytes(b), sum_of(b));
	backlog_free(b);
}

static void frames_of_older_posts_count_in_every_format_and_make_room_for_themselves(void **state)
{
	struct backlog *b = backlog_new(1 << 20);

	(void)state;
	for (uint64_t ms = 1; ms <= 500; ms++)
		add(b, ms, "a", "correct", 1000);
	for (enum format f = 0; f < FORMAT_COUNT; f++) {
		for (size_t i = 0; !format_names_channel(f) && i < backlog_count(b); i++)
			assert_non_null(post_frame(backlog_at(b, i), f, MATCH_FULL));
		assert_int_equal(backlog_bytes(b), sum_of(b));
		backlog_settle(b);
		assert_in_range(backlog_bytes(b), 1 << 19, 1 << 20);
	}
	assert_in_range(backlog_count(b), 50, 400);
	backlog_free(b);
}

static void a_post_that_has_left_counts_no_more(void **state)
{
	struct backlog *b = backlog_new(5000);
	struct post *post;
	uint64_t before;

	(void)state;
	post = post_hold(add(b, 1, "a", "publish", 1000));
	for (uint64_t ms = 2; ms <= 10; ms++)
		add(b, ms, "b", "publish", 1000);
	before = backlog_bytes(b);
	assert_non_null(post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL));
	assert_int_equal(backlog_bytes(b), before);
	post_drop(post);
	backlog_free(b);
}

static void the_versions_of_a_story_are_chained(void **state)
{
	struct backlog *b = backlog_new(1 << 20);
	struct post *first, *second, *third;

	(void)state;
	first = add(b, 1, "a", "publish", 1);
	add(b, 2, "b", "publish", 1);
	second = add(b, 3, "a", "correct", 1);
	third = add(b, 4, "a", "correct", 1);
	assert_ptr_equal(first->newer, second);
	assert_ptr_equal(second->newer, third);
	assert_null(third->newer);
	assert_ptr_equal(backlog_newest(b, "a"), third);
	backlog_free(b);
}

static void a_kill_or_hold_takes_text_and_bytes_of_its_story_only(void **state)
{
	const char *const actions[] = {"kill", "hold"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(actions); i++) {
		struct backlog *b = backlog_new(1 << 20);
		uint64_t before;

		add(b, 1, "a", "publish", 5000);
		assert_non_null(post_frame(backlog_at(b, 0), FORMAT_WEBSOCKET, MATCH_FULL));
		add(b, 2, "b", "publish", 5000);
		add(b, 3, "a", "correct", 5000);
		backlog_settle(b);
		before = backlog_bytes(b);
		add(b, 4, "a", actions[i], 0);
		assert_true(backlog_at(b, 0)->blanked);
		assert_null(post_frame(backlog_at(b, 0), FORMAT_WEBSOCKET, MATCH_FULL));
		assert_false(backlog_at(b, 1)->blanked);
		assert_true(backlog_at(b, 2)->blanked);
		assert_true(backlog_bytes(b) < before - 14000);
		add(b, 5, "a", "release", 100); /* later text is not touched */
		assert_false(backlog_at(b, 4)->blanked);
		backlog_free(b);
	}
}

static void who_holds_a_post_keeps_it_beyond_its_eviction(void **state)
{
	struct backlog *b = backlog_new(1000);
	struct post *post;

	(void)state;
	post = post_hold(add(b, 1, "a", "publish", 2000));
	add(b, 2, "a", "correct", 2000);
	assert_int_equal(backlog_at(b, 0)->id.ms, 2);
	assert_null(post->newer);
	assert_int_equal(post->body_len, 2002);
	post_drop(post);
	backlog_free(b);
}

static uint64_t span(void)
{
	return counters_least(counters_mine, 1, COUNTER_BACKLOG_SPAN);
}

static void it_says_each_second_how_far_back_it_reaches(void **state)
{
	struct backlog *b = backlog_new(20000);

	(void)state;
	clock_set_for_test(0, 100999);
	backlog_second(b);
	assert_int_equal(span(), 0);
	add(b, 40000, "a", "publish", 1000);
	add(b, 90000, "b", "publish", 1000);
	backlog_second(b);
	assert_int_equal(span(), 60);
	add(b, 95000, "c", "publish", 19000);
	backlog_second(b);
	assert_int_equal(span(), 5);
	clock_set_for_test(0, 94000); /* Redis' clock is ahead */
	backlog_second(b);
	assert_int_equal(span(), 0);
	clock_real_for_test();
	backlog_free(b);
}

static void what_is_blanked_in_the_queue_leaves_as_much_room_as_it_took(void **state)
{
	static struct queue queue;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(queue_add(&queue, make(1 + (uint64_t)i, "a", "publish", 20000)),
				 0);
	assert_in_range(queue.bytes, 60000, 70000);
	post_blank(queue_at(&queue, 1));
	while (queue.count > 0)
		post_drop(queue_take(&queue));
	assert_int_equal(queue.bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_found_by_id),
		cmocka_unit_test(the_oldest_go_first_when_bytes_run_out),
		cmocka_unit_test(the_newest_stays_however_large),
		cmocka_unit_test(frames_count_as_soon_as_they_are_made),
		cmocka_unit_test(
			frames_of_older_posts_count_in_every_format_and_make_room_for_themselves),
		cmocka_unit_test(a_post_that_has_left_counts_no_more),
		cmocka_unit_test(the_versions_of_a_story_are_chained),
		cmocka_unit_test(a_kill_or_hold_takes_text_and_bytes_of_its_story_only),
		cmocka_unit_test(who_holds_a_post_keeps_it_beyond_its_eviction),
		cmocka_unit_test(it_says_each_second_how_far_back_it_reaches),
		cmocka_unit_test(what_is_blanked_in_the_queue_leaves_as_much_room_as_it_took),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
