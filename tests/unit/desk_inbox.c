/* Goal: an entry of the inbox is decided once, by whoever it was given to; it is out of the inbox in the same moment; the
 * order in which entries were added decides, however late one of them is; and nothing stays there for ever.
 */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include "base/base.h"
#include "base/buf.h"
#include "desk_accept.h"
#include "lua_scripts.h"

/* What inbox.lua answered last. */
static struct {
	char error[256], who[16], what[16], id[48], next[56], last[48];
	long long rest, length;
	int fields, entries;
} told;

static int clear(void **state)
{
	stage_clear(state);
	stage_ask("XGROUP CREATE {newswire}:inbox desk 0 MKSTREAM");
	return 0;
}

/* Adds an entry under this id and gives it to a consumer. */
static const char *add_for(const char *consumer, const char *id)
{
	stage_ask("XADD {newswire}:inbox %s channel world item text-of-%s", id, id);
	stage_ask("XREADGROUP GROUP desk %s COUNT 1 STREAMS {newswire}:inbox >", consumer);
	return id;
}

static int in_inbox(void)
{
	return (int)stage_number("XLEN {newswire}:inbox");
}

static int pending(void)
{
	return (int)stage_ask("XPENDING {newswire}:inbox desk")->element[0]->integer;
}

struct question {
	const char *name, *consumer, *lease, *take, *idle, *from, *pause, *read;
};

static const char *word(const char *given, const char *preset)
{
	return given ? given : preset;
}

static void copy(char *to, size_t size, const redisReply *from)
{
	snprintf(to, size, "%s", from->str ? from->str : "");
}

/* One step; returns what. */
static const char *ask_inbox(struct question q)
{
	redisReply *reply = stage_ask("EVAL %s 1 {newswire}:wire prefix newswire name %s consumer "
				      "%s lease_ms %s take %s idle_ms %s "
				      "from %s pause_ms %s tries 5 read %s",
				      lua_inbox, word(q.name, "reader"), word(q.consumer, "me"),
				      word(q.lease, "3000"), word(q.take, "1"), word(q.idle, "0"),
				      word(q.from, "-"), word(q.pause, "1000"), word(q.read, "0"));

	memset(&told, 0, sizeof told);
	if (reply->type == REDIS_REPLY_ERROR) {
		copy(told.error, sizeof told.error, reply);
		return "error";
	}
	assert_int_equal(reply->elements, 9);
	copy(told.who, sizeof told.who, reply->element[0]);
	told.rest = strtoll(reply->element[1]->str, NULL, 10);
	told.length = strtoll(reply->element[2]->str, NULL, 10);
	copy(told.what, sizeof told.what, reply->element[3]);
	copy(told.id, sizeof told.id, reply->element[4]);
	told.fields = (int)reply->element[5]->elements;
	copy(told.next, sizeof told.next, reply->element[6]);
	told.entries = (int)reply->element[7]->elements;
	copy(told.last, sizeof told.last, reply->element[8]);
	return told.what;
}
#define STEP(...) ask_inbox((struct question){__VA_ARGS__})

/* --- deciding --------------------------------------------------------------------------------- */

static void every_decision_takes_its_entry_out(void **state)
{
	const struct sent rows[] = {
		{.seen = "s1", .version = "2"},
		{.seen = "s2", .version = "1"},
		{.seen = "s3", .version = "2", .created = 1},
		{.seen = "s1", .version = "2"},
		{.seen = "s5", .version = "3", .embargo = redis_now() + 60000},
		{.seen = "s6", .version = "4", .embargo = redis_now() + 900000000},
		{.seen = "s6", .version = "4", .embargo = redis_now() + 900000000},
		{.seen = "s7", .version = "4", .status = "withheld"},
		{.seen = "s8", .version = "4", .status = "canceled"},
		{.seen = "s9", .version = "5"},
		{.seen = "s10", .version = "5", .owner = "other"},
	};
	static const char *const results[] = {"accepted", "stale",   "duplicate",     "seen",
					      "held",	  "refused", "refused_again", "accepted",
					      "accepted", "refused", "refused"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sent s = rows[i];
		char id[16];

		snprintf(id, sizeof id, "1-%zu", i + 1);
		s.entry = add_for("me", id);
		SAYS(accept_item(s), results[i]);
		assert_int_equal(in_inbox(), 0);
		assert_int_equal(pending(), 0);
	}
	SAYS(reject_entry("s11", add_for("me", "2-1")), "refused");
	assert_int_equal(in_inbox(), 0);
	SAYS(reject_entry("s11", add_for("me", "2-2")), "refused_again");
	assert_int_equal(in_inbox(), 0);
	assert_int_equal(pending(), 0);
}

/* Says `taken`, and Redis is as it was. */
static void is_not_decided(const char *entry)
{
	struct buf before = {0}, after = {0};

	stage_dump(&before, NULL);
	SAYS(SEND(.entry = entry), "taken");
	SAYS(reject_entry("s1", entry), "taken");
	stage_dump(&after, NULL);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, after.len);
	buf_free(&before);
	buf_free(&after);
}

static void what_is_not_ours_any_more_is_not_decided(void **state)
{
	(void)state;
	is_not_decided(add_for("another", "1-1"));
	is_not_decided("7-7"); /* never there, or deleted by somebody */
	add_for("me", "8-1");
	SAYS(SEND(.entry = "8-1"), "accepted");
	is_not_decided("8-1");
	add_for("me", "9-1");
	stage_ask("XGROUP DESTROY {newswire}:inbox desk");
	is_not_decided("9-1");
	stage_ask("DEL {newswire}:inbox");
	is_not_decided("9-1");
}

static void an_entry_that_somebody_deleted_is_decided_by_whoever_has_its_text(void **state)
{
	(void)state;
	add_for("me", "1-1");
	stage_ask("XDEL {newswire}:inbox 1-1");
	SAYS(SEND(.entry = "1-1"), "accepted");
	assert_int_equal(pending(), 0);
}

static void an_error_leaves_the_entry_where_it_is(void **state)
{
	(void)state;
	add_for("me", "1-1");
	stage_ask("SET {newswire}:wire x");
	SAYS(SEND(.entry = "1-1"), "error");
	stage_ask("SET {newswire}:rejects x");
	SAYS(reject_entry("s1", "1-1"), "error");
	assert_int_equal(in_inbox(), 1);
	assert_int_equal(pending(), 1);
	stage_ask("DEL {newswire}:wire {newswire}:rejects");
	SAYS(SEND(.entry = "1-1"), "accepted");
	stage_ask("SET {newswire}:inbox x");
	SAYS(SEND(.entry = "1-2", .version = "2"), "error");
	assert_non_null(strstr(got.error, "{newswire}:inbox is a string"));
	assert_int_equal(on_the_wire(), 1);
}

/* --- order ------------------------------------------------------------------------------------ */

static void of_two_entries_the_one_added_later_holds_whichever_is_decided_first(void **state)
{
	static const struct {
		const char *uri, *first, *second;
	} rows[] = {{"urn:x", "5-0", "6-0"}, {"urn:y", "7-3", "7-10"}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		add_for("me", rows[i].first);
		add_for("me", rows[i].second);
		SAYS(SEND(.uri = rows[i].uri, .text = "second", .entry = rows[i].second),
		     "accepted");
		SAYS(SEND(.uri = rows[i].uri, .text = "first", .entry = rows[i].first), "stale");
	}
	add_for("me", "8-0");
	add_for("me", "8-1");
	SAYS(SEND(.uri = "urn:b", .text = "first", .entry = "8-0"), "accepted");
	SAYS(SEND(.uri = "urn:b", .text = "second", .entry = "8-1"), "accepted");
	assert_string_equal(stage_text("GET {newswire}:body:urn:b:1"),
			    "{\"uri\":\"urn:b\",\"body\":\"second\"}");
}

static void a_late_entry_does_not_undo_what_came_another_way(void **state)
{
	(void)state;
	add_for("me", "5-0");
	SAYS(SEND(.text = "by HTTP, now"), "accepted");
	SAYS(SEND(.text = "long ago", .entry = "5-0"), "stale");
	add_for("me", "9999999999999-0");
	SAYS(SEND(.text = "later", .entry = "9999999999999-0"), "accepted");
}

static void a_late_entry_does_not_bring_out_what_was_withheld_after_it(void **state)
{
	(void)state;
	add_for("me", "5-0");
	add_for("me", "5-1");
	add_for("me", "5-2");
	SAYS(SEND(.created = 77, .status = "withheld", .entry = "5-1"), "accepted");
	SAYS(SEND(.created = 77, .entry = "5-0"), "stale");
	SAYS(SEND(.created = 77, .text = "again", .entry = "5-2"), "accepted");
	assert_string_equal(item_field("urn:a", "status"), "usable");
	add_for("me", "6-0");
	add_for("me", "6-1");
	SAYS(SEND(.uri = "urn:b", .entry = "6-1"), "accepted");
	SAYS(SEND(.uri = "urn:b", .status = "withheld", .entry = "6-0"), "stale");
	assert_string_equal(item_field("urn:b", "status"), "usable");
}

static void a_late_entry_does_not_move_an_embargo_back(void **state)
{
	int64_t soon = redis_now() + 60000;

	(void)state;
	add_for("me", "5-0");
	add_for("me", "5-1");
	SAYS(SEND(.created = 77, .embargo = soon + 5000, .entry = "5-1"), "held");
	SAYS(SEND(.created = 77, .embargo = soon, .entry = "5-0"), "stale");
	time_passes("urn:a");
	assert_int_equal(release_due(""), 1);
	assert_string_equal(item_field("urn:a", "entry"), "5-1");
	SAYS(SEND(.version = "2"), "accepted"); /* by HTTP: no entry of the inbox any more */
	assert_string_equal(item_field("urn:a", "entry"), "");
}

/* --- reading and taking over ------------------------------------------------------------------ */

static void one_reads_and_the_others_wait_until_it_does_not(void **state)
{
	(void)state;
	stage_ask("DEL {newswire}:inbox"); /* the first one makes it, and the group */
	SAYS(STEP(.name = "a"), "none");
	assert_string_equal(told.who, "mine");
	STEP(.name = "b", .consumer = "b1");
	assert_string_equal(told.who, "other");
	assert_in_range(told.rest, 2000, 3000);
	STEP(.name = "a", .consumer = "a2"); /* another connection of the same */
	assert_string_equal(told.who, "mine");
	STEP(.name = "b", .lease = "0"); /* what is not his he cannot give up */
	STEP(.name = "b");
	assert_string_equal(told.who, "other");
	STEP(.name = "a", .lease = "0");
	assert_string_equal(told.who, "other");
	STEP(.name = "b");
	assert_string_equal(told.who, "mine");
	STEP(.name = "b", .lease = "1");
	while (stage_number("EXISTS {newswire}:inbox_reader"))
		;
	STEP(.name = "a");
	assert_string_equal(told.who, "mine");
}

static void who_reads_no_more_decides_nothing_that_it_was_given(void **state)
{
	(void)state;
	add_for("me", "1-1");
	add_for("me", "2-1");
	STEP(.name = "b", .consumer = "b1", .take = "0");
	is_not_decided("2-1"); /* b may be at the one before */
	STEP(.name = "b", .consumer = "b1", .lease = "0");
	SAYS(SEND(.entry = "1-1"), "accepted");
	STEP(.take = "0");
	stage_ask("SET {newswire}:inbox_reader other"); /* an older release */
	SAYS(SEND(.entry = "2-1", .seen = "s2", .version = "2"), "accepted");
}

static void what_was_added_before_there_was_a_group_is_read(void **state)
{
	(void)state;
	stage_ask("DEL {newswire}:inbox");
	stage_ask("XADD {newswire}:inbox 1-1 item x");
	SAYS(STEP(), "none");
	assert_int_equal(told.length, 1);
	assert_int_equal(stage_ask("XREADGROUP GROUP desk me STREAMS {newswire}:inbox >")->elements,
			 1);
}

static void new_entries_are_given_to_who_reads_alone(void **state)
{
	(void)state;
	for (int i = 1; i <= 5; i++)
		stage_ask("XADD {newswire}:inbox %d-1 item x", i);
	STEP(.name = "a");
	assert_int_equal(told.entries, 0); /* not asked for */
	assert_string_equal(told.last, "0-0");
	STEP(.name = "a", .read = "2");
	assert_int_equal(told.entries, 2);
	assert_string_equal(told.last, "2-1");
	STEP(.name = "b", .consumer = "b1", .read = "2");
	assert_string_equal(told.who, "other");
	assert_int_equal(told.entries, 0);
	stage_ask("DEL {newswire}:inbox_reader"); /* a clock was set */
	STEP(.name = "b", .consumer = "b1", .take = "0", .read = "2");
	assert_string_equal(told.who, "mine");
	assert_int_equal(told.entries, 2);
	STEP(.name = "a", .read = "2"); /* who does not know it yet */
	assert_string_equal(told.who, "other");
	assert_int_equal(told.entries, 0);
	assert_int_equal(pending(), 4);
	SAYS(STEP(.name = "b", .consumer = "b1", .read = "9"), "entry"); /* the first of a's */
	assert_string_equal(told.id, "1-1");
	assert_int_equal(told.entries, 1);
	assert_string_equal(told.last, "5-1");
}

static void no_more_than_64_KiB_of_them_and_one_are_read_at_a_time(void **state)
{
	static char text[30001];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	for (int i = 1; i <= 6; i++)
		stage_ask("XADD {newswire}:inbox %d-1 item %s", i, text);
	STEP(.read = "32");
	assert_int_equal(told.entries, 3);
	STEP(.read = "32");
	assert_int_equal(told.entries, 3);
	assert_string_equal(told.last, "6-1");
	STEP(.read = "32");
	assert_int_equal(told.entries, 0);
}

static void entries_of_the_dead_are_taken_over_one_at_a_time_in_order(void **state)
{
	(void)state;
	add_for("dead", "1-1");
	add_for("gone", "1-2");
	add_for("me", "1-3");
	SAYS(STEP(.take = "0"), "none");
	SAYS(STEP(.idle = "60000"), "none"); /* may be alive */
	SAYS(STEP(), "entry");
	assert_string_equal(told.id, "1-1");
	assert_int_equal(told.fields, 4);
	SAYS(STEP(), "entry");
	assert_string_equal(told.id, "1-2");
	SAYS(STEP(), "none"); /* the third was given to ourselves */
	assert_int_equal(pending(), 3);
	SAYS(SEND(.entry = "1-1"), "accepted");
}

static void an_entry_that_is_never_decided_is_poison(void **state)
{
	redisReply *refused;

	(void)state;
	add_for("dead", "1-1"); /* given once */
	for (int i = 0; i < 4; i++) {
		SAYS(STEP(), "entry");
		stage_ask("XCLAIM {newswire}:inbox desk dead 0 1-1 JUSTID"); /* died again */
	}
	SAYS(STEP(), "poison");
	assert_string_equal(told.id, "1-1");
	assert_int_equal(in_inbox(), 0);
	assert_int_equal(pending(), 0);
	refused = stage_ask("XRANGE {newswire}:rejects - +")->element[0]->element[1];
	assert_string_equal(refused->element[3]->str, "poison");
	assert_non_null(strstr(refused->element[5]->str, "1-1 of the inbox was taken 5 times"));
	assert_string_equal(refused->element[9]->str, "world");
	assert_string_equal(refused->element[19]->str, "11"); /* bytes */
	assert_false(stage_holds("text-of-", NULL));
	SAYS(STEP(), "none");
}

static void what_was_put_off_waits_ever_longer_and_holds_nobody_up(void **state)
{
	(void)state;
	add_for("put-off", "1-1");
	add_for("dead", "1-2");
	SAYS(STEP(.pause = "60000"), "entry");
	assert_string_equal(told.id, "1-2");
	SAYS(STEP(.pause = "60000"), "none");
	SAYS(STEP(.pause = "0"), "entry"); /* the pause is over: the second try */
	assert_string_equal(told.id, "1-1");
	stage_ask("XCLAIM {newswire}:inbox desk put-off 0 1-1 IDLE 4000 JUSTID");
	SAYS(STEP(.pause = "1000"), "none"); /* five times as long */
	stage_ask("XCLAIM {newswire}:inbox desk put-off 0 1-1 IDLE 5000 JUSTID");
	SAYS(STEP(.pause = "1000"), "entry");
	stage_ask("XCLAIM {newswire}:inbox desk put-off 0 1-1 IDLE 300000 RETRYCOUNT 4 JUSTID");
	SAYS(STEP(.pause = "1000000"), "entry"); /* five minutes at most */
}

static void many_that_were_put_off_do_not_hide_who_is_behind_them(void **state)
{
	(void)state;
	for (int i = 0; i < 250; i++)
		stage_ask("XADD {newswire}:inbox 1-%d item x", i + 1);
	stage_ask("XREADGROUP GROUP desk put-off COUNT 249 STREAMS {newswire}:inbox >");
	stage_ask("XREADGROUP GROUP desk dead STREAMS {newswire}:inbox >");
	SAYS(STEP(.pause = "60000"), "more");
	assert_string_equal(told.next, "(1-100");
	SAYS(STEP(.pause = "60000", .from = "(1-100"), "more");
	SAYS(STEP(.pause = "60000", .from = "(1-200"), "entry");
	assert_string_equal(told.id, "1-250");
	assert_string_equal(told.next, "-");
}

static void what_somebody_deleted_is_gone_and_said(void **state)
{
	(void)state;
	add_for("dead", "1-1");
	stage_ask("XTRIM {newswire}:inbox MAXLEN 0");
	SAYS(STEP(), "gone");
	assert_string_equal(told.id, "1-1");
	assert_int_equal(pending(), 0);
	SAYS(STEP(), "none");
}

static void consumers_of_the_dead_do_not_pile_up(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		stage_ask("XGROUP CREATECONSUMER {newswire}:inbox desk old-%d", i);
	add_for("dead", "1-1");
	add_for("me", "1-2");
	STEP(.idle = "60000"); /* they may be alive */
	assert_int_equal(stage_ask("XINFO CONSUMERS {newswire}:inbox desk")->elements, 22);
	STEP(.take = "0");
	assert_int_equal(stage_ask("XINFO CONSUMERS {newswire}:inbox desk")->elements, 2);
}

static void a_key_in_the_way_is_named(void **state)
{
	static const char *const keys[] = {"inbox", "inbox_reader", "rejects"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		stage_ask("FLUSHALL");
		stage_ask("HSET {newswire}:%s a b", keys[i]);
		SAYS(STEP(), "error");
		assert_non_null(strstr(told.error, keys[i]));
		assert_int_equal(stage_number("DBSIZE"), 1);
	}
}

/* --- the file --------------------------------------------------------------------------------- */

static void a_kill_has_the_file_written_anew_until_the_inbox_was_empty(void **state)
{
	char token[80];

	(void)state;
	SAYS(SEND(.uri = "urn:x", .status = "canceled"), "accepted");
	assert_string_equal(stage_text("GET {newswire}:rewrite"), ""); /* nothing was ever here */
	add_for("me", "1-1");
	add_for("me", "1-2");
	SAYS(SEND(.uri = "urn:x", .text = "a horror", .entry = "1-1"), "refused");
	release_due("");
	assert_string_equal(strrchr(freed.rewrite, ' '), " again"); /* 1-2 is still there */
	snprintf(token, sizeof token, "%s", freed.rewrite);
	stage_ask("DEL {newswire}:rewriting"); /* a minute later */
	SAYS(SEND(.uri = "urn:y", .entry = "1-2"), "accepted");
	release_due(token);
	snprintf(token, sizeof token, "%s", freed.rewrite);
	assert_null(strstr(token, "again"));
	assert_true(*token);
	release_due(token);
	assert_string_equal(stage_text("GET {newswire}:rewrite"), "");
	SAYS(SEND(.uri = "urn:z", .status = "canceled"), "accepted");
	assert_true(
		*stage_text("GET {newswire}:rewrite")); /* some text of it may have been refused */
}

/* What docs/redis.md says of blocks: as long as a neighbour waits, what was taken out can still be found. */
static void what_was_taken_out_is_gone_with_the_last_of_its_block(void **state)
{
	(void)state;
	add_for("me", "1-1");
	add_for("me", "1-2");
	SAYS(SEND(.entry = "1-1"), "accepted");
	SAYS(SEND(.version = "2", .status = "canceled"), "accepted");
	assert_int_equal(in_inbox(), 1);
	assert_true(stage_holds("text-of-1-1", NULL));
	SAYS(SEND(.uri = "urn:b", .entry = "1-2"), "accepted");
	assert_false(stage_holds("text-of-1-1", NULL));
}

int main(void)
{
#define STORY(test) cmocka_unit_test_setup(test, clear)
	const struct CMUnitTest tests[] = {
		STORY(every_decision_takes_its_entry_out),
		STORY(what_is_not_ours_any_more_is_not_decided),
		STORY(an_entry_that_somebody_deleted_is_decided_by_whoever_has_its_text),
		STORY(an_error_leaves_the_entry_where_it_is),
		STORY(of_two_entries_the_one_added_later_holds_whichever_is_decided_first),
		STORY(a_late_entry_does_not_undo_what_came_another_way),
		STORY(a_late_entry_does_not_bring_out_what_was_withheld_after_it),
		STORY(a_late_entry_does_not_move_an_embargo_back),
		STORY(one_reads_and_the_others_wait_until_it_does_not),
		STORY(who_reads_no_more_decides_nothing_that_it_was_given),
		STORY(what_was_added_before_there_was_a_group_is_read),
		STORY(new_entries_are_given_to_who_reads_alone),
		STORY(no_more_than_64_KiB_of_them_and_one_are_read_at_a_time),
		STORY(entries_of_the_dead_are_taken_over_one_at_a_time_in_order),
		STORY(an_entry_that_is_never_decided_is_poison),
		STORY(what_was_put_off_waits_ever_longer_and_holds_nobody_up),
		STORY(many_that_were_put_off_do_not_hide_who_is_behind_them),
		STORY(what_somebody_deleted_is_gone_and_said),
		STORY(consumers_of_the_dead_do_not_pile_up),
		STORY(a_key_in_the_way_is_named),
		STORY(a_kill_has_the_file_written_anew_until_the_inbox_was_empty),
		STORY(what_was_taken_out_is_gone_with_the_last_of_its_block),
	};

	return cmocka_run_group_tests(tests, stage_open, stage_close);
}
