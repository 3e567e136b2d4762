/* A place on the wire is read exactly as it was written, and nothing else is taken for one. */
#include "news_test.h"

static int parses(const char *text)
{
	struct cursor cursor;

	return cursor_parse(text, strlen(text), &cursor) == 0;
}

static void a_cursor_is_read_as_it_was_written(void **state)
{
	const char *const texts[] = {
		"a:0-0",
		"e1:1700000000000-3",
		"0123456789abcdef:18446744073709551615-18446744073709551615",
	};
	struct cursor cursor;
	char text[CURSOR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_int_equal(cursor_parse(texts[i], strlen(texts[i]), &cursor), 0);
		assert_int_equal(cursor_format(&cursor, text), strlen(texts[i]));
		assert_string_equal(text, texts[i]);
	}
}

static void what_is_not_a_cursor_is_refused(void **state)
{
	const char *const texts[] = {
		"",
		":",
		"a",
		"a:",
		"a:1",
		"a:1-",
		"a:-1",
		":1-1",
		"A:1-1",
		"a b:1-1",
		"a:1-1 ",
		" a:1-1",
		"a:+1-1",
		"a:1-1-1",
		"a:0x1-1",
		"a:1--1",
		"a:1-1\n",
		"a_b:1-1",
		"0123456789abcdefg:1-1",
		"a:18446744073709551616-0",
		"a:0-18446744073709551616",
		"a:99999999999999999999999999999999999999999999-1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_false(parses(texts[i]));
	assert_int_equal(cursor_parse("a:1-1\0", 6, &(struct cursor){0}), -1);
}

static void a_length_ends_the_text_without_a_terminator(void **state)
{
	struct wire_id id;

	(void)state;
	assert_int_equal(wire_id_parse("12-345", 4, &id), 0);
	assert_int_equal(id.ms, 12);
	assert_int_equal(id.seq, 3);
}

static void a_refused_cursor_leaves_the_old_one(void **state)
{
	struct cursor cursor = {"old", {1, 2}};

	(void)state;
	assert_int_equal(cursor_parse("new:1-x", 7, &cursor), -1);
	assert_string_equal(cursor.epoch, "old");
	assert_int_equal(cursor.id.seq, 2);
}

static void places_are_ordered_by_time_then_number(void **state)
{
	(void)state;
	assert_int_equal(wire_id_compare((struct wire_id){1, 9}, (struct wire_id){2, 0}), -1);
	assert_int_equal(wire_id_compare((struct wire_id){2, 1}, (struct wire_id){2, 0}), 1);
	assert_int_equal(wire_id_compare((struct wire_id){2, 1}, (struct wire_id){2, 1}), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cursor_is_read_as_it_was_written),
		cmocka_unit_test(what_is_not_a_cursor_is_refused),
		cmocka_unit_test(a_length_ends_the_text_without_a_terminator),
		cmocka_unit_test(a_refused_cursor_leaves_the_old_one),
		cmocka_unit_test(places_are_ordered_by_time_then_number),
	};

	return cmocka_run_group_tests_name("news_cursor", tests, NULL, NULL);
}
