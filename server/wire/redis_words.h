/* redis_words.h - what is wrong with a Redis, in words: one table from its error codes to a sentence and a remedy.
 *
 * What it does  Finds the row of an error, also of one that a script met, or of why a connection failed. What publishers and
 *               /readyz are told is a row's words, never Redis' own, which may name users and keys.
 * Lifetime      Rows live for ever.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_REDIS_WORDS_H
#define NEWSWIRE_WIRE_REDIS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct redis_words {
	const char *code;   /* what the error begins with */
	const char *says;   /* what is wrong: a clause */
	const char *remedy; /* what whoever runs Redis does about it: another */
	bool passes; /* it ends without us, and what was asked may be asked again: it wrote nothing, or the same again finishes it */
};

/* Never NULL: an error that nobody knows, and a connection that failed, is a Redis that cannot be reached. */
const struct redis_words *redis_words(const char *error);
/* Is it an error of the table that passes? */
bool redis_words_passes(const char *error);
/* "What is wrong (what to do)". */
void redis_words_write(const struct redis_words *words, char *to, size_t size);

/* Logs it, but not again within REDIS_WORDS_QUIET_MS: many ask the same Redis. `error`: its own words. */
enum { REDIS_WORDS_QUIET_MS = 60000 };
void redis_words_tell(const struct redis_words *words, const char *error);
/* It is over: should it come back, that is said anew. */
void redis_words_over(const struct redis_words *words);

#endif
