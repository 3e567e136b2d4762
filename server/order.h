/* order.h - `newswired reload` and `newswired upgrade`: tells the newswired of a state directory, and waits for what comes of it.
 *
 * Threads       One. Blocks for as long as the other takes, at most ORDER_PATIENCE_MS.
 */
#ifndef NEWSWIRE_ORDER_H
#define NEWSWIRE_ORDER_H

#include <stdbool.h>

struct supervisor_call;

enum { ORDER_PATIENCE_MS = 60000 };

/* Is the first argument one of them? */
bool order_is(const char *word);
/* Carries it out. The rest of the command line are options, of which --state-dir counts. Returns the exit code: 0 done,
 * 1 not done (it says why), 2 a wrong command line, 3 no newswired runs there. */
int order_run(const struct supervisor_call *call);

#endif
