/* Goal: whatever arrives, in whatever order, what Redis holds afterwards is right, whole, and tells nobody too much. */
#include "cmocka_all.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include "base/base.h"
#include "desk_stage.h"
#include "lua_scripts.h"

/* An item as the desk hands it to accept.lua. What is not given is ordinary. */
struct sent {
	const char *uri, *version, *text, *channels, *owner, *status, *hash, *notice, *lang,
		*feed_max;
	const char *seen; /* default: made of all the rest */
	int64_t created, embargo, expires;
	bool evolved, override;
};

static struct {
	char error[256], result[32], id[48], action[16], channels[256], code[32], detail[256];
	int64_t due;
} got;

static const char *or_else(const char *text, const char *preset)
{
	return text ? text : preset;
}

/* Runs a script with names and values; the reply lives until the next question to the stage. */
static redisReply *run(const char *script, const char *const *args, size_t count)
{
	const char *argv[64] = {"EVAL", script, "1", "{newswire}:wire"};

	assert_true(count + 4 <= COUNT_OF(argv));
	memcpy(argv + 4, args, count * sizeof *args);
	redisReply *reply = redisCommandArgv(stage.link, (int)count + 4, argv, NULL);
	assert_non_null(reply);
	return reply;
}

static void keep(char *to, size_t size, const redisReply *from)
{
	snprintf(to, size, "%s", from->str);
}

/* FNV-1a: what is hashed cannot be found in Redis. */
static void hash_text(char *out, size_t size, const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	snprintf(out, size, "%016" PRIx64, hash);
}

/* Decides, and fills `got`. */
static const char *accept_item(struct sent s)
{
	char created[24], embargo[24], expires[24], body[512], hash[20], seen[20], all[1024];
	const char *uri = or_else(s.uri, "urn:a"), *version = or_else(s.version, "1"),
		   *text = or_else(s.text, "words");
	const char *channels = or_else(s.channels, "feed:all world"),
		   *owner = or_else(s.owner, "redis");
	const char *status = or_else(s.status, "usable");

	snprintf(created, sizeof created, "%" PRId64, s.created);
	snprintf(embargo, sizeof embargo, "%" PRId64, s.embargo);
	snprintf(expires, sizeof expires, "%" PRId64, s.expires);
	snprintf(body, sizeof body, "{\"uri\":\"%s\",\"body\":\"%s\"}", uri, text);
	snprintf(all, sizeof all, "%s/%s/%s", version, text, status);
	hash_text(hash, sizeof hash, all);
	snprintf(all, sizeof all, "%s/%s/%.512s/%s/%s/%s/%s", uri, hash, channels, owner, created,
		 embargo, expires);
	hash_text(seen, sizeof seen, all);
	const char *args[] = {"prefix",
			      "newswire",
			      "seen",
			      or_else(s.seen, seen),
			      "seen_ms",
			      "90000000",
			      "bytes",
			      "99",
			      "channel",
			      "world",
			      "owner",
			      owner,
			      "override",
			      s.override ? "1" : "0",
			      "epoch",
			      "e1",
			      "retention_ms",
			      "86400000",
			      "archive_ms",
			      "2592000000",
			      "max_embargo_ms",
			      "100000000",
			      "feed_max",
			      or_else(s.feed_max, "1000"),
			      "uri",
			      uri,
			      "version",
			      version,
			      "created",
			      created,
			      "embargo",
			      embargo,
			      "expires",
			      expires,
			      "status",
			      status,
			      "class",
			      "regular",
			      "evolved",
			      s.evolved ? "1" : "0",
			      "lang",
			      or_else(s.lang, "en"),
			      "type",
			      "text",
			      "notice",
			      or_else(s.notice, ""),
			      "channels",
			      channels,
			      "hash",
			      or_else(s.hash, hash),
			      "body",
			      body};
	redisReply *reply = run(lua_accept, args, COUNT_OF(args));

	memset(&got, 0, sizeof got);
	if (reply->type == REDIS_REPLY_ERROR) {
		keep(got.error, sizeof got.error, reply);
		strcpy(got.result, "error");
	} else {
		assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
		assert_int_equal(reply->elements, 7);
		keep(got.result, sizeof got.result, reply->element[0]);
		keep(got.id, sizeof got.id, reply->element[1]);
		keep(got.action, sizeof got.action, reply->element[2]);
		keep(got.channels, sizeof got.channels, reply->element[3]);
		keep(got.code, sizeof got.code, reply->element[4]);
		keep(got.detail, sizeof got.detail, reply->element[5]);
		got.due = atoll(reply->element[6]->str);
	}
	freeReplyObject(reply);
	return got.result;
}

#define SEND(...) accept_item((struct sent){__VA_ARGS__})

/* What release.lua said last. */
static struct {
	int count;
	char due[24], rewrite[80], problem[256];
} freed;

static int release_due(const char *rewritten)
{
	const char *args[] = {"prefix",	      "newswire", "epoch",	"e1",
			      "retention_ms", "86400000", "archive_ms", "2592000000",
			      "feed_max",     "1000",	  "rewritten",	rewritten};
	redisReply *reply = run(lua_release, args, COUNT_OF(args));

	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s", reply->str);
	assert_int_equal(reply->elements, 4);
	freed.count = atoi(reply->element[0]->str);
	keep(freed.due, sizeof freed.due, reply->element[1]);
	keep(freed.rewrite, sizeof freed.rewrite, reply->element[2]);
	keep(freed.problem, sizeof freed.problem, reply->element[3]);
	freeReplyObject(reply);
	return freed.count;
}

static int64_t redis_now(void)
{
	redisReply *time = stage_ask("TIME");

	return atoll(time->element[0]->str) * 1000 + atoll(time->element[1]->str) / 1000;
}

/* Its embargo is over, as if time had passed. */
static void time_passes(const char *uri)
{
	stage_ask("HSET {newswire}:held:%s until %s", uri, "1000");
	stage_ask("ZADD {newswire}:embargo 1000 %s", uri);
}

static int on_the_wire(void)
{
	return (int)stage_number("XLEN {newswire}:wire");
}

/* meta of the newest post; "" if there is none. */
static const char *newest(void)
{
	redisReply *reply = stage_ask("XREVRANGE {newswire}:wire + - COUNT 1");

	return reply->elements ? reply->element[0]->element[1]->element[5]->str : "";
}

static void newest_says(const char *what)
{
	if (strstr(newest(), what) == NULL)
		fail_msg("the newest post is %s, without %s", newest(), what);
}

static const char *item_field(const char *uri, const char *field)
{
	return stage_text("HGET {newswire}:item:%s %s", uri, field);
}

static bool in_feed(const char *channel, const char *uri)
{
	return *stage_text("ZSCORE {newswire}:feed:%s %s", channel, uri) != '\0';
}

static int refusals(void)
{
	return (int)stage_number("XLEN {newswire}:rejects");
}

#define SAYS(call, what) assert_string_equal(call, what)

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
	strcpy(prev, got.id);
	SAYS(SEND(.uri = "urn:b", .evolved = true), "accepted");
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
		strcpy(id, got.id);
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
	strcpy(first, got.id);
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
	(void)state;
	stage_ask("SET {newswire}:head 9000000000000-7");
	SEND(.uri = "urn:a");
	assert_string_equal(got.id, "9000000000000-8");
	stage_ask("DEL {newswire}:head");
	SEND(.uri = "urn:b");
	assert_string_equal(got.id, "9000000000000-9");
	assert_string_equal(stage_ask("XREVRANGE {newswire}:wire + - COUNT 1")
				    ->element[0]
				    ->element[1]
				    ->element[3]
				    ->str,
			    "0-0");
}

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
	strcpy(token, freed.rewrite);
	assert_true(*token != '\0');
	release_due(""); /* another worker, in the same minute */
	assert_string_equal(freed.rewrite, "");
	SEND(.uri = "urn:b");
	SEND(.uri = "urn:b", .version = "2", .status = "canceled");
	release_due(token); /* done, but there was a kill since */
	assert_true(stage_number("EXISTS {newswire}:rewrite"));
	stage_ask("DEL {newswire}:rewriting"); /* the minute is over */
	release_due("");
	strcpy(token, freed.rewrite);
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
	assert_in_range(atoll(freed.due), 55000, 60000);
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
	assert_in_range(atoll(freed.due), 59000, 60000);
	stage_ask("DEL {newswire}:feed:jam");
	time_passes("urn:a");
	assert_int_equal(release_due(""), 1);
	newest_says("urn:a");
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
	stage_ask("CONFIG SET maxmemory 0");
	SAYS(SEND(.version = "2"), "accepted");
	buf_free(&before);
	buf_free(&after);
}

/* --- refusals by the reader of items ---------------------------------------------------------------- */

static long long reject(const char *seen)
{
	const char *args[] = {"prefix",	  "newswire", "seen",	  seen,	    "seen_ms",
			      "90000000", "reason",   "not_json", "detail", "It is no JSON.",
			      "pointer",  "",	      "channel",  "world",  "owner",
			      "redis",	  "bytes",    "12"};
	redisReply *reply = run(lua_reject, args, COUNT_OF(args));
	long long result = reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;

	freeReplyObject(reply);
	return result;
}

static void what_cannot_be_read_is_written_down_once(void **state)
{
	(void)state;
	assert_int_equal(reject("s1"), 1);
	assert_int_equal(reject("s1"), 0);
	assert_int_equal(reject("s2"), 1);
	assert_int_equal(refusals(), 2);
	stage_ask("DEL {newswire}:rejects");
	stage_ask("SET {newswire}:rejects x");
	assert_int_equal(reject("s3"), -1);
	assert_false(stage_number("EXISTS {newswire}:seen:s3"));
}

int main(void)
{
#define STORY(test) cmocka_unit_test_setup(test, stage_clear)
	const struct CMUnitTest tests[] = {
		STORY(an_item_gets_its_place_its_text_and_its_feeds),
		STORY(what_is_published_carries_epoch_ids_meta_and_text),
		STORY(the_same_bytes_twice_change_nothing),
		STORY(a_correction_replaces_its_story_and_keeps_its_place),
		STORY(texts_that_have_run_out_leave_the_list),
		STORY(versions_are_numbers_where_both_are),
		STORY(a_lower_version_is_recorded_and_not_sent),
		STORY(of_equal_versions_the_newer_one_counts),
		STORY(the_same_news_for_another_channel_is_sent_there_also),
		STORY(a_feed_keeps_the_newest),
		STORY(an_item_that_has_expired_is_sent_but_in_no_feed),
		STORY(an_id_is_above_the_head_even_if_the_clock_or_the_tail_is_lost),
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
		STORY(many_releases_come_in_turns),
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
