/* A post is read from what the script publishes, encoded once, and gives its text back when it is
 * killed. */
#include "news_test.h"

/* What a WebSocket frame holds, as text; checks that the frame is exactly one, and exactly as long.
 */
static const char *payload(const struct frame *frame, struct buf *b)
{
	size_t len, head;

	assert_non_null(frame);
	assert_int_equal(frame->data[0], 0x81);
	if (frame->data[1] < 126) {
		len = frame->data[1];
		head = 2;
	} else if (frame->data[1] == 126) {
		len = (size_t)frame->data[2] << 8 | frame->data[3];
		head = 4;
	} else {
		len = 0;
		for (int i = 2; i < 10; i++)
			len = len << 8 | frame->data[i];
		head = 10;
	}
	assert_int_equal(frame->len, head + len);
	buf_clear(b);
	buf_add(b, frame->data + head, len);
	return news_test_text(b);
}

static void a_published_post_becomes_one_frame(void **state)
{
	struct post *post = news_test_post("publish", "flash", "world feed:all class:flash", "", "",
					   "{\"uri\":\"urn:x:1\"}");
	struct buf b = {0};

	(void)state;
	assert_non_null(post);
	assert_string_equal(payload(post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL), &b),
			    "{\"type\":\"post\",\"cursor\":\"e1:1700000000000-1\",\"action\":"
			    "\"publish\",\"class\":\"flash\","
			    "\"channels\":[\"class:flash\",\"feed:all\",\"world\"],\"item\":{"
			    "\"uri\":\"urn:x:1\"}}");
	post_drop(post);
	buf_free(&b);
}

static void a_frame_is_made_once_and_counted(void **state)
{
	struct post *post = news_test_post("publish", "regular", "feed:all", "", "", "{}");
	size_t before = post->bytes;
	const struct frame *frame = post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL);

	(void)state;
	assert_ptr_equal(post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL), frame);
	assert_int_equal(post->bytes, before + frame->len);
	assert_ptr_not_equal(post_frame(post, FORMAT_WEBSOCKET, MATCH_REMOVE), frame);
	post_drop(post);
}

static void frames_of_every_length_say_their_length(void **state)
{
	const size_t sizes[] = {2, 30, 125, 126, 127, 65535, 65536, 300000};
	struct buf message = {0}, out = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		buf_clear(&message);
		buf_adds(&message,
			 "1 e1 1-1 0-0\n{\"action\":\"publish\",\"uri\":\"u\",\"version\":\"1\","
			 "\"class\":\"regular\",\"channels\":\"feed:all\"}\n{");
		for (size_t n = 2; n < sizes[i]; n++)
			buf_addc(&message, ' ');
		buf_addc(&message, '}');
		struct post *post = post_read(message.data, message.len);
		assert_non_null(post);
		assert_int_equal(post->body_len, sizes[i]);
		payload(post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL), &out);
		post_drop(post);

		buf_clear(&out);
		format_wrap(FORMAT_WEBSOCKET, &(struct face){0}, message.data, sizes[i], &out);
		const struct frame frame = {.data = (uint8_t *)out.data, .len = (uint32_t)out.len};
		struct buf copy = {0};
		payload(&frame, &copy);
		buf_free(&copy);
	}
	buf_free(&message);
	buf_free(&out);
}

static void a_kill_says_what_and_why_but_never_the_text(void **state)
{
	struct post *post = news_test_post("kill", "flash", "world feed:all", "world",
					   ",\"notice\":\"Withdrawn \\\"now\\\".\"",
					   "{\"headline\":\"SECRET\"}");
	struct buf b = {0};

	(void)state;
	assert_null(post->body);
	assert_string_equal(payload(post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL), &b),
			    "{\"type\":\"post\",\"cursor\":\"e1:1700000000000-1\",\"action\":"
			    "\"kill\",\"uri\":\"urn:x:1\","
			    "\"version\":\"2\",\"notice\":\"Withdrawn \\\"now\\\".\"}");
	buf_clear(&b);
	post_write_json(post, VIEW_FULL, &b);
	assert_string_equal(
		news_test_text(&b),
		"{\"type\":\"post\",\"action\":\"kill\",\"uri\":\"urn:x:1\",\"version\":\"2\","
		"\"notice\":\"Withdrawn \\\"now\\\".\"}");
	assert_int_equal(post_blank(post), 0);
	assert_non_null(post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL));
	post_drop(post);
	buf_free(&b);
}

static void a_hold_and_a_remove_have_no_text_either(void **state)
{
	struct post *hold = news_test_post("hold", "regular", "world feed:all", "world", "", "");
	struct post *correct =
		news_test_post("correct", "regular", "sport feed:all", "world", "", "{\"a\":1}");
	struct buf b = {0};

	(void)state;
	assert_string_equal(payload(post_frame(hold, FORMAT_WEBSOCKET, MATCH_FULL), &b),
			    "{\"type\":\"post\",\"cursor\":\"e1:1700000000000-1\",\"action\":"
			    "\"hold\",\"uri\":\"urn:x:1\","
			    "\"version\":\"2\"}");
	assert_string_equal(payload(post_frame(correct, FORMAT_WEBSOCKET, MATCH_REMOVE), &b),
			    "{\"type\":\"post\",\"cursor\":\"e1:1700000000000-1\",\"action\":"
			    "\"remove\",\"uri\":\"urn:x:1\","
			    "\"version\":\"2\"}");
	post_drop(hold);
	post_drop(correct);
	buf_free(&b);
}

static void a_blanked_post_has_no_text_left(void **state)
{
	struct post *post = news_test_post("publish", "regular", "world feed:all", "", "",
					   "{\"a\":\"SECRET\"}");
	size_t before = post->bytes, freed;
	struct buf b = {0};

	(void)state;
	assert_non_null(post_frame(post, FORMAT_WEBSOCKET, MATCH_REMOVE));
	size_t removes = post->bytes - before;
	assert_non_null(post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL));
	size_t all = post->bytes;
	freed = post_blank(post);
	assert_int_equal(post->bytes, all - freed);
	assert_int_equal(post->bytes, before + removes - strlen("{\"a\":\"SECRET\"}") - 1);
	assert_true(post->blanked);
	assert_null(post->body);
	assert_null(post->frames[FORMAT_WEBSOCKET][0].data);
	assert_null(post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL));
	assert_non_null(post_frame(post, FORMAT_WEBSOCKET, MATCH_REMOVE));
	assert_int_equal(post_blank(post), 0);
	post_write_json(post, VIEW_FULL, &b);
	assert_int_equal(b.len, 0);
	post_drop(post);
}

static void a_wire_entry_without_its_body_is_blanked(void **state)
{
	const char meta[] = "{\"action\":\"publish\",\"uri\":\"u\",\"version\":\"1\",\"class\":"
			    "\"regular\",\"channels\":\"feed:all\","
			    "\"was\":\"\",\"lang\":\"uk\",\"type\":\"text\"}";
	struct wire_id id = {5, 6}, prev = {5, 5};
	struct post *gone = post_read_entry("e1", id, prev, meta, strlen(meta), NULL, 0);
	struct post *there = post_read_entry("e1", id, prev, meta, strlen(meta), "{}", 2);

	(void)state;
	assert_true(gone->blanked);
	assert_false(there->blanked);
	assert_string_equal(there->lang, "uk");
	assert_string_equal(there->type, "text");
	assert_null(there->notice);
	assert_int_equal(there->prev.seq, 5);
	post_drop(gone);
	post_drop(there);
}

static void the_last_to_drop_a_post_frees_it(void **state)
{
	struct post *post = news_test_post("publish", "regular", "feed:all", "", "", "{}");

	(void)state;
	assert_ptr_equal(post_hold(post), post);
	post_drop(post);
	assert_string_equal(post->uri, "urn:x:1");
	post_drop(post);
	post_drop(NULL);
}

static void the_feed_shows_a_post_without_its_cursor(void **state)
{
	struct post *post =
		news_test_post("correct", "urgent", "feed:all", "", "", "{\"uri\":\"urn:x:1\"}");
	struct buf b = {0};

	(void)state;
	post_write_json(post, VIEW_FULL, &b);
	assert_string_equal(news_test_text(&b), "{\"type\":\"post\",\"action\":\"correct\","
						"\"class\":\"urgent\",\"channels\":[\"feed:all\"],"
						"\"item\":{\"uri\":\"urn:x:1\"}}");
	post_drop(post);
	buf_free(&b);
}

static void before_its_turn_a_post_is_marked_and_has_no_place(void **state)
{
	struct post *post = news_test_post("publish", "flash", "world", "", "",
					   "{\"uri\":\"urn:x:1\",\"bodies\":[{\"value\":\"x\"}]}");
	const struct frame *event = post_early_frame(post, FORMAT_EVENT, MATCH_FULL);
	struct buf b = {0};

	(void)state;
	assert_string_equal(payload(post_early_frame(post, FORMAT_WEBSOCKET, MATCH_FULL), &b),
			    "{\"type\":\"post\",\"ahead\":true,\"action\":\"publish\",\"class\":"
			    "\"flash\",\"channels\":[\"world\"],\"item\":{\"uri\":\"urn:x:1\","
			    "\"bodies\":[{\"value\":\"x\"}]}}");
	assert_null(strstr(payload(post_early_frame(post, FORMAT_WEBSOCKET_BRIEF, MATCH_FULL), &b),
			   "bodies"));
	assert_non_null(
		strstr(payload(post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL), &b), "\"cursor\""));
	assert_memory_equal(event->data, "event: post\ndata: {\"type\":\"post\",\"ahead\":true,",
			    43);
	assert_ptr_equal(event, post_early_frame(post, FORMAT_EVENT, MATCH_FULL));
	post_blank(post);
	assert_null(post_early_frame(post, FORMAT_WEBSOCKET, MATCH_FULL));
	assert_null(strstr(payload(post_early_frame(post, FORMAT_WEBSOCKET, MATCH_REMOVE), &b),
			   "item"));
	post_drop(post);
	buf_free(&b);
}

static void what_is_not_a_post_is_refused(void **state)
{
	const char *const messages[] = {
		"",
		"1",
		"2 e 1-1 0-0\n{}\n{}",
		"1 E 1-1 0-0\n{}\n{}",
		"1 e 1-x 0-0\n{}\n{}",
		"1 e 1-1 0-0\n",
		"1 e 1-1 0-0\n{}\n{}",
		"1 e 1-1 0-0\n[]\n{}",
		"1 e 1-1 0-0\nnull\n{}",
		"1 e 1-1 "
		"0-0\n{\"action\":\"publish\",\"uri\":\"\",\"version\":\"1\",\"class\":\"regular\","
		"\"channels\":\"a\"}\n{}",
		"1 e 1-1 "
		"0-0\n{\"action\":\"sing\",\"uri\":\"u\",\"version\":\"1\",\"class\":\"regular\","
		"\"channels\":\"a\"}\n{}",
		"1 e 1-1 "
		"0-0\n{\"action\":\"publish\",\"uri\":\"u\",\"version\":\"1\",\"class\":\"loud\","
		"\"channels\":\"a\"}\n{}",
		"1 e 1-1 "
		"0-0\n{\"action\":\"publish\",\"uri\":\"u\",\"version\":1,\"class\":\"regular\","
		"\"channels\":\"a\"}\n{}",
		"1 e 1-1 "
		"0-0\n{\"action\":\"publish\",\"uri\":\"u\",\"version\":\"1\",\"class\":"
		"\"regular\",\"channels\":\" \"}\n{}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(messages); i++)
		assert_null(post_read(messages[i], strlen(messages[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_published_post_becomes_one_frame),
		cmocka_unit_test(a_frame_is_made_once_and_counted),
		cmocka_unit_test(frames_of_every_length_say_their_length),
		cmocka_unit_test(a_kill_says_what_and_why_but_never_the_text),
		cmocka_unit_test(a_hold_and_a_remove_have_no_text_either),
		cmocka_unit_test(a_blanked_post_has_no_text_left),
		cmocka_unit_test(a_wire_entry_without_its_body_is_blanked),
		cmocka_unit_test(the_last_to_drop_a_post_frees_it),
		cmocka_unit_test(the_feed_shows_a_post_without_its_cursor),
		cmocka_unit_test(before_its_turn_a_post_is_marked_and_has_no_place),
		cmocka_unit_test(what_is_not_a_post_is_refused),
	};

	return cmocka_run_group_tests_name("news_post", tests, NULL, NULL);
}
