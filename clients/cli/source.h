/* source.h - which server a command means: the one that was named, or the one on this machine. */
#ifndef NEWSWIRE_CLI_SOURCE_H
#define NEWSWIRE_CLI_SOURCE_H

#include "command.h"

#include <newswire/client.h>

/* Fills the query from the settings. Returns CLI_OK, or the exit code after saying why on stderr. `local`
 * lends its memory to the query. */
enum exit_code source_find(struct newswire_query *query, const struct settings *settings,
			   struct newswire_local *local);

/* A client for these settings, or NULL after saying why on stderr and closing the loop. */
struct newswire_client *source_client(struct uv_loop_s *loop, const struct settings *settings);

/* Ends the client, and runs the loop until its last handle is closed. */
void source_close(struct uv_loop_s *loop, struct newswire_client *client);

#endif
