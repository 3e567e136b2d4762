/* posting.c - the desk's receipts as HTTP answers. */
#include "http/posting.h"

#include <openssl/crypto.h>
#include <string.h>
#include "http/receipt.h"

bool posting_is_allowed(const struct request *r)
{
	const char *key = door_setup_of(r->door)->publish_key;

	return r->key != NULL && strlen(r->key) == strlen(key) &&
	       CRYPTO_memcmp(r->key, key, strlen(key)) == 0;
}

void posting_begin(struct request *r)
{
	long length = request_content_length(r->wsi);
	char detail[96];

	if (!posting_is_allowed(r)) {
		request_problem(r, 401, "unauthorized",
				"posting needs `Authorization: Bearer <publish.key>`",
				"www-authenticate: Bearer\r\n", NULL);
	} else if (length == -1) {
		request_problem(r, 411, "length_required", "send the body with a Content-Length",
				"", NULL);
	} else if (length == -2) {
		request_problem(r, 400, "bad_length", "Content-Length is not a plain number", "",
				NULL);
	} else if ((size_t)length > door_setup_of(r->door)->max_item) {
		snprintf(detail, sizeof detail, "the item has %ld bytes; --max-item allows %zu",
			 length, door_setup_of(r->door)->max_item);
		request_problem(r, 413, "too_large", detail, "", NULL);
	} else if (length == 0) {
		request_problem(r, 400, "empty", "the body is one ninjs item as JSON", "", NULL);
	}
}

static void answer(struct request *r, const struct desk_receipt *receipt)
{
	int status = receipt_status(receipt);
	bool is_problem = status >= 400;
	struct buf json = {0};

	buf_adds(&json, is_problem ? "{\"type\":\"about:blank\"," : "{");
	receipt_members(&json, r->door, receipt);
	buf_adds(&json, "}\n");
	if (json.failed)
		request_problem(r, 500, "no_memory",
				"it was decided, but there is no memory for its receipt", "", NULL);
	else
		request_answer(r, status,
			       is_problem ? "application/problem+json" : "application/json",
			       status == 503 ? "retry-after: 1\r\n" : "", json.data, json.len);
	buf_free(&json);
}

static void decided(const struct desk_receipt *receipt, void *arg)
{
	struct request *r = ticket_use(arg);

	if (r != NULL)
		answer(r, receipt);
}

void posting_body(struct request *r)
{
	const char *names = query_get(&r->query, QUERY_CHANNELS);
	struct channel_set channels = {0};
	struct desk_order order = {.bytes = r->body.data,
				   .len = r->body.len,
				   .channels = &channels,
				   .owner = DESK_OWNER_NODE};
	struct ticket *t;

	if (names != NULL && channel_set_read(&channels, names, strlen(names), ',') != 0) {
		request_problem(r, 422, "too_many_channels", "at most 256 channels", "", NULL);
		return;
	}
	if ((t = request_ticket(r)) == NULL)
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	else
		desk_take(door_setup_of(r->door)->desk, &order, decided, t);
	channel_set_free(&channels);
}
