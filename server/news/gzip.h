/* gzip.h - the pieces that gzip streams (RFC 1952) are made of, each the same for everybody.
 *
 * What it does  A stream begins with gzip_begin(), and then has pieces, in any number and order. A piece is a few blocks of raw
 *               deflate (RFC 1951), none of them the last of a stream. It begins and ends with a whole byte and refers to nothing
 *               before it: so it fits any stream at any place, is made once, and nothing is kept for who reads it.
 * The end       What would properly end a stream (a last block, and the checksum and length of all text in it) is different for
 *               every reader, who would have to pay for it at every piece. Ours end with their connection, between two pieces: whoever
 *               inflates as the bytes come has everything by then.
 * Errors        A piece that is not worth compressing is no error: gzip_store() always holds it.
 * Threads       Loop thread only (deflate.h).
 */
#ifndef NEWSWIRE_NEWS_GZIP_H
#define NEWSWIRE_NEWS_GZIP_H

#include <stddef.h>
#include <stdint.h>
#include "base/base.h"
#include "base/buf.h"

void gzip_begin(struct buf *out);
/* How long text of this length is as a stored piece. */
size_t gzip_stored_len(size_t len);
/* The text as a piece, as it is. `text` may lie in `out`, at the very end of it. */
void gzip_store(const uint8_t *text, size_t len, uint8_t *out);
/* The same, compressed. How many bytes are in `out`; 0: they had no room. */
size_t gzip_squeeze(const uint8_t *text, size_t len, uint8_t *out, size_t room);

/* Appends a text as a whole file of gzip, with its proper end, for one answer. Nothing where memory is short: -1. */
int gzip_file(const uint8_t *text, size_t len, struct buf *out) MUST_USE;

#endif
