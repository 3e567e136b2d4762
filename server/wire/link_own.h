/* link_own.h - what link.c and link_asks.c share: the link, and what is asked over it. For them only. */
#ifndef NEWSWIRE_WIRE_LINK_OWN_H
#define NEWSWIRE_WIRE_LINK_OWN_H

#include <hiredis/async.h>
#include "base/backoff.h"
#include "wire/link.h"
#include "wire/redis_uv.h"
#include "wire/redis_words.h"
#include "wire/sentinel.h"

enum { LINK_SCRIPTS_MAX = 16 };

/* A command whose answer is owed, or a subscription. */
struct ask {
	struct ask *prev, *next;
	struct link *link;
	link_reply_cb *cb;
	void *arg;
	unsigned channels; /* 0: an ordinary command */
	unsigned acks;	   /* subscription: acknowledgements that were told */
	char *heartbeat;   /* subscription: the command, to be sent again */
	size_t heartbeat_len;
};

/* Always true: redis != NULL => state is CONNECTING, GREETING, READY or CLOSED (on its way out). */
struct link {
	uv_loop_t *loop;
	uv_timer_t
		timer; /* WAITING: the next attempt; else: looks every second whether Redis is alive */
	uv_getaddrinfo_t resolver;
	struct redis_place place;
	struct sentinel *sentinel; /* who knows where the master is; NULL: nobody has to be asked */
	struct sentinel_ear ear;
	char host[256]; /* where it is connected to, or tries to; "": by the Unix socket */
	int port;
	char name[32];
	struct link_events events;
	void *arg;
	enum link_state state;
	struct backoff backoff;
	unsigned holds; /* what must be over before the memory goes: timer, resolver, connections */
	bool resolving, paused;
	bool outdated;			   /* the Sentinels have named another master since */
	bool told_role;			   /* it was logged that this is a replica */
	unsigned flaps;			   /* how often in turn it became ready and did not last */
	char reason[160];		   /* why we let the connection go; "": we did not */
	const struct redis_words *trouble; /* why it was lost last */
	redisAsyncContext *redis;
	struct redis_uv *poll;
	struct ask *asks;
	unsigned owed; /* answers and acknowledgements */
	uint64_t heard_ms, watched_ms;
	const struct link_script *loaded[LINK_SCRIPTS_MAX];
	size_t loaded_count;
};

/* --- the connection (link.c) ------------------------------------------------------------------ */

/* Ends the connection, at the latest when the callback of hiredis that calls this is over; whoever has asked is told so, and it
 * is made anew. */
void link_let_go(struct link *link, const char *reason);

/* --- what is asked (link_asks.c) -------------------------------------------------------------- */

/* As link_command(), but in every state that has a connection: also the greeting is sent with it. */
int link_send_words(struct link *link, link_reply_cb *cb, void *arg, int argc,
		    const char *const *argv, const size_t *lens) MUST_USE;
/* Subscribes once more, which Redis acknowledges: so it is known to be alive. Nothing where no subscription is. */
void link_send_heartbeat(struct link *link);
/* The connection is gone: tells everybody that no answer will come. */
void link_answer_nobody(struct link *link);

#endif
