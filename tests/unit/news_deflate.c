/* Goal: a post is compressed once, whatever the number of readers; any reader can inflate it, whichever messages it got before; where it
 * is not worth it, the plain frame is shared. */
#include <jansson.h>
#include <zlib.h>
#include <newswire/protocol.h>
#include "base/counters.h"
#include "news/deflate.h"
#include "news_test.h"

enum { TEXT_MAX = 1 << 20 };

/* A client with a window of its own. */
struct client {
	z_stream z;
	char *text; /* the last message, NUL-terminated */
};

static void client_open(struct client *c)
{
	*c = (struct client){.text = malloc(TEXT_MAX)};
	assert_non_null(c->text);
	assert_int_equal(inflateInit2(&c->z, -15), Z_OK);
}

static void client_close(struct client *c)
{
	inflateEnd(&c->z);
	free(c->text);
}

static void inflate_some(struct client *c, const void *bytes, size_t len)
{
	c->z.next_in = (Bytef *)(uintptr_t)bytes;
	c->z.avail_in = (uInt)len;
	assert_int_equal(inflate(&c->z, Z_SYNC_FLUSH), Z_OK);
	assert_int_equal(c->z.avail_in, 0);
}

/* One compressed frame becomes text; returns how long the frame is. */
static size_t client_reads(struct client *c, const uint8_t *frame, size_t len)
{
	size_t open = frame[1] < 126 ? 2 : frame[1] == 126 ? 4 : 10;
	size_t payload = frame[1] < 126 ? frame[1] : (size_t)frame[2] << 8 | frame[3];

	assert_int_equal(frame[0], 0xc1);
	assert_true(open < 10 && open + payload <= len);
	c->z.next_out = (Bytef *)c->text;
	c->z.avail_out = TEXT_MAX - 1;
	inflate_some(c, frame + open, payload);
	inflate_some(c, "\x00\x00\xff\xff", 4);
	c->text[TEXT_MAX - 1 - c->z.avail_out] = '\0';
	return open + payload;
}

/* The text of a post's plain frame. */
static void plain_text(struct post *post, char *out, size_t size)
{
	const struct frame *f = post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL);
	size_t open;

	assert_non_null(f);
	open = f->data[1] < 126 ? 2 : 4;
	assert_true(f->len - open < size);
	memcpy(out, f->data + open, f->len - open);
	out[f->len - open] = '\0';
}

static struct post *a_post(const char *word)
{
	char body[600];

	snprintf(body, sizeof body,
		 "{\"standard\":{\"name\":\"ninjs\",\"version\":\"3.1\"},\"uri\":\"urn:x:1\","
		 "\"type\":\"text\","
		 "\"versionCreated\":\"2026-01-10T08:12:04Z\",\"pubStatus\":\"usable\","
		 "\"language\":\"en\","
		 "\"headlines\":[{\"role\":\"main\",\"value\":\"%s\"}],\"descriptions\":[{\"role\":"
		 "\"summary\","
		 "\"contentType\":\"text/plain\",\"value\":\"%s, again: %s\"}]}",
		 word, word, word);
	return news_test_post("publish", "regular", "class:regular feed:all world", "", "", body);
}

static void each_stands_alone_where_no_window_is_kept(void **state)
{
	struct post *post = a_post("Harbour council approves night ferry");
	const struct frame *f = post_frame(post, FORMAT_WEBSOCKET_ALONE, MATCH_FULL);
	char expected[2048];
	struct client c;

	(void)state;
	client_open(&c);
	assert_int_equal(client_reads(&c, f->data, f->len), f->len);
	plain_text(post, expected, sizeof expected);
	assert_string_equal(c.text, expected);
	client_close(&c);
	post_drop(post);
}

/* `text` without its member `like`. */
static void assert_same_but_for_like(const char *text, const char *expected)
{
	json_t *message = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	json_t *plain = json_loads(expected, JSON_REJECT_DUPLICATES, NULL);

	assert_true(json_is_object(json_object_get(message, "like")));
	json_object_del(message, "like");
	assert_true(json_equal(message, plain));
	json_decref(message);
	json_decref(plain);
}

/* As a reader's connection begins: hello, plain, and what the others refer to. */
static void greet(struct client *c)
{
	struct buf out = {0};
	const char hello[] = "{\"type\":\"hello\"}";
	size_t plain = 2 + strlen(hello);

	format_wrap(FORMAT_WEBSOCKET_LIKE, &(struct face){.type = NEWSWIRE_TYPE_HELLO}, hello,
		    strlen(hello), &out);
	assert_int_equal((uint8_t)out.data[0], 0x81);
	assert_int_equal(client_reads(c, (uint8_t *)out.data + plain, out.len - plain),
			 out.len - plain);
	assert_same_but_for_like(c->text, "{\"type\":\"like\"}");
	buf_free(&out);
}

static void a_frame_is_the_same_for_all_whatever_they_read_before(void **state)
{
	struct post *posts[] = {a_post("One"), a_post("Two words"), a_post("Three words now")};
	struct client all, late;
	char expected[2048];

	(void)state;
	client_open(&all);
	client_open(&late);
	greet(&all);
	for (size_t i = 0; i < COUNT_OF(posts); i++) {
		const struct frame *f = post_frame(posts[i], FORMAT_WEBSOCKET_LIKE, MATCH_FULL);

		if (i == COUNT_OF(posts) - 1)
			greet(&late);
		plain_text(posts[i], expected, sizeof expected);
		client_reads(&all, f->data, f->len);
		assert_same_but_for_like(all.text, expected);
	}
	client_reads(&late, post_frame(posts[2], FORMAT_WEBSOCKET_LIKE, MATCH_FULL)->data,
		     post_frame(posts[2], FORMAT_WEBSOCKET_LIKE, MATCH_FULL)->len);
	assert_same_but_for_like(late.text, expected);
	for (size_t i = 0; i < COUNT_OF(posts); i++)
		post_drop(posts[i]);
	client_close(&all);
	client_close(&late);
}

/* The window of deflate is 32 KB; the words come anew at the end of each message. */
static void a_message_longer_than_the_window_hurts_no_later_one(void **state)
{
	char *body = malloc(60000), *message = malloc(61000);
	struct post *longer, *post = a_post("After it");
	const struct frame *f;
	char expected[2048];
	struct client c;
	int len;

	(void)state;
	assert_true(body != NULL && message != NULL);
	srand(3);
	strcpy(body, "{\"x\":\"");
	for (int i = 6; i < 59990; i++)
		body[i] = (char)('a' + rand() % 16);
	strcpy(body + 59990, "\"}");
	len = snprintf(message, 61000,
		       "1 e1 1700000000000-1 "
		       "0-0\n{\"action\":\"publish\",\"uri\":\"urn:x:2\",\"version\":\"1\","
		       "\"class\":\"regular\",\"channels\":\"world\"}\n%s",
		       body);
	longer = post_read(message, (size_t)len);
	assert_non_null(longer);
	client_open(&c);
	greet(&c);
	f = post_frame(longer, FORMAT_WEBSOCKET_LIKE, MATCH_FULL);
	client_reads(&c, f->data, f->len);
	assert_non_null(strstr(c.text, body + 1));
	f = post_frame(post, FORMAT_WEBSOCKET_LIKE, MATCH_FULL);
	client_reads(&c, f->data, f->len);
	plain_text(post, expected, sizeof expected);
	assert_same_but_for_like(c.text, expected);
	client_close(&c);
	post_drop(longer);
	post_drop(post);
	free(message);
	free(body);
}

static void a_post_is_compressed_once_and_its_bytes_are_counted(void **state)
{
	struct post *post = a_post("Counted");
	uint64_t made = COUNTER_GET(DEFLATED);
	size_t bytes = post->bytes;
	const struct frame *f = post_frame(post, FORMAT_WEBSOCKET_LIKE, MATCH_FULL);

	(void)state;
	assert_int_equal(post->bytes, bytes + f->len);
	assert_ptr_equal(post_frame(post, FORMAT_WEBSOCKET_LIKE, MATCH_FULL), f);
	assert_int_equal(COUNTER_GET(DEFLATED), made + 1);
	assert_int_equal(f->spared, post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL)->len - f->len);
	post_drop(post);
}

static void what_would_hardly_be_shorter_shares_the_plain_frame(void **state)
{
	struct post *post = news_test_post("kill", "regular", "world", "", "", "");
	uint64_t made = COUNTER_GET(DEFLATED);
	size_t bytes;
	const struct frame *f = post_frame(post, FORMAT_WEBSOCKET_ALONE, MATCH_FULL);

	(void)state;
	assert_int_equal(f->data[0], 0x81);
	assert_ptr_equal(f, post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL));
	bytes = post->bytes;
	assert_ptr_equal(f, post_frame(post, FORMAT_WEBSOCKET_ALONE, MATCH_FULL));
	assert_int_equal(post->bytes, bytes);
	assert_int_equal(COUNTER_GET(DEFLATED), made);
	post_drop(post);
}

static void a_blanked_post_has_no_compressed_text_either(void **state)
{
	struct post *post = a_post("Withdrawn");
	size_t bytes = post->bytes, freed;

	(void)state;
	assert_non_null(post_frame(post, FORMAT_WEBSOCKET_LIKE, MATCH_FULL));
	assert_non_null(post_frame(post, FORMAT_WEBSOCKET_ALONE, MATCH_FULL));
	freed = post_blank(post);
	assert_true(freed > 0 && post->bytes < bytes);
	assert_null(post_frame(post, FORMAT_WEBSOCKET_LIKE, MATCH_FULL));
	assert_null(post_frame(post, FORMAT_WEBSOCKET_ALONE, MATCH_FULL));
	post_drop(post);
}

static void only_hello_brings_the_words(void **state)
{
	struct buf out = {0};

	(void)state;
	format_wrap(FORMAT_WEBSOCKET_LIKE, &(struct face){.type = NEWSWIRE_TYPE_TICK}, "{}", 2,
		    &out);
	assert_int_equal(out.len, 4);
	format_wrap(FORMAT_WEBSOCKET_ALONE, &(struct face){.type = NEWSWIRE_TYPE_HELLO}, "{}", 2,
		    &out);
	assert_int_equal(out.len, 8);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_stands_alone_where_no_window_is_kept),
		cmocka_unit_test(a_frame_is_the_same_for_all_whatever_they_read_before),
		cmocka_unit_test(a_message_longer_than_the_window_hurts_no_later_one),
		cmocka_unit_test(a_post_is_compressed_once_and_its_bytes_are_counted),
		cmocka_unit_test(what_would_hardly_be_shorter_shares_the_plain_frame),
		cmocka_unit_test(a_blanked_post_has_no_compressed_text_either),
		cmocka_unit_test(only_hello_brings_the_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
