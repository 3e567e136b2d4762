/* keyring.h - the file of publishers, and the book that is in force.
 *
 * What it does  Reads keys.json, looks every second whether it is another file by now (by inode, size
 *               and times, so that it may be replaced or written in place), and puts the new book in
 *               force. A file that is not there: nobody but the node has a key.
 * Errors        A broken new file leaves the old book in force; it is logged and counted. A first one that is
 *               broken lets nobody in, raw PUBLISH neither (keyring_check() is for the start).
 * Bounds        The file has at most KEYRING_FILE_MAX bytes.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_NEWS_KEYRING_H
#define NEWSWIRE_NEWS_KEYRING_H

#include <stddef.h>
#include "base/base.h"
#include "news/publisher.h"

enum { KEYRING_FILE_MAX = 1 << 20 };

struct keyring;

/* Reads the file. NULL: out of memory. */
struct keyring *keyring_open(const char *path) MUST_USE;
/* A second has passed: looks at the file. */
void keyring_second(struct keyring *k);
/* The book in force; never NULL. Borrowed until the next keyring_second(). */
struct publisher_book *keyring_book(const struct keyring *k);
void keyring_close(struct keyring *k); /* accepts NULL */

/* Could it be read? 0, also if it is not there; -1: `error` says why not. */
int keyring_check(const char *path, char *error, size_t size) MUST_USE;

#endif
