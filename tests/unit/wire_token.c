/* Goal: the place where a feed goes on comes back as it was given out, and nothing else is taken for one. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include "wire/token.h"

static void a_place_comes_back_as_it_went(void **state)
{
	const char *const uris[] = {"a", "ab", "abc",
				    "http://example.org/2026/\xc3\xa9t\xc3\xa9?x=1&y=/",
				    "urn:newsml:x:20260110:1"};
	static struct token token;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(uris); i++) {
		struct buf text = {0};

		token_write("1764000000000123", uris[i], &text);
		buf_addc(&text, '\0');
		assert_int_equal(strspn(text.data + 17,
					"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					"0123456789-_"),
				 text.len - 18);
		assert_int_equal(token_read(&token, text.data), 0);
		assert_string_equal(token.score, "1764000000000123");
		assert_string_equal(token.uri, uris[i]);
		buf_free(&text);
	}
}

static void the_longest_uri_fits_and_a_longer_one_does_not(void **state)
{
	static char uri[TOKEN_URI_MAX + 2];
	static struct token token;
	struct buf text = {0};

	(void)state;
	memset(uri, 'u', TOKEN_URI_MAX);
	token_write("1", uri, &text);
	buf_addc(&text, '\0');
	assert_int_equal(token_read(&token, text.data), 0);
	assert_string_equal(token.uri, uri);
	uri[TOKEN_URI_MAX] = 'u';
	buf_clear(&text);
	token_write("1", uri, &text);
	buf_addc(&text, '\0');
	assert_int_equal(token_read(&token, text.data), -1);
	buf_free(&text);
}

static void nonsense_is_refused(void **state)
{
	const char *const wrong[] = {"",
				     ".",
				     "1.",
				     "1",
				     ".YQ",
				     "x.YQ",
				     "-1.YQ",
				     "1e3.YQ",
				     "1.Y Q",
				     "1.YQ==",
				     "1.AAAA",
				     "1.YQ.YQ",
				     "123456789012345678901.YQ"};
	static struct token token;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		if (token_read(&token, wrong[i]) == 0)
			fail_msg("%s was taken for a token", wrong[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_comes_back_as_it_went),
		cmocka_unit_test(the_longest_uri_fits_and_a_longer_one_does_not),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
