/* desk_own.h - the inside of the desk, for inbox.c. */
#ifndef NEWSWIRE_DESK_DESK_OWN_H
#define NEWSWIRE_DESK_DESK_OWN_H

#include <stdbool.h>
#include "desk/desk.h"
#include "desk/job.h"

/* Can something be decided now: Redis is there, and has not asked for a pause? */
bool desk_can_ask(const struct desk *desk);
/* Takes the job in every case; job->cb is called once, perhaps from inside the call. */
void desk_add(struct desk *desk, struct job *job);

#endif
