/* Goal: who sends an idempotency key gets the same answer again for the same request, whatever has become of the story,
 * and a refusal for another one. Decided twice is as decided once.
 */
#include "cmocka_all.h"

#include <string.h>
#include "base/buf.h"
#include "desk_accept.h"

/* What was said must be said again, marked as such, and nothing may change in Redis. */
static void says_again(struct sent s)
{
	struct buf before = {0}, after = {0};
	struct decision first = got;

	stage_dump(&before, NULL);
	accept_item(s);
	stage_dump(&after, NULL);
	assert_false(first.replayed);
	assert_true(got.replayed);
	assert_string_equal(got.result, first.result);
	assert_string_equal(got.id, first.id);
	assert_string_equal(got.action, first.action);
	assert_string_equal(got.channels, first.channels);
	assert_string_equal(got.code, first.code);
	assert_string_equal(got.detail, first.detail);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, after.len);
	buf_free(&before);
	buf_free(&after);
}

static void the_same_request_has_the_same_answer(void **state)
{
	const struct sent s = {.idem = "k1", .seen = "s1"};

	(void)state;
	SAYS(accept_item(s), "accepted");
	assert_string_equal(got.action, "publish");
	says_again(s);
	assert_int_equal(on_the_wire(), 1);
}

static void every_kind_of_answer_is_remembered(void **state)
{
	const struct sent rows[] = {
		{.idem = "k1", .seen = "s1", .version = "2"},
		{.idem = "k2", .seen = "s2", .version = "1"},
		{.idem = "k3", .seen = "s3", .version = "2", .created = 1},
		{.idem = "k4", .seen = "s1", .version = "2"},
		{.idem = "k5", .seen = "s5", .version = "3", .embargo = redis_now() + 60000},
		{.idem = "k6", .seen = "s6", .version = "4", .embargo = redis_now() + 900000000},
		{.idem = "k7", .seen = "s7", .version = "4", .status = "withheld"},
		{.idem = "k8", .seen = "s8", .version = "4", .status = "canceled"},
		{.idem = "k9", .seen = "s9", .version = "5"},
	};
	static const char *const results[] = {"accepted", "stale",    "duplicate", "seen",   "held",
					      "refused",  "accepted", "accepted",  "refused"};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		SAYS(accept_item(rows[i]), results[i]);
		says_again(rows[i]);
	}
	assert_int_equal(refusals(), 2);
}

static void a_later_kill_does_not_change_what_was_answered(void **state)
{
	(void)state;
	SAYS(SEND(.idem = "k1", .seen = "s1"), "accepted");
	SAYS(SEND(.version = "2", .status = "canceled"), "accepted");
	SAYS(SEND(.idem = "k1", .seen = "s1"), "accepted");
	assert_true(got.replayed);
	assert_string_equal(item_field("urn:a", "status"), "canceled");
	assert_int_equal(on_the_wire(), 2);
}

static void another_request_with_the_same_key_is_refused_once(void **state)
{
	(void)state;
	SAYS(SEND(.idem = "k1", .seen = "s1"), "accepted");
	SAYS(SEND(.idem = "k1", .seen = "s2", .version = "2"), "refused");
	assert_string_equal(got.code, "idempotency_mismatch");
	assert_false(got.replayed);
	SAYS(SEND(.idem = "k1", .seen = "s2", .version = "2"), "refused_again");
	assert_int_equal(refusals(), 1);
	assert_int_equal(on_the_wire(), 1);
	SAYS(SEND(.idem = "k1", .seen = "s1"), "accepted"); /* the first is still remembered */
	assert_true(got.replayed);
	SAYS(SEND(.seen = "s2", .version = "2"), "accepted"); /* without the key */
	SAYS(SEND(.idem = "k1", .seen = "s2", .version = "2"), "refused_again");
	assert_memory_not_equal(stage_text("GET {newswire}:seen:s2"), "refused", 7);
}

static void a_key_is_its_owners_own(void **state)
{
	(void)state;
	SAYS(SEND(.idem = "k1", .seen = "s1", .owner = "alpha"), "accepted");
	SAYS(SEND(.idem = "k1", .seen = "s2", .owner = "beta", .uri = "urn:b"), "accepted");
	assert_false(got.replayed);
}

static void a_key_lives_as_long_as_what_was_seen(void **state)
{
	(void)state;
	SEND(.idem = "k1", .seen = "s1");
	assert_in_range(stage_number("PTTL {newswire}:idem:redis:k1"), 89000000, 90000000);
	assert_string_equal(stage_text("HGET {newswire}:idem:redis:k1 v"), "1");
	SEND(.seen = "s9", .uri = "urn:b");
	assert_int_equal(stage_number("EXISTS {newswire}:idem:redis:"), 0);
}

static void what_cannot_be_read_is_remembered_too(void **state)
{
	(void)state;
	SAYS(reject_item("s1", "k1"), "refused");
	SAYS(reject_item("s1", "k1"), "refused");
	assert_true(got.replayed);
	assert_string_equal(got.code, "not_json");
	SAYS(reject_item("s2", "k1"), "refused");
	assert_string_equal(got.code, "idempotency_mismatch");
	SAYS(SEND(.idem = "k1", .seen = "s3"), "refused");
	assert_string_equal(got.code, "idempotency_mismatch");
	assert_int_equal(on_the_wire(), 0);
	assert_int_equal(refusals(), 3);
}

static void a_key_in_the_way_is_named_and_nothing_is_written(void **state)
{
	(void)state;
	stage_ask("SET {newswire}:idem:redis:k1 x");
	SAYS(SEND(.idem = "k1"), "error");
	assert_non_null(strstr(got.error, "idem:redis:k1"));
	SAYS(reject_item("s1", "k1"), "error");
	assert_int_equal(stage_number("DBSIZE"), 1);
	stage_ask("DEL {newswire}:idem:redis:k1");
	SAYS(SEND(.idem = "k1", .seen = "s1"), "accepted");
	stage_ask("SET {newswire}:rejects x");
	SAYS(SEND(.idem = "k1", .seen = "s2"), "error");
	assert_int_equal(stage_number("HEXISTS {newswire}:idem:redis:k1 reused"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_same_request_has_the_same_answer, stage_clear),
		cmocka_unit_test_setup(every_kind_of_answer_is_remembered, stage_clear),
		cmocka_unit_test_setup(a_later_kill_does_not_change_what_was_answered, stage_clear),
		cmocka_unit_test_setup(another_request_with_the_same_key_is_refused_once,
				       stage_clear),
		cmocka_unit_test_setup(a_key_is_its_owners_own, stage_clear),
		cmocka_unit_test_setup(a_key_lives_as_long_as_what_was_seen, stage_clear),
		cmocka_unit_test_setup(what_cannot_be_read_is_remembered_too, stage_clear),
		cmocka_unit_test_setup(a_key_in_the_way_is_named_and_nothing_is_written,
				       stage_clear),
	};

	return cmocka_run_group_tests(tests, stage_open, stage_close);
}
