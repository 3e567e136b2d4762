/* What arrives in pieces is gathered whole, never beyond its limit. */
#include "cmocka_all.h"
#include "gather.h"

#include <stdlib.h>
#include <string.h>

static void pieces_become_one_text(void **state)
{
	struct gather g;

	(void)state;
	gather_init(&g, 1000);
	assert_string_equal(gather_text(&g), "");
	assert_int_equal(gather_add(&g, "{\"a\"", 4), 0);
	assert_int_equal(gather_adds(&g, ":1"), 0);
	assert_int_equal(gather_addc(&g, '}'), 0);
	assert_string_equal(gather_text(&g), "{\"a\":1}");
	assert_int_equal(g.len, 7);
	gather_free(&g);
}

static void a_piece_beyond_the_limit_is_refused_and_what_was_there_stays(void **state)
{
	struct gather g;

	(void)state;
	gather_init(&g, 5);
	assert_int_equal(gather_adds(&g, "12345"), 0);
	assert_int_equal(gather_addc(&g, '6'), -1);
	assert_int_equal(g.problem, GATHER_TOO_MUCH);
	assert_string_equal(gather_text(&g), "12345");
	gather_free(&g);
}

static void the_limit_is_checked_before_memory_is_taken(void **state)
{
	struct gather g;

	(void)state;
	gather_init(&g, 1024);
	assert_int_equal(gather_add(&g, "", (size_t)-1), -1);
	assert_null(g.data);
	gather_free(&g);
}

static void after_a_refusal_later_pieces_are_dropped_too(void **state)
{
	struct gather g;

	(void)state;
	gather_init(&g, 4);
	assert_int_equal(gather_adds(&g, "12345"), -1);
	assert_int_equal(gather_addc(&g, '1'), -1);
	assert_int_equal(g.len, 0);
	gather_clear(&g);
	assert_int_equal(gather_adds(&g, "1234"), 0);
	gather_free(&g);
}

static void a_megabyte_in_small_pieces_is_whole(void **state)
{
	struct gather g;
	char piece[1000];

	(void)state;
	gather_init(&g, 8 << 20);
	for (int i = 0; i < 1000; i++) {
		memset(piece, 'a' + i % 26, sizeof piece);
		assert_int_equal(gather_add(&g, piece, sizeof piece), 0);
	}
	assert_int_equal(strlen(gather_text(&g)), 1000000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(g.data[i * 1000 + 999], 'a' + i % 26);
	gather_free(&g);
}

static void one_long_message_does_not_keep_its_memory(void **state)
{
	struct gather g;

	(void)state;
	gather_init(&g, 8 << 20);
	for (int i = 0; i < 100000; i++)
		gather_adds(&g, "long");
	gather_clear(&g);
	assert_null(g.data);
	gather_adds(&g, "short");
	gather_clear(&g);
	assert_non_null(g.data);
	assert_string_equal(gather_text(&g), "");
	gather_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_become_one_text),
		cmocka_unit_test(a_piece_beyond_the_limit_is_refused_and_what_was_there_stays),
		cmocka_unit_test(the_limit_is_checked_before_memory_is_taken),
		cmocka_unit_test(after_a_refusal_later_pieces_are_dropped_too),
		cmocka_unit_test(a_megabyte_in_small_pieces_is_whole),
		cmocka_unit_test(one_long_message_does_not_keep_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
