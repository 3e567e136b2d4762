/* Goal: what is appended is there, whatever it is, and a lack of memory is seen at the end. */
#include "cmocka_all.h"

#include <string.h>
#include "base/base.h"
#include "base/buf.h"

static void assert_holds(const struct buf *b, const char *text)
{
	assert_false(b->failed);
	assert_int_equal(b->len, strlen(text));
	assert_memory_equal(b->data, text, b->len);
}

static void appends_follow_each_other(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_adds(&b, "one");
	buf_addc(&b, ',');
	buf_add(&b, "twofold", 3);
	buf_addf(&b, ",%d", 3);
	assert_holds(&b, "one,two,3");
	buf_free(&b);
	assert_null(b.data);
	assert_int_equal(b.cap, 0);
}

static void a_long_text_grows_it_many_times(void **state)
{
	struct buf b = {0};

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_addf(&b, "%05d", i);
	assert_int_equal(b.len, 500000);
	assert_memory_equal(b.data + 5L * 98765, "98765", 5);
	buf_free(&b);
}

static void json_strings_are_escaped_and_utf8_is_kept(void **state)
{
	struct buf b = {0};
	static const char text[] = "a\"b\\c\n\r\t\x01\x1f\x7f é 🗞";

	(void)state;
	buf_add_json(&b, text, sizeof text - 1);
	assert_holds(&b, "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\x7f é 🗞\"");
	buf_clear(&b);
	buf_add_json(&b, "", 0);
	assert_holds(&b, "\"\"");
	buf_clear(&b);
	buf_add_json(&b, "nul\0inside", 10);
	assert_holds(&b, "\"nul\\u0000inside\"");
	buf_free(&b);
}

static const char harmless[] = "!#[]^\x7f !#[]^\x7f !#[]^\x7f ";

/* RFC 8259, one byte at a time. */
static void spell(struct buf *b, char c)
{
	static const char named[][2] = {
		{'"', '"'}, {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}};

	for (size_t i = 0; i < COUNT_OF(named); i++) {
		if (c != named[i][0])
			continue;
		buf_addc(b, '\\');
		buf_addc(b, named[i][1]);
		return;
	}
	if ((unsigned char)c < 0x20)
		buf_addf(b, "\\u%04x", c);
	else
		buf_addc(b, c);
}

/* Eight bytes are looked at together: every byte at every place among harmless ones. */
static void any_byte_is_escaped_wherever_it_stands(void **state)
{
	struct buf b = {0}, expected = {0};
	char text[20];

	(void)state;
	for (int c = 0; c < 256; c++) {
		for (size_t at = 0; at < sizeof text; at++) {
			memcpy(text, harmless, sizeof text);
			text[at] = (char)c;
			buf_clear(&expected);
			buf_addc(&expected, '"');
			for (size_t i = 0; i < sizeof text; i++)
				spell(&expected, text[i]);
			buf_addc(&expected, '"');
			buf_clear(&b);
			buf_add_json(&b, text, sizeof text);
			assert_int_equal(b.len, expected.len);
			assert_memory_equal(b.data, expected.data, b.len);
		}
	}
	buf_free(&b);
	buf_free(&expected);
}

static void sixteen_digits_are_written_whatever_the_number(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_add_hex(&b, 0);
	buf_addc(&b, ' ');
	buf_add_hex(&b, UINT64_C(0xfedcba9876543210));
	assert_holds(&b, "0000000000000000 fedcba9876543210");
	buf_free(&b);
}

static void a_number_is_written_as_printf_would(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_add_number(&b, 0);
	buf_addc(&b, ' ');
	buf_add_number(&b, 1700000000000);
	buf_addc(&b, ' ');
	buf_add_number(&b, UINT64_MAX);
	assert_holds(&b, "0 1700000000000 18446744073709551615");
	buf_free(&b);
}

static void lack_of_memory_is_remembered_and_what_was_there_stays(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_adds(&b, "kept");
	assert_int_equal(buf_reserve(&b, SIZE_MAX - 8), -1);
	assert_true(b.failed);
	buf_adds(&b, " and this is not");
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "kept", 4);
	buf_clear(&b);
	buf_adds(&b, "again");
	assert_holds(&b, "again");
	buf_free(&b);
}

static void room_reserved_is_room_there(void **state)
{
	struct buf b = {0};
	char *before;

	(void)state;
	assert_int_equal(buf_reserve(&b, 5000), 0);
	before = b.data;
	for (int i = 0; i < 5000; i++)
		buf_addc(&b, 'x');
	assert_ptr_equal(b.data, before);
	buf_free(&b);
	buf_free(&b);
}

static void markup_is_text_to_html_and_xml(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_add_markup(&b, "1 < 2 & \"3\" > 2 — å, not this", strlen("1 < 2 & \"3\" > 2 — å"));
	buf_addc(&b, '\0');
	assert_string_equal(b.data, "1 &lt; 2 &amp; &quot;3&quot; &gt; 2 — å");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(markup_is_text_to_html_and_xml),
		cmocka_unit_test(appends_follow_each_other),
		cmocka_unit_test(a_long_text_grows_it_many_times),
		cmocka_unit_test(json_strings_are_escaped_and_utf8_is_kept),
		cmocka_unit_test(any_byte_is_escaped_wherever_it_stands),
		cmocka_unit_test(sixteen_digits_are_written_whatever_the_number),
		cmocka_unit_test(a_number_is_written_as_printf_would),
		cmocka_unit_test(lack_of_memory_is_remembered_and_what_was_there_stays),
		cmocka_unit_test(room_reserved_is_room_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
