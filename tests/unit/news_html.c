/* The goal: no HTML that a newsroom sends can run, load or hide anything, and plain formatting stays as it was. */
#include "news_test.h"
#include "news/html.h"
#include "news/html_simple.h"

static enum html_result clean(const char *html, struct buf *out)
{
	*out = (struct buf){0};
	return html_clean(html, strlen(html), out);
}

static void assert_clean(const char *html, const char *expected)
{
	struct buf out;

	assert_int_equal(clean(html, &out), HTML_CLEAN);
	assert_string_equal(news_test_text(&out), expected);
	buf_free(&out);
}

static void assert_stays(const char *html)
{
	assert_clean(html, html);
}

/* What the parser makes of it: a comment is nothing, but too much for the short way. */
static void assert_parsed_as_it_is(const char *html)
{
	size_t len = strlen(html);
	char *commented = malloc(len + sizeof "<!---->");
	struct buf out;

	assert_non_null(commented);
	memcpy(commented, html, len);
	memcpy(commented + len, "<!---->", sizeof "<!---->");
	assert_false(html_is_simple(commented, len + strlen("<!---->")));
	assert_clean(commented, html);
	assert_int_equal(clean(html, &out), HTML_CLEAN);
	assert_string_equal(news_test_text(&out), html);
	buf_free(&out);
	free(commented);
}

/* --- what stays ------------------------------------------------------------------------------ */

static void plain_formatting_stays_as_it_is(void **state)
{
	(void)state;
	assert_stays("");
	assert_stays("Only text, \"quoted\" — and Ліхтарі.");
	assert_stays("<p>The <b>ferry</b> <em>leaves</em> at <strong>nine</strong>.<br>Twice.</p>\n"
		     "<p>H<sub>2</sub>O</p>");
	assert_stays(
		"<h3>Why</h3><h4>How</h4><ul><li>One</li><li>Two</li></ul>"
		"<ol start=\"3\"><li>Three</li></ol><blockquote><p>We will.</p></blockquote><hr>");
	assert_stays("<table><caption>Votes</caption><thead><tr><th>For</th></tr></thead>"
		     "<tbody><tr><td colspan=\"2\">7</td></tr></tbody></table>");
	assert_stays("<p lang=\"ar\" dir=\"rtl\">x</p><pre>\n\nkept  as it is</pre>");
	assert_stays("<p>1 &lt; 2 &amp; 3 &gt; 2</p>");
}

static void what_is_left_open_is_closed(void **state)
{
	(void)state;
	assert_clean("<p>One<p>Two", "<p>One</p><p>Two</p>");
	assert_clean("<ul><li>a<li><b>b</ul>c", "<ul><li>a</li><li><b>b</b></li></ul><b>c</b>");
	assert_clean("</p></div>x</b>", "<p></p>x");
	assert_clean("caf&eacute; &nbsp;&lt;b&gt;", "café \u00a0&lt;b&gt;");
}

static void large_headings_step_back_behind_the_pages_own(void **state)
{
	(void)state;
	assert_clean("<h1>A</h1><h2>B</h2><h6>C</h6>", "<h3>A</h3><h3>B</h3><h6>C</h6>");
}

static void blocks_become_plain_ones_and_inline_dress_goes(void **state)
{
	(void)state;
	assert_clean("<section class=x><p>One</p></section><span style=\"color:red\">two</span>",
		     "<div><p>One</p></div>two");
	assert_clean("<my-card>a</my-card><font size=7>b</font>", "ab");
	assert_clean("<!DOCTYPE html><html><head><title>T</title><style>p{}</style></head>"
		     "<body onload=x><p>B</p></body></html>",
		     "<p>B</p>");
}

/* --- links and pictures ---------------------------------------------------------------------- */

static void a_link_goes_to_the_web_or_to_mail_and_vouches_for_nothing(void **state)
{
	(void)state;
	assert_clean("<a href=\"https://a.example/?a=1&b=2\" target=_top rel=me onclick=x>y</a>",
		     "<a href=\"https://a.example/?a=1&amp;b=2\" rel=\"noopener nofollow\">y</a>");
	assert_clean("<a href=' MAILTO:desk@a.example '>y</a>",
		     "<a href=\"MAILTO:desk@a.example\" rel=\"noopener nofollow\">y</a>");
}

static void a_link_to_anything_else_is_only_its_text(void **state)
{
	static const char *const bad[] = {"javascript:alert(1)",
					  "JaVaScRiPt:alert(1)",
					  " javascript:alert(1)",
					  "java&#10;script:x",
					  "java\tscript:alert(1)",
					  "&#1;javascript:alert(1)",
					  "&#106;avascript:x",
					  "vbscript:x",
					  "data:text/html,<script>x</script>",
					  "//a.example",
					  "/relative",
					  "#top",
					  "ftp://a.example",
					  "https:/\\a.example",
					  "htt\nps://a.example",
					  "https://",
					  "https://a\n.example",
					  "",
					  "file:///etc/passwd",
					  "blob:https://a/b",
					  "javascript://a.example/%0aalert(1)"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		char html[128];
		snprintf(html, sizeof html, "<p><a href=\"%s\">y</a></p>", bad[i]);
		assert_clean(html, "<p>y</p>");
		snprintf(html, sizeof html, "<p>y<img alt=z src=\"%s\"></p>", bad[i]);
		assert_clean(html, "<p>y</p>");
	}
}

static void a_picture_has_its_address_its_words_and_its_size(void **state)
{
	(void)state;
	assert_clean("<figure><img src=https://a.example/b.png alt='A \"pier\"' width=640 "
		     "height=480px srcset=x onerror=x><figcaption>C</figcaption></figure>",
		     "<figure><img src=\"https://a.example/b.png\" alt=\"A &quot;pier&quot;\" "
		     "width=\"640\"><figcaption>C</figcaption></figure>");
	assert_clean("<img src=\"https://a/b\">", "<img src=\"https://a/b\" alt=\"\">");
	assert_clean("<img src=\"mailto:a@b\">x", "x");
}

/* --- what goes ------------------------------------------------------------------------------- */

static void what_runs_loads_or_asks_goes_with_all_that_it_holds(void **state)
{
	static const char *const gone[] = {
		"<script>alert(1)</script>",
		"<SCRIPT SRC=https://evil/x.js></SCRIPT>",
		"<style>@import 'x'</style>",
		"<iframe src=\"javascript:alert(1)\">x</iframe>",
		"<object data=x><param name=a>x</object>",
		"<embed src=x>",
		"<svg onload=alert(1)><circle/><text>x</text></svg>",
		"<svg><foreignObject><p>x</p></foreignObject></svg>",
		"<svg><script>alert(1)</script></svg>",
		"<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></math>",
		"<form action=x><input><button>x</button></form>",
		"<select><option>x</select>",
		"<textarea></p><script>x</script></textarea>",
		"<template><script>x</script></template>",
		"<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
		"<video src=x autoplay></video>",
		"<audio onerror=x src=x></audio>",
		"<!-- <script>x</script> -->",
		"<!--><script>alert(1)</script>-->",
		"<base href=https://evil/>",
		"<meta http-equiv=refresh content=0><link rel=stylesheet href=x>"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(gone); i++) {
		struct buf out;
		char html[256];
		snprintf(html, sizeof html, "<p>a</p>%s", gone[i]);
		assert_int_equal(clean(html, &out), HTML_CLEAN);
		assert_memory_equal(news_test_text(&out), "<p>a</p>", 8);
		for (const char *lt = out.data + 8; (lt = strchr(lt, '<')); lt++)
			assert_true(strncmp(lt, "<p>", 3) == 0 || strncmp(lt, "</p>", 4) == 0);
		assert_null(strstr(out.data, "alert"));
		buf_free(&out);
	}
}

static void no_handler_style_or_unknown_attribute_stays(void **state)
{
	(void)state;
	assert_clean("<p onclick=x onmouseover='y' style=\"background:url(javascript:x)\" id=a "
		     "class=b data-x=1 tabindex=0 autofocus contenteditable xlink:href=x>t</p>",
		     "<p>t</p>");
	assert_clean("<p/onclick=alert(1)>t", "<p>t</p>");
	assert_clean("<b lang='en\" onclick=\"x' dir=\"up\">t</b>", "<b>t</b>");
	assert_clean("<td onclick=x>t", "t");
	assert_clean("<img/src=\"https://a/b\"onerror=alert(1)//>",
		     "<img src=\"https://a/b\" alt=\"\">");
}

static void markup_that_was_text_stays_text(void **state)
{
	(void)state;
	assert_clean("&lt;script&gt;alert(1)&lt;/script&gt;",
		     "&lt;script&gt;alert(1)&lt;/script&gt;");
	assert_clean("<scr<script>ipt>alert(1)</script>", "ipt&gt;alert(1)");
	assert_clean("<img src=\"https://a/\" alt=\"&quot;><script>x</script>\">",
		     "<img src=\"https://a/\" "
		     "alt=\"&quot;&gt;&lt;script&gt;x&lt;/script&gt;\">");
}

static void a_character_reference_out_of_range_breaks_no_utf8(void **state)
{
	struct buf out;

	(void)state;
	assert_int_equal(clean("<p>a&#x800000FF;b&#xD800;&#4294967232;</p>", &out), HTML_CLEAN);
	assert_null(strchr(news_test_text(&out), 0xff));
	assert_null(strchr(out.data, 0xc0));
	buf_free(&out);
	assert_clean("&#0;&#xD800;", "\uFFFD\uFFFD");
}

/* --- bounds ---------------------------------------------------------------------------------- */

static char *repeat(const char *part, size_t times)
{
	size_t len = strlen(part);
	char *text = malloc(len * times + 1);

	assert_non_null(text);
	for (size_t i = 0; i < times; i++)
		memcpy(text + i * len, part, len);
	text[len * times] = '\0';
	return text;
}

static void assert_repeated(const char *before, const char *part, size_t times,
			    enum html_result expected)
{
	char *many = repeat(part, times), *html = NULL;
	struct buf out;

	assert_true(asprintf(&html, "%s%s", before, many) > 0);
	assert_int_equal(clean(html, &out), expected);
	buf_free(&out);
	free(html);
	free(many);
}

static void too_deep_and_too_much_are_refused(void **state)
{
	(void)state;
	assert_repeated("", "<div>", HTML_DEPTH_MAX, HTML_CLEAN);
	assert_repeated("", "<div>", HTML_DEPTH_MAX + 1, HTML_TOO_DEEP);
	assert_repeated("", "<div>", 50000, HTML_TOO_LARGE);
	assert_repeated("", "<span>", 4000, HTML_CLEAN);
	assert_repeated("<p ", "a ", 100, HTML_CLEAN);
	assert_repeated("", "word ", 50000, HTML_CLEAN);
	assert_repeated(
		"",
		"<p>A line of a <b>long</b> story, of a hundred and so characters, which stands "
		"for all that people write.</p>",
		2500, HTML_CLEAN);
}

static void more_attributes_than_prose_has_are_refused(void **state)
{
	char html[100000] = "<p";
	size_t len = 2;
	struct buf out;

	(void)state;
	for (int i = 0; i < 9000; i++)
		len += (size_t)snprintf(html + len, sizeof html - len, " a%d", i);
	memcpy(html + len, ">", 2);
	assert_int_equal(clean(html, &out), HTML_TOO_LARGE);
	buf_free(&out);
}

static void what_multiplies_itself_is_refused(void **state)
{
	char *attribute = repeat("x", 60000), *html = NULL, *many = repeat("<p>x", 4000);
	struct buf out;

	(void)state;
	assert_repeated("<p><a href=\"https://a.example/a-rather-long-address-of-a-story\">",
			"<p>x", 500, HTML_TOO_LARGE);
	assert_true(asprintf(&html, "<p><b a=%s>%s", attribute, many) > 0);
	assert_int_equal(clean(html, &out), HTML_TOO_LARGE);
	buf_free(&out);
	free(html);
	free(many);
	free(attribute);
}

/* --- counts ---------------------------------------------------------------------------------- */

static struct html_counts count_of(const char *html)
{
	struct html_counts counts;

	html_count(html, strlen(html), &counts);
	return counts;
}

static void text_is_counted_as_readers_count(void **state)
{
	(void)state;
	assert_int_equal(count_of("").words, 0);
	assert_int_equal(count_of("<p>Two boats – make <b>f</b>our\u00a0crossings.</p>").words, 5);
	assert_int_equal(count_of("<p>one</p><p>two<br>three</p><ul><li>four</li></ul>").words, 4);
	assert_int_equal(count_of("<p>one<a href=\"https://a/b c\">joined</a></p>").words, 1);
	assert_int_equal(count_of("<p>1 &lt; 2 &amp; – …</p>").words, 2);
	assert_int_equal(count_of("<p>Ліхтарі на молі</p>").words, 3);
	assert_int_equal(count_of("<p> a  b </p>\n<p>c&amp;</p>").characters, 6);
	assert_int_equal(count_of("<p>Ліх</p>").characters, 3);
}

static void writing_without_spaces_says_so(void **state)
{
	(void)state;
	assert_true(count_of("<p>議会は夜間フェリーを承認した。</p>").unspaced);
	assert_false(count_of("<p>Смоленск</p>").unspaced);
}

/* --- the short way --------------------------------------------------------------------------- */

static void what_is_simple_is_what_the_parser_gives_back(void **state)
{
	static const char *const simple[] = {
		"",
		"Only text, \"quoted\" — and Ліхтарі, 、。，！ 🚢.",
		"<p>One.</p><p>Two, <em>which</em> <strong>matters</strong>.</p>",
		"<p></p>\n<p><b></b><i>x</i></p>\ttail <b>bold</b><br>and<p>more<br><br></p>",
		"<p>\n\tAt its start</p>",
		"\n\n<br>",
		"\302\240\337\277\340\240\200\355\237\277\356\200\200\360\220\200\200",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(simple); i++) {
		assert_true(html_is_simple(simple[i], strlen(simple[i])));
		assert_parsed_as_it_is(simple[i]);
	}
}

static void what_may_be_read_in_two_ways_is_not_simple(void **state)
{
	static const char *const other[] = {
		"<p>One",
		"</p>",
		"<p>One<p>Two</p></p>",
		"<em>x",
		"<em><b>x</b></em>",
		"<em><p>x</p></em>",
		"<p><em>x</p></em>",
		"<p class=\"x\">x</p>",
		"<P>x</P>",
		"<p >x</p>",
		"<script>x</script>",
		"<a href=\"https://x\">x</a>",
		"<img src=x onerror=y>",
		"x < y",
		"x > y",
		"a &amp; b",
		"&lt;script&gt;",
		"<",
		"</",
		"<p",
		"</p",
		"<br/>",
		"</br>",
		"<b",
		"<!-- x -->",
		"a\rb",
		"a\fb",
		"a\001b",
		"a\177b",
		"\302\205",	    /* a control */
		"\357\267\220",	    /* U+FDD0 and the like are no characters */
		"\357\277\276",	    /* U+FFFE */
		"\360\237\277\276", /* U+1FFFE */
		"\357\273\277x",    /* a mark of byte order */
		"\200",		    /* from here on no UTF-8 */
		"\300\274p>",
		"\302",
		"\302<p>",
		"\340\200\274",
		"\355\240\200",
		"\360\200\200\274",
		"\364\220\200\200",
		"\365\200\200\200",
		"\340\240",
		"\360\220\200",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(other); i++)
		if (html_is_simple(other[i], strlen(other[i])))
			fail_msg("simple: %s", other[i]);
	assert_false(html_is_simple("a\0b", 3));
}

static void what_is_too_much_for_the_parser_is_not_simple(void **state)
{
	enum { MOST = 4 << 10, TAG = 4 };
	char *html = malloc(MOST * TAG + 1 + TAG);

	(void)state;
	assert_non_null(html);
	for (size_t i = 0; i <= MOST; i++)
		memcpy(html + i * TAG, "<br>", TAG);
	assert_false(html_is_simple(html, (size_t)(MOST + 1) * TAG));
	html[MOST * TAG] = '\0';
	assert_parsed_as_it_is(html);
	for (size_t i = 0; i + 2 <= MOST; i += 2)
		memcpy(html + i * TAG, "<p>\n</p>", 2 * TAG);
	assert_parsed_as_it_is(html);
	free(html);
}

/* Memory that is all ones says quirks mode, where a table does not end a paragraph. */
static void what_memory_held_before_changes_nothing(void **state)
{
	enum { ONES = 64 << 10 };
	uint32_t *ones = malloc(ONES);

	(void)state;
	assert_non_null(ones);
	for (size_t i = 0; i < ONES / sizeof *ones; i++)
		ones[i] = 1;
	free(ones);
	assert_clean("<p>Votes<table><tbody><tr><td>7</td></tr></tbody></table>",
		     "<p>Votes</p><table><tbody><tr><td>7</td></tr></tbody></table>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_simple_is_what_the_parser_gives_back),
		cmocka_unit_test(what_may_be_read_in_two_ways_is_not_simple),
		cmocka_unit_test(what_is_too_much_for_the_parser_is_not_simple),
		cmocka_unit_test(plain_formatting_stays_as_it_is),
		cmocka_unit_test(what_is_left_open_is_closed),
		cmocka_unit_test(large_headings_step_back_behind_the_pages_own),
		cmocka_unit_test(blocks_become_plain_ones_and_inline_dress_goes),
		cmocka_unit_test(a_link_goes_to_the_web_or_to_mail_and_vouches_for_nothing),
		cmocka_unit_test(a_link_to_anything_else_is_only_its_text),
		cmocka_unit_test(a_picture_has_its_address_its_words_and_its_size),
		cmocka_unit_test(what_runs_loads_or_asks_goes_with_all_that_it_holds),
		cmocka_unit_test(no_handler_style_or_unknown_attribute_stays),
		cmocka_unit_test(markup_that_was_text_stays_text),
		cmocka_unit_test(a_character_reference_out_of_range_breaks_no_utf8),
		cmocka_unit_test(too_deep_and_too_much_are_refused),
		cmocka_unit_test(more_attributes_than_prose_has_are_refused),
		cmocka_unit_test(what_multiplies_itself_is_refused),
		cmocka_unit_test(what_memory_held_before_changes_nothing),
		cmocka_unit_test(text_is_counted_as_readers_count),
		cmocka_unit_test(writing_without_spaces_says_so),
	};

	return cmocka_run_group_tests_name("news_html", tests, NULL, NULL);
}
