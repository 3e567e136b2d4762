/* auditing.h - GET /v1/audit: what was done, for those who may know, and /v1/rejects: what was refused; GET /v1/sent: what became of one's own stories. */
#ifndef NEWSWIRE_HTTP_AUDITING_H
#define NEWSWIRE_HTTP_AUDITING_H

#include "http/request.h"

void auditing_begin(struct request *r);
void auditing_refused(struct request *r);
void auditing_sent(struct request *r);

#endif
