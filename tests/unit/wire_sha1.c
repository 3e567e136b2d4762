/* Goal: scripts are called by the name that Redis gives them. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include "wire/sha1.h"

static void assert_sha1(const char *text, size_t len, const char *expected)
{
	char hex[41];

	sha1_hex(text, len, hex);
	assert_string_equal(hex, expected);
}

static void the_vectors_of_fips_180_come_out(void **state)
{
	const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

	(void)state;
	assert_sha1("", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	assert_sha1("abc", 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_sha1(two_blocks, strlen(two_blocks), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

static void a_million_letters_come_out(void **state)
{
	char *text = malloc(1000000);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', 1000000);
	assert_sha1(text, 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_fips_180_come_out),
		cmocka_unit_test(a_million_letters_come_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
