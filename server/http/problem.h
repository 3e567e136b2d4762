/* problem.h - what a refusal says (RFC 9457), the same in an HTTP answer, in a batch and on a line.
 *
 * Threads       Any.
 */
#ifndef NEWSWIRE_HTTP_PROBLEM_H
#define NEWSWIRE_HTTP_PROBLEM_H

#include "base/buf.h"
#include "news/item.h"

/* What HTTP calls the status. Every status that is ever answered has a row in problem.c. */
const char *problem_title(int status);

/* Appends the members of the problem's object, without its braces: title, status, code, detail, and
 * errors if report has some (NULL: none). An absent `type` is `about:blank`. */
void problem_members(struct buf *out, int status, const char *code, const char *detail,
		     const struct item_report *report);

#endif
