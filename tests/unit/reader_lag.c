/* How far behind a connected reader may be: in bytes and in time. Beyond, it is told of a gap and goes on from now; and whoever only
 * looks as if he were behind is left alone. */
enum { LAG_BYTES = 40000, LAG_TIME_MS = 64000 };
#include "reader_pipes.h"
#include "base/clock.h"

enum { SECONDS = LAG_TIME_MS / 1000, SURELY = SECONDS + SECONDS / LAG_STEPS + 1 };

static uint64_t now_ms;

/* So many seconds pass, in which nothing else happens. */
static void pass(int seconds)
{
	while (seconds-- > 0) {
		now_ms += 1000;
		clock_set_for_test(now_ms, 0);
		readers_second(all);
		readers_reap(all);
	}
}

static int begin(void **state)
{
	now_ms = 1000000;
	clock_set_for_test(now_ms, 0);
	counters_mine->value[COUNTER_LAG_BYTES] = counters_mine->value[COUNTER_LAG_TIME] = 0;
	return setup(state);
}

static int end(void **state)
{
	clock_real_for_test();
	return teardown(state);
}

static int gaps(const struct pipe *p)
{
	return count_heard(p, "\"type\":\"gap\"");
}

static int posts(const struct pipe *p)
{
	return count_heard(p, "\"type\":\"post\"");
}

/* Its connection takes nothing, and it is behind. */
static void block(struct pipe *p)
{
	stop_reading(p);
	publish_stories(1);
	assert_true(reader_is_blocked(p->reader));
}

static void who_is_not_too_far_behind_gets_everything(void **state)
{
	struct pipe *p = open_reader(0, false);

	(void)state;
	block(p);
	publish_stories(30);
	give_room(p, FOR_EVER);
	assert_int_equal(posts(p), 31);
	assert_int_equal(gaps(p), 0);
	assert_true(reader_is_live(p->reader));
}

static void who_is_too_many_bytes_behind_is_told_of_a_gap_and_goes_on_from_now(void **state)
{
	struct pipe *p = open_reader(0, false);

	(void)state;
	block(p);
	publish_stories(50);
	give_room(p, FOR_EVER);
	assert_int_equal(posts(p), 1); /* the one that was begun */
	assert_int_equal(gaps(p), 1);
	assert_int_equal(COUNTER_GET(LAG_BYTES), 1);
	assert_true(reader_is_live(p->reader));
	publish_stories(3);
	assert_int_equal(posts(p), 4);
}

static void versions_that_were_replaced_do_not_count(void **state)
{
	struct pipe *p = open_reader(0, false);

	(void)state;
	block(p);
	for (int version = 1; version <= 100; version++)
		publish("correct", "regular", "urn:one", version);
	give_room(p, FOR_EVER);
	assert_int_equal(gaps(p), 0);
	assert_int_equal(posts(p), 2);
}

static void what_others_read_does_not_count(void **state)
{
	struct pipe *p = open_as(0, FORMAT_WEBSOCKET, false, "sport", NULL);

	(void)state;
	give_room(p, FOR_EVER);
	stop_reading(p);
	reader_answer(p->reader, "{}", 2); /* does not go through */
	publish_stories(1);
	publish_stories(200);
	give_room(p, FOR_EVER);
	assert_int_equal(gaps(p), 0);
	assert_int_equal(posts(p), 0);
	assert_true(reader_is_live(p->reader));
}

static void who_waits_for_something_old_is_told_of_a_gap(void **state)
{
	struct pipe *p = open_reader(0, false);

	(void)state;
	block(p);
	publish_stories(1);
	for (int i = 0; i < SURELY; i++) {
		pass(1);
		p->len += 1; /* something goes through now and then */
	}
	p->len -= SURELY;
	give_room(p, FOR_EVER);
	assert_int_equal(gaps(p), 1);
	assert_int_equal(posts(p), 1);
	assert_int_equal(COUNTER_GET(LAG_TIME), 1);
	assert_true(reader_is_live(p->reader));
}

static void what_came_a_moment_ago_is_not_old(void **state)
{
	struct pipe *p = open_reader(0, false);

	(void)state;
	pass(2 * SURELY);
	block(p);
	publish_stories(1);
	pass(SECONDS - 2);
	give_room(p, FOR_EVER);
	assert_int_equal(gaps(p), 0);
	assert_int_equal(posts(p), 2);
}

static void who_comes_back_to_much_that_is_old_gets_all_of_it(void **state)
{
	struct cursor before = {.epoch = "e1", .id = wire.head};
	struct pipe *p;

	(void)state;
	publish_stories(200);
	pass(2 * SURELY);
	p = open_as(0, FORMAT_WEBSOCKET, false, "world", &before);
	give_room(p, FOR_EVER);
	assert_int_equal(gaps(p), 0);
	assert_int_equal(posts(p), 200);
	assert_true(reader_is_live(p->reader));
}

static void after_a_new_epoch_nothing_is_old(void **state)
{
	struct pipe *p = open_reader(0, false);

	(void)state;
	publish_stories(5);
	pass(2 * SURELY);
	wire.head.seq = 0; /* ids begin anew */
	backlog_reset(wire.backlog, wire.head);
	readers_epoch(all);
	assert_int_equal(gaps(p), 1);
	block(p);
	publish_stories(1);
	give_room(p, FOR_EVER);
	assert_int_equal(gaps(p), 1);
	assert_true(reader_is_live(p->reader));
}

/* What the backlog held after `id` is in Redis only. */
static struct history_page leave_to_redis(struct wire_id id)
{
	size_t first = backlog_after(wire.backlog, id);
	struct history_page page = {
		.from = id, .to = wire.head, .count = backlog_count(wire.backlog) - first};

	page.posts = calloc(page.count, sizeof *page.posts);
	assert_non_null(page.posts);
	for (size_t i = 0; i < page.count; i++)
		page.posts[i] = post_hold(backlog_at(wire.backlog, first + i));
	backlog_reset(wire.backlog, wire.head);
	return page;
}

static void answer(struct history_page *page)
{
	assert_non_null(wire.asked);
	wire.asked(HISTORY_PAGE, page, wire.arg);
	for (size_t i = 0; i < page->count; i++)
		post_drop(page->posts[i]);
	free(page->posts);
}

static void who_falls_off_the_backlog_goes_on_from_redis(void **state)
{
	struct pipe *p = open_reader(0, false);
	struct history_page page;

	(void)state;
	block(p);
	publish_stories(5);
	page = leave_to_redis(p->reader->cursor);
	publish_stories(20);
	give_room(p, FOR_EVER);
	assert_int_equal(posts(p), 1);
	answer(&page);
	give_room(p, FOR_EVER);
	assert_int_equal(posts(p), 26);
	assert_int_equal(gaps(p), 0);
	assert_true(reader_is_live(p->reader));
}

static void off_the_backlog_too_many_bytes_are_a_gap(void **state)
{
	struct pipe *p = open_reader(0, false);

	(void)state;
	block(p);
	publish_stories(50);
	backlog_reset(wire.backlog, wire.head);
	give_room(p, FOR_EVER);
	assert_null(wire.asked);
	assert_int_equal(gaps(p), 1);
	assert_int_equal(COUNTER_GET(LAG_BYTES), 1);
	assert_true(reader_is_live(p->reader));
}

static void off_the_backlog_what_is_too_old_is_a_gap(void **state)
{
	struct pipe *p = open_reader(0, false);

	(void)state;
	pass(1);
	block(p);
	publish_stories(1);
	pass(2 * SURELY);
	backlog_reset(wire.backlog, wire.head);
	give_room(p, FOR_EVER);
	assert_null(wire.asked);
	assert_int_equal(gaps(p), 1);
	assert_int_equal(COUNTER_GET(LAG_TIME), 1);
}

/* A reader has got so many bytes that it would be too far behind, if it had not; then it waits for a few posts, for longer
 * than the past is known where nothing is too old. */
static struct pipe *wait_for_little(int seconds)
{
	struct pipe *p = open_reader(0, false);

	lag_begin(&all->past, 0);
	publish_stories(50);
	assert_int_equal(posts(p), 50);
	pass(10);
	block(p);
	publish_stories(5);
	pass(seconds);
	return p;
}

static void who_waits_since_before_all_that_is_known_is_not_judged_by_what_it_has_got(void **state)
{
	struct pipe *p = wait_for_little(200);
	struct history_page page = leave_to_redis(p->reader->cursor);

	(void)state;
	give_room(p, FOR_EVER);
	assert_int_equal(gaps(p), 0);
	answer(&page);
	give_room(p, FOR_EVER);
	assert_int_equal(posts(p), 56);
	assert_int_equal(gaps(p), 0);
	assert_true(reader_is_live(p->reader));
}

static void who_waits_since_then_for_too_many_bytes_is_told_of_a_gap(void **state)
{
	struct pipe *p = wait_for_little(200);

	(void)state;
	backlog_reset(wire.backlog, wire.head);
	publish_stories(50);
	give_room(p, FOR_EVER);
	assert_null(wire.asked);
	assert_int_equal(gaps(p), 1);
	assert_int_equal(COUNTER_GET(LAG_BYTES), 1);
	assert_true(reader_is_live(p->reader));
}

static void what_the_backlog_holds_counts_however_long_ago_it_came(void **state)
{
	struct pipe *p = wait_for_little(0);

	(void)state;
	backlog_reset(wire.backlog, wire.head);
	publish_stories(50);
	pass(200);
	give_room(p, FOR_EVER);
	assert_null(wire.asked);
	assert_int_equal(gaps(p), 1);
	assert_int_equal(COUNTER_GET(LAG_BYTES), 1);
	assert_true(reader_is_live(p->reader));
}

static void the_head_of_then_is_remembered_for_as_long_as_was_asked(void **state)
{
	static const uint64_t times[] = {1, 1000, 5000, 31000, 32000, 33000, 63000, 3600000};
	struct lag_past past;

	(void)state;
	for (size_t t = 0; t < COUNT_OF(times); t++) {
		uint64_t seconds = (times[t] + 999) / 1000;

		lag_begin(&past, times[t]);
		assert_in_range(past.count, 2, LAG_STEPS + 1);
		for (uint64_t s = 1; s < 3 * seconds + 10; s++) {
			struct wire_id old;

			lag_second(&past, (struct wire_id){s, 0}, 100 * s);
			old = lag_old(&past);
			assert_int_equal(lag_passed(&past, old), 100 * old.ms);
			assert_in_range(100 * s - lag_passed(&past, (struct wire_id){s, 0}), 0,
					100 * (past.step - 1));
			assert_true(old.ms == 0 || s - old.ms >= seconds);
			assert_true(s < seconds + 2 * past.step ||
				    s - old.ms < seconds + 2 * past.step);
		}
	}
	lag_begin(&past, 0);
	for (uint64_t s = 1; s < 1000; s++)
		lag_second(&past, (struct wire_id){s, 1}, s);
	assert_int_equal(lag_old(&past).ms, 0);
	assert_in_range(lag_passed(&past, (struct wire_id){990, 1}), 980, 990);
	assert_in_range(lag_passed(&past, (struct wire_id){1, 1}), 870,
			880); /* no place is older */
	lag_forget(&past, 1000);
	assert_int_equal(lag_passed(&past, (struct wire_id){1, 1}), 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_not_too_far_behind_gets_everything),
		TEST(who_is_too_many_bytes_behind_is_told_of_a_gap_and_goes_on_from_now),
		TEST(versions_that_were_replaced_do_not_count),
		TEST(what_others_read_does_not_count),
		TEST(who_waits_for_something_old_is_told_of_a_gap),
		TEST(what_came_a_moment_ago_is_not_old),
		TEST(who_comes_back_to_much_that_is_old_gets_all_of_it),
		TEST(after_a_new_epoch_nothing_is_old),
		TEST(who_falls_off_the_backlog_goes_on_from_redis),
		TEST(off_the_backlog_too_many_bytes_are_a_gap),
		TEST(off_the_backlog_what_is_too_old_is_a_gap),
		TEST(who_waits_since_before_all_that_is_known_is_not_judged_by_what_it_has_got),
		TEST(who_waits_since_then_for_too_many_bytes_is_told_of_a_gap),
		TEST(what_the_backlog_holds_counts_however_long_ago_it_came),
		TEST(the_head_of_then_is_remembered_for_as_long_as_was_asked),
	};

	return cmocka_run_group_tests_name("reader_lag", tests, NULL, NULL);
}
