/* "sent" is said only when a server said that the item is durable. */
#include "cmocka_all.h"
#include "exchange.h"
#include "publish.h"
#include "result.h"

#include <jansson.h>
#include <string.h>

static enum newswire_status judge(int status, const char *json, bool sent)
{
	json_t *body = json ? json_loads(json, 0, NULL) : NULL;
	struct newswire_answer answer = {.status = status, .json = body, .sent = sent, .text = ""};
	enum newswire_status verdict = publish_judge(&answer);

	json_decref(body);
	return verdict;
}

static void a_receipt_and_its_status_together_are_success(void **state)
{
	(void)state;
	assert_int_equal(judge(201, "{\"status\":\"accepted\"}", true), NEWSWIRE_ACCEPTED);
	assert_int_equal(judge(200, "{\"status\":\"duplicate\"}", true), NEWSWIRE_DUPLICATE);
	assert_int_equal(judge(200, "{\"status\":\"stale\"}", true), NEWSWIRE_STALE);
	assert_int_equal(judge(202, "{\"status\":\"held\"}", true), NEWSWIRE_HELD);
}

static void a_success_without_a_receipt_is_none(void **state)
{
	(void)state;
	assert_int_equal(judge(200, NULL, true), NEWSWIRE_REFUSED);
	assert_int_equal(judge(201, "{}", true), NEWSWIRE_REFUSED);
	assert_int_equal(judge(200, "{\"status\":\"accepted\"}", true), NEWSWIRE_REFUSED);
	assert_int_equal(judge(201, "[\"accepted\"]", true), NEWSWIRE_REFUSED);
	assert_int_equal(judge(303, "{\"status\":\"accepted\"}", true), NEWSWIRE_REFUSED);
}

static void what_may_pass_is_told_from_what_will_not(void **state)
{
	(void)state;
	assert_int_equal(judge(503, NULL, true), NEWSWIRE_UNAVAILABLE);
	assert_int_equal(judge(429, NULL, true), NEWSWIRE_UNAVAILABLE);
	assert_int_equal(judge(422, NULL, true), NEWSWIRE_REFUSED);
	assert_int_equal(judge(401, NULL, true), NEWSWIRE_REFUSED);
	assert_true(result_is_temporary(NEWSWIRE_UNAVAILABLE));
	assert_false(result_is_temporary(NEWSWIRE_REFUSED));
}

static void no_answer_after_sending_is_unknown_and_before_it_is_not_sent(void **state)
{
	(void)state;
	assert_int_equal(judge(0, NULL, true), NEWSWIRE_UNKNOWN);
	assert_int_equal(judge(0, NULL, false), NEWSWIRE_UNAVAILABLE);
	assert_int_equal(result_exit(NEWSWIRE_UNKNOWN), CLI_UNREACHABLE);
}

static void check_line(const struct newswire_receipt *receipt, const char *wanted)
{
	char line[RESULT_SIZE];

	result_line(line, "a.json", receipt);
	assert_string_equal(line, wanted);
}

static void a_line_says_what_became_of_the_item(void **state)
{
	struct newswire_receipt r = {.status = NEWSWIRE_ACCEPTED,
				     .id = "1767-0",
				     .uri = "urn:a",
				     .version = "2",
				     .action = "correct",
				     .durability = "fsync"};

	(void)state;
	check_line(&r, "sent urn:a version 2 correct id 1767-0 (fsync)");
	r.status = NEWSWIRE_STALE;
	r.id = r.action = "";
	check_line(&r, "stale urn:a version 2 (fsync): a later version is out; recorded, not sent");
	r.status = NEWSWIRE_HELD;
	check_line(&r, "held urn:a version 2 (fsync): under embargo; sent when that is over");
	r = (struct newswire_receipt){.status = NEWSWIRE_REFUSED,
				      .id = "",
				      .uri = "",
				      .version = "",
				      .action = "",
				      .durability = "",
				      .problem = "bad_item: no \033[31muri"};
	check_line(&r, "refused a.json: bad_item: no [31muri");
}

static void the_longest_receipt_stays_within_its_line(void **state)
{
	static char uri[5000];
	char line[RESULT_SIZE];
	struct newswire_receipt r = {.status = NEWSWIRE_ACCEPTED,
				     .id = uri,
				     .uri = uri,
				     .version = uri,
				     .action = uri,
				     .durability = uri};

	(void)state;
	memset(uri, 'u', sizeof uri - 1);
	result_line(line, "a.json", &r);
	assert_in_range(strlen(line), 1000, RESULT_SIZE - 1);
}

static void redis_is_heard_but_never_durable(void **state)
{
	char line[RESULT_SIZE];

	(void)state;
	result_line_heard(line, "a.json", "news", 2);
	assert_string_equal(line,
			    "handed over a.json on news: heard by 2 listeners; no receipt, Redis "
			    "pub/sub is not durable");
	result_line_heard(line, "a.json", "news", 0);
	assert_string_equal(line,
			    "not heard: a.json on news: heard by 0 listeners; no receipt, Redis "
			    "pub/sub keeps nothing");
}

static void the_exit_code_of_a_run_is_that_of_its_worst_item(void **state)
{
	(void)state;
	assert_int_equal(result_worse(CLI_OK, CLI_NOT_OUT), CLI_NOT_OUT);
	assert_int_equal(result_worse(CLI_REFUSED, CLI_NOT_OUT), CLI_REFUSED);
	assert_int_equal(result_worse(CLI_REFUSED, CLI_UNREACHABLE), CLI_UNREACHABLE);
	assert_int_equal(result_exit(NEWSWIRE_DUPLICATE), CLI_OK);
	assert_int_equal(result_exit(NEWSWIRE_HELD), CLI_NOT_OUT);
}

static void a_problem_document_becomes_one_line(void **state)
{
	char line[200];
	json_t *json = json_loads("{\"code\":\"bad_item\",\"detail\":\"one problem\",\"errors\":"
				  "[{\"pointer\":\"/uri\",\"detail\":\"no string\"}]}",
				  0, NULL);

	(void)state;
	exchange_explain(line, sizeof line, 422, json);
	assert_string_equal(line, "bad_item: one problem (/uri)");
	exchange_explain(line, sizeof line, 502, NULL);
	assert_string_equal(line, "the server answered with HTTP status 502");
	json_decref(json);
}

static void check_reach(const char *text, const char *wanted)
{
	char line[RESULT_SIZE];
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	result_reach(line, json);
	assert_string_equal(line, wanted);
	json_decref(json);
}

static void reach_is_a_sentence(void **state)
{
	(void)state;
	check_reach("{\"readers\":18412,\"behind\":0,\"ms\":214,\"workers\":2,\"reported\":2,"
		    "\"complete\":true}",
		    "written to 18,412 readers in 214 ms");
	check_reach("{\"readers\":1,\"behind\":1,\"ms\":1214,\"workers\":3,\"reported\":2,"
		    "\"complete\":false}",
		    "written to 1 reader in 1,214 ms, 1 was behind (2 of 3 workers have reported)");
	check_reach("{\"readers\":0,\"behind\":1000000,\"ms\":null,\"workers\":1,"
		    "\"reported\":1,\"complete\":true}",
		    "written to 0 readers, 1,000,000 were behind");
	check_reach("{\"readers\":\"many\",\"behind\":-1}",
		    "written to 0 readers (0 of 0 workers have reported)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_receipt_and_its_status_together_are_success),
		cmocka_unit_test(a_success_without_a_receipt_is_none),
		cmocka_unit_test(what_may_pass_is_told_from_what_will_not),
		cmocka_unit_test(no_answer_after_sending_is_unknown_and_before_it_is_not_sent),
		cmocka_unit_test(a_line_says_what_became_of_the_item),
		cmocka_unit_test(the_longest_receipt_stays_within_its_line),
		cmocka_unit_test(redis_is_heard_but_never_durable),
		cmocka_unit_test(the_exit_code_of_a_run_is_that_of_its_worst_item),
		cmocka_unit_test(a_problem_document_becomes_one_line),
		cmocka_unit_test(reach_is_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
