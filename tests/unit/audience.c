/* A post reaches every audience that wants it, joined once, and each live member is offered each block once. */
#include "audience_crowd.h"

static void the_same_subscription_is_one_audience(void **state)
{
	(void)state;
	listen(0, "world,sport");
	listen(1, "sport,world,sport");
	listen(2, "sport");
	assert_ptr_equal(crowd[0].member.audience, crowd[1].member.audience);
	assert_int_equal(audiences_count(set), 2);
	assert_int_equal(audience_live(crowd[0].member.audience), 2);
}

static void a_post_is_offered_once_to_those_who_want_it(void **state)
{
	(void)state;
	listen(0, "world,sport");
	listen(1, "business");
	send("publish", "feed:all sport world", "", "{\"a\":1}");
	flush();
	assert_int_equal(crowd[0].offers, 1);
	assert_true(heard(&crowd[0], "{\"a\":1}"));
	assert_int_equal(crowd[1].offers, 0);
}

static void those_who_ask_for_flashes_early_are_offered_in_a_way_of_their_own(void **state)
{
	(void)state;
	listen(0, "world");
	listen_early(1, "world");
	listen_early(2, "world");
	assert_ptr_not_equal(crowd[0].member.audience, crowd[1].member.audience);
	assert_ptr_equal(crowd[1].member.audience, crowd[2].member.audience);
	send("publish", "feed:all world", "", "{\"a\":1}");
	flush();
	assert_int_equal(early_offers, 2);
	assert_int_equal(crowd[0].offers, 1);
	assert_memory_equal(crowd[0].text, crowd[1].text, crowd[0].len);
}

static void a_tick_of_many_posts_is_one_write(void **state)
{
	(void)state;
	listen(0, "world");
	listen(1, "feed:all");
	for (int i = 0; i < 10; i++)
		send("publish", "feed:all world", "", "{\"b\":2}");
	flush();
	assert_int_equal(crowd[0].offers, 1);
	assert_int_equal(crowd[1].offers, 1);
	assert_int_equal(crowd[0].len, crowd[1].len);
	assert_memory_equal(crowd[0].text, crowd[1].text, crowd[0].len);
	assert_int_equal(crowd[0].upto.seq, 10);
}

static void a_block_is_at_most_64_kib(void **state)
{
	char *body = malloc(10001);

	(void)state;
	memset(body, ' ', 10000);
	body[0] = '{';
	body[sizeof body - 2] = '}';
	body[9999] = '}';
	body[10000] = '\0';
	listen(0, "world");
	for (int i = 0; i < 20; i++)
		send("publish", "world", "", body);
	flush();
	assert_in_range(crowd[0].largest, 50000, AUDIENCE_BLOCK_MAX);
	assert_int_equal(crowd[0].offers, 4);
	free(body);
}

static void a_lone_frame_may_be_larger(void **state)
{
	size_t len = 100 << 10;
	char *body = malloc(len + 1);

	(void)state;
	memset(body, ' ', len);
	body[0] = '{';
	body[sizeof body - 2] = '}';
	body[len - 1] = '}';
	body[len] = '\0';
	listen(0, "world");
	send("publish", "world", "", "{}");
	send("publish", "world", "", body);
	send("publish", "world", "", "{}");
	flush();
	assert_int_equal(crowd[0].offers, 3);
	assert_true(crowd[0].largest > len);
	free(body);
}

static void an_item_that_left_a_channel_is_removed_there_without_text(void **state)
{
	(void)state;
	listen(0, "world");
	listen(1, "sport");
	send("correct", "sport", "world", "{\"text\":\"secret\"}");
	flush();
	assert_true(heard(&crowd[0], "\"action\":\"remove\""));
	assert_false(heard(&crowd[0], "secret"));
	assert_true(heard(&crowd[1], "secret"));
}

static void a_kill_goes_to_whom_an_earlier_version_went(void **state)
{
	(void)state;
	listen(0, "world");
	send("kill", "sport", "world", "");
	flush();
	assert_true(heard(&crowd[0], "\"action\":\"kill\""));
}

static void text_that_is_killed_within_its_tick_is_never_sent(void **state)
{
	struct post *story = make("publish", "world", "", "{\"text\":\"secret\"}");

	(void)state;
	listen(0, "world");
	audiences_post(set, story);
	post_blank(story);
	post_drop(story);
	send("kill", "world", "world", "");
	flush();
	assert_false(heard(&crowd[0], "secret"));
	assert_true(heard(&crowd[0], "kill"));
	assert_int_equal(crowd[0].upto.seq, 2);
}

static void a_member_may_leave_while_it_is_offered_a_block(void **state)
{
	(void)state;
	for (int i = 0; i < MEMBERS; i++)
		listen(i, "world")->leaves = i % 3 == 0;
	send("publish", "world", "", "{}");
	flush();
	send("publish", "world", "", "{}");
	flush();
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(crowd[i].offers, i % 3 == 0 ? 1 : 2);
}

static void an_audience_without_live_members_costs_nothing(void **state)
{
	struct post *post = make("publish", "world", "", "{}");

	(void)state;
	audience_leave(&listen(0, "world")->member);
	audiences_post(set, post);
	assert_int_equal(post->refs, 1);
	flush();
	assert_int_equal(crowd[0].offers, 0);
	post_drop(post);
}

static void what_was_remembered_is_forgotten_when_history_breaks(void **state)
{
	(void)state;
	listen(0, "world");
	send("publish", "world", "", "{}");
	audiences_forget(set, (struct wire_id){5, 0});
	flush();
	assert_int_equal(crowd[0].offers, 0);
}

static void an_address_that_comes_again_is_another_post(void **state)
{
	(void)state;
	listen(0, "world");
	for (int i = 0; i < 100; i++) {
		send("publish", i % 2 == 0 ? "business" : "world", "", "{}");
		flush();
	}
	assert_int_equal(crowd[0].offers, 50);
}

static void readers_are_counted_over_all_audiences_a_post_goes_to(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		listen(i, i < 3 ? "world,sport" : "sport");
	listen(5, "business");
	send("publish", "feed:all sport world", "", "{}");
	send("publish", "feed:all world", "", "{}");
	send("publish", "feed:all weather", "", "{}");
	flush();
	assert_reach(1, 5, 0);
	assert_reach(2, 3, 0);
	assert_reach(3, 0, 0);
	assert_int_equal(reach[1].told, 2);
}

static void who_takes_only_a_part_is_behind_also_for_the_rest_of_the_tick(void **state)
{
	char *body = calloc(1, 40001);

	(void)state;
	memset(body, ' ', 40000);
	body[0] = '{';
	body[sizeof body - 2] = '}';
	body[39999] = '}';
	for (int i = 0; i < 4; i++)
		listen(i, "world")->lags = i == 1;
	send("publish", "world", "", "{}");
	for (int i = 0; i < 3; i++)
		send("publish", "world", "", body);
	flush();
	assert_int_equal(crowd[0].offers, 3);
	assert_int_equal(crowd[1].offers, 1);
	for (unsigned seq = 1; seq <= 4; seq++)
		assert_reach(seq, 3, 1);
	free(body);
}

static void who_goes_away_is_neither_a_reader_nor_behind(void **state)
{
	(void)state;
	listen(0, "world");
	listen(1, "world")->leaves = true;
	send("publish", "world", "", "{}");
	flush();
	assert_reach(1, 1, 0);
}

static void those_who_lag_already_are_counted_as_behind(void **state)
{
	struct audience *audience = listen(0, "world")->member.audience;

	(void)state;
	audience_lag(audience, 3);
	send("publish", "world", "", "{}");
	flush();
	assert_reach(1, 1, 3);
	audience_leave(&crowd[0].member);
	send("publish", "world", "", "{}");
	send("publish", "sport", "", "{}");
	flush();
	assert_reach(2, 0, 3);
	assert_reach(3, 0, 0);
	assert_int_equal(crowd[0].offers, 1);
	audience_lag(audience, -3);
}

static void a_kill_reaches_readers_and_a_remove_does_not_count(void **state)
{
	(void)state;
	listen(0, "world");
	listen(1, "sport");
	send("correct", "sport", "world", "{}");
	send("kill", "sport", "world", "");
	flush();
	assert_reach(1, 1, 0);
	assert_reach(2, 2, 0);
}

static void a_post_finds_those_who_named_a_prefix(void **state)
{
	(void)state;
	listen(0, "topic:*");
	listen(1, "topic:2000*,world");
	listen(2, "topic:3*");
	listen(3, "t*");
	listen(4, "wor*");
	send("publish", "class:regular feed:all topic:20000337 world", "", "{}");
	send("correct", "feed:all tennis", "feed:all topic:20000337", "{}");
	send("kill", "feed:all", "tennis", "");
	flush();
	assert_int_equal(crowd[0].offers, 1);
	assert_true(heard(&crowd[0], "\"action\":\"remove\""));
	assert_true(heard(&crowd[1], "\"action\":\"remove\""));
	assert_int_equal(crowd[2].offers, 0);
	assert_false(heard(&crowd[3], "20000337"));
	assert_true(heard(&crowd[3], "tennis"));
	assert_true(heard(&crowd[3], "kill"));
	assert_true(heard(&crowd[4], "20000337"));
	assert_reach(1, 3, 0);
	assert_reach(2, 1, 0);
	assert_reach(3, 1, 0);
}

static void the_longest_names_and_prefixes_have_their_place(void **state)
{
	static const char name[] =
		"region:"
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	char prefix[sizeof name + 1];

	(void)state;
	assert_int_equal(strlen(name), CHANNEL_READABLE_MAX);
	snprintf(prefix, sizeof prefix, "%s*", name);
	listen(0, name);
	listen(1, prefix);
	send("publish", name, "", "{}");
	flush();
	assert_int_equal(crowd[0].offers, 1);
	assert_int_equal(crowd[1].offers, 1);
}

/* Audiences without members, put back in another order than they came. */
static void a_post_touches_only_the_prefixes_it_has(void **state)
{
	enum { MANY = 10000, STEP = 7919 };
	struct audience **all = calloc(MANY, sizeof(struct audience *));
	char channels[40];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		struct subscription_fault fault;

		snprintf(channels, sizeof channels, "world,topic:%05d*", i);
		all[i] = audience_get(set, subscription_read(channels, NULL, NULL, NULL, &fault),
				      "", FORMAT_WEBSOCKET);
		assert_non_null(all[i]);
	}
	listen(0, "topic:00042*");
	listen(1, "topic:00043*");
	send("publish", "feed:all topic:00042777", "", "{}");
	flush();
	assert_int_equal(crowd[0].offers, 1);
	assert_int_equal(crowd[1].offers, 0);
	for (int i = 0; i < MANY; i++)
		audience_put(all[(i * STEP) % MANY]);
	send("publish", "feed:all topic:00043777 world", "", "{}");
	flush();
	assert_int_equal(crowd[0].offers, 1);
	assert_int_equal(crowd[1].offers, 1);
	assert_int_equal(audiences_count(set), 2);
	free(all);
}

static struct audience *ask_for(const char *channels)
{
	struct subscription_fault fault;

	return audience_get(set, subscription_read(channels, NULL, NULL, NULL, &fault), "",
			    FORMAT_WEBSOCKET);
}

/* As the server's own reader does. */
static struct audience *ask_for_own(const char *channels)
{
	struct subscription_fault fault;
	struct subscription *s = subscription_read(channels, NULL, NULL, NULL, &fault);

	s->canary = true;
	return audience_get(set, s, "", FORMAT_WEBSOCKET);
}

static void all_audiences_together_name_only_so_many_channels(void **state)
{
	struct audience *three, *again, *two, *own;

	(void)state;
	audiences_limit(set, 5);
	assert_non_null(three = ask_for("a,b,topic:1*"));
	assert_non_null(again = ask_for("a,b,topic:1*"));
	assert_null(ask_for("a,b,c"));
	assert_non_null(two = ask_for("a,b"));
	assert_null(ask_for("a"));
	assert_non_null(own = ask_for_own("f"));
	audience_put(own);
	audience_put(again);
	assert_null(ask_for("a"));
	audience_put(three);
	assert_non_null(three = ask_for("c,d,e"));
	audience_put(two);
	audience_put(three);
	assert_int_equal(audiences_count(set), 0);
}

static void text_that_was_killed_before_it_went_out_reached_nobody(void **state)
{
	struct post *story = make("publish", "world", "", "{}");

	(void)state;
	listen(0, "world");
	audiences_post(set, story);
	post_blank(story);
	post_drop(story);
	flush();
	assert_int_equal(reach[1].told, 0);
}

static unsigned count(const struct listener *l, const char *text)
{
	const char *at = l->text, *end = l->text + l->len;
	unsigned n = 0;

	for (; (at = memmem(at, (size_t)(end - at), text, strlen(text))) != NULL; at++)
		n++;
	return n;
}

static void a_post_in_two_channels_comes_twice_in_one_write_and_counts_once(void **state)
{
	(void)state;
	listen_by_channel(0, "sport world");
	listen_by_channel(1, "world");
	listen_by_channel(2, "");
	send("publish", "feed:all sport world", "", "{\"a\":1}");
	send("correct", "feed:all world", "sport", "{\"a\":2}");
	flush();
	assert_int_equal(crowd[0].offers, 1);
	assert_int_equal(count(&crowd[0], "{\"a\":1}"), 2);
	assert_int_equal(count(&crowd[0], "{\"a\":2}"), 1);
	assert_int_equal(count(&crowd[0], "\"action\":\"remove\""), 1);
	assert_int_equal(count(&crowd[1], "{\"a\":"), 2);
	assert_int_equal(crowd[2].offers, 0);
	assert_int_equal(reach[1].told, 2); /* once for each audience */
	assert_reach(1, 2, 0);
	assert_reach(2, 2, 0);
}

/* Else who takes a block only in part would go on behind a post of which he has one channel. */
static void a_block_never_ends_within_a_post(void **state)
{
	char *body = malloc(40001);

	(void)state;
	memset(body, ' ', 40000);
	body[0] = '{';
	body[39999] = '}';
	body[40000] = '\0';
	listen_by_channel(0, "sport world");
	send("publish", "sport world", "", body);
	send("publish", "sport world", "", "{}");
	flush();
	assert_int_equal(crowd[0].offers, 2);
	assert_true(crowd[0].largest > 80000);
	assert_int_equal(crowd[0].upto.seq, 2);
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_subscription_is_one_audience),
		TEST(a_post_is_offered_once_to_those_who_want_it),
		TEST(those_who_ask_for_flashes_early_are_offered_in_a_way_of_their_own),
		TEST(a_tick_of_many_posts_is_one_write),
		TEST(a_block_is_at_most_64_kib),
		TEST(a_lone_frame_may_be_larger),
		TEST(an_item_that_left_a_channel_is_removed_there_without_text),
		TEST(a_kill_goes_to_whom_an_earlier_version_went),
		TEST(text_that_is_killed_within_its_tick_is_never_sent),
		TEST(a_member_may_leave_while_it_is_offered_a_block),
		TEST(an_audience_without_live_members_costs_nothing),
		TEST(what_was_remembered_is_forgotten_when_history_breaks),
		TEST(an_address_that_comes_again_is_another_post),
		TEST(readers_are_counted_over_all_audiences_a_post_goes_to),
		TEST(who_takes_only_a_part_is_behind_also_for_the_rest_of_the_tick),
		TEST(who_goes_away_is_neither_a_reader_nor_behind),
		TEST(those_who_lag_already_are_counted_as_behind),
		TEST(a_kill_reaches_readers_and_a_remove_does_not_count),
		TEST(a_post_finds_those_who_named_a_prefix),
		TEST(the_longest_names_and_prefixes_have_their_place),
		TEST(a_post_touches_only_the_prefixes_it_has),
		TEST(all_audiences_together_name_only_so_many_channels),
		TEST(text_that_was_killed_before_it_went_out_reached_nobody),
		TEST(a_post_in_two_channels_comes_twice_in_one_write_and_counts_once),
		TEST(a_block_never_ends_within_a_post),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
