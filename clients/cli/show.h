/* show.h - a post as a person reads it in a terminal.
 *
 * What it does  Prints a post in two lines: when, how pressing and the headline; then whence and which.
 * Safety        Text that others wrote never moves the cursor or changes colours: control characters
 *               (C0, C1, bidirectional overrides) are left out.
 */
#ifndef NEWSWIRE_CLI_SHOW_H
#define NEWSWIRE_CLI_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct json_t;

/* Should this stream be coloured? A terminal, and neither NO_COLOR nor TERM=dumb. */
bool show_wants_colour(FILE *out);

/* One post, as in a stream or a feed. `now`: "2026-01-10 11:02:07Z" or so, for posts without a time. */
void show_post(FILE *out, const struct json_t *post, bool colour, const char *now);

/* The headline of an item; news may have none: then a sentence of what there is. */
void show_headline(FILE *out, const struct json_t *item, size_t most);

/* A post as a page to read: headline, whence and which, corrections, summary and text, in lines of `width` characters. */
void show_page(FILE *out, const struct json_t *post, bool colour, size_t width);

/* UTF-8 text on one line: white space runs become one space; at most `most` characters, then "…". Bytes
 * that are not UTF-8 are shown as "?". */
void show_text(FILE *out, const char *text, size_t most);

/* The same of HTML: tags are left out, the five common entities are undone. */
void show_html(FILE *out, const char *html, size_t most);

/* "2026-01-10 11:02:07Z" of this moment. */
void show_now(char *out, size_t size);

#endif
