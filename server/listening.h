/* listening.h - the sockets on which readers arrive: one per worker, all on one port.
 *
 * What it does  The kernel spreads connections over sockets that share a port (SO_REUSEPORT). The
 *               supervisor makes them and keeps them open, so that what queues for a worker that
 *               died waits for the next one.
 * Ownership     The sockets are non-blocking and close-on-exec; listening_close() closes those >=
 *               0.
 * Errors        -1 and a sentence that says what to do; no socket is left open then.
 * Threads       One.
 */
#ifndef NEWSWIRE_LISTENING_H
#define NEWSWIRE_LISTENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/base.h"

/* Fills fds[count]. Port 0: the kernel chooses one, and all share it. *port tells which it is. */
MUST_USE int listening_open(int *fds, unsigned count, const char *bind_to, uint16_t *port,
			    char *error, size_t size);
void listening_close(int *fds, unsigned count);

/* `http://127.0.0.1:8080`: how somebody on this machine reaches it. */
void listening_url(bool tls, const char *bind_to, uint16_t port, char *out, size_t size);

#endif
