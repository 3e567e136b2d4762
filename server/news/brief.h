/* brief.h - of an item what a list of news shows: no body.
 *
 * What it does  Picks from a canonical item (ninjs 3.1): what names it and says when, how pressing and in which language it is,
 *               headlines, descriptions (else the first words of its body), byline and place, and one small picture with its
 *               credit and alternative text.
 *               `representationType` is `partial`, as ninjs calls that. The whole is at /v1/items/<uri>.
 * Ownership     The text is the caller's, to free().
 */
#ifndef NEWSWIRE_NEWS_BRIEF_H
#define NEWSWIRE_NEWS_BRIEF_H

#include <stddef.h>
#include "base/base.h"

/* One JSON object, with a NUL behind it. NULL: memory is short. What is no item becomes `{}`. */
char *brief_make(const char *body, size_t len, size_t *brief_len) MUST_USE;

#endif
