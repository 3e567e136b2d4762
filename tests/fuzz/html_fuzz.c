/* html_fuzz.c - throws bytes at html_clean(), and holds what comes out to its promises.
 *
 *     clang -g -O1 -std=gnu17 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -Iserver -Iinclude \
 *           tests/fuzz/html_fuzz.c server/news/html*.c server/base/{arena,base,buf,log,clock}.c -lgumbo -o html_fuzz
 *     ./html_fuzz -max_len=4096 -dict=tests/fuzz/html.dict NEW_CORPUS tests/fuzz/corpus/html
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "news/html.h"
#include "news/html_simple.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The names after `<` and, within a tag, before `=`. */
static const char *const elements[] = {
	"p",	  "br",		"hr",	 "h3",	   "h4",    "h5",   "h6",   "ul",  "ol",
	"li",	  "dl",		"dt",	 "dd",	   "pre",   "div",  "img",  "a",   "blockquote",
	"figure", "figcaption", "em",	 "strong", "i",	    "b",    "u",    "s",   "sub",
	"sup",	  "small",	"mark",	 "cite",   "q",	    "abbr", "code", "ins", "del",
	"table",  "caption",	"thead", "tbody",  "tfoot", "tr",   "th",   "td"};
static const char *const attributes[] = {"href", "rel", "src",	 "alt",	    "width",  "height",
					 "lang", "dir", "start", "colspan", "rowspan"};

static bool is_one_of(const char *const *names, size_t count, const char *name, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return true;
	return false;
}

static const char *must_be_an_attribute(const char *at, const char *end)
{
	size_t len = strcspn(at, "=>");

	MUST(is_one_of(attributes, COUNT_OF(attributes), at, len) && at[len + 1] == '"');
	if (strncmp(at, "href", 4) == 0 || strncmp(at, "src", 3) == 0)
		MUST(strncasecmp(at + len + 2, "http", 4) == 0 ||
		     strncasecmp(at + len + 2, "mailto:", 7) == 0);
	at = memchr(at + len + 2, '"', (size_t)(end - at) - len - 2);
	MUST(at != NULL);
	return at + 1;
}

/* An exact reading of the only form that is written. */
static const char *must_be_a_tag(const char *at, const char *end)
{
	bool closing = *++at == '/';
	size_t len;

	at += closing;
	len = strspn(at, "abcdefghijklmnopqrstuvwxyz123456");
	MUST(is_one_of(elements, COUNT_OF(elements), at, len));
	at += len;
	while (!closing && *at == ' ')
		at = must_be_an_attribute(at + 1, end);
	MUST(*at == '>');
	return at + 1;
}

static void must_be_allowed(struct buf *clean)
{
	const char *at, *end;

	buf_addc(clean, '\0');
	clean->len--;
	end = clean->data + clean->len;
	for (at = clean->data; at < end;)
		at = *at == '<' ? must_be_a_tag(at, end) : at + 1;
}

/* The short way must give what the parser gives, which reads a comment as nothing. */
static void must_be_what_the_parser_says(const char *html, size_t len)
{
	static const char comment[] = "<!---->";
	char *commented;
	struct buf clean = {0};

	if (!html_is_simple(html, len))
		return;
	commented = malloc(len + strlen(comment));
	memcpy(commented, html, len);
	memcpy(commented + len, comment, strlen(comment));
	MUST(html_clean(commented, len + strlen(comment), &clean) == HTML_CLEAN);
	MUST(clean.len == len && (len == 0 || memcmp(clean.data, html, len) == 0));
	buf_free(&clean);
	free(commented);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *html = malloc(size + 1);
	struct html_counts counts;
	struct buf clean = {0}, again = {0};
	enum html_result result;

	memcpy(html, data, size);
	html[size] = '\0';
	must_be_what_the_parser_says(html, strlen(html));
	result = html_clean(html, strlen(html), &clean);
	if (result == HTML_CLEAN) {
		MUST(html_clean(clean.data ? clean.data : "", clean.len, &again) == HTML_CLEAN);
		MUST(clean.len == again.len &&
		     (clean.len == 0 || memcmp(clean.data, again.data, clean.len) == 0));
		MUST(clean.len <= 2 * strlen(html) + HTML_ROOM);
		html_count(clean.data ? clean.data : "", clean.len, &counts);
		MUST(counts.characters <= clean.len && counts.words <= counts.characters);
		must_be_allowed(&clean);
	}
	buf_free(&clean);
	buf_free(&again);
	free(html);
	return 0;
}
