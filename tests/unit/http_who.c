/* Goal: each publisher has its own allowance, which fills with time; a key that was revoked is known to be; a flood of wrong keys is
 * told in sums. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "http/who.h"

/* SHA-256 of `key-of-a` and `key-of-b`. */
#define HASH_A		"ee063bb3d7270fdf6148f09dde510a5cf346c4aa4dd2ff4b2caec5348d799043"
#define HASH_B		"caad66a34f6dbd2c56b4fceb13caf74761aba0720534d6e33185edd493ea0f63"
#define KEY(name, hash) "{\"name\":\"" name "\",\"sha256\":\"" hash "\",\"may\":[\"publish\"]}"

static char path[128];
static struct keyring *keyring;
static struct who *who;
static struct counters_page page;
static FILE *log_file;

static void put_keys(const char *keys)
{
	char draft[160];
	FILE *file;

	snprintf(draft, sizeof draft, "%s.draft", path);
	file = fopen(draft, "we");
	assert_non_null(file);
	fprintf(file, "{\"keys\":[%s]}", keys);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(draft, path), 0);
	if (keyring)
		keyring_second(keyring);
}

static int open_who(void **state)
{
	char directory[] = "/tmp/nw-who-XXXXXX";

	(void)state;
	memset(&page, 0, sizeof page);
	counters_use(&page);
	log_file = tmpfile();
	log_open(fileno(log_file), LOG_KEY_VALUE, LOG_WARN);
	clock_set_for_test(1000, 0);
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/keys.json", directory);
	put_keys(KEY("a", HASH_A) "," KEY("b", HASH_B));
	keyring = keyring_open(path);
	who = who_open(keyring, "the-key-of-the-node", 10);
	return keyring && who ? 0 : -1;
}

static int close_who(void **state)
{
	(void)state;
	who_close(who);
	keyring_close(keyring);
	who = NULL;
	keyring = NULL;
	clock_real_for_test();
	fclose(log_file);
	unlink(path);
	*strrchr(path, '/') = '\0';
	return rmdir(path);
}

static unsigned posts_until_refused(const struct publisher *p)
{
	unsigned posts = 0;

	while (posts < 1000 && who_may_post(who, p, 1))
		posts++;
	return posts;
}

static void an_allowance_is_spent_and_fills_again(void **state)
{
	const struct publisher *a = who_has_key(who, "key-of-a", "here"),
			       *b = who_has_key(who, "key-of-b", "here");

	(void)state;
	assert_string_equal(a->name, "a");
	assert_int_equal(posts_until_refused(a), 20); /* two seconds' worth at once */
	assert_int_equal(posts_until_refused(a), 0);
	assert_int_equal(posts_until_refused(b), 20); /* its own */
	clock_set_for_test(1050, 0);
	assert_int_equal(posts_until_refused(a), 0);
	clock_set_for_test(1100, 0);
	assert_int_equal(posts_until_refused(a), 1);
	clock_set_for_test(100000, 0);
	assert_false(who_may_post(who, a, 21));
	assert_true(who_may_post(who, a, 20));
	assert_int_equal(page.value[COUNTER_RATE_LIMITED], 5 + 21);
}

static void the_node_itself_has_no_end(void **state)
{
	const struct publisher *node = who_has_key(who, "the-key-of-the-node", "here");

	(void)state;
	assert_ptr_equal(node, &publisher_node);
	assert_int_equal(posts_until_refused(node), 1000);
}

static void a_key_that_was_revoked_is_known_to_be(void **state)
{
	const struct publisher *a = publisher_ref(who_has_key(who, "key-of-a", "here")),
			       *b = publisher_ref(who_has_key(who, "key-of-b", "here"));

	(void)state;
	assert_ptr_equal(who_again(who, a), a);
	assert_int_equal(posts_until_refused(a), 20);
	put_keys(KEY("x", HASH_B) "," KEY("a", HASH_A)); /* b's key is another's by now */
	assert_ptr_equal(who_again(who, a), publisher_by_name(keyring_book(keyring), "a"));
	assert_null(who_again(who, b));
	assert_ptr_equal(who_again(who, &publisher_node), &publisher_node);
	put_keys(KEY("a", HASH_B)); /* a was given a new key */
	assert_null(who_again(who, a));
	publisher_unref(a);
	publisher_unref(b);
}

static size_t lines_of(const char *event)
{
	char line[400];
	size_t count = 0;

	rewind(log_file);
	while (fgets(line, sizeof line, log_file))
		count += strstr(line, event) != NULL;
	return count;
}

static void wrong_keys_are_told_in_sums_and_never_shown(void **state)
{
	char key[32];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof key, "guess-%d", i);
		assert_null(who_has_key(who, key, "203.0.113.9"));
	}
	assert_int_equal(page.value[COUNTER_UNAUTHORIZED_KEY], 100);
	assert_int_equal(lines_of("event=unauthorized last_from=203.0.113.9 times=1\n"), 1);
	who_second(who);
	assert_int_equal(lines_of("event=unauthorized"), 1);
	clock_set_for_test(2000, 0);
	who_second(who);
	assert_int_equal(lines_of("event=unauthorized last_from=203.0.113.9 times=99\n"), 1);
	assert_int_equal(lines_of("guess"), 0);
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, open_who, close_who)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(an_allowance_is_spent_and_fills_again),
		STORY(the_node_itself_has_no_end),
		STORY(a_key_that_was_revoked_is_known_to_be),
		STORY(wrong_keys_are_told_in_sums_and_never_shown),
	};

	return cmocka_run_group_tests_name("http_who", tests, NULL, NULL);
}
