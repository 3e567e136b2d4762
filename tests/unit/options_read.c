/* Goal: every option reads the same from flag, environment and file, the strongest wins, and a mistake is answered with
 * where it stands, what is wrong and what is allowed.
 */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "option_value.h"
#include "options.h"

enum { ARGS_MAX = 8 };

static struct options options;
static char error[512];

/* Reads with these flags and environment (NULL-terminated lists; env may be NULL). */
static int read_with(const char *const *flags, const char *const *env)
{
	const char *argv[ARGS_MAX + 2] = {"newswired"};
	int argc = 1;

	options_free(&options);
	error[0] = '\0';
	for (; flags && *flags; flags++)
		argv[argc++] = *flags;
	return options_read(&options, argc, argv, env, error, sizeof error);
}

#define FLAGS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define READ(...)  read_with(FLAGS(__VA_ARGS__), NULL)

static void assert_refused(int result, const char *sentence)
{
	assert_int_equal(result, -1);
	assert_string_equal(error, sentence);
}

/* A config file of this text; its name is static. */
static char *config_of(const char *text)
{
	static char name[64];
	int fd;

	strcpy(name, "options_read.XXXXXX");
	assert_true((fd = mkstemp(name)) >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return name;
}

static void nothing_given_means_the_defaults(void **state)
{
	(void)state;
	assert_int_equal(read_with(NULL, NULL), 0);
	assert_int_equal(options.port, 8080);
	assert_string_equal(options.bind, "127.0.0.1");
	assert_int_equal(options.max_item, 256 * 1024);
	assert_int_equal(options.retention_ms, 86400000);
	assert_int_equal(options.log_level, LOG_INFO);
	assert_int_equal(options.log_format, LOG_KEY_VALUE);
	assert_string_equal(options.redis, "");
	assert_false(options.help);
}

static void a_flag_takes_its_value_after_a_space_or_an_equals_sign(void **state)
{
	(void)state;
	assert_int_equal(READ("--port", "81", "--max-item=1m", "--tick", "2s"), 0);
	assert_int_equal(options.port, 81);
	assert_int_equal(options.max_item, 1024 * 1024);
	assert_int_equal(options.tick_ms, 2000);
	assert_int_equal(options.origin[OPTION_port].source, OPTION_FROM_FLAG);
	assert_int_equal(options.origin[OPTION_bind].source, OPTION_FROM_DEFAULT);
}

static void units_are_read_in_either_case(void **state)
{
	(void)state;
	assert_int_equal(READ("--backlog", "1G", "--drain-time", "1500ms", "--archive", "2D"), 0);
	assert_int_equal(options.backlog, 1ull << 30);
	assert_int_equal(options.drain_time_ms, 1500);
	assert_int_equal(options.archive_ms, 2 * 86400000);
	assert_int_equal(READ("--drain-time", "0", "--backlog", "65536"), 0);
	assert_int_equal(options.drain_time_ms, 0);
	assert_int_equal(options.backlog, 65536);
}

static void a_flag_outranks_the_environment_which_outranks_the_file(void **state)
{
	const char *env[] = {"NEWSWIRE_PORT=82", "NEWSWIRE_FEED_MAX=7", NULL};
	char *file =
		config_of("{\"port\": 81, \"feed-max\": 6,\n \"tick\": \"3s\", \"bind\": \"::1\"}");

	(void)state;
	assert_int_equal(read_with(FLAGS("--config", file, "--port=83"), env), 0);
	unlink(file);
	assert_int_equal(options.port, 83);
	assert_int_equal(options.feed_max, 7);
	assert_int_equal(options.tick_ms, 3000);
	assert_string_equal(options.bind, "::1");
	assert_int_equal(options.origin[OPTION_port].source, OPTION_FROM_FLAG);
	assert_int_equal(options.origin[OPTION_feed_max].source, OPTION_FROM_ENV);
	assert_int_equal(options.origin[OPTION_tick_ms].source, OPTION_FROM_FILE);
	assert_int_equal(options.origin[OPTION_tick_ms].line, 2);
}

static void the_environment_can_name_the_config_file(void **state)
{
	char *file = config_of("{\"port\": \"81\"}"), name[96];

	(void)state;
	snprintf(name, sizeof name, "NEWSWIRE_CONFIG=%s", file);
	assert_int_equal(read_with(NULL, (const char *const[]){name, NULL}), 0);
	unlink(file);
	assert_int_equal(options.port, 81);
}

static void an_empty_variable_is_no_value(void **state)
{
	(void)state;
	assert_int_equal(read_with(NULL, (const char *const[]){"NEWSWIRE_PORT=", NULL}), 0);
	assert_int_equal(options.port, 8080);
}

static void a_bad_number_says_what_is_allowed(void **state)
{
	(void)state;
	assert_refused(READ("--port", "70000"),
		       "--port: 70000 is too large; allowed is 0 to 65535");
	assert_refused(READ("--port", "-1"),
		       "--port: \"-1\" is not a whole number; allowed is 0 to 65535");
	assert_refused(READ("--port", "80x"),
		       "--port: \"80x\" is not a whole number; allowed is 0 to 65535");
	assert_refused(READ("--tick=25"),
		       "--tick: \"25\" is not a number followed by ms, s, m, h or d; "
		       "allowed is 1s to 5m");
	assert_refused(READ("--tick=10ms"), "--tick: 10ms is too small; allowed is 1s to 5m");
	assert_refused(READ("--backlog=99999999999999999999g"),
		       "--backlog: 99999999999999999999g is too large; allowed is 64k to 4g");
	assert_refused(READ("--backlog=18446744073709551615g"),
		       "--backlog: 18446744073709551615g is too large; allowed is 64k to 4g");
}

static void a_bad_word_or_address_says_what_is_allowed(void **state)
{
	(void)state;
	assert_refused(READ("--log-level", "loud"),
		       "--log-level: \"loud\" is not one of debug|info|warn|error");
	assert_refused(READ("--prefix", "News"),
		       "--prefix: \"News\" has other characters than a-z 0-9 . _ -");
	assert_refused(READ("--prefix="), "--prefix: it has 0 bytes; allowed are 1 to 32");
	assert_refused(READ("--public-url", "news.example"),
		       "--public-url: \"news.example\" is not an address such as "
		       "https://news.example/ (in small letters, without ? and #)");
	assert_int_equal(READ("--public-url", "https://[::1]:8080/wire/%41"), 0);
	assert_int_equal(READ("--public-url=https://news.example"), 0);
	for (const char *const *bad = FLAGS("https://", "https://a?x", "https://a/#x", "ftp://a/",
					    "https://a b/", "https://a/\"", "javascript:1");
	     *bad != NULL; bad++)
		assert_int_equal(READ("--public-url", *bad), -1);
	assert_refused(READ("--cors-origin", "https://desk.example/"),
		       "--cors-origin: \"https://desk.example/\" is not a list of origins such as "
		       "https://desk.example,http://127.0.0.1:3000, nor *");
	assert_int_equal(READ("--cors-origin", "*"), 0);
	assert_int_equal(READ("--cors-origin", "https://desk.example,http://127.0.0.1:3000"), 0);
	for (const char *const *bad =
		     FLAGS("https://a,*", "null", ",", "https://a,,", "https://a b");
	     *bad != NULL; bad++)
		assert_int_equal(READ("--cors-origin", *bad), -1);
	assert_int_equal(READ("--bind", "localhost"), -1);
	assert_non_null(strstr(error, "\"localhost\" is not an IP address"));
	assert_int_equal(READ("--bind", "::"), 0);
}

static void bytes_that_could_disturb_a_terminal_are_not_repeated(void **state)
{
	(void)state;
	assert_int_equal(READ("--port", "\033[2J"), -1);
	assert_null(strchr(error, '\033'));
}

static void an_unknown_name_is_answered_with_the_nearest_one(void **state)
{
	(void)state;
	assert_refused(READ("--prot=1"), "--prot: there is no such option; did you mean --port?");
	assert_refused(READ("--max-items", "1k"),
		       "--max-items: there is no such option; did you mean --max-item?");
	assert_refused(READ("--frobnicate"),
		       "--frobnicate: there is no such option; newswired --help shows all");
	assert_refused(READ("item.json"),
		       "item.json: newswired takes options only, each beginning with --; "
		       "newswired --help shows all");
	assert_refused(READ("--port"), "--port: its value is missing (NUMBER)");
}

static void a_variable_that_is_a_letter_off_is_doubted_and_others_are_left_alone(void **state)
{
	(void)state;
	assert_int_equal(read_with(NULL, (const char *const[]){"NEWSWIRE_PROT=1",
							       "NEWSWIRE_MAX_ITEMS=1", NULL}),
			 0);
	assert_string_equal(options.doubt, "NEWSWIRE_MAX_ITEMS is no option; NEWSWIRE_MAX_ITEM is");
	assert_int_equal(
		read_with(NULL, (const char *const[]){"NEWSWIRE_SERVICE_HOST=10.0.0.1", NULL}), 0);
	assert_string_equal(options.doubt, "");
}

static void a_bad_variable_is_named(void **state)
{
	(void)state;
	assert_refused(read_with(NULL, (const char *const[]){"NEWSWIRE_WORKERS=many", NULL}),
		       "NEWSWIRE_WORKERS (environment): \"many\" is not a whole number; allowed is "
		       "0 to 64");
	assert_int_equal(
		read_with(NULL, (const char *const[]){"NEWSWIRE_PORT=tcp://10.0.0.1:80", NULL}),
		-1);
	assert_non_null(strstr(error, "enableServiceLinks: false"));
}

static void assert_file_refused(const char *text, const char *sentence)
{
	char *file = config_of(text), expected[256];
	int result = read_with(FLAGS("--config", file), NULL);

	unlink(file);
	snprintf(expected, sizeof expected, "%s%s", file, sentence);
	assert_refused(result, expected);
}

static void a_mistake_in_the_file_is_told_with_its_line(void **state)
{
	(void)state;
	assert_file_refused("{\n\"port\": 70000}",
			    " line 2: \"port\": 70000 is too large; allowed is 0 to 65535");
	assert_file_refused(
		"{\n\n\"max_item\": 1}",
		" line 3: \"max_item\": there is no such option; did you mean \"max-item\"?");
	assert_file_refused("{\"port\": [80]}",
			    " line 1: \"port\": a text, a whole number or true/false is wanted");
	assert_file_refused("{\"config\": \"x\"}", " line 1: \"config\" cannot be given in a file");
	assert_file_refused("{\"help\": true}", " line 1: \"help\" cannot be given in a file");
	assert_file_refused("[]", ": an object {\"option\": value, ...} is wanted");
}

static void a_file_that_is_no_json_or_says_a_thing_twice_is_told_with_its_line(void **state)
{
	static const char *const texts[] = {"{\"port\": 1,\n\"port\": 2}",
					    "{\"port\":\n nonsense}"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		char *file = config_of(texts[i]);

		assert_int_equal(read_with(FLAGS("--config", file), NULL), -1);
		unlink(file);
		assert_non_null(strstr(error, " line 2: "));
	}
}

static void a_file_that_cannot_be_read_is_told(void **state)
{
	(void)state;
	assert_refused(READ("--config", "no/such/file"),
		       "--config: no/such/file: No such file or directory");
	assert_refused(READ("--config", "."), "--config: .: Is a directory");
}

static void a_password_is_neither_shown_nor_repeated_in_an_error(void **state)
{
	char out[256];

	(void)state;
	assert_int_equal(READ("--redis", "redis://desk:sec:ret@db:6379/3"), 0);
	assert_string_equal(option_value_show(OPTION_redis, &options, out, sizeof out),
			    "redis://desk:***@db:6379/3");
	assert_int_equal(READ("--redis", "redis://:secret@db"), 0);
	assert_string_equal(option_value_show(OPTION_redis, &options, out, sizeof out),
			    "redis://:***@db");
	assert_int_equal(READ("--redis", "redis://db:6379"), 0);
	assert_string_equal(option_value_show(OPTION_redis, &options, out, sizeof out),
			    "redis://db:6379");
	assert_int_equal(READ("--redis", "redis://desk:secret@db:99999"), -1);
	assert_null(strstr(error, "secret"));
	assert_int_equal(READ("--redis", "http://desk:secret@db"), -1);
	assert_null(strstr(error, "secret"));
}

static void items_must_be_kept_as_long_as_the_history_that_names_them(void **state)
{
	(void)state;
	assert_refused(READ("--archive", "1h"),
		       "--archive: 1h is shorter than --retention (1d): items must be "
		       "kept at least as long as the history that names them");
}

static void help_is_answered_even_when_the_file_is_bad(void **state)
{
	(void)state;
	assert_int_equal(READ("--config", "no/such/file", "--help"), 0);
	assert_true(options.help);
	assert_int_equal(READ("-h"), 0);
	assert_true(options.help);
}

static void numbers_are_shown_in_their_largest_whole_unit(void **state)
{
	char out[OPTION_VALUE_MAX];

	(void)state;
	assert_string_equal(option_value_number(OPTION_BYTES, 65536, out), "64k");
	assert_string_equal(option_value_number(OPTION_BYTES, 65537, out), "65537");
	assert_string_equal(option_value_number(OPTION_DURATION, 90000, out), "90s");
	assert_string_equal(option_value_number(OPTION_DURATION, 86400000, out), "1d");
	assert_string_equal(option_value_number(OPTION_DURATION, 0, out), "0");
	assert_string_equal(option_value_number(OPTION_NUMBER, 1024, out), "1024");
}

static void every_default_is_within_its_own_limits(void **state)
{
	(void)state;
	assert_int_equal(read_with(NULL, NULL), 0); /* set_defaults() aborts otherwise */
	for (enum option_id id = 0; id < OPTION_COUNT; id++)
		assert_true(options_row(id)->min <= options_row(id)->max);
}

static void help_fits_eighty_columns_and_names_every_option(void **state)
{
	char *text = NULL, flag[64];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	options_print_help(out);
	fclose(out);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, 80);
	for (enum option_id id = 0; id < OPTION_COUNT; id++) {
		snprintf(flag, sizeof flag, "\n  --%s", options_row(id)->name);
		assert_non_null(strstr(text, flag));
	}
	free(text);
}

static void workers_are_as_many_as_asked_or_one_per_core(void **state)
{
	(void)state;
	assert_int_equal(READ("--workers", "3"), 0);
	assert_int_equal(options_worker_count(&options), 3);
	assert_int_equal(read_with(NULL, NULL), 0);
	assert_in_range(options_worker_count(&options), 1, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_given_means_the_defaults),
		cmocka_unit_test(a_flag_takes_its_value_after_a_space_or_an_equals_sign),
		cmocka_unit_test(units_are_read_in_either_case),
		cmocka_unit_test(a_flag_outranks_the_environment_which_outranks_the_file),
		cmocka_unit_test(the_environment_can_name_the_config_file),
		cmocka_unit_test(an_empty_variable_is_no_value),
		cmocka_unit_test(a_bad_number_says_what_is_allowed),
		cmocka_unit_test(a_bad_word_or_address_says_what_is_allowed),
		cmocka_unit_test(bytes_that_could_disturb_a_terminal_are_not_repeated),
		cmocka_unit_test(an_unknown_name_is_answered_with_the_nearest_one),
		cmocka_unit_test(
			a_variable_that_is_a_letter_off_is_doubted_and_others_are_left_alone),
		cmocka_unit_test(a_bad_variable_is_named),
		cmocka_unit_test(a_mistake_in_the_file_is_told_with_its_line),
		cmocka_unit_test(
			a_file_that_is_no_json_or_says_a_thing_twice_is_told_with_its_line),
		cmocka_unit_test(a_file_that_cannot_be_read_is_told),
		cmocka_unit_test(a_password_is_neither_shown_nor_repeated_in_an_error),
		cmocka_unit_test(items_must_be_kept_as_long_as_the_history_that_names_them),
		cmocka_unit_test(help_is_answered_even_when_the_file_is_bad),
		cmocka_unit_test(numbers_are_shown_in_their_largest_whole_unit),
		cmocka_unit_test(every_default_is_within_its_own_limits),
		cmocka_unit_test(help_fits_eighty_columns_and_names_every_option),
		cmocka_unit_test(workers_are_as_many_as_asked_or_one_per_core),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	options_free(&options);
	return failed;
}
