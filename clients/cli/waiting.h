/* waiting.h - asks for a post's reach, until all workers have spoken or the time is over.
 *
 * Ownership     The caller owns the struct, which must stay where it is between waiting_open() and
 *               waiting_close(). The client and the desk are borrowed.
 * Errors        Are said on stderr, and end the waiting.
 */
#ifndef NEWSWIRE_CLI_WAITING_H
#define NEWSWIRE_CLI_WAITING_H

#include "source.h"

#include <newswire/client.h>
#include <uv.h>

enum { WAITING_EACH_MS = 100, WAITING_ID_SIZE = 64 };

struct waiting {
	const struct settings *settings;
	struct newswire_client *client;
	const struct source_desk *desk;
	uv_timer_t timer;
	uint64_t deadline; /* uv_now() */
	char id[WAITING_ID_SIZE];
	char uri[NEWSWIRE_MAX_URI + 1];
	void (*done)(void *data); /* called once for each waiting_begin(), later */
	void *data;
};

void waiting_open(struct waiting *w, uv_loop_t *loop);
void waiting_close(struct waiting *w);
/* Waits for this post's reach, at most settings->wait seconds; prints it. Returns false if there is none to
 * wait for: then `done` is not called. */
bool waiting_begin(struct waiting *w, const struct newswire_receipt *receipt);

#endif
