/* Goal: what was killed, withheld or is under embargo is nowhere, and who saw it is told what became of it. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/base.h"
#include "desk_accept.h"

/* --- kills ------------------------------------------------------------------------------------ */

static void a_kill_takes_every_text_and_tells_all_who_saw_one(void **state)
{
	(void)state;
	SEND(.version = "1", .text = "horror", .channels = "feed:all world");
	SEND(.version = "2", .text = "horror two", .channels = "feed:all sport");
	SEND(.version = "3", .text = "horror three", .channels = "feed:all",
	     .embargo = redis_now() + 60000);
	assert_true(stage_holds("horror", NULL));
	SAYS(SEND(.version = "1", .status = "canceled", .text = "please kill horror",
		  .channels = "local"),
	     "accepted");
	assert_string_equal(got.action, "kill");
	assert_false(stage_holds("horror", NULL));
	newest_says("\"was\":\"feed:all sport world\"");
	newest_says("\"notice\":\"This report has been withdrawn.\"");
	assert_false(in_feed("feed:all", "urn:a") || in_feed("sport", "urn:a") ||
		     in_feed("local", "urn:a"));
	assert_int_equal(stage_number("ZCARD {newswire}:embargo"), 0);
	assert_string_equal(item_field("urn:a", "status"), "canceled");
	assert_string_equal(item_field("urn:a", "bodies"), "[]");
}

static void a_killed_uri_stays_killed(void **state)
{
	(void)state;
	SEND(.version = "1");
	SEND(.version = "2", .status = "canceled", .notice = "Withdrawn: a sensor fault.");
	newest_says("\"notice\":\"Withdrawn: a sensor fault.\"");
	SAYS(SEND(.version = "3", .text = "again"), "refused");
	assert_string_equal(got.code, "killed");
	SAYS(SEND(.version = "3", .status = "withheld"), "refused");
	SAYS(SEND(.version = "3", .embargo = redis_now() + 60000), "refused");
	SAYS(SEND(.version = "4", .status = "canceled"), "duplicate");
	assert_string_equal(got.id, item_field("urn:a", "last"));
	assert_int_equal(on_the_wire(), 2);
	assert_int_equal(refusals(), 3);
	assert_false(stage_holds("again", NULL));
}

static void a_kill_before_its_item_is_silent_and_stops_it(void **state)
{
	(void)state;
	SAYS(SEND(.version = "2", .status = "canceled"), "accepted");
	assert_string_equal(got.action, "kill");
	assert_string_equal(got.id, "");
	SAYS(SEND(.version = "1", .text = "late"), "refused");
	assert_string_equal(got.code, "killed");
	assert_int_equal(on_the_wire(), 0);
	assert_string_equal(stage_text("GET {newswire}:head"), "");
	assert_false(stage_holds("late", NULL));
}

static void a_kill_under_embargo_is_silent(void **state)
{
	(void)state;
	SEND(.text = "secret", .embargo = redis_now() + 60000);
	SAYS(SEND(.status = "canceled", .version = "2"), "accepted");
	assert_int_equal(on_the_wire(), 0);
	assert_false(stage_holds("secret", NULL));
	assert_int_equal(release_due(""), 0);
	assert_true(*freed.rewrite != '\0');
}

static void a_kill_asks_for_the_file_to_be_written_anew(void **state)
{
	char token[80];

	(void)state;
	SEND(.uri = "urn:a");
	release_due("");
	assert_string_equal(freed.rewrite, "");
	SEND(.uri = "urn:a", .version = "2", .status = "canceled");
	release_due("");
	snprintf(token, sizeof token, "%s", freed.rewrite);
	assert_true(*token != '\0');
	release_due(""); /* another worker, in the same minute */
	assert_string_equal(freed.rewrite, "");
	SEND(.uri = "urn:b");
	SEND(.uri = "urn:b", .version = "2", .status = "canceled");
	release_due(token); /* done, but there was a kill since */
	assert_true(stage_number("EXISTS {newswire}:rewrite"));
	stage_ask("DEL {newswire}:rewriting"); /* the minute is over */
	release_due("");
	snprintf(token, sizeof token, "%s", freed.rewrite);
	release_due(token);
	assert_false(stage_number("EXISTS {newswire}:rewrite"));
}

/* --- withheld --------------------------------------------------------------------------------- */

static void a_withheld_item_hides_until_it_is_usable_again(void **state)
{
	(void)state;
	SEND(.text = "doubtful");
	SAYS(SEND(.version = "2", .status = "withheld"), "accepted");
	assert_string_equal(got.action, "hold");
	newest_says("\"action\":\"hold\"");
	newest_says("\"was\":\"feed:all world\"");
	assert_false(in_feed("world", "urn:a"));
	assert_false(stage_holds("\"body\":\"doubtful\"", NULL));
	SAYS(SEND(.version = "1", .text = "late"), "stale");
	SAYS(SEND(.version = "2", .text = "sure"), "accepted");
	assert_string_equal(got.action, "release");
	newest_says("\"was\":\"feed:all world\"");
	assert_true(in_feed("world", "urn:a"));
	assert_string_equal(stage_text("GET {newswire}:body:urn:a:2"),
			    "{\"uri\":\"urn:a\",\"body\":\"sure\"}");
}

static void the_same_version_may_be_withheld(void **state)
{
	(void)state;
	SEND(.created = 2000);
	SAYS(SEND(.status = "withheld", .created = 1000),
	     "stale"); /* the usable one came after it */
	SAYS(SEND(.status = "withheld", .created = 2000), "accepted");
	assert_string_equal(item_field("urn:a", "status"), "withheld");
	SAYS(SEND(.created = 1500, .text = "older"), "stale");
	SAYS(SEND(.created = 2000, .text = "released"), "accepted");
	assert_string_equal(got.action, "release");
}

static void an_unknown_item_withheld_is_recorded_silently(void **state)
{
	(void)state;
	SAYS(SEND(.status = "withheld", .version = "2"), "accepted");
	assert_string_equal(got.id, "");
	assert_int_equal(on_the_wire(), 0);
	SAYS(SEND(.version = "1"), "stale");
	SAYS(SEND(.status = "withheld", .version = "2", .seen = "x"), "duplicate");
	SAYS(SEND(.version = "3"), "accepted");
	assert_string_equal(got.action, "release");
	newest_says("\"was\":\"\"");
	assert_string_equal(item_field("urn:a", "first"), got.id);
}

static void withheld_twice_tells_readers_once(void **state)
{
	(void)state;
	SEND(.version = "1");
	SEND(.version = "2", .status = "withheld");
	SAYS(SEND(.version = "3", .status = "withheld"), "accepted");
	assert_string_equal(got.id, "");
	assert_int_equal(on_the_wire(), 2);
	SAYS(SEND(.version = "2", .text = "older"), "stale");
	SAYS(SEND(.version = "4", .status = "canceled"), "accepted");
	newest_says("\"action\":\"kill\"");
}

/* --- embargo ---------------------------------------------------------------------------------- */

static void nothing_under_embargo_leaves(void **state)
{
	(void)state;
	SAYS(SEND(.text = "secret", .embargo = redis_now() + 60000), "held");
	assert_in_range(got.due, 55000, 60000);
	assert_int_equal(on_the_wire(), 0);
	assert_false(stage_holds("\"body\":\"secret\"", "{newswire}:held:"));
	assert_false(
		stage_number("EXISTS {newswire}:item:urn:a {newswire}:feed:world {newswire}:head"));
	assert_int_equal(release_due(""), 0);
	assert_in_range(strtoll(freed.due, NULL, 10), 55000, 60000);
	time_passes("urn:a");
	assert_int_equal(release_due(""), 1);
	assert_string_equal(freed.due, "");
	newest_says("\"action\":\"release\"");
	newest_says("\"was\":\"\"");
	assert_string_equal(stage_text("GET {newswire}:body:urn:a:1"),
			    "{\"uri\":\"urn:a\",\"body\":\"secret\"}");
	assert_true(in_feed("world", "urn:a"));
	assert_false(stage_number("EXISTS {newswire}:held:urn:a {newswire}:embargo"));
	assert_int_equal(release_due(""), 0);
	SAYS(SEND(.version = "2"), "accepted");
	assert_string_equal(got.action, "correct");
}

static void an_embargo_in_the_past_is_none_and_one_too_far_is_refused(void **state)
{
	(void)state;
	SAYS(SEND(.embargo = 1000), "accepted");
	SAYS(SEND(.uri = "urn:b", .embargo = redis_now() + 200000000), "refused");
	assert_string_equal(got.code, "embargo_too_far");
}

static void a_correction_under_embargo_leaves_the_public_version_alone(void **state)
{
	(void)state;
	SEND(.version = "1", .text = "public");
	SAYS(SEND(.version = "2", .text = "secret", .channels = "feed:all sport",
		  .embargo = redis_now() + 60000),
	     "held");
	assert_string_equal(item_field("urn:a", "version"), "1");
	assert_true(in_feed("world", "urn:a"));
	time_passes("urn:a");
	assert_int_equal(release_due(""), 1);
	newest_says("\"action\":\"release\",\"uri\":\"urn:a\",\"version\":\"2\"");
	newest_says("\"channels\":\"feed:all sport\",\"was\":\"feed:all world\"");
	assert_false(in_feed("world", "urn:a"));
}

static void a_public_version_cancels_what_it_overtakes(void **state)
{
	int64_t soon = redis_now() + 60000;

	(void)state;
	SEND(.version = "2", .text = "secret", .created = 2000, .embargo = soon);
	SAYS(SEND(.version = "1", .text = "lower"), "accepted");
	assert_true(stage_number("EXISTS {newswire}:held:urn:a"));
	SAYS(SEND(.version = "2", .text = "sent early", .created = 3000), "accepted");
	assert_false(stage_number("EXISTS {newswire}:held:urn:a {newswire}:embargo"));
	SAYS(SEND(.version = "1", .embargo = soon), "stale");
	SEND(.version = "3", .embargo = soon);
	SAYS(SEND(.version = "4"), "accepted");
	assert_false(stage_number("EXISTS {newswire}:held:urn:a"));
	SEND(.version = "5", .embargo = soon);
	SAYS(SEND(.version = "5", .status = "withheld"), "accepted");
	assert_false(stage_number("EXISTS {newswire}:held:urn:a"));
}

static void an_embargo_may_be_moved(void **state)
{
	int64_t soon = redis_now() + 60000;

	(void)state;
	SEND(.created = 2000, .embargo = soon);
	SAYS(SEND(.created = 2000, .embargo = soon + 5000), "held"); /* later */
	assert_in_range(got.due, 60000, 65000);
	SAYS(SEND(.created = 2000, .embargo = soon - 30000), "held"); /* earlier */
	assert_in_range(got.due, 25000, 30000);
	SAYS(SEND(.created = 1000, .embargo = soon), "stale");
	SAYS(SEND(.created = 2000, .embargo = soon - 30000, .seen = "x"), "duplicate");
	SAYS(SEND(.created = 2000, .embargo = soon - 30000, .text = "other"), "stale");
	SAYS(SEND(.created = 3000, .embargo = soon - 30000, .text = "newer"), "held");
	SAYS(SEND(.created = 3000, .embargo = soon - 30000, .text = "newer", .channels = "sport"),
	     "held");
	assert_string_equal(stage_text("HGET {newswire}:held:urn:a channels"),
			    "feed:all sport world");
	time_passes("urn:a");
	assert_int_equal(release_due(""), 1);
	assert_int_equal(on_the_wire(), 1);
	newest_says("\"channels\":\"feed:all sport world\"");
	assert_string_equal(stage_text("GET {newswire}:body:urn:a:1"),
			    "{\"uri\":\"urn:a\",\"body\":\"newer\"}");
}

static void a_release_that_something_is_in_the_way_of_waits_and_holds_nobody_up(void **state)
{
	(void)state;
	SEND(.uri = "urn:a", .channels = "jam", .embargo = redis_now() + 60000);
	SEND(.uri = "urn:b", .embargo = redis_now() + 60000);
	time_passes("urn:a");
	time_passes("urn:b");
	stage_ask("SET {newswire}:feed:jam x");
	assert_int_equal(release_due(""), 1);
	newest_says("urn:b");
	assert_non_null(strstr(freed.problem, "{newswire}:feed:jam is a string"));
	assert_in_range(strtoll(freed.due, NULL, 10), 59000, 60000);
	stage_ask("DEL {newswire}:feed:jam");
	time_passes("urn:a");
	assert_int_equal(release_due(""), 1);
	newest_says("urn:a");
}

static void what_was_overtaken_does_not_come_out(void **state)
{
	(void)state;
	SEND(.version = "1");
	SEND(.version = "2", .embargo = redis_now() + 60000);
	time_passes("urn:a");
	stage_ask("HSET {newswire}:item:urn:a version 3"); /* a node of another release did this */
	assert_int_equal(release_due(""), 0);
	assert_int_equal(on_the_wire(), 1);
	assert_false(stage_number("EXISTS {newswire}:held:urn:a {newswire}:embargo"));
	assert_string_equal(stage_ask("XREVRANGE {newswire}:audit + - COUNT 1")
				    ->element[0]
				    ->element[1]
				    ->element[5]
				    ->str,
			    "release_overtaken");
}

static void many_releases_come_in_turns(void **state)
{
	char uri[16];

	(void)state;
	for (int i = 0; i < 20; i++) {
		snprintf(uri, sizeof uri, "urn:%d", i);
		SEND(.uri = uri, .embargo = redis_now() + 60000);
		time_passes(uri);
	}
	assert_int_equal(release_due(""), 16);
	assert_string_equal(freed.due, "0");
	assert_int_equal(release_due(""), 4);
	assert_int_equal(on_the_wire(), 20);
}

/* --- the clock -------------------------------------------------------------------------------- */

static void an_embargo_ends_when_redis_and_the_worker_both_say_so(void **state)
{
	int64_t now = redis_now(), due = now - 3600000; /* by Redis' clock it is over */

	(void)state;
	SAYS(SEND(.embargo = due, .clock = now - 7200000), "held");
	assert_int_equal(got.due, 3600000);
	assert_int_equal(release_at("", now - 3600001, 0), 0);
	assert_string_equal(freed.due, "1");
	assert_int_equal(on_the_wire(), 0);
	assert_int_equal(release_at("", now - 3600000, 0), 1);
	SAYS(SEND(.uri = "urn:b", .embargo = redis_now() + 60000), "held");
	assert_int_equal(release_at("", redis_now() + 7200000, 0), 0); /* by the worker's alone */
}

static void a_worker_that_saw_the_clock_jump_is_heard_by_those_that_did_not(void **state)
{
	int64_t now = redis_now();

	(void)state;
	SEND(.uri = "urn:a", .embargo = now - 3600000, .clock = now - 7200000);
	assert_int_equal(release_at("", now - 7200000, 7200000), 0);
	assert_int_equal(release_due(""), 0);
	assert_in_range(strtoll(freed.due, NULL, 10), 3590000, 3600000);
	SAYS(SEND(.uri = "urn:b", .embargo = now - 3600000), "held");
	stage_ask("SET {newswire}:clock %s", "1000 7200000"); /* said long ago */
	assert_int_equal(release_due(""), 2);
	stage_ask("SET {newswire}:clock nonsense");
	SAYS(SEND(.uri = "urn:c", .embargo = now - 3600000), "accepted");
	stage_ask("HSET {newswire}:h a b");
	stage_ask("RENAME {newswire}:h {newswire}:clock");
	SAYS(SEND(.uri = "urn:d", .embargo = now - 3600000), "error");
	assert_non_null(strstr(got.error, "{newswire}:clock is a hash"));
}

static void what_says_no_time_is_as_new_as_its_arrival_also_when_the_clock_went_back(void **state)
{
	char created[24];

	(void)state;
	SEND(.text = "one");
	/* As if Redis' clock had been ahead by half a second then. */
	snprintf(created, sizeof created, "%lld", (long long)redis_now() + 500);
	stage_ask("HSET {newswire}:item:urn:a created %s", created);
	SAYS(SEND(.text = "two"), "accepted");
	SAYS(SEND(.text = "three"), "accepted");
	assert_int_equal(stage_number("HGET {newswire}:item:urn:a created"),
			 strtoll(created, NULL, 10) + 2);
	stage_ask("HSET {newswire}:item:urn:a created 9000000000000"); /* the newsroom's own word */
	SAYS(SEND(.text = "four"), "stale");
}

int main(void)
{
#define STORY(test) cmocka_unit_test_setup(test, stage_clear)
	const struct CMUnitTest tests[] = {
		STORY(a_kill_takes_every_text_and_tells_all_who_saw_one),
		STORY(a_killed_uri_stays_killed),
		STORY(a_kill_before_its_item_is_silent_and_stops_it),
		STORY(a_kill_under_embargo_is_silent),
		STORY(a_kill_asks_for_the_file_to_be_written_anew),
		STORY(a_withheld_item_hides_until_it_is_usable_again),
		STORY(the_same_version_may_be_withheld),
		STORY(an_unknown_item_withheld_is_recorded_silently),
		STORY(withheld_twice_tells_readers_once),
		STORY(nothing_under_embargo_leaves),
		STORY(an_embargo_in_the_past_is_none_and_one_too_far_is_refused),
		STORY(a_correction_under_embargo_leaves_the_public_version_alone),
		STORY(a_public_version_cancels_what_it_overtakes),
		STORY(an_embargo_may_be_moved),
		STORY(a_release_that_something_is_in_the_way_of_waits_and_holds_nobody_up),
		STORY(what_was_overtaken_does_not_come_out),
		STORY(many_releases_come_in_turns),
		STORY(an_embargo_ends_when_redis_and_the_worker_both_say_so),
		STORY(a_worker_that_saw_the_clock_jump_is_heard_by_those_that_did_not),
		STORY(what_says_no_time_is_as_new_as_its_arrival_also_when_the_clock_went_back),
	};

	return cmocka_run_group_tests(tests, stage_open, stage_close);
}
