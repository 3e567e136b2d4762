/* desk_accept.h - the desk's scripts, asked directly, and what Redis holds afterwards. */
#ifndef NEWSWIRE_TESTS_DESK_ACCEPT_H
#define NEWSWIRE_TESTS_DESK_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "desk_stage.h"

/* An item as the desk hands it to accept.lua. What is not given is ordinary. */
struct sent {
	const char *uri, *version, *text, *channels, *owner, *status, *hash, *notice, *lang,
		*feed_max, *class;
	const char *rights; /* default: publish correct kill flash embargo */
	const char *seen;   /* default: made of all the rest */
	const char *idem;   /* NULL: without an idempotency key */
	const char *
		entry; /* its id in the inbox, given to the consumer `me`; NULL: it came another way */
	int64_t created, embargo, expires;
	int64_t clock;	     /* the worker's own time; 0: it agrees with Redis */
	const char *evolved; /* NULL: it is no update */
	bool override;
};

/* What accept.lua answered last. */
struct decision {
	char error[256], result[32], id[48], action[16], channels[4096], code[32], detail[256];
	int64_t due;
	bool replayed;
};
extern struct decision got;

/* Decides, fills `got`, and returns got.result ("error" if it was one). */
const char *accept_item(struct sent s);
#define SEND(...)	 accept_item((struct sent){__VA_ARGS__})
#define SAYS(call, what) assert_string_equal(call, what)

/* What release.lua answered last. */
struct release {
	int count;
	char due[24], rewrite[80], problem[256];
};
extern struct release freed;
int release_due(const char *rewritten);
/* By a worker's own time; ahead_ms: how far it says that Redis' clock is ahead. */
int release_at(const char *rewritten, int64_t time, int64_t ahead_ms);

/* What purge.lua answered last; result is the error if it was one. */
struct purge {
	char result[256], id[48], versions[8], feeds[8], held[8];
};
extern struct purge gone;
const char *purge_item(const char *uri);

/* The n-th command of the scripts that follow raises an error; 0: none does. release_due() then returns -1. */
extern int fail_at;

/* The same of reject.lua. idem: NULL, or an idempotency key. */
const char *reject_item(const char *seen, const char *idem);
const char *reject_entry(const char *seen, const char *entry);

int64_t redis_now(void);
/* Its embargo is over, as if time had passed. */
void time_passes(const char *uri);
int on_the_wire(void);
int refusals(void);
/* meta of the newest post; "" if there is none. */
const char *newest(void);
void newest_says(const char *what);
const char *item_field(const char *uri, const char *field);
bool in_feed(const char *channel, const char *uri);

#endif
