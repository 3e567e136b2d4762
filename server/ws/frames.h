/* frames.h - what a client's bytes say: the frames of RFC 6455, 5, one after the other, as they come.
 *
 * What it does  Reads heads, takes the masks off, tells pieces of messages and whole control frames apart, and sees what a client
 *               must not do: a frame without a mask, reserved bits and opcodes, control frames in pieces or too long,
 *               a continuation of nothing, a length of 2^63, a message that is too long, a close code that may not be sent.
 *               It knows nothing of sockets, and nothing of what a message says (UTF-8 is looked at by who reads it).
 * Bounds        Keeps no message: only the head of a frame and the payload of a control frame.
 * Threads       Any; the state is the caller's.
 */
#ifndef NEWSWIRE_WS_FRAMES_H
#define NEWSWIRE_WS_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "reader/close.h"

enum { FRAMES_HEAD_MAX = 14, FRAMES_CONTROL_MAX = 125 };

/* Where a client's bytes stand. {0}: nothing has come. */
struct frames {
	uint8_t head[FRAMES_HEAD_MAX];
	uint8_t head_len;
	bool has_head; /* the head is whole: its payload follows */
	uint64_t left; /* bytes of the payload to come */
	uint8_t mask[4];
	uint8_t control[FRAMES_CONTROL_MAX]; /* payload of the last control frame */
	uint8_t control_len;
	bool in_message; /* one has begun, and not ended */
	bool compressed; /* the message is (RFC 7692) */
	uint64_t message_len;
	enum close_why why; /* after FRAMES_WRONG */
};

/* What a client may do. */
struct frames_rules {
	uint64_t max;  /* bytes of a message, as they come */
	bool deflates; /* permessage-deflate was agreed on */
};

/* What is left to read. */
struct frames_input {
	char *at;
	size_t len;
};

struct frames_piece {
	const char *bytes; /* in the input, without the mask */
	size_t len;
	bool last; /* of the message */
};

enum frames_what {
	FRAMES_MORE,  /* all is read, and it is not enough */
	FRAMES_PIECE, /* of a text message; f->compressed says how to take it */
	FRAMES_PING,  /* f->control */
	FRAMES_PONG,
	FRAMES_CLOSE, /* f->control holds nothing, or a code that may be sent and a reason */
	FRAMES_WRONG  /* f->why; nothing more can be read */
};

/* Reads on, to the next thing that has to be dealt with. */
enum frames_what frames_read(struct frames *f, struct frames_input *in,
			     const struct frames_rules *rules, struct frames_piece *piece);
/* Nothing has begun: it may be forgotten. */
bool frames_is_between(const struct frames *f);

#endif
