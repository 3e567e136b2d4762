/* Goal: one line per event, which nothing from outside can forge or flood. */
#include "cmocka_all.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"

static int ends[2]; /* of the pipe that the log writes to */
static char heard[256 * 1024];

static int open_pipe(void **state)
{
	(void)state;
	if (pipe2(ends, O_NONBLOCK) != 0)
		return -1;
	clock_set_for_test(1000, 1768042927123);
	return 0;
}

static int close_pipe(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	log_tick();
	log_name_process("");
	return 0;
}

/* What was written since the last call. */
static const char *lines(void)
{
	size_t len = 0;
	ssize_t got;

	while ((got = read(ends[0], heard + len, sizeof heard - 1 - len)) > 0)
		len += (size_t)got;
	heard[len] = '\0';
	return heard;
}

static int count_lines(const char *text)
{
	int count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void a_line_says_when_who_and_what(void **state)
{
	(void)state;
	log_open(ends[1], LOG_KEY_VALUE, LOG_INFO);
	log_name_process("worker-0");
	log_info("reader_closed", LOG_S("reason", "drain"), LOG_I("code", 1001),
		 LOG_F("seconds", 0.25), LOG_SN("part", "abcdef", 3), LOG_S("none", NULL));
	assert_string_equal(lines(), "2026-01-10T11:02:07.123Z info process=worker-0 "
				     "event=reader_closed reason=drain code=1001 seconds=0.25 "
				     "part=abc none=\"\"\n");
}

static void less_than_the_least_level_is_not_written(void **state)
{
	(void)state;
	log_open(ends[1], LOG_KEY_VALUE, LOG_WARN);
	assert_false(log_wants(LOG_INFO));
	assert_true(log_wants(LOG_WARN));
	log_info("quiet", LOG_I("n", 1));
	assert_string_equal(lines(), "");
	log_error("loud", LOG_I("n", 1));
	assert_int_equal(count_lines(lines()), 1);
}

static void no_value_can_forge_a_line_or_a_field(void **state)
{
	(void)state;
	log_open(ends[1], LOG_KEY_VALUE, LOG_INFO);
	log_info("forged", LOG_S("a", "x\n2026-01-10T11:02:07.123Z error event=theft"),
		 LOG_S("b", "y\" c=\"z"), LOG_S("d", "k=v"), LOG_S("e", "\x1b[2J\x7f\xc2\x9b"),
		 LOG_S("f", "\xff\xed\xa0\x80"), LOG_S("g", "\\"), LOG_S("h", "über"));
	assert_string_equal(
		lines(),
		"2026-01-10T11:02:07.123Z info event=forged "
		"a=\"x\\n2026-01-10T11:02:07.123Z error event=theft\" b=\"y\\\" c=\\\"z\" "
		"d=\"k=v\" e=\"\\u001b[2J\\u007f\\u009b\" f=\"\\ufffd\\ufffd\\ufffd\\ufffd\" "
		"g=\"\\\\\" h=\"über\"\n");
}

static void json_lines_are_json_whatever_the_values(void **state)
{
	char bytes[256], *huge = malloc(1 << 20);
	json_t *line;
	json_error_t error;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)i;
	memset(huge, '\n', 1 << 20);
	log_open(ends[1], LOG_JSON, LOG_DEBUG);
	log_name_process("supervisor");
	log_debug("odd", LOG_SN("bytes", bytes, sizeof bytes), LOG_I("least", INT64_MIN),
		  LOG_F("nan", NAN), LOG_F("real", 1.5));
	line = json_loads(lines(), JSON_ALLOW_NUL, &error);
	assert_non_null(line);
	assert_string_equal(json_string_value(json_object_get(line, "event")), "odd");
	assert_string_equal(json_string_value(json_object_get(line, "process")), "supervisor");
	assert_true(json_integer_value(json_object_get(line, "least")) == INT64_MIN);
	assert_true(json_is_null(json_object_get(line, "nan")));
	json_decref(line);

	log_debug("huge", LOG_SN("a", huge, 1 << 20), LOG_SN("b", huge, 1 << 20),
		  LOG_SN("c", huge, 1 << 20), LOG_SN("d", huge, 1 << 20));
	assert_in_range(strlen(lines()), 2000, 4096);
	line = json_loads(heard, 0, &error);
	assert_non_null(line);
	assert_int_equal(json_integer_value(json_object_get(line, "cut")), 1);
	assert_non_null(json_object_get(line, "a"));
	assert_null(json_object_get(line, "d"));
	json_decref(line);
	free(huge);
}

static void a_flood_of_one_event_is_cut_and_counted(void **state)
{
	(void)state;
	log_open(ends[1], LOG_KEY_VALUE, LOG_INFO);
	for (int i = 0; i < 1000; i++)
		log_warn("flood", LOG_I("i", i));
	log_warn("calm", LOG_I("i", 1));
	lines();
	assert_int_equal(count_lines(heard), LOG_BURST + 1);
	assert_non_null(strstr(heard, "event=calm"));

	clock_set_for_test(1999, 1768042928122);
	log_tick();
	assert_string_equal(lines(), "");
	clock_set_for_test(2000, 1768042928123);
	log_tick();
	assert_string_equal(lines(), "2026-01-10T11:02:08.123Z warn event=log_suppressed of=flood "
				     "count=950\n");
	log_tick();
	assert_string_equal(lines(), "");
	log_warn("flood", LOG_I("i", 1));
	assert_int_equal(count_lines(lines()), 1);
}

static void more_kinds_of_events_than_places_lose_no_count(void **state)
{
	static char names[300][16];
	const struct log_field none = LOG_I("n", 1);

	(void)state;
	log_open(ends[1], LOG_KEY_VALUE, LOG_INFO);
	clock_set_for_test(10000, 1768042927123);
	for (int i = 0; i < LOG_BURST + 7; i++)
		log_info("first", LOG_I("i", i));
	clock_set_for_test(10001, 1768042927123);
	for (int i = 0; i < 300; i++) {
		snprintf(names[i], sizeof names[i], "n%d", i);
		log_event(LOG_INFO, names[i], &none, 1);
	}
	assert_non_null(strstr(lines(), "event=log_suppressed of=first count=7"));
	assert_int_equal(count_lines(heard), LOG_BURST + 300 + 1);
}

static void a_log_that_cannot_be_written_harms_nobody(void **state)
{
	(void)state;
	log_open(-1, LOG_KEY_VALUE, LOG_INFO);
	log_info("into_the_void", LOG_S("a", "b"));
}

#define ON_PIPE(test) cmocka_unit_test_setup_teardown(test, open_pipe, close_pipe)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_PIPE(a_line_says_when_who_and_what),
		ON_PIPE(less_than_the_least_level_is_not_written),
		ON_PIPE(no_value_can_forge_a_line_or_a_field),
		ON_PIPE(json_lines_are_json_whatever_the_values),
		ON_PIPE(a_flood_of_one_event_is_cut_and_counted),
		ON_PIPE(more_kinds_of_events_than_places_lose_no_count),
		ON_PIPE(a_log_that_cannot_be_written_harms_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
