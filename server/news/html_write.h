/* html_write.h - the allow-list: what of a parsed document is written, and how.
 *
 * Floor         For html.c only; gumbo's types go no further.
 */
#ifndef NEWSWIRE_NEWS_HTML_WRITE_H
#define NEWSWIRE_NEWS_HTML_WRITE_H

#include <gumbo.h>
#include "news/html.h"

/* Appends what is allowed of everything beneath `root`. HTML_CLEAN or HTML_TOO_DEEP; memory that ran
 * short shows in out->failed. */
enum html_result html_write(const GumboNode *root, struct buf *out) MUST_USE;

#endif
