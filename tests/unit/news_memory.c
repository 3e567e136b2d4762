/* Whenever memory is short, the news floor says so, leaks nothing and breaks nothing: each allocation fails in its turn. */
#include "failing_malloc.h"
#include "news_test.h"
#include "news/atom.h"
#include "news/centrifuge.h"
#include "news/front.h"
#include "news/item.h"
#include "news/json_feed.h"
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

static bool read_superdesk(void)
{
	struct item_report report;
	struct item *item = item_read(superdesk, strlen(superdesk), 65536, NULL, &report);

	if (item == NULL)
		assert_true(
			report.refusal == ITEM_BAD_VALUE ||
			report.refusal ==
				ITEM_NOT_JSON); /* what jansson calls it in the middle of a token */
	item_free(item);
	return item != NULL;
}

static void an_item_is_read_or_refused_whole(void **state)
{
	(void)state;
	fail_in(read_superdesk);
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

/* A story that fits no memory may be missing; half of one is never there. */
static bool write_feed(void (*write)(const struct feed *feed, const struct feed_about *about,
				     struct buf *out, char *etag),
		       const char *whole)
{
	static const char body[] =
		"{\"headlines\":[{\"value\":\"H\"}],\"bodies\":[{\"contentType\":\"text/html\","
		"\"value\":\"<p>B</"
		"p>\"}],\"descriptions\":[{\"role\":\"summary\",\"value\":\"S\"}],"
		"\"by\":\"A\",\"copyrightNotice\":\"C\"}";
	struct feed_entry entry = {.post = {.uri = (char *)"no iri",
					    .version = (char *)"1",
					    .body = (char *)body,
					    .body_len = strlen(body)}};
	const struct feed feed = {.cursor = {.epoch = "e1"}, .count = 1, .entries = &entry};
	const struct feed_about about = {.title = "T", .site = "http://a/", .id = "http://a/"};
	char etag[FEED_ETAG_SIZE];
	struct buf out = {0};
	bool done;

	write(&feed, &about, &out, etag);
	buf_addc(&out, '\n');
	done = !out.failed && memmem(out.data, out.len, whole, strlen(whole)) != NULL;
	if (!out.failed && !done)
		assert_null(memmem(out.data, out.len, "no iri", 6));
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

static void a_feed_is_written_whole_or_not_at_all(void **state)
{
	(void)state;
	fail_in(write_json_feed);
	fail_in(write_atom);
	fail_in(write_front);
	fail_in(write_front_data);
}

static bool read_and_answer_centrifuge(void)
{
	const char *text = "{\"id\":1,\"connect\":{\"subs\":{\"world\":{},\"sport\":{\"recover\":"
			   "true,\"offset\":1}}}}";
	const char *at = text;
	struct centrifuge_command c;
	struct buf out = {0};
	bool done = centrifuge_next(&at, text + strlen(text), &c) == CENTRIFUGE_READ;

	if (done) {
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
		cmocka_unit_test(an_item_is_read_or_refused_whole),
		cmocka_unit_test(a_uri_is_derived_or_the_item_refused),
		cmocka_unit_test(a_kill_never_loses_its_notice_silently),
		cmocka_unit_test(a_post_is_encoded_whole_or_not_at_all),
		cmocka_unit_test(a_subscription_is_read_or_refused_whole),
		cmocka_unit_test(a_set_is_copied_or_empty),
		cmocka_unit_test(a_book_of_publishers_is_read_whole_or_not_at_all),
		cmocka_unit_test(a_feed_is_written_whole_or_not_at_all),
		cmocka_unit_test(a_command_is_read_and_answered_or_memory_is_short),
		cmocka_unit_test(a_frame_of_a_channel_is_made_or_is_not),
	};

	return cmocka_run_group_tests_name("news_memory", tests, NULL, NULL);
}
