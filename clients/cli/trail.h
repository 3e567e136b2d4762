/* trail.h - a list that grows at its new end, such as the audit trail: a page of it, or all that comes.
 *
 * What it does  Prints one page, newest first; or, with --follow, the last page and then what is added, oldest first, asking
 *               once a second.
 */
#ifndef NEWSWIRE_CLI_TRAIL_H
#define NEWSWIRE_CLI_TRAIL_H

#include "session.h"

#include <jansson.h>

struct trail_kind {
	const char *list; /* the member of the answer */
	const char *what; /* "no audit trail": what a stranger did not send */
	int (*ask)(struct session *session, unsigned limit, const char *before,
		   newswire_answer_cb *done, void *data);
	void (*print)(const json_t *entry);
};

/* The whole of a command. */
enum exit_code trail_run(const struct trail_kind *kind, const struct settings *settings);

#endif
