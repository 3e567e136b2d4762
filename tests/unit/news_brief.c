/* A brief item has what a list shows and no body; a post makes it once, and loses it with its text. */
#include "news_test.h"
#include "news/brief.h"

static void assert_brief(const char *body, const char *expected)
{
	size_t len;
	char *brief = brief_make(body, strlen(body), &len);

	assert_non_null(brief);
	assert_string_equal(brief, expected);
	assert_int_equal(len, strlen(expected));
	free(brief);
}

static void what_a_list_shows_stays_and_the_body_goes(void **state)
{
	(void)state;
	assert_brief(
		"{\"uri\":\"urn:a\",\"version\":\"2\",\"urgency\":3,\"headlines\":[{\"value\":"
		"\"H\"}],"
		"\"bodies\":[{\"value\":\"long\"}],\"by\":\"I\",\"subjects\":[{\"name\":\"s\"}],"
		"\"representationType\":\"full\",\"own\":{\"a\":1}}",
		"{\"uri\":\"urn:a\",\"version\":\"2\",\"urgency\":3,\"headlines\":[{\"value\":"
		"\"H\"}],"
		"\"by\":\"I\",\"representationType\":\"partial\"}");
}

static void who_has_only_a_body_is_shown_by_its_first_words(void **state)
{
	(void)state;
	assert_brief(
		"{\"uri\":\"urn:a\",\"headlines\":[],\"bodies\":[{\"contentType\":\"text/html\","
		"\"value\":\"<p>\u201cWe <b>stay</b>.\u201d</p>\"}]}",
		"{\"uri\":\"urn:a\",\"headlines\":[],\"descriptions\":[{\"role\":\"summary\","
		"\"contentType\":\"text/plain\",\"value\":\"\xe2\x80\x9cWe stay.\xe2\x80\x9d\"}],"
		"\"representationType\":\"partial\"}");
}

static void one_small_picture_is_left_with_credit_and_alternative_text(void **state)
{
	(void)state;
	assert_brief(
		"{\"title\":\"t\",\"associations\":[{\"rel\":\"author\",\"title\":\"Ann\"},{"
		"\"rel\":\"featured\","
		"\"type\":\"picture\",\"by\":\"P\",\"bodies\":[{\"value\":\"b\"}],\"descriptions\":"
		"[{\"role\":"
		"\"caption\",\"value\":\"c\"},{\"role\":\"alt\",\"value\":\"a\"}],\"renditions\":["
		"{\"href\":\"https://i/1600.jpg\",\"width\":1600},{\"href\":\"https://i/"
		"400.jpg\",\"width\":400},"
		"{\"href\":\"https://i/90.jpg\",\"width\":90}]}]}",
		"{\"title\":\"t\",\"associations\":[{\"rel\":\"featured\",\"type\":\"picture\","
		"\"by\":\"P\","
		"\"descriptions\":[{\"role\":\"alt\",\"value\":\"a\"}],\"renditions\":["
		"{\"href\":\"https://i/"
		"400.jpg\",\"width\":400}]}],\"representationType\":\"partial\"}");
	assert_brief("{\"type\":\"picture\",\"title\":\"t\",\"renditions\":[{\"href\":\"https://i/"
		     "9.jpg\"}]}",
		     "{\"type\":\"picture\",\"title\":\"t\",\"renditions\":[{\"href\":\"https://i/"
		     "9.jpg\"}],"
		     "\"representationType\":\"partial\"}");
}

static void what_is_no_item_becomes_an_empty_one(void **state)
{
	(void)state;
	assert_brief("[1]", "{}");
	assert_brief("{\"uri\":", "{}");
	assert_brief("{\"headlines\":7,\"associations\":[1,{}],\"bodies\":{}}",
		     "{\"headlines\":7,\"representationType\":\"partial\"}");
}

static bool has(const struct frame *f, const char *text)
{
	return memmem(f->data, f->len, text, strlen(text)) != NULL;
}

static void a_post_makes_its_brief_item_once_for_all_formats(void **state)
{
	struct post *post = news_test_post(
		"publish", "regular", "world", "", "",
		"{\"uri\":\"urn:x:1\",\"title\":\"t\",\"bodies\":[{\"value\":\"secret\"}]}");
	const struct frame *f = post_frame(post, FORMAT_WEBSOCKET_BRIEF, MATCH_FULL);
	const char *brief = post->brief;
	size_t before, freed;

	(void)state;
	assert_true(has(f, "\"title\":\"t\"") && has(f, "\"cursor\":") && has(f, "\"channels\":"));
	assert_false(has(f, "secret"));
	assert_true(has(post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL), "secret"));
	assert_non_null(post_frame(post, FORMAT_EVENT_BRIEF, MATCH_FULL));
	assert_ptr_equal(post->brief, brief);
	before = post->bytes;
	assert_true(has(post_frame(post, FORMAT_WEBSOCKET_BRIEF, MATCH_REMOVE), "\"remove\""));
	assert_true(post->bytes > before);
	before = post->bytes;
	freed = post_blank(post);
	assert_int_equal(post->bytes, before - freed);
	assert_null(post->brief);
	assert_null(post_frame(post, FORMAT_WEBSOCKET_BRIEF, MATCH_FULL));
	post_drop(post);
}

static void a_kill_is_the_same_in_every_view(void **state)
{
	struct post *post = news_test_post("kill", "regular", "world", "", ",\"notice\":\"n\"", "");
	const struct frame *full = post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL);
	const struct frame *brief = post_frame(post, FORMAT_WEBSOCKET_BRIEF, MATCH_FULL);

	(void)state;
	assert_int_equal(full->len, brief->len);
	assert_memory_equal(full->data, brief->data, full->len);
	post_drop(post);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_list_shows_stays_and_the_body_goes),
		cmocka_unit_test(who_has_only_a_body_is_shown_by_its_first_words),
		cmocka_unit_test(one_small_picture_is_left_with_credit_and_alternative_text),
		cmocka_unit_test(what_is_no_item_becomes_an_empty_one),
		cmocka_unit_test(a_post_makes_its_brief_item_once_for_all_formats),
		cmocka_unit_test(a_kill_is_the_same_in_every_view),
	};

	return cmocka_run_group_tests_name("news_brief", tests, NULL, NULL);
}
