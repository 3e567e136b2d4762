/* Goal: whatever arrives, in whatever order, what Redis holds afterwards is right, whole, and nobody else's. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/base.h"
#include "desk_accept.h"

/* --- the ordinary way ------------------------------------------------------------------------- */

static void an_item_gets_its_place_its_text_and_its_feeds(void **state)
{
	char prev[48];

	(void)state;
	SAYS(SEND(.text = "first"), "accepted");
	assert_string_equal(got.action, "publish");
	assert_string_equal(got.channels, "feed:all world");
	assert_string_equal(stage_text("GET {newswire}:head"), got.id);
	assert_string_equal(stage_text("GET {newswire}:epoch"), "e1");
	assert_string_equal(stage_text("GET {newswire}:body:urn:a:1"),
			    "{\"uri\":\"urn:a\",\"body\":\"first\"}");
	newest_says(
		"{\"action\":\"publish\",\"uri\":\"urn:a\",\"version\":\"1\",\"class\":\"regular\","
		"\"channels\":\"feed:all world\",\"was\":\"\",\"lang\":\"en\",\"type\":\"text\"}");
	assert_string_equal(item_field("urn:a", "first"), got.id);
	assert_string_equal(item_field("urn:a", "bodies"), "[\"1\"]");
	assert_string_equal(item_field("urn:a", "status"), "usable");
	assert_true(in_feed("feed:all", "urn:a") && in_feed("world", "urn:a"));
	assert_true(stage_number("PTTL {newswire}:item:urn:a") > 2591000000);
	snprintf(prev, sizeof prev, "%s", got.id);
	SAYS(SEND(.uri = "urn:b", .evolved = "urn:a"), "accepted");
	assert_string_equal(got.action, "update");
	assert_string_equal(stage_ask("XREVRANGE {newswire}:wire + - COUNT 1")
				    ->element[0]
				    ->element[1]
				    ->element[3]
				    ->str,
			    prev);
}

static void what_is_published_carries_epoch_ids_meta_and_text(void **state)
{
	redisContext *ear = redisConnectUnix(stage.socket);
	redisReply *reply;
	char expected[512];

	(void)state;
	freeReplyObject(redisCommand(ear, "SUBSCRIBE newswire:out"));
	SAYS(SEND(.text = "loud"), "accepted");
	assert_int_equal(redisGetReply(ear, (void **)&reply), REDIS_OK);
	snprintf(expected, sizeof expected,
		 "1 e1 %s 0-0\n%s\n{\"uri\":\"urn:a\",\"body\":\"loud\"}", got.id, newest());
	assert_string_equal(reply->element[2]->str, expected);
	freeReplyObject(reply);
	SAYS(SEND(.status = "canceled", .version = "2"), "accepted");
	assert_int_equal(redisGetReply(ear, (void **)&reply), REDIS_OK);
	assert_true(reply->element[2]->str[reply->element[2]->len - 1] == '\n');
	freeReplyObject(reply);
	redisFree(ear);
}

static void the_same_bytes_twice_change_nothing(void **state)
{
	struct buf before = {0}, after = {0};
	char id[48];
	const struct sent all[] = {
		{.uri = "urn:a"},
		{.uri = "urn:b", .status = "withheld"},
		{.uri = "urn:c", .embargo = redis_now() + 60000},
		{.uri = "urn:a", .version = "0"}, /* stale */
		{.uri = "urn:a", .version = "3", .channels = "sport"},
		{.uri = "urn:a", .status = "canceled"},
		{.uri = "urn:a", .version = "9"},		      /* refused */
		{.uri = "urn:d", .embargo = INT64_C(99999999999999)}, /* refused */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		accept_item(all[i]);
		snprintf(id, sizeof id, "%s", got.id);
		stage_dump(&before, NULL);
		SAYS(accept_item(all[i]), i >= 6 ? "refused_again" : "seen");
		assert_string_equal(got.id, id);
		stage_dump(&after, NULL);
		assert_int_equal(before.len, after.len);
		assert_memory_equal(before.data, after.data, after.len);
	}
	buf_free(&before);
	buf_free(&after);
}

static void a_correction_replaces_its_story_and_keeps_its_place(void **state)
{
	char first[48];
	const char *score;

	(void)state;
	SEND(.text = "old", .channels = "feed:all world");
	snprintf(first, sizeof first, "%s", got.id);
	SEND(.uri = "urn:b");
	SAYS(SEND(.version = "2", .text = "new", .channels = "feed:all sport"), "accepted");
	assert_string_equal(got.action, "correct");
	newest_says("\"channels\":\"feed:all sport\",\"was\":\"feed:all world\"");
	assert_string_equal(item_field("urn:a", "routes"), "feed:all sport world");
	assert_string_equal(item_field("urn:a", "first"), first);
	assert_string_equal(item_field("urn:a", "bodies"), "[\"1\",\"2\"]");
	assert_false(in_feed("world", "urn:a"));
	assert_true(in_feed("sport", "urn:a"));
	score = stage_text("ZSCORE {newswire}:feed:feed:all urn:a");
	assert_int_equal(strtoull(score, NULL, 10) / 1000, strtoull(first, NULL, 10));
	assert_in_range(stage_number("PTTL {newswire}:body:urn:a:1"), 1, 86400000);
	SAYS(SEND(.version = "10", .text = "newer"), "accepted"); /* 10 > 2: integers */
	newest_says("\"was\":\"feed:all sport world\"");
}

static void texts_that_have_run_out_leave_the_list(void **state)
{
	(void)state;
	SEND(.version = "1");
	SEND(.version = "2");
	stage_ask("DEL {newswire}:body:urn:a:1");
	SEND(.version = "3");
	assert_string_equal(item_field("urn:a", "bodies"), "[\"2\",\"3\"]");
}

static void versions_are_numbers_where_both_are(void **state)
{
	(void)state;
	SEND(.version = "9");
	SAYS(SEND(.version = "10"), "accepted");
	SAYS(SEND(.version = "9a"), "accepted"); /* as strings: "9a" > "10" */
	SAYS(SEND(.version = "10b"), "stale");
	SEND(.uri = "urn:b", .version = "99999999999999999999998");
	SAYS(SEND(.uri = "urn:b", .version = "99999999999999999999999"), "accepted");
	SAYS(SEND(.uri = "urn:b", .version = "0099999999999999999999998"), "stale");
}

static void a_lower_version_is_recorded_and_not_sent(void **state)
{
	(void)state;
	SEND(.version = "2", .text = "good");
	SAYS(SEND(.version = "1", .text = "late"), "stale");
	assert_int_equal(on_the_wire(), 1);
	assert_false(stage_holds("late\"", NULL));
	assert_string_equal(stage_ask("XREVRANGE {newswire}:audit + - COUNT 1")
				    ->element[0]
				    ->element[1]
				    ->element[5]
				    ->str,
			    "stale");
}

static void of_equal_versions_the_newer_one_counts(void **state)
{
	(void)state;
	SEND(.text = "b", .created = 2000);
	SAYS(SEND(.text = "a", .created = 1000), "stale");
	SAYS(SEND(.text = "c", .created = 2000), "stale");
	SAYS(SEND(.text = "d", .created = 3000), "accepted");
	assert_string_equal(got.action, "correct");
	assert_string_equal(stage_text("GET {newswire}:body:urn:a:1"),
			    "{\"uri\":\"urn:a\",\"body\":\"d\"}");
	assert_string_equal(item_field("urn:a", "bodies"), "[\"1\"]");
	SAYS(SEND(.text = "e"), "accepted"); /* no time of its own: it arrived later */
	SAYS(SEND(.text = "e", .seen = "other bytes"), "duplicate");
	assert_string_equal(got.id, item_field("urn:a", "last"));
}

static void the_same_news_for_another_channel_is_sent_there_also(void **state)
{
	(void)state;
	SEND(.channels = "feed:all world");
	SAYS(SEND(.channels = "feed:all sport"), "accepted");
	assert_string_equal(got.action, "publish");
	assert_string_equal(got.channels, "feed:all sport world");
	newest_says("\"channels\":\"feed:all sport world\",\"was\":\"feed:all world\"");
	newest_says("\"also\":\"1\"");
	assert_true(in_feed("sport", "urn:a") && in_feed("world", "urn:a"));
	SAYS(SEND(.channels = "sport", .seen = "x"), "duplicate");
	SAYS(SEND(.version = "2", .channels = "feed:all"), "accepted");
	newest_says("\"was\":\"feed:all sport world\"");
}

static void updates_of_updates_are_one_story(void **state)
{
	(void)state;
	SEND(.uri = "urn:a", .channels = "feed:all story:aaaa");
	SEND(.uri = "urn:b", .evolved = "urn:a", .channels = "feed:all story:aaaa");
	SAYS(SEND(.uri = "urn:c", .evolved = "urn:b", .channels = "feed:all story:bbbb world"),
	     "accepted");
	assert_string_equal(got.channels, "feed:all story:aaaa world");
	SEND(.uri = "urn:b", .version = "2", .status = "canceled");
	SAYS(SEND(.uri = "urn:d", .evolved = "urn:b", .channels = "feed:all story:bbbb"),
	     "accepted"); /* the killed one still says where it belonged */
	assert_string_equal(got.channels, "feed:all story:aaaa");
	SAYS(SEND(.uri = "urn:e", .evolved = "urn:d", .channels = "story:dddd",
		  .embargo = redis_now() + 60000),
	     "held");
	assert_string_equal(got.channels, "story:aaaa");
	SEND(.uri = "urn:f", .evolved = "urn:unknown", .channels = "story:ffff");
	assert_string_equal(got.channels, "story:ffff");
	assert_string_equal(item_field("urn:c", "status"), "usable");
}

static void a_feed_keeps_the_newest(void **state)
{
	char uri[16];

	(void)state;
	for (int i = 0; i < 5; i++) {
		snprintf(uri, sizeof uri, "urn:%d", i);
		SEND(.uri = uri, .feed_max = "3");
	}
	assert_int_equal(stage_number("ZCARD {newswire}:feed:world"), 3);
	assert_false(in_feed("world", "urn:1"));
	assert_true(in_feed("world", "urn:2") && in_feed("world", "urn:4"));
}

static void an_item_that_has_expired_is_sent_but_in_no_feed(void **state)
{
	(void)state;
	SEND(.text = "valid");
	SAYS(SEND(.version = "2", .expires = 5000), "accepted");
	assert_false(in_feed("world", "urn:a"));
	assert_string_equal(item_field("urn:a", "expires"), "5000");
	SAYS(SEND(.version = "3"), "accepted");
	assert_true(in_feed("world", "urn:a"));
	assert_string_equal(item_field("urn:a", "expires"), "");
}

/* --- the wire --------------------------------------------------------------------------------- */

static void an_id_is_above_the_head_even_if_the_clock_or_the_tail_is_lost(void **state)
{
	char *end;

	(void)state;
	stage_ask("SET {newswire}:head 9000000000000-7");
	SEND(.uri = "urn:a");
	assert_string_equal(got.id, "9000000000000-8");
	stage_ask("DEL {newswire}:head");
	SEND(.uri = "urn:b");
	assert_in_range(strtoll(got.id, &end, 10), 9000000000000, 9000000010000);
	assert_true(strncmp(got.id, "9000000000000-", 14) != 0 || strcmp(end, "-9") == 0);
	assert_string_equal(stage_ask("XREVRANGE {newswire}:wire + - COUNT 1")
				    ->element[0]
				    ->element[1]
				    ->element[3]
				    ->str,
			    "9000000000000-8");
}

static void behind_a_clock_that_was_set_back_time_goes_on_at_half_its_pace(void **state)
{
	int64_t begin = redis_now(), now;
	long long ms, last = 9000000000000;

	(void)state;
	stage_ask("SET {newswire}:head 9000000000000-7");
	SEND(.uri = "urn:a");
	do {
		char uri[24];

		snprintf(uri, sizeof uri, "urn:b:%d", on_the_wire());
		SAYS(SEND(.uri = uri), "accepted");
		ms = strtoll(got.id, NULL, 10);
		now = redis_now();
		assert_in_range(ms, last, 9000000000001 + (now - begin) / 2);
		last = ms;
	} while (now < begin + 200);
	assert_true(last > 9000000000000);
	assert_in_range(stage_number("PTTL {newswire}:slow"), 1000000, 20000000000000);
	stage_ask("SET {newswire}:slow %s",
		  "9000000000000 1"); /* of another id than the last: it says nothing */
	SEND(.uri = "urn:c");
	assert_int_equal(strtoll(got.id, NULL, 10), last);
	stage_ask("EVAL %s 0", "redis.call('SET', '{newswire}:slow', redis.call('GET', "
			       "'{newswire}:slow'):gsub(' .*', ' 1'), 'EX', 60)");
	SEND(.uri = "urn:e");
	assert_int_equal(strtoll(got.id, NULL, 10),
			 last + 30000); /* a jump is no time that has passed */
	stage_ask("DEL {newswire}:slow");
	stage_ask("LPUSH {newswire}:slow x");
	SAYS(SEND(.uri = "urn:d"), "error");
	assert_non_null(strstr(got.error, "{newswire}:slow is a list"));
}

/* --- owners and other people's places ----------------------------------------------------------- */

static void a_uri_belongs_to_who_sent_it_first(void **state)
{
	(void)state;
	SEND(.owner = "alpha", .text = "ours");
	SAYS(SEND(.owner = "beta", .version = "2", .text = "theirs"), "refused");
	assert_string_equal(got.code, "not_owner");
	SAYS(SEND(.owner = "beta", .version = "2", .status = "canceled"), "refused");
	SAYS(SEND(.owner = "beta", .version = "3", .override = true), "accepted");
	assert_string_equal(item_field("urn:a", "owner"), "alpha");
	SEND(.uri = "urn:b", .owner = "alpha", .embargo = redis_now() + 60000);
	SAYS(SEND(.uri = "urn:b", .owner = "beta", .status = "canceled"), "refused");
	SAYS(SEND(.uri = "urn:b", .owner = "beta"), "refused");
	SAYS(SEND(.uri = "urn:b", .owner = "alpha", .status = "canceled"), "accepted");
	assert_int_equal(refusals(), 4);
}

static void a_refusal_may_be_tried_again(void **state)
{
	(void)state;
	SEND(.owner = "alpha", .text = "ours");
	SAYS(SEND(.owner = "beta", .version = "2"), "refused");
	SAYS(SEND(.owner = "beta", .version = "2"), "refused_again");
	stage_ask("DEL {newswire}:item:urn:a");
	SAYS(SEND(.owner = "beta", .version = "2"), "accepted");
	SAYS(SEND(.owner = "beta", .version = "2"), "seen");
}

static void nobody_can_write_over_the_text_of_another_uri(void **state)
{
	(void)state;
	SEND(.uri = "urn:a:1", .version = "2", .text = "ours");
	SAYS(SEND(.uri = "urn:a", .version = "1:2", .text = "theirs"), "refused");
	assert_string_equal(got.code, "bad_value");
	assert_string_equal(stage_text("GET {newswire}:body:urn:a:1:2"),
			    "{\"uri\":\"urn:a:1\",\"body\":\"ours\"}");
}

static void all_versions_together_may_not_go_everywhere(void **state)
{
	struct buf many = {0};

	(void)state;
	for (int i = 0; i < 256; i++)
		buf_addf(&many, "%sc%d", i ? " " : "", i);
	buf_addc(&many, '\0');
	SAYS(SEND(.channels = many.data, .seen = "a"), "accepted");
	SAYS(SEND(.channels = "one-more", .version = "2"), "refused");
	assert_string_equal(got.code, "bad_channel");
	SAYS(SEND(.version = "2", .status = "canceled"), "accepted");
	buf_free(&many);
}

/* --- keys that are not ours ----------------------------------------------------------------------- */

/* Plants a key of a wrong type, decides, and looks whether anything else moved. */
static void nothing_half_done(const char *name, struct sent item)
{
	struct buf before = {0}, after = {0};

	stage_ask("DEL {newswire}:%s", name);
	if (strcmp(name, "head") == 0 || strcmp(name, "epoch") == 0 ||
	    strcmp(name, "rewrite") == 0 || strncmp(name, "body", 4) == 0 ||
	    strncmp(name, "seen", 4) == 0)
		stage_ask("RPUSH {newswire}:%s x", name);
	else
		stage_ask("SET {newswire}:%s x", name);
	stage_dump(&before, NULL);
	accept_item(item);
	if (strcmp(got.result, "error") != 0 || strstr(got.error, name) == NULL)
		fail_msg("%s in the way: %s, %s", name, got.result, got.error);
	stage_dump(&after, NULL);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, after.len);
	buf_free(&before);
	buf_free(&after);
}

static void a_key_in_the_way_is_named_and_nothing_is_written(void **state)
{
	static const char *const names[] = {"wire",	  "head",	   "epoch",  "item:urn:a",
					    "held:urn:a", "embargo",	   "audit",  "rewrite",
					    "feed:world", "feed:feed:all", "seen:s2"};
	const struct sent items[] = {
		{.seen = "s2", .version = "2"},
		{.seen = "s2", .version = "2", .embargo = redis_now() + 60000},
		{.seen = "s2", .version = "2", .status = "withheld"},
		{.seen = "s2", .version = "2", .status = "canceled"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(items); i++) {
		for (size_t n = 0; n < COUNT_OF(names); n++) {
			stage_clear(NULL);
			SAYS(SEND(.version = "1"), "accepted");
			nothing_half_done(names[n], items[i]);
		}
	}
	stage_clear(NULL);
	nothing_half_done("body:urn:a:2", items[0]);
	nothing_half_done("body:urn:a:2", items[1]);
	SEND(.owner = "alpha", .uri = "urn:z");
	nothing_half_done("rejects", (struct sent){.uri = "urn:z", .owner = "beta"});
}

static void a_head_that_is_no_id_is_named(void **state)
{
	(void)state;
	stage_ask("SET {newswire}:head %s", "99999999999999999999-0");
	SAYS(SEND(.uri = "urn:a"), "error");
	stage_ask("SET {newswire}:head 5-5");
	stage_ask("SET {newswire}:epoch %s", "No Epoch");
	SAYS(SEND(.uri = "urn:a"), "error");
	assert_non_null(strstr(got.error, "{newswire}:epoch"));
}

static void a_full_redis_refuses_before_the_first_write(void **state)
{
	struct buf before = {0}, after = {0};

	(void)state;
	SEND(.text = "early");
	stage_dump(&before, NULL);
	stage_ask("CONFIG SET maxmemory 1");
	SAYS(SEND(.version = "2"), "error");
	assert_memory_equal(got.error, "OOM", 3);
	stage_dump(&after, NULL);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, after.len);
	SAYS(SEND(.version = "2", .status = "canceled"), "accepted"); /* that frees memory */
	stage_ask("CONFIG SET maxmemory 0");
	buf_free(&before);
	buf_free(&after);
}

/* --- refusals by the reader of items ---------------------------------------------------------------- */

static void what_cannot_be_read_is_written_down_once(void **state)
{
	(void)state;
	SAYS(reject_item("s1", NULL), "refused");
	assert_string_equal(got.code, "not_json");
	SAYS(reject_item("s1", NULL), "refused_again");
	SAYS(reject_item("s2", NULL), "refused");
	assert_int_equal(refusals(), 2);
	stage_ask("DEL {newswire}:rejects");
	stage_ask("SET {newswire}:rejects x");
	SAYS(reject_item("s3", NULL), "error");
	assert_false(stage_number("EXISTS {newswire}:seen:s3"));
}

/* What the sender may not do is refused by its name, and changes nothing. */
static void each_permission_is_asked_where_it_matters(void **state)
{
	int64_t tomorrow = redis_now() + 50000000;

	(void)state;
	SAYS(SEND(.rights = "correct kill"), "refused");
	assert_string_equal(got.code, "may_not_publish");
	SAYS(SEND(.rights = "publish", .embargo = tomorrow), "refused");
	assert_string_equal(got.code, "may_not_embargo");
	assert_int_equal(on_the_wire(), 0);
	SAYS(SEND(.rights = "publish"), "accepted");
	SAYS(SEND(.rights = "publish", .created = 1), "duplicate");
	SAYS(SEND(.rights = "publish", .version = "2"), "refused");
	assert_string_equal(got.code, "may_not_correct");
	SAYS(SEND(.rights = "publish correct flash embargo all", .version = "2",
		  .status = "canceled"),
	     "refused");
	assert_string_equal(got.code, "may_not_kill");
	SAYS(SEND(.rights = "publish correct", .version = "2", .status = "withheld"), "refused");
	assert_string_equal(got.code, "may_not_kill");
	assert_string_equal(item_field("urn:a", "version"), "1");
	assert_int_equal(on_the_wire(), 1);
	SAYS(SEND(.rights = "correct", .version = "2"), "accepted");
	SAYS(SEND(.rights = "correct", .version = "3", .class = "flash"), "refused");
	assert_string_equal(got.code, "may_not_flash");
	SAYS(SEND(.rights = "kill", .version = "3", .class = "flash", .status = "canceled"),
	     "accepted");
	SAYS(SEND(.rights = "", .version = "4", .status = "canceled"), "duplicate");
}

static void a_refusal_for_want_of_a_permission_is_decided_anew(void **state)
{
	(void)state;
	SAYS(SEND(.rights = "", .seen = "s1"), "refused");
	SAYS(SEND(.rights = "", .seen = "s1"), "refused_again");
	assert_int_equal(refusals(), 1);
	SAYS(SEND(.rights = "publish", .seen = "s1"), "accepted");
	SAYS(SEND(.rights = "", .seen = "s1"), "seen");
}

int main(void)
{
#define STORY(test) cmocka_unit_test_setup(test, stage_clear)
	const struct CMUnitTest tests[] = {
		STORY(each_permission_is_asked_where_it_matters),
		STORY(a_refusal_for_want_of_a_permission_is_decided_anew),
		STORY(an_item_gets_its_place_its_text_and_its_feeds),
		STORY(what_is_published_carries_epoch_ids_meta_and_text),
		STORY(the_same_bytes_twice_change_nothing),
		STORY(a_correction_replaces_its_story_and_keeps_its_place),
		STORY(texts_that_have_run_out_leave_the_list),
		STORY(versions_are_numbers_where_both_are),
		STORY(a_lower_version_is_recorded_and_not_sent),
		STORY(of_equal_versions_the_newer_one_counts),
		STORY(the_same_news_for_another_channel_is_sent_there_also),
		STORY(updates_of_updates_are_one_story),
		STORY(a_feed_keeps_the_newest),
		STORY(an_item_that_has_expired_is_sent_but_in_no_feed),
		STORY(an_id_is_above_the_head_even_if_the_clock_or_the_tail_is_lost),
		STORY(behind_a_clock_that_was_set_back_time_goes_on_at_half_its_pace),
		STORY(a_uri_belongs_to_who_sent_it_first),
		STORY(a_refusal_may_be_tried_again),
		STORY(nobody_can_write_over_the_text_of_another_uri),
		STORY(all_versions_together_may_not_go_everywhere),
		STORY(a_key_in_the_way_is_named_and_nothing_is_written),
		STORY(a_head_that_is_no_id_is_named),
		STORY(a_full_redis_refuses_before_the_first_write),
		STORY(what_cannot_be_read_is_written_down_once),
	};

	return cmocka_run_group_tests(tests, stage_open, stage_close);
}
