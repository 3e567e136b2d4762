/* item_decode.h - an item's bytes become jansson's tree, or faults that say why not.
 *
 * Bounded       Length and depth are looked at before anything recurses.
 * Fast          jansson spends as much on a byte of white space as on one of text, and newsrooms send
 *               JSON in columns: it gets the bytes without the white space that parts nothing. What
 *               it refuses it reads once more as it came, so that lines and columns are right.
 */
#ifndef NEWSWIRE_NEWS_ITEM_DECODE_H
#define NEWSWIRE_NEWS_ITEM_DECODE_H

#include "news/ninjs.h"

/* A new reference, or NULL with a fault noted. */
json_t *item_decode(const char *bytes, size_t len, size_t max_bytes, struct ninjs *n) MUST_USE;

#endif
