/* bucket.h - readers by the second in which their tick falls, so that proof of life costs no timer per reader.
 *
 * Borrows the readers; a reader is in one bucket until it is closing. Loop thread only.
 */
#ifndef NEWSWIRE_READER_BUCKET_H
#define NEWSWIRE_READER_BUCKET_H

#include "base/base.h"
#include "reader/reader_own.h"

/* Puts a new reader into the next bucket. 0, or -1 out of memory. */
int bucket_enter(struct reader *r) MUST_USE;
void bucket_leave(struct reader *r);

#endif
