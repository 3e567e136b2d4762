/* session.h - what most commands need: a server, perhaps a key, a loop and a client on it.
 *
 * Ownership     The caller owns the struct, which must stay where it is from session_open() to session_close().
 * Errors        session_open() says what is wrong and returns the exit code; session_close() is due only after CLI_OK.
 */
#ifndef NEWSWIRE_CLI_SESSION_H
#define NEWSWIRE_CLI_SESSION_H

#include "source.h"

#include <uv.h>

enum { SESSION_SIGNALS = 2 };

struct session {
	uv_loop_t loop;
	const struct settings *settings;
	struct newswire_client *client;
	struct source_desk desk;
	const char *key; /* of the desk; NULL for none */
	enum exit_code code;
	uv_signal_t signals[SESSION_SIGNALS];
	bool watches_signals;
};

/* The server of --url, or the one on this machine. */
enum exit_code session_open(struct session *s, const struct settings *settings);
/* SIGINT and SIGTERM end the run from now on, with CLI_OK. */
void session_watch_signals(struct session *s);
/* Runs the loop until session_end(). Returns the exit code. */
enum exit_code session_run(struct session *s);
void session_end(struct session *s, enum exit_code code);
/* Says that what was asked for cannot be asked: errno says why. Ends the run. */
void session_cannot_ask(struct session *s, const char *what);
void session_close(struct session *s);

#endif
