/* audit.c - reads one page of the audit trail. */
#include "exchange.h"

#include <errno.h>

int newswire_audit(struct newswire_client *client, const char *url, const char *key,
		   const struct newswire_audit_filter *filter, unsigned limit, const char *before,
		   newswire_answer_cb *done, void *data)
{
	struct exchange_request request = {.key = key};
	struct gather path;

	errno = EINVAL;
	if (limit > NEWSWIRE_MAX_FEED_LIMIT)
		return -1;
	gather_init(&path, NEWSWIRE_MAX_QUERY);
	gather_adds(&path, NEWSWIRE_PATH_AUDIT);
	if (filter) {
		url_add(&path, "uri", filter->uri);
		url_add(&path, "who", filter->who);
		url_add(&path, "what", filter->what);
	}
	url_add_number(&path, "limit", limit);
	url_add(&path, "before", before);
	return exchange_ask(client, url, &request, &path, done, data);
}
