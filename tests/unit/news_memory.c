/* Whenever memory is short, the news floor says so, leaks nothing and breaks nothing: each allocation fails in its turn. */
#include "failing_malloc.h"
#include "news_test.h"

#include <errno.h>
#include <unistd.h>
#include "base/arena.h"
#include "news/atom.h"
#include "news/brief.h"
#include "news/centrifuge.h"
#include "news/front.h"
#include "news/item.h"
#include "news/json_feed.h"
#include "news/json_arena.h"
#include "news/keyring.h"
#include "news/message.h"
#include "news/publisher.h"

static bool (*all_of_it)(void);

static bool attempt_whole(void)
{
	fail_begin();
	return all_of_it();
}

/* An attempt from its first allocation on: one fails, and all fail. */
static void fail_in(bool (*attempt)(void))
{
	all_of_it = attempt;
	fail_each(attempt_whole);
	fail_each_from(attempt_whole);
}

/* Where the buffer of a token cannot grow, jansson alone loses a letter, the quote that ends a text, or the end of a number. */
static const char *document;

static bool read_json(void)
{
	json_error_t error;
	json_t *json;

	json_arena_open(strlen(document));
	json = json_arena_read(document, strlen(document), 0, &error);
	fail_end();
	if (json == NULL) {
		assert_int_equal(errno, ENOMEM);
		assert_int_equal(json_error_code(&error), json_error_out_of_memory);
	} else {
		assert_true(
			json_equal(json, json_arena_read(document, strlen(document), 0, &error)));
	}
	json_arena_close();
	return json != NULL;
}

static void json_is_read_as_it_stands_or_not_at_all(void **state)
{
	static const char *const texts[] = {
		"{\"sixteen letters!\":\"seventeen letters\",\"n\":1}",
		"{\"versionCreated\":1}",
		"[123456789012345,1]",
		"[\"fourteen bytes\",12345678901234567,\"thirty bytes, and then a quote\"]",
		"[1.5e300,\"\\u00e5\\ud83d\\ude00 escaped, and longer than its room\"]",
	};
	struct buf large = {0};

	(void)state;
	for (size_t i = 0; ARENA_IS_WATCHED && i < COUNT_OF(texts); i++) {
		document = texts[i];
		fail_in(read_json);
	}
	/* Without a sanitizer, those all fit the arena's first chunk. */
	for (int i = 0; i < 2000; i++)
		buf_addf(&large, "%c\"eighteen letters %d\"", i == 0 ? '[' : ',', i % 10);
	buf_add(&large, "]", 2);
	assert_false(large.failed);
	document = large.data;
	if (!ARENA_IS_WATCHED)
		fail_in(read_json);
	buf_free(&large);
}

static char keys_path[] = "/tmp/newswire-test-keys-XXXXXX";

/* Whatever fails, a second later the file is read. */
static bool open_keyring(void)
{
	struct keyring *k = keyring_open(keys_path);

	fail_end();
	if (k == NULL)
		return false;
	keyring_second(k);
	assert_int_equal(publisher_count(keyring_book(k)), 1);
	keyring_close(k);
	return true;
}

static void keys_that_could_not_be_read_are_read_again(void **state)
{
	static const char json[] =
		"{\"keys\":[{\"name\":\"a\",\"secret\":\"12345678\",\"may\":[\"publish\"]}]}";
	int fd = mkstemp(keys_path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, json, strlen(json)), strlen(json));
	close(fd);
	fail_in(open_keyring);
	unlink(keys_path);
}

static const char superdesk[] =
	"{\"guid\":\"u\",\"headline\":\"H\",\"description_text\":\"D\",\"body_html\":\"<p>B\","
	"\"language\":\"en-gb\",\"channels\":[\"world\"],"
	"\"version\":3,\"pubstatus\":\"Usable\",\"versioncreated\":\"2026-01-10T10:02:48+0000\","
	"\"urgency\":3.0,\"source\":\"S\","
	"\"subject\":[{\"code\":20000337}],\"place\":[{\"code\":\"SE\"}],\"service\":[{\"name\":"
	"\"World\"}],\"altids\":{\"a\":\"1\"},"
	"\"authors\":[{\"name\":\"A\",\"code\":\"a\",\"biography\":\"B\",\"avatar_url\":\"http://"
	"a\",\"twitter\":\"t\"}],\"wordcount\":1,"
	"\"associations\":{\"featuremedia\":{\"type\":\"picture\",\"body_text\":\"A\",\"source\":"
	"\"S\",\"renditions\":{\"r\":{\"mimetype\":\"m\"}}}}}";

static char *superdesk_whole; /* what its body is with enough memory */

static bool read_superdesk(void)
{
	struct item_report report;
	struct item *item = item_read(superdesk, strlen(superdesk), 65536, NULL, &report);

	if (item != NULL)
		assert_string_equal(item->body, superdesk_whole);
	else
		assert_int_equal(report.refusal, ITEM_BAD_VALUE);
	item_free(item);
	return item != NULL;
}

static void an_item_is_read_or_refused_whole(void **state)
{
	struct item_report report;
	struct item *item = item_read(superdesk, strlen(superdesk), 65536, NULL, &report);

	(void)state;
	assert_non_null(item);
	assert_non_null(superdesk_whole = strdup(item->body));
	item_free(item);
	fail_in(read_superdesk);
	free(superdesk_whole);
}

static bool read_without_uri(void)
{
	const char *json = "{\"headlines\":[{\"value\":\"H\"}]}";
	struct item_report report;
	struct item *item = item_read(json, strlen(json), 65536, NULL, &report);

	item_free(item);
	return item != NULL;
}

static void a_uri_is_derived_or_the_item_refused(void **state)
{
	(void)state;
	fail_in(read_without_uri);
}

static bool read_kill(void)
{
	const char *json = "{\"uri\":\"u\",\"pubStatus\":\"canceled\",\"descriptions\":[{\"role\":"
			   "\"notice\",\"value\":\"N\"}]}";
	struct item_report report;
	struct item *item = item_read(json, strlen(json), 65536, NULL, &report);

	assert_true(item == NULL || strcmp(item->notice, "N") == 0);
	item_free(item);
	return item != NULL;
}

static void a_kill_never_loses_its_notice_silently(void **state)
{
	(void)state;
	fail_in(read_kill);
}

static bool encode_post(void)
{
	static const char message[] = "1 e1 1-1 "
				      "0-0\n{\"action\":\"publish\",\"uri\":\"u\",\"version\":"
				      "\"1\",\"class\":\"flash\",\"channels\":\"a b\","
				      "\"was\":\"c\",\"notice\":\"n\"}\n{}";
	struct post *post = post_read(message, strlen(message));
	bool done = post && post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL) &&
		    post_frame(post, FORMAT_WEBSOCKET, MATCH_REMOVE);

	post_drop(post);
	return done;
}

/* Without memory to compress it, it is stored. */
static bool encode_for_gzip(void)
{
	static const char message[] =
		"1 e1 1-1 0-0\n{\"action\":\"publish\",\"uri\":\"u\",\"version\":\"1\",\"class\":"
		"\"flash\",\"channels\":\"a b\"}\n{\"x\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}";
	struct post *post = post_read(message, strlen(message));
	const struct frame *f = post ? post_frame(post, FORMAT_EVENT_GZIP, MATCH_FULL) : NULL;
	bool done = f != NULL && f->spared > 0;

	assert_true(f == NULL || f->data != NULL);
	post_drop(post);
	return done;
}

static void a_post_is_encoded_whole_or_not_at_all(void **state)
{
	(void)state;
	fail_in(encode_post);
	fail_in(encode_for_gzip);
}

static bool read_subscribe(void)
{
	const char *text = "{\"type\":\"subscribe\",\"ref\":\"r\",\"channels\":[\"a\",\"b\"],"
			   "\"class\":\"flash\",\"lang\":[\"en\"],\"types\":[\"text\"]}";
	struct client_message message;
	struct message_fault fault;
	int result = message_read(text, strlen(text), &message, &fault);

	if (result != 0)
		assert_string_equal(fault.code, "no_memory");
	subscription_free(message.subscription);
	return result == 0;
}

static void a_subscription_is_read_or_refused_whole(void **state)
{
	(void)state;
	fail_in(read_subscribe);
}

static bool copy_set(void)
{
	struct channel_set set, copy = {0};
	bool done =
		channel_set_read(&set, "a b", 3, ' ') == 0 && channel_set_copy(&copy, &set) == 0;

	channel_set_free(&copy);
	channel_set_free(&set);
	return done;
}

static void a_set_is_copied_or_empty(void **state)
{
	(void)state;
	fail_in(copy_set);
}

static bool read_book(void)
{
	static const char json[] =
		"{\"keys\":[{\"name\":\"a\",\"secret\":\"12345678\",\"may\":[\"publish\"],"
		"\"channels\":[\"world\",\"*\"],\"urgency\":{\"1\":\"flash\"}}],"
		"\"raw\":{\"world\":[\"publish\"],\"*\":[]}}";
	char error[100] = "";
	struct publisher_book *book = publisher_book_read(json, strlen(json), error, sizeof error);

	assert_true(book != NULL || error[0]);
	assert_true(book == NULL || publisher_count(book) == 1);
	publisher_book_unref(book);
	return book != NULL;
}

static void a_book_of_publishers_is_read_whole_or_not_at_all(void **state)
{
	(void)state;
	fail_in(read_book);
}

static bool make_brief(void)
{
	static const char body[] = "{\"uri\":\"u\",\"headlines\":[{\"value\":\"H\"}],"
				   "\"bodies\":[{\"value\":\"B\"}]}";
	size_t len;
	char *brief = brief_make(body, strlen(body), &len);
	bool done = brief != NULL;

	if (done)
		assert_non_null(strstr(brief, "\"headlines\":[{\"value\":\"H\"}]"));
	free(brief);
	return done;
}

static void a_brief_is_made_with_what_belongs_in_it_or_not_at_all(void **state)
{
	(void)state;
	fail_in(make_brief);
}

/* Half of a story is never there, and none is missing unless it is said. */
static const char headed[] =
	"{\"headlines\":[{\"value\":\"H\"}],\"bodies\":[{\"contentType\":\"text/html\","
	"\"value\":\"<p>B</"
	"p>\"}],\"descriptions\":[{\"role\":\"summary\",\"value\":\"S\"}],"
	"\"by\":\"A\",\"copyrightNotice\":\"C\"}";
static const char bare[] =
	"{\"bodies\":[{\"contentType\":\"text/html\",\"value\":\"<p>A first paragraph that is "
	"longer "
	"than the room that a buffer has at first, whatever room that may be.</p><p>B</p>\"}]}";
static const char *story;

static bool write_feed(void (*write)(const struct feed *feed, const struct feed_about *about,
				     struct buf *out, char *etag),
		       const char *whole)
{
	struct feed_entry entry = {.post = {.uri = (char *)"no iri",
					    .version = (char *)"1",
					    .body = (char *)story,
					    .body_len = strlen(story)}};
	const struct feed feed = {.cursor = {.epoch = "e1"}, .count = 1, .entries = &entry};
	const struct feed_about about = {.title = "T", .site = "http://a/", .id = "http://a/"};
	char etag[FEED_ETAG_SIZE];
	struct buf out = {0};
	bool done;

	write(&feed, &about, &out, etag);
	buf_addc(&out, '\n');
	done = !out.failed && memmem(out.data, out.len, whole, strlen(whole)) != NULL;
	assert_true(done || out.failed);
	buf_free(&out);
	return done;
}

static bool write_json_feed(void)
{
	return write_feed(json_feed_write, "\"class\":\"flash\",\"action\":\"publish\"}}]");
}

static bool write_atom(void)
{
	return write_feed(atom_write, "<rights type=\"text\">C</rights></entry></feed>");
}

static void write_stories(const struct feed *feed, const struct feed_about *to, struct buf *out,
			  char *etag)
{
	(void)to;
	(void)etag;
	front_write_stories(feed, out);
}

static void write_data(const struct feed *feed, const struct feed_about *to, struct buf *out,
		       char *etag)
{
	(void)etag;
	front_write_data(feed, to, out);
}

static bool write_front(void)
{
	return write_feed(write_stories, "<p>B</p></div></details></article>");
}

static bool write_front_data(void)
{
	return write_feed(write_data, "\"author\":[{\"@type\":\"Person\",\"name\":\"A\"}]}]}");
}

static bool write_bare_front(void)
{
	return write_feed(write_stories, "<p>B</p></div></details></article>");
}

static void a_feed_is_written_whole_or_not_at_all(void **state)
{
	(void)state;
	story = headed;
	fail_in(write_json_feed);
	fail_in(write_atom);
	fail_in(write_front);
	fail_in(write_front_data);
	story = bare;
	fail_in(write_bare_front);
}

static bool read_and_answer_centrifuge(void)
{
	const char *text = "{\"id\":1,\"connect\":{\"subs\":{\"world\":{},\"sport\":{\"recover\":"
			   "true,\"offset\":1}}}}";
	const char *at = text;
	struct centrifuge_command c;
	struct buf out = {0};
	enum centrifuge_read result = centrifuge_next(&at, text + strlen(text), &c);
	bool done = result == CENTRIFUGE_READ;

	if (!done) {
		assert_int_equal(result, CENTRIFUGE_SHORT);
	} else {
		assert_int_equal(c.sub_count, 2);
		centrifuge_say_error(&out, c.id, CENTRIFUGE_INTERNAL);
		done = !out.failed;
	}
	centrifuge_command_free(&c);
	buf_free(&out);
	return done;
}

static void a_command_is_read_and_answered_or_memory_is_short(void **state)
{
	(void)state;
	fail_in(read_and_answer_centrifuge);
}

static bool frame_by_channel(void)
{
	struct post *post = news_test_post("publish", "regular", "sport world", "old", "", "{}");
	struct channel_set channels = {0};
	struct subscription *s = NULL;
	bool done = false;

	if (post != NULL && channel_set_copy(&channels, &post->channels) == 0 &&
	    (s = subscription_of_channels(&channels)) != NULL)
		done = post_channel_frame(post, FORMAT_CENTRIFUGE, 1) != NULL &&
		       post_channel_frame(post, FORMAT_CENTRIFUGE, 2) != NULL;
	subscription_free(s);
	post_drop(post);
	return done;
}

static void a_frame_of_a_channel_is_made_or_is_not(void **state)
{
	(void)state;
	fail_in(frame_by_channel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_read_as_it_stands_or_not_at_all),
		cmocka_unit_test(keys_that_could_not_be_read_are_read_again),
		cmocka_unit_test(an_item_is_read_or_refused_whole),
		cmocka_unit_test(a_uri_is_derived_or_the_item_refused),
		cmocka_unit_test(a_kill_never_loses_its_notice_silently),
		cmocka_unit_test(a_post_is_encoded_whole_or_not_at_all),
		cmocka_unit_test(a_subscription_is_read_or_refused_whole),
		cmocka_unit_test(a_set_is_copied_or_empty),
		cmocka_unit_test(a_book_of_publishers_is_read_whole_or_not_at_all),
		cmocka_unit_test(a_brief_is_made_with_what_belongs_in_it_or_not_at_all),
		cmocka_unit_test(a_feed_is_written_whole_or_not_at_all),
		cmocka_unit_test(a_command_is_read_and_answered_or_memory_is_short),
		cmocka_unit_test(a_frame_of_a_channel_is_made_or_is_not),
	};

	return cmocka_run_group_tests_name("news_memory", tests, NULL, NULL);
}
