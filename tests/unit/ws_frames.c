/* Goal: whatever way a client's bytes are cut, the same frames are read, and what RFC 6455 forbids is seen at the first byte that shows it. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ws/frames.h"

enum {
	TEXT = 0x81,
	TEXT_BEGINS = 0x01,
	MORE = 0x00,
	LAST = 0x80,
	PING = 0x89,
	CLOSING = 0x88,
	SQUEEZED = 0xc1
};
enum { STREAM_MAX = 70000, MAX = 66000 };

/* What a client sends. */
struct stream {
	char bytes[STREAM_MAX];
	size_t len;
};

static void send_frame(struct stream *s, int first, const void *payload, size_t len)
{
	static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
	char *out = s->bytes + s->len;

	*out++ = (char)first;
	if (len < 126) {
		*out++ = (char)(0x80 | len);
	} else if (len < 65536) {
		*out++ = (char)(0x80 | 126);
		*out++ = (char)(len >> 8);
		*out++ = (char)len;
	} else {
		*out++ = (char)(0x80 | 127);
		for (int shift = 56; shift >= 0; shift -= 8)
			*out++ = (char)((uint64_t)len >> shift);
	}
	memcpy(out, mask, 4);
	out += 4;
	for (size_t i = 0; i < len; i++)
		*out++ = (char)(((const char *)payload)[i] ^ (char)mask[i % 4]);
	s->len = (size_t)(out - s->bytes);
	assert_true(s->len <= STREAM_MAX);
}

static void send_text(struct stream *s, int first, const char *text)
{
	send_frame(s, first, text, strlen(text));
}

/* What was read, as text: messages in quotes, control frames by name, the reason of an end. */
static char *told(const struct stream *s, size_t piece_len, bool deflates)
{
	const struct frames_rules rules = {.max = MAX, .deflates = deflates};
	struct frames f = {0};
	char *copy = malloc(s->len + 1), *out = calloc(1, 4 * STREAM_MAX), *at = out;
	bool goes_on = true, begun = false;

	assert_non_null(copy);
	assert_non_null(out);
	memcpy(copy, s->bytes, s->len);
	for (size_t from = 0; goes_on && from < s->len; from += piece_len) {
		struct frames_input in = {copy + from,
					  s->len - from < piece_len ? s->len - from : piece_len};
		struct frames_piece piece;

		for (bool more = true; more && goes_on;) {
			switch (frames_read(&f, &in, &rules, &piece)) {
			case FRAMES_MORE:
				assert_int_equal(in.len, 0);
				more = false;
				break;
			case FRAMES_PIECE:
				if (!begun)
					at += sprintf(at, f.compressed ? "*\"" : "\"");
				at = (char *)memcpy(at, piece.bytes, piece.len) + piece.len;
				begun = !piece.last;
				if (piece.last)
					at += sprintf(at, "\" ");
				break;
			case FRAMES_PING:
				at += sprintf(at, "<ping %.*s>", f.control_len,
					      (const char *)f.control);
				break;
			case FRAMES_PONG:
				at += sprintf(at, "<pong>");
				break;
			case FRAMES_CLOSE:
				at += sprintf(at, "<close %d>",
					      f.control_len < 2 ? 0
								: f.control[0] << 8 | f.control[1]);
				goes_on = false;
				break;
			case FRAMES_WRONG:
				at += sprintf(at, "!%d", close_code(f.why));
				goes_on = false;
				break;
			}
		}
	}
	if (goes_on)
		assert_int_equal(frames_is_between(&f), !begun && f.head_len == 0);
	free(copy);
	return out;
}

/* In pieces of any length, it is the same. */
static void says(const struct stream *s, bool deflates, const char *expected)
{
	static const size_t cuts[] = {1, 2, 3, 5, 7, 16, 127, 4096, STREAM_MAX};

	for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
		char *text = told(s, cuts[i], deflates);

		assert_string_equal(text, expected);
		free(text);
	}
}

static void messages_are_read_however_they_are_cut(void **state)
{
	struct stream s = {.len = 0};

	(void)state;
	send_text(&s, TEXT, "hello");
	send_text(&s, TEXT, "");
	send_text(&s, TEXT_BEGINS, "one ");
	send_text(&s, PING, "between");
	send_text(&s, MORE, "");
	send_text(&s, MORE, "two ");
	send_text(&s, LAST, "three");
	send_text(&s, PING, "");
	send_text(&s, TEXT, "last");
	says(&s, false, "\"hello\" \"\" \"one <ping between>two three\" <ping >\"last\" ");
}

static void each_way_to_write_a_length_is_read(void **state)
{
	static const size_t lengths[] = {125, 126, 127, 255, 256, 65535, 65536};

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		struct stream *s = calloc(1, sizeof *s);
		char *text = malloc(lengths[i] + 1), *expected = malloc(lengths[i] + 4);

		for (size_t k = 0; k < lengths[i]; k++)
			text[k] = (char)('a' + k % 26);
		text[lengths[i]] = '\0';
		sprintf(expected, "\"%s\" ", text);
		send_text(s, TEXT, text);
		says(s, false, expected);
		free(s);
		free(text);
		free(expected);
	}
}

static void what_is_compressed_is_said_where_it_was_agreed_on(void **state)
{
	struct stream s = {.len = 0};

	(void)state;
	send_text(&s, SQUEEZED, "x");
	send_text(&s, TEXT, "y");
	says(&s, true, "*\"x\" \"y\" ");
	says(&s, false, "!1002");
}

static void closes(const void *payload, size_t len, const char *expected)
{
	struct stream s = {.len = 0};

	send_frame(&s, CLOSING, payload, len);
	send_text(&s, TEXT, "after it");
	says(&s, false, expected);
}

static void a_close_frame_has_a_code_that_may_be_sent_or_none(void **state)
{
	(void)state;
	closes("", 0, "<close 0>");
	closes("\x03\xe8", 2, "<close 1000>");
	closes("\x03\xe8 bye", 6, "<close 1000>");
	closes("\x0b\xb8", 2, "<close 3000>");
	closes("\x03", 1, "!1002");
	closes("\x03\xe7", 2, "!1002"); /* 999 */
	closes("\x03\xed", 2, "!1002"); /* 1005 */
	closes("\x03\xf7", 2, "!1002"); /* 1015 */
	closes("\x0b\xb7", 2, "!1002"); /* 2999 */
	closes("\x13\x88", 2, "!1002"); /* 5000 */
	closes("\x03\xe8\xff", 3, "!1007");
	closes("\x03\xe8\xed\xa0\x80", 5, "!1007");
}

static void what_is_forbidden_is_seen_in_the_first_two_bytes(void **state)
{
	static const struct {
		const char *bytes;
		const char *expected;
	} rows[] = {
		{"\x81\x05", "!1002"},			      /* no mask */
		{"\x89\x01", "!1002"}, {"\xc1\x85", "!1002"}, /* reserved bits */
		{"\xa1\x85", "!1002"}, {"\x91\x85", "!1002"}, {"\xc9\x81", "!1002"},
		{"\x83\x81", "!1002"},			      /* reserved opcodes */
		{"\x8b\x81", "!1002"}, {"\x09\x81", "!1002"}, /* control frames: in pieces, or long */
		{"\x08\x82", "!1002"}, {"\x89\xfe", "!1002"}, {"\x88\xff", "!1002"},
		{"\x80\x81", "!1002"}, /* a continuation of nothing */
		{"\x82\x81", "!1003"}, /* binary */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stream s = {.len = 2};

		memcpy(s.bytes, rows[i].bytes, 2);
		says(&s, false, rows[i].expected);
	}
}

static void a_message_is_too_long_as_soon_as_its_head_says_so(void **state)
{
	struct stream s = {.bytes = "\x81\xff\0\0\0\0\0\1\x01\xd1mask", .len = 14}; /* 66001 */
	struct stream endless = {.bytes = "\x81\xff\x80\0\0\0\0\0\0\0mask", .len = 14};

	(void)state;
	says(&s, false, "!1009");
	says(&endless, false, "!1002"); /* 2^63 */
	s.len = 0;
	for (int i = 0; i < 11; i++) {
		char text[6001];

		memset(text, 'x', 6000);
		text[6000] = '\0';
		send_text(&s, i == 0 ? TEXT_BEGINS : MORE, text);
	}
	memcpy(s.bytes + s.len, "\x80\x81", 2); /* one byte more than the eleven have left */
	s.len += 2;
	memcpy(s.bytes + s.len, "mask", 4);
	s.len += 4;
	char *text = told(&s, 4096, false);

	assert_non_null(strstr(text, "!1009"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_read_however_they_are_cut),
		cmocka_unit_test(each_way_to_write_a_length_is_read),
		cmocka_unit_test(what_is_compressed_is_said_where_it_was_agreed_on),
		cmocka_unit_test(a_close_frame_has_a_code_that_may_be_sent_or_none),
		cmocka_unit_test(what_is_forbidden_is_seen_in_the_first_two_bytes),
		cmocka_unit_test(a_message_is_too_long_as_soon_as_its_head_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
