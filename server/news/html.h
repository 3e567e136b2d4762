/* html.h - HTML from newsrooms, made harmless once, before anything stores or sends it.
 *
 * What it does  Parses as browsers do (gumbo, HTML 5) and writes anew what an allow-list knows
 *               (html_write.c): prose, lists, quotations, tables, links, pictures. No script, style,
 *               event handler, comment, form or embed is ever written; links go to http, https
 *               and mailto only and have rel="noopener nofollow".
 * Stable        What comes out reads back as itself: cleaning it again changes nothing, so it means
 *               the same to every parser after us.
 * Bounded       In memory, elements, attributes and depth, whatever comes in. Nothing half-done:
 *               all of it, or a result that says why not.
 */
#ifndef NEWSWIRE_NEWS_HTML_H
#define NEWSWIRE_NEWS_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include "base/base.h"
#include "base/buf.h"

enum html_result {
	HTML_CLEAN,
	HTML_TOO_LARGE, /* more elements and attributes, or more memory, than we take */
	HTML_TOO_DEEP,
	HTML_UNSTABLE, /* it still changes after HTML_ROUNDS_MAX readings */
	HTML_NO_MEMORY,
};

/* What comes out is at most twice as long as what came in, and HTML_ROOM. */
enum { HTML_DEPTH_MAX = 64, HTML_ROUNDS_MAX = 5, HTML_ROOM = 4096 };

/* Appends the clean form of a fragment (UTF-8) to `out`, which must be empty. Unless the result is
 * HTML_CLEAN, `out` is not to be used. */
enum html_result html_clean(const char *html, size_t len, struct buf *out) MUST_USE;

struct html_counts {
	size_t characters; /* of the plain text; white space counts once */
	size_t words;
	bool unspaced; /* it has writing without spaces between words: `words` means nothing */
};

/* Counts the plain text of what html_clean() wrote. */
void html_count(const char *clean, size_t len, struct html_counts *counts);
/* Appends that plain text, in one line: blocks are parted by a space. */
void html_text(const char *clean, size_t len, struct buf *out);
/* Does an element of this name stand inside a line? Every other one parts words. */
bool html_is_inline(const char *name, size_t len);

#endif
