/* redis_uv.h - hiredis on a libuv loop.
 *
 * What it does  Polls the socket of one redisAsyncContext. Drains it: what has arrived is handled
 *               in one go (at most REDIS_UV_READS reads), and then told as one batch, so that a
 *               burst of messages becomes one tick. Unlike hiredis' own adapter it notices a
 *               refused connection.
 * Ownership     Belongs to the context: hiredis' clean-up closes it. `gone` says that the context
 *               is being freed (its error is still readable), `closed` is the last call of all.
 * Errors        A connection error ends in `gone`, never in an abort.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_WIRE_REDIS_UV_H
#define NEWSWIRE_WIRE_REDIS_UV_H

#include <stdbool.h>
#include <uv.h>
#include "base/base.h"

struct redisAsyncContext;
struct redis_uv;
enum { REDIS_UV_READS = 64 };

struct redis_uv_events {
	void (*batch)(
		void *arg); /* all that was readable has been handled; perhaps `gone` came before */
	void (*gone)(void *arg);
	void (*closed)(void *arg);
};

/* events is borrowed and outlives the context. NULL: out of memory, or no such file descriptor;
 * nothing is called then. */
struct redis_uv *redis_uv_attach(uv_loop_t *loop, struct redisAsyncContext *redis,
				 const struct redis_uv_events *events, void *arg) MUST_USE;

/* Leaves what arrives in the socket, or takes it again. */
void redis_uv_pause(struct redis_uv *u, bool paused);

#endif
