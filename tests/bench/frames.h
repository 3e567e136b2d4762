/* frames.h - takes a stream apart, of WebSocket frames or of a gzip stream's pieces, and inflates what is compressed.
 *
 * What it does  frames_take() and frames_take_pieces() give the text of each message to `text`. Readers of one server get the same
 *               frames, so one that was just inflated is not inflated again; and what a message refers to in another is in the
 *               one that says `like` (docs/protocol.md, Compression), so a reader keeps no window. A gzip stream's pieces are
 *               stored blocks, and compressed ones that end in a full flush.
 * Ownership     A zeroed struct has nothing; frames_free() makes it that again.
 * Errors        A frame that cannot be inflated, or out of memory, ends the bench with a message.
 * Threads       None of its own.
 */
#ifndef NW_BENCH_FRAMES_H
#define NW_BENCH_FRAMES_H

#include <stddef.h>
#include <stdint.h>

/* The part of a frame that has come. */
struct frames {
	uint8_t *part;
	uint32_t len, cap;
};

typedef void frames_text(void *who, const char *text, size_t n);

void frames_take(struct frames *f, const char *bytes, size_t n, frames_text *text, void *who);
void frames_take_pieces(struct frames *f, const char *bytes, size_t n, frames_text *text,
			void *who);
void frames_free(struct frames *f);

#endif
