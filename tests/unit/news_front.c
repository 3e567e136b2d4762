/* Goal: whatever an item holds, the page shows its text as text, its parts in their places, and nothing twice. */
#include "news_test.h"
#include <jansson.h>
#include "news/front.h"

static const struct feed_about about = {.title = "Newswire",
					.site = "https://news.example/",
					.self = "https://news.example/",
					.id = "https://news.example/"};

static struct feed feed_of(struct feed_entry *entry, const char *body)
{
	*entry = (struct feed_entry){.post = {.action = POST_PUBLISH,
					      .class = CLASS_REGULAR,
					      .uri = (char *)"urn:x:\"1\"",
					      .version = (char *)"1",
					      .body = (char *)body,
					      .body_len = strlen(body)},
				     .published_ms = 1768042927000,
				     .updated_ms = 1768042987123};
	assert_int_equal(channel_set_read(&entry->post.channels, "feed:all world", 14, ' '), 0);
	return (struct feed){.cursor = {"e1", {1768042999000, 0}}, .count = 1, .entries = entry};
}

/* The article of an item, NUL-terminated, to free. */
static char *article(const char *body)
{
	struct feed_entry entry;
	struct feed feed = feed_of(&entry, body);
	struct buf out = {0};

	front_write_stories(&feed, &out);
	buf_addc(&out, '\0');
	assert_false(out.failed);
	channel_set_free(&entry.post.channels);
	return out.data;
}

static void assert_shows(const char *body, const char *expected)
{
	char *html = article(body);

	if (strstr(html, expected) == NULL)
		fail_msg("`%s` is not in\n%s", expected, html);
	free(html);
}

static void assert_hides(const char *body, const char *unwanted)
{
	char *html = article(body);

	if (strstr(html, unwanted) != NULL)
		fail_msg("`%s` is in\n%s", unwanted, html);
	free(html);
}

#define HEADED "{\"headlines\":[{\"value\":\"Rain\"}],"

static void texts_are_escaped_wherever_they_stand(void **state)
{
	const char *evil =
		"{\"headlines\":[{\"value\":\"<i>&\\\"\"}],\"by\":\"<b>\",\"located\":\"<b>\","
		"\"infoSources\":[{\"name\":\"<b>\"}],\"genres\":[{\"name\":\"<b>\"}],"
		"\"bodies\":[{\"value\":\"<b>\\n\\n<b>\"}],\"version\":\"<b>\","
		"\"descriptions\":[{\"role\":\"correction\",\"value\":\"<b>\"}]}";

	(void)state;
	assert_hides(evil, "<b>");
	assert_hides(evil, "<i>");
	assert_shows(evil, ">&lt;i&gt;&amp;&quot;</h2>");
	assert_shows(evil, " data-uri=\"urn:x:&quot;1&quot;\"");
}

static void the_first_paragraph_leads_and_the_others_open(void **state)
{
	(void)state;
	assert_shows(
		HEADED
		"\"bodies\":[{\"value\":\"\\n One. \\r\\n \\t\\r\\nTwo.\\n\\n\\n\\nThree.\\n\"}]}",
		"<p class=\"lede\" dir=\"auto\">One.</p></div>");
	assert_shows(
		HEADED "\"bodies\":[{\"value\":\"One.\\n \\nTwo.\\n\\n\\n\\nThree.\\n\"}]}",
		"<div class=\"body\"><p class=\"plain\" dir=\"auto\">Two.</p><p class=\"plain\" "
		"dir=\"auto\">Three.</p></div>");
	assert_shows(
		HEADED
		"\"bodies\":[{\"contentType\":\"text/html\",\"value\":\"<p>One <em>is</em>.</p><ul>"
		"<li>Two</li></ul>\"}]}",
		"<p class=\"lede\" dir=\"auto\">One is.</p></div>");
	assert_shows(HEADED "\"bodies\":[{\"contentType\":\"text/html\",\"value\":\"<p>One.</p><ul>"
			    "<li>Two</li></ul>\"}]}",
		     "<div class=\"body\"><ul><li>Two</li></ul></div>");
	assert_shows(
		HEADED
		"\"bodies\":[{\"contentType\":\"text/html\",\"value\":\"<ul><li>Two</li></ul>\"}]}",
		"<div class=\"body\"><ul><li>Two</li></ul></div>");
}

static void below_a_summary_the_body_is_whole(void **state)
{
	(void)state;
	assert_shows(HEADED "\"descriptions\":[{\"role\":\"summary\",\"value\":\"In short.\"}],"
			    "\"bodies\":[{\"value\":\"One.\\n\\nTwo.\"}],\"by\":\"Ada\"}",
		     "<p class=\"lede\" dir=\"auto\">In short.</p><p class=\"byline\"");
	assert_shows(HEADED "\"descriptions\":[{\"role\":\"summary\",\"value\":\"In short.\"}],"
			    "\"bodies\":[{\"value\":\"One.\\n\\nTwo.\"}]}",
		     "dir=\"auto\">One.</p><p class=\"plain\" dir=\"auto\">Two.</p></div>");
}

static void what_is_missing_leaves_nothing_behind(void **state)
{
	static const char *const parts[] = {"byline", "details", "figure",
					    "notice", "lede",	 "<p></p>"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		assert_hides(HEADED "\"type\":\"text\"}", parts[i]);
	assert_hides(HEADED "\"bodies\":[{\"value\":\"One.\"}]}", "details");
	assert_hides("{\"bodies\":[{\"value\":\"One.\"}]}", "details");
	assert_hides("{\"renditions\":[{\"href\":\"https://x.example/"
		     "1.jpg\",\"contentType\":\"image/jpeg\"}]}",
		     "figcaption");
}

static void without_a_headline_the_text_states_it(void **state)
{
	(void)state;
	assert_shows("{\"bodies\":[{\"value\":\"One of us.\\n\\nTwo.\"}]}",
		     "<p class=\"statement\" dir=\"auto\" id=\"sent-1-title\">One of us.</p>");
	assert_shows("{\"bodies\":[{\"value\":\"“We pay.”\"}]}",
		     "<p class=\"statement quotation\"");
	assert_shows("{\"descriptions\":[{\"role\":\"summary\",\"value\":\"In short.\"}],"
		     "\"bodies\":[{\"value\":\"One.\"}]}",
		     "id=\"sent-1-title\">In short.</p>");
}

static void a_language_has_its_direction(void **state)
{
	(void)state;
	assert_shows(HEADED "\"language\":\"ar-EG\"}", " lang=\"ar-EG\" dir=\"rtl\">");
	assert_shows(HEADED "\"language\":\"arn\"}", " lang=\"arn\" dir=\"ltr\">");
	assert_hides(HEADED "\"language\":\"\\\"x\"}", " lang=\"\"x");
}

static void the_script_keeps_only_what_it_would_draw_the_same(void **state)
{
	(void)state;
	assert_shows(HEADED "\"version\":\"3\",\"versionCreated\":\"2026-01-10T08:00:00Z\","
			    "\"bodies\":[{\"value\":\"One.\"}]}",
		     " data-stamp=\"3 2026-01-10T08:00:00Z\"");
	assert_hides(HEADED
		     "\"bodies\":[{\"contentType\":\"text/html\",\"value\":\"<p>One.</p>\"}]}",
		     "data-stamp");
	assert_hides(HEADED "\"associations\":[{\"rel\":\"author\",\"title\":\"Ada\"}]}",
		     "data-stamp");
	assert_hides(HEADED "\"renditions\":[{\"href\":\"data:image/png;base64,AA==\"}]}",
		     "data-stamp");
}

static void any_property_may_be_of_a_wrong_type(void **state)
{
	static const char *const bodies[] = {
		"{}",
		"{\"headlines\":7,\"bodies\":{},\"by\":[],\"genres\":[7],\"infoSources\":\"x\"}",
		"{\"associations\":[[],7,{\"rel\":\"author\",\"title\":\"A\",\"descriptions\":7}]}",
		"{\"associations\":[{\"rel\":\"featured\",\"descriptions\":[7],\"headlines\":{},"
		"\"renditions\":"
		"[{\"href\":\"https://x.example/\",\"width\":\"7\",\"height\":-1}]}]}",
		"{\"type\":\"video\",\"renditions\":[{\"href\":\"https://x.example/"
		"v\",\"contentType\":\"video/mp4\","
		"\"duration\":\"long\"}]}"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++)
		assert_shows(bodies[i], "</article>");
}

static void the_data_can_stand_in_a_script_element(void **state)
{
	struct feed_entry entry;
	struct feed feed =
		feed_of(&entry, "{\"headlines\":[{\"value\":\"</script><!--\"}],"
				"\"bodies\":[{\"value\":\"One.\"}],\"by\":\"</SCRIPT>\"}");
	struct buf out = {0};
	json_t *json, *update;

	(void)state;
	front_write_data(&feed, &about, &out);
	assert_false(out.failed);
	assert_null(memchr(out.data, '<', out.len));
	json = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	update = json_array_get(json_object_get(json, "liveBlogUpdate"), 0);
	assert_string_equal(json_string_value(json_object_get(update, "headline")),
			    "</script><!--");
	assert_string_equal(json_string_value(json_object_get(update, "articleBody")), "One.");
	assert_string_equal(json_string_value(json_object_get(update, "url")),
			    "https://news.example/v1/items?uri=urn%3Ax%3A%221%22");
	json_decref(json);
	buf_free(&out);
	channel_set_free(&entry.post.channels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_escaped_wherever_they_stand),
		cmocka_unit_test(the_first_paragraph_leads_and_the_others_open),
		cmocka_unit_test(below_a_summary_the_body_is_whole),
		cmocka_unit_test(what_is_missing_leaves_nothing_behind),
		cmocka_unit_test(without_a_headline_the_text_states_it),
		cmocka_unit_test(a_language_has_its_direction),
		cmocka_unit_test(the_script_keeps_only_what_it_would_draw_the_same),
		cmocka_unit_test(any_property_may_be_of_a_wrong_type),
		cmocka_unit_test(the_data_can_stand_in_a_script_element),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
