/* posting.h - POST /v1/items: an item comes in by HTTP, or several, and is answered only when it is durable. */
#ifndef NEWSWIRE_HTTP_POSTING_H
#define NEWSWIRE_HTTP_POSTING_H

#include "http/request.h"

/* The head is read: refuses what need not be read further (401, 411, 413, 415), or waits for the body. */
void posting_begin(struct request *r);
/* The body is complete: the desk decides, and its receipt is the answer; several items are
 * batching.h's. */
void posting_body(struct request *r);

#endif
