/* Two readers who want the same have the same key; and whoever saw an item hears what became of it.
 */
#include "news_test.h"

static struct subscription *wanting(const char *channels, const char *classes, const char *langs,
				    const char *types)
{
	struct subscription_fault fault;
	struct subscription *s = subscription_read(channels, classes, langs, types, &fault);

	assert_non_null(s);
	return s;
}

static void assert_key(const char *channels, const char *classes, const char *langs,
		       const char *types, const char *key)
{
	struct subscription *s = wanting(channels, classes, langs, types);

	assert_string_equal(s->key, key);
	subscription_free(s);
}

static enum post_match match(const char *channels, const char *classes, const char *action,
			     const char *goes, const char *was, const char *more)
{
	struct subscription *s = wanting(channels, classes, NULL, NULL);
	struct post *post = news_test_post(action, "regular", goes, was, more, "{}");
	enum post_match result;

	assert_non_null(post);
	result = subscription_match(s, post);
	post_drop(post);
	subscription_free(s);
	return result;
}

static void the_same_wish_has_the_same_key(void **state)
{
	(void)state;
	assert_key("world,sport", NULL, NULL, NULL, "c=sport,world");
	assert_key(",sport,world,,sport", "", "", "", "c=sport,world");
	assert_key("sport", "flash", "EN,uk", "video", "c=sport&class=flash&lang=en,uk&type=video");
}

static void defaults_are_left_out_of_the_key(void **state)
{
	(void)state;
	assert_key(NULL, NULL, NULL, NULL, "c=feed:all");
	assert_key("", NULL, NULL, NULL, "c=feed:all");
	assert_key("world,feed:all", NULL, NULL, NULL, "c=feed:all");
	assert_key("world", "flash,bulletin,urgent,regular,deferred", NULL, NULL, "c=world");
}

static void a_prefix_stands_for_all_that_begins_with_it(void **state)
{
	(void)state;
	assert_key("topic:*,world", NULL, NULL, NULL, "c=world,topic:*");
	assert_key("topic:2*", NULL, NULL, NULL, "c=topic:2*");
	assert_key("topic:2*,sport,topic:*,topic:20,topic:2*", NULL, NULL, NULL, "c=sport,topic:*");
	assert_key("to*,topic:*,tow*,tower,topic:1,sport", NULL, NULL, NULL, "c=sport,to*,topic:*");
	assert_key("world*,world", NULL, NULL, NULL, "c=world*");
}

static void a_prefix_of_everything_is_everything(void **state)
{
	const char *const all[] = {"*",	      "sport,*",  "feed:*",  "feed:al*",
				   "class:*", "type:*,a", "story:*", "feed:all,topic:*"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all); i++)
		assert_key(all[i], NULL, NULL, NULL, "c=feed:all");
	assert_key("f*,c*", NULL, NULL, NULL, "c=c*,f*");
	assert_key("class:f*", NULL, NULL, NULL, "c=class:f*");
}

static void assert_fault(const char *code, const char *channels, const char *classes,
			 const char *langs, const char *types)
{
	struct subscription_fault fault = {0};

	assert_null(subscription_read(channels, classes, langs, types, &fault));
	assert_string_equal(fault.code, code);
	assert_true(strlen(fault.detail) > 0);
}

static void a_view_is_full_unless_it_is_brief(void **state)
{
	struct subscription *s = wanting(NULL, NULL, NULL, NULL);
	struct subscription_fault fault;

	(void)state;
	assert_int_equal(subscription_view(s, NULL, &fault), 0);
	assert_int_equal(s->view, VIEW_FULL);
	assert_int_equal(subscription_view(s, "brief", &fault), 0);
	assert_int_equal(s->view, VIEW_BRIEF);
	assert_int_equal(subscription_view(s, "full", &fault), 0);
	assert_int_equal(s->view, VIEW_FULL);
	assert_int_equal(subscription_view(s, "short", &fault), -1);
	assert_string_equal(fault.code, "bad_view");
	subscription_free(s);
}

static void what_makes_no_sense_is_said(void **state)
{
	struct buf many = {0};

	(void)state;
	assert_fault("bad_channel", "World", NULL, NULL, NULL);
	assert_fault("bad_channel", "a,user:1", NULL, NULL, NULL);
	assert_fault("bad_channel", "a b", NULL, NULL, NULL);
	assert_fault("bad_class", "a", "loud", NULL, NULL);
	assert_fault("bad_lang", "a", NULL, "e n", NULL);
	assert_fault("bad_lang", "a", NULL, "en--gb", NULL);
	assert_fault("bad_lang", "a", NULL, "-", NULL);
	assert_fault("bad_type", "a", NULL, NULL, "opera");
	for (int i = 0; i <= CHANNEL_SET_MAX; i++)
		buf_addf(&many, "c%d,", i);
	assert_fault("too_many_channels", news_test_text(&many), NULL, NULL, NULL);
	buf_clear(&many);
	for (int i = 0; i <= SUBSCRIPTION_PREFIXES_MAX; i++)
		buf_addf(&many, "c%d*,", i);
	assert_fault("too_many_channels", news_test_text(&many), NULL, NULL, NULL);
	buf_free(&many);
	assert_fault("bad_channel", "a*b", NULL, NULL, NULL);
	assert_fault("bad_channel", "user:*", NULL, NULL, NULL);
	assert_fault("bad_channel", "World*", NULL, NULL, NULL);
}

static void a_fault_quotes_nothing_that_could_forge_a_line(void **state)
{
	struct subscription_fault fault;

	(void)state;
	assert_null(subscription_read("a\nb\"\x1b\xff", NULL, NULL, NULL, &fault));
	for (const char *c = fault.detail; *c; c++)
		assert_in_range(*c, ' ', '~');
}

static void a_post_matches_a_union_of_channels_narrowed_by_filters(void **state)
{
	(void)state;
	assert_int_equal(match("world,sport", NULL, "publish", "sport feed:all", "", ""),
			 MATCH_FULL);
	assert_int_equal(match("world", NULL, "publish", "sport feed:all", "", ""), MATCH_NOT);
	assert_int_equal(match(NULL, NULL, "publish", "feed:all", "", ""), MATCH_FULL);
	assert_int_equal(match("sport", "flash", "publish", "sport class:regular", "", ""),
			 MATCH_NOT);
	assert_int_equal(match("sport", "flash,regular", "publish", "sport class:regular", "", ""),
			 MATCH_FULL);
}

static void a_prefix_matches_like_the_names_it_stands_for(void **state)
{
	(void)state;
	assert_int_equal(match("topic:2*", NULL, "publish", "feed:all topic:20000337", "", ""),
			 MATCH_FULL);
	assert_int_equal(match("topic:3*", NULL, "publish", "feed:all topic:20000337", "", ""),
			 MATCH_NOT);
	assert_int_equal(
		match("topic:*", NULL, "correct", "sport feed:all", "topic:1 feed:all", ""),
		MATCH_REMOVE);
	assert_int_equal(match("wor*", NULL, "kill", "sport feed:all", "world feed:all", ""),
			 MATCH_FULL);
	assert_int_equal(match("wor*", "flash", "publish", "class:regular world", "", ""),
			 MATCH_NOT);
	assert_int_equal(match("c*", NULL, "publish", "class:regular world", "", ""), MATCH_NOT);
}

static void asking_for_a_language_matches_its_regions(void **state)
{
	struct subscription *s = wanting(NULL, NULL, "en", "video");
	struct post *post = news_test_post("publish", "regular",
					   "feed:all lang:en lang:en-gb type:video", "", "", "{}");

	(void)state;
	assert_int_equal(subscription_match(s, post), MATCH_FULL);
	subscription_free(s);
	s = wanting(NULL, NULL, "en-us", "video");
	assert_int_equal(subscription_match(s, post), MATCH_NOT);
	subscription_free(s);
	s = wanting(NULL, NULL, "en-gb", "text");
	assert_int_equal(subscription_match(s, post), MATCH_NOT);
	subscription_free(s);
	post_drop(post);
}

static void who_saw_it_before_and_not_now_is_told_to_remove_it(void **state)
{
	(void)state;
	assert_int_equal(match("world", NULL, "correct", "sport feed:all", "world feed:all", ""),
			 MATCH_REMOVE);
	assert_int_equal(
		match("world", "flash", "correct", "world class:regular", "world class:flash", ""),
		MATCH_REMOVE);
	assert_int_equal(match("sport", NULL, "correct", "sport feed:all", "world feed:all", ""),
			 MATCH_FULL);
	assert_int_equal(match("art", NULL, "correct", "sport feed:all", "world feed:all", ""),
			 MATCH_NOT);
}

static void kills_and_holds_reach_whoever_an_earlier_version_was_routed_to(void **state)
{
	(void)state;
	assert_int_equal(match("world", NULL, "kill", "sport", "world", ""), MATCH_FULL);
	assert_int_equal(match("sport", NULL, "kill", "sport", "world", ""), MATCH_FULL);
	assert_int_equal(match("art", NULL, "kill", "sport", "world", ""), MATCH_NOT);
	assert_int_equal(match("world", NULL, "hold", "sport", "world", ""), MATCH_FULL);
	assert_int_equal(match("world", NULL, "hold", "world", "", ""), MATCH_FULL);
	assert_int_equal(match("art", NULL, "hold", "world", "", ""), MATCH_NOT);
}

static void more_channels_for_the_same_version_reach_only_the_new_ones(void **state)
{
	(void)state;
	assert_int_equal(match("sport", NULL, "publish", "sport world", "world", ",\"also\":\"1\""),
			 MATCH_FULL);
	assert_int_equal(match("world", NULL, "publish", "sport world", "world", ",\"also\":\"1\""),
			 MATCH_NOT);
	assert_int_equal(match("world", NULL, "publish", "sport", "world", ",\"also\":\"1\""),
			 MATCH_NOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_wish_has_the_same_key),
		cmocka_unit_test(defaults_are_left_out_of_the_key),
		cmocka_unit_test(a_view_is_full_unless_it_is_brief),
		cmocka_unit_test(what_makes_no_sense_is_said),
		cmocka_unit_test(a_fault_quotes_nothing_that_could_forge_a_line),
		cmocka_unit_test(a_post_matches_a_union_of_channels_narrowed_by_filters),
		cmocka_unit_test(a_prefix_stands_for_all_that_begins_with_it),
		cmocka_unit_test(a_prefix_of_everything_is_everything),
		cmocka_unit_test(a_prefix_matches_like_the_names_it_stands_for),
		cmocka_unit_test(asking_for_a_language_matches_its_regions),
		cmocka_unit_test(who_saw_it_before_and_not_now_is_told_to_remove_it),
		cmocka_unit_test(kills_and_holds_reach_whoever_an_earlier_version_was_routed_to),
		cmocka_unit_test(more_channels_for_the_same_version_reach_only_the_new_ones),
	};

	return cmocka_run_group_tests_name("news_subscription", tests, NULL, NULL);
}
