/* receipt.h - what the desk decided, told to who posted: the same words in an HTTP answer, in a batch
 * and on a line.
 *
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_HTTP_RECEIPT_H
#define NEWSWIRE_HTTP_RECEIPT_H

#include "base/buf.h"
#include "desk/desk.h"
#include "http/door.h"

/* 201 accepted, 200 duplicate or stale, 202 held; from 400 on a problem: 400, 413, 422 refused, 503
 * if the store did not confirm it and the same bytes may be posted again. */
int receipt_status(const struct desk_receipt *receipt);

/* Appends the members of the receipt's object, or of the problem's (problem.h), without its braces. */
void receipt_members(struct buf *out, const struct door *door, const struct desk_receipt *receipt);

#endif
