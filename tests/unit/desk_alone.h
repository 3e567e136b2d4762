/* desk_alone.h - a desk without a Redis, for tests in which memory is short.
 *
 * What it does  Opens the desk on links of fake_link.h, answers what it asks as a Redis does that accepts what it may and knows nothing, and
 *               writes down what that was.
 * Memory        Is short where the test says so (failing_malloc.h), and while what the test has put into `says` is heard.
 */
#ifndef NEWSWIRE_TESTS_DESK_ALONE_H
#define NEWSWIRE_TESTS_DESK_ALONE_H

#include <stdbool.h>
#include <uv.h>
#include "desk/desk.h"

struct alone {
	uv_loop_t loop;
	struct desk *desk;		/* NULL: it was not opened */
	const char *about, *says;	/* the next question about this is answered so, once */
	unsigned accepted, refused;	/* scripts that were asked for that */
	unsigned put_off, put_off_anew; /* entries of the inbox; those that count as not tried */
	char reason[32];		/* of the last refusal */
	unsigned rewriting;		/* times that Redis was to write its file anew … */
	char rewritten[32];		/* … and what it was told last to be done */
	unsigned looked;		/* how often the inbox was asked … */
	char first_consumer[20], consumer[20]; /* … and for whom, first and last */
};
extern struct alone alone;
/* For desks that are opened from now on. */
extern struct desk_options alone_options;

/* Opens a desk, or doesn't: it fails where memory is short. Everything is counted anew. */
void alone_open(void);
/* Its links are connected, and what it asks at first is answered. */
void alone_open_ready(void);
void alone_close(void);

/* Answers all that is asked, until nothing is. */
void alone_answer(void);
/* A second and more passes, and there is memory. */
void alone_wait(void);
/* A PUBLISH is heard, where memory is short. */
void alone_hear(const char *channel, const char *item);

#endif
