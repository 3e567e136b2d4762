/* Goal: a piece of a gzip stream is made once, and fits every stream at every place: behind any other piece, or none. */
#include <zlib.h>
#include <newswire/protocol.h>
#include "base/counters.h"
#include "news/gzip.h"
#include "news_test.h"

enum { TEXT_MAX = 1 << 18 };

/* A client that has inflated everything so far. */
struct client {
	z_stream z;
	char *text; /* all of it, NUL-terminated */
};

static void client_opens(struct client *c)
{
	struct buf head = {0};

	*c = (struct client){.text = calloc(1, TEXT_MAX)};
	assert_non_null(c->text);
	assert_int_equal(inflateInit2(&c->z, 15 + 16), Z_OK); /* gzip, nothing else */
	c->z.next_out = (Bytef *)c->text;
	c->z.avail_out = TEXT_MAX - 1;
	format_begin(FORMAT_EVENT_GZIP, &head);
	assert_int_equal(head.len, 10);
	c->z.next_in = (Bytef *)head.data;
	c->z.avail_in = (uInt)head.len;
	assert_int_equal(inflate(&c->z, Z_SYNC_FLUSH), Z_OK);
	buf_free(&head);
}

/* It has the whole text of a piece as soon as it has the last byte, and could go on with any other. */
static void client_reads(struct client *c, const void *piece, size_t len)
{
	c->z.next_in = (Bytef *)(uintptr_t)piece;
	c->z.avail_in = (uInt)len;
	assert_int_equal(inflate(&c->z, Z_SYNC_FLUSH), Z_OK);
	assert_int_equal(c->z.avail_in, 0);
	assert_int_equal(c->z.data_type & (64 | 128 | 7),
			 128); /* at the end of a block, not the last, no bit left over */
}

static void client_closes(struct client *c)
{
	inflateEnd(&c->z);
	free(c->text);
}

static const char *plain_text(struct post *post, struct buf *b)
{
	const struct frame *f = post_frame(post, FORMAT_EVENT, MATCH_FULL);

	buf_clear(b);
	buf_add(b, f->data, f->len);
	return news_test_text(b);
}

static struct post *a_post(const char *word)
{
	char body[600];

	snprintf(body, sizeof body,
		 "{\"uri\":\"urn:x:1\",\"headlines\":[{\"value\":\"%s\"}],\"descriptions\":[{"
		 "\"value\":"
		 "\"%s, again: %s\"},{\"value\":\"%s, and again: %s\"}]}",
		 word, word, word, word, word);
	return news_test_post("publish", "regular", "class:regular feed:all world", "", "", body);
}

static void a_piece_is_read_alone_and_behind_any_other(void **state)
{
	struct post *posts[] = {a_post("Harbour council approves night ferry"), a_post("Two"),
				a_post("Harbour council approves night ferry, too")};
	struct buf expected = {0};

	(void)state;
	for (size_t first = 0; first < COUNT_OF(posts); first++)
		for (size_t then = 0; then < COUNT_OF(posts); then++) {
			const struct frame *a =
				post_frame(posts[first], FORMAT_EVENT_GZIP, MATCH_FULL);
			const struct frame *b =
				post_frame(posts[then], FORMAT_EVENT_GZIP, MATCH_FULL);
			struct client c;
			size_t len;

			client_opens(&c);
			client_reads(&c, a->data, a->len);
			assert_string_equal(c.text, plain_text(posts[first], &expected));
			len = strlen(c.text);
			client_reads(&c, b->data, b->len);
			assert_string_equal(c.text + len, plain_text(posts[then], &expected));
			client_closes(&c);
		}
	for (size_t i = 0; i < COUNT_OF(posts); i++)
		post_drop(posts[i]);
	buf_free(&expected);
}

static void a_post_is_compressed_once_and_its_bytes_are_counted(void **state)
{
	struct post *post = a_post("Counted");
	uint64_t made = COUNTER_GET(DEFLATED);
	size_t bytes = post->bytes;
	const struct frame *f = post_frame(post, FORMAT_EVENT_GZIP, MATCH_FULL);

	(void)state;
	assert_int_equal(post->bytes, bytes + f->len);
	assert_ptr_equal(post_frame(post, FORMAT_EVENT_GZIP, MATCH_FULL), f);
	assert_int_equal(COUNTER_GET(DEFLATED), made + 1);
	assert_int_equal(f->spared, post_frame(post, FORMAT_EVENT, MATCH_FULL)->len - f->len);
	assert_memory_equal(f->data + f->len - 4, "\x00\x00\xff\xff", 4);
	post_drop(post);
}

static void what_would_hardly_be_shorter_is_stored_within_the_stream(void **state)
{
	const struct format_message message = {.face = {.type = NEWSWIRE_TYPE_POST},
					       .json = {{"{}", 2}}};
	uint64_t made = COUNTER_GET(DEFLATED);
	struct frame frame;
	struct client c;

	(void)state;
	assert_int_equal(format_frame(FORMAT_EVENT_GZIP, &message, &frame), 0);
	assert_int_equal(frame.len, 5 + strlen("event: post\ndata: {}\n\n"));
	assert_int_equal(frame.spared, 0);
	assert_false(frame.as_plain);
	assert_int_equal(COUNTER_GET(DEFLATED), made);
	client_opens(&c);
	client_reads(&c, frame.data, frame.len);
	assert_string_equal(c.text, "event: post\ndata: {}\n\n");
	client_closes(&c);
	free(frame.data);
}

static void what_is_said_to_one_reader_is_a_piece_too(void **state)
{
	const struct cursor at = {.epoch = "e1", .id = {1700000000000, 7}};
	struct post *post = a_post("Between");
	const struct frame *f = post_frame(post, FORMAT_EVENT_GZIP, MATCH_FULL);
	struct buf said = {0}, expected = {0};
	struct client c;
	size_t hello;

	(void)state;
	format_wrap(FORMAT_EVENT_GZIP, &(struct face){.type = NEWSWIRE_TYPE_HELLO, .at = &at},
		    "{\"type\":\"hello\"}", 16, &said);
	hello = said.len;
	format_wrap(FORMAT_EVENT_GZIP, &(struct face){.type = NEWSWIRE_TYPE_TICK, .at = &at}, "{}",
		    2, &said);
	client_opens(&c);
	client_reads(&c, said.data, hello);
	client_reads(&c, f->data, f->len);
	client_reads(&c, said.data + hello, said.len - hello);
	buf_adds(&expected, "id: e1:1700000000000-7\nevent: hello\ndata: {\"type\":\"hello\"}\n\n");
	buf_add(&expected, post_frame(post, FORMAT_EVENT, MATCH_FULL)->data,
		post_frame(post, FORMAT_EVENT, MATCH_FULL)->len);
	buf_adds(&expected, "id: e1:1700000000000-7\n\n");
	assert_string_equal(c.text, news_test_text(&expected));
	client_closes(&c);
	buf_free(&said);
	buf_free(&expected);
	post_drop(post);
}

/* A stored block holds 65,535 bytes. */
static void a_stored_piece_may_be_of_any_length(void **state)
{
	static const size_t lengths[] = {1, 65534, 65535, 65536, 131070, 131071, 200000};
	uint8_t *out = malloc(TEXT_MAX);

	(void)state;
	assert_non_null(out);
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		size_t len = gzip_stored_len(lengths[i]);
		uint8_t *text = out + len - lengths[i];
		struct client c;

		for (size_t k = 0; k < lengths[i]; k++)
			text[k] = (uint8_t)('a' + k * 7 % 26 + k / 65535);
		gzip_store(text, lengths[i], out); /* the text lies at the end of the room */
		client_opens(&c);
		client_reads(&c, out, len);
		assert_int_equal(strlen(c.text), lengths[i]);
		for (size_t k = 0; k < lengths[i]; k++)
			assert_int_equal((uint8_t)c.text[k],
					 (uint8_t)('a' + k * 7 % 26 + k / 65535));
		client_closes(&c);
	}
	free(out);
}

static void a_long_post_that_does_not_shrink_is_stored_in_blocks(void **state)
{
	char *message = malloc(TEXT_MAX);
	struct buf expected = {0};
	const struct frame *f;
	struct client c;
	struct post *post;
	int len;

	(void)state;
	assert_non_null(message);
	len = snprintf(
		message, TEXT_MAX,
		"1 e1 1700000000000-1 0-0\n{\"action\":\"publish\",\"uri\":\"urn:x:2\",\"version\":"
		"\"1\",\"class\":\"regular\",\"channels\":\"world\"}\n{\"x\":\"");
	srand(5);
	for (int end = len + 150000; len < end; len++)
		message[len] = (char)(rand() % 255 + 1);
	for (int i = 0; i < len; i++) /* no line ends: they would become spaces */
		if (i > 150 && (message[i] == '\n' || message[i] == '\r'))
			message[i] = 'n';
	len += snprintf(message + len, 3, "\"}");
	post = post_read(message, (size_t)len);
	assert_non_null(post);
	f = post_frame(post, FORMAT_EVENT_GZIP, MATCH_FULL);
	assert_int_equal(f->len, post_frame(post, FORMAT_EVENT, MATCH_FULL)->len + 3 * 5);
	client_opens(&c);
	client_reads(&c, f->data, f->len);
	assert_string_equal(c.text, plain_text(post, &expected));
	client_closes(&c);
	buf_free(&expected);
	post_drop(post);
	free(message);
}

static void a_blanked_post_has_no_piece_either(void **state)
{
	struct post *post = a_post("Withdrawn");
	size_t bytes = post->bytes;

	(void)state;
	assert_non_null(post_frame(post, FORMAT_EVENT_GZIP, MATCH_FULL));
	assert_non_null(post_frame(post, FORMAT_EVENT_GZIP_BRIEF, MATCH_FULL));
	assert_true(post_blank(post) > 0 && post->bytes < bytes);
	assert_null(post_frame(post, FORMAT_EVENT_GZIP, MATCH_FULL));
	assert_null(post_frame(post, FORMAT_EVENT_GZIP_BRIEF, MATCH_FULL));
	post_drop(post);
}

static void both_views_are_there_and_other_streams_begin_with_nothing(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(format_viewed(FORMAT_EVENT_GZIP, VIEW_BRIEF), FORMAT_EVENT_GZIP_BRIEF);
	assert_int_equal(format_plain(FORMAT_EVENT_GZIP_BRIEF), FORMAT_EVENT_BRIEF);
	format_begin(FORMAT_EVENT, &b);
	format_begin(FORMAT_WEBSOCKET_LIKE, &b);
	assert_int_equal(b.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_piece_is_read_alone_and_behind_any_other),
		cmocka_unit_test(a_post_is_compressed_once_and_its_bytes_are_counted),
		cmocka_unit_test(what_would_hardly_be_shorter_is_stored_within_the_stream),
		cmocka_unit_test(what_is_said_to_one_reader_is_a_piece_too),
		cmocka_unit_test(a_stored_piece_may_be_of_any_length),
		cmocka_unit_test(a_long_post_that_does_not_shrink_is_stored_in_blocks),
		cmocka_unit_test(a_blanked_post_has_no_piece_either),
		cmocka_unit_test(both_views_are_there_and_other_streams_begin_with_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
