/* subscription.h - what a reader asked for: channels (a union), narrowed by class, language and type.
 *
 * Canonical: names sorted, doubles and what a prefix takes anyway gone, defaults left out; two readers
 * who want the same have the same `key`. A prefix of what every post is in (`*`, `class:*`) is `feed:all`. Filters are tests on derived channels: class=flash asks that the post is also in
 * `class:flash`; so they work on `was` too.
 * Ownership     Immutable after it was read; subscription_free() frees it.
 */
#ifndef NEWSWIRE_NEWS_SUBSCRIPTION_H
#define NEWSWIRE_NEWS_SUBSCRIPTION_H

#include <stdbool.h>
#include <stddef.h>
#include "base/base.h"
#include "news/channel.h"
#include "news/post.h"

struct subscription {
	struct channel_set channels; /* by their whole names */
	struct channel_set prefixes; /* `topic:2*` without its `*`. One of the two is not empty:
				      * `feed:all` where nothing was named */
	struct channel_set classes;  /* as channels: `class:flash` …; empty: any */
	struct channel_set
		langs; /* `lang:en`; asking for `en` matches `en-gb` too (items carry both channels) */
	struct channel_set types; /* `type:video` */
	enum format_view view;	  /* how much of each item; no part of the key */
	bool readers;		  /* be told how many read its channels */
	bool early; /* of who opens a stream: flashes before their turn, where it lags; no part of the key */
	bool canary; /* of the server's own reader, which is counted nowhere; no part of the key */
	char *key;   /* canonical text, e.g. `c=sport,topic:*&class=flash` */
};

/* Each is looked for in every post that another name of the subscription does not match. */
enum { SUBSCRIPTION_PREFIXES_MAX = 32 };

/* What is wrong, for the error message: a code (`bad_channel`, `bad_class`, `bad_lang`,
 * `bad_type`, `bad_view`, `bad_ahead`, `too_many_channels`, `no_memory`) and a sentence. */
struct subscription_fault {
	const char *code;
	char detail[200];
};

/* Comma-separated lists, already percent-decoded; NULL or "" means not given. Returns NULL and
 * *fault if it makes no sense. */
struct subscription *subscription_read(const char *channels, const char *classes, const char *langs,
				       const char *types,
				       struct subscription_fault *fault) MUST_USE;
/* Just these channels, perhaps none, each by itself: `feed:all` swallows no other. Takes the set over, also on failure. NULL: out
 * of memory. */
struct subscription *subscription_of_channels(struct channel_set *channels) MUST_USE;
/* `full` (also for NULL and "") or `brief`. 0, or -1 and *fault. */
int subscription_view(struct subscription *s, const char *view,
		      struct subscription_fault *fault) MUST_USE;
/* `ahead`: 1, or 0 (also for NULL and ""). 0, or -1 and *fault. */
int subscription_ahead(struct subscription *s, const char *ahead,
		       struct subscription_fault *fault) MUST_USE;
void subscription_free(struct subscription *s); /* accepts NULL */
/* It asks for the number of readers as well, so its key is another one. 0, or -1 out of memory. */
int subscription_ask_readers(struct subscription *s) MUST_USE;
/* `readers` of a URL: 1 or 0; NULL and "" mean 0. -1: it is neither. */
int subscription_read_readers(const char *text) MUST_USE;

/* Appends names, then prefixes with their `*`. */
void subscription_write_channels(const struct subscription *s, char separator, struct buf *out);

/* FULL, REMOVE or NOT. kill and hold match FULL whoever `was` or `channels` matches. */
enum post_match subscription_match(const struct subscription *s, const struct post *post);
/* Would a post in these channels be wanted? (the feed's filter) */
bool subscription_wants(const struct subscription *s, const struct channel_set *channels);

#endif
