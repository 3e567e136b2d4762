/* reach.c - asks to how many readers the posts of a story went. */
#include "exchange.h"

#include <errno.h>
#include <string.h>

int newswire_reach(struct newswire_client *client, const char *url, const char *key,
		   const char *uri, newswire_answer_cb *done, void *data)
{
	struct exchange_request request = {.key = key};
	struct gather path;
	struct url where;
	int status = -1;

	gather_init(&path, NEWSWIRE_MAX_QUERY);
	errno = EINVAL;
	if (*uri == '\0' || strlen(uri) > NEWSWIRE_MAX_URI || url_parse(&where, url) < 0)
		return -1;
	gather_adds(&path, NEWSWIRE_PATH_REACH);
	if (url_add(&path, "uri", uri) < 0) {
		errno = path.problem == GATHER_NO_MEMORY ? ENOMEM : EINVAL;
	} else {
		request.url = &where;
		request.path = path.data;
		status = exchange_start(client, &request, done, data);
	}
	gather_free(&path);
	return status;
}
