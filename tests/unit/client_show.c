/* A post reads well in a terminal, and nothing in it can act on the terminal. */
#include "cmocka_all.h"
#include "show.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char *text_of(const char *text, size_t most, void (*show)(FILE *, const char *, size_t))
{
	char *out = NULL;
	size_t len;
	FILE *file = open_memstream(&out, &len);

	show(file, text, most);
	fclose(file);
	return out;
}

static void check_text(const char *text, size_t most, const char *wanted)
{
	char *out = text_of(text, most, show_text);

	assert_string_equal(out, wanted);
	free(out);
}

static void check_html(const char *html, const char *wanted)
{
	char *out = text_of(html, 100, show_html);

	assert_string_equal(out, wanted);
	free(out);
}

static void check_post(const char *json, const char *wanted)
{
	json_t *post = json_loads(json, 0, NULL);
	char *out = NULL;
	size_t len;
	FILE *file = open_memstream(&out, &len);

	assert_non_null(post);
	show_post(file, post, false, "NOW");
	fclose(file);
	assert_string_equal(out, wanted);
	free(out);
	json_decref(post);
}

static void control_characters_never_reach_the_terminal(void **state)
{
	(void)state;
	check_text("a\033[31mb\007c\177d", 100, "a[31mbcd");
	check_text("a\xc2\x9b"
		   "31mb",
		   100, "a31mb"); /* C1's CSI */
	check_text("a\xe2\x80\xae"
		   "b\xe2\x81\xa6"
		   "c",
		   100, "abc"); /* bidirectional */
}

static void white_space_becomes_one_space(void **state)
{
	(void)state;
	check_text("  a\r\n\t b \xe2\x80\xa8 c  ", 100, "a b c");
	check_text("\n\n", 100, "");
}

static void characters_are_counted_not_bytes(void **state)
{
	(void)state;
	check_text("Ліхтарі", 7, "Ліхтарі");
	check_text("Ліхтарі", 6, "Ліхтар…");
	check_text("a b c", 3, "a b…");
}

static void bytes_that_are_no_text_are_shown_as_such(void **state)
{
	(void)state;
	check_text("a\xff"
		   "b",
		   100, "a?b");
	check_text("a\xc3", 100, "a?");
	check_text("\xf0\x9f", 100, "??");
}

static void html_loses_its_tags_and_keeps_its_words(void **state)
{
	(void)state;
	check_html("<p>One &amp; <b>two</b></p><p>3 &lt; 4</p>", "One & two 3 < 4");
	check_html("<script", "");
	check_html("a &unknown; b", "a &unknown; b");
}

static void a_post_has_a_headline_and_its_origin(void **state)
{
	(void)state;
	check_post(
		"{\"action\":\"correct\",\"class\":\"flash\",\"channels\":[\"world\",\"feed:all\"],"
		"\"item\":{\"uri\":\"urn:a\",\"version\":\"2\",\"versionCreated\":"
		"\"2026-01-10T11:02:07Z\",\"located\":\"Vand\",\"headlines\":[{\"role\":\"sub\","
		"\"value\":\"no\"},{\"role\":\"main\",\"value\":\"QUAKE\"}]}}",
		"2026-01-10 11:02:07Z  FLASH     QUAKE\n"
		"                                Vand · correct · urn:a version 2 · world\n");
}

static void an_item_without_a_headline_is_shown_by_its_words(void **state)
{
	(void)state;
	check_post(
		"{\"action\":\"publish\",\"class\":\"regular\",\"item\":{\"uri\":\"u\",\"bodies\":"
		"[{\"contentType\":\"text/html\",\"value\":\"<p>Yes</p>\"}]}}",
		"NOW  REGULAR   Yes\n                                publish · u\n");
	check_post("{\"action\":\"publish\",\"class\":\"regular\",\"item\":{\"uri\":\"u\",\"type\":"
		   "\"picture\"}}",
		   "NOW  REGULAR   (picture)\n                                publish · u\n");
}

static void a_kill_shows_its_notice(void **state)
{
	(void)state;
	check_post(
		"{\"action\":\"kill\",\"uri\":\"u\",\"version\":\"3\",\"notice\":\"Withdrawn.\"}",
		"NOW  KILL      Withdrawn.\n                                kill · u version 3\n");
	check_post("{\"action\":\"remove\",\"uri\":\"u\",\"version\":\"3\"}",
		   "NOW  REMOVE    (no notice)\n                                remove · u version "
		   "3\n");
}

static void a_post_of_wrong_shape_is_shown_all_the_same(void **state)
{
	(void)state;
	check_post("{\"item\":[],\"class\":7,\"channels\":{},\"action\":null}",
		   "NOW            (no text)\n                                (no uri)\n");
	check_post("{\"class\":\"\\u001b[2Jx\",\"item\":{\"headlines\":[7],\"uri\":{}}}",
		   "NOW  ????X     (no text)\n                                (no uri)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_characters_never_reach_the_terminal),
		cmocka_unit_test(white_space_becomes_one_space),
		cmocka_unit_test(characters_are_counted_not_bytes),
		cmocka_unit_test(bytes_that_are_no_text_are_shown_as_such),
		cmocka_unit_test(html_loses_its_tags_and_keeps_its_words),
		cmocka_unit_test(a_post_has_a_headline_and_its_origin),
		cmocka_unit_test(an_item_without_a_headline_is_shown_by_its_words),
		cmocka_unit_test(a_kill_shows_its_notice),
		cmocka_unit_test(a_post_of_wrong_shape_is_shown_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
