/* Every generation of ninjs becomes 3.1, what nobody knows survives, and what is private never gets out. */
#include "news_test.h"
#include "news/item.h"

#define STANDARD "\"standard\":{\"name\":\"ninjs\",\"version\":\"3.1\"}"

/* Checks what an item becomes; both without the braces, the uri and the standard. */
static void assert_becomes(const char *sent, const char *expected)
{
	struct item_report report;
	struct item *item;
	char *json = NULL, *body = NULL;

	assert_true(asprintf(&json, "{\"uri\":\"u\",\"version\":\"1\",%s}", sent) > 0);
	assert_true(asprintf(&body, "{\"uri\":\"u\",\"version\":\"1\",%s," STANDARD "}", expected) >
		    0);
	if ((item = item_read(json, strlen(json), 262144, NULL, &report)) == NULL)
		fail_msg("refused: %s %s", report.fault[0].pointer, report.fault[0].detail);
	else
		assert_string_equal(item->body, body);
	item_free(item);
	free(json);
	free(body);
}

static void an_item_of_our_own_generation_stays_as_it_is(void **state)
{
	static const char same[] =
		"\"type\":\"picture\",\"headlines\":[{\"role\":\"main\",\"value\":\"H\"}],"
		"\"altIds\":[{\"role\":\"r\",\"value\":\"v\"}],"
		"\"subjects\":[{\"name\":\"n\",\"uri\":\"http://x/"
		"1\",\"literal\":\"1\",\"relevance\":50}],"
		"\"renditions\":[{\"name\":\"web\",\"href\":\"http://x\",\"width\":10}],"
		"\"associations\":[{\"name\":\"a\",\"rel\":\"featured\",\"uri\":\"v\",\"by\":\"B\"}"
		"]";

	(void)state;
	assert_becomes(same, same);
}

static void unknown_properties_survive_in_their_place(void **state)
{
	static const char same[] =
		"\"x\":{\"y\":[1,-2,0.1,1e+300,true,false,null,\"\\u0001\\\"\\\\\"]},\"by\":\"B\","
		"\"z\":null,\"headlines\":[{\"value\":\"H\",\"q\":7}]";

	(void)state;
	assert_becomes(same, same);
}

static void text_is_written_as_utf8_and_numbers_as_they_were(void **state)
{
	(void)state;
	assert_becomes("\"headlines\":[{\"value\":\"\\u041c\\u043e\\u043b \\ud83d\\uddde "
		       "\\/\"}],\"n\":0.30000000000000004,\"m\":5.0",
		       "\"headlines\":[{\"value\":\"\xd0\x9c\xd0\xbe\xd0\xbb \xf0\x9f\x97\x9e "
		       "/\"}],\"n\":0.30000000000000004,\"m\":5.0");
}

static void what_is_private_never_gets_out_at_any_depth(void **state)
{
	(void)state;
	assert_becomes(
		"\"edNote\":\"S\",\"by\":\"B\",\"ednote\":{\"x\":1},\"contactInfo\":[],"
		"\"annotations\":[{\"msg\":\"S\"}],"
		"\"headlines\":[{\"value\":\"H\"}],\"people\":[{\"name\":\"P\",\"contactInfo\":[{"
		"\"value\":\"S\"}]}],"
		"\"associations\":[{\"name\":\"a\",\"edNote\":\"S\",\"associations\":[{\"name\":"
		"\"b\",\"EdNote\":\"S\"}]}],"
		"\"extra_items\":{\"f\":{\"items\":[{\"ednote\":\"S\",\"contact_info\":1,\"q\":2}]}"
		"}",
		"\"by\":\"B\",\"headlines\":[{\"value\":\"H\"}],\"people\":[{\"name\":\"P\"}],"
		"\"associations\":[{\"name\":\"a\",\"associations\":[{\"name\":\"b\"}]}],"
		"\"extra_items\":{\"f\":{\"items\":[{\"q\":2}]}}");
}

/* --- 2.x ------------------------------------------------------------------------------------- */

static void lower_case_names_become_camel_case(void **state)
{
	(void)state;
	assert_becomes(
		"\"versioncreated\":\"2026-01-10T11:02:07+02:00\",\"pubstatus\":\"usable\","
		"\"copyrightholder\":\"C\",\"usageterms\":\"U\","
		"\"contenttype\":\"text/"
		"html\",\"representationtype\":\"incomplete\",\"headlines\":[{\"value\":\"H\"}],"
		"\"bodies\":[{\"role\":\"main\",\"contenttype\":\"text/"
		"plain\",\"charcount\":5,\"wordcount\":1,\"value\":\"B\"}],"
		"\"renditions\":[{\"name\":\"r\",\"contenttype\":\"image/"
		"jpeg\",\"sizeinbytes\":7,\"aspectratio\":\"1:1\"}],"
		"\"infosources\":[{\"name\":\"I\"}],\"altids\":[{\"role\":\"r\",\"value\":\"v\"}],"
		"\"trustindicators\":[{\"title\":\"T\"}],\"rightsinfo\":{\"langid\":\"l\","
		"\"linkedrights\":\"http://r\"}",
		"\"headlines\":[{\"value\":\"H\"}],"
		"\"bodies\":[{\"role\":\"main\",\"value\":\"B\",\"contentType\":\"text/"
		"plain\",\"charCount\":5,\"wordCount\":1}],"
		"\"renditions\":[{\"name\":\"r\",\"contentType\":\"image/"
		"jpeg\",\"sizeInBytes\":7,\"aspectRatio\":\"1:1\"}],"
		"\"versionCreated\":\"2026-01-10T09:02:07Z\",\"pubStatus\":\"usable\","
		"\"copyrightHolder\":\"C\",\"usageTerms\":\"U\","
		"\"contentType\":\"text/html\",\"representationType\":\"partial\","
		"\"infoSources\":[{\"name\":\"I\"}],\"altIds\":[{\"role\":\"r\",\"value\":\"v\"}],"
		"\"trustIndicators\":[{\"title\":\"T\"}],\"rightsInfo\":{\"langId\":\"l\","
		"\"linkedRights\":\"http://r\"}");
}

static void the_newer_form_wins_where_both_are_there(void **state)
{
	(void)state;
	assert_becomes(
		"\"byline\":\"old\",\"by\":\"new\",\"headline\":\"old\",\"headlines\":[{\"value\":"
		"\"new\"}],\"person\":[{\"name\":\"old\"}],"
		"\"people\":[{\"name\":\"new\"}],\"pubstatus\":\"usable\",\"pubStatus\":\"usable\"",
		"\"by\":\"new\",\"headlines\":[{\"value\":\"new\"}],\"people\":[{\"name\":\"new\"}]"
		",\"pubStatus\":\"usable\"");
}

static void an_empty_value_leaves_the_place_to_the_older_form(void **state)
{
	(void)state;
	assert_becomes("\"by\":null,\"byline\":\"B\",\"headline\":\"H\",\"headlines\":null,"
		       "\"language\":null",
		       "\"by\":\"B\",\"headlines\":[{\"role\":\"main\",\"value\":\"H\"}]");
}

static void times_become_utc(void **state)
{
	(void)state;
	assert_becomes("\"by\":\"B\",\"headlines\":[{\"value\":\"H\"}],\"firstCreated\":\"2026-01-"
		       "10T11:02:07.25+0100\",\"contentCreated\":\"2026-01-10 11:02\","
		       "\"expires\":\"2026-01-10T11:02:07-01:00\",\"versionCreated\":\"Friday\"",
		       "\"by\":\"B\",\"headlines\":[{\"value\":\"H\"}],\"firstCreated\":\"2026-01-"
		       "10T10:02:07.250Z\",\"contentCreated\":\"2026-01-10T11:02:00Z\","
		       "\"expires\":\"2026-01-10T12:02:07Z\",\"versionCreated\":\"Friday\"");
}

/* --- 1.x ------------------------------------------------------------------------------------- */

static void texts_become_arrays_with_role_and_content_type(void **state)
{
	(void)state;
	assert_becomes(
		"\"headline_short\":\"S\",\"headline\":\"H\",\"description_text\":\"D\","
		"\"description_correction_html\":\"<p>C\",\"body_html\":\"<p>B\","
		"\"body_text\":\"B\",\"body_xhtml\":\"\",\"body_nitf\":\"N\",\"charcount\":10,"
		"\"wordcount\":2",
		"\"headlines\":[{\"role\":\"main\",\"value\":\"H\"},{\"role\":\"short\",\"value\":"
		"\"S\"}],"
		"\"descriptions\":[{\"role\":\"summary\",\"contentType\":\"text/"
		"plain\",\"value\":\"D\"},"
		"{\"role\":\"correction\",\"contentType\":\"text/html\",\"value\":\"<p>C</p>\"}],"
		"\"bodies\":[{\"role\":\"main\",\"contentType\":\"text/"
		"html\",\"value\":\"<p>B</p>\",\"charCount\":10,\"wordCount\":2},"
		"{\"role\":\"main\",\"contentType\":\"text/plain\",\"value\":\"B\"},"
		"{\"role\":\"main\",\"contentType\":\"application/nitf+xml\",\"value\":\"N\"}]");
}

/* --- HTML ------------------------------------------------------------------------------------ */

static void html_is_cleaned_and_bodies_are_counted(void **state)
{
	(void)state;
	assert_becomes(
		"\"headlines\":[{\"contentType\":\"text/html\",\"value\":\"<b onclick=x>H</b>\"}],"
		"\"bodies\":[{\"contenttype\":\"Text/HTML; charset=utf-8\",\"value\":"
		"\"<p>One two<script>x</script>\"},"
		"{\"contentType\":\"text/html\",\"value\":\"<p>x</p>\",\"wordCount\":9},"
		"{\"contentType\":\"application/xhtml+xml\",\"value\":\"<p>議会は<br/>夜</p>\"}]",
		"\"headlines\":[{\"contentType\":\"text/html\",\"value\":\"<b>H</b>\"}],"
		"\"bodies\":[{\"value\":\"<p>One two</p>\",\"contentType\":"
		"\"Text/HTML; charset=utf-8\",\"charCount\":7,\"wordCount\":2},"
		"{\"contentType\":\"text/html\",\"value\":\"<p>x</p>\",\"wordCount\":9},"
		"{\"contentType\":\"application/xhtml+xml\",\"value\":\"<p>議会は<br>夜</p>\","
		"\"charCount\":5}]");
}

static void html_inside_an_association_is_cleaned(void **state)
{
	(void)state;
	assert_becomes("\"headlines\":[{\"value\":\"H\"}],\"associations\":[{\"name\":\"p\","
		       "\"descriptions\":[{\"role\":\"caption\",\"contentType\":\"text/html\","
		       "\"value\":\"<i style=x>C\"}]}]",
		       "\"headlines\":[{\"value\":\"H\"}],\"associations\":[{\"name\":\"p\","
		       "\"descriptions\":[{\"role\":\"caption\",\"contentType\":\"text/html\","
		       "\"value\":\"<i>C</i>\"}]}]");
}

static void text_that_is_no_html_stays_as_it_was_written(void **state)
{
	(void)state;
	assert_becomes("\"headlines\":[{\"value\":\"<script>x</script>\"}],\"by\":\"<b>B\","
		       "\"bodies\":[{\"contentType\":\"text/plain\",\"value\":\"<script>\"}]",
		       "\"headlines\":[{\"value\":\"<script>x</script>\"}],\"by\":\"<b>B\","
		       "\"bodies\":[{\"contentType\":\"text/plain\",\"value\":\"<script>\"}]");
}

static void scheme_and_code_become_uri_and_literal(void **state)
{
	(void)state;
	assert_becomes("\"headline\":\"H\",\"subject\":[{\"name\":\"a\",\"scheme\":\"http://x/"
		       "cv\",\"code\":\"7\"},{\"scheme\":\"http://x/cv/\",\"code\":8},"
		       "{\"code\":\"20000337\"},{\"code\":\"04000000\"},{\"code\":\"q\",\"scheme\":"
		       "\"topics\"},{\"uri\":\"http://u\",\"code\":\"9\"}]",
		       "\"headlines\":[{\"role\":\"main\",\"value\":\"H\"}],\"subjects\":[{"
		       "\"name\":\"a\",\"literal\":\"7\",\"uri\":\"http://x/cv/7\"},"
		       "{\"literal\":\"8\",\"uri\":\"http://x/cv/"
		       "8\"},{\"literal\":\"20000337\",\"uri\":\"http://cv.iptc.org/newscodes/"
		       "mediatopic/20000337\"},"
		       "{\"literal\":\"04000000\"},{\"scheme\":\"topics\",\"literal\":\"q\"},{"
		       "\"uri\":\"http://u\",\"literal\":\"9\"}]");
}

static void singular_names_become_plural(void **state)
{
	(void)state;
	assert_becomes(
		"\"headline\":\"H\",\"person\":[{\"name\":\"p\",\"rel\":\"about\"}],"
		"\"organisation\":[{\"name\":\"o\",\"symbols\":[{\"ticker\":\"T\"}]}],"
		"\"place\":[{\"name\":\"l\"}],\"event\":[{\"name\":\"e\"}],\"object\":[{\"name\":"
		"\"b\"}],\"genre\":[{\"name\":\"g\"}],\"infosource\":[{\"name\":\"i\"}]",
		"\"headlines\":[{\"role\":\"main\",\"value\":\"H\"}],\"people\":[{\"name\":\"p\","
		"\"rel\":\"about\"}],"
		"\"organisations\":[{\"name\":\"o\",\"symbols\":[{\"ticker\":\"T\"}]}],\"places\":["
		"{\"name\":\"l\"}],\"events\":[{\"name\":\"e\"}],"
		"\"objects\":[{\"name\":\"b\"}],\"genres\":[{\"name\":\"g\"}],\"infoSources\":[{"
		"\"name\":\"i\"}]");
}

static void objects_by_key_become_arrays_with_a_name(void **state)
{
	(void)state;
	assert_becomes(
		"\"renditions\":{\"web\":{\"href\":\"http://a\",\"mimetype\":\"image/"
		"png\",\"width\":1.0},\"none\":null},"
		"\"associations\":{\"main\":{\"uri\":\"v\",\"headline\":\"N\",\"associations\":{"
		"\"deep\":{\"guid\":\"w\"}}},\"gone\":null},"
		"\"altids\":{\"one\":\"1\",\"two\":2},\"trustindicator\":[{\"scheme\":\"http://"
		"t\",\"code\":\"c\",\"title\":\"T\"}]",
		"\"renditions\":[{\"href\":\"http://a\",\"width\":1.0,\"contentType\":\"image/"
		"png\",\"name\":\"web\"}],"
		"\"associations\":[{\"uri\":\"v\",\"associations\":[{\"uri\":\"w\",\"name\":"
		"\"deep\"}],"
		"\"headlines\":[{\"role\":\"main\",\"value\":\"N\"}],\"name\":\"main\"}],"
		"\"altIds\":[{\"role\":\"one\",\"value\":\"1\"},{\"role\":\"two\",\"value\":2}],"
		"\"trustIndicators\":[{\"title\":\"T\",\"role\":\"http://t/c\"}]");
}

static void a_withdrawn_or_withheld_picture_does_not_travel_in_a_story(void **state)
{
	(void)state;
	assert_becomes("\"headlines\":[{\"value\":\"H\"}],\"associations\":{\"a\":{\"uri\":\"a\","
		       "\"pubstatus\":\"canceled\"},"
		       "\"b\":{\"uri\":\"b\",\"pubstatus\":\"withheld\"},\"c\":{\"uri\":\"c\","
		       "\"pubStatus\":\"usable\"}}",
		       "\"headlines\":[{\"value\":\"H\"}],\"associations\":[{\"uri\":\"c\","
		       "\"pubStatus\":\"usable\",\"name\":\"c\"}]");
	assert_becomes("\"headlines\":[{\"value\":\"H\"}],\"associations\":[{\"uri\":\"a\","
		       "\"pubStatus\":\"canceled\"},null,{\"uri\":\"c\"}]",
		       "\"headlines\":[{\"value\":\"H\"}],\"associations\":[{\"uri\":\"c\"}]");
}

static void the_standard_is_ours_afterwards(void **state)
{
	(void)state;
	assert_becomes("\"headlines\":[{\"value\":\"H\"}],\"standard\":{\"name\":\"ninjs\","
		       "\"version\":\"2.1\",\"schema\":\"http://s\"},\"$standard\":{}",
		       "\"headlines\":[{\"value\":\"H\"}]");
}

/* --- Superdesk ------------------------------------------------------------------------------- */

static void the_lead_picture_of_superdesk_is_featured_with_caption_alt_and_credit(void **state)
{
	(void)state;
	assert_becomes(
		"\"headline\":\"H\",\"associations\":{\"featuremedia\":{\"guid\":\"p\",\"type\":"
		"\"picture\",\"description_text\":\"Caption\",\"body_text\":\"Alt\","
		"\"byline\":\"B\",\"source\":\"Agency\"},\"other\":{\"guid\":\"q\",\"type\":"
		"\"picture\",\"copyrightholder\":\"C\",\"source\":\"Agency\"}}",
		"\"associations\":[{\"type\":\"picture\",\"uri\":\"p\",\"descriptions\":[{\"role\":"
		"\"caption\",\"contentType\":\"text/plain\","
		"\"value\":\"Caption\"},{\"role\":\"alt\",\"value\":\"Alt\"}],\"by\":\"B\","
		"\"infoSources\":[{\"name\":\"Agency\",\"role\":\"source\"}],\"copyrightHolder\":"
		"\"Agency\",\"name\":\"featuremedia\",\"rel\":\"featured\"},"
		"{\"type\":\"picture\",\"uri\":\"q\",\"copyrightHolder\":\"C\",\"infoSources\":[{"
		"\"name\":\"Agency\",\"role\":\"source\"}],\"name\":\"other\"}],"
		"\"headlines\":[{\"role\":\"main\",\"value\":\"H\"}]");
}

static void authors_of_superdesk_become_associations(void **state)
{
	(void)state;
	assert_becomes(
		"\"headlines\":[{\"value\":\"H\"}],\"authors\":[{\"code\":\"op\",\"name\":\"O\","
		"\"role\":\"writer\",\"biography\":\"Bio\",\"avatar_url\":\"http://a\","
		"\"jobtitle\":{\"qcode\":\"1\",\"name\":\"Reporter\"},\"twitter\":\"@o\"},{"
		"\"code\":\"a b\",\"name\":\"Q\",\"jobtitle\":\"Editor\"},{\"name\":\"\"},7]",
		"\"headlines\":[{\"value\":\"H\"}],\"associations\":[{\"name\":\"author\",\"rel\":"
		"\"author\",\"type\":\"component\","
		"\"uri\":\"urn:newswire:author:op\",\"title\":\"O\",\"descriptions\":[{\"role\":"
		"\"jobtitle\",\"value\":\"Reporter\"},"
		"{\"role\":\"role\",\"value\":\"writer\"},{\"role\":\"biography\",\"value\":"
		"\"Bio\"}],"
		"\"renditions\":[{\"name\":\"avatar\",\"href\":\"http://a\"}],\"twitter\":\"@o\"},"
		"{\"name\":\"author\",\"rel\":\"author\",\"type\":\"component\",\"title\":\"Q\","
		"\"descriptions\":[{\"role\":\"jobtitle\",\"value\":\"Editor\"}]}]");
}

static void what_superdesk_adds_and_nobody_else_knows_stays(void **state)
{
	(void)state;
	assert_becomes("\"headlines\":[{\"value\":\"H\"}],\"priority\":6,\"service\":[{\"code\":"
		       "\"l\"}],\"keywords\":[\"k\"],\"readtime\":0,\"signal\":[],\"extra\":{},"
		       "\"source\":\"S\",\"firstpublished\":\"2026-01-10T11:02:07+0000\"",
		       "\"headlines\":[{\"value\":\"H\"}],\"priority\":6,\"service\":[{\"code\":"
		       "\"l\"}],\"keywords\":[\"k\"],\"readtime\":0,\"signal\":[],\"extra\":{},"
		       "\"firstpublished\":\"2026-01-10T11:02:07+0000\",\"infoSources\":[{\"name\":"
		       "\"S\",\"role\":\"source\"}]");
}

static void foreign_authors_and_sources_are_unknown_properties(void **state)
{
	static const char same[] =
		"\"headlines\":[{\"value\":\"H\"}],\"authors\":\"A\",\"source\":{\"x\":1}";

	(void)state;
	assert_becomes(same, same);
}

static void the_latest_of_several_embargoes_is_written(void **state)
{
	(void)state;
	assert_becomes(
		"\"headlines\":[{\"value\":\"H\"}],\"embargoed\":\"2026-01-12T05:00:00Z\","
		"\"embargoedUntil\":\"2026-01-11T05:00:00Z\","
		"\"publish_schedule\":\"2026-01-10T05:00:00Z\"",
		"\"headlines\":[{\"value\":\"H\"}],\"embargoedUntil\":\"2026-01-12T05:00:00Z\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_item_of_our_own_generation_stays_as_it_is),
		cmocka_unit_test(unknown_properties_survive_in_their_place),
		cmocka_unit_test(text_is_written_as_utf8_and_numbers_as_they_were),
		cmocka_unit_test(what_is_private_never_gets_out_at_any_depth),
		cmocka_unit_test(lower_case_names_become_camel_case),
		cmocka_unit_test(the_newer_form_wins_where_both_are_there),
		cmocka_unit_test(an_empty_value_leaves_the_place_to_the_older_form),
		cmocka_unit_test(times_become_utc),
		cmocka_unit_test(texts_become_arrays_with_role_and_content_type),
		cmocka_unit_test(html_is_cleaned_and_bodies_are_counted),
		cmocka_unit_test(html_inside_an_association_is_cleaned),
		cmocka_unit_test(text_that_is_no_html_stays_as_it_was_written),
		cmocka_unit_test(scheme_and_code_become_uri_and_literal),
		cmocka_unit_test(singular_names_become_plural),
		cmocka_unit_test(objects_by_key_become_arrays_with_a_name),
		cmocka_unit_test(a_withdrawn_or_withheld_picture_does_not_travel_in_a_story),
		cmocka_unit_test(the_standard_is_ours_afterwards),
		cmocka_unit_test(
			the_lead_picture_of_superdesk_is_featured_with_caption_alt_and_credit),
		cmocka_unit_test(authors_of_superdesk_become_associations),
		cmocka_unit_test(what_superdesk_adds_and_nobody_else_knows_stays),
		cmocka_unit_test(foreign_authors_and_sources_are_unknown_properties),
		cmocka_unit_test(the_latest_of_several_embargoes_is_written),
	};

	return cmocka_run_group_tests_name("news_ninjs", tests, NULL, NULL);
}
