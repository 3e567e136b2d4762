/* purging.h - DELETE /v1/items/<uri>: a story is taken away for good. */
#ifndef NEWSWIRE_HTTP_PURGING_H
#define NEWSWIRE_HTTP_PURGING_H

#include "http/request.h"

/* uri is borrowed for the length of the call. */
void purging_begin(struct request *r, const char *uri);

#endif
