/* channels.c - reads one page of the channels that have readers. */
#include "exchange.h"

#include <errno.h>

int newswire_channels(struct newswire_client *client, const char *url, const char *key,
		      const char *prefix, unsigned limit, const char *after,
		      newswire_answer_cb *done, void *data)
{
	struct exchange_request request = {.key = key};
	struct gather path;

	errno = EINVAL;
	if (limit > NEWSWIRE_MAX_CHANNELS_LIMIT)
		return -1;
	gather_init(&path, NEWSWIRE_MAX_QUERY);
	gather_adds(&path, NEWSWIRE_PATH_CHANNELS);
	url_add(&path, "prefix", prefix);
	url_add_number(&path, "limit", limit);
	url_add(&path, "after", after);
	return exchange_ask(client, url, &request, &path, done, data);
}
