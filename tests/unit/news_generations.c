/* Goal: items of every generation of ninjs, in the shapes of IPTC's own examples, come back whole: each becomes what stands beside
 * it in tests/samples/generations, no text of it is lost but what is private, and none is made up.
 */
#include "cmocka_all.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/base.h"
#include "news/item.h"

#define DIRECTORY NW_SOURCE_DIR "/tests/samples/generations"
enum { FILES_MAX = 64, NAME_MAX_ = 80 };

static char names[FILES_MAX][NAME_MAX_]; /* without .json */
static int count;

static int find_files(void **state)
{
	struct dirent *entry;
	DIR *dir = opendir(DIRECTORY);

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		char *end = strstr(entry->d_name, ".json");
		if (end == NULL || strstr(entry->d_name, ".expected") || count == FILES_MAX)
			continue;
		snprintf(names[count++], NAME_MAX_, "%.*s", (int)(end - entry->d_name),
			 entry->d_name);
	}
	closedir(dir);
	assert_true(count >= 10);
	return 0;
}

static json_t *load(const char *name, const char *end)
{
	char path[512];
	json_error_t error;
	json_t *json;

	snprintf(path, sizeof path, "%s/%s%s", DIRECTORY, name, end);
	if ((json = json_load_file(path, 0, &error)) == NULL)
		fail_msg("%s: %s", path, error.text);
	return json;
}

static json_t *become(const char *name, const json_t *sent)
{
	char *text = json_dumps(sent, 0);
	struct item_report report;
	struct item *item = item_read(text, strlen(text), 1 << 20, NULL, &report);
	json_t *json;

	if (item == NULL)
		fail_msg("%s: %s %s", name, report.fault[0].pointer, report.fault[0].detail);
	json = json_loads(item->body, 0, NULL);
	assert_non_null(json);
	item_free(item);
	free(text);
	return json;
}

static void each_becomes_what_stands_beside_it(void **state)
{
	(void)state;
	for (int i = 0; i < count; i++) {
		json_t *sent = load(names[i], ".json"), *got = become(names[i], sent);
		json_t *expected = load(names[i], ".expected.json");

		if (!json_equal(got, expected)) {
			json_dumpf(got, stderr, JSON_INDENT(1));
			fail_msg("%s became that", names[i]);
		}
		json_decref(sent);
		json_decref(got);
		json_decref(expected);
	}
}

static void what_is_canonical_stays_as_it_is(void **state)
{
	(void)state;
	for (int i = 0; i < count; i++) {
		json_t *expected = load(names[i], ".expected.json");
		json_t *again = become(names[i], expected);

		assert_true(json_equal(again, expected));
		json_decref(expected);
		json_decref(again);
	}
}

/* --- every text -------------------------------------------------------------------------------- */

static bool is_private(const char *name)
{
	return strcasecmp(name, "ednote") == 0 || strcasecmp(name, "contactinfo") == 0;
}

/* What is not taken over as it was: times are written anew, HTML is cleaned, codes move into uris. */
static bool is_rewritten(const char *text)
{
	return strchr(text, '<') != NULL || strncmp(text, "2026-", 5) == 0 ||
	       strncmp(text, "2126-", 5) == 0;
}

static bool holds(const char *all, const char *text)
{
	return strstr(all, text) != NULL;
}

/* Every text and number of `json` is in the other one, somewhere. `all`: that one's text. */
static void is_kept(const char *file, const char *name, const json_t *json, const char *all)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_object(json)) {
		json_object_foreach ((json_t *)json, key, value)
			if (!is_private(key) && !holds(key, "standard"))
				is_kept(file, key, value, all);
	} else if (json_is_array(json)) {
		json_array_foreach (json, i, value)
			is_kept(file, name, value, all);
	} else {
		char *text = json_dumps(json, JSON_ENCODE_ANY);
		const char *bare = json_is_string(json) ? json_string_value(json) : text;

		/* "complete" is "full" since 2.0 */
		if (!is_rewritten(bare) && strcmp(bare, "complete") != 0 && !holds(all, text) &&
		    !(strcmp(name, "code") == 0 && holds(all, bare)) &&
		    !(strcmp(name, "scheme") == 0 && holds(all, bare)))
			fail_msg("%s: %s %s is lost", file, name, text);
		free(text);
	}
}

static void no_text_and_no_number_is_lost(void **state)
{
	(void)state;
	for (int i = 0; i < count; i++) {
		json_t *sent = load(names[i], ".json"), *got = become(names[i], sent);
		char *all = json_dumps(got, 0);

		is_kept(names[i], "", sent, all);
		free(all);
		json_decref(sent);
		json_decref(got);
	}
}

/* The words of 3.1 that an older form only meant. */
static bool is_word_of_ours(const char *text)
{
	static const char *const words[] = {"main", "summary",	  "caption",   "alt",
					    "full", "text/plain", "text/html", "application/xml",
					    "1"};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strcmp(words[i], text) == 0)
			return true;
	return false;
}

/* A scheme and a code became a uri. */
static bool is_joined(const char *text, const char *all)
{
	const char *code = strrchr(text, '/');
	char scheme[128];

	if (code == NULL)
		return false;
	snprintf(scheme, sizeof scheme, "%.*s", (int)(code + 1 - text), text);
	return holds(all, scheme) && holds(all, code + 1);
}

static void is_not_made_up(const char *file, const json_t *json, const char *all)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_object(json)) {
		json_object_foreach ((json_t *)json, key, value)
			if (!holds(key, "standard") && strcmp(key, "charCount") != 0 &&
			    strcmp(key, "wordCount") != 0)
				is_not_made_up(file, value, all);
	} else if (json_is_array(json)) {
		json_array_foreach (json, i, value)
			is_not_made_up(file, value, all);
	} else if (json_is_string(json) && !is_rewritten(json_string_value(json)) &&
		   !is_word_of_ours(json_string_value(json))) {
		char *text = json_dumps(json, JSON_ENCODE_ANY);

		text[strlen(text) - 1] = '\0'; /* keys count, too: renditions by name */
		if (!holds(all, text + 1) && !is_joined(text + 1, all))
			fail_msg("%s: %s is made up", file, text + 1);
		free(text);
	}
}

static void no_text_is_made_up(void **state)
{
	(void)state;
	for (int i = 0; i < count; i++) {
		json_t *sent = load(names[i], ".json"), *got = become(names[i], sent);
		char *all = json_dumps(sent, 0);

		is_not_made_up(names[i], got, all);
		free(all);
		json_decref(sent);
		json_decref(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_becomes_what_stands_beside_it),
		cmocka_unit_test(what_is_canonical_stays_as_it_is),
		cmocka_unit_test(no_text_and_no_number_is_lost),
		cmocka_unit_test(no_text_is_made_up),
	};

	return cmocka_run_group_tests(tests, find_files, NULL);
}
