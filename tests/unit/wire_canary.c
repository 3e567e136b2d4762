/* Goal: a worker's message to itself comes back to it alone, and leaves the wire as it was. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>
#include "base/counters.h"
#include "news/subscription.h"
#include "wire/redis_words.h"
#include "wire_stage.h"

static struct answers {
	struct canary_note_sender sender;
	unsigned count;
	bool published;
	const struct redis_words *why;
} answers;

static void answered(struct canary_note_sender *sender, bool published,
		     const struct redis_words *why)
{
	assert_ptr_equal(sender, &answers.sender);
	answers.count++;
	answers.published = published;
	answers.why = why;
}

static bool has_answer(void *arg)
{
	(void)arg;
	return answers.count > 0;
}

/* Sends one and waits for Redis' word. */
static void send_canary(struct stage *s, struct follower *f, uint64_t number)
{
	answers = (struct answers){.sender = {f->wire, answered}};
	assert_int_equal(canary_note_send(&answers.sender, number), 0);
	stage_until(s, has_answer, NULL);
}

static bool has_canary(void *arg)
{
	return ((struct follower *)arg)->canaries > 0;
}

static void a_canary_comes_back_and_moves_nothing(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);
	struct wire_id head;

	stage_post(s, "a", "publish", 1);
	stage_until_posts(s, f, 1);
	head = wire_head(f->wire);
	send_canary(s, f, 4711);
	stage_until(s, has_canary, f);
	assert_true(answers.published);
	assert_null(answers.why);
	assert_int_equal(f->canary, 4711);
	assert_int_equal(wire_id_compare(f->canary_at, head), 0);
	assert_int_equal(wire_id_compare(wire_head(f->wire), head), 0);
	stage_post(s, "a", "correct", 2);
	stage_until_posts(s, f, 2);
	assert_string_equal(stage_told(f), "E1 2 ");
	assert_int_equal(backlog_count(wire_backlog(f->wire)), 2);
}

static void a_canary_is_for_the_worker_that_sent_it(void **state)
{
	struct stage *s = *state;
	struct follower *one = stage_follow(s, 0), *other = stage_follow(s, 1);
	uint64_t dropped = COUNTER_GET(WIRE_DROPPED), bad = COUNTER_GET(WIRE_BAD);

	send_canary(s, one, 1);
	stage_until(s, has_canary, one);
	stage_post(s, "a", "publish", 1); /* what comes after it has come */
	stage_until_posts(s, other, 1);
	assert_int_equal(other->canaries, 0);
	assert_string_equal(stage_told(other), "E1 ");
	assert_int_equal(COUNTER_GET(WIRE_DROPPED), dropped);
	assert_int_equal(COUNTER_GET(WIRE_BAD), bad);
}

static void without_an_epoch_none_is_published(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	redis_fixture_do(s->redis, "DEL {newswire}:epoch");
	send_canary(s, f, 1);
	assert_false(answers.published);
}

static void what_redis_refuses_is_said_in_words(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	redis_fixture_do(s->redis, "CONFIG SET maxmemory 1");
	send_canary(s, f, 1);
	redis_fixture_do(s->redis, "CONFIG SET maxmemory 0");
	assert_false(answers.published);
	assert_string_equal(answers.why->code, "OOM ");
}

/* --- the message, without a Redis --------------------------------------------------------------- */

#define CANARY \
	"1 e1 0-0 " \
	"0-0\n{\"action\":\"publish\",\"uri\":\"urn:newswire:canary:me\",\"version\":\"1\"," \
	"\"class\":\"regular\",\"channels\":\"canary:me\"}\n{\"canary\":12}"

static void a_canary_is_known_by_its_place(void **state)
{
	static const char *const others[] = {"",
					     "1",
					     "1 ",
					     "1 e1",
					     "1 e1 ",
					     "1 e1 0-0",
					     "1 e1 0-0 0-0",
					     "2 e1 0-0 0-0\n",
					     "1 e1 5-0 0-0\n",
					     "1 e1 5-0 4-0\n",
					     "1 e1 0-0 0-0 \n"};

	(void)state;
	assert_true(canary_note_is(CANARY, strlen(CANARY)));
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_false(canary_note_is(others[i], strlen(others[i])));
}

static void a_canary_is_read_by_the_worker_that_it_names(void **state)
{
	static const char *const others[] = {"you", "m", "mee", "e"};
	struct post *post = canary_note_read(CANARY, strlen(CANARY), "me");

	(void)state;
	assert_non_null(post);
	assert_int_equal(canary_note_number(post->body, post->body_len), 12);
	post_drop(post);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_null(canary_note_read(CANARY, strlen(CANARY), others[i]));
	assert_null(canary_note_read(CANARY, strlen(CANARY) - 20, "me"));
}

/* A release that does not know of canaries reads it as a post that it has already. */
static void a_canary_is_a_post_in_form(void **state)
{
	struct post *post = post_read(CANARY, strlen(CANARY));

	(void)state;
	assert_non_null(post);
	assert_int_equal(wire_id_compare(post->id, (struct wire_id){0}), 0);
	assert_int_equal(wire_id_compare(post->prev, (struct wire_id){0}), 0);
	post_drop(post);
}

static void nobody_may_ask_for_canaries(void **state)
{
	static const char *const asked[] = {"canary:me", "canary:*", "canary:m*",
					    "feed:canary:me,canary:me"};
	struct subscription_fault fault;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(asked); i++) {
		assert_null(subscription_read(asked[i], NULL, NULL, NULL, &fault));
		assert_string_equal(fault.code, "bad_channel");
	}
}

static void no_subscription_matches_a_canary(void **state)
{
	static const char *const asked[] = {NULL,     "*",	 "feed:all", "feed:*", "c*",
					    "canary", "canary*", "class:*",  "me"};
	struct post *post = canary_note_read(CANARY, strlen(CANARY), "me");
	struct subscription_fault fault;

	(void)state;
	assert_non_null(post);
	for (size_t i = 0; i < COUNT_OF(asked); i++) {
		struct subscription *s = subscription_read(asked[i], NULL, NULL, NULL, &fault);

		assert_non_null(s);
		assert_int_equal(subscription_match(s, post), MATCH_NOT);
		subscription_free(s);
	}
	post_drop(post);
}

static void a_number_is_found_in_what_a_reader_is_sent(void **state)
{
	static const char line[] = "data: {\"type\":\"post\",\"item\":{\"canary\":18446744073}}";

	(void)state;
	assert_int_equal(canary_note_number(line, sizeof line - 1), 18446744073);
	assert_int_equal(canary_note_number(line, sizeof line - 4), 1844674407);
	assert_int_equal(canary_note_number("data: {}", 8), 0);
	assert_int_equal(canary_note_number("\"canary\":", 9), 0);
	assert_int_equal(canary_note_number("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_canary_comes_back_and_moves_nothing, stage_set_up,
						stage_tear_down),
		cmocka_unit_test_setup_teardown(a_canary_is_for_the_worker_that_sent_it,
						stage_set_up, stage_tear_down),
		cmocka_unit_test_setup_teardown(without_an_epoch_none_is_published, stage_set_up,
						stage_tear_down),
		cmocka_unit_test_setup_teardown(what_redis_refuses_is_said_in_words, stage_set_up,
						stage_tear_down),
		cmocka_unit_test(a_canary_is_known_by_its_place),
		cmocka_unit_test(a_canary_is_read_by_the_worker_that_it_names),
		cmocka_unit_test(a_canary_is_a_post_in_form),
		cmocka_unit_test(nobody_may_ask_for_canaries),
		cmocka_unit_test(no_subscription_matches_a_canary),
		cmocka_unit_test(a_number_is_found_in_what_a_reader_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
