/* audit.c - reads one page of the audit trail. */
#include "exchange.h"

#include <errno.h>
#include <stdio.h>

static int add_filter(struct gather *path, const struct newswire_audit_filter *filter)
{
	if (filter == NULL)
		return 0;
	return url_add(path, "uri", filter->uri) < 0 || url_add(path, "who", filter->who) < 0 ||
			       url_add(path, "what", filter->what) < 0
		       ? -1
		       : 0;
}

int newswire_audit(struct newswire_client *client, const char *url, const char *key,
		   const struct newswire_audit_filter *filter, unsigned limit, const char *before,
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
	if (limit > NEWSWIRE_MAX_FEED_LIMIT || url_parse(&where, url) < 0)
		return -1;
	gather_adds(&path, NEWSWIRE_PATH_AUDIT);
	if (add_filter(&path, filter) < 0 || url_add(&path, "limit", limit ? number : NULL) < 0 ||
	    url_add(&path, "before", before) < 0) {
		errno = path.problem == GATHER_NO_MEMORY ? ENOMEM : EINVAL;
	} else {
		request.url = &where;
		request.path = path.data;
		status = exchange_start(client, &request, done, data);
	}
	gather_free(&path);
	return status;
}
