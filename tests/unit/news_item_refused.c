/* What is no item is refused with a reason and the place where the sender sees it, within limits. */
#include "item_reading.h"

/* --- limits ---------------------------------------------------------------------------------- */

static void what_is_not_json_is_refused(void **state)
{
	(void)state;
	assert_refused("", ITEM_NOT_JSON, "");
	assert_refused("hello", ITEM_NOT_JSON, "");
	assert_refused("{\"uri\":\"x\"", ITEM_NOT_JSON, "");
	assert_refused("{} {}", ITEM_NOT_JSON, "");
	assert_refused("{\"a\":\"", ITEM_NOT_JSON, "");
	assert_refused("{\"a\":\"\\", ITEM_NOT_JSON, "");
	assert_refused("{\"uri\":\"\\ud800\"}", ITEM_NOT_JSON, "");
	assert_refused("[]", ITEM_WRONG_TYPE, "");
	assert_refused("\"news\"", ITEM_NOT_JSON, "");
}

static void what_is_not_utf8_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"headline\":\"\xff\"}", ITEM_NOT_UTF8, "");
	assert_refused("{\"headline\":\"\xc0\xaf\"}", ITEM_NOT_UTF8, "");
	assert_refused("{\"headline\":\"\xed\xa0\x80\"}", ITEM_NOT_UTF8, "");
	assert_refused("{\"headline\":\"\xe2\x82\"}", ITEM_NOT_UTF8, "");
}

static void the_same_name_twice_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"uri\":\"a\",\"uri\":\"b\"}", ITEM_DUPLICATE_KEY, "");
	assert_refused("{\"extra\":{\"a\":1,\"\\u0061\":2}}", ITEM_DUPLICATE_KEY, "");
}

static void nul_characters_and_huge_numbers_are_refused(void **state)
{
	struct item_report report;

	(void)state;
	assert_refused("{\"headline\":\"a\\u0000b\"}", ITEM_BAD_VALUE, "");
	assert_refused("{\"a\\u0000b\":1}", ITEM_BAD_VALUE, "");
	assert_refused("{\"x\":1e999}", ITEM_BAD_VALUE, "");
	assert_refused("{\"x\":99999999999999999999}", ITEM_BAD_VALUE, "");
	assert_null(read_len("{\"a\":\"\0\"}", 9, &report));
	assert_int_equal(report.refusal, ITEM_NOT_JSON);
}

static void a_byte_too_many_is_refused_before_anything_is_read(void **state)
{
	static const char small[] = "{\"uri\":\"u\",\"headline\":\"H\"}";
	struct item_report report;
	char *text = malloc(MAX_ITEM + 1);
	struct item *item;

	(void)state;
	memset(text, ' ', MAX_ITEM + 1);
	memcpy(text, small, sizeof small - 1);
	assert_null(read_len(text, MAX_ITEM + 1, &report));
	assert_int_equal(report.refusal, ITEM_TOO_LARGE);
	assert_non_null(item = read_len(text, MAX_ITEM, &report));
	item_free(item);
	free(text);
}

static void deep_nesting_is_refused_and_costs_nothing(void **state)
{
	struct buf b = {0};
	struct item *item;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_adds(&b, i % 2 ? "[" : "{\"a\":");
	assert_refused(news_test_text(&b), ITEM_TOO_DEEP, "");
	buf_clear(&b);

	buf_adds(&b, "{\"uri\":\"u\",\"headline\":\"\\\"[[[\\\\\",\"x\":");
	for (int i = 0; i < ITEM_DEPTH_MAX - 1; i++)
		buf_addc(&b, '[');
	for (int i = 0; i < ITEM_DEPTH_MAX - 1; i++)
		buf_addc(&b, ']');
	buf_addc(&b, '}');
	item = accepted(news_test_text(&b));
	item_free(item);
	buf_free(&b);
}

static void brackets_in_text_are_not_nesting(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_adds(&b, "{\"uri\":\"u\",\"headline\":\"");
	for (int i = 0; i < 1000; i++)
		buf_adds(&b, "[{\\\"\\\\");
	buf_adds(&b, "\"}");
	item_free(accepted(news_test_text(&b)));
	buf_free(&b);
}

/* --- values ---------------------------------------------------------------------------------- */

static void known_properties_of_a_wrong_type_are_refused_where_they_stand(void **state)
{
	static const char *const strings[] = {
		"uri",
		"guid",
		"type",
		"mimetype",
		"contentType",
		"representationType",
		"profile",
		"firstCreated",
		"versionCreated",
		"versioncreated",
		"contentCreated",
		"embargoed",
		"embargoedUntil",
		"publish_schedule",
		"expires",
		"pubStatus",
		"pubstatus",
		"copyrightHolder",
		"copyrightnotice",
		"usageTerms",
		"language",
		"headline",
		"headline_alt",
		"description_text",
		"body_html",
		"title",
		"by",
		"byline",
		"slugline",
		"located",
		"evolvedFrom",
	};
	static const char *const arrays[] = {
		"headlines",   "descriptions",	"bodies",	   "people",
		"person",      "organisations", "place",	   "subjects",
		"subject",     "events",	"objects",	   "genre",
		"infoSources", "infosource",	"trustIndicators", "channels",
	};
	char json[256], pointer[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(strings); i++) {
		snprintf(json, sizeof json, "{\"%s\":{}}", strings[i]);
		snprintf(pointer, sizeof pointer, "/%s", strings[i]);
		assert_refused(json, ITEM_WRONG_TYPE, pointer);
		snprintf(json, sizeof json, "{\"%s\":true}", strings[i]);
		assert_refused(json, ITEM_WRONG_TYPE, pointer);
	}
	for (size_t i = 0; i < COUNT_OF(arrays); i++) {
		snprintf(json, sizeof json, "{\"%s\":\"text\"}", arrays[i]);
		snprintf(pointer, sizeof pointer, "/%s", arrays[i]);
		assert_refused(json, ITEM_WRONG_TYPE, pointer);
		snprintf(json, sizeof json, "{\"%s\":[7]}", arrays[i]);
		snprintf(pointer, sizeof pointer, "/%s/0", arrays[i]);
		assert_refused(json, ITEM_WRONG_TYPE, pointer);
	}
	assert_refused("{\"renditions\":7}", ITEM_WRONG_TYPE, "/renditions");
	assert_refused("{\"associations\":\"x\"}", ITEM_WRONG_TYPE, "/associations");
	assert_refused("{\"altids\":7}", ITEM_WRONG_TYPE, "/altids");
	assert_refused("{\"rightsInfo\":[]}", ITEM_WRONG_TYPE, "/rightsInfo");
	assert_refused("{\"version\":true}", ITEM_WRONG_TYPE, "/version");
	assert_refused("{\"version\":1.5}", ITEM_WRONG_TYPE, "/version");
	assert_refused("{\"urgency\":\"1\"}", ITEM_WRONG_TYPE, "/urgency");
	assert_refused("{\"charcount\":\"1\"}", ITEM_WRONG_TYPE, "/charcount");
}

static void a_fault_deep_inside_is_pointed_at(void **state)
{
	(void)state;
	assert_refused(
		"{\"associations\":{\"a/b~c\":{\"renditions\":{\"web\":{\"width\":\"wide\"}}}}}",
		ITEM_WRONG_TYPE, "/associations/a~1b~0c/renditions/web/width");
	assert_refused("{\"associations\":[{},{\"headlines\":[{\"value\":7}]}]}", ITEM_WRONG_TYPE,
		       "/associations/1/headlines/0/value");
}

static void a_pointer_is_cut_at_a_whole_character(void **state)
{
	struct item_report report;
	struct buf b = {0};

	(void)state;
	for (int shift = 0; shift < 4; shift++) {
		buf_clear(&b);
		buf_adds(&b, "{\"associations\":{\"");
		for (int i = 0; i < shift; i++)
			buf_addc(&b, 'x');
		for (int i = 0; i < 60; i++)
			buf_adds(&b, "\xf0\x9f\x97\x9e");
		buf_adds(&b, "\":7}}");
		assert_null(read_len(b.data, b.len, &report));
		size_t len = strlen(report.fault[0].pointer);
		assert_in_range(len, 123, 127);
		assert_int_equal((len - strlen("/associations/") - (size_t)shift) % 4, 0);
	}
	buf_free(&b);
}

static void every_fault_is_told_up_to_eight(void **state)
{
	struct item_report report;
	const char *json = "{\"uri\":7,\"by\":7,\"title\":7}";
	const char *many = "{\"headlines\":[1,2,3,4,5,6,7,8,9,10]}";

	(void)state;
	assert_null(read_len(json, strlen(json), &report));
	assert_int_equal(report.count, 3);
	assert_string_equal(report.fault[2].pointer, "/title");
	assert_null(read_len(many, strlen(many), &report));
	assert_int_equal(report.count, ITEM_FAULTS_MAX);
}

static void values_outside_their_vocabulary_are_refused(void **state)
{
	(void)state;
	assert_refused(item_with("\"type\":\"opera\""), ITEM_BAD_VALUE, "/type");
	assert_refused(item_with("\"pubStatus\":\"maybe\""), ITEM_BAD_VALUE, "/pubStatus");
	assert_refused(item_with("\"urgency\":0"), ITEM_BAD_VALUE, "/urgency");
	assert_refused(item_with("\"urgency\":10"), ITEM_BAD_VALUE, "/urgency");
	assert_refused(item_with("\"urgency\":2.5"), ITEM_BAD_VALUE, "/urgency");
	assert_refused(item_with("\"urgency\":-1e300"), ITEM_BAD_VALUE, "/urgency");
	assert_refused("{\"uri\":\"a\\u0001\"}", ITEM_BAD_VALUE, "/uri");
	assert_refused("{\"uri\":\"a\\nb\"}", ITEM_BAD_VALUE, "/uri");
	assert_refused(
		item_with("\"version\":"
			  "\"12345678901234567890123456789012345678901234567890123456789012345\""),
		ITEM_BAD_VALUE, "/version");
}

static void a_uri_has_at_most_1024_bytes(void **state)
{
	struct buf b = {0};

	(void)state;
	for (int len = ITEM_URI_MAX; len <= ITEM_URI_MAX + 1; len++) {
		buf_clear(&b);
		buf_adds(&b, "{\"headline\":\"H\",\"uri\":\"");
		for (int i = 0; i < len; i++)
			buf_addc(&b, 'u');
		buf_adds(&b, "\"}");
		if (len == ITEM_URI_MAX)
			item_free(accepted(news_test_text(&b)));
		else
			assert_refused(news_test_text(&b), ITEM_BAD_VALUE, "/uri");
	}
	buf_free(&b);
}

static void an_item_without_anything_to_show_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"uri\":\"u\"}", ITEM_EMPTY, "");
	assert_refused("{\"uri\":\"u\",\"headline\":\"\",\"body_html\":\"\"}", ITEM_EMPTY, "");
	assert_refused(
		"{\"uri\":\"u\",\"headlines\":[],\"bodies\":[{\"value\":\"\"}],\"renditions\":{}}",
		ITEM_EMPTY, "");
	assert_refused("{\"uri\":\"u\",\"authors\":[{\"name\":\"A\"}]}", ITEM_EMPTY, "");
	assert_refused("{\"uri\":\"u\",\"body_html\":\"<script>x</script>\"}", ITEM_EMPTY, "");
	item_free(accepted("{\"uri\":\"u\",\"renditions\":{\"web\":{\"href\":\"http://x\"}}}"));
	item_free(accepted("{\"uri\":\"u\",\"associations\":[{\"name\":\"p\",\"uri\":\"v\"}]}"));
	item_free(accepted("{\"uri\":\"u\",\"description_text\":\"D\"}"));
}

static void notes_for_editors_are_refused(void **state)
{
	(void)state;
	assert_refused(item_with("\"profile\":\"advisory\""), ITEM_ADVISORY, "");
	assert_refused(item_with("\"type\":\"advisory\""), ITEM_ADVISORY, "/type");
	assert_refused(item_with("\"genre\":[{\"code\":\"Advisory\",\"name\":\"Note\"}]"),
		       ITEM_ADVISORY, "");
	assert_refused(
		item_with("\"genres\":[{\"uri\":\"http://cv.iptc.org/newscodes/genre/Advisory\"}]"),
		ITEM_ADVISORY, "");
}

static void a_fault_is_where_the_sender_sees_it(void **state)
{
	static const char json[] = "{\n    \"headline\": \"H\",\n    \"urgency\": oops\n}";
	struct item_report report;

	(void)state;
	assert_null(read_len(json, strlen(json), &report));
	assert_string_equal(report.fault[0].detail, "This is not JSON (line 3, column 19).");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_json_is_refused),
		cmocka_unit_test(what_is_not_utf8_is_refused),
		cmocka_unit_test(the_same_name_twice_is_refused),
		cmocka_unit_test(nul_characters_and_huge_numbers_are_refused),
		cmocka_unit_test(a_byte_too_many_is_refused_before_anything_is_read),
		cmocka_unit_test(deep_nesting_is_refused_and_costs_nothing),
		cmocka_unit_test(brackets_in_text_are_not_nesting),
		cmocka_unit_test(known_properties_of_a_wrong_type_are_refused_where_they_stand),
		cmocka_unit_test(a_fault_deep_inside_is_pointed_at),
		cmocka_unit_test(a_pointer_is_cut_at_a_whole_character),
		cmocka_unit_test(every_fault_is_told_up_to_eight),
		cmocka_unit_test(values_outside_their_vocabulary_are_refused),
		cmocka_unit_test(a_uri_has_at_most_1024_bytes),
		cmocka_unit_test(an_item_without_anything_to_show_is_refused),
		cmocka_unit_test(notes_for_editors_are_refused),
		cmocka_unit_test(a_fault_is_where_the_sender_sees_it),
	};

	return cmocka_run_group_tests_name("news_item_refused", tests, NULL, NULL);
}
