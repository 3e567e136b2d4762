/* Every format says the same: one message, wrapped for its kind of connection. */
#include <newswire/protocol.h>
#include "news_test.h"

static const struct cursor place = {.epoch = "e1", .id = {1700000000000, 7}};

/* The message as its format writes it. */
static const char *wrapped(enum format f, const struct face *face, const char *json, struct buf *b)
{
	buf_clear(b);
	format_wrap(f, face, json, strlen(json), b);
	return news_test_text(b);
}

static void a_row_is_found_by_its_marks(void **state)
{
	(void)state;
	assert_int_equal(format_find(FAMILY_WEBSOCKET, VIEW_FULL, CODING_PLAIN), FORMAT_WEBSOCKET);
	assert_int_equal(format_find(FAMILY_EVENT, VIEW_FULL, CODING_PLAIN), FORMAT_EVENT);
	assert_int_equal(format_find(FAMILY_EVENT, VIEW_FULL, (enum format_coding)99),
			 FORMAT_COUNT);
}

static void every_row_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (enum format f = 0; f < FORMAT_COUNT; f++)
		for (enum format other = 0; other < f; other++)
			assert_string_not_equal(format_name(f), format_name(other));
}

static void an_event_has_its_cursor_its_type_and_its_json(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_string_equal(wrapped(FORMAT_EVENT,
				    &(struct face){.type = NEWSWIRE_TYPE_HELLO, .at = &place},
				    "{\"type\":\"hello\"}", &b),
			    "id: e1:1700000000000-7\nevent: hello\ndata: {\"type\":\"hello\"}\n\n");
	buf_free(&b);
}

static void a_tick_moves_the_place_and_fires_no_event(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_string_equal(wrapped(FORMAT_EVENT,
				    &(struct face){.type = NEWSWIRE_TYPE_TICK, .at = &place},
				    "{\"type\":\"tick\"}", &b),
			    "id: e1:1700000000000-7\n\n");
	buf_free(&b);
}

static void a_bye_moves_no_place_and_says_when_to_come_back(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_string_equal(wrapped(FORMAT_EVENT,
				    &(struct face){.type = NEWSWIRE_TYPE_BYE, .retry_ms = 4200},
				    "{\"type\":\"bye\"}", &b),
			    "retry: 4200\nevent: bye\ndata: {\"type\":\"bye\"}\n\n");
	buf_free(&b);
}

static void no_line_ends_within_the_data_of_an_event(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_string_equal(wrapped(FORMAT_EVENT, &(struct face){.type = NEWSWIRE_TYPE_POST},
				    "{\"a\":1,\r\n\"b\":\"\\n\"}\n", &b),
			    "event: post\ndata: {\"a\":1,  \"b\":\"\\n\"} \n\n");
	buf_free(&b);
}

static void a_post_is_one_event_and_one_websocket_frame_with_the_same_json(void **state)
{
	static const char head[] = "id: e1:1700000000000-1\nevent: post\ndata: ";
	struct post *post = news_test_post("publish", "flash", "world feed:all", "", "",
					   "{\"uri\":\"urn:x:1\"}");
	const struct frame *socket = post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL);
	const struct frame *event = post_frame(post, FORMAT_EVENT, MATCH_FULL);
	size_t json_len = socket->len - 4; /* a frame of 126 bytes or more */

	(void)state;
	assert_int_equal(event->len, sizeof head - 1 + json_len + 2);
	assert_memory_equal(event->data, head, sizeof head - 1);
	assert_memory_equal(event->data + sizeof head - 1, socket->data + 4, json_len);
	assert_memory_equal(event->data + event->len - 2, "\n\n", 2);
	post_drop(post);
}

static void a_killed_story_leaves_no_event_behind(void **state)
{
	struct post *post = news_test_post("publish", "regular", "world feed:all", "", "",
					   "{\"a\":\"SECRET\"}");
	size_t before = post->bytes;

	(void)state;
	assert_non_null(post_frame(post, FORMAT_EVENT, MATCH_FULL));
	assert_true(post_blank(post) > 0);
	assert_null(post->frames[FORMAT_EVENT][0].data);
	assert_null(post_frame(post, FORMAT_EVENT, MATCH_FULL));
	assert_true(post->bytes < before);
	post_drop(post);
}

static void the_longest_cursor_and_wait_have_room(void **state)
{
	const struct cursor far = {.epoch = "0123456789abcdef", .id = {UINT64_MAX, UINT64_MAX}};
	struct buf b = {0};

	(void)state;
	wrapped(FORMAT_EVENT,
		&(struct face){
			.type = NEWSWIRE_TYPE_SUBSCRIBED, .at = &far, .retry_ms = UINT32_MAX},
		"{}", &b);
	assert_string_equal(b.data,
			    "id: 0123456789abcdef:18446744073709551615-18446744073709551615\n"
			    "retry: 4294967295\nevent: subscribed\ndata: {}\n\n");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_found_by_its_marks),
		cmocka_unit_test(every_row_has_a_name_of_its_own),
		cmocka_unit_test(an_event_has_its_cursor_its_type_and_its_json),
		cmocka_unit_test(a_tick_moves_the_place_and_fires_no_event),
		cmocka_unit_test(a_bye_moves_no_place_and_says_when_to_come_back),
		cmocka_unit_test(no_line_ends_within_the_data_of_an_event),
		cmocka_unit_test(a_post_is_one_event_and_one_websocket_frame_with_the_same_json),
		cmocka_unit_test(a_killed_story_leaves_no_event_behind),
		cmocka_unit_test(the_longest_cursor_and_wait_have_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
