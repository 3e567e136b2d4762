/* metrics.c - reads the numbers of a node. */
#include "exchange.h"

enum { METRICS_TIMEOUT_MS = 5000 }; /* who asks every second does not want to wait for long */

int newswire_metrics(struct newswire_client *client, const char *url, newswire_answer_cb *done,
		     void *data)
{
	struct exchange_request request = {.timeout_ms = METRICS_TIMEOUT_MS};
	struct gather path;

	gather_init(&path, NEWSWIRE_MAX_QUERY);
	gather_adds(&path, NEWSWIRE_PATH_METRICS);
	return exchange_ask(client, url, &request, &path, done, data);
}
