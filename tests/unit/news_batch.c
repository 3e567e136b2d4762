/* A body of several items is cut exactly between them, whatever their texts hold; what has no such places is not cut at
 * all. */
#include "news_test.h"
#include "news/batch.h"

static struct batch batch;
static size_t at;

static enum batch_fault split(enum batch_form form, const char *text)
{
	return batch_split(&batch, form, text, strlen(text), &at);
}

/* The pieces of text, joined by `|`; then the batch is empty again. */
static const char *pieces(enum batch_form form, const char *text)
{
	static char joined[512];
	size_t used = 0;

	assert_int_equal(split(form, text), BATCH_GOOD);
	assert_int_equal(at, batch.count);
	for (size_t i = 0; i < batch.count; i++)
		used += (size_t)snprintf(joined + used, sizeof joined - used, "%s%.*s",
					 i == 0 ? "" : "|", (int)batch.piece[i].len,
					 text + batch.piece[i].at);
	batch_free(&batch);
	return joined;
}

static void an_array_is_cut_at_its_own_commas(void **state)
{
	static const struct {
		const char *text, *pieces;
	} rows[] = {
		{"[{}]", "{}"},
		{" [ {\"a\":1} ,\n{\"b\":2}\t]\r\n", "{\"a\":1}|{\"b\":2}"},
		{"[{\"a\":[1,2]},[3,[4,5]],6]", "{\"a\":[1,2]}|[3,[4,5]]|6"},
		{"[\"a,b]\",\"\\\"],[\",\"\\\\\",1]", "\"a,b]\"|\"\\\"],[\"|\"\\\\\"|1"},
		{"[{\"]\":\"}\"},{}]", "{\"]\":\"}\"}|{}"},
		{"[null, true ,-1.5e3]", "null|true|-1.5e3"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(pieces(BATCH_JSON, rows[i].text), rows[i].pieces);
}

static void a_broken_array_is_not_cut(void **state)
{
	static const struct {
		const char *text;
		size_t at;
	} rows[] = {
		{"[", 0},	   {"[{}", 2},	    {"[{},", 3},     {"[{},]", 4},
		{"[,{}]", 1},	   {"[{},,{}]", 4}, {"[{}}", 3},     {"[{}]]", 4},
		{"[{}] []", 5},	   {"[\"abc", 4},   {"[\"abc\\", 5}, {"[\"abc\\\"]", 7},
		{"[{\"a\":1]", 7}, {"[[1,2,3]", 7}, {"[{}]\n{}", 5},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(split(BATCH_JSON, rows[i].text), BATCH_BROKEN);
		assert_int_equal(at, rows[i].at);
		assert_null(batch.piece);
	}
}

static void lines_are_items_and_empty_ones_are_none(void **state)
{
	(void)state;
	assert_string_equal(pieces(BATCH_LINES, "{\"a\":1}\n{\"b\":2}\n"), "{\"a\":1}|{\"b\":2}");
	assert_string_equal(pieces(BATCH_LINES, "\n \n{}\r\n\t\r\n  {} "), "{}|{}");
	assert_string_equal(pieces(BATCH_LINES, "{\"a\nnot json\n[1,2]"), "{\"a|not json|[1,2]");
}

static void nothing_is_no_batch(void **state)
{
	(void)state;
	assert_int_equal(split(BATCH_JSON, "[]"), BATCH_EMPTY);
	assert_int_equal(split(BATCH_JSON, " [ \n ] "), BATCH_EMPTY);
	assert_int_equal(split(BATCH_LINES, ""), BATCH_EMPTY);
	assert_int_equal(split(BATCH_LINES, " \r\n\n"), BATCH_EMPTY);
}

static void one_item_too_many_and_none_is_taken(void **state)
{
	struct buf array = {0}, lines = {0};

	(void)state;
	buf_adds(&array, "[{}");
	buf_adds(&lines, "{}\n");
	for (int i = 1; i < BATCH_ITEMS_MAX; i++) {
		buf_adds(&array, ",{}");
		buf_adds(&lines, "{}\n");
	}
	buf_adds(&array, "]");
	assert_int_equal(split(BATCH_JSON, news_test_text(&array)), BATCH_GOOD);
	batch_free(&batch);
	assert_int_equal(split(BATCH_LINES, news_test_text(&lines)), BATCH_GOOD);
	batch_free(&batch);
	array.len--;
	buf_adds(&array, ",{}]");
	buf_adds(&lines, "{}");
	assert_int_equal(split(BATCH_JSON, news_test_text(&array)), BATCH_TOO_MANY);
	assert_int_equal(at, BATCH_ITEMS_MAX + 1);
	assert_int_equal(split(BATCH_LINES, news_test_text(&lines)), BATCH_TOO_MANY);
	assert_int_equal(at, BATCH_ITEMS_MAX + 1);
	assert_null(batch.piece);
	buf_free(&array);
	buf_free(&lines);
}

static void depth_is_no_matter(void **state)
{
	struct buf deep = {0};

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_addc(&deep, '[');
	for (int i = 0; i < 100000; i++)
		buf_addc(&deep, ']');
	assert_int_equal(split(BATCH_JSON, news_test_text(&deep)), BATCH_GOOD);
	assert_int_equal(batch.count, 1);
	assert_int_equal(batch.piece[0].len, 200000 - 2);
	batch_free(&batch);
	buf_free(&deep);
}

static void an_array_begins_with_its_bracket(void **state)
{
	(void)state;
	assert_true(batch_is_array(" \n[", 3));
	assert_false(batch_is_array("{[", 2));
	assert_false(batch_is_array("  ", 2));
	assert_false(batch_is_array("", 0));
}

static void the_content_type_says_what_a_body_is(void **state)
{
	static const struct {
		const char *type;
		enum batch_form form;
	} rows[] = {
		{NULL, BATCH_JSON},
		{"", BATCH_JSON},
		{"application/json", BATCH_JSON},
		{"Application/JSON; charset=UTF-8", BATCH_JSON},
		{"application/json;charset=\"utf-8\"", BATCH_JSON},
		{"application/ninjs+json", BATCH_JSON},
		{"application/vnd.iptc.ninjs+json ; v=3", BATCH_JSON},
		{"text/json", BATCH_JSON},
		{"application/x-ndjson", BATCH_LINES},
		{"application/ndjson; charset=utf-8", BATCH_LINES},
		{"application/jsonl", BATCH_LINES},
		{"application/json; charset=iso-8859-1", BATCH_UNKNOWN},
		{"application/x-www-form-urlencoded", BATCH_UNKNOWN},
		{"text/plain;charset=UTF-8", BATCH_UNKNOWN},
		{"multipart/form-data", BATCH_UNKNOWN},
		{"application/xml", BATCH_UNKNOWN},
		{"application/jsonx", BATCH_UNKNOWN},
		{"image/svg+json", BATCH_UNKNOWN},
		{"+json", BATCH_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(batch_form_of(rows[i].type), rows[i].form);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_array_is_cut_at_its_own_commas),
		cmocka_unit_test(a_broken_array_is_not_cut),
		cmocka_unit_test(lines_are_items_and_empty_ones_are_none),
		cmocka_unit_test(nothing_is_no_batch),
		cmocka_unit_test(one_item_too_many_and_none_is_taken),
		cmocka_unit_test(depth_is_no_matter),
		cmocka_unit_test(an_array_begins_with_its_bracket),
		cmocka_unit_test(the_content_type_says_what_a_body_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
