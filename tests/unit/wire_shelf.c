/* Goal: a page of a feed is exact, continues exactly, and carries the place on the wire that it belongs to. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wire/shelf.h"
#include "wire_stage.h"

/* What the shelf answered, kept. */
static struct {
	unsigned count;
	enum shelf_answer answer;
	char *body;
	char etag[40];
} got;

static struct subscription *subscription;

static int set_up(void **state)
{
	got.count = 0;
	return stage_set_up(state);
}

static int tear_down(void **state)
{
	free(got.body);
	got.body = NULL;
	subscription_free(subscription);
	subscription = NULL;
	return stage_tear_down(state);
}

static void on_answer(enum shelf_answer answer, const struct buf *body, const char *etag,
		      void *arg);

static void on_feed(enum shelf_answer answer, const struct feed *feed, void *arg)
{
	struct buf body = {0};
	char etag[FEED_ETAG_SIZE] = "";

	if (feed != NULL)
		feed_write(feed, VIEW_FULL, &body, etag);
	assert_false(body.failed);
	on_answer(answer, &body, etag, arg);
	buf_free(&body);
}

static void on_answer(enum shelf_answer answer, const struct buf *body, const char *etag, void *arg)
{
	(void)arg;
	got.count++;
	got.answer = answer;
	free(got.body);
	got.body = strndup(body->len ? body->data : "", body->len);
	snprintf(got.etag, sizeof got.etag, "%s", etag);
}

static bool is_answered(void *arg)
{
	return got.count == *(unsigned *)arg;
}

static void wait_for_answer(struct stage *s)
{
	unsigned wanted = got.count + 1;

	stage_until(s, is_answered, &wanted);
}

static void ask_feed(struct stage *s, const char *channels, const char *classes, unsigned limit,
		     const char *before)
{
	struct subscription_fault fault;

	subscription_free(subscription);
	subscription = subscription_read(channels, classes, NULL, NULL, &fault);
	assert_non_null(subscription);
	assert_int_equal(shelf_feed(s->follower[0].wire, subscription, limit, SHELF_FEED_BYTES,
				    before, on_feed, NULL),
			 0);
	wait_for_answer(s);
}

static void ask_item(struct stage *s, const char *uri)
{
	assert_int_equal(shelf_item(s->follower[0].wire, uri, on_answer, NULL), 0);
	wait_for_answer(s);
}

/* Puts an item on the shelves as accept.lua does. */
static void put(struct stage *s, const char *uri, const char *score, const char *channels,
		const char *more)
{
	const char *argv[] = {uri, score, channels, more};

	redis_fixture_eval(
		s->redis,
		"local P, uri = '{newswire}:', ARGV[1]\n"
		"redis.call('HSET', P .. 'item:' .. uri, 'v', 1, 'version', '1', 'status', "
		"'usable',\n"
		"  'action', 'publish', 'class', 'regular', 'channels', ARGV[3])\n"
		"for field, value in ARGV[4]:gmatch('(%S+)=(%S+)') do\n"
		"  redis.call('HSET', P .. 'item:' .. uri, field, value)\n"
		"end\n"
		"redis.call('SET', P .. 'body:' .. uri .. ':1', '{\"uri\":\"' .. uri .. '\"}')\n"
		"for channel in ARGV[3]:gmatch('%S+') do\n"
		"  redis.call('ZADD', P .. 'feed:' .. channel, ARGV[2], uri)\n"
		"end\n",
		COUNT_OF(argv), argv);
}

/* The uris of the page, in order, e.g. "c b a ". */
static const char *uris(void)
{
	static char out[4000];
	size_t len = 0;

	out[0] = '\0';
	for (const char *at = got.body; (at = strstr(at, "\"item\":{\"uri\":\"")) != NULL;) {
		at += strlen("\"item\":{\"uri\":\"");
		len += (size_t)snprintf(out + len, sizeof out - len, "%.*s ",
					(int)strcspn(at, "\""), at);
	}
	return out;
}

/* The token of the next page, or NULL. */
static const char *before(void)
{
	static char out[3000];
	const char *at = strstr(got.body, "\"before\":\"");

	if (at == NULL)
		return NULL;
	at += strlen("\"before\":\"");
	snprintf(out, sizeof out, "%.*s", (int)strcspn(at, "\""), at);
	return out;
}

static void a_page_is_newest_first_with_the_cursor_of_the_wire(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);
	char expected[400];

	stage_post(s, "x", "publish", 1);
	put(s, "old", "1000", "class:regular feed:all world", "");
	put(s, "new", "3000", "class:flash feed:all sport", "class=flash action=correct");
	ask_feed(s, NULL, NULL, 20, NULL);
	assert_int_equal(got.answer, SHELF_OK);
	snprintf(expected, sizeof expected,
		 "{\"items\":[{\"type\":\"post\",\"action\":\"correct\",\"class\":\"flash\","
		 "\"channels\":["
		 "\"class:flash\",\"feed:all\",\"sport\"],\"item\":{\"uri\":\"new\"}},"
		 "{\"type\":\"post\",\"action\":\"publish\",\"class\":\"regular\",\"channels\":["
		 "\"class:regular\",\"feed:all\",\"world\"],\"item\":{\"uri\":\"old\"}}],"
		 "\"cursor\":\"%s:%s\"}",
		 wire_epoch(f->wire), redis_fixture_do(s->redis, "GET {newswire}:head"));
	assert_string_equal(got.body, expected);
}

static void an_empty_feed_is_a_page_too(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);
	char expected[100];

	ask_feed(s, "nothing", NULL, 20, NULL);
	snprintf(expected, sizeof expected, "{\"items\":[],\"cursor\":\"%s:0-0\"}",
		 wire_epoch(f->wire));
	assert_string_equal(got.body, expected);
}

static void several_channels_are_one_feed(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	put(s, "a", "1000", "world", "");
	put(s, "b", "2000", "sport world", ""); /* in both, shown once */
	put(s, "c", "3000", "sport", "");
	put(s, "d", "4000", "culture", "");
	ask_feed(s, "world,sport", NULL, 20, NULL);
	assert_string_equal(uris(), "c b a ");
	ask_feed(s, "world,sport", NULL, 2, NULL);
	assert_string_equal(uris(), "c b ");
	ask_feed(s, "world,sport", NULL, 2, before());
	assert_string_equal(uris(), "a ");
	assert_null(before());
}

static void what_is_not_for_readers_is_left_out(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	put(s, "a", "1000", "world", "");
	put(s, "killed", "2000", "world", "status=canceled");
	put(s, "withheld", "3000", "world", "status=withheld");
	put(s, "expired", "4000", "world", "expires=5");
	put(s, "expires", "5000", "world", "expires=99999999999999");
	put(s, "moved", "6000", "world", "channels=sport"); /* a correction took it elsewhere */
	put(s, "textless", "7000", "world", "version=2");
	ask_feed(s, "world", NULL, 20, NULL);
	assert_string_equal(uris(), "expires a ");
}

static void filters_narrow_by_derived_channels(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	put(s, "a", "1000", "class:flash world", "");
	put(s, "b", "2000", "class:regular world", "");
	put(s, "c", "3000", "class:urgent world", "");
	put(s, "d", "4000", "class:flash sport", "");
	ask_feed(s, "world", "flash,urgent", 20, NULL);
	assert_string_equal(uris(), "c a ");
}

static void prefixes_are_picked_out_of_everything(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	put(s, "a", "1000", "feed:all topic:20000337 world", "");
	put(s, "b", "2000", "feed:all topic:30000000 sport", "");
	put(s, "c", "3000", "feed:all tower", "");
	put(s, "d", "4000", "class:flash feed:all topic:20000001", "");
	put(s, "e", "5000", "feed:all region:se", "");
	ask_feed(s, "topic:2*", NULL, 20, NULL);
	assert_string_equal(uris(), "d a ");
	ask_feed(s, "to*,sport", NULL, 20, NULL);
	assert_string_equal(uris(), "c b ");
	ask_feed(s, "topic:*", "flash", 20, NULL);
	assert_string_equal(uris(), "d ");
	ask_feed(s, "topic:*", NULL, 2, NULL);
	assert_string_equal(uris(), "d b ");
	ask_feed(s, "topic:*", NULL, 2, before());
	assert_string_equal(uris(), "a ");
}

/* Looking through everything is bounded: a page may be empty and not the last. */
static void a_page_of_prefixes_looks_at_so_many_and_says_that_there_is_more(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	put(s, "oldest", "1", "feed:all topic:1", "");
	for (int i = 0; i < 1000; i++) {
		char uri[16], score[16];

		snprintf(uri, sizeof uri, "u%d", i);
		snprintf(score, sizeof score, "%d", 1000 + i);
		put(s, uri, score, "feed:all world", "");
	}
	ask_feed(s, "topic:*", NULL, 20, NULL);
	assert_string_equal(uris(), "");
	assert_non_null(before());
	ask_feed(s, "topic:*", NULL, 20, before());
	assert_string_equal(uris(), "oldest ");
	assert_null(before());
}

static void pages_of_one_moment_are_cut_exactly(void **state)
{
	struct stage *s = *state;
	char shown[1000] = "", expected[1000] = "", token[3000] = "", uri[16];
	size_t shown_len = 0, expected_len = 0;
	unsigned pages = 0;

	stage_follow(s, 0);
	for (int i = 0; i < 50; i++) {
		snprintf(uri, sizeof uri, "u%02d", i);
		put(s, uri, i < 40 ? "1764000000000123" : "1764000000000124",
		    i % 3 ? "world" : "sport", "");
	}
	do {
		ask_feed(s, "world,sport", NULL, 7, token);
		shown_len +=
			(size_t)snprintf(shown + shown_len, sizeof shown - shown_len, "%s", uris());
		snprintf(token, sizeof token, "%s", before() ? before() : "");
		if (++pages == 3) /* what is added above meanwhile moves nothing */
			put(s, "zz", "1764000000000999", "world", "");
	} while (*token);
	for (int i = 49; i >= 0; i--)
		expected_len += (size_t)snprintf(expected + expected_len,
						 sizeof expected - expected_len, "u%02d ", i);
	assert_string_equal(shown, expected);
	assert_int_equal(pages, 8);
}

static void a_page_that_ends_with_the_feed_is_the_last(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	put(s, "a", "1000", "world", "");
	put(s, "b", "2000", "world", "");
	ask_feed(s, "world", NULL, 2, NULL);
	assert_string_equal(uris(), "b a ");
	assert_null(before());
}

static void a_feed_longer_than_a_batch_is_read_through(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	redis_fixture_do(s->redis, "EVAL %s 0",
			 "for i = 1, 300 do redis.call('ZADD', '{newswire}:feed:world', 1000 + i, "
			 "'gone' .. i) end");
	put(s, "a", "1000", "world", "");
	put(s, "b", "9000", "world", "");
	ask_feed(s, "world", NULL, 20, NULL);
	assert_string_equal(uris(), "b a ");
}

static void a_page_of_large_items_is_cut_by_bytes(void **state)
{
	struct stage *s = *state;
	char uri[16];

	stage_follow(s, 0);
	for (int i = 0; i < 8; i++) {
		snprintf(uri, sizeof uri, "u%d", i);
		put(s, uri, i < 4 ? "1000" : "2000", "world", "");
		redis_fixture_do(s->redis, "EVAL %s 0 %s",
				 "redis.call('SET', '{newswire}:body:' .. ARGV[1] .. ':1', "
				 "'{\"uri\":\"' .. ARGV[1] ..\n"
				 "'\",\"x\":\"' .. string.rep('x', 1000000) .. '\"}')",
				 uri);
	}
	ask_feed(s, "world", NULL, 100, NULL);
	assert_string_equal(uris(), "u7 u6 u5 u4 ");
	ask_feed(s, "world", NULL, 100, before());
	assert_string_equal(uris(), "u3 u2 u1 u0 ");
	assert_null(before());
}

static void a_token_that_is_none_is_said(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	ask_feed(s, "world", NULL, 20, "yesterday");
	assert_int_equal(got.answer, SHELF_BAD_BEFORE);
}

static void the_etag_is_that_of_the_items(void **state)
{
	struct stage *s = *state;
	char etag[40];

	stage_follow(s, 0);
	put(s, "a", "1000", "world", "");
	ask_feed(s, "world", NULL, 20, NULL);
	snprintf(etag, sizeof etag, "%s", got.etag);
	assert_int_equal(strlen(etag), 34);
	stage_post(s, "elsewhere", "publish", 1); /* the cursor moves, the items do not */
	ask_feed(s, "world", NULL, 20, NULL);
	assert_string_equal(got.etag, etag);
	put(s, "b", "1001", "world", "");
	ask_feed(s, "world", NULL, 20, NULL);
	assert_string_not_equal(got.etag, etag);
}

/* Redis' answer is of its head 0-0; the kill reached this worker after that. */
static void a_kill_that_overtook_redis_answer_wins(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);
	char message[400];

	put(s, "a", "1000", "world", "");
	put(s, "b", "2000", "world", "");
	snprintf(message, sizeof message,
		 "1 %s 9999999999999-0 0-0\n{\"action\":\"kill\",\"uri\":\"a\",\"version\":\"2\","
		 "\"class\":\"regular\",\"channels\":\"world\",\"notice\":\"Withdrawn.\"}\n",
		 wire_epoch(f->wire));
	redis_fixture_do(s->redis, "PUBLISH newswire:out %s", message);
	stage_until_posts(s, f, 1);
	ask_feed(s, "world", NULL, 20, NULL);
	assert_string_equal(uris(), "b ");
	ask_item(s, "a");
	assert_int_equal(got.answer, SHELF_KILLED);
	assert_string_equal(
		got.body, "{\"type\":\"post\",\"action\":\"kill\",\"uri\":\"a\",\"version\":\"2\","
			  "\"notice\":\"Withdrawn.\"}");
}

static void an_item_is_found_by_its_uri(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	put(s, "http://example.org/a b", "1000", "world",
	    "expires=5"); /* expired: but it keeps its address */
	ask_item(s, "http://example.org/a b");
	assert_int_equal(got.answer, SHELF_OK);
	assert_string_equal(
		got.body,
		"{\"type\":\"post\",\"action\":\"publish\",\"class\":\"regular\","
		"\"channels\":[\"world\"],\"item\":{\"uri\":\"http://example.org/a b\"}}");
	assert_int_equal(strlen(got.etag), 34);
	ask_item(s, "nobody");
	assert_int_equal(got.answer, SHELF_MISSING);
	put(s, "held", "1000", "world", "status=withheld");
	ask_item(s, "held");
	assert_int_equal(got.answer, SHELF_MISSING);
	put(s, "killed", "1000", "world", "status=canceled notice=Gone.");
	ask_item(s, "killed");
	assert_int_equal(got.answer, SHELF_KILLED);
	assert_string_equal(got.body, "{\"type\":\"post\",\"action\":\"kill\",\"uri\":\"killed\","
				      "\"version\":\"1\",\"notice\":\"Gone.\"}");
}

static void a_key_of_another_program_is_no_crash(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	redis_fixture_do(s->redis, "SET {newswire}:feed:world x");
	ask_feed(s, "world", NULL, 20, NULL);
	assert_int_equal(got.answer, SHELF_AWAY);
}

static void while_redis_is_away_so_is_the_shelf(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	assert_int_equal(shelf_item(f->wire, "a", on_answer, NULL), 0);
	redis_fixture_kill(s->redis);
	wait_for_answer(s);
	assert_int_equal(got.answer, SHELF_AWAY);
	while (link_state(wire_link(f->wire)) == LINK_READY)
		uv_run(&s->loop, UV_RUN_ONCE);
	assert_int_equal(shelf_item(f->wire, "a", on_answer, NULL), -1);
}

static void whoever_waits_when_the_wire_closes_is_answered(void **state)
{
	struct stage *s = *state;
	struct follower *f = stage_follow(s, 0);

	assert_int_equal(shelf_item(f->wire, "a", on_answer, NULL), 0);
	stage_leave(s, 0);
	assert_int_equal(got.count, 1);
	assert_int_equal(got.answer, SHELF_AWAY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_page_is_newest_first_with_the_cursor_of_the_wire),
		TEST(an_empty_feed_is_a_page_too),
		TEST(several_channels_are_one_feed),
		TEST(what_is_not_for_readers_is_left_out),
		TEST(filters_narrow_by_derived_channels),
		TEST(prefixes_are_picked_out_of_everything),
		TEST(a_page_of_prefixes_looks_at_so_many_and_says_that_there_is_more),
		TEST(pages_of_one_moment_are_cut_exactly),
		TEST(a_page_that_ends_with_the_feed_is_the_last),
		TEST(a_feed_longer_than_a_batch_is_read_through),
		TEST(a_page_of_large_items_is_cut_by_bytes),
		TEST(a_token_that_is_none_is_said),
		TEST(the_etag_is_that_of_the_items),
		TEST(a_kill_that_overtook_redis_answer_wins),
		TEST(an_item_is_found_by_its_uri),
		TEST(a_key_of_another_program_is_no_crash),
		TEST(while_redis_is_away_so_is_the_shelf),
		TEST(whoever_waits_when_the_wire_closes_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
