/* private_redis.h - the redis-server of a node that was not given one.
 *
 * What it does  Starts redis-server on a Unix socket in the state directory, append-only and flushed at every write; starts
 *               it again when it dies; passes on what it logs. It dies with this process.
 * States        RESTING (starts at `due`) -> STARTING (until it answers PING, its file loaded) -> UP;
 *               any -> RESTING when it exits; any -> STOPPING -> GONE when it is told to.
 * Ownership     private_redis_free() accepts NULL; the process must be gone by then.
 * Errors        -1 and a sentence that says what to do. What goes wrong later is logged and tried
 *               again.
 * Threads       The supervisor's. Nothing blocks but one look at whether it answers (PROBE_MS at
 *               most).
 */
#ifndef NEWSWIRE_PRIVATE_REDIS_H
#define NEWSWIRE_PRIVATE_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/base.h"

struct private_redis;

/* Finds the program. `socket` lies in `dir`; keep_fd is an open file that the process shall
 * inherit (the lock). */
MUST_USE struct private_redis *private_redis_new(const char *dir, const char *socket, int keep_fd,
						 char *error, size_t size);
void private_redis_free(struct private_redis *r);
/* Would private_redis_new() find the program? */
MUST_USE int private_redis_check(char *error, size_t size);

/* One that runs already, a child of this process, whose log arrives at log_fd: STARTING, until it is seen that it answers. pid 0: there
 * is none. */
void private_redis_adopt(struct private_redis *r, pid_t pid, int log_fd);
/* Has it said what this process is to act on once it answers? Who adopts it now would not hear of that. */
bool private_redis_is_to_mend(const struct private_redis *r);
pid_t private_redis_pid(const struct private_redis *r); /* 0: none runs */

/* Does what is due, starting or probing. Returns when to call again (clock_mono_ms), UINT64_MAX
 * for never. */
uint64_t private_redis_step(struct private_redis *r);

/* If `pid` is the process: notes that it has ended and returns true. */
bool private_redis_ended(struct private_redis *r, pid_t pid, int status);

/* What it logs arrives at this file descriptor (-1: none now); call private_redis_relay() when
 * it is readable. */
int private_redis_log_fd(const struct private_redis *r);
void private_redis_relay(struct private_redis *r);

bool private_redis_is_up(const struct private_redis *r);
/* It never came up, however often it was started. */
bool private_redis_is_hopeless(const struct private_redis *r);
/* Sends SIGTERM (or SIGKILL) once; it is started no more. */
void private_redis_stop(struct private_redis *r, int signal);
bool private_redis_is_gone(const struct private_redis *r);

#endif
