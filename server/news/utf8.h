/* utf8.h - is it UTF-8 (RFC 3629)?
 *
 * What it does  Asks the JSON library, which takes nothing else: no surrogates, nothing longer than it needs to be, nothing cut.
 * Threads       Any.
 */
#ifndef NEWSWIRE_NEWS_UTF8_H
#define NEWSWIRE_NEWS_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Also of no bytes at all. false also when memory is short. */
bool utf8_is_valid(const void *bytes, size_t len);

#endif
