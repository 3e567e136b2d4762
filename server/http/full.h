/* full.h - what is said to whoever comes while this worker holds as many as it may.
 *
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_HTTP_FULL_H
#define NEWSWIRE_HTTP_FULL_H

#include "base/buf.h"

enum { FULL_RETRY_MIN_S = 2, FULL_RETRY_MAX_S = 10 };
#define FULL_CODE   "full"
#define FULL_DETAIL "as many connections as this worker may hold"

/* The header line that says when to try again: spread, so that those who were refused together do not come back together.
 * Lives until the next call. */
const char *full_retry(void);
/* The same for a reader, who is counted. */
const char *full_retry_reader(void);

#endif
