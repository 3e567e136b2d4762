/* history.h - what a channel's last posts were, for Centrifuge's `history` command: from memory.
 *
 * Versions that were killed or held since have no text any more, and are left out.
 */
#ifndef NEWSWIRE_CENTRIFUGE_HISTORY_H
#define NEWSWIRE_CENTRIFUGE_HISTORY_H

#include "base/buf.h"
#include "news/centrifuge.h"
#include "reader/reader.h"
#include "wire/wire.h"

/* Says the reply. 0, or the error (enum centrifuge_error), and nothing was said. */
int history_answer(struct wire *wire, const struct reader *reader,
		   const struct centrifuge_command *command, struct buf *says) MUST_USE;

#endif
