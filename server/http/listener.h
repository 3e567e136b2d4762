/* listener.h - accepts connections in batches, within the limit of file descriptors.
 *
 * libwebsockets cannot share a port (its LISTEN_SHARE does nothing here) and spins when descriptors
 * run out, so accepting is ours: sockets are handed to it ready made, with descriptors below LISTENER_TABLE. Whenever a connection
 * of its ends it looks through a table as long as the highest that may be (20,000: 50 us); what lasts leaves it soon, and takes
 * a higher descriptor (listener_keep()). If there is no lower one left, the next waits until there is.
 * Ownership     Borrows the listening socket. listener_close() frees the listener after its handle
 *               has closed.
 */
#ifndef NEWSWIRE_HTTP_LISTENER_H
#define NEWSWIRE_HTTP_LISTENER_H

#include <stddef.h>
#include <uv.h>
#include "base/base.h"

struct listener;

/* Takes over a connected socket: 0, or -1 (it is closed already). */
typedef int listener_adopt(int fd, void *arg);

enum { LISTENER_BATCH = 64, LISTENER_RESERVE = 64, LISTENER_TABLE = 4096 };

struct listener *listener_open(uv_loop_t *loop, int fd, unsigned user_timeout_ms,
			       listener_adopt *adopt, void *arg) MUST_USE;
void listener_close(struct listener *listener); /* accepts NULL */
/* From now on it accepts. */
void listener_start(struct listener *listener);
/* Accepts nobody any more; what was accepted before is still adopted. Accepts NULL. */
void listener_stop(struct listener *listener);
/* Is there a place for this connected socket of our own, which came by no listening socket? Then it counts as one that was adopted:
 * 0, or -1. */
int listener_count(struct listener *listener, int fd) MUST_USE;
/* A second descriptor of an adopted connection, to be freed by itself; above LISTENER_TABLE as long as there are such. -1: none is
 * left. Accepts NULL. */
int listener_keep(struct listener *listener, int fd) MUST_USE;
/* A connection that was adopted is gone. */
void listener_freed(struct listener *listener);
/* A second has passed: what was short may be there again, though no connection of ours ended. */
void listener_retry(struct listener *listener); /* accepts NULL */
/* The most connections that may be open at a time. */
size_t listener_limit(const struct listener *listener);

#endif
