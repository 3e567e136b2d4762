/* publisher.h - who may post: names, permissions, channels, and what a number of urgency means to each.
 *
 * What it does  Reads the publishers of keys.json strictly (publisher_read.c), and answers what one
 *               of them may do. Who somebody *is* stands in proof.h, the file itself in keyring.h.
 * Ownership     A book is one reading of the file: immutable, counted references; its publishers
 *               live as long as it does. A reload makes another book.
 * Bounds        PUBLISHER_MAX publishers of PUBLISHER_PATTERNS_MAX patterns, PUBLISHER_SECRETS_MAX of
 *               them with a secret; the file is bounded by
 *               keyring.h.
 * Errors        A sentence that says where in the file; never a key, a hash or a secret.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_NEWS_PUBLISHER_H
#define NEWSWIRE_NEWS_PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <newswire/protocol.h>
#include "base/base.h"
#include "base/buf.h"
#include "news/channel.h"
#include "news/item.h"

enum {
	PUBLISHER_MAX = 1000,
	PUBLISHER_PATTERNS_MAX = 64,
	PUBLISHER_SECRETS_MAX = 32, /* each costs a hash of every signed body */
	PUBLISHER_SECRET_MIN = 8,
	PUBLISHER_SECRET_MAX = 256,
	PUBLISHER_HASH_SIZE = 32
};

/* What somebody may do; a set is an unsigned of these. */
enum right {
#define RIGHT_AS_ENUM(name, text, bit, what) RIGHT_##name = (bit),
	NEWSWIRE_RIGHTS(RIGHT_AS_ENUM)
#undef RIGHT_AS_ENUM
		RIGHTS_EVERYTHING = 127,
	RIGHTS_OUTSIDE = RIGHT_PUBLISH | RIGHT_CORRECT, /* PUBLISH in a Redis of somebody else's */
};
/* One word, or 0 if it is none. */
unsigned right_read(const char *word, size_t len);
/* Words joined by commas, also `none` and `everything` alone. 0, or -1: another word, or nothing at all. */
int rights_read(const char *text, unsigned *rights) MUST_USE;
/* The words joined by spaces. */
void rights_write(unsigned rights, struct buf *out);

/* One who may post. Always true: name is a channel's kind of name; what is not given is NULL. */
struct publisher {
	const char *name; /* owner of what it posts */
	unsigned rights;
	const char *const *pattern; /* channels: `world`, `sport.*`, `*` */
	size_t patterns;
	const enum news_class *by_urgency; /* NEWS_URGENCY_COUNT of them; NULL: as usual */
	const char *secret;		   /* for signatures */
	const unsigned char *hash;	   /* PUBLISHER_HASH_SIZE bytes: SHA-256 of the key */
	struct publisher_book *book;	   /* NULL: one of the two below, that are always there */
};

/* The node's own key, and whoever PUBLISHes in Redis (whose rights depend on the channel). */
extern const struct publisher publisher_node, publisher_redis;

/* Appends who it is and what it may: `"publisher":"…","may":[…]`. */
void publisher_write(const struct publisher *p, struct buf *out);
/* May it send to this plain channel? */
bool publisher_may_send(const struct publisher *p, const char *channel);

/* Keeps the publisher, and so its book. All accept NULL. */
const struct publisher *publisher_ref(const struct publisher *p);
void publisher_unref(const struct publisher *p);

struct publisher_book;
/* Reads the whole file. NULL: `error` says what is wrong, and where. */
struct publisher_book *publisher_book_read(const char *json, size_t len, char *error,
					   size_t size) MUST_USE;
struct publisher_book *publisher_book_ref(struct publisher_book *book);
void publisher_book_unref(struct publisher_book *book); /* accepts NULL */
size_t publisher_count(const struct publisher_book *book);
const struct publisher *publisher_at(const struct publisher_book *book, size_t i);
/* Its place in its book. */
size_t publisher_place(const struct publisher *p);
/* Or NULL. */
const struct publisher *publisher_by_name(const struct publisher_book *book, const char *name);
/* What a raw PUBLISH on this channel may do; `preset` where the file says nothing of it. */
unsigned publisher_raw_rights(const struct publisher_book *book, const char *channel,
			      unsigned preset);

#endif
