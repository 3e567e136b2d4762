/* permit.h - may this item come from this sender? What depends on the story's past, accept.lua decides. */
#ifndef NEWSWIRE_DESK_PERMIT_H
#define NEWSWIRE_DESK_PERMIT_H

#include "base/base.h"
#include "desk/desk.h"
#include "desk/job.h"

/* An item that is read and names a channel that its sender may not send to is refused (job->report).
 * -1 if memory is short. */
int permit_channels(struct job *job) MUST_USE;
/* What the sender may do with this item: for a raw PUBLISH the least of what its channels allow. */
unsigned permit_rights(const struct desk_options *options, const struct job *job);

#endif
