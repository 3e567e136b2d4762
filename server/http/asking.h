/* asking.h - what a reader asks for in the URL of a stream, whichever door it came by.
 */
#ifndef NEWSWIRE_HTTP_ASKING_H
#define NEWSWIRE_HTTP_ASKING_H

#include "http/query.h"
#include "news/subscription.h"
#include "reader/reader.h"

/* The subscription, or NULL and *fault: it makes no sense, or may not be asked for here. */
struct subscription *asking_read(const struct readers *all, const struct query *q,
				 struct subscription_fault *fault) MUST_USE;

#endif
