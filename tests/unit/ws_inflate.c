/* Goal: what a client compressed comes out whole; what is not deflate, not whole, or would not end is told from it, at a bounded
 * price. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "ws/inflate.h"

enum { MAX = 16384 };

static struct buf out;

static int free_out(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

/* As a client sends it: without the four bytes at its end. */
static size_t compress_message(const void *text, size_t len, uint8_t *to, size_t room)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)text,
		      .avail_in = (uInt)len,
		      .next_out = to,
		      .avail_out = (uInt)room};

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);
	deflateEnd(&z);
	return room - z.avail_out - 4;
}

static enum inflate_result inflate_of(const void *bytes, size_t len)
{
	return inflate_message(bytes, len, MAX, &out);
}

static void assert_out(const char *text)
{
	assert_int_equal(out.len, strlen(text));
	assert_memory_equal(out.data, text, out.len);
}

/* RFC 7692, 7.2.3. */
static void the_examples_of_the_standard_are_hello(void **state)
{
	static const uint8_t shared[] = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00};
	static const uint8_t stored[] = {0x00, 0x05, 0x00, 0xfa, 0xff, 0x48,
					 0x65, 0x6c, 0x6c, 0x6f, 0x00};
	static const uint8_t last_block[] = {0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00};
	static const uint8_t two_blocks[] = {0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff,
					     0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00};

	(void)state;
	assert_int_equal(inflate_of(shared, sizeof shared), INFLATE_DONE);
	assert_out("Hello");
	assert_int_equal(inflate_of(stored, sizeof stored), INFLATE_DONE);
	assert_out("Hello");
	assert_int_equal(inflate_of(last_block, sizeof last_block), INFLATE_DONE);
	assert_out("Hello");
	assert_int_equal(inflate_of(two_blocks, sizeof two_blocks), INFLATE_DONE);
	assert_out("Hello");
}

/* RFC 7692, 7.2.3.6. */
static void an_empty_message_is_one_byte_and_no_bytes_are_none(void **state)
{
	(void)state;
	assert_int_equal(inflate_of("\0", 1), INFLATE_DONE);
	assert_out("");
	assert_int_equal(inflate_of("", 0), INFLATE_BROKEN);
}

static void the_longest_message_fits_and_one_byte_more_does_not(void **state)
{
	static char text[MAX + 1];
	static uint8_t bytes[2 * MAX];

	(void)state;
	srand(7);
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)rand();
	assert_int_equal(inflate_of(bytes, compress_message(text, MAX, bytes, sizeof bytes)),
			 INFLATE_DONE);
	assert_int_equal(out.len, MAX);
	assert_memory_equal(out.data, text, MAX);
	assert_int_equal(inflate_of(bytes, compress_message(text, MAX + 1, bytes, sizeof bytes)),
			 INFLATE_TOO_BIG);
}

static void a_bomb_ends_at_the_limit(void **state)
{
	size_t len = 16 << 20;
	char *zeros = calloc(1, len);
	uint8_t *bytes = malloc(len);
	size_t packed;

	(void)state;
	assert_true(zeros != NULL && bytes != NULL);
	packed = compress_message(zeros, len, bytes, len);
	assert_in_range(packed, 1, MAX + 32);
	assert_int_equal(inflate_of(bytes, packed), INFLATE_TOO_BIG);
	assert_in_range(out.cap, MAX, 2 * MAX);
	free(zeros);
	free(bytes);
}

static void what_is_not_deflate_is_broken_and_the_next_message_is_fine(void **state)
{
	static const uint8_t bad_type[] = {0x07};
	static const uint8_t bad_distance[] = {0x02, 0x40, 0x00};
	static const uint8_t bad_length[] = {0x00, 0x05, 0x00, 0x05, 0x00};
	uint8_t bytes[64];

	(void)state;
	assert_int_equal(inflate_of(bad_type, sizeof bad_type), INFLATE_BROKEN);
	assert_int_equal(inflate_of(bad_distance, sizeof bad_distance), INFLATE_BROKEN);
	assert_int_equal(inflate_of(bad_length, sizeof bad_length), INFLATE_BROKEN);
	assert_int_equal(inflate_of("{\"type\":\"ping\"}", 15), INFLATE_BROKEN);
	assert_int_equal(inflate_of(bytes, compress_message("fine", 4, bytes, sizeof bytes)),
			 INFLATE_DONE);
	assert_out("fine");
}

static void a_message_that_was_cut_is_broken_wherever_it_was_cut(void **state)
{
	static const char text[] = "{\"type\":\"subscribe\",\"channels\":[\"world\",\"sport\"]}";
	uint8_t bytes[256];
	size_t len = compress_message(text, sizeof text - 1, bytes, sizeof bytes);

	(void)state;
	for (size_t cut = 1; cut < len - 1; cut++)
		if (inflate_of(bytes, cut) == INFLATE_DONE)
			fail_msg("cut at %zu of %zu", cut, len);
}

/* client_no_context_takeover was asked for: what came before is forgotten. */
static void a_message_cannot_refer_to_the_one_before(void **state)
{
	static const char text[] = "the same words again and again";
	z_stream z = {0};
	uint8_t bytes[128];

	(void)state;
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	for (int i = 0; i < 2; i++) {
		z.next_in = (Bytef *)(uintptr_t)text;
		z.avail_in = sizeof text - 1;
		z.next_out = bytes;
		z.avail_out = sizeof bytes;
		assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);
		assert_int_equal(inflate_of(bytes, sizeof bytes - z.avail_out - 4),
				 i == 0 ? INFLATE_DONE : INFLATE_BROKEN);
	}
	deflateEnd(&z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_standard_are_hello),
		cmocka_unit_test(an_empty_message_is_one_byte_and_no_bytes_are_none),
		cmocka_unit_test(the_longest_message_fits_and_one_byte_more_does_not),
		cmocka_unit_test(a_bomb_ends_at_the_limit),
		cmocka_unit_test(what_is_not_deflate_is_broken_and_the_next_message_is_fine),
		cmocka_unit_test(a_message_that_was_cut_is_broken_wherever_it_was_cut),
		cmocka_unit_test(a_message_cannot_refer_to_the_one_before),
	};

	return cmocka_run_group_tests(tests, NULL, free_out);
}
