/* ninjs_html.h - the HTML in a canonical item: cleaned and counted, in the item and in all that it
 * carries. Every text that does not say that it is HTML is left as text. */
#ifndef NEWSWIRE_NEWS_NINJS_HTML_H
#define NEWSWIRE_NEWS_NINJS_HTML_H

#include "news/ninjs.h"

/* Does a text {value, contentType} say that it is HTML? NULL does not. */
bool ninjs_html_is(const json_t *text);

/* Changes the item in place. What cannot be cleaned is a fault at its canonical place; `up` is
 * the item's own, NULL for the document. */
void ninjs_html_clean(struct ninjs *n, const struct place *up, json_t *item);

#endif
