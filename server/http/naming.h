/* naming.h - GET /v1/key: whose key this is, and what it may. */
#ifndef NEWSWIRE_HTTP_NAMING_H
#define NEWSWIRE_HTTP_NAMING_H

#include "http/request.h"

void naming_begin(struct request *r);

#endif
