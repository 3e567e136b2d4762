/* item.c - what is asked of one story: to read it, whom it reached, to take it away for good. */
#include "exchange.h"

#include <errno.h>
#include <string.h>

static int ask(struct newswire_client *client, const char *url, struct exchange_request *request,
	       const char *place, const char *uri, newswire_answer_cb *done, void *data)
{
	struct gather path;

	errno = EINVAL;
	if (*uri == '\0' || strlen(uri) > NEWSWIRE_MAX_URI)
		return -1;
	gather_init(&path, NEWSWIRE_MAX_QUERY);
	gather_adds(&path, place);
	url_add(&path, "uri", uri);
	return exchange_ask(client, url, request, &path, done, data);
}

int newswire_item(struct newswire_client *client, const char *url, const char *uri,
		  newswire_answer_cb *done, void *data)
{
	struct exchange_request request = {0};

	return ask(client, url, &request, NEWSWIRE_PATH_ITEMS, uri, done, data);
}

int newswire_reach(struct newswire_client *client, const char *url, const char *key,
		   const char *uri, newswire_answer_cb *done, void *data)
{
	struct exchange_request request = {.key = key};

	return ask(client, url, &request, NEWSWIRE_PATH_REACH, uri, done, data);
}

int newswire_purge(struct newswire_client *client, const char *url, const char *key,
		   const char *uri, newswire_answer_cb *done, void *data)
{
	struct exchange_request request = {.key = key, .method = "DELETE"};

	return ask(client, url, &request, NEWSWIRE_PATH_ITEMS, uri, done, data);
}
