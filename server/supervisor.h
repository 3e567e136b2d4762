/* supervisor.h - the first process: it holds what must outlive a worker, and looks after the others.
 *
 * What it does  Takes the state directory and the port, starts the private Redis and waits until it
 *               answers, then forks one worker per socket. A child that dies is started again: at
 *               once the first time, then with backoff. SIGTERM or SIGINT: workers drain first,
 *               Redis ends last; a second one hurries the workers. SIGHUP: new workers with the options as
 *               they are now; SIGUSR2: the same by the program as it is now (renewing.c).
 * Lifetime      supervisor_run() returns when every child is gone. In a worker it does not return.
 * Errors        What goes wrong before the start is logged with what to do about it; the result is
 *               then 1.
 * Threads       One; signals are read from a signalfd.
 */
#ifndef NEWSWIRE_SUPERVISOR_H
#define NEWSWIRE_SUPERVISOR_H

struct options;

/* How this program was called, for those who read that again. */
struct supervisor_call {
	int argc;
	const char *const *argv;
	const char *const *envp;
};

/* Returns the exit code: 0 after a clean stop, 1 if it could not start. Both are borrowed. */
int supervisor_run(const struct options *options, const struct supervisor_call *call);

#endif
