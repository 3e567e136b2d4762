/* purging.c - what a purge took away, as an HTTP answer. */
#include "http/purging.h"

#include <string.h>

static void answer_purged(struct request *r, const struct desk_purged *purged)
{
	struct buf json = {0};

	buf_adds(&json, "{\"status\":\"purged\"");
	if (purged->id[0] != '\0') {
		buf_adds(&json, ",\"id\":");
		buf_add_json(&json, purged->id, strlen(purged->id));
	}
	buf_addf(&json, ",\"versions\":%u,\"feeds\":%u,\"held\":%s}\n", purged->versions,
		 purged->feeds, purged->held ? "true" : "false");
	if (json.failed)
		request_problem(r, 500, "no_memory",
				"it was purged, but there is no memory to say what", "", NULL);
	else
		request_answer(r, 200, "application/json", "cache-control: no-store\r\n", json.data,
			       json.len);
	buf_free(&json);
}

static void answered(const struct desk_purged *purged, void *arg)
{
	struct request *r = ticket_use(arg);

	if (r == NULL)
		return;
	switch (purged->result) {
	case DESK_PURGED:
		answer_purged(r, purged);
		return;
	case DESK_PURGE_MISSING:
		request_problem(r, 404, "not_found", "nothing is known of this uri", "", NULL);
		return;
	case DESK_PURGE_AWAY:
		request_problem(r, 503, purged->code[0] ? purged->code : "redis_away",
				purged->detail[0] ? purged->detail
						  : "the store cannot be reached; try again",
				"retry-after: 1\r\n", NULL);
		return;
	}
}

/* libwebsockets would keep bytes that nobody reads between the question and its late answer. */
static bool has_body(const struct request *r)
{
	long length = request_content_length(r->wsi);

	return (length != -1 && length != 0) ||
	       lws_hdr_total_length(r->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
}

void purging_begin(struct request *r, const char *uri)
{
	struct ticket *t;

	if (!who_lets_in(r, RIGHT_ALL, "may_not_purge", ""))
		return;
	if (has_body(r))
		request_problem(r, 400, "bad_body", "a purge has no body", "", NULL);
	else if (uri[0] == '\0' || strlen(uri) > ITEM_URI_MAX)
		request_problem(r, 400, "bad_uri", "the uri is missing or longer than 1024 bytes",
				"", NULL);
	else if ((t = request_ticket(r)) == NULL)
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	else
		desk_purge(door_setup_of(r->door)->desk, uri, r->who->name, answered, t);
}
