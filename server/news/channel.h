/* channel.h - names that news is sent under, and sorted sets of them.
 *
 * Plain names `[a-z0-9][a-z0-9._-]{0,63}` come from publishers. Names with a colon (`class:flash`, `lang:uk`, `feed:all` …)
 * are derived by the server only, so nobody can forge them.
 */
#ifndef NEWSWIRE_NEWS_CHANNEL_H
#define NEWSWIRE_NEWS_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

/* A derived name is longer by its kind (CHANNEL_KIND_MAX) and its colon. */
enum {
	CHANNEL_NAME_MAX = 64,
	CHANNEL_KIND_MAX = 6,
	CHANNEL_READABLE_MAX = CHANNEL_KIND_MAX + 1 + CHANNEL_NAME_MAX,
	CHANNEL_SET_MAX = 256
};

/* May a publisher send to it? */
bool channel_is_plain(const char *name, size_t len);
/* May a reader ask for it? Plain, or `<kind>:<value>` of a kind that the server derives
 * (feed class type lang topic region desk story) with a value of [A-Za-z0-9._-]{1,64}. */
bool channel_is_readable(const char *name, size_t len);
/* Is it `exercise`, or below it (`exercise.night`)? What is sent there is a drill: it is in no derived channel. */
bool channel_is_exercise(const char *name, size_t len);
/* May it stand after the colon? */
bool channel_is_value(const char *value, size_t len);
/* Is it the beginning of names that a reader may ask for, with a `*` behind it: `topic:2*`, `topic:*`, `wor*`, `*`? */
bool channel_is_prefix(const char *name, size_t len);
/* Does it begin with this prefix (without its `*`)? A prefix without a colon is one of plain names only, so that `c*` is not
 * everything that has a class. */
bool channel_begins_with(const char *name, const char *prefix);

/* A set of names, sorted by strcmp and without doubles. {0} is the empty set; owns its memory
 * (one block). */
struct channel_set {
	const char **name;
	uint32_t count;
	uint32_t bytes; /* of the block */
};

/* From names separated by `separator` (e.g. ' ' or ','), empty ones skipped. Does not validate.
 * 0, or -1: memory is short (errno is ENOMEM), or there are more than CHANNEL_SET_MAX (E2BIG). */
int channel_set_read(struct channel_set *set, const char *text, size_t len, char separator);
int channel_set_copy(struct channel_set *to, const struct channel_set *from);
bool channel_set_has(const struct channel_set *set, const char *name);
/* Its place in the set, or `count`: it is not there. */
uint32_t channel_set_find(const struct channel_set *set, const char *name);
/* Have the two at least one name in common? Linear in both. */
bool channel_set_meet(const struct channel_set *a, const struct channel_set *b);
/* Is there a name in it that begins with the prefix? */
bool channel_set_begins_with(const struct channel_set *set, const char *prefix);
/* Appends the names, in order, with `separator` between them. */
void channel_set_write(const struct channel_set *set, char separator, struct buf *out);
void channel_set_free(struct channel_set *set);

#endif
