/* auditing.h - GET /v1/audit: what was done, for those who may know. */
#ifndef NEWSWIRE_HTTP_AUDITING_H
#define NEWSWIRE_HTTP_AUDITING_H

#include "http/request.h"

void auditing_begin(struct request *r);

#endif
