/* publisher_book.h - the inside of a book, for publisher.c and publisher_read.c. */
#ifndef NEWSWIRE_NEWS_PUBLISHER_BOOK_H
#define NEWSWIRE_NEWS_PUBLISHER_BOOK_H

#include "news/publisher.h"

/* What a raw PUBLISH may do on channels of one pattern. */
struct raw_rule {
	const char *pattern;
	unsigned rights;
};

struct publisher_book {
	unsigned refs;
	struct publisher *publisher; /* count */
	size_t count;
	struct raw_rule *raw; /* raw_count */
	size_t raw_count;
	struct publisher_mem *mem; /* all that they point to */
};

/* One piece of a book's memory, in a list. */
struct publisher_mem {
	struct publisher_mem *next;
	max_align_t bytes[];
};
/* Zeroed, freed with the book. NULL out of memory. */
void *publisher_book_alloc(struct publisher_book *book, size_t size) MUST_USE;

/* Is it `*`, a plain channel, or one followed by `.*`? */
bool publisher_is_pattern(const char *text, size_t len);
/* How closely the pattern fits the channel: 0 not at all, more is closer. */
size_t publisher_fit(const char *pattern, const char *channel);

#endif
