/* speech.h - how a reader asks for the news, and how it knows that it will get them: a row a protocol.
 *
 * What it does  speech_ask() writes the whole request of one reader; speech_hear() follows the
 *               answer, however it was cut into reads, and says where the news begin.
 * Ownership     The table is constant. A struct answer is plain data; zeroed means that nothing came.
 * Errors        A refusal is reported by speech_hear(); speech_ask() returns 0 when the room is short.
 * Threads       None of its own.
 */
#ifndef NW_BENCH_SPEECH_H
#define NW_BENCH_SPEECH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPEECH_ASK_MAX 1024

enum speech_text {
	SPEECH_PLAIN,  /* all bytes are text */
	SPEECH_FRAMES, /* WebSocket frames, which may be compressed */
	SPEECH_PIECES, /* a gzip stream's pieces */
};

struct speech {
	const char *name;
	bool greets;	       /* a reader is ready only when something follows the answer */
	enum speech_text text; /* where the marks are */

	/* Writes the request for `place` (a path, a subject, a topic); its length, or 0. */
	size_t (*ask)(char *out, size_t room, const char *place, unsigned reader);
	/* What is asked once that is answered, or NULL. */
	size_t (*ask_on)(char *out, size_t room, const char *place, unsigned reader);

	/* The answer: begins with `begin`, has `proof` in its first piece (unless NULL) and ends with `end`.
	 * No part of `end` but its first byte may begin it anew. */
	const char *begin;
	size_t begin_len;
	const char *proof;
	const char *end;
	size_t end_len;

	/* A question that the server asks of those who only listen, and what to say; NULL if there is none. */
	const char *question;
	const char *reply;
	bool resumes; /* a reader whose connection ends comes back with the cursor that it has */
};

struct answer {
	uint8_t matched; /* bytes of speech.end seen in a row */
	bool begun;
	bool complete;
	bool refused;
};

/* NULL if there is no such protocol. */
const struct speech *speech_find(const char *name);

/* Takes a piece of the answer. Returns where it ends in bytes .. end: what is after it is news. */
const char *speech_hear(const struct speech *s, struct answer *a, const char *bytes,
			const char *end);

/* Whether the piece has the server's question. One that two reads cut is overlooked; servers ask again. */
bool speech_is_asked(const struct speech *s, const char *bytes, size_t n);

/* Copies a name, with the number in place of each {}. Its length, or 0 when the room is short. */
size_t speech_name(char *out, size_t room, const char *name, unsigned number);

#endif
