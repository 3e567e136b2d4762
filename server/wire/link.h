/* link.h - one connection to Redis that mends itself.
 *
 * What it does  A named state machine: WAITING -> CONNECTING -> GREETING (AUTH, SELECT, CLIENT
 *               SETNAME) -> READY, and back to WAITING on any loss, with jittered backoff
 *               (base/backoff.h). One setter logs every transition, and counts who is up (newswire_link_up).
 * Ownership     link_close() frees it (accepts NULL); its callbacks are not called afterwards.
 * Errors        Commands in flight when the connection is lost get reply NULL, once.
 * The master    Behind Sentinels (wire/sentinel.h) it goes where they say that the master is, at once when that changes. Wherever
 *               it goes, it stays only with a master: a replica, or what becomes one, counts as away.
 * Liveness      A link that hears nothing for LINK_SILENCE_MS while something is owed counts as lost (a frozen Redis).
 * Signals       The process ignores SIGPIPE from the first link_open() on.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_LINK_H
#define NEWSWIRE_WIRE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>
#include "base/base.h"

struct redisReply;
struct redis_words;
struct link;

enum link_state { LINK_WAITING, LINK_CONNECTING, LINK_GREETING, LINK_READY, LINK_CLOSED };
enum { LINK_SILENCE_MS = 5000 };

enum { REDIS_SENTINELS_MAX = 8 };

/* Where a Sentinel is. */
struct sentinel_place {
	char *host;
	int port;
};

/* Where Redis is: `unix:PATH[?db=N]`, `redis://[user:pass@]host:port/db`, or who knows it:
 * `redis+sentinel://[user:pass@]host:port[,host:port…]/master[/db][?sentinel_user=…&sentinel_password=…]`. Read once, copied by
 * links. With Sentinels (`master` is not NULL) there is neither a path nor a host. */
struct redis_place {
	char *unix_path; /* or NULL */
	char *host;
	int port;
	char *user; /* NULL: default */
	char *password;
	int db;
	char *master; /* what the Sentinels call it; NULL: there are none */
	struct sentinel_place sentinels[REDIS_SENTINELS_MAX];
	unsigned sentinel_count;
	char *sentinel_user, *sentinel_password; /* as user and password, for the Sentinels */
};
/* 0, or -1 and a sentence in error. */
int redis_place_read(struct redis_place *place, const char *text, char *error,
		     size_t error_size) MUST_USE;
int redis_place_copy(struct redis_place *to, const struct redis_place *from) MUST_USE;
void redis_place_free(struct redis_place *place);

struct link_events {
	void (*ready)(void *arg); /* connected and greeted: subscribe, attach … */
	void (*lost)(void *arg);  /* was READY and is not any more */
	void (*batch)(void *arg); /* all that one reading of the socket brought has been told */
};

/* Starts at once; the first attempt is made in the next turn of the loop. `name` shows in the
 * log and in CLIENT LIST. */
struct link *link_open(uv_loop_t *loop, const struct redis_place *place, const char *name,
		       const struct link_events *events, void *arg) MUST_USE;
void link_close(struct link *link);
/* The same, but first whoever waits for an answer gets NULL (subscriptions do not). */
void link_close_answering(struct link *link);
enum link_state link_state(const struct link *link);
const char *link_state_name(enum link_state state);

/* Why it is not READY, or was lost last (redis_words.h). Never NULL. */
const struct redis_words *link_trouble(const struct link *link);

/* Leaves what Redis sends in the socket (and, when that is full, with Redis), or takes it again.
 * A paused link is not taken for frozen. A new connection begins unpaused. */
void link_pause(struct link *link, bool paused);

/* reply is NULL when the connection was lost before the answer came; it is freed after the call. */
typedef void link_reply_cb(struct redisReply *reply, void *arg);

/* Sends one command. 0, or -1: not READY (cb is not called). cb NULL: nobody wants the answer.
 * For SUBSCRIBE/PSUBSCRIBE cb is called for the first acknowledgement of each channel, for every
 * message, and with NULL once when the connection is lost; the link sends the command again
 * every second to see that Redis is alive, and keeps those acknowledgements to itself. After it
 * no other command may be sent on this connection. */
int link_command(struct link *link, link_reply_cb *cb, void *arg, int argc, const char *const *argv,
		 const size_t *lens) MUST_USE;
/* printf-like, as redisAsyncCommand (%s, %b). */
int link_commandf(struct link *link, link_reply_cb *cb, void *arg, const char *format,
		  ...) MUST_USE;

/* A Lua script of the tree: loaded once per connection (SCRIPT LOAD), then called by its SHA1;
 * scripts run in the order in which they were asked for. Should Redis forget it (SCRIPT FLUSH),
 * the connection is made anew. */
struct link_script {
	const char *text;
	char sha[41]; /* filled at first use */
};
int link_script(struct link *link, struct link_script *script, link_reply_cb *cb, void *arg,
		int keys, int argc, const char *const *argv, const size_t *lens) MUST_USE;

#endif
