/* result.h - what `publish` says about an item, and the exit code that follows from it.
 *
 * No I/O and no state: a receipt or a reach goes in, words come out.
 */
#ifndef NEWSWIRE_CLI_RESULT_H
#define NEWSWIRE_CLI_RESULT_H

#include "exit_codes.h"

#include <newswire/client.h>

enum { RESULT_SIZE = 2048 };

/* One line without its end, e.g. "sent urn:a version 2 correct id 1767-0 (fsync)". `file`: where the
 * item came from. What others wrote is made safe for a terminal. */
void result_line(char out[RESULT_SIZE], const char *file, const struct newswire_receipt *receipt);

/* The same for the inbox: in the queue under this id, not decided. */
void result_line_queued(char out[RESULT_SIZE], const char *file, const char *id);

/* The same for Redis pub/sub: heard by so many, no receipt. */
void result_line_heard(char out[RESULT_SIZE], const char *file, const char *channel,
		       long long heard);

struct json_t;
/* To how many readers a post went, e.g. "written to 18,412 readers in 214 ms, 3 were behind (1 of 2 workers have
 * reported)"; behind and workers only where there is something to say. */
void result_reach(char out[RESULT_SIZE], const struct json_t *reach);

/* The exit code for one item, and the worse of two for the whole run. */
enum exit_code result_exit(enum newswire_status status);
enum exit_code result_worse(enum exit_code a, enum exit_code b);

/* Worth another try within the patience? */
bool result_is_temporary(enum newswire_status status);

#endif
