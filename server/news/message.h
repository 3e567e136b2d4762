/* message.h - what server and reader say to each other besides posts (protocol newswire.v1).
 *
 * Writers append JSON, not yet wrapped in a format. The reader of client messages refuses what it does not know.
 */
#ifndef NEWSWIRE_NEWS_MESSAGE_H
#define NEWSWIRE_NEWS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/base.h"
#include "base/buf.h"
#include "news/cursor.h"
#include "news/subscription.h"

void message_hello(struct buf *out, const struct cursor *at, bool resumed, unsigned tick_s,
		   uint64_t retention_s);
void message_tick(struct buf *out, const struct cursor *at); /* at NULL: to one who has none */
void message_gap(struct buf *out, const struct cursor *at);
void message_bye(struct buf *out, const char *reason, uint32_t retry_ms);
/* ref: the client's own, verbatim JSON (number or string), or NULL for none. */
void message_subscribed(struct buf *out, const char *ref, const struct cursor *at);
/* How many read each channel and prefix of the subscription, as of() says. */
typedef uint64_t message_count(const char *channel, const void *arg);
void message_readers(struct buf *out, const struct subscription *s, message_count *of,
		     const void *arg);
void message_error(struct buf *out, const char *code, const char *detail, const char *ref);

enum { MESSAGE_REF_SIZE = 72 };

/* A client's message, read. */
struct client_message {
	enum { CLIENT_SUBSCRIBE, CLIENT_PING } kind; /* ping: {"type":"ping"}; answered by a tick */
	char ref[MESSAGE_REF_SIZE]; /* verbatim JSON number or string of at most 64 bytes; "" if none */
	struct subscription *subscription; /* subscribe: the caller takes it */
	bool has_since;
	struct cursor since;
};

/* Why it was refused: code and detail go into an `error` message, close (0: none) ends the
 * connection. */
struct message_fault {
	int close; /* 1007 not UTF-8, 4000 bad subscription … (newswire/protocol.h); 0: answer only */
	const char *code;
	char detail[200];
	char ref[MESSAGE_REF_SIZE];
};

/* 0, or -1 and *fault. Codes: bad_json (close 4000), bad_utf8 (1007), bad_type (unknown type,
 * 0), bad_ref, bad_channel, bad_cursor … (0: the reader keeps the subscription it has). Unknown
 * properties are ignored. */
int message_read(const char *bytes, size_t len, struct client_message *out,
		 struct message_fault *fault) MUST_USE;

#endif
