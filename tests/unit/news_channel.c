/* Nobody can forge a derived channel, and sets of names are sorted and without doubles. */
#include "news_test.h"

static const char long_name[] =
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; /* 65 */

static int plain(const char *name)
{
	return channel_is_plain(name, strlen(name));
}

static int readable(const char *name)
{
	return channel_is_readable(name, strlen(name));
}

static struct channel_set set_of(const char *names)
{
	struct channel_set set;

	assert_int_equal(channel_set_read(&set, names, strlen(names), ' '), 0);
	return set;
}

static const char *written(const struct channel_set *set, struct buf *b)
{
	buf_clear(b);
	channel_set_write(set, ' ', b);
	return news_test_text(b);
}

static void plain_names_are_lower_case_and_have_no_colon(void **state)
{
	const char *const good[] = {"a", "7", "world", "world.europe_1-x", long_name + 1};
	const char *const bad[] = {"",	  "World",	 ".a",	"-a",	    "_a", "a b",
				   "a:b", "class:flash", "a/b", "\xc3\xa4", "a*", long_name};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(plain(good[i]));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(plain(bad[i]));
	assert_false(channel_is_plain("a\0b", 3));
}

static void readers_may_ask_for_derived_channels_of_known_kinds(void **state)
{
	const char *const good[] = {"world",	  "feed:all",	"class:flash",
				    "type:video", "lang:pt-br", "topic:20000337",
				    "region:se",  "desk:world", "story:0123456789abcdef",
				    "desk:World"};
	const char *const bad[] = {"",	      ":",	"feed:",    ":all",	"feeds:all",
				   "fee:all", "user:1", "desk:a:b", "desk:a b", "desk:*"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(readable(good[i]));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(readable(bad[i]));
}

static void a_prefix_is_the_beginning_of_what_readers_may_ask_for(void **state)
{
	const char *const good[] = {"*",       "w*",	   "world.europe_1-*",
				    "topic:*", "topic:2*", "desk:World*"};
	const char *const bad[] = {"",	     "**",	 "World*",     ".a*", "a*b",	   "*a",
				   "user:*", "topic:**", "topic:a b*", ":*",  "topic:a:*", "world"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(channel_is_prefix(good[i], strlen(good[i])));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(channel_is_prefix(bad[i], strlen(bad[i])));
}

static void a_prefix_of_plain_names_takes_no_derived_ones(void **state)
{
	struct channel_set set = set_of("class:regular region:se regions topic:20000337 world");
	struct channel_set derived = set_of("class:regular region:se");

	(void)state;
	assert_true(channel_set_begins_with(&set, "topic:2000"));
	assert_true(channel_set_begins_with(&set, "topic:20000337"));
	assert_true(channel_set_begins_with(&set, "region"));
	assert_true(channel_set_begins_with(&set, "wor"));
	assert_false(channel_set_begins_with(&set, "topic:3"));
	assert_false(channel_set_begins_with(&set, "topic:200003371"));
	assert_false(channel_set_begins_with(&set, "c"));
	assert_false(channel_set_begins_with(&set, "x"));
	assert_false(channel_set_begins_with(&derived, "region"));
	assert_false(channel_set_begins_with(&(struct channel_set){0}, "a"));
	channel_set_free(&set);
	channel_set_free(&derived);
}

static void a_set_is_sorted_and_without_doubles(void **state)
{
	struct channel_set set = set_of("  world sport  world a ");
	struct buf b = {0};

	(void)state;
	assert_string_equal(written(&set, &b), "a sport world");
	assert_true(channel_set_has(&set, "sport"));
	assert_false(channel_set_has(&set, "spor"));
	buf_free(&b);
	channel_set_free(&set);
}

static void a_copy_lives_on_its_own(void **state)
{
	struct channel_set set = set_of("b a b c"), copy;
	struct buf b = {0};

	(void)state;
	assert_int_equal(channel_set_copy(&copy, &set), 0);
	channel_set_free(&set);
	assert_string_equal(written(&copy, &b), "a b c");
	buf_free(&b);
	channel_set_free(&copy);
}

static void sets_meet_where_they_share_a_name(void **state)
{
	struct channel_set a = set_of("a c e"), b = set_of("b d e"), c = set_of("b d f"),
			   none = {0};

	(void)state;
	assert_true(channel_set_meet(&a, &b));
	assert_false(channel_set_meet(&a, &c));
	assert_false(channel_set_meet(&a, &none));
	assert_false(channel_set_has(&none, "a"));
	channel_set_free(&a);
	channel_set_free(&b);
	channel_set_free(&c);
}

static void an_empty_set_needs_no_memory(void **state)
{
	struct channel_set set, copy;

	(void)state;
	assert_int_equal(channel_set_read(&set, NULL, 0, ','), 0);
	assert_null(set.name);
	assert_int_equal(channel_set_read(&set, ",,,", 3, ','), 0);
	assert_int_equal(set.count, 0);
	assert_int_equal(channel_set_copy(&copy, &set), 0);
	assert_null(copy.name);
}

static void too_many_names_are_refused(void **state)
{
	struct channel_set set;
	struct buf b = {0};

	(void)state;
	for (int i = 0; i < CHANNEL_SET_MAX; i++)
		buf_addf(&b, "c%d,c%d,", i, i);
	assert_int_equal(channel_set_read(&set, b.data, b.len, ','), 0);
	assert_int_equal(set.count, CHANNEL_SET_MAX);
	channel_set_free(&set);
	buf_adds(&b, "more");
	assert_int_equal(channel_set_read(&set, b.data, b.len, ','), -1);
	assert_null(set.name);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_names_are_lower_case_and_have_no_colon),
		cmocka_unit_test(readers_may_ask_for_derived_channels_of_known_kinds),
		cmocka_unit_test(a_prefix_is_the_beginning_of_what_readers_may_ask_for),
		cmocka_unit_test(a_prefix_of_plain_names_takes_no_derived_ones),
		cmocka_unit_test(a_set_is_sorted_and_without_doubles),
		cmocka_unit_test(a_copy_lives_on_its_own),
		cmocka_unit_test(sets_meet_where_they_share_a_name),
		cmocka_unit_test(an_empty_set_needs_no_memory),
		cmocka_unit_test(too_many_names_are_refused),
	};

	return cmocka_run_group_tests_name("news_channel", tests, NULL, NULL);
}
