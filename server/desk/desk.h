/* desk.h - takes items in: hears them, reads them, lets one script decide, says what became of them.
 *
 * What it does  PSUBSCRIBEs to `newswire:in:*` on a link of its own; takes items from the HTTP door
 *               and from the inbox (inbox.h) too. For each: probe `seen:<hash>` (raw PUBLISH only: every worker of every node
 *               hears the same), item_read(), accept.lua. Refused ones go to the stream `rejects`,
 *               are counted and logged. What an embargo held back comes out by Redis' clock
 *               (embargo.h). Start with desk.c, then job.h (one item on its way) and lua/accept.lua
 *               (the rules); docs/redis.md has the keys.
 * Bounds        At most DESK_IN_FLIGHT items and DESK_IN_FLIGHT_BYTES are being decided; raw ones
 *               beyond wait in Redis' socket (the link stops reading), HTTP ones get DESK_BUSY.
 * Replicas      With options.replicas nobody who waits for a receipt is told anything good before so many of Redis' replicas
 *               have it (replicas.h). A raw PUBLISH and an entry of the inbox have no receipt, and wait for none.
 * Order         Raw items are decided in the order in which they were heard, entries of the inbox in
 *               that in which they were added. Who joins others that listen waits a moment before it
 *               decides, as it has not heard the item before.
 * Errors        Redis away: raw PUBLISHes are not heard (their reply says 0 listeners); a receipt
 *               says DESK_AWAY. Items in flight at a loss are decided again after the reconnect:
 *               running the script twice changes nothing. An HTTP item that waits longer than
 *               DESK_PATIENCE_MS for that gets DESK_AWAY. A Redis that is there and refuses (full, read-only, no rights
 *               …: redis_words.h) is said in words, once in the log, and asked each second whether that is over (probe.lua).
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_DESK_DESK_H
#define NEWSWIRE_DESK_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "base/base.h"
#include "news/item.h"
#include "news/keyring.h"
#include "news/post.h"
#include "news/publisher.h"
#include "wire/link.h"

struct desk;
enum { DESK_IN_FLIGHT = 256, DESK_IN_FLIGHT_BYTES = 16 << 20, DESK_PATIENCE_MS = 10000 };

struct desk_options {
	const char *prefix;
	size_t max_item;	    /* bytes */
	uint64_t retention_ms;	    /* of the wire; `seen` outlives it */
	uint64_t archive_ms;	    /* of items, bodies and feeds */
	uint64_t max_embargo_ms;    /* further ahead is refused */
	uint64_t clock_patience_ms; /* after a jump of Redis' clock (redis_clock.h) */
	unsigned feed_max;	    /* items per channel's feed */
	unsigned raw_rights;	 /* what a raw PUBLISH may do, where keys.json says nothing of it */
	uint64_t inbox_pause_ms; /* the first one of an entry that is put off (inbox.h) */
	unsigned
		replicas; /* of Redis that must have what is answered with a receipt (replicas.h); 0: the master will do */
	const struct keyring *keyring; /* NULL: nothing is said of it */
	bool joins; /* others who hear what is published are there already: they decide first */
};

enum desk_result {
	DESK_ACCEPTED,	/* on the wire: id, action; no id: a kill or hold of what nobody had seen */
	DESK_DUPLICATE, /* known already; id of the first if it is known */
	DESK_STALE,	/* an older version; recorded, not sent */
	DESK_HELD,	/* under embargo */
	DESK_REFUSED,	/* report says why (refusal of item_read, or `code` below) */
	DESK_BUSY,	/* too much in flight: try again soon */
	DESK_AWAY, /* Redis is not there, or cannot write; code `store`: a key of ours holds something else */
	DESK_UNCONFIRMED, /* decided, and on Redis' master, but too few replicas say that they have it: code, detail */
	DESK_TAKEN, /* only of the inbox: another worker has the entry by now, nothing was decided */
};

struct desk_receipt {
	enum desk_result result;
	char id[48];	      /* the wire's, or "" */
	const char *uri;      /* NULL if the item could not be read */
	const char *version;  /* as uri */
	const char *action;   /* publish, correct … or "" */
	const char *channels; /* names joined by spaces, or "" */
	const char *
		code; /* refused: the reason's name (bad_value, killed, not_owner, embargo_too_far …); else "" */
	const char *detail;		  /* refused: a sentence; else "" */
	const struct item_report *report; /* refused by item_read: where; else NULL */
	bool replayed;	 /* said before to the same idempotency key: nothing was done now */
	bool replicated; /* as many replicas as asked for have it */
};
/* Everything in the receipt is borrowed for the length of the call. */
typedef void desk_cb(const struct desk_receipt *receipt, void *arg);

struct desk *desk_open(uv_loop_t *loop, const struct redis_place *place,
		       const struct desk_options *options) MUST_USE;
/* Accepts NULL. Waiting callbacks get DESK_AWAY; a PUBLISH that waits and that no other desk heard is lost, counted and logged. */
void desk_close(struct desk *desk);

/* Does it hear and ask Redis, as far as Redis lets it? */
bool desk_is_connected(const struct desk *desk);
/* Can items be taken now? (/readyz/publish) */
int desk_is_open(const struct desk *desk);
/* Why not: what is wrong, and in brackets what to do. */
enum { DESK_TROUBLE_MAX = 300 };
void desk_explain(const struct desk *desk, char *to, size_t size);

/* What a publisher hands in. Everything in it is borrowed for the length of the call. */
struct desk_order {
	const char *bytes; /* one item, as it came */
	size_t len;
	const struct channel_set *channels; /* where he sends it; empty: the item's own */
	const struct publisher *who;	    /* who posts */
	const char *
		idempotency; /* his name for this request: the same again is answered as before; NULL: none */
};
/* Takes one item. cb is called once, perhaps from inside the call. */
void desk_take(struct desk *desk, const struct desk_order *order, desk_cb *cb, void *arg);

enum desk_purge_result {
	DESK_PURGED,	    /* nothing of the story is left; also if that was so before */
	DESK_PURGE_MISSING, /* nothing is known of the uri */
	DESK_PURGE_AWAY, /* as DESK_AWAY or DESK_UNCONFIRMED: nothing was done, or no answer came, or it may be lost: ask again */
};
struct desk_purged {
	enum desk_purge_result result;
	const char *id;		   /* of the kill on the wire; "": nobody had been sent anything */
	unsigned versions, feeds;  /* texts, and places in feeds, that went */
	bool held;		   /* a version under embargo went */
	const char *code, *detail; /* AWAY: as in a receipt */
};
/* Everything in it is borrowed for the length of the call. */
typedef void desk_purge_cb(const struct desk_purged *purged, void *arg);
/* Takes a story away for good, whoever owns it (purge.h). cb is called once, perhaps from inside the
 * call. */
void desk_purge(struct desk *desk, const char *uri, const char *owner, desk_purge_cb *cb,
		void *arg);

/* Those who can wait (a batch) fill half of the desk, so that those who cannot still find a place.
 * Also true while Redis cannot be asked: the answer comes at once, or in DESK_PATIENCE_MS. */
bool desk_has_room(const struct desk *desk);
/* One who waits for that. The memory is his, and stays until cb is called. */
struct desk_waiter {
	struct desk_waiter *prev, *next; /* the desk's */
	void (*cb)(void *arg);
	void *arg;
};
/* cb is called once: when there is room again, or when the desk closes; never from inside the call. */
void desk_wait_for_room(struct desk *desk, struct desk_waiter *waiter);

/* This worker will end soon: another one may read the inbox at once. */
void desk_leave_inbox(struct desk *desk);
/* Another desk hears what is published from now on, too. */
void desk_hand_over(struct desk *desk);
/* Does a PUBLISH that was heard before then (clock_mono_ns()) still wait for Redis? Who listens only since then cannot know of it. */
bool desk_owes(const struct desk *desk, uint64_t before_ns);
/* Whoever waits with this arg does not want to know any more (the request went away). */
void desk_forget(struct desk *desk, void *arg);

#endif
