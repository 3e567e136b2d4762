/* centrifuge.h - Centrifuge's client protocol in JSON (its version 2): what its clients say, and what they are told.
 *
 * What it does  Reads commands, several of which may stand in one message, a line each; writes replies and pushes, a line
 *               each as well. It knows nothing of connections: centrifuge/session.h has the order of things.
 * Offsets       A channel's offset is a number that grows, and is made of the post's id: ms * 2048 + seq. So it costs Redis
 *               nothing, is the same on every node, and turns straight into a place on the wire. It is exact in a
 *               JavaScript number until the year 2109. Its clients compare no two of them and expect no run without holes.
 *               The 2,048th post of one millisecond and those after it share an offset: who goes on from it sees some
 *               again, and misses none.
 * Errors        A line that is no command at all is CENTRIFUGE_BROKEN: its clients are disconnected for that.
 * Threads       Any.
 */
#ifndef NEWSWIRE_NEWS_CENTRIFUGE_H
#define NEWSWIRE_NEWS_CENTRIFUGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/base.h"
#include "base/buf.h"
#include "news/channel.h"
#include "news/cursor.h"

enum {
	CENTRIFUGE_CHANNELS_MAX = 128, /* of one connection */
	CENTRIFUGE_NAME_MAX = CHANNEL_READABLE_MAX,
	CENTRIFUGE_SEQ_BITS = 11,
	CENTRIFUGE_HISTORY_MAX = 100 /* publications in one reply */
};

/* The offset of a place, and the place of an offset. */
uint64_t centrifuge_offset(struct wire_id id);
struct wire_id centrifuge_place(uint64_t offset);

/* --- what a client says ----------------------------------------------------------------------- */

enum centrifuge_kind {
	CENTRIFUGE_UNKNOWN, /* a command that we don't know */
	CENTRIFUGE_PONG,    /* {}: the answer to our {} */
	CENTRIFUGE_CONNECT,
	CENTRIFUGE_SUBSCRIBE,
	CENTRIFUGE_UNSUBSCRIBE,
	CENTRIFUGE_PUBLISH,
	CENTRIFUGE_PRESENCE,
	CENTRIFUGE_PRESENCE_STATS,
	CENTRIFUGE_HISTORY,
	CENTRIFUGE_PING,
	CENTRIFUGE_SEND,
	CENTRIFUGE_RPC,
	CENTRIFUGE_REFRESH,
	CENTRIFUGE_SUB_REFRESH
};

/* A channel, and from where on it is wanted. */
struct centrifuge_wish {
	char channel[CENTRIFUGE_NAME_MAX + 1]; /* "": none of ours can be called that */
	bool has_since;			       /* subscribe: `recover`; history: `since` */
	bool any_epoch;			       /* it named none */
	struct cursor since;
};

struct centrifuge_command {
	uint32_t id; /* 0: none, nothing may be answered */
	enum centrifuge_kind kind;
	bool has_channel; /* `channel` was there, and text */
	struct centrifuge_wish wish;
	struct centrifuge_wish *subs; /* connect: what it subscribes to at once */
	uint32_t sub_count;
	int32_t limit; /* history: 0: the position only; -1: as many as there may be */
	bool reverse;
};

enum centrifuge_read {
	CENTRIFUGE_READ = 0,
	CENTRIFUGE_END,	   /* no more commands */
	CENTRIFUGE_BROKEN, /* this is not the protocol */
	CENTRIFUGE_SHORT   /* memory is short */
};

/* Reads the next command of a message; *at moves behind it. *out is to be freed in every case. */
enum centrifuge_read centrifuge_next(const char **at, const char *end,
				     struct centrifuge_command *out) MUST_USE;
void centrifuge_command_free(struct centrifuge_command *command);

/* --- what the server says: each appends one line, the first without a line's end before it ------- */

enum centrifuge_error {
	CENTRIFUGE_INTERNAL = 100,
	CENTRIFUGE_UNKNOWN_CHANNEL = 102,
	CENTRIFUGE_DENIED = 103,
	CENTRIFUGE_NO_METHOD = 104,
	CENTRIFUGE_ALREADY = 105,
	CENTRIFUGE_LIMIT = 106,
	CENTRIFUGE_BAD_REQUEST = 107,
	CENTRIFUGE_NOT_AVAILABLE = 108,
	CENTRIFUGE_TOO_MANY = 111,
	CENTRIFUGE_UNRECOVERABLE = 112
};

/* What became of a subscription. */
struct centrifuge_subscribed {
	const char *channel;
	struct cursor from; /* what follows comes after it */
	bool was_recovering, recovered;
};

/* A client goes on after errors 100 and 111 by itself. */
void centrifuge_say_error(struct buf *out, uint32_t id, enum centrifuge_error error);
/* client: a name of the connection. */
void centrifuge_say_connected(struct buf *out, uint32_t id, const char *client, unsigned ping_s,
			      const struct centrifuge_subscribed *subs, uint32_t sub_count);
void centrifuge_say_subscribed(struct buf *out, uint32_t id, const struct centrifuge_subscribed *s);
/* An answer that says only: done. `kind` is one of those that have such: unsubscribe, refresh … */
void centrifuge_say_done(struct buf *out, uint32_t id, enum centrifuge_kind kind);
/* Each counts as a user, since readers have no names. */
void centrifuge_say_present(struct buf *out, uint32_t id, uint64_t readers);
/* publications: `{…},{…}`, as centrifuge_add_publication() wrote them. */
void centrifuge_say_history(struct buf *out, uint32_t id, const struct cursor *top,
			    const struct buf *publications);
/* The server ends a subscription; the client subscribes again, from its place. */
void centrifuge_say_unsubscribed(struct buf *out, const char *channel);

#endif
