/* item.h - one piece of news as a newsroom sent it, made canonical (ninjs 3.1).
 *
 * What it does  Reads ninjs 1.x, 2.x, 3.x and Superdesk's dialect; refuses what is not one, saying
 *               where (JSON pointer) and why; normalises; derives uri, class and channels; takes
 *               out what readers must not see. A newcomer starts here: domain.md's table is
 *               ninjs.c, the rest is item.c.
 * Ownership     item_free() frees an item and all that it points to.
 * Errors        Every fault has a refusal (counted, logged, sent to `rejects`) and up to
 *               ITEM_FAULTS_MAX places.
 */
#ifndef NEWSWIRE_NEWS_ITEM_H
#define NEWSWIRE_NEWS_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/base.h"
#include "news/channel.h"

enum news_class {
	CLASS_FLASH,
	CLASS_BULLETIN,
	CLASS_URGENT,
	CLASS_REGULAR,
	CLASS_DEFERRED,
	CLASS_COUNT
};
const char *news_class_name(enum news_class c);
/* What urgency 1 to 9 means where nobody said otherwise; [0]: an item without one. */
enum { NEWS_URGENCY_COUNT = 10 };
extern const enum news_class news_class_by_urgency[NEWS_URGENCY_COUNT];
/* CLASS_COUNT if it is none. */
enum news_class news_class_read(const char *name, size_t len);

/* Is it one of ninjs 3.1's types (text, picture …)? */
bool item_is_type(const char *name, size_t len);

enum item_status { ITEM_USABLE, ITEM_WITHHELD, ITEM_CANCELED };

/* Why an item was refused; item_refusal_name() is the `reason` in rejects, log and metrics, and
 * the `code` over HTTP. */
enum item_refusal {
	ITEM_OK,
	ITEM_NOT_JSON,
	ITEM_NOT_UTF8,
	ITEM_TOO_LARGE,
	ITEM_TOO_DEEP,
	ITEM_DUPLICATE_KEY,
	ITEM_WRONG_TYPE,
	ITEM_BAD_VALUE,
	ITEM_EMPTY,		/* no headline, description, body or media (a kill needs none) */
	ITEM_BAD_CHANNEL,	/* a publisher named a channel that is not plain */
	ITEM_ADVISORY,		/* a note for editors only */
	ITEM_CHANNEL_FORBIDDEN, /* the publisher may not send to a channel of it */
	ITEM_BAD_SIGNATURE,	/* whoever it says it is from did not sign it */
};
const char *item_refusal_name(enum item_refusal r);

enum { ITEM_FAULTS_MAX = 8, ITEM_DEPTH_MAX = 64, ITEM_URI_MAX = 1024 };

struct item_fault {
	char pointer[128]; /* RFC 6901; "" is the whole document */
	char detail
		[160]; /* a sentence for people; never text of the item longer than a few words */
};

struct item_report {
	enum item_refusal refusal; /* of the first fault */
	size_t count;
	struct item_fault fault[ITEM_FAULTS_MAX];
};

/* Always true: uri is not empty; channels has feed:all and class:*, or else exercise channels only; body is valid JSON without
 * edNote, contactInfo, annotations. */
struct item {
	char *uri;
	char *version; /* "1" where the item had none */
	int64_t created_ms; /* versionCreated; 0 where the item had none (the desk then takes Redis' time) */
	int64_t embargo_ms; /* 0: none */
	int64_t expires_ms; /* 0: never */
	enum item_status status;
	enum news_class class;
	char *evolved_from; /* the uri of the item that this one updates, or NULL */
	char *lang;	    /* lower case BCP 47, or NULL */
	char *type;	    /* text, picture, … ("text" where absent) */
	char *notice; /* kills and holds: neutral words for readers (description of role withdrawal, else NULL) */
	struct channel_set
		channels; /* the publisher's plain ones and all derived ones; a drill has no derived ones */
	char *body; /* canonical ninjs 3.1, compact UTF-8 JSON, what readers get */
	size_t body_len;
	char hash[33]; /* of the content: equal for equal news, whatever the channel */
};

/* Reads one item that was sent to `plain` channels (added to the item's own `channels` property,
 * if it has one). Returns the item, or NULL and *report says why (also when memory is short:
 * ITEM_BAD_VALUE with that detail). */
struct item *item_read(const char *bytes, size_t len, size_t max_bytes,
		       const struct channel_set *plain, struct item_report *report) MUST_USE;
/* The same by a publisher's own meaning of urgency: by_urgency[1] to [9]; NULL: as usual. */
struct item *item_read_by(const char *bytes, size_t len, size_t max_bytes,
			  const struct channel_set *plain, const enum news_class *by_urgency,
			  struct item_report *report) MUST_USE;
void item_free(struct item *item);

#endif
