/* holding.h - GET /v1/held?uri=…: a version under embargo, for its owner. */
#ifndef NEWSWIRE_HTTP_HOLDING_H
#define NEWSWIRE_HTTP_HOLDING_H

#include "http/request.h"

void holding_begin(struct request *r);

#endif
