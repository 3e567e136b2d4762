/* What is news is taken with its identity, its place, pressure and channels, and what became of it. */
#include "item_reading.h"

/* --- samples --------------------------------------------------------------------------------- */

static void every_sample_is_accepted(void **state)
{
	static const char *const names[] = {"01-story.json",	   "02-video.json",
					    "03-flash.json",	   "04-correction-of-01.json",
					    "05-kill-of-03.json",  "06-embargo.json",
					    "07-no-headline.json", "08-superdesk-dialect.json"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char *text = sample(names[i]);
		struct item *item = accepted(text);
		assert_true(channel_set_has(&item->channels, "feed:all"));
		assert_int_equal(item->body_len, strlen(item->body));
		item_free(item);
		free(text);
	}
}

static void an_item_says_what_it_is(void **state)
{
	char *text = sample("03-flash.json");
	struct item *item = accepted(text);

	(void)state;
	assert_string_equal(item->uri, "urn:newsml:wire.example:20260110:quake-vand");
	assert_string_equal(item->version, "1");
	assert_int_equal(item->created_ms, 1768042927000);
	assert_int_equal(item->embargo_ms, 0);
	assert_int_equal(item->status, ITEM_USABLE);
	assert_int_equal(item->class, CLASS_FLASH);
	assert_null(item->evolved_from);
	assert_string_equal(item->lang, "en");
	assert_string_equal(item->type, "text");
	assert_null(item->notice);
	assert_int_equal(strlen(item->hash), 32);
	item_free(item);
	free(text);
}

static void a_kill_keeps_its_notice_and_no_text(void **state)
{
	char *text = sample("05-kill-of-03.json");
	struct item *item = accepted(text);

	(void)state;
	assert_int_equal(item->status, ITEM_CANCELED);
	assert_string_equal(item->notice, "This report has been withdrawn. The alert it quoted was "
					  "caused by a sensor fault.");
	assert_string_equal(item->body, "{}");
	item_free(item);
	free(text);
}

/* --- time ------------------------------------------------------------------------------------ */

static void assert_embargo(const char *more, int64_t ms)
{
	struct item *item = accepted(item_with(more));

	assert_int_equal(item->embargo_ms, ms);
	item_free(item);
}

static void every_way_to_say_embargo_is_heard_and_the_latest_wins(void **state)
{
	(void)state;
	assert_embargo("\"embargoedUntil\":\"2026-01-12T05:00:00Z\"", 1768194000000);
	assert_embargo("\"embargoed\":\"2026-01-12T05:00:00Z\"", 1768194000000);
	assert_embargo("\"embargoeduntil\":\"2026-01-12T06:00:00+0100\"", 1768194000000);
	assert_embargo("\"EmbargoedUntil\":\"2026-01-12T05:00:00.000+00:00\"", 1768194000000);
	assert_embargo("\"publish_schedule\":\"2026-01-12T05:00:00+0000\"", 1768194000000);
	assert_embargo("\"embargoedUntil\":\"2026-01-11T05:00:00Z\",\"embargoed\":\"2026-01-12T05:"
		       "00:00Z\"",
		       1768194000000);
	assert_embargo("\"embargoed\":\"2026-01-12T05:00:00Z\",\"embargoedUntil\":\"2026-01-11T05:"
		       "00:00Z\"",
		       1768194000000);
	assert_embargo("\"associations\":{\"p\":{\"embargoed\":\"2026-01-12T05:00:00Z\"}}",
		       1768194000000);
	assert_embargo("\"embargoed\":null", 0);
}

static void an_embargo_that_cannot_be_read_is_refused_rather_than_leaked(void **state)
{
	(void)state;
	assert_refused(item_with("\"embargoed\":\"tomorrow\""), ITEM_BAD_VALUE, "/embargoed");
	assert_refused(item_with("\"embargoedUntil\":\"\""), ITEM_BAD_VALUE, "/embargoedUntil");
	assert_refused(item_with("\"embargoedUntil\":\"2026-02-30T00:00:00Z\""), ITEM_BAD_VALUE,
		       "/embargoedUntil");
	assert_refused(item_with("\"expires\":\"soon\""), ITEM_BAD_VALUE, "/expires");
	assert_refused(item_with("\"associations\":[{\"embargoed\":\"x\"}]"), ITEM_BAD_VALUE,
		       "/associations/0/embargoed");
}

static void other_times_that_cannot_be_read_stay_as_they_are(void **state)
{
	struct item *item = accepted(
		item_with("\"versionCreated\":\"last week\",\"expires\":\"2026-01-12T05:00:00Z\""));

	(void)state;
	assert_int_equal(item->created_ms, 0);
	assert_int_equal(item->expires_ms, 1768194000000);
	assert_non_null(strstr(item->body, "\"versionCreated\":\"last week\""));
	item_free(item);
}

/* --- identity -------------------------------------------------------------------------------- */

static void an_item_without_uri_gets_one_from_its_content(void **state)
{
	struct item *a = accepted("{\"headline\":\"H\"}");
	struct item *b = accepted(" { \"headline\" : \"\\u0048\" } ");
	struct item *c = accepted("{\"headline\":\"I\"}");
	char expected[64];

	(void)state;
	snprintf(expected, sizeof expected, "urn:newswire:%s", a->hash);
	assert_string_equal(a->uri, expected);
	assert_string_equal(a->uri, b->uri);
	assert_string_not_equal(a->uri, c->uri);
	assert_non_null(strstr(a->body, expected));
	assert_string_equal(a->version, "1");
	assert_non_null(strstr(a->body, "\"version\":\"1\""));
	item_free(a);
	item_free(b);
	item_free(c);
}

static void guid_is_the_uri_where_there_is_none(void **state)
{
	struct item *a = accepted("{\"guid\":\"urn:g\",\"headline\":\"H\"}");
	struct item *b = accepted("{\"guid\":\"urn:g\",\"uri\":\"urn:u\",\"headline\":\"H\"}");
	struct item *c = accepted("{\"guid\":\"urn:g\",\"uri\":\"\",\"headline\":\"H\"}");

	(void)state;
	assert_string_equal(a->uri, "urn:g");
	assert_string_equal(b->uri, "urn:u");
	assert_string_equal(c->uri, "urn:g");
	item_free(a);
	item_free(b);
	item_free(c);
}

static void a_version_may_be_a_number(void **state)
{
	static const char *const pairs[][2] = {{"7", "7"},   {"\"7\"", "7"},	 {"7.0", "7"},
					       {"-1", "-1"}, {"\"1.b\"", "1.b"}, {"null", "1"},
					       {"\"\"", "1"}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		char more[64];
		snprintf(more, sizeof more, "\"version\":%s", pairs[i][0]);
		struct item *item = accepted(item_with(more));
		assert_string_equal(item->version, pairs[i][1]);
		item_free(item);
	}
}

static void equal_news_in_unequal_html_has_one_hash(void **state)
{
	struct item *a = accepted("{\"uri\":\"u\",\"body_html\":\"<p class=a>B<br/>C</p>\"}");
	struct item *b = accepted("{\"uri\":\"u\",\"body_html\":\"<P>B<br>C<script>x</script>\"}");

	(void)state;
	assert_string_equal(a->hash, b->hash);
	item_free(a);
	item_free(b);
}

static void html_that_is_too_deep_is_refused_where_it_stands_and_a_kill_goes_through(void **state)
{
	char deep[65 * 3 + 1] = "", json[512];
	struct item *kill;

	(void)state;
	for (int i = 0; i < 65; i++)
		memcpy(deep + (ptrdiff_t)i * 3, i % 2 ? "<q>" : "<s>", 4);
	snprintf(json, sizeof json, "{\"uri\":\"u\",\"headline\":\"H\",\"body_html\":\"%s\"}",
		 deep);
	assert_refused(json, ITEM_TOO_DEEP, "/bodies/0/value");
	snprintf(json, sizeof json,
		 "{\"uri\":\"u\",\"pubstatus\":\"canceled\",\"body_html\":\"%s\"}", deep);
	kill = accepted(json);
	assert_int_equal(kill->status, ITEM_CANCELED);
	item_free(kill);
}

static void the_hash_is_of_the_news_and_not_of_its_channels_or_private_notes(void **state)
{
	struct channel_set plain;
	struct item_report report;
	struct item *a = accepted("{\"uri\":\"u\",\"headline\":\"H\"}");
	struct item *b = accepted(
		"{\"uri\":\"u\",\"headline\":\"H\",\"channels\":[\"world\"],\"ednote\":\"x\"}");
	struct item *c;

	(void)state;
	assert_int_equal(channel_set_read(&plain, "sport", 5, ' '), 0);
	c = item_read("{\"uri\":\"u\",\"headline\":\"H\"}", 26, MAX_ITEM, &plain, &report);
	assert_string_equal(a->hash, b->hash);
	assert_string_equal(a->hash, c->hash);
	assert_null(strstr(b->body, "channels"));
	item_free(a);
	item_free(b);
	item_free(c);
	channel_set_free(&plain);
}

static void an_update_names_the_item_that_it_evolved_from(void **state)
{
	struct item *item = accepted(item_with("\"evolvedfrom\":\"urn:x:0\""));

	(void)state;
	assert_string_equal(item->evolved_from, "urn:x:0");
	assert_non_null(strstr(item->body, "\"evolvedFrom\":\"urn:x:0\""));
	item_free(item);
}

/* --- class and channels ---------------------------------------------------------------------- */

static void assert_class(const char *more, enum news_class class)
{
	struct item *item = accepted(item_with(more));

	assert_int_equal(item->class, class);
	item_free(item);
}

static void urgency_says_how_pressing_it_is(void **state)
{
	static const enum news_class classes[] = {CLASS_FLASH,	  CLASS_BULLETIN, CLASS_URGENT,
						  CLASS_REGULAR,  CLASS_REGULAR,  CLASS_REGULAR,
						  CLASS_DEFERRED, CLASS_DEFERRED, CLASS_DEFERRED};
	char more[32];

	(void)state;
	for (int i = 0; i < 9; i++) {
		snprintf(more, sizeof more, "\"urgency\":%d", i + 1);
		assert_class(more, classes[i]);
	}
	assert_class("", CLASS_REGULAR);
	assert_class("\"urgency\":3.0", CLASS_URGENT);
	assert_class("\"profile\":\"Flash\"", CLASS_FLASH);
	assert_class("\"profile\":\"bulletin\"", CLASS_BULLETIN);
	assert_class("\"profile\":\"flash\",\"urgency\":5", CLASS_REGULAR);
}

static void channels_follow_from_what_an_item_says(void **state)
{
	(void)state;
	assert_channels(item_with(""), "class:regular feed:all story:74a628f0c4808942 type:text");
	assert_channels(item_with("\"evolvedFrom\":\"urn:x:1\",\"uri2\":1"),
			"class:regular feed:all story:74a628f0c4808942 type:text");
	assert_channels(
		item_with("\"language\":\"en_GB\",\"type\":\"video\",\"urgency\":1"),
		"class:flash feed:all lang:en lang:en-gb story:74a628f0c4808942 type:video");
	assert_channels(item_with("\"subjects\":[{\"uri\":\"http://cv.iptc.org/newscodes/"
				  "mediatopic/20000337\"},"
				  "{\"literal\":\"20000001\"},{\"uri\":\"medtop:01000000\"},{"
				  "\"literal\":\"sport\"},{\"name\":\"x\"}]"),
			"class:regular feed:all story:74a628f0c4808942 topic:01000000 "
			"topic:20000001 topic:20000337 type:text");
	assert_channels(item_with("\"place\":[{\"code\":\"SE\",\"scheme\":\"http://cvx.iptc.org/"
				  "iso3166-1a2/\"},"
				  "{\"country_code\":\"UA\"},{\"name\":\"Vand\"},{\"uri\":\"http://"
				  "x/country/FI\"}]"),
			"class:regular feed:all region:fi region:se region:ua "
			"story:74a628f0c4808942 type:text");
	assert_channels(item_with("\"service\":[{\"code\":\"w\",\"name\":\"World "
				  "News!\"},{\"code\":\"l\",\"name\":\"\\u041c\"},"
				  "{\"name\":\"???\"},7],\"desk\":\"Sport\""),
			"class:regular desk:l desk:sport desk:world-news feed:all "
			"story:74a628f0c4808942 type:text");
}

static void a_language_that_is_none_makes_no_channel(void **state)
{
	(void)state;
	assert_channels(item_with("\"language\":\"e n\""),
			"class:regular feed:all story:74a628f0c4808942 type:text");
	assert_channels(item_with("\"language\":\"en-\""),
			"class:regular feed:all story:74a628f0c4808942 type:text");
	assert_channels(item_with("\"language\":\"\""),
			"class:regular feed:all story:74a628f0c4808942 type:text");
}

static void publishers_name_plain_channels_only(void **state)
{
	(void)state;
	assert_channels(item_with("\"channels\":[\"world\",\"sport\",\"world\"]"),
			"class:regular feed:all sport story:74a628f0c4808942 type:text world");
	assert_refused(item_with("\"channels\":[\"world\",\"class:flash\"]"), ITEM_BAD_CHANNEL,
		       "/channels/1");
	assert_refused(item_with("\"channels\":[\"World\"]"), ITEM_BAD_CHANNEL, "/channels/0");
	assert_refused(item_with("\"channels\":[\"a b\"]"), ITEM_BAD_CHANNEL, "/channels/0");
}

static void a_drill_goes_to_its_own_channels_and_to_no_other(void **state)
{
	(void)state;
	assert_channels(item_with("\"urgency\":1,\"language\":\"en\",\"channels\":[\"exercise\"]"),
			"exercise");
	assert_channels(item_with("\"channels\":[\"exercise.night\",\"exercise\"]"),
			"exercise exercise.night");
	assert_channels(item_with("\"channels\":[\"exercises\"]"),
			"class:regular exercises feed:all story:74a628f0c4808942 type:text");
	assert_refused(item_with("\"channels\":[\"exercise\",\"world\"]"), ITEM_BAD_CHANNEL,
		       "/channels");
}

static void a_forged_channel_of_the_transport_is_refused_too(void **state)
{
	const char *json = "{\"uri\":\"u\",\"headline\":\"H\"}";
	struct item_report report;
	struct channel_set plain;

	(void)state;
	assert_int_equal(channel_set_read(&plain, "class:flash", 11, ' '), 0);
	assert_null(item_read(json, strlen(json), MAX_ITEM, &plain, &report));
	assert_int_equal(report.refusal, ITEM_BAD_CHANNEL);
	channel_set_free(&plain);
}

static void hundreds_of_topics_do_not_overflow_the_channels(void **state)
{
	struct buf b = {0};
	struct item *item;

	(void)state;
	buf_adds(&b, "{\"uri\":\"u\",\"headline\":\"H\",\"subjects\":[");
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "%s{\"literal\":\"%d\"}", i ? "," : "", 20000000 + i);
	buf_adds(&b, "]}");
	item = accepted(news_test_text(&b));
	assert_in_range(item->channels.count, 64, 70);
	item_free(item);
	buf_free(&b);
}

/* --- kills and holds ------------------------------------------------------------------------- */

static void a_kill_goes_through_whatever_else_is_wrong_with_it(void **state)
{
	struct item *item = accepted("{\"guid\":\"urn:x:1\",\"pubstatus\":\"Cancelled\","
				     "\"version\":4,\"urgency\":77,\"type\":\"?\","
				     "\"embargoed\":\"never\",\"renditions\":7,\"associations\":[{"
				     "\"uri\":{}}],\"channels\":{},"
				     "\"profile\":\"advisory\",\"headline\":\"Kill\",\"body_html\":"
				     "\"Please kill story S\"}");

	(void)state;
	assert_int_equal(item->status, ITEM_CANCELED);
	assert_string_equal(item->version, "4");
	assert_string_equal(item->body, "{}");
	assert_null(item->notice);
	assert_int_equal(item->class, CLASS_REGULAR);
	item_free(item);
}

static void a_kill_must_still_say_what_it_kills(void **state)
{
	(void)state;
	assert_refused("{\"pubStatus\":\"canceled\",\"headline\":\"K\"}", ITEM_BAD_VALUE, "/uri");
	assert_refused("{\"pubStatus\":\"canceled\",\"uri\":7}", ITEM_WRONG_TYPE, "/uri");
	assert_refused("{\"pubStatus\":\"canceled\",\"uri\":\"u\",\"version\":{}}", ITEM_WRONG_TYPE,
		       "/version");
	assert_refused("{\"pubStatus\":\"withheld\",\"headline\":\"K\"}", ITEM_BAD_VALUE, "/uri");
}

static void a_withheld_item_has_no_text_either(void **state)
{
	struct item *item = accepted(item_with("\"pubStatus\":\"withheld\",\"descriptions\":[{"
					       "\"role\":\"notice\",\"value\":\"Wait.\"}]"));

	(void)state;
	assert_int_equal(item->status, ITEM_WITHHELD);
	assert_string_equal(item->body, "{}");
	assert_string_equal(item->notice, "Wait.");
	item_free(item);
}

static void only_plain_words_meant_for_readers_become_the_notice(void **state)
{
	static const char *const silent[] = {
		"\"descriptions\":[{\"role\":\"summary\",\"value\":\"S\"}]",
		("\"descriptions\":[{\"role\":\"notice\",\"contentType\":"
		 "\"text/html\",\"value\":\"<b>S</b>\"}]"),
		"\"descriptions\":[{\"role\":\"withdrawal\",\"value\":\"\"}]",
		"\"description_text\":\"S\"",
		"\"body_text\":\"Please kill story S\"",
	};
	char json[512];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(silent); i++) {
		snprintf(json, sizeof json, "{\"uri\":\"u\",\"pubStatus\":\"canceled\",%s}",
			 silent[i]);
		struct item *item = accepted(json);
		assert_null(item->notice);
		item_free(item);
	}
}

static void a_long_notice_is_cut_at_a_whole_character(void **state)
{
	struct buf b = {0};
	struct item *item;

	(void)state;
	buf_adds(&b, "{\"uri\":\"u\",\"pubStatus\":\"canceled\",\"descriptions\":[{\"role\":"
		     "\"withdrawal\",\"value\":\"x");
	for (int i = 0; i < 400; i++)
		buf_adds(&b, "\xd0\xb6");
	buf_adds(&b, "\"}]}");
	item = accepted(news_test_text(&b));
	assert_int_equal(strlen(item->notice), 499);
	item_free(item);
	buf_free(&b);
}

/* --- white space ----------------------------------------------------------------------------- */

static void assert_same_news(const char *json, const char *spaced)
{
	struct item *one = accepted(json), *other = accepted(spaced);

	assert_string_equal(one->body, other->body);
	assert_string_equal(one->hash, other->hash);
	item_free(one);
	item_free(other);
}

static void white_space_around_tokens_means_nothing(void **state)
{
	(void)state;
	assert_same_news("{\"headline\":\"H\",\"urgency\":3,\"x\":[1,true,null,{}]}",
			 " \r\n{\t\"headline\" : \"H\" ,\n  \"urgency\"\t:  3 \n,\"x\": "
			 "[ 1 , true\t,\r\nnull , { } ]\n}\n ");
}

static void white_space_in_texts_stays(void **state)
{
	struct item *item =
		accepted("{ \"headline\" : \" a  b \\\" : [  { \\\\\" , \"uri\" : \"u\" }");

	(void)state;
	assert_non_null(strstr(item->body, "\" a  b \\\" : [  { \\\\\""));
	item_free(item);
}

static void white_space_still_parts_tokens(void **state)
{
	(void)state;
	assert_refused("{\"headline\":\"H\",\"urgency\":1 2}", ITEM_NOT_JSON, "");
	assert_refused("{\"headline\":\"H\",\"urgency\":- 2}", ITEM_NOT_JSON, "");
	assert_refused("{\"headline\":\"H\",\"x\":tru e}", ITEM_NOT_JSON, "");
	assert_refused("{\"headline\":\"H\",\"x\":1 \n .5}", ITEM_NOT_JSON, "");
	assert_refused("{\"headline\":\"H\" \"x\":1}", ITEM_NOT_JSON, "");
	assert_refused(" \n\t ", ITEM_NOT_JSON, "");
	assert_refused("", ITEM_NOT_JSON, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sample_is_accepted),
		cmocka_unit_test(an_item_says_what_it_is),
		cmocka_unit_test(a_kill_keeps_its_notice_and_no_text),
		cmocka_unit_test(every_way_to_say_embargo_is_heard_and_the_latest_wins),
		cmocka_unit_test(an_embargo_that_cannot_be_read_is_refused_rather_than_leaked),
		cmocka_unit_test(other_times_that_cannot_be_read_stay_as_they_are),
		cmocka_unit_test(an_item_without_uri_gets_one_from_its_content),
		cmocka_unit_test(guid_is_the_uri_where_there_is_none),
		cmocka_unit_test(a_version_may_be_a_number),
		cmocka_unit_test(equal_news_in_unequal_html_has_one_hash),
		cmocka_unit_test(
			html_that_is_too_deep_is_refused_where_it_stands_and_a_kill_goes_through),
		cmocka_unit_test(the_hash_is_of_the_news_and_not_of_its_channels_or_private_notes),
		cmocka_unit_test(an_update_names_the_item_that_it_evolved_from),
		cmocka_unit_test(urgency_says_how_pressing_it_is),
		cmocka_unit_test(channels_follow_from_what_an_item_says),
		cmocka_unit_test(a_language_that_is_none_makes_no_channel),
		cmocka_unit_test(publishers_name_plain_channels_only),
		cmocka_unit_test(a_drill_goes_to_its_own_channels_and_to_no_other),
		cmocka_unit_test(a_forged_channel_of_the_transport_is_refused_too),
		cmocka_unit_test(hundreds_of_topics_do_not_overflow_the_channels),
		cmocka_unit_test(a_kill_goes_through_whatever_else_is_wrong_with_it),
		cmocka_unit_test(a_kill_must_still_say_what_it_kills),
		cmocka_unit_test(a_withheld_item_has_no_text_either),
		cmocka_unit_test(only_plain_words_meant_for_readers_become_the_notice),
		cmocka_unit_test(a_long_notice_is_cut_at_a_whole_character),
		cmocka_unit_test(white_space_around_tokens_means_nothing),
		cmocka_unit_test(white_space_in_texts_stays),
		cmocka_unit_test(white_space_still_parts_tokens),
	};

	return cmocka_run_group_tests_name("news_item", tests, NULL, NULL);
}
