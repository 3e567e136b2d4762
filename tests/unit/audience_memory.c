/* Goal: whenever memory is short, an audience is there or is not, and each of its readers has a post or is told to catch up: nobody
 * misses one in silence. */
#include "failing_malloc.h"
#include "audience_crowd.h"
#include "audience/census.h"

static void *nothing;

static void make_set(void)
{
	assert_int_equal(setup(&nothing), 0);
}

static void drop_set(void)
{
	assert_int_equal(teardown(&nothing), 0);
}

static bool open_set(void)
{
	struct audiences *s;

	fail_begin();
	s = audiences_new(&ops);
	fail_end();
	audiences_free(s);
	return s != NULL;
}

static void a_set_is_made_or_is_not(void **state)
{
	(void)state;
	fail_each(open_set);
	fail_each_from(open_set);
}

/* One member of this audience joins; whatever fails, all is as before. */
static bool join(const char *channels, enum format format)
{
	struct subscription_fault fault;
	struct subscription *s = subscription_read(channels, NULL, NULL, NULL, &fault);
	struct audience_member *member = &crowd[0].member;
	bool done;

	assert_non_null(s);
	member->index = AUDIENCE_NOT_LIVE;
	fail_begin();
	member->audience = audience_get(set, s, "", format);
	done = member->audience != NULL && audience_join(member) == 0;
	fail_end();
	return done;
}

static bool join_by_names_and_prefixes(void)
{
	bool done;

	make_set();
	done = join("sport,topic:2*,world", FORMAT_WEBSOCKET);
	if (!done)
		assert_int_equal(audiences_count(set), crowd[0].member.audience != NULL);
	listen(1, "world"); /* the others find it as it was */
	send("publish", "world", "", "{}");
	flush();
	assert_int_equal(crowd[1].offers, 1);
	assert_int_equal(crowd[0].offers, done ? 1 : 0);
	drop_set();
	return done;
}

static void who_cannot_join_leaves_nothing_behind(void **state)
{
	(void)state;
	fail_each(join_by_names_and_prefixes);
	fail_each_from(join_by_names_and_prefixes);
}

/* Three posts for three audiences; then who was not offered all of them was told where to catch up from. */
static bool fan_out(void)
{
	struct post *posts[3];
	bool done = true;

	make_set();
	listen(0, "world");
	listen(1, "sport,world");
	listen(2, "topic:2*");
	listen_by_channel(3, "sport world");
	posts[0] = make("publish", "sport topic:20 world", "", "{\"text\":\"first\"}");
	posts[1] = make("correct", "world", "sport topic:20 world", "{\"text\":\"second\"}");
	posts[2] = make("kill", "world", "sport topic:20 world", "");
	fail_begin();
	for (int i = 0; i < 3; i++)
		audiences_post(set, posts[i]);
	while (audiences_go_on(set, AUDIENCE_ALL))
		;
	fail_end();
	for (int i = 0; i < 4; i++) {
		assert_true(crowd[i].torn > 0 || crowd[i].upto.seq == 3);
		if (crowd[i].torn == 0) {
			assert_true(heard(&crowd[i], "\"action\":\"kill\""));
			assert_true(i == 2 || heard(&crowd[i], "second"));
		} else {
			done = false;
		}
	}
	assert_null(audiences_owed(set));
	for (int i = 0; i < 3; i++)
		post_drop(posts[i]);
	drop_set();
	return done;
}

static void a_post_is_offered_or_its_readers_are_told_to_catch_up(void **state)
{
	(void)state;
	fail_each(fan_out);
	fail_each_from(fan_out);
}

/* How often each of its channels told it of that. */
static int times_heard(const struct listener *l, const char *text)
{
	const char *at = l->text, *end = l->text + l->len;
	int times = 0;

	while ((at = memmem(at, (size_t)(end - at), text, strlen(text))) != NULL) {
		times++;
		at += strlen(text);
	}
	return times;
}

enum { ALONE = 3 };

/* Posts for one channel, of which so many offers are made; then one for two, which is pending twice: the second time it needs more room. */
static bool fan_out_by_channel(uint32_t offers)
{
	struct post *posts[ALONE + 1];
	bool done = true;

	make_set();
	for (int i = 0; i < MEMBERS; i++)
		listen_by_channel(i, "sport world");
	for (int i = 0; i < ALONE; i++)
		posts[i] = make("publish", "world", "", "{\"text\":\"alone\"}");
	posts[ALONE] = make("publish", "sport world", "", "{\"text\":\"twice\"}");
	fail_begin();
	for (int i = 0; i < ALONE; i++)
		audiences_post(set, posts[i]);
	audiences_go_on(set, offers);
	audiences_post(set, posts[ALONE]);
	while (audiences_go_on(set, AUDIENCE_ALL))
		;
	fail_end();
	for (int i = 0; i < MEMBERS; i++) { /* where it goes on from is what it has */
		bool has_last = crowd[i].upto.seq == ALONE + 1;

		assert_int_equal(times_heard(&crowd[i], "twice"), has_last ? 2 : 0);
		assert_true(has_last || crowd[i].torn > 0);
		done = done && has_last;
	}
	assert_null(audiences_owed(set));
	for (int i = 0; i <= ALONE; i++) {
		assert_int_equal(posts[i]->owed, 0);
		assert_int_equal(posts[i]->refs, 1);
		post_drop(posts[i]);
	}
	drop_set();
	return done;
}

static bool fan_out_at_once(void)
{
	return fan_out_by_channel(0);
}

static bool fan_out_half_way(void)
{
	return fan_out_by_channel(MEMBERS / 2);
}

static void half_a_post_is_not_taken_for_the_whole(void **state)
{
	(void)state;
	fail_each(fan_out_at_once);
	fail_each_from(fan_out_at_once);
	fail_each(fan_out_half_way);
	fail_each_from(fan_out_half_way);
}

/* A post has been half the way around when one comes that has more frames than there is room for. */
static bool fan_out_in_slices(void)
{
	enum { LONG = 40 << 10 };
	struct buf body = {0};
	struct post *posts[2];
	bool done = true;

	make_set();
	buf_addf(&body, "{\"text\":\"%0*d\"}", LONG, 0);
	for (int i = 0; i < MEMBERS; i++)
		listen_by_channel(i, "sport world");
	posts[0] = make("publish", "world", "", "{\"text\":\"first\"}");
	posts[1] = make("publish", "sport world", "", body.data);
	audiences_post(set, posts[0]);
	assert_true(audiences_go_on(set, MEMBERS / 2));
	fail_begin();
	audiences_post(set, posts[1]);
	while (audiences_go_on(set, 1))
		;
	fail_end();
	for (int i = 0; i < MEMBERS; i++) { /* where it goes on from is what it has */
		bool has_second = crowd[i].largest > 2 * LONG; /* of both channels */

		assert_int_equal(crowd[i].upto.seq, has_second ? 2 : heard(&crowd[i], "first"));
		assert_true(has_second || crowd[i].torn > 0);
		done = done && has_second;
	}
	for (int i = 0; i < 2; i++)
		post_drop(posts[i]);
	buf_free(&body);
	drop_set();
	return done;
}

static void who_was_offered_a_post_before_memory_ran_out_does_not_hear_it_again(void **state)
{
	(void)state;
	fail_each(fan_out_in_slices);
	fail_each_from(fan_out_in_slices);
}

static unsigned counted[3]; /* readers of "a", "b" and "c*", as was told last */

static void count(void *arg, const char *channel, uint32_t readers)
{
	(void)arg;
	counted[channel[0] - 'a'] = readers;
}

static void enter(struct census *census, struct census_entry *e, const char *channels)
{
	struct subscription_fault fault;
	struct subscription *s = subscription_read(channels, NULL, NULL, NULL, &fault);

	assert_non_null(s);
	assert_int_equal(subscription_ask_readers(s), 0);
	census_enter(e, s);
	census_add(census, e, 1);
}

/* In a short second, and in the next; then both audiences are told when theirs changes. */
static bool take_census(void)
{
	static const char *const channels[] = {"a,b", "b,c*"};
	struct census census = {0};
	struct census_entry entries[2];
	unsigned late = 0;

	memset(counted, 0, sizeof counted);
	for (int i = 0; i < 2; i++)
		enter(&census, &entries[i], channels[i]);
	fail_begin();
	census_take(&census, count, NULL);
	fail_end();
	census_take(&census, count, NULL);
	assert_int_equal(counted[0], 1);
	assert_int_equal(counted[1], 2);
	assert_int_equal(counted[2], 1);
	for (census_heard(&census, "b"); census_next_late(&census) != NULL; late++)
		;
	assert_int_equal(late, 2);
	for (int i = 0; i < 2; i++) {
		struct subscription *s = (struct subscription *)entries[i].subscription;

		census_leave(&census, &entries[i]);
		subscription_free(s);
	}
	census_take(&census, count, NULL);
	assert_int_equal(counted[0] + counted[1] + counted[2], 0);
	assert_null(census.rows);
	return true;
}

static void readers_are_counted_now_or_a_second_later(void **state)
{
	(void)state;
	fail_each(take_census);
	fail_each_from(take_census);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_is_made_or_is_not),
		cmocka_unit_test(who_cannot_join_leaves_nothing_behind),
		cmocka_unit_test(a_post_is_offered_or_its_readers_are_told_to_catch_up),
		cmocka_unit_test(half_a_post_is_not_taken_for_the_whole),
		cmocka_unit_test(
			who_was_offered_a_post_before_memory_ran_out_does_not_hear_it_again),
		cmocka_unit_test(readers_are_counted_now_or_a_second_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
