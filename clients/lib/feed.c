/* feed.c - reads one page of the feed. */
#include "exchange.h"

#include <errno.h>

int newswire_feed(struct newswire_client *client, const struct newswire_query *query,
		  unsigned limit, const char *before, newswire_answer_cb *done, void *data)
{
	struct exchange_request request = {0};
	struct gather path;

	errno = EINVAL;
	if (limit > NEWSWIRE_MAX_FEED_LIMIT)
		return -1;
	gather_init(&path, NEWSWIRE_MAX_QUERY);
	gather_adds(&path, NEWSWIRE_PATH_FEED);
	url_add_query(&path, query);
	url_add_number(&path, "limit", limit);
	url_add(&path, "before", before);
	return exchange_ask(client, query->url, &request, &path, done, data);
}
