/* A post reaches every audience that wants it, joined once, and each live member is offered each block once. */
#include "cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "audience/audience.h"
#include "base/clock.h"

enum { MEMBERS = 8, TEXT = 256 << 10 };

struct listener {
	struct audience_member member;
	char text[TEXT];
	size_t len;
	unsigned offers, torn, expected;
	size_t largest;
	struct wire_id upto;
	bool leaves; /* at its next offer */
	bool lags;   /* … which it takes only in part */
	bool deaf;   /* keeps nothing of what it hears */
};

static struct listener *crowd;
static struct audiences *set;
static uint64_t next_seq, began_ms;

static void offer(struct audience_member *member, const struct audience_block *block)
{
	struct listener *l = CONTAINER_OF(member, struct listener, member);

	assert_int_equal(l->expected, l->offers + l->torn + 1);
	assert_true(wire_id_compare(block->from, l->upto) >= 0);
	l->upto = block->upto;
	l->torn += block->bytes == NULL;
	l->offers += block->bytes != NULL;
	if (l->deaf)
		return;
	assert_true(l->len + block->len < TEXT);
	if (block->bytes != NULL)
		memcpy(l->text + l->len, block->bytes, block->len);
	l->len += block->len;
	l->largest = block->len > l->largest ? block->len : l->largest;
	if (l->leaves || l->lags)
		audience_leave(member);
	if (l->lags)
		audience_lag(member->audience, 1);
}

/* What was told of posts by their seq, summed over audiences. */
static struct {
	unsigned told, readers, behind;
} reach[256];

static void reached(void *arg, struct post *post, uint32_t readers, uint32_t behind,
		    uint64_t when_ms)
{
	assert_ptr_equal(arg, &reach);
	assert_in_range(when_ms, began_ms, clock_mono_ms());
	assert_true(post->id.seq < COUNT_OF(reach));
	reach[post->id.seq].told++;
	reach[post->id.seq].readers += readers;
	reach[post->id.seq].behind += behind;
}

static void assert_reach(unsigned seq, unsigned readers, unsigned behind)
{
	assert_int_equal(reach[seq].readers, readers);
	assert_int_equal(reach[seq].behind, behind);
}

static void expect(struct audience_member *member)
{
	struct listener *l = CONTAINER_OF(member, struct listener, member);

	l->expected++;
}

static const struct audience_ops ops = {offer, expect, reached, &reach};

static void flush(void)
{
	assert_false(audiences_go_on(set, AUDIENCE_ALL));
	assert_null(audiences_owed(set));
}

static int setup(void **state)
{
	(void)state;
	crowd = calloc(MEMBERS, sizeof *crowd);
	next_seq = 0;
	began_ms = clock_mono_ms();
	memset(reach, 0, sizeof reach);
	set = audiences_new(&ops);
	return set == NULL || crowd == NULL;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < MEMBERS; i++) {
		audience_leave(&crowd[i].member);
		if (crowd[i].lags && crowd[i].offers > 0)
			audience_lag(crowd[i].member.audience, -1);
		audience_put(crowd[i].member.audience);
	}
	audiences_free(set);
	free(crowd);
	return 0;
}

static struct listener *listen(int i, const char *channels)
{
	struct subscription_fault fault;
	struct subscription *s = subscription_read(channels, NULL, NULL, NULL, &fault);

	assert_non_null(s);
	crowd[i].member.audience = audience_get(set, s, "", FORMAT_WEBSOCKET);
	crowd[i].member.index = AUDIENCE_NOT_LIVE;
	assert_non_null(crowd[i].member.audience);
	assert_int_equal(audience_join(&crowd[i].member), 0);
	return &crowd[i];
}

static struct listener *listen_by_channel(int i, const char *names)
{
	struct channel_set channels;
	struct subscription *s;

	assert_int_equal(channel_set_read(&channels, names, strlen(names), ' '), 0);
	s = subscription_of_channels(&channels);
	assert_non_null(s);
	crowd[i].member.audience = audience_get(set, s, "", FORMAT_CENTRIFUGE);
	crowd[i].member.index = AUDIENCE_NOT_LIVE;
	assert_non_null(crowd[i].member.audience);
	assert_int_equal(audience_join(&crowd[i].member), 0);
	return &crowd[i];
}

static struct post *make(const char *action, const char *channels, const char *was,
			 const char *body)
{
	struct buf b = {0};
	struct post *post;

	buf_addf(&b,
		 "1 e1 1700000000000-%llu "
		 "0-0\n{\"action\":\"%s\",\"uri\":\"urn:x:%llu\",\"version\":\"1\","
		 "\"class\":\"regular\",\"channels\":\"%s\",\"was\":\"%s\"}\n%s",
		 (unsigned long long)next_seq + 1, action, (unsigned long long)next_seq, channels,
		 was, body);
	next_seq++;
	post = post_read(b.data, b.len);
	assert_non_null(post);
	buf_free(&b);
	return post;
}

static void send(const char *action, const char *channels, const char *was, const char *body)
{
	struct post *post = make(action, channels, was, body);

	audiences_post(set, post);
	post_drop(post);
}

static bool heard(const struct listener *l, const char *text)
{
	return memmem(l->text, l->len, text, strlen(text)) != NULL;
}

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

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* --- sweeps: what comes in the middle of a fan-out ---------------------------------------------- */

static void a_fan_out_goes_on_in_slices(void **state)
{
	(void)state;
	for (int i = 0; i < MEMBERS; i++)
		listen(i, "world");
	send("publish", "world", "", "{}");
	assert_true(audiences_go_on(set, 3));
	assert_true(audience_owes(crowd[0].member.audience));
	assert_int_equal(audiences_owed(set)->id.seq, 1);
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(crowd[i].offers, i >= MEMBERS - 3);
	assert_int_equal(reach[1].told, 0);
	flush();
	assert_false(audience_owes(crowd[0].member.audience));
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(crowd[i].offers, 1);
	assert_reach(1, MEMBERS, 0);
}

static void what_comes_meanwhile_goes_with_it_to_those_who_come_next(void **state)
{
	(void)state;
	for (int i = 0; i < MEMBERS; i++)
		listen(i, "world");
	send("publish", "world", "", "{\"n\":1}");
	audiences_go_on(set, 3);
	send("publish", "world", "", "{\"n\":2}");
	audiences_go_on(set, MEMBERS - 3);
	assert_int_equal(reach[1].told, 1);
	assert_int_equal(audiences_owed(set)->id.seq, 2);
	for (int i = 0; i < MEMBERS; i++) {
		assert_int_equal(crowd[i].offers, 1);
		assert_int_equal(heard(&crowd[i], "\"n\":2"), i < MEMBERS - 3);
	}
	flush();
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(crowd[i].offers, i < MEMBERS - 3 ? 1 : 2);
	assert_reach(2, MEMBERS, 0);
}

static void text_that_is_killed_in_the_middle_of_a_fan_out_goes_no_further(void **state)
{
	struct post *story = make("publish", "world", "", "{\"body\":\"secret\"}");

	(void)state;
	for (int i = 0; i < MEMBERS; i++)
		listen(i, "world");
	send("publish", "world", "", "{}");
	audiences_post(set, story);
	audiences_go_on(set, 2);
	post_blank(story);
	post_drop(story);
	send("kill", "world", "world", "");
	flush();
	for (int i = 0; i < MEMBERS; i++) {
		assert_int_equal(heard(&crowd[i], "secret"), i >= MEMBERS - 2);
		assert_true(heard(&crowd[i], "kill"));
	}
}

static void an_audience_waits_one_way_around_for_its_turn(void **state)
{
	(void)state;
	for (int i = 0; i < MEMBERS - 1; i++)
		listen(i, "world");
	listen(MEMBERS - 1, "world,sport");
	send("publish", "world", "", "{}");
	for (int slices = 0; crowd[MEMBERS - 1].offers == 0; slices++) {
		assert_true(slices < MEMBERS);
		audiences_go_on(set, 2);
		send("publish", "world", "", "{}");
	}
	flush();
}

static void more_than_may_be_owed_goes_out_at_once(void **state)
{
	static char body[1 << 20];

	(void)state;
	listen(0, "world")->deaf = true;
	listen(1, "world")->deaf = true;
	memset(body, 'x', sizeof body - 1);
	body[0] = '{';
	body[sizeof body - 2] = '}';
	for (int i = 0; i < AUDIENCE_OWED_MAX / (1 << 20); i++)
		send("publish", "world", "", body);
	assert_true(audiences_go_on(set, 1));
	send("publish", "world", "", body);
	assert_false(audiences_go_on(set, 1));
}

static void what_is_said_comes_behind_what_is_owed(void **state)
{
	static const char said[] = "{\"type\":\"readers\"}";

	(void)state;
	for (int i = 0; i < MEMBERS - 1; i++)
		listen(i, "world");
	listen(MEMBERS - 1, "sport");
	crowd[1].lags = true;
	send("publish", "world", "", "{\"n\":1}");
	audiences_go_on(set, 3);
	send("publish", "sport world", "", "{\"n\":2}");
	audience_say(crowd[0].member.audience, (const uint8_t *)said, sizeof said - 1);
	assert_false(audience_owes(crowd[0].member.audience));
	for (int i = 0; i < MEMBERS - 1; i++) {
		assert_true(heard(&crowd[i], "\"n\":1"));
		if (i == 1)
			continue; /* it is behind since */
		assert_true(heard(&crowd[i], "\"n\":2"));
		assert_memory_equal(crowd[i].text + crowd[i].len - (sizeof said - 1), said,
				    sizeof said - 1);
		assert_int_equal(crowd[i].upto.seq, 2);
	}
	flush();
	assert_int_equal(crowd[MEMBERS - 1].offers, 1);
	assert_reach(2, MEMBERS - 1, 1);
}

static void who_stops_at_what_is_said_has_the_posts_before_it(void **state)
{
	(void)state;
	listen(0, "world")->lags = true;
	listen(1, "world");
	listen(2, "sport");
	send("publish", "world", "", "{}");
	crowd[0].lags = false;
	audiences_go_on(set, 2);
	crowd[0].lags = true;
	send("publish", "sport", "", "{}");
	audience_say(crowd[0].member.audience, (const uint8_t *)"x", 1);
	assert_int_equal(crowd[0].upto.seq, 1); /* where it goes on: nothing comes again */
	assert_int_equal(audience_live(crowd[0].member.audience), 1);
	send("publish", "world", "", "{}");
	flush();
	assert_int_equal(crowd[0].offers, 2);
	assert_int_equal(crowd[1].offers, 3);
	assert_reach(3, 1, 1);
}

static void note_readers(void *arg, const char *channel, uint32_t readers)
{
	uint32_t *world = arg;

	assert_string_equal(channel, "world");
	*world = readers;
}

static void readers_are_counted_also_in_the_middle_of_a_fan_out(void **state)
{
	uint32_t world = 0;

	(void)state;
	for (int i = 0; i < MEMBERS; i++)
		listen(i, "world");
	crowd[MEMBERS - 2].lags = true;
	send("publish", "world", "", "{}");
	audiences_go_on(set, 3);
	audience_leave(&crowd[0].member);
	census_take(audiences_census(set), note_readers, &world);
	assert_int_equal(world, MEMBERS - 1); /* who lags reads */
	flush();
	census_take(audiences_census(set), note_readers, &world);
	assert_int_equal(world, MEMBERS - 1);
}

/* What the members of a random run should have heard. */
struct model {
	int sent;
	bool sport[64]; /* went to sport, not to world */
	struct post *held[64];
	bool blanked[64];     /* its text was taken while some waited for it */
	int left_at[MEMBERS]; /* posts sent when it left; -1: it stayed */
};

static bool concerns(const struct model *m, int listener, int n)
{
	return !m->sport[n] || listener % 2 == 1;
}

/* In order, each once, nothing left out but what was blanked; who left may lack the last ones. */
static void heard_it_all(const struct model *m, int listener)
{
	struct listener *l = &crowd[listener];
	const char *at = l->text;
	int next = 0, n;

	l->text[l->len] = '\0';
	while ((at = strstr(at, "\"n\":")) != NULL) {
		n = atoi(at += 4);
		for (; next < n; next++)
			assert_true(m->blanked[next] || !concerns(m, listener, next));
		assert_int_equal(n, next++);
		assert_true(concerns(m, listener, n));
	}
	for (; next < m->sent && m->left_at[listener] < 0; next++)
		assert_true(m->blanked[next] || !concerns(m, listener, next));
}

static void something_happens(struct model *m)
{
	int n = m->sent, who = rand() % MEMBERS;
	char body[32];

	switch (rand() % 9) {
	case 0:
	case 1:
	case 2:
		snprintf(body, sizeof body, "{\"n\":%d }", n);
		m->sport[n] = rand() % 3 == 0;
		m->held[n] = make("publish", m->sport[n] ? "sport" : "world", "", body);
		audiences_post(set, m->held[n]);
		m->sent++;
		break;
	case 3:
		if (n > 0 && audiences_owed(set) != NULL) {
			m->blanked[n - 1] = true;
			post_blank(m->held[n - 1]);
			send("kill", "feed:none", "", "");
		}
		break;
	case 4:
		if (rand() % 4 == 0 && m->left_at[who] < 0) {
			audience_leave(&crowd[who].member);
			m->left_at[who] = n;
		}
		break;
	case 5:
		if (rand() % 4 == 0)
			audience_say(crowd[who].member.audience, (const uint8_t *)"-", 1);
		break;
	default:
		audiences_go_on(set, 1 + (uint32_t)rand() % 6);
	}
}

static void whatever_happens_meanwhile_everybody_hears_all_of_it_once(void **state)
{
	for (unsigned seed = 1; seed <= 300; seed++) {
		struct model m = {0};

		srand(seed);
		for (int i = 0; i < MEMBERS; i++) {
			listen(i, i % 2 == 1 ? "sport,world" : "world");
			m.left_at[i] = -1;
		}
		while (m.sent < 40)
			something_happens(&m);
		flush();
		for (int i = 0; i < MEMBERS; i++)
			heard_it_all(&m, i);
		for (int i = 0; i < m.sent; i++) {
			assert_int_equal(m.held[i]->refs, 1);
			post_drop(m.held[i]);
		}
		teardown(state);
		setup(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_subscription_is_one_audience),
		TEST(a_post_is_offered_once_to_those_who_want_it),
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
		TEST(text_that_was_killed_before_it_went_out_reached_nobody),
		TEST(a_post_finds_those_who_named_a_prefix),
		TEST(the_longest_names_and_prefixes_have_their_place),
		TEST(a_post_touches_only_the_prefixes_it_has),
		TEST(a_post_in_two_channels_comes_twice_in_one_write_and_counts_once),
		TEST(a_block_never_ends_within_a_post),
		TEST(a_fan_out_goes_on_in_slices),
		TEST(what_comes_meanwhile_goes_with_it_to_those_who_come_next),
		TEST(text_that_is_killed_in_the_middle_of_a_fan_out_goes_no_further),
		TEST(an_audience_waits_one_way_around_for_its_turn),
		TEST(more_than_may_be_owed_goes_out_at_once),
		TEST(what_is_said_comes_behind_what_is_owed),
		TEST(who_stops_at_what_is_said_has_the_posts_before_it),
		TEST(readers_are_counted_also_in_the_middle_of_a_fan_out),
		TEST(whatever_happens_meanwhile_everybody_hears_all_of_it_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
