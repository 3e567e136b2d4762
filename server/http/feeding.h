/* feeding.h - GET /v1/feed, and the same page for feed readers: /feed.json, /feed.atom and those of
 * one channel, /feed/<channel>.json and .atom. */
#ifndef NEWSWIRE_HTTP_FEEDING_H
#define NEWSWIRE_HTTP_FEEDING_H

#include "http/request.h"

void feeding_news(struct request *r);
void feeding_json(struct request *r);
void feeding_atom(struct request *r);
void feeding_channel(struct request *r);

#endif
