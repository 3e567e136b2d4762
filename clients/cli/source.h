/* source.h - which server a command means: the one that was named, or the one on this machine. */
#ifndef NEWSWIRE_CLI_SOURCE_H
#define NEWSWIRE_CLI_SOURCE_H

#include "command.h"

#include <newswire/client.h>

/* Fills the query from the settings. Returns CLI_OK, or the exit code after saying why on stderr. `local`
 * lends its memory to the query. */
enum exit_code source_find(struct newswire_query *query, const struct settings *settings,
			   struct newswire_local *local);

enum { SOURCE_KEY_SIZE = 4096 };

/* A server that wants a key, and the key. */
struct source_desk {
	const char *url;
	char key[SOURCE_KEY_SIZE]; /* "" for none */
	struct newswire_local local;
};

/* Where to and with which key: what was said (`url`, by the option of that name; NULL: nothing), --key,
 * $NEWSWIRE_KEY, or the server on this machine and its own. Returns as above. `desk` must stay where it is. */
enum exit_code source_find_desk(struct source_desk *desk, const struct settings *settings,
				const char *url, const char *option);

/* Says on stderr why there is no good answer. Returns the exit code. */
enum exit_code source_refused(const struct newswire_answer *answer);

/* Says that what answered is not newswired: it sent `nothing`, such as "no feed". Returns the exit code. */
enum exit_code source_is_stranger(const char *nothing);

/* A client for these settings, or NULL after saying why on stderr and closing the loop. */
struct newswire_client *source_client(struct uv_loop_s *loop, const struct settings *settings);

/* Ends the client, and runs the loop until its last handle is closed. */
void source_close(struct uv_loop_s *loop, struct newswire_client *client);

#endif
