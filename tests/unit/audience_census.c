/* Goal: a channel's readers are the sum over its audiences, only what changed is told, and who asked hears of it in order. */
#include "cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "audience/census.h"

enum { ENTRIES = 10000 };

static struct census census;
static struct census_entry *entries;
static struct subscription **subscriptions;
static char told[2000]; /* "sport=1 world=2 ", sorted */
static size_t told_count;

static int setup(void **state)
{
	(void)state;
	census = (struct census){0};
	entries = calloc(ENTRIES, sizeof *entries);
	subscriptions = calloc(ENTRIES, sizeof(struct subscription *));
	return entries == NULL || subscriptions == NULL;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < ENTRIES; i++) {
		census_leave(&census, &entries[i]);
		subscription_free(subscriptions[i]);
	}
	census_free(&census);
	free(entries);
	free(subscriptions);
	return 0;
}

static struct census_entry *enter(int i, const char *channels, bool asks)
{
	struct subscription_fault fault;

	subscriptions[i] = subscription_read(channels, NULL, NULL, NULL, &fault);
	assert_non_null(subscriptions[i]);
	if (asks)
		assert_int_equal(subscription_ask_readers(subscriptions[i]), 0);
	census_enter(&entries[i], subscriptions[i]);
	return &entries[i];
}

/* With a reader. */
static struct census_entry *inhabit(int i, const char *channels, bool asks)
{
	struct census_entry *e = enter(i, channels, asks);

	census_add(&census, e, 1);
	return e;
}

static char lines[16][100];

static void note(void *arg, const char *channel, uint32_t readers)
{
	assert_ptr_equal(arg, &census);
	if (told_count < COUNT_OF(lines))
		snprintf(lines[told_count], sizeof lines[0], "%s=%u ", channel, readers);
	told_count++;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static const char *take(void)
{
	told_count = 0;
	told[0] = '\0';
	census_take(&census, note, &census);
	if (told_count > COUNT_OF(lines))
		return "many";
	qsort(lines, told_count, sizeof lines[0], compare);
	for (size_t i = 0; i < told_count; i++)
		strcat(told, lines[i]);
	return told;
}

static void readers_add_up_over_audiences(void **state)
{
	struct census_entry *a = enter(0, "world", false), *b = enter(1, "world,sport", false);

	(void)state;
	census_add(&census, a, 2);
	census_add(&census, b, 3);
	assert_string_equal(take(), "sport=3 world=5 ");
	census_add(&census, a, -1);
	assert_string_equal(take(), "world=4 ");
}

static void a_prefix_is_counted_as_it_was_named(void **state)
{
	(void)state;
	census_add(&census, enter(0, "topic:2*", false), 1);
	census_add(&census, enter(1, "topic:2*,topic:3*,world", true), 2);
	assert_string_equal(take(), "topic:2*=3 topic:3*=2 world=2 ");
	census_heard(&census, "topic:3*");
	assert_ptr_equal(census_next_late(&census), &entries[1]);
}

static void what_did_not_change_is_not_told(void **state)
{
	struct census_entry *a = enter(0, "world", false);

	(void)state;
	assert_string_equal(take(), "");
	census_add(&census, a, 1);
	assert_string_equal(take(), "world=1 ");
	census_add(&census, a, -1); /* live … */
	census_add(&census, a, 1);  /* … but now it lags */
	assert_string_equal(take(), "");
}

static void an_audience_that_ends_takes_its_readers_with_it(void **state)
{
	struct census_entry *a = enter(0, "world,sport", false), *b = enter(1, "world", false);

	(void)state;
	census_add(&census, a, 4);
	census_add(&census, b, 1);
	take();
	census_add(&census, a, 1);
	census_leave(&census, a);
	assert_string_equal(take(), "sport=0 world=1 ");
	census_leave(&census, b);
	assert_string_equal(take(), "world=0 ");
	assert_null(census.rows);
}

static void who_came_and_went_between_is_no_news(void **state)
{
	struct census_entry *a = enter(0, "world", false);

	(void)state;
	census_add(&census, a, 1);
	census_add(&census, a, -1);
	census_leave(&census, a);
	assert_string_equal(take(), "");
	assert_null(census.rows);
}

static void only_who_asked_is_late_and_once_and_in_order(void **state)
{
	struct census_entry *first = inhabit(0, "world,sport", true);
	struct census_entry *second = inhabit(1, "world", true);

	(void)state;
	inhabit(2, "world", false);
	take();
	census_heard(&census, "sport");
	census_heard(&census, "world");
	census_heard(&census, "nobody.reads.this");
	assert_int_equal(census.late_count, 2);
	assert_ptr_equal(census_next_late(&census), first);
	assert_ptr_equal(census_next_late(&census), second);
	assert_null(census_next_late(&census));
}

static void one_that_ends_is_not_waited_for(void **state)
{
	struct census_entry *a = inhabit(0, "world", true), *b = inhabit(1, "world", true);

	(void)state;
	take();
	census_heard(&census, "world");
	census_leave(&census, a);
	assert_ptr_equal(census_next_late(&census), b);
	assert_null(census_next_late(&census));
	census_heard(&census, "world");
	assert_ptr_equal(census_next_late(&census), b);
}

static void one_that_comes_and_goes_between_costs_no_row(void **state)
{
	struct census_entry *a = inhabit(0, "world", true);

	(void)state;
	census_heard(&census, "world");
	assert_null(census.rows);
	census_leave(&census, a);
	assert_null(census.changed);
	assert_string_equal(take(), "");
}

static void ten_thousand_subscriptions_of_ten_thousand_channels_come_and_go(void **state)
{
	char names[100];

	(void)state;
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(names, sizeof names, "world,only.%d,next.%d", i, i / 2);
		census_add(&census, enter(i, names, i % 2 == 0), 1);
	}
	assert_string_equal(take(), "many");
	assert_int_equal(told_count, 1 + ENTRIES + ENTRIES / 2);
	census_heard(&census, "world");
	assert_int_equal(census.late_count, ENTRIES / 2);
	census_add(&census, &entries[7], 1);
	assert_string_equal(take(), "next.3=3 only.7=2 world=10001 ");
	for (int i = 0; i < ENTRIES; i++)
		census_leave(&census, &entries[i]);
	assert_int_equal(census.late_count, 0);
	take();
	assert_null(census.rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(readers_add_up_over_audiences, setup, teardown),
		cmocka_unit_test_setup_teardown(a_prefix_is_counted_as_it_was_named, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_did_not_change_is_not_told, setup, teardown),
		cmocka_unit_test_setup_teardown(an_audience_that_ends_takes_its_readers_with_it,
						setup, teardown),
		cmocka_unit_test_setup_teardown(who_came_and_went_between_is_no_news, setup,
						teardown),
		cmocka_unit_test_setup_teardown(only_who_asked_is_late_and_once_and_in_order, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_that_ends_is_not_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_comes_and_goes_between_costs_no_row, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			ten_thousand_subscriptions_of_ten_thousand_channels_come_and_go, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
