/* session.h - readers who speak Centrifuge's protocol (JSON, version 2) at /connection/websocket: the official SDKs of Centrifugo.
 *
 * What it does  Reads commands (news/centrifuge.h), and turns them into what a reader has anyway: one subscription and one place
 *               on the wire. The messages of newswire.v1 (hello, tick, gap …) become connect replies, pings and pushes.
 * Channels      A connection with k subscriptions is ONE reader, whose audience is the set of its channels. In this format
 *               (FORMAT_CENTRIFUGE) a post has a frame for each channel, made once and shared by everyone who follows
 *               that channel; an audience's block holds the frames of each of its channels that the post is in. So a reader
 *               still gets one write a tick.
 * Doubles       A post in two channels of a connection is two publications, one for each, as its clients expect: channels
 *               are apart from each other. What a post is (whole, or a `remove`) is asked for each channel by itself, and
 *               whether a later version replaces it, too.
 * Order         In each channel that of the wire; a post's channels come by name.
 * Places        Once a reader is live, all its channels are at the wire's head. Only to come back are they apart: each
 *               `recover` names its own offset. Then the reader goes back to the lowest of them and catches up as
 *               everyone does (in blocks, from the backlog or from pages read once for all), and each channel leaves
 *               out what lies at or below its own place: `struct past`, there only meanwhile.
 * Recovery      So a subscribe reply has no publications: it says `recovered`, and they follow as pushes; clients tell the
 *               two apart by nothing. There is no limit to how many, and a slow client is fed as it reads. A place that is
 *               known to be lost is `recovered:false`, and the client reads anew. If Redis says so only when its page is
 *               asked for, the subscriptions from there are ended with code 2500: the client subscribes again, and is told then.
 * Ahead         A place above this worker's head (another worker was quicker) is a temporary error, which clients repeat by
 *               themselves; after SESSION_AHEAD_S of that it is one that never was.
 * Proof of life {} from the server each tick, {} back. Who has not answered by the next tick is disconnected (3012).
 * Bounds        CENTRIFUGE_CHANNELS_MAX channels; SESSION_MESSAGE_MAX bytes and SESSION_COMMANDS_MAX commands a second.
 *               Answers wait in front of a reader as reader.h says.
 * Errors        What breaks the protocol ends the connection with a code of Centrifugo's, in which the SDKs read whether to
 *               come back: 3501 and the like are for good.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_CENTRIFUGE_SESSION_H
#define NEWSWIRE_CENTRIFUGE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include "http/door.h"

enum {
	SESSION_MESSAGE_MAX = 64 << 10,
	SESSION_COMMANDS_MAX = 400,
	SESSION_HISTORY_COST = 10, /* commands that a history command counts for */
	/* Publications in one reply, if there is more than one; behind so much, a message gets no more of them. */
	SESSION_HISTORY_BYTES = 64 << 10,
	SESSION_AHEAD_S = 5,
	SESSION_AHEAD_FORGET_S = 60 /* then it is another place that is asked for */
};

struct session_options {
	size_t sndbuf;	    /* bytes that the kernel keeps for a client that does not read */
	uint64_t tick_ms;   /* told as `ping` */
	bool shows_readers; /* how many read a channel */
	struct wire *wire;
};

/* For readers_options.lines. */
const struct reader_line *session_line(void);
/* For door_setup.centrifuge. */
const struct door_stream *session_door(const struct session_options *given);

#endif
