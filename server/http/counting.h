/* counting.h - GET /v1/channels: how many read each channel now, from this worker's memory.
 *
 * For everybody, or with --show-readers=publishers for any publisher's key.
 */
#ifndef NEWSWIRE_HTTP_COUNTING_H
#define NEWSWIRE_HTTP_COUNTING_H

#include "http/request.h"

void counting_begin(struct request *r);

#endif
