/* Goal: whatever an item holds, JSON Feed and Atom of it are well-formed, and say what the item says. */
#include "news_test.h"
#include <jansson.h>
#include <libxml/parser.h>
#include "news/atom.h"
#include "news/html.h"
#include "news/iri.h"
#include "news/json_feed.h"
#include "news/story.h"

static const struct feed_about about = {.title = "Newswire: world",
					.site = "https://news.example/",
					.self = "https://news.example/feed.json",
					.next = "https://news.example/feed.json?before=1.dQ",
					.id = "https://news.example/feed.json"};

/* A feed of one item with this body. */
static struct feed feed_of(struct feed_entry *entry, const char *uri, const char *body)
{
	*entry = (struct feed_entry){.post = {.action = POST_CORRECT,
					      .class = CLASS_URGENT,
					      .uri = (char *)uri,
					      .version = (char *)"2",
					      .body = (char *)body,
					      .body_len = strlen(body)},
				     .published_ms = 1768042927000,
				     .updated_ms = 1768042987123};
	assert_int_equal(channel_set_read(&entry->post.channels, "feed:all world", 14, ' '), 0);
	return (struct feed){.cursor = {"e1", {1768042999000, 0}}, .count = 1, .entries = entry};
}

static json_t *written_json(const char *uri, const char *body)
{
	struct feed_entry entry;
	struct feed feed = feed_of(&entry, uri, body);
	char etag[FEED_ETAG_SIZE];
	struct buf out = {0};
	json_t *json;

	json_feed_write(&feed, &about, &out, etag);
	assert_false(out.failed);
	json = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	buf_free(&out);
	channel_set_free(&entry.post.channels);
	return json;
}

/* The Atom of one item, as a strict parser reads it. */
static xmlDocPtr written_atom(const char *uri, const char *body)
{
	struct feed_entry entry;
	struct feed feed = feed_of(&entry, uri, body);
	char etag[FEED_ETAG_SIZE];
	struct buf out = {0};
	xmlDocPtr document;

	atom_write(&feed, &about, &out, etag);
	assert_false(out.failed);
	document = xmlReadMemory(out.data, (int)out.len, "feed.atom", NULL,
				 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	assert_non_null(document);
	buf_free(&out);
	channel_set_free(&entry.post.channels);
	return document;
}

static xmlNodePtr child(xmlNodePtr of, const char *name)
{
	for (xmlNodePtr at = of->children; at != NULL; at = at->next)
		if (strcmp((const char *)at->name, name) == 0)
			return at;
	return NULL;
}

static void assert_content(xmlNodePtr of, const char *name, const char *expected)
{
	xmlChar *text = xmlNodeGetContent(child(of, name));

	assert_string_equal((const char *)text, expected);
	xmlFree(text);
}

static json_t *item_of(json_t *feed)
{
	return json_array_get(json_object_get(feed, "items"), 0);
}

static void assert_text(json_t *object, const char *key, const char *expected)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (expected == NULL)
		assert_null(text);
	else
		assert_string_equal(text, expected);
}

static void what_xml_cannot_hold_is_replaced_and_nothing_else(void **state)
{
	xmlDocPtr document = written_atom(
		"urn:x:1",
		"{\"headlines\":[{\"value\":\"a\\u0001b\\uFFFEc\\uFFFFd\\u007f]]>&<"
		"\\ud83d\\ude00\"}],"
		"\"bodies\":[{\"value\":\"1\\r\\n\\t2\\u000b\\u0085\"}],\"by\":\"\\u001b\"}");
	xmlNodePtr entry = child(xmlDocGetRootElement(document), "entry");

	(void)state;
	assert_content(entry, "title",
		       "a\xef\xbf\xbd"
		       "b\xef\xbf\xbd"
		       "c\xef\xbf\xbd"
		       "d\x7f]]>&<\xf0\x9f\x98\x80");
	assert_content(entry, "content", "1\r\n\t2\xef\xbf\xbd\xc2\x85");
	assert_content(entry, "author", "\xef\xbf\xbd");
	xmlFreeDoc(document);
}

static void a_story_without_a_headline_is_called_by_its_first_words(void **state)
{
	static const struct {
		const char *body, *title;
	} rows[] = {
		{"{\"bodies\":[{\"value\":\"Short and\\n good.\"}]}", "Short and good."},
		{"{\"bodies\":[{\"contentType\":\"text/html\",\"value\":\"<p>A &amp; "
		 "<b>b</b>c</p><p>D</p>\"}]}",
		 "A & bc D"},
		{"{\"descriptions\":[{\"role\":\"caption\",\"value\":\"A "
		 "pier\"}],\"type\":\"picture\"}",
		 "A pier"},
		{"{\"type\":\"picture\"}", "picture"},
		{"{\"bodies\":[{\"value\":\"aaaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee "
		 "fffffffff "
		 "ggggggggg hhhhhhhhh iii\"}]}",
		 "aaaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff ggggggggg "
		 "hhhhhhhhh…"},
		{"{\"bodies\":[{\"value\":"
		 "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaéé\"}]}",
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "…"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct story story;

		assert_int_equal(story_read(&story, rows[i].body, strlen(rows[i].body)), 0);
		assert_string_equal(story.title, rows[i].title);
		assert_true(story.html != NULL || story.text != NULL);
		story_free(&story);
	}
}

static void json_feed_says_all_that_it_has_words_for(void **state)
{
	json_t *feed = written_json(
		"urn:x:\xc3\xa5",
		"{\"headlines\":[{\"role\":\"sub\",\"value\":\"S\"},{\"role\":\"main\",\"value\":"
		"\"H \\\" \\n"
		"{\"}],\"descriptions\":[{\"role\":\"summary\",\"contentType\":\"text/"
		"html\",\"value\":"
		"\"<b>D</b>\"}],\"bodies\":[{\"contentType\":\"application/"
		"nitf+xml\",\"value\":\"<nitf/>\"},"
		"{\"contentType\":\"text/html\",\"value\":\"<p>B</p>\"}],\"language\":\"en-GB\","
		"\"subjects\":[{\"name\":\"transport\",\"uri\":\"http://c/"
		"1\"},{\"literal\":\"x\"}],"
		"\"associations\":[{\"rel\":\"author\",\"title\":\"Ilse\",\"renditions\":[{"
		"\"name\":"
		"\"avatar\",\"href\":\"https://i.example/a.png\"}]},{\"rel\":\"featured\",\"type\":"
		"\"picture\",\"renditions\":[{\"href\":\"https://i.example/1.jpg\",\"width\":400},"
		"{\"href\":\"https://i.example/2.jpg\",\"width\":1280},{\"href\":"
		"\"https://i.example/4.jpg\",\"width\":4000}]}],\"renditions\":[{\"href\":"
		"\"https://v.example/a.mp4\",\"contentType\":\"video/"
		"mp4\",\"sizeInBytes\":12,\"duration\":"
		"1.5},{\"href\":\"javascript:1\",\"contentType\":\"video/mp4\"}]}");
	json_t *item = item_of(feed);

	(void)state;
	assert_text(feed, "next_url", about.next);
	assert_text(json_object_get(feed, "_newswire"), "cursor", "e1:1768042999000-0");
	assert_text(item, "id", "urn:x:\xc3\xa5");
	assert_text(item, "url", "https://news.example/v1/items?uri=urn%3Ax%3A%C3%A5");
	assert_text(item, "title", "H \" {");
	assert_text(item, "summary", "D");
	assert_text(item, "content_html", "<p>B</p>");
	assert_text(item, "content_text", NULL);
	assert_text(item, "date_published", "2026-01-10T11:02:07.000Z");
	assert_text(item, "date_modified", "2026-01-10T11:03:07.123Z");
	assert_text(item, "language", "en-GB");
	assert_text(item, "image", "https://i.example/2.jpg");
	assert_text(json_array_get(json_object_get(item, "authors"), 0), "avatar",
		    "https://i.example/a.png");
	assert_int_equal(json_array_size(json_object_get(item, "attachments")), 1);
	assert_int_equal(json_array_size(json_object_get(item, "tags")), 3);
	assert_text(json_object_get(item, "_newswire"), "class", "urgent");
	assert_text(json_object_get(item, "_newswire"), "action", "correct");
	json_decref(feed);
}

static void properties_of_wrong_types_are_as_good_as_absent(void **state)
{
	static const char *const bodies[] = {
		"{}",
		"{\"headlines\":{},\"bodies\":3,\"descriptions\":[[],1,null,{\"value\":{}}],\"by\":"
		"[]}",
		"{\"associations\":[1,{\"rel\":1},{\"rel\":\"author\",\"title\":3,\"renditions\":{}"
		"},"
		"{\"rel\":\"featured\",\"renditions\":[{\"href\":1}]}],\"renditions\":[{"
		"\"contentType\":"
		"\"video/x\",\"href\":[],\"duration\":\"x\"}]}",
		"{\"language\":\"en "
		"us\",\"subjects\":[{\"name\":1,\"uri\":2}],\"copyrightNotice\":{}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		json_t *feed = written_json("u", bodies[i]);
		xmlDocPtr document = written_atom("u", bodies[i]);

		assert_int_equal(json_array_size(json_object_get(feed, "items")), 1);
		assert_null(json_object_get(item_of(feed), "attachments"));
		assert_null(json_object_get(item_of(feed), "language"));
		assert_non_null(child(xmlDocGetRootElement(document), "entry"));
		xmlFreeDoc(document);
		json_decref(feed);
	}
}

static void an_entry_is_named_by_an_iri_whatever_its_uri_is(void **state)
{
	static const struct {
		const char *uri, *id;
	} rows[] = {
		{"urn:newsml:a:1", "urn:newsml:a:1"},
		{"https://a.example/\xc3\xa5?x=1#y", "https://a.example/\xc3\xa5?x=1#y"},
		{"no scheme", "urn:newswire:item:no%20scheme"},
		{"urn:a b", "urn:newswire:item:urn%3Aa%20b"},
		{"urn:%zz", "urn:newswire:item:urn%3A%25zz"},
		{"urn:a#b#c", "urn:newswire:item:urn%3Aa%23b%23c"},
		{"urn:\xef\xbf\xbe", "urn:newswire:item:urn%3A%EF%BF%BE"},
		{"1:x", "urn:newswire:item:1%3Ax"},
		{"x:", "urn:newswire:item:x%3A"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		xmlDocPtr document = written_atom(rows[i].uri, "{\"by\":\"x\"}");

		assert_content(child(xmlDocGetRootElement(document), "entry"), "id", rows[i].id);
		xmlFreeDoc(document);
	}
}

static void only_http_addresses_may_be_loaded(void **state)
{
	static const char *const good[] = {"http://a", "HTTPS://a.example/x?y=1#z"};
	static const char *const bad[] = {
		"",	      "http://",	   "http:///x",	  "javascript:1",
		"data:image", "https://a b",	   "//a.example", "http:a",
		"ftp://a",    "http://a\"onload=", "http://a<"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(iri_is_web(good[i]));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(iri_is_web(bad[i]));
}

static void the_etag_of_json_does_not_move_with_the_wire(void **state)
{
	struct feed_entry entry;
	struct feed feed = feed_of(&entry, "u", "{\"by\":\"x\"}");
	char first[FEED_ETAG_SIZE], later[FEED_ETAG_SIZE], changed[FEED_ETAG_SIZE];
	struct buf out = {0};

	(void)state;
	json_feed_write(&feed, &about, &out, first);
	buf_free(&out);
	feed.cursor.id.ms++;
	json_feed_write(&feed, &about, &out, later);
	buf_free(&out);
	entry.updated_ms++;
	json_feed_write(&feed, &about, &out, changed);
	buf_free(&out);
	assert_string_equal(first, later);
	assert_string_not_equal(first, changed);
	channel_set_free(&entry.post.channels);
}

static void an_empty_feed_of_an_unknown_place_is_whole(void **state)
{
	const struct feed feed = {.cursor = {"e1", {1768042999000, 0}}};
	const struct feed_about bare = {.title = "Newswire", .id = "urn:newswire:feed:x"};
	char etag[FEED_ETAG_SIZE];
	struct buf json = {0}, atom = {0};
	xmlDocPtr document;

	(void)state;
	json_feed_write(&feed, &bare, &json, etag);
	assert_string_equal(
		news_test_text(&json),
		"{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"Newswire\","
		"\"items\":[],\"_newswire\":{\"cursor\":\"e1:1768042999000-0\"}}");
	atom_write(&feed, &bare, &atom, etag);
	document = xmlReadMemory(atom.data, (int)atom.len, "feed.atom", NULL, XML_PARSE_NONET);
	assert_non_null(document);
	assert_content(xmlDocGetRootElement(document), "updated", "2026-01-10T11:03:19.000Z");
	xmlFreeDoc(document);
	buf_free(&json);
	buf_free(&atom);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_xml_cannot_hold_is_replaced_and_nothing_else),
		cmocka_unit_test(a_story_without_a_headline_is_called_by_its_first_words),
		cmocka_unit_test(json_feed_says_all_that_it_has_words_for),
		cmocka_unit_test(properties_of_wrong_types_are_as_good_as_absent),
		cmocka_unit_test(an_entry_is_named_by_an_iri_whatever_its_uri_is),
		cmocka_unit_test(only_http_addresses_may_be_loaded),
		cmocka_unit_test(the_etag_of_json_does_not_move_with_the_wire),
		cmocka_unit_test(an_empty_feed_of_an_unknown_place_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
