/* Goal: what one process counts another can read, and the sum is told as Prometheus wants it. */
#include "cmocka_all.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/counters.h"

static void before_any_page_counting_already_works(void **state)
{
	(void)state;
	COUNT(READERS_OPENED);
	COUNT_ADD(READERS_OPENED, 2);
	GAUGE_SET(READERS, 9);
	assert_int_equal(COUNTER_GET(READERS_OPENED), 3);
	assert_int_equal(COUNTER_GET(READERS), 9);
}

static void a_child_counts_and_its_parent_reads(void **state)
{
	struct counters_page *first = counters_map(2);
	pid_t child;

	(void)state;
	assert_non_null(first);
	if ((child = fork()) == 0) {
		counters_use(counters_page_at(first, 1));
		COUNT_ADD(BYTES_SENT, 512);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(counters_page_at(first, 1)->value[COUNTER_BYTES_SENT], 512);
	assert_int_equal(counters_page_at(first, 0)->value[COUNTER_BYTES_SENT], 0);
}

static void a_successor_takes_over_the_counts_but_not_the_gauges(void **state)
{
	struct counters_page *page = counters_map(1);

	(void)state;
	page->value[COUNTER_READERS] = 700;
	page->value[COUNTER_READERS_OPENED] = 900;
	counters_use(page);
	assert_int_equal(COUNTER_GET(READERS), 0);
	assert_int_equal(COUNTER_GET(READERS_OPENED), 900);
}

static void pages_are_summed_and_told_once_per_name(void **state)
{
	struct counters_page *first = counters_map(3);
	struct buf out = {0};
	const char *type;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		counters_page_at(first, i)->value[COUNTER_READERS] = i + 1;
		counters_page_at(first, i)->value[COUNTER_POSTS_KILL] = 1;
	}
	counters_write(first, 3, &out);
	buf_addc(&out, '\0');
	assert_false(out.failed);
	assert_non_null(strstr(out.data, "# HELP newswire_readers Readers connected now\n"
					 "# TYPE newswire_readers gauge\n"
					 "newswire_readers 6\n"));
	assert_non_null(strstr(out.data, "\nnewswire_posts_total{action=\"kill\"} 3\n"));
	type = strstr(out.data, "# TYPE newswire_posts_total counter\n");
	assert_non_null(type);
	assert_null(strstr(type + 1, "# TYPE newswire_posts_total"));
	buf_free(&out);
}

static void a_row_may_tell_the_least_that_anybody_says(void **state)
{
	struct counters_page *first = counters_map(4);
	struct buf out = {0};

	(void)state;
	assert_int_equal(counters_least(first, 4, COUNTER_BACKLOG_SPAN), 0);
	counters_use(counters_page_at(first, 1));
	LEAST_SET(BACKLOG_SPAN, 90);
	counters_use(counters_page_at(first, 2));
	LEAST_SET(BACKLOG_SPAN, 70);
	counters_use(counters_page_at(first, 3)); /* it says nothing yet, nor does the supervisor */
	counters_write(first, 4, &out);
	buf_addc(&out, '\0');
	assert_non_null(strstr(out.data, "# TYPE newswire_backlog_span_seconds gauge\n"
					 "newswire_backlog_span_seconds 70\n"));
	buf_free(&out);
	LEAST_SET(BACKLOG_SPAN, 0); /* which is not nothing */
	assert_int_equal(counters_least(first, 4, COUNTER_BACKLOG_SPAN), 0);
	LEAST_UNSET(BACKLOG_SPAN);
	assert_int_equal(counters_least(first, 4, COUNTER_BACKLOG_SPAN), 70);
	counters_forget(counters_page_at(first, 2));
	assert_int_equal(counters_least(first, 4, COUNTER_BACKLOG_SPAN), 90);
}

static void rows_of_one_name_stand_together(void **state)
{
	static const char *const names[] = {
#define COUNTER(id, name, labels, type, help, remedy) name,
#include "base/counters.def"
	};

	(void)state;
	for (size_t i = 0; i < COUNTER_COUNT; i++)
		for (size_t j = i + 2; j < COUNTER_COUNT; j++)
			if (strcmp(names[i], names[j]) == 0)
				assert_string_equal(names[j - 1], names[j]);
}

static void a_histogram_is_told_in_buckets_that_hold_those_below(void **state)
{
	struct counters_page *first = counters_map(2);
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		counters_use(counters_page_at(first, i));
		OBSERVE_US(FANOUT, 250);
		OBSERVE_US(FANOUT, 251);
		OBSERVE_US(FANOUT, 20000000);
	}
	counters_write(first, 2, &out);
	buf_addc(&out, '\0');
	assert_false(out.failed);
	assert_non_null(strstr(out.data, "\n# TYPE newswire_fanout_seconds histogram\n"
					 "newswire_fanout_seconds_bucket{le=\"0.00025\"} 2\n"
					 "newswire_fanout_seconds_bucket{le=\"0.0005\"} 4\n"));
	assert_non_null(strstr(out.data, "\nnewswire_fanout_seconds_bucket{le=\"10\"} 4\n"
					 "newswire_fanout_seconds_bucket{le=\"+Inf\"} 6\n"
					 "newswire_fanout_seconds_sum 40.001002\n"
					 "newswire_fanout_seconds_count 6\n"));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_any_page_counting_already_works),
		cmocka_unit_test(a_child_counts_and_its_parent_reads),
		cmocka_unit_test(a_successor_takes_over_the_counts_but_not_the_gauges),
		cmocka_unit_test(pages_are_summed_and_told_once_per_name),
		cmocka_unit_test(a_row_may_tell_the_least_that_anybody_says),
		cmocka_unit_test(rows_of_one_name_stand_together),
		cmocka_unit_test(a_histogram_is_told_in_buckets_that_hold_those_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
