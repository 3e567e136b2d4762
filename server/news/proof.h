/* proof.h - is somebody who he says he is: keys and signatures against a book of publishers.
 *
 * What it does  Compares with every publisher of the book, whatever fits first, in constant time:
 *               how long it takes tells nobody how near he was.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_NEWS_PROOF_H
#define NEWSWIRE_NEWS_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include "news/publisher.h"

enum { PROOF_KEY_MAX = 512 };

/* Whose key is it? NULL: nobody's. Borrowed from the book. */
const struct publisher *proof_by_key(const struct publisher_book *book, const char *key);
/* Are the two the same text? In constant time but for the length of `key`. */
bool proof_is_key(const char *key, const char *own);
/* Whose secret signed these bytes, as Superdesk does it: `sha1=` and the HMAC-SHA1 in hexadecimal. */
const struct publisher *proof_by_signature(const struct publisher_book *book, const char *signature,
					   const void *bytes, size_t len);
/* Did this publisher sign these bytes: the HMAC-SHA256 in hexadecimal, lower case? 1 or 0; nobody signs without a secret. -1: it could
 * not be reckoned, for want of memory. */
int proof_is_signed_by(const struct publisher *p, const char *signature, const void *bytes,
		       size_t len) MUST_USE;
/* Has any publisher a secret? Without one no signature can fit. */
bool proof_has_secrets(const struct publisher_book *book);

#endif
