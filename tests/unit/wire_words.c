/* Goal: whatever Redis answers is found in the table of words, and only what a publisher and an operator can use is said. */
#include "cmocka_all.h"

#include <stddef.h>
#include <string.h>
#include "base/base.h"
#include "wire/redis_words.h"

static void each_error_has_its_words(void **state)
{
	static const struct {
		const char *error, *says;
	} known[] = {
		{"OOM command not allowed when used memory > 'maxmemory'. script: 1, on "
		 "@user_script:1.",
		 "no memory left"},
		{"MISCONF Errors writing to the AOF file: No space left on device",
		 "cannot write to its disk"},
		{"MISCONF Redis is configured to save RDB snapshots, but",
		 "cannot write to its disk"},
		{"READONLY You can't write against a read only replica.", "is a replica"},
		{"MASTERDOWN Link with MASTER is down", "lost its master"},
		{"NOREPLICAS Not enough good replicas to write.", "fewer replicas"},
		{"LOADING Redis is loading the dataset in memory", "reading its file"},
		{"NOPERM this user has no permissions to run the 'evalsha' command",
		 "does not let the user"},
		{"ERR The user executing the script can't run this command or subcommand script: 1",
		 "does not let the user"},
		{"NOAUTH Authentication required.", "wants a password"},
		{"WRONGPASS invalid username-password pair or user is disabled.",
		 "user and password"},
		{"ERR AUTH <password> called without any password configured", "has no password"},
		{"ERR DB index is out of range", "no database of the number"},
		{"ERR max number of clients reached", "maxclients"},
		{"BUSY Redis is busy running a script.", "keeps Redis busy"},
		{"CLUSTERDOWN The cluster is down", "Cluster is down"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		assert_non_null(strstr(redis_words(known[i].error)->says, known[i].says));
		assert_true(redis_words_passes(known[i].error));
	}
}

static void what_a_script_of_redis_6_met_is_found_inside(void **state)
{
	(void)state;
	assert_string_equal(redis_words("ERR Error running script (call to f_1): @user_script:9: "
					"-OOM command not allowed")
				    ->code,
			    "OOM ");
}

static void what_nobody_knows_does_not_pass(void **state)
{
	static const char *const others[] = {
		"",
		"Connection refused",
		"WRONGKEY {newswire}:wire is a string",
		"WRONGTYPE Operation",
		"OOMPH",
		"ERR Error running script (call to f_1): @user_script:9: -WRONGTYPE Operation"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		assert_false(redis_words_passes(others[i]));
		assert_non_null(strstr(redis_words(others[i])->says, "cannot be reached"));
	}
}

static void what_is_wrong_comes_with_what_to_do(void **state)
{
	char text[200];

	(void)state;
	redis_words_write(redis_words("NOAUTH"), text, sizeof text);
	assert_non_null(strstr(text, " (is it up"));
	redis_words_write(redis_words("NOAUTH Authentication required."), text, sizeof text);
	assert_string_equal(text, "Redis wants a password (put user and password into --redis)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_error_has_its_words),
		cmocka_unit_test(what_a_script_of_redis_6_met_is_found_inside),
		cmocka_unit_test(what_nobody_knows_does_not_pass),
		cmocka_unit_test(what_is_wrong_comes_with_what_to_do),
	};

	return cmocka_run_group_tests_name("wire_words", tests, NULL, NULL);
}
