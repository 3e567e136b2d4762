/* tool_message.h - what a newsroom's tool and the server say to each other on a lasting line (`/v1/publish`).
 *
 * What it does  Reads a tool's message around its item: the item is found without being decoded, and
 *               stays as it came, for item_read(). Writers append JSON, not yet wrapped in a format.
 * Ownership     A message that was read borrows its item from the bytes; tool_message_free() frees the
 *               rest and forgets the key.
 * Bounds        What stands around an item has at most TOOL_ENVELOPE_MAX bytes.
 * Threads       Any.
 */
#ifndef NEWSWIRE_NEWS_TOOL_MESSAGE_H
#define NEWSWIRE_NEWS_TOOL_MESSAGE_H

#include <stddef.h>
#include <newswire/protocol.h>
#include "base/base.h"
#include "base/buf.h"
#include "news/channel.h"
#include "news/message.h"
#include "news/proof.h"
#include "news/publisher.h"

enum { TOOL_ENVELOPE_MAX = NEWSWIRE_MAX_ENVELOPE };

struct tool_message {
	enum { TOOL_UNKNOWN, TOOL_PUBLISH, TOOL_AUTH, TOOL_PING } kind;
	char ref[MESSAGE_REF_SIZE]; /* verbatim JSON, or "" */
	const char *item;	    /* publish: the bytes of the value of `item` */
	size_t item_len;
	struct channel_set channels;			/* publish: empty: the item's own */
	char idempotency[NEWSWIRE_MAX_IDEMPOTENCY + 1]; /* publish: or "" */
	char key[PROOF_KEY_MAX + 1];			/* auth */
};

/* 0, or -1 and *fault: codes as HTTP has them (empty, bad_idempotency_key, too_many_channels,
 * bad_channel) and as message_read() has them; out->kind says what it was, if that could be seen.
 * The caller frees *out in both cases. */
int tool_message_read(const char *bytes, size_t len, struct tool_message *out,
		      struct message_fault *fault) MUST_USE;
void tool_message_free(struct tool_message *m);

/* `who` NULL: has yet to say who it is. */
void tool_message_hello(struct buf *out, const struct publisher *who, unsigned window,
			size_t max_item, unsigned tick_s);
void tool_message_authorized(struct buf *out, const char *ref, const struct publisher *who);

#endif
