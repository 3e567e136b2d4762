/* The next version of a story: what was not named stays, the version rises, and a withdrawal carries no text. */
#include "cmocka_all.h"
#include "edit.h"

#include <string.h>

#define NOW "2026-01-10T12:00:00Z"

static json_t *read_json(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

static void assert_json(json_t *item, const char *expected)
{
	json_t *wanted = read_json(expected);
	char *is = json_dumps(item, JSON_COMPACT | JSON_SORT_KEYS);

	if (!json_equal(item, wanted))
		fail_msg("is %s", is);
	free(is);
	json_decref(wanted);
	json_decref(item);
}

static void versions_count_on(void **state)
{
	char next[EDIT_VERSION_SIZE];

	(void)state;
	edit_next_version("1", next);
	assert_string_equal(next, "2");
	edit_next_version("999", next);
	assert_string_equal(next, "1000");
	edit_next_version("2026-01-10a", next); /* the time must tell them apart */
	assert_string_equal(next, "2026-01-10a");
	edit_next_version("99999999999999999999", next);
	assert_string_equal(next, "99999999999999999999");
}

static void a_correction_changes_what_is_named_and_nothing_else(void **state)
{
	json_t *post = read_json("{\"channels\":[\"world\"],\"item\":{\"uri\":\"urn:a\","
				 "\"version\":\"2\",\"by\":\"I\","
				 "\"headlines\":[{\"role\":\"kicker\",\"value\":\"K\"},{\"role\":"
				 "\"main\",\"value\":\"Old\"}],"
				 "\"bodies\":[{\"role\":\"main\",\"contentType\":\"text/"
				 "html\",\"value\":\"<p>x\",\"wordCount\":9}]}}");
	const struct edit_changes changes = {.headline = "New", .body = "Plain.", .note = "Why."};

	(void)state;
	assert_json(edit_correct(post, &changes, NOW),
		    "{\"uri\":\"urn:a\",\"version\":\"3\",\"versionCreated\":\"" NOW
		    "\",\"by\":\"I\","
		    "\"headlines\":[{\"role\":\"kicker\",\"value\":\"K\"},{\"role\":\"main\","
		    "\"value\":\"New\"}],"
		    "\"bodies\":[{\"role\":\"main\",\"contentType\":\"text/"
		    "plain\",\"value\":\"Plain.\"}],"
		    "\"descriptions\":[{\"role\":\"correction\",\"value\":\"Why.\"}]}");
	json_decref(post);
}

static void a_summary_goes_where_the_story_has_one(void **state)
{
	json_t *main_one =
		read_json("{\"item\":{\"version\":\"1\",\"descriptions\":[{\"value\":\"Old\"}]}}");
	json_t *none = read_json("{\"item\":{\"version\":\"1\"}}");
	const struct edit_changes changes = {.summary = "New"};

	(void)state;
	assert_json(edit_correct(main_one, &changes, NOW),
		    "{\"version\":\"2\",\"versionCreated\":\"" NOW
		    "\",\"descriptions\":[{\"value\":\"New\"}]}");
	assert_json(edit_correct(none, &changes, NOW),
		    "{\"version\":\"2\",\"versionCreated\":\"" NOW "\","
		    "\"descriptions\":[{\"role\":\"summary\",\"value\":\"New\"}]}");
	json_decref(main_one);
	json_decref(none);
}

static void a_file_follows_what_is_public(void **state)
{
	json_t *post = read_json("{\"item\":{\"version\":\"4\"}}");
	json_t *low = read_json("{\"uri\":\"urn:a\",\"version\":\"1\"}");
	json_t *high = read_json("{\"uri\":\"urn:a\",\"version\":\"9\"}");
	json_t *old = read_json("{\"guid\":\"urn:a\",\"versioncreated\":\"x\"}");
	json_t *alone = read_json("{\"uri\":\"urn:a\"}");

	(void)state;
	assert_int_equal(edit_follow(low, post, NULL, NOW), 0);
	assert_json(low, "{\"uri\":\"urn:a\",\"version\":\"5\",\"versionCreated\":\"" NOW "\"}");
	assert_int_equal(edit_follow(high, post, NULL, NOW), 0);
	assert_json(high, "{\"uri\":\"urn:a\",\"version\":\"9\"}");
	assert_int_equal(edit_follow(old, post, "Why.", NOW), 0);
	assert_json(old, "{\"guid\":\"urn:a\",\"version\":\"5\",\"versioncreated\":\"" NOW
			 "\",\"description_correction\":\"Why.\"}");
	assert_int_equal(edit_follow(alone, NULL, NULL, NOW), 0);
	assert_json(alone, "{\"uri\":\"urn:a\"}");
	json_decref(post);
}

static void a_withdrawal_says_why_and_not_what(void **state)
{
	json_t *post =
		read_json("{\"item\":{\"version\":\"4\",\"headlines\":[{\"value\":\"Secret\"}]}}");

	(void)state;
	assert_json(edit_kill("urn:a", post, "Wrong.", NOW),
		    "{\"uri\":\"urn:a\",\"version\":\"5\",\"versionCreated\":\"" NOW
		    "\",\"pubStatus\":\"canceled\","
		    "\"descriptions\":[{\"role\":\"withdrawal\",\"value\":\"Wrong.\"}]}");
	assert_json(edit_kill("urn:b", NULL, NULL, NOW),
		    "{\"uri\":\"urn:b\",\"version\":\"1\",\"versionCreated\":\"" NOW
		    "\",\"pubStatus\":\"canceled\"}");
	json_decref(post);
}

static void channels_stay_but_for_the_derived_ones(void **state)
{
	json_t *post =
		read_json("{\"channels\":[\"class:flash\",\"world\",\"feed:all\",\"sport\"]}");
	static struct word_list channels;

	(void)state;
	edit_channels(post, &channels);
	assert_int_equal(channels.count, 2);
	assert_string_equal(channels.words[0], "world");
	assert_string_equal(channels.words[1], "sport");
	assert_null(channels.words[2]);
	json_decref(post);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_count_on),
		cmocka_unit_test(a_correction_changes_what_is_named_and_nothing_else),
		cmocka_unit_test(a_summary_goes_where_the_story_has_one),
		cmocka_unit_test(a_file_follows_what_is_public),
		cmocka_unit_test(a_withdrawal_says_why_and_not_what),
		cmocka_unit_test(channels_stay_but_for_the_derived_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
