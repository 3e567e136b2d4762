/* Goal: whenever memory is short, what is under embargo comes out when that is over, by a real Redis, exactly once and not before. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "desk/desk.h"
#include "desk_stage.h"
#include "failing_malloc.h"

enum { PATIENCE_MS = 20000, EMBARGO_MS = 500 };

static const struct desk_options options = {.prefix = "newswire",
					    .max_item = 65536,
					    .retention_ms = 86400000,
					    .archive_ms = 86400000,
					    .max_embargo_ms = 86400000,
					    .feed_max = 100,
					    .clock_patience_ms = 600000,
					    .raw_rights = RIGHTS_EVERYTHING};

static uv_loop_t loop;
static struct desk *desk;
static unsigned receipts;
static int64_t over; /* when the embargo is */

static void hear_receipt(const struct desk_receipt *receipt, void *arg)
{
	(void)arg;
	receipts++;
	assert_int_equal(receipt->result, DESK_HELD);
}

static void wait_until(bool (*condition)(void *arg))
{
	redis_fixture_run_until(&loop, condition, NULL, PATIENCE_MS);
}

static bool is_open(void *arg)
{
	(void)arg;
	return desk_is_open(desk);
}

static bool is_held(void *arg)
{
	return receipts == *(unsigned *)arg;
}

static bool is_out(void *arg)
{
	(void)arg;
	return stage_number("XLEN {newswire}:wire") > 0;
}

/* Memory is short until something has come to grief, or all has gone well. */
static bool has_failed_or_is_out(void *arg)
{
	return fail_happened() || is_out(arg);
}

/* The clock has come to where it asks, and a little further. */
static bool is_past(void *arg)
{
	(void)arg;
	return clock_wall_ms() > over + 20;
}

static bool are_counted(void *arg)
{
	return COUNTER_GET(RELEASED) == *(uint64_t *)arg;
}

static void wait_for_released(uint64_t count)
{
	redis_fixture_run_until(&loop, are_counted, &count, PATIENCE_MS);
}

static void open_desk(void)
{
	struct redis_place place = {.unix_path = (char *)stage.socket};

	stage_ask("FLUSHALL");
	receipts = 0;
	assert_int_equal(uv_loop_init(&loop), 0);
	desk = desk_open(&loop, &place, &options);
	assert_non_null(desk);
	wait_until(is_open);
}

static void close_desk(void)
{
	desk_close(desk);
	redis_fixture_close_loop(&loop);
}

static void post_for_later(const char *uri)
{
	char item[200], time[CLOCK_TEXT_MAX];
	unsigned wanted = receipts + 1;
	struct channel_set world;
	struct desk_order order = {.bytes = item, .channels = &world, .who = &publisher_node};

	over = clock_wall_ms() + EMBARGO_MS;
	clock_format(over, true, time);
	order.len = (size_t)snprintf(
		item, sizeof item,
		"{\"uri\":\"%s\",\"embargoedUntil\":\"%s\",\"headlines\":[{\"value\":\"A\"}]}", uri,
		time);
	assert_int_equal(channel_set_read(&world, "world", 5, ' '), 0);
	desk_take(desk, &order, hear_receipt, NULL);
	channel_set_free(&world);
	redis_fixture_run_until(&loop, is_held, &wanted, PATIENCE_MS);
}

static void must_be_out(const char *uri, int count)
{
	assert_int_equal(stage_number("XLEN {newswire}:wire"), count);
	assert_int_equal(stage_number("ZCARD {newswire}:embargo"), 0);
	assert_int_equal(stage_number("EXISTS {newswire}:held:%s", uri), 0);
	assert_string_equal(stage_text("HGET {newswire}:item:%s status", uri), "usable");
	assert_true(stage_number("HGET {newswire}:item:%s last", uri) >=
		    over); /* an id is a time */
}

/* Another one, when there is memory again, shows that this one does not come twice. */
static bool release(void)
{
	uint64_t before = COUNTER_GET(RELEASED);

	open_desk();
	post_for_later("u");
	fail_begin();
	wait_until(has_failed_or_is_out);
	wait_until(is_past);
	fail_end();
	wait_for_released(before + 1);
	must_be_out("u", 1);
	post_for_later("v");
	wait_for_released(before + 2);
	must_be_out("v", 2);
	close_desk();
	return true;
}

static void what_is_under_embargo_comes_out_once_and_not_before(void **state)
{
	(void)state;
	fail_each(release);
	fail_each_from(release);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_under_embargo_comes_out_once_and_not_before),
	};

	log_open(-1, LOG_KEY_VALUE, LOG_ERROR);
	return cmocka_run_group_tests_name("desk_memory_embargo", tests, stage_open, stage_close);
}
