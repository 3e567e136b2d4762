/* deflate.h - a message, compressed once for all who read it.
 *
 * What it does  Raw deflate, in one of three ways. The first two as permessage-deflate wants it (RFC 7692, 7.2.1):
 *
 *     alone     Each message by itself. Any reader can read any of them.
 *     like      A message ends in a member `like`, always the same, which holds the words that posts are made of. A client
 *               that keeps its window (server context takeover) has just inflated these words, whatever message it read
 *               last, so the next one refers to them, at places that are the same for all. The server keeps
 *               nothing for a reader, and messages are a third of their length instead of half. Before the first of them a
 *               reader needs deflate_first().
 *     piece     By itself as well, and ended by a full flush, so that it fits any stream at any place (gzip.h).
 *
 * Ownership     One compressor of the process, made when it is first needed.
 * Errors        Compressing that is not worth it, or for which memory is short, is no error: the message goes out plain, which
 *               is always right, and leaves the window of its readers as it is.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_NEWS_DEFLATE_H
#define NEWSWIRE_NEWS_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

enum deflate_way { DEFLATE_ALONE, DEFLATE_LIKE, DEFLATE_PIECE };

/* One message: begun, its JSON added in pieces (DEFLATE_LIKE: all but its last brace), and ended. */
void deflate_begin(enum deflate_way way, uint8_t *out, size_t room);
void deflate_add(const void *bytes, size_t len);
/* How many bytes are in `out`; 0: they had no room. */
size_t deflate_end(void);

/* A whole message, compressed without referring to any other, which says `like` for the first time. NULL: memory is short. */
const uint8_t *deflate_first(size_t *len);

#endif
