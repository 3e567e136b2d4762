/* feed.c - reads one page of the feed. */
#include "exchange.h"

#include <errno.h>
#include <stdio.h>

int newswire_feed(struct newswire_client *client, const struct newswire_query *query,
		  unsigned limit, const char *before, newswire_answer_cb *done, void *data)
{
	struct exchange_request request = {0};
	struct gather path;
	struct url url;
	char number[16];
	int status = -1;

	gather_init(&path, NEWSWIRE_MAX_QUERY);
	snprintf(number, sizeof number, "%u", limit);
	errno = EINVAL;
	if (limit > NEWSWIRE_MAX_FEED_LIMIT || url_parse(&url, query->url) < 0)
		return -1;
	gather_adds(&path, NEWSWIRE_PATH_FEED);
	if (url_add_query(&path, query) < 0 || url_add(&path, "limit", limit ? number : NULL) < 0 ||
	    url_add(&path, "before", before) < 0) {
		errno = path.problem == GATHER_NO_MEMORY ? ENOMEM : EINVAL;
	} else {
		request.url = &url;
		request.path = path.data;
		status = exchange_start(client, &request, done, data);
	}
	gather_free(&path);
	return status;
}
