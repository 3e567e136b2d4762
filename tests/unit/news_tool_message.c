/* What a newsroom's tool says on its line is read around its item, which stays to the letter; what makes no sense is
 * refused with a reason. */
#include "news_test.h"
#include "base/clock.h"
#include "news/tool_message.h"

static struct tool_message m;
static struct message_fault fault;

static int read_text(const char *text)
{
	tool_message_free(&m);
	return tool_message_read(text, strlen(text), &m, &fault);
}

static void says(const char *text, const char *code, int close)
{
	assert_int_equal(read_text(text), -1);
	assert_string_equal(fault.code, code);
	assert_int_equal(fault.close, close);
}

static void has_item(const char *text, const char *item)
{
	assert_int_equal(read_text(text), 0);
	assert_int_equal(m.kind, TOOL_PUBLISH);
	assert_int_equal(m.item_len, strlen(item));
	assert_memory_equal(m.item, item, m.item_len);
}

static void the_item_is_found_wherever_it_stands_and_stays_as_it_came(void **state)
{
	(void)state;
	has_item("{\"type\":\"publish\",\"item\":{\"a\":1}}", "{\"a\":1}");
	has_item(" { \"item\" : { \"a\" : [ \"}\" ] } , \"type\":\"publish\" } \n",
		 "{ \"a\" : [ \"}\" ] }");
	has_item("{\"type\":\"publish\",\"ref\":\"\\\"item\\\":7\",\"item\":\"\\u00e9\"}",
		 "\"\\u00e9\"");
	has_item("{\"x\":{\"item\":1},\"type\":\"publish\",\"item\":[1,2]}", "[1,2]");
	has_item("{\"items\":1,\"type\":\"publish\",\"item\":nonsense here}", "nonsense here");
	has_item("{\"type\":\"publish\",\"item\":{\"a\":1,\"a\":1}}", "{\"a\":1,\"a\":1}");
}

static void what_stands_around_it_is_read(void **state)
{
	struct buf names = {0};

	(void)state;
	has_item("{\"type\":\"publish\",\"ref\":\"r-1\",\"item\":{},\"channels\":[\"world\","
		 "\"sport\"],"
		 "\"idempotency_key\":\"k~1\",\"later\":{\"a\":[]}}",
		 "{}");
	assert_string_equal(m.ref, "\"r-1\"");
	assert_string_equal(m.idempotency, "k~1");
	channel_set_write(&m.channels, ' ', &names);
	assert_string_equal(news_test_text(&names), "sport world");
	buf_free(&names);
	has_item("{\"type\":\"publish\",\"item\":{},\"channels\":\"world,sport\"}", "{}");
	assert_int_equal(m.channels.count, 2);
	has_item("{\"type\":\"publish\",\"item\":{},\"channels\":null,\"idempotency_key\":null}",
		 "{}");
	assert_int_equal(m.channels.count, 0);
	assert_int_equal(read_text("{\"type\":\"auth\",\"ref\":7,\"key\":\"secret\"}"), 0);
	assert_int_equal(m.kind, TOOL_AUTH);
	assert_string_equal(m.key, "secret");
	assert_string_equal(m.ref, "7");
	assert_int_equal(read_text("{\"type\":\"ping\"}"), 0);
	assert_int_equal(m.kind, TOOL_PING);
}

static void a_message_without_sense_is_refused_with_a_reason(void **state)
{
	static const char *const broken[] = {
		"",
		"x",
		"[]",
		"{",
		"{\"type\":\"publish\"",
		"{\"type\":\"publish\"]",
		"{\"type\":\"publish\",\"item\":{}",
		"{\"type\":\"publish\",\"item\":{}}}",
		"{\"type\":\"publish\",\"item\":{}} x",
		"{\"type\":\"publish\",\"item\":{},\"item\":{}}",
		"{\"type\":\"publish\",\"item\":{},\"\\u0069tem\":{}}",
		"{\"type\":\"publish\",\"type\":\"publish\"}",
		"{\"type\":\"publish\" \"item\":{}}",
		"{\"type\":\"publish\",,\"item\":{}}",
		"{\"item\"}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(broken); i++)
		says(broken[i], "bad_json", NEWSWIRE_CLOSE_BAD_SUBSCRIPTION);
	says("{\"type\":\"publish\",\"x\":\"\xe9\",\"item\":{}}", "bad_utf8",
	     NEWSWIRE_CLOSE_BAD_UTF8);
	says("{\"type\":\"publish\"}", "empty", 0);
	says("{\"type\":\"publish\",\"item\": }", "empty", 0);
	assert_int_equal(m.kind, TOOL_PUBLISH);
	says("{\"type\":\"publish\",\"item\":{},\"channels\":[1]}", "bad_channel", 0);
	says("{\"type\":\"publish\",\"item\":{},\"idempotency_key\":\"\"}", "bad_idempotency_key",
	     0);
	says("{\"type\":\"publish\",\"item\":{},\"idempotency_key\":\"a b\"}",
	     "bad_idempotency_key", 0);
	says("{\"type\":\"auth\",\"ref\":1}", "bad_key", 0);
	assert_string_equal(fault.ref, "1");
	says("{\"type\":\"subscribe\"}", "bad_type", 0);
	says("{\"type\":\"ping\",\"ref\":[]}", "bad_ref", 0);
}

static void what_stands_around_an_item_has_a_bound_and_the_item_its_own(void **state)
{
	struct buf text = {0};

	(void)state;
	buf_adds(&text, "{\"type\":\"publish\",\"item\":\"");
	for (size_t i = 0; i < TOOL_ENVELOPE_MAX; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "\"}");
	tool_message_free(&m);
	assert_int_equal(tool_message_read(text.data, text.len, &m, &fault), 0);
	assert_int_equal(m.item_len, TOOL_ENVELOPE_MAX + 2);
	memcpy(strstr(text.data, "item"), "itez", 4);
	tool_message_free(&m);
	assert_int_equal(tool_message_read(text.data, text.len, &m, &fault), -1);
	assert_string_equal(fault.code, "too_large");
	assert_int_equal(fault.close, NEWSWIRE_CLOSE_TOO_BIG);
	buf_free(&text);
}

static void the_server_says_who_it_takes_the_tool_for(void **state)
{
	struct buf b = {0};

	(void)state;
	clock_set_for_test(0, 1768042927000);
	tool_message_hello(&b, NULL, 64, 262144, 25);
	tool_message_hello(&b, &publisher_node, 64, 262144, 25);
	clock_real_for_test();
	assert_string_equal(
		news_test_text(&b),
		"{\"type\":\"hello\",\"window\":64,\"max_item\":262144,\"tick\":25,"
		"\"time\":\"2026-01-10T11:02:07Z\",\"server\":\"newswired/" NEWSWIRE_VERSION "\"}"
		"{\"type\":\"hello\",\"publisher\":\"node\",\"may\":[\"publish\",\"correct\","
		"\"kill\",\"flash\",\"embargo\",\"audit\",\"all\"],\"window\":64,"
		"\"max_item\":262144,\"tick\":25,\"time\":\"2026-01-10T11:02:07Z\","
		"\"server\":\"newswired/" NEWSWIRE_VERSION "\"}");
	buf_clear(&b);
	tool_message_authorized(
		&b, "7", &(struct publisher){.name = "desk", .rights = RIGHT_PUBLISH | RIGHT_KILL});
	tool_message_authorized(&b, "", &(struct publisher){.name = "desk"});
	assert_string_equal(news_test_text(&b),
			    "{\"type\":\"authorized\",\"ref\":7,\"publisher\":\"desk\",\"may\":["
			    "\"publish\",\"kill\"]}"
			    "{\"type\":\"authorized\",\"publisher\":\"desk\",\"may\":[]}");
	buf_free(&b);
}

static int forget(void **state)
{
	(void)state;
	tool_message_free(&m);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_item_is_found_wherever_it_stands_and_stays_as_it_came),
		cmocka_unit_test(what_stands_around_it_is_read),
		cmocka_unit_test(a_message_without_sense_is_refused_with_a_reason),
		cmocka_unit_test(what_stands_around_an_item_has_a_bound_and_the_item_its_own),
		cmocka_unit_test(the_server_says_who_it_takes_the_tool_for),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
