/* Goal: what comes, goes or is said in the middle of a fan-out costs nobody a post, and nobody hears one twice. */
#include "audience_crowd.h"

static void a_fan_out_goes_on_in_slices(void **state)
{
	(void)state;
	for (int i = 0; i < MEMBERS; i++)
		listen(i, "world");
	send("publish", "world", "", "{}");
	assert_true(audiences_go_on(set, 3));
	assert_true(audience_owes(&crowd[0].member));
	assert_int_equal(audiences_owed(set)->id.seq, 1);
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(crowd[i].offers, i >= MEMBERS - 3);
	assert_int_equal(reach[1].told, 0);
	flush();
	assert_false(audience_owes(&crowd[0].member));
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
	assert_false(audience_owes(&crowd[0].member));
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
	assert_int_equal(crowd[0].upto.seq,
			 2); /* where it goes on: nothing comes again, and 2 is not for it */
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
			crowd[i].member.taken = rand() % 2 == 0 ? AUDIENCE_PROVEN : 0;
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
