/* html_simple.h - is HTML so simple that cleaning it would change nothing?
 *
 * What it knows  Text, and paragraphs of text with <br> and with em, strong, i or b inside, each
 *                written as html_write.c writes it and closed where it was opened. No attribute, no
 *                entity, no nesting: nothing that two parsers could read in two ways. Most of what
 *                newsrooms send is that, and the parser costs as much as all else of an item.
 * Errors         If in doubt it says no, and the parser decides. The fuzzer holds it to the parser.
 */
#ifndef NEWSWIRE_NEWS_HTML_SIMPLE_H
#define NEWSWIRE_NEWS_HTML_SIMPLE_H

#include <stdbool.h>
#include <stddef.h>

bool html_is_simple(const char *html, size_t len);

#endif
