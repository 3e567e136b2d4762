/* redis_fixture.h - a real, private Redis for tests.
 *
 * What it does  Starts redis-server on a Unix socket in a directory of its own, with an append-only file that is synced
 *               always; kills it, starts it again on the same data, freezes it. The server dies with the test.
 * Errors        Whatever fails here fails the test.
 * Threads       One.
 */
#ifndef NEWSWIRE_TESTS_REDIS_FIXTURE_H
#define NEWSWIRE_TESTS_REDIS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct redis_fixture;

struct redis_fixture *redis_fixture_start(void);
/* With more of redis-server's arguments, e.g. {"--appendonly", "no", NULL}. Borrowed; they outlive the fixture. */
struct redis_fixture *redis_fixture_start_with(const char *const *more);
/* Kills it and removes its directory. Accepts NULL. */
void redis_fixture_stop(struct redis_fixture *f);

/* `unix:PATH`, as --redis takes it. */
const char *redis_fixture_address(const struct redis_fixture *f);

void redis_fixture_kill(struct redis_fixture *f); /* kill -9 */
void redis_fixture_restart(
	struct redis_fixture *f); /* on the same data; kills it first if it runs */
void redis_fixture_forget_data(struct redis_fixture *f); /* while killed: it will start empty */
void redis_fixture_freeze(struct redis_fixture *f);	 /* SIGSTOP */
void redis_fixture_thaw(struct redis_fixture *f);

/* Runs one command (redisCommand's format: %s, %b, %lld …), blocking. The answer as text: a string itself, an integer in
 * decimal, nil as "", an array's members joined by '\n'; an error fails the test. Valid until the next call. */
const char *redis_fixture_do(struct redis_fixture *f, const char *format, ...);
/* EVALs a script, all of argv being ARGV and no KEYS. Otherwise the same. */
const char *redis_fixture_eval(struct redis_fixture *f, const char *script, int argc,
			       const char *const *argv);

/* Runs the loop until condition(arg) holds; fails the test after `limit_ms`. */
void redis_fixture_run_until(uv_loop_t *loop, bool (*condition)(void *arg), void *arg,
			     unsigned limit_ms);
/* Runs what is left of a loop whose owners have all been closed, and closes it: a handle that was left open fails. */
void redis_fixture_close_loop(uv_loop_t *loop);

#endif
