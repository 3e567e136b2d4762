/* Goal: who has shown that he reads goes before who has not, and nobody is left out for that. */
#include "failing_malloc.h"
#include "audience_crowd.h"

enum { KILOBYTES = 32 }; /* of each large post */

static struct listener *listen_proven(int i, const char *channels)
{
	crowd[i].member.taken = AUDIENCE_PROVEN;
	return listen(i, channels);
}

static void send_large(void)
{
	static char body[KILOBYTES << 10];

	memset(body, 'x', sizeof body - 1);
	body[0] = '{';
	body[sizeof body - 2] = '}';
	send("publish", "world", "", body);
}

static void send_small(void)
{
	send("publish", "world", "", "{}");
}

static bool is_in_back(int i)
{
	assert_true(crowd[i].member.index != AUDIENCE_NOT_LIVE);
	return crowd[i].member.in_back;
}

static void who_reads_is_offered_a_post_first(void **state)
{
	(void)state;
	listen(0, "world");
	listen_proven(1, "world");
	listen(2, "world,sport");
	listen_proven(3, "world,sport");
	send_small();
	assert_true(audiences_go_on(set, 2));
	assert_int_equal(crowd[1].offers + crowd[3].offers, 2);
	assert_int_equal(crowd[0].offers + crowd[2].offers, 0);
	assert_false(audience_owes(&crowd[1].member));
	assert_true(audience_owes(&crowd[0].member));
	flush();
	assert_int_equal(crowd[0].offers + crowd[2].offers, 2);
	assert_reach(1, 4, 0);
}

static void the_back_has_its_share_while_the_front_is_never_done(void **state)
{
	unsigned rounds = 0;

	(void)state;
	for (int i = 0; i < 4; i++)
		listen_proven(i, "world");
	for (int i = 4; i < MEMBERS; i++)
		listen(i, "world");
	for (; crowd[MEMBERS - 1].offers == 0; rounds++) {
		assert_true(rounds <= AUDIENCE_AHEAD / 4);
		assert_int_equal(crowd[0].offers, rounds);
		send_small();
		audiences_go_on(set, 4);
	}
	assert_int_equal(rounds, AUDIENCE_AHEAD / 4 + 1);
	flush();
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(crowd[i].upto.seq, rounds);
}

static void what_goes_to_the_back_is_cut_short_for_those_in_front(void **state)
{
	unsigned price = AUDIENCE_BACK_PRICE + (KILOBYTES << 10) / AUDIENCE_BACK_BYTES;

	(void)state;
	listen_proven(0, "sport");
	for (int i = 1; i < 5; i++)
		listen(i, i < 3 ? "world" : "sport,world")->deaf = true;
	for (int i = 0; i < 50; i++)
		send_large(); /* each is a block */
	assert_true(audiences_go_on(set, AUDIENCE_SLICE));
	assert_int_equal(crowd[1].offers + crowd[2].offers + crowd[3].offers + crowd[4].offers,
			 AUDIENCE_SLICE / price + 1);
	assert_true(audiences_can_wait(set));
	send("publish", "sport", "", "{}");
	assert_false(audiences_can_wait(set));
	assert_true(audiences_go_on(set, 2));
	assert_int_equal(crowd[0].offers, 1);
	assert_int_equal(crowd[1].offers + crowd[2].offers + crowd[3].offers + crowd[4].offers,
			 AUDIENCE_SLICE / price + 2);
	flush();
}

static void what_the_back_had_left_over_is_forgotten_at_rest(void **state)
{
	(void)state;
	for (int i = 0; i < MEMBERS - 1; i++)
		listen_proven(i, "world");
	listen(MEMBERS - 1, "world");
	for (int i = 0; i < AUDIENCE_AHEAD / 4; i++) {
		send_small();
		audiences_go_on(set, 4);
	}
	flush();
	send_small();
	audiences_go_on(set, MEMBERS - 1);
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(crowd[i].upto.seq, i < MEMBERS - 1 ? next_seq : next_seq - 1);
}

static void a_back_that_all_have_left_is_soon_done(void **state)
{
	(void)state;
	listen_proven(0, "sport");
	for (int i = 1; i < MEMBERS; i++)
		listen(i, "world")->leaves = true;
	for (int i = 0; i < 50; i++)
		send_large();
	flush();
	for (int i = 1; i < MEMBERS; i++)
		assert_int_equal(crowd[i].offers, 1);
	assert_int_equal(crowd[1].expected, 1);
}

static void a_small_back_does_not_wait_for_a_large_one(void **state)
{
	(void)state;
	listen_proven(0, "sport");
	for (int i = 1; i < MEMBERS - 1; i++)
		listen(i, "world")->deaf = true;
	for (int i = 0; i < 50; i++)
		send_large();
	assert_true(audiences_go_on(set, AUDIENCE_SLICE));
	listen(MEMBERS - 1, "topic:2*");
	send("publish", "topic:20", "", "{}");
	assert_true(audiences_go_on(set, AUDIENCE_SLICE));
	assert_true(audiences_go_on(set, AUDIENCE_SLICE));
	assert_int_equal(crowd[MEMBERS - 1].offers, 1);
	flush();
}

static void small_posts_to_the_back_are_not_cut_so_short(void **state)
{
	(void)state;
	listen_proven(0, "sport");
	for (int i = 1; i < MEMBERS; i++)
		listen(i, "world");
	send_small();
	assert_false(audiences_go_on(set, (MEMBERS - 1) * AUDIENCE_BACK_PRICE));
}

static void nothing_is_cut_short_for_nobody(void **state)
{
	(void)state;
	listen(1, "world")->deaf = true;
	listen(2, "world")->deaf = true;
	for (int i = 0; i < 50; i++)
		send_large();
	assert_false(audiences_can_wait(set));
	assert_false(audiences_go_on(set, AUDIENCE_SLICE));
	assert_int_equal(crowd[1].offers + crowd[2].offers, 100);
}

static void what_it_was_written_moves_a_member_up(void **state)
{
	(void)state;
	listen(0, "world")->deaf = true;
	for (int i = 0; i < AUDIENCE_PROVEN / 2 / (KILOBYTES << 10); i++)
		send_large();
	flush();
	listen(1, "world")->deaf = true; /* what was said before it came is nothing to it */
	for (int i = 0; i < AUDIENCE_PROVEN / 2 / (KILOBYTES << 10); i++) {
		assert_true(is_in_back(0));
		send_large();
		flush();
	}
	send_large();
	flush();
	assert_false(is_in_back(0));
	assert_true(is_in_back(1));
	send_small();
	audiences_go_on(set, 1);
	assert_int_equal(crowd[0].upto.seq, next_seq);
	assert_int_equal(crowd[1].upto.seq, next_seq - 1);
	for (int i = 0; i < AUDIENCE_PROVEN / (KILOBYTES << 10); i++) {
		flush();
		send_large();
	}
	flush();
	assert_false(is_in_back(1));
}

static void who_comes_back_has_what_he_was_written(void **state)
{
	struct audience_member *member = &crowd[0].member;

	(void)state;
	listen(0, "world")->deaf = true;
	for (int i = 0; i < AUDIENCE_PROVEN / 2 / (KILOBYTES << 10) + 1; i++)
		send_large();
	flush();
	audience_leave(member);
	assert_in_range(member->taken, AUDIENCE_PROVEN / 2, AUDIENCE_PROVEN - 1);
	assert_false(audience_can_wait(member));
	listen_proven(1, "sport");
	assert_true(audience_can_wait(member));
	audience_took(member, AUDIENCE_PROVEN / 2);
	assert_int_equal(member->taken, AUDIENCE_PROVEN);
	assert_false(audience_can_wait(member));
	assert_int_equal(audience_join(member), 0);
	assert_false(is_in_back(0));
	audience_leave(member);
	assert_int_equal(member->taken, AUDIENCE_PROVEN);
}

static void who_lags_is_told_once(void **state)
{
	(void)state;
	listen(0, "world");
	listen_proven(1, "world");
	audience_lag(crowd[0].member.audience, 3);
	send_small();
	flush();
	assert_reach(1, 2, 3);
	audience_leave(&crowd[0].member);
	send_small();
	flush();
	assert_reach(2, 1, 3);
	audience_leave(&crowd[1].member);
	send_small();
	flush();
	assert_reach(3, 0, 3);
	audience_lag(crowd[0].member.audience, -3);
}

static void what_is_said_is_said_to_both(void **state)
{
	(void)state;
	listen(0, "world");
	listen_proven(1, "world");
	send_small();
	audience_say(crowd[0].member.audience, (const uint8_t *)"said", 4);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(crowd[i].offers, 2);
		assert_memory_equal(crowd[i].text + crowd[i].len - 4, "said", 4);
	}
	assert_int_equal(audience_live(crowd[0].member.audience), 2);
}

static void who_moves_up_meanwhile_hears_what_is_said_once(void **state)
{
	unsigned before;

	(void)state;
	listen(0, "world")->deaf = true;
	for (int i = 0; i < AUDIENCE_PROVEN / (KILOBYTES << 10) - 1; i++) {
		send_large();
		flush();
	}
	send_large();
	send_large();
	before = crowd[0].offers;
	assert_true(is_in_back(0));
	audience_say(crowd[0].member.audience, (const uint8_t *)"said", 4);
	assert_false(is_in_back(0));
	assert_int_equal(crowd[0].offers - before, 3);
}

/* Its reader is the server's own: nobody is in front, and yet it is not left out. */
static void the_canary_does_not_wait_for_a_back_that_is_never_done(void **state)
{
	struct channel_set channels;
	struct subscription *s;

	(void)state;
	assert_int_equal(channel_set_read(&channels, "canary", 6, ' '), 0);
	s = subscription_of_channels(&channels);
	s->canary = true;
	crowd[0].member =
		(struct audience_member){.audience = audience_get(set, s, "", FORMAT_WEBSOCKET),
					 .index = AUDIENCE_NOT_LIVE,
					 .taken = AUDIENCE_PROVEN};
	assert_int_equal(audience_join(&crowd[0].member), 0);
	for (int i = 1; i < MEMBERS; i++)
		listen(i, "world")->deaf = true;
	for (unsigned i = 0; i < 2 * AUDIENCE_AHEAD; i++) {
		next_seq = 0; /* more than are kept here */
		crowd[0].upto = (struct wire_id){0};
		for (int k = 1; k < MEMBERS; k++)
			crowd[k].upto = (struct wire_id){0};
		send_small();
		assert_true(audiences_go_on(set, 3)); /* of seven */
		send("publish", "canary", "", "{}");
		audiences_go_on(set, 3);
		assert_int_equal(crowd[0].offers, i + 1);
	}
	flush();
}

static void who_waits_for_his_row_is_not_behind(void **state)
{
	struct audience *a = listen(0, "world")->member.audience;

	(void)state;
	audience_lag(a, 3);
	audience_arrive(a, 2);
	send_small();
	flush();
	assert_reach(1, 1, 1);
	audience_arrive(a, -2);
	send_small();
	flush();
	assert_reach(2, 1, 3);
	audience_lag(a, -3);
}

/* A member that cannot move up stays, and hears everything all the same. */
static bool move_up(void)
{
	void *nothing = NULL;
	bool done;

	assert_int_equal(setup(&nothing), 0);
	listen(0, "world")->deaf = true;
	for (int i = 0; i < AUDIENCE_PROVEN / (KILOBYTES << 10) - 2; i++)
		send_large();
	flush();
	send_large();
	send_large();
	fail_begin();
	while (audiences_go_on(set, AUDIENCE_ALL))
		;
	fail_end();
	done = crowd[0].torn == 0 && !is_in_back(0);
	send_small();
	flush();
	assert_int_equal(crowd[0].upto.seq, next_seq);
	assert_int_equal(teardown(&nothing), 0);
	return done;
}

static void who_cannot_move_up_stays(void **state)
{
	(void)state;
	fail_each(move_up);
	fail_each_from(move_up);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_reads_is_offered_a_post_first),
		TEST(the_back_has_its_share_while_the_front_is_never_done),
		TEST(what_goes_to_the_back_is_cut_short_for_those_in_front),
		TEST(what_the_back_had_left_over_is_forgotten_at_rest),
		TEST(a_back_that_all_have_left_is_soon_done),
		TEST(a_small_back_does_not_wait_for_a_large_one),
		TEST(small_posts_to_the_back_are_not_cut_so_short),
		TEST(nothing_is_cut_short_for_nobody),
		TEST(what_it_was_written_moves_a_member_up),
		TEST(who_comes_back_has_what_he_was_written),
		TEST(who_lags_is_told_once),
		TEST(what_is_said_is_said_to_both),
		TEST(who_moves_up_meanwhile_hears_what_is_said_once),
		TEST(the_canary_does_not_wait_for_a_back_that_is_never_done),
		TEST(who_waits_for_his_row_is_not_behind),
		cmocka_unit_test(who_cannot_move_up_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
