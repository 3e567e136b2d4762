/* sending.h - hands one item to the server, again and again within the patience, until it has an answer.
 *
 * Ownership     The caller owns the struct, which must stay where it is between sending_open() and sending_close(). The
 *               client, the desk and the text are borrowed.
 * Errors        What the server says is in the receipt. What cannot even be asked is said on stderr, and `failed` is told.
 */
#ifndef NEWSWIRE_CLI_SENDING_H
#define NEWSWIRE_CLI_SENDING_H

#include "source.h"

#include <newswire/client.h>
#include <uv.h>

struct sending {
	const struct settings *settings;
	struct newswire_client *client;
	const struct source_desk *desk;
	uv_timer_t timer;
	const char *const *channels;
	const char *text;
	size_t len;
	uint64_t deadline; /* uv_now() from which it is not tried again */
	uint64_t wait_ms;  /* before the next try */

	/* One of these is called, once for each sending_begin(), later. */
	void (*done)(void *data, const struct newswire_receipt *receipt);
	void (*failed)(void *data, enum exit_code code);
	void (*waits)(void *data); /* before "trying again" is said; may be NULL */
	void *data;
};

void sending_open(struct sending *s, uv_loop_t *loop);
void sending_close(struct sending *s);
/* `text` stays the caller's until it was answered. channels: ends in NULL. */
void sending_begin(struct sending *s, const char *const *channels, const char *text, size_t len);

#endif
