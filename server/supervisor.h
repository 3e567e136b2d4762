/* supervisor.h - the first process: it holds what must outlive a worker, and looks after the others.
 *
 * What it does  Takes the state directory and the port, starts the private Redis and waits until it
 *               answers, then forks one worker per socket. A child that dies is started again: at
 *               once the first time, then with backoff. SIGTERM or SIGINT: workers drain first,
 *               Redis ends last; a second one hurries the workers.
 * Lifetime      supervisor_run() returns when every child is gone. In a worker it does not return.
 * Errors        What goes wrong before the start is logged with what to do about it; the result is
 *               then 1.
 * Threads       One; signals are read from a signalfd.
 */
#ifndef NEWSWIRE_SUPERVISOR_H
#define NEWSWIRE_SUPERVISOR_H

struct options;

/* Returns the exit code: 0 after a clean stop, 1 if it could not start. `options` is borrowed. */
int supervisor_run(const struct options *options);

#endif
