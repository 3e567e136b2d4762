/* format.h - the ways bytes go out: a row a format.
 *
 * A format says how one JSON message is wrapped for one kind of connection. Its row (format.c) has three marks: the
 * family (what stands around a message), the view (how much of an item is in it), the coding (what is done to the bytes).
 *
 * WebSocket     RFC 6455: one unmasked, unfragmented text frame.
 * Event         Server-Sent Events (the HTML standard): `id:` is the cursor, `event:` the type, `data:` the JSON. A tick is
 *               an `id:` alone, which moves the place of a reader without firing an event; `retry:` where a wait is asked for.
 * Centrifuge    A WebSocket text frame, in it a push of Centrifuge's protocol: a post becomes a publication of one channel, so
 *               it has a frame for each. Other messages go as they are: news/centrifuge.h writes them.
 *
 * A WebSocket message whose coding is not plain goes out plain wherever that is hardly longer: which one it is, each message says
 * itself (RFC 7692, 6: RSV1), and posts then share the frame of the plain format. In a gzip stream (gzip.h) there is no such
 * choice, for everything is within it: what is hardly longer as it is, and all that is no post, is a stored piece.
 *
 * More formats  A new row is a name in `enum format` and a line in `rows`; its family's two functions write what stands before
 *               and after the JSON. Nothing else of the server knows what a format looks like: posts keep a frame for each,
 *               audiences are apart by it, and a door gives a line for each that it serves (readers_options.lines).
 */
#ifndef NEWSWIRE_NEWS_FORMAT_H
#define NEWSWIRE_NEWS_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/base.h"
#include "base/buf.h"
#include "news/cursor.h"

enum format {
	FORMAT_WEBSOCKET,
	FORMAT_WEBSOCKET_ALONE,
	FORMAT_WEBSOCKET_LIKE,
	FORMAT_EVENT,
	FORMAT_EVENT_GZIP,
	FORMAT_CENTRIFUGE,
	FORMAT_WEBSOCKET_BRIEF,
	FORMAT_WEBSOCKET_ALONE_BRIEF,
	FORMAT_WEBSOCKET_LIKE_BRIEF,
	FORMAT_EVENT_BRIEF,
	FORMAT_EVENT_GZIP_BRIEF,
	FORMAT_COUNT
};

enum format_family { FAMILY_WEBSOCKET, FAMILY_EVENT, FAMILY_CENTRIFUGE };
enum format_view { VIEW_FULL, VIEW_BRIEF, VIEW_COUNT };
enum format_coding { CODING_PLAIN, CODING_ALONE, CODING_LIKE, CODING_GZIP }; /* deflate.h, gzip.h */

/* Ready-made bytes, exactly as they go to the socket. data NULL: not made yet, or as_plain. */
struct frame {
	uint8_t *data;
	uint32_t len;
	uint32_t spared : 31; /* how many bytes its coding makes it shorter */
	uint32_t
		as_plain : 1; /* the plain format's frame serves: its own would hardly be shorter */
};

/* What a message is besides its JSON, which says the same: a format may write it where its clients look for it. */
struct face {
	const char *type;	 /* NEWSWIRE_TYPE_… */
	const struct cursor *at; /* the place of who has read it; NULL: it moves nobody */
	uint32_t retry_ms;	 /* the wait that it asks for; 0: none */
	const char *channel; /* a post, to those who follow this channel; NULL: whatever it is in */
};

/* A message: its JSON in up to three pieces, one behind the other. */
struct format_message {
	struct face face;
	struct {
		const char *bytes;
		size_t len;
	} json[3];
};

const char *format_name(enum format f);
/* Does a post have a frame for each channel (face.channel)? */
bool format_names_channel(enum format f);
bool format_is_coded(enum format f);
/* The same without its coding. */
enum format format_plain(enum format f);
/* The row with these marks, or FORMAT_COUNT: there is none. */
enum format format_find(enum format_family family, enum format_view view,
			enum format_coding coding);
enum format_view format_view(enum format f);
enum format_family format_family(enum format f);
/* The row with the same other marks and this view; itself, if there is none. */
enum format format_viewed(enum format f, enum format_view view);
/* `full` or `brief`; VIEW_COUNT: neither. */
enum format_view format_view_read(const char *text);
/* Makes the message's frame, exactly as long as it is, or says that the plain one serves. 0, or -1: out of memory, or longer
 * than a frame may be. */
int format_frame(enum format f, const struct format_message *message, struct frame *out) MUST_USE;
/* Appends what stands before the first message of a connection. */
void format_begin(enum format f, struct buf *out);
/* Appends one message, wrapped, and never compressed. With a hello comes what the coding must have been told first. */
void format_wrap(enum format f, const struct face *face, const char *json, size_t len,
		 struct buf *out);

#endif
