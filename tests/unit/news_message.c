/* What the server says is exactly the protocol, and what a client says is read or refused with a
 * reason. */
#include "news_test.h"
#include "base/clock.h"
#include "news/message.h"

static const struct cursor place = {"e1", {1700000000000, 2}};

static void the_server_says_exactly_what_the_protocol_says(void **state)
{
	struct buf b = {0};

	(void)state;
	clock_set_for_test(0, 1768042927000);
	message_hello(&b, &place, true, 25, 86400);
	clock_real_for_test();
	assert_memory_equal(
		news_test_text(&b),
		"{\"type\":\"hello\",\"cursor\":\"e1:1700000000000-2\",\"resumed\":true,\"tick\":"
		"25,"
		"\"retention\":86400,\"time\":\"2026-01-10T11:02:07Z\",\"server\":\"newswired/",
		138);
	buf_clear(&b);
	message_tick(&b, &place);
	message_gap(&b, &place);
	message_bye(&b, "drain", 4200);
	message_subscribed(&b, "7", &place);
	message_subscribed(&b, NULL, &place);
	message_error(&b, "bad_channel", "\"x\"\n", "\"r\"");
	assert_string_equal(news_test_text(&b),
			    "{\"type\":\"tick\",\"cursor\":\"e1:1700000000000-2\"}"
			    "{\"type\":\"gap\",\"cursor\":\"e1:1700000000000-2\"}"
			    "{\"type\":\"bye\",\"reason\":\"drain\",\"retry_ms\":4200}"
			    "{\"type\":\"subscribed\",\"ref\":7,\"cursor\":\"e1:1700000000000-2\"}"
			    "{\"type\":\"subscribed\",\"cursor\":\"e1:1700000000000-2\"}"
			    "{\"type\":\"error\",\"code\":\"bad_channel\",\"detail\":"
			    "\"\\\"x\\\"\\n\",\"ref\":\"r\"}");
	buf_free(&b);
}

static int read_text(const char *text, struct client_message *out, struct message_fault *fault)
{
	return message_read(text, strlen(text), out, fault);
}

static void a_subscription_may_come_as_arrays_or_as_text(void **state)
{
	const char *const texts[] = {
		"{\"type\":\"subscribe\",\"ref\":7,\"channels\":[\"world\",\"sport\"],\"class\":["
		"\"flash\"],\"lang\":[\"en\"],"
		"\"types\":[\"video\"],\"since\":\"e1:5-6\",\"view\":\"full\"}",
		"{\"type\":\"subscribe\",\"ref\":7,\"channels\":\"world,sport\",\"class\":"
		"\"flash\",\"lang\":\"en\","
		"\"types\":\"video\",\"since\":\"e1:5-6\"}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct client_message m;
		struct message_fault fault;

		assert_int_equal(read_text(texts[i], &m, &fault), 0);
		assert_int_equal(m.kind, CLIENT_SUBSCRIBE);
		assert_string_equal(m.ref, "7");
		assert_string_equal(m.subscription->key,
				    "c=sport,world&class=flash&lang=en&type=video");
		assert_true(m.has_since);
		assert_string_equal(m.since.epoch, "e1");
		assert_int_equal(m.since.id.seq, 6);
		subscription_free(m.subscription);
	}
}

static void a_bare_subscription_wants_everything_from_where_it_is(void **state)
{
	struct client_message m;
	struct message_fault fault;

	(void)state;
	assert_int_equal(
		read_text("{\"type\":\"subscribe\",\"since\":null,\"channels\":null}", &m, &fault),
		0);
	assert_string_equal(m.subscription->key, "c=feed:all");
	assert_false(m.has_since);
	assert_string_equal(m.ref, "");
	subscription_free(m.subscription);
}

static void a_ref_comes_back_as_it_was(void **state)
{
	struct client_message m;
	struct message_fault fault;

	(void)state;
	assert_int_equal(read_text("{\"type\":\"ping\",\"ref\":\"a\\\"\xc3\xa4\"}", &m, &fault), 0);
	assert_int_equal(m.kind, CLIENT_PING);
	assert_string_equal(m.ref, "\"a\\\"\xc3\xa4\"");
}

static void assert_fault(int close, const char *code, const char *text)
{
	struct client_message m;
	struct message_fault fault;

	assert_int_equal(read_text(text, &m, &fault), -1);
	assert_string_equal(fault.code, code);
	assert_int_equal(fault.close, close);
	assert_true(strlen(fault.detail) > 0);
	assert_null(m.subscription);
}

static void what_is_not_a_message_ends_the_connection(void **state)
{
	(void)state;
	assert_fault(4000, "bad_json", "");
	assert_fault(4000, "bad_json", "hello");
	assert_fault(4000, "bad_json", "[]");
	assert_fault(4000, "bad_json", "7");
	assert_fault(4000, "bad_json", "{\"type\":\"ping\"} more");
	assert_fault(4000, "bad_json", "{\"type\":\"ping\",\"type\":\"subscribe\"}");
	assert_fault(4000, "bad_json", "{\"type\":\"ping\",\"ref\":\"\\u0000\"}");
	assert_fault(4000, "bad_json", "{\"type\":\"ping\",\"ref\":1e999}");
	assert_fault(1007, "bad_utf8", "{\"type\":\"\xff\"}");
	assert_fault(1007, "bad_utf8", "{\"type\":\"\xc0\xaf\"}");
	assert_fault(1007, "bad_utf8", "{\"type\":\"\xed\xa0\x80\"}");
}

static void what_makes_no_sense_is_answered_and_the_reader_stays(void **state)
{
	(void)state;
	assert_fault(0, "bad_type", "{}");
	assert_fault(0, "bad_type", "{\"type\":7}");
	assert_fault(0, "bad_type", "{\"type\":\"publish\"}");
	assert_fault(0, "bad_ref", "{\"type\":\"ping\",\"ref\":{}}");
	assert_fault(0, "bad_ref",
		     "{\"type\":\"ping\",\"ref\":"
		     "\"0123456789012345678901234567890123456789012345678901234567890123\"}");
	assert_fault(0, "bad_cursor", "{\"type\":\"subscribe\",\"since\":\"yesterday\"}");
	assert_fault(0, "bad_cursor", "{\"type\":\"subscribe\",\"since\":5}");
	assert_fault(0, "bad_channel", "{\"type\":\"subscribe\",\"channels\":7}");
	assert_fault(0, "bad_channel", "{\"type\":\"subscribe\",\"channels\":[7]}");
	assert_fault(0, "bad_channel", "{\"type\":\"subscribe\",\"channels\":[\"a,b\"]}");
	assert_fault(0, "bad_channel", "{\"type\":\"subscribe\",\"channels\":[\"No\"]}");
	assert_fault(0, "bad_class", "{\"type\":\"subscribe\",\"class\":[\"loud\"]}");
	assert_fault(0, "bad_lang", "{\"type\":\"subscribe\",\"lang\":[\"?\"]}");
	assert_fault(0, "bad_type", "{\"type\":\"subscribe\",\"types\":{}}");
	assert_fault(0, "bad_view", "{\"type\":\"subscribe\",\"view\":\"short\"}");
	assert_fault(0, "bad_view", "{\"type\":\"subscribe\",\"view\":7}");
	assert_fault(0, "bad_readers", "{\"type\":\"subscribe\",\"readers\":1}");
	assert_fault(0, "bad_readers", "{\"type\":\"subscribe\",\"readers\":\"true\"}");
}

static void an_answer_names_the_message_that_it_answers(void **state)
{
	struct client_message m;
	struct message_fault fault;

	(void)state;
	assert_int_equal(
		read_text("{\"type\":\"subscribe\",\"ref\":9,\"channels\":[\"No\"]}", &m, &fault),
		-1);
	assert_string_equal(fault.ref, "9");
}

static uint64_t length_of(const char *channel, const void *arg)
{
	assert_string_equal(arg, "mine");
	return strlen(channel);
}

static void how_many_read_is_told_by_channel(void **state)
{
	struct subscription_fault fault;
	struct subscription *s = subscription_read("world,topic:2*,art", NULL, NULL, NULL, &fault);
	struct buf b = {0};

	(void)state;
	message_readers(&b, s, length_of, "mine");
	buf_addc(&b, '\0');
	assert_string_equal(
		b.data,
		"{\"type\":\"readers\",\"channels\":{\"art\":3,\"world\":5,\"topic:2*\":8}}");
	buf_free(&b);
	subscription_free(s);
}

static void who_asks_for_readers_is_another_audience(void **state)
{
	struct client_message m;
	struct message_fault fault;

	(void)state;
	assert_int_equal(
		read_text("{\"type\":\"subscribe\",\"channels\":[\"art\"],\"readers\":true}", &m,
			  &fault),
		0);
	assert_true(m.subscription->readers);
	assert_string_equal(m.subscription->key, "c=art&readers=1");
	subscription_free(m.subscription);
	assert_int_equal(
		read_text("{\"type\":\"subscribe\",\"channels\":[\"art\"],\"readers\":false}", &m,
			  &fault),
		0);
	assert_string_equal(m.subscription->key, "c=art");
	subscription_free(m.subscription);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_server_says_exactly_what_the_protocol_says),
		cmocka_unit_test(a_subscription_may_come_as_arrays_or_as_text),
		cmocka_unit_test(a_bare_subscription_wants_everything_from_where_it_is),
		cmocka_unit_test(a_ref_comes_back_as_it_was),
		cmocka_unit_test(what_is_not_a_message_ends_the_connection),
		cmocka_unit_test(what_makes_no_sense_is_answered_and_the_reader_stays),
		cmocka_unit_test(an_answer_names_the_message_that_it_answers),
		cmocka_unit_test(how_many_read_is_told_by_channel),
		cmocka_unit_test(who_asks_for_readers_is_another_audience),
	};

	return cmocka_run_group_tests_name("news_message", tests, NULL, NULL);
}
