/* rejects.c - reads one page of what was refused. */
#include "exchange.h"

#include <errno.h>

int newswire_rejects(struct newswire_client *client, const char *url, const char *key,
		     const struct newswire_reject_filter *filter, unsigned limit,
		     const char *before, newswire_answer_cb *done, void *data)
{
	struct exchange_request request = {.key = key};
	struct gather path;

	errno = EINVAL;
	if (limit > NEWSWIRE_MAX_FEED_LIMIT)
		return -1;
	gather_init(&path, NEWSWIRE_MAX_QUERY);
	gather_adds(&path, NEWSWIRE_PATH_REJECTS);
	if (filter) {
		url_add(&path, "uri", filter->uri);
		url_add(&path, "who", filter->who);
		url_add(&path, "reason", filter->reason);
	}
	url_add_number(&path, "limit", limit);
	url_add(&path, "before", before);
	return exchange_ask(client, url, &request, &path, done, data);
}
