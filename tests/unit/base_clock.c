/* Goal: every way in which newsrooms write a time is read, what is no time is refused, and a test
 * can drive the clock. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"

static int64_t parsed(const char *text)
{
	int64_t ms;

	if (clock_parse(text, strlen(text), &ms) != 0)
		fail_msg("not read: %s", text);
	return ms;
}

static void every_spelling_of_a_moment_is_the_same_moment(void **state)
{
	static const char *const spellings[] = {
		"2026-01-10T11:02:07Z",		 "2026-01-10T11:02:07z",
		"2026-01-10 11:02:07",		 "2026-01-10T11:02:07",
		"2026-01-10T11:02:07+0000",	 "2026-01-10T11:02:07+00:00",
		"2026-01-10T11:02:07+00",	 "2026-01-10T11:02:07-00:00",
		"2026-01-10T13:02:07+02:00",	 "2026-01-10T13:02:07+0200",
		"2026-01-10T05:32:07-0530",	 "2026-01-11T01:02:07+14",
		"2026-01-10T11:02:07.000Z",	 "2026-01-10T11:02:07.0+00:00",
		"2026-01-10t11:02:07,000000000", "2026-01-10T11:02:07.000999999999999Z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
		if (parsed(spellings[i]) != 1768042927000)
			fail_msg("misread: %s", spellings[i]);
}

static void fractions_of_any_length_are_whole_milliseconds(void **state)
{
	(void)state;
	assert_int_equal(parsed("1970-01-01T00:00:00.1Z"), 100);
	assert_int_equal(parsed("1970-01-01T00:00:00.12Z"), 120);
	assert_int_equal(parsed("1970-01-01T00:00:00.123Z"), 123);
	assert_int_equal(parsed("1970-01-01T00:00:00.123999Z"), 123);
	assert_int_equal(parsed("1969-12-31T23:59:59.999Z"), -1);
}

static void seconds_may_be_left_out(void **state)
{
	(void)state;
	assert_int_equal(parsed("2026-01-10T11:02Z"), 1768042920000);
	assert_int_equal(parsed("2026-01-10T11:02"), 1768042920000);
	assert_int_equal(parsed("2026-01-10T11:02+01:00"), 1768039320000);
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"2026",
		"2026-01-10",
		"2026-13-10T11:02:07Z",
		"2026-00-10T11:02:07Z",
		"2026-02-30T11:02:07Z",
		"2025-02-29T11:02:07Z",
		"1900-02-29T11:02:07Z",
		"2026-01-00T11:02:07Z",
		"2026-01-10T24:00:00Z",
		"2026-01-10T11:60:07Z",
		"2026-01-10T11:02:61Z",
		"2026-01-10T11:02:07Zulu",
		"2026-01-10T11:02:07 Z",
		"2026-01-10T11:02:07.Z",
		"2026-01-10T11:02:07.5.5Z",
		"2026-01-10T11:02:07+",
		"2026-01-10T11:02:07+2",
		"2026-01-10T11:02:07+24:00",
		"2026-01-10T11:02:07+02:",
		"2026-01-10T11:02:07+02:60",
		"2026-01-10T11:02:07+02:000",
		" 2026-01-10T11:02:07Z",
		"26-01-10T11:02:07Z",
		"+026-01-10T11:02:07Z",
		"2026/01/10T11:02:07Z",
		"next week",
	};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (clock_parse(wrong[i], strlen(wrong[i]), &ms) != -1)
			fail_msg("taken for a time: %s", wrong[i]);
	assert_int_equal(clock_parse("2026-01-10T11:02:07Z\0Z", 22, &ms), -1);
}

static void leap_days_and_leap_seconds_exist(void **state)
{
	(void)state;
	assert_int_equal(parsed("2024-02-29T00:00:00Z"), 1709164800000);
	assert_int_equal(parsed("2000-02-29T00:00:00Z"), 951782400000);
	assert_int_equal(parsed("2016-12-31T23:59:60Z"), parsed("2017-01-01T00:00:00Z"));
}

static void every_day_of_ten_thousand_years_is_read_as_it_is_written(void **state)
{
	char ours[CLOCK_TEXT_MAX], theirs[64];
	struct tm tm;

	(void)state;
	for (int64_t day = -719528; day < 2932897; day += 11) {
		time_t seconds = day * 86400 + 86399;

		clock_format(seconds * 1000, false, ours);
		gmtime_r(&seconds, &tm);
		snprintf(theirs, sizeof theirs, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
			 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		assert_string_equal(ours, theirs);
		assert_int_equal(parsed(ours), seconds * 1000);
	}
}

static void a_time_is_shown_in_utc_with_or_without_milliseconds(void **state)
{
	char text[CLOCK_TEXT_MAX];

	(void)state;
	assert_int_equal(clock_format(1768042927123, false, text), 20);
	assert_string_equal(text, "2026-01-10T11:02:07Z");
	assert_int_equal(clock_format(1768042927123, true, text), 24);
	assert_string_equal(text, "2026-01-10T11:02:07.123Z");
	clock_format(-1, true, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999Z");
	clock_format(INT64_MIN, true, text);
	assert_string_equal(text, "0000-01-01T00:00:00.000Z");
	clock_format(INT64_MAX, true, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void a_test_drives_both_clocks(void **state)
{
	uint64_t before;

	(void)state;
	clock_set_for_test(5000, 1768042927123);
	assert_int_equal(clock_mono_ms(), 5000);
	assert_int_equal(clock_mono_ns(), 5000000000);
	assert_int_equal(clock_wall_ms(), 1768042927123);
	clock_real_for_test();
	before = clock_mono_ns();
	assert_true(clock_mono_ns() >= before);
	assert_true(clock_wall_ms() > 1700000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_spelling_of_a_moment_is_the_same_moment),
		cmocka_unit_test(fractions_of_any_length_are_whole_milliseconds),
		cmocka_unit_test(seconds_may_be_left_out),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(leap_days_and_leap_seconds_exist),
		cmocka_unit_test(every_day_of_ten_thousand_years_is_read_as_it_is_written),
		cmocka_unit_test(a_time_is_shown_in_utc_with_or_without_milliseconds),
		cmocka_unit_test(a_test_drives_both_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
