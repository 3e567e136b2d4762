/* reaching.h - GET /v1/items/<uri>/reach and GET /v1/reach?uri=…: to how many readers a story's posts went. */
#ifndef NEWSWIRE_HTTP_REACHING_H
#define NEWSWIRE_HTTP_REACHING_H

#include "http/request.h"

/* uri is borrowed for the length of the call. */
void reaching_begin(struct request *r, const char *uri);
/* The length of the uri in `<uri>/reach`; 0: the path does not ask for it. */
size_t reaching_uri_len(const char *path) MUST_USE;

#endif
