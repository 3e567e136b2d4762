/* state_dir.h - the directory that is this node's own: lock, publishing key, private Redis, and where it runs.
 *
 * What it does  Makes the directory (0700), locks it against a second newswired, keeps the
 *               publishing key in it, and tells tools where the running server is (newswired.json).
 * Ownership     The lock is an open file: it lasts as long as any process that inherited lock_fd.
 *               The private Redis does, on purpose: two redis-servers on one append-only file would
 *               ruin it.
 * Errors        -1 and a sentence that says what to do.
 * Threads       One.
 */
#ifndef NEWSWIRE_STATE_DIR_H
#define NEWSWIRE_STATE_DIR_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include "base/base.h"

enum { STATE_DIR_KEY_SIZE = 257 };

struct state_dir {
	char path[PATH_MAX]; /* absolute */
	char publish_key[STATE_DIR_KEY_SIZE];
	int lock_fd; /* close-on-exec; -1 while closed */
};

/* `given` is --state-dir; empty means $XDG_STATE_HOME/newswire or ~/.local/state/newswire. */
MUST_USE int state_dir_open(struct state_dir *dir, const char *given, char *error, size_t size);
/* The same where this process has the lock already, as an open file. */
MUST_USE int state_dir_adopt(struct state_dir *dir, const char *given, int lock_fd, char *error,
			     size_t size);
/* Would state_dir_adopt() find its key, or could it make one? None is made now. */
MUST_USE int state_dir_check(const struct state_dir *dir, char *error, size_t size);
void state_dir_close(struct state_dir *dir);
/* Where newswired.json of that directory is, whether it is there or not. */
MUST_USE int state_dir_find(const char *given, char out[PATH_MAX], char *error, size_t size);

/* `unix:<path>/redis.sock`, the private Redis; out holds `size` bytes. -1 if a socket's path
 * cannot be that long. */
MUST_USE int state_dir_redis(const struct state_dir *dir, char *out, size_t size, char *error,
			     size_t error_size);

/* What newswired.json says. */
struct state_dir_facts {
	const char *url;
	unsigned port;
	const char *redis;
	unsigned generation;	     /* of workers, from 1 */
	unsigned renewals;	     /* that were asked for, by reload or upgrade, and are over */
	const char *renewal_trouble; /* why the last of them came to nothing; "" */
};

/* Writes newswired.json, all at once; state_dir_withdraw() removes it. -1 with errno. */
MUST_USE int state_dir_announce(const struct state_dir *dir, const struct state_dir_facts *facts);
void state_dir_withdraw(const struct state_dir *dir);

#endif
