/* Goal: the audit trail is read newest first, exactly, in steps that never keep Redis long, and says nothing but its fields. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wire/audit.h"
#include "wire_stage.h"

/* What was answered, kept. */
static struct {
	unsigned count;
	enum audit_answer answer;
	char *body;
} got;

static int set_up(void **state)
{
	got.count = 0;
	return stage_set_up(state);
}

static int tear_down(void **state)
{
	free(got.body);
	got.body = NULL;
	return stage_tear_down(state);
}

static void on_answer(enum audit_answer answer, const struct buf *body, void *arg)
{
	(void)arg;
	got.count++;
	got.answer = answer;
	free(got.body);
	got.body = strndup(body->len ? body->data : "", body->len);
}

static bool is_answered(void *arg)
{
	return got.count == *(unsigned *)arg;
}

static void ask(struct stage *s, struct audit_filter filter, unsigned limit,
		const struct wire_id *before)
{
	unsigned wanted = got.count + 1;

	assert_int_equal(audit_ask(s->follower[0].wire, &filter, limit, before, on_answer, NULL),
			 0);
	stage_until(s, is_answered, &wanted);
}

/* `count` entries 1-0, 2-0 … as common.lua writes them: versions 1, 2 …, uris u0, u1, u2 in turn. */
static void put(struct stage *s, unsigned count)
{
	char number[12];
	const char *argv[] = {number};

	snprintf(number, sizeof number, "%u", count);
	redis_fixture_eval(
		s->redis,
		"for i = 1, tonumber(ARGV[1]) do\n"
		"  redis.call('XADD', '{newswire}:audit', i .. '-0', 'v', '1', 'who', i == 1 and "
		"'desk' or 'node',\n"
		"    'what', 'publish', 'uri', 'u' .. i % 3, 'version', i, 'before', i > 1 and i "
		"- 1 or '', 'channels',\n"
		"    'feed:all world', 'id', '1768042927114-0', 'time', '1768042927114', 'text', "
		"'horror')\n"
		"end\n",
		COUNT_OF(argv), argv);
}

/* The versions of the answer, in order, e.g. "3 2 1 ". */
static const char *versions(void)
{
	static char out[4000];
	size_t len = 0;

	out[0] = '\0';
	for (const char *at = got.body; (at = strstr(at, "\"version\":\"")) != NULL;) {
		at += strlen("\"version\":\"");
		len += (size_t)snprintf(out + len, sizeof out - len, "%.*s ",
					(int)strcspn(at, "\""), at);
	}
	return out;
}

/* Where the next page goes on; false at the end. */
static bool next(struct wire_id *before)
{
	const char *at = strstr(got.body, "],\"before\":\"");

	while (at && strstr(at + 1, "],\"before\":\""))
		at = strstr(at + 1, "],\"before\":\"");
	if (at == NULL)
		return false;
	at += strlen("],\"before\":\"");
	assert_int_equal(wire_id_parse(at, strcspn(at, "\""), before), 0);
	return true;
}

static void an_entry_says_who_did_what_and_nothing_else(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	put(s, 2);
	ask(s, (struct audit_filter){0}, 1, NULL);
	assert_int_equal(got.answer, AUDIT_OK);
	assert_string_equal(
		got.body, "{\"entries\":[{\"id\":\"2-0\",\"time\":\"2026-01-10T11:02:07.114Z\","
			  "\"who\":\"node\","
			  "\"what\":\"publish\",\"uri\":\"u2\",\"version\":\"2\",\"before\":\"1\","
			  "\"channels\":[\"feed:all\",\"world\"],\"wire\":\"1768042927114-0\"}],"
			  "\"before\":\"2-0\"}\n");
}

static void what_was_refused_is_read_the_same_way(void **state)
{
	struct stage *s = *state;
	struct wire_id before = {2, 0};

	stage_follow(s, 0);
	redis_fixture_eval(
		s->redis,
		"for i, reason in ipairs({'killed', 'not_json', 'killed'}) do\n"
		"  redis.call('XADD', '{newswire}:rejects', i .. '768042927114-0', 'v', '1', "
		"'reason', reason, "
		"'detail', 'No.',\n"
		"    'pointer', i == 2 and '/uri' or '', 'channel', 'world', 'owner', 'desk', "
		"'uri', 'u' .. i, "
		"'version', '', 'hash', 'ff',\n"
		"    'bytes', i == 3 and 'many' or i, 'text', 'horror')\n"
		"end\n"
		"redis.call('XADD', '{newswire}:rejects', '*', 'of', 'another program')\n",
		0, NULL);
	ask(s, (struct audit_filter){.refused = true}, 2, NULL);
	assert_int_equal(got.answer, AUDIT_OK);
	assert_string_equal(
		got.body,
		"{\"rejects\":[{\"id\":\"3768042927114-0\",\"time\":\"2089-05-27T14:35:27.114Z\","
		"\"who\":\"desk\",\"reason\":\"killed\",\"detail\":\"No.\",\"uri\":\"u3\","
		"\"channel\":\"world\"},"
		"{\"id\":\"2768042927114-0\",\"time\":\"2057-09-18T12:48:47.114Z\",\"who\":"
		"\"desk\","
		"\"reason\":\"not_json\",\"detail\":\"No.\",\"pointer\":\"/uri\",\"uri\":\"u2\","
		"\"channel\":\"world\",\"bytes\":2}],\"before\":\"2768042927114-0\"}\n");
	before.ms = 2768042927114;
	ask(s, (struct audit_filter){.refused = true, .who = "desk", .what = "killed"}, 20,
	    &before);
	assert_non_null(strstr(got.body, "\"uri\":\"u1\""));
	assert_null(strstr(got.body, "\"uri\":\"u2\""));
	ask(s, (struct audit_filter){.refused = true, .uri = "none"}, 20, NULL);
	assert_string_equal(got.body, "{\"rejects\":[]}\n");
}

static void an_empty_trail_is_a_page_too(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	ask(s, (struct audit_filter){0}, 20, NULL);
	assert_int_equal(got.answer, AUDIT_OK);
	assert_string_equal(got.body, "{\"entries\":[]}\n");
}

static void pages_go_on_exactly_and_end(void **state)
{
	struct stage *s = *state;
	struct wire_id before;

	stage_follow(s, 0);
	put(s, 5);
	ask(s, (struct audit_filter){0}, 2, NULL);
	assert_string_equal(versions(), "5 4 ");
	assert_true(next(&before));
	ask(s, (struct audit_filter){0}, 2, &before);
	assert_string_equal(versions(), "3 2 ");
	assert_true(next(&before));
	ask(s, (struct audit_filter){0}, 2, &before);
	assert_string_equal(versions(), "1 ");
	assert_false(next(&before));
}

static void filters_are_exact_and_all_must_hold(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	put(s, 9);
	ask(s, (struct audit_filter){.uri = "u1"}, 20, NULL);
	assert_string_equal(versions(), "7 4 1 ");
	ask(s, (struct audit_filter){.uri = "u1", .who = "desk", .what = "publish"}, 20, NULL);
	assert_string_equal(versions(), "1 ");
	ask(s, (struct audit_filter){.uri = "u"}, 20, NULL);
	assert_string_equal(versions(), "");
	ask(s, (struct audit_filter){.what = "kill"}, 20, NULL);
	assert_string_equal(got.body, "{\"entries\":[]}\n");
}

/* Goal: the oldest of 20,000 is found although no call of Redis looked at more than AUDIT_LOOKS. */
static void a_filter_over_a_long_trail_goes_in_short_steps(void **state)
{
	struct stage *s = *state;
	const char *calls;

	stage_follow(s, 0);
	put(s, 20000);
	redis_fixture_do(s->redis, "CONFIG RESETSTAT");
	ask(s, (struct audit_filter){.who = "desk"}, 20, NULL);
	assert_string_equal(versions(), "1 ");
	calls = strstr(redis_fixture_do(s->redis, "INFO commandstats"), "cmdstat_xrevrange:calls=");
	assert_non_null(calls);
	assert_in_range((int)strtol(calls + strlen("cmdstat_xrevrange:calls="), NULL, 10),
			20000 / AUDIT_LOOKS, 20000 / AUDIT_LOOKS + 1);
}

static void entries_of_others_are_left_out(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	put(s, 1);
	redis_fixture_do(s->redis, "XADD {newswire}:audit * text horror");
	redis_fixture_do(s->redis, "XADD {newswire}:audit * what kill time soon uri %s", "a\"b");
	ask(s, (struct audit_filter){0}, 20, NULL);
	assert_non_null(strstr(got.body, "\"what\":\"kill\",\"uri\":\"a\\\"b\",\"channels\":[]}"));
	assert_null(strstr(got.body, "horror"));
	assert_null(strstr(got.body, "soon"));
}

static void a_key_of_another_program_is_no_crash(void **state)
{
	struct stage *s = *state;

	stage_follow(s, 0);
	redis_fixture_do(s->redis, "SET {newswire}:audit mine");
	ask(s, (struct audit_filter){0}, 20, NULL);
	assert_int_equal(got.answer, AUDIT_AWAY);
}

static void whoever_waits_when_the_wire_closes_is_answered(void **state)
{
	struct stage *s = *state;
	struct audit_filter filter = {0};

	stage_follow(s, 0);
	assert_int_equal(audit_ask(s->follower[0].wire, &filter, 20, NULL, on_answer, NULL), 0);
	stage_leave(s, 0);
	assert_int_equal(got.count, 1);
	assert_int_equal(got.answer, AUDIT_AWAY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_was_refused_is_read_the_same_way),
		TEST(an_entry_says_who_did_what_and_nothing_else),
		TEST(an_empty_trail_is_a_page_too),
		TEST(pages_go_on_exactly_and_end),
		TEST(filters_are_exact_and_all_must_hold),
		TEST(a_filter_over_a_long_trail_goes_in_short_steps),
		TEST(entries_of_others_are_left_out),
		TEST(a_key_of_another_program_is_no_crash),
		TEST(whoever_waits_when_the_wire_closes_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
