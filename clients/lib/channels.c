/* channels.c - reads one page of the channels that have readers. */
#include "exchange.h"

#include <errno.h>
#include <stdio.h>

int newswire_channels(struct newswire_client *client, const char *url, const char *key,
		      const char *prefix, unsigned limit, const char *after,
		      newswire_answer_cb *done, void *data)
{
	struct exchange_request request = {.key = key};
	struct gather path;
	struct url where;
	char number[16];
	int status = -1;

	gather_init(&path, NEWSWIRE_MAX_QUERY);
	snprintf(number, sizeof number, "%u", limit);
	errno = EINVAL;
	if (limit > NEWSWIRE_MAX_CHANNELS_LIMIT || url_parse(&where, url) < 0)
		return -1;
	gather_adds(&path, NEWSWIRE_PATH_CHANNELS);
	if (url_add(&path, "prefix", prefix) < 0 ||
	    url_add(&path, "limit", limit ? number : NULL) < 0 ||
	    url_add(&path, "after", after) < 0) {
		errno = path.problem == GATHER_NO_MEMORY ? ENOMEM : EINVAL;
	} else {
		request.url = &where;
		request.path = path.data;
		status = exchange_start(client, &request, done, data);
	}
	gather_free(&path);
	return status;
}
