/* posting.c - the desk's receipts as HTTP answers. */
#include "http/posting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "http/batching.h"
#include "http/receipt.h"

/* What Superdesk sends is known by its signature once the body is there; if nobody has a secret,
 * none can fit. */
static bool may_be_signed(const struct request *r)
{
	return r->key == NULL && r->signature != NULL &&
	       who_knows_signatures(door_setup_of(r->door)->who);
}

/* The most that a body may have. Whether it is one item or several shows when it is read. Who has
 * yet to prove himself by the body's signature sends one. */
static size_t body_limit(const struct request *r)
{
	const struct door_setup *setup = door_setup_of(r->door);

	return r->who != NULL && setup->max_batch > setup->max_item ? setup->max_batch
								    : setup->max_item;
}

static void refuse_length(struct request *r, long length)
{
	const struct door_setup *setup = door_setup_of(r->door);
	char detail[128];

	if (length == -1) {
		request_problem(r, 411, "length_required", "send the body with a Content-Length",
				"", NULL);
	} else if (length == -2) {
		request_problem(r, 400, "bad_length", "Content-Length is not a plain number", "",
				NULL);
	} else if (length == 0) {
		request_problem(r, 400, "empty", "the body is one ninjs item as JSON, or several",
				"", NULL);
	} else {
		snprintf(detail, sizeof detail,
			 "the body has %ld bytes; --max-item allows %zu, --max-batch %zu", length,
			 setup->max_item, setup->max_batch);
		request_problem(r, 413, "too_large", detail, "", NULL);
	}
}

/* 0; -1 if there is a key, and it is none. */
static int read_idempotency(struct request *r)
{
	static const char name[] = "idempotency-key:";
	int len;

	if (lws_hdr_custom_length(r->wsi, name, sizeof name - 1) < 0)
		return 0;
	len = lws_hdr_custom_copy(r->wsi, r->idempotency, sizeof r->idempotency, name,
				  sizeof name - 1);
	for (int i = 0; i < len; i++)
		if (r->idempotency[i] <= ' ' || r->idempotency[i] > '~')
			return -1;
	return len > 0 ? 0 : -1;
}

/* A body in chunks has no length that counts, whatever Content-Length says (RFC 9112, 6.3). */
static long length_of(const struct request *r)
{
	if (lws_hdr_total_length(r->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
		return -1;
	return request_content_length(r->wsi);
}

void posting_begin(struct request *r)
{
	long length = length_of(r);

	if (!may_be_signed(r) && !who_lets_in(r, 0, "", ""))
		return;
	if (length <= 0 || (size_t)length > body_limit(r))
		refuse_length(r, length);
	else if (batch_form_of(r->content_type) == BATCH_UNKNOWN)
		request_problem(r, 415, "bad_content_type",
				"the body is ninjs in UTF-8, with the Content-Type " BATCH_FORMS,
				"accept-post: application/json, application/x-ndjson\r\n", NULL);
	else if (read_idempotency(r) == -1)
		request_problem(r, 400, "bad_idempotency_key",
				"Idempotency-Key is 1 to 255 visible characters", "", NULL);
	else
		r->body_max = (size_t)length;
}

/* Superdesk counts what is not taken as failed, and tries nothing again: what readers were never to
 * get is no failure. */
static bool may_be_ignored(const struct desk_receipt *receipt)
{
	const struct item_report *report = receipt->report;

	if (receipt->result != DESK_REFUSED)
		return false;
	if (report == NULL)
		return strcmp(receipt->code, "killed") == 0;
	return report->refusal == ITEM_ADVISORY ||
	       (report->refusal == ITEM_BAD_VALUE && report->count == 1 &&
		strcmp(report->fault[0].pointer, "/type") == 0);
}

static void answer_ignored(struct request *r, const struct desk_receipt *receipt)
{
	struct buf json = {0};

	buf_adds(&json, "{\"status\":\"ignored\",\"code\":");
	buf_add_json(&json, receipt->code, strlen(receipt->code));
	buf_adds(&json, ",\"detail\":");
	buf_add_json(&json, receipt->detail, strlen(receipt->detail));
	buf_adds(&json, "}\n");
	if (json.failed)
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	else
		request_answer(r, 200, "application/json", "", json.data, json.len);
	buf_free(&json);
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

	if (r == NULL)
		return;
	if (r->key == NULL && may_be_ignored(receipt))
		answer_ignored(r, receipt);
	else
		answer(r, receipt);
}

static void post_one(struct request *r, const struct channel_set *channels)
{
	struct desk_order order = {.bytes = r->body.data,
				   .len = r->body.len,
				   .channels = channels,
				   .who = r->who,
				   .idempotency = r->idempotency[0] ? r->idempotency : NULL};
	struct ticket *t = request_ticket(r);

	if (t == NULL)
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	else
		desk_take(door_setup_of(r->door)->desk, &order, decided, t);
}

/* channel_set_read() has said why in errno. */
static void refuse_channels(struct request *r)
{
	if (errno == ENOMEM)
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	else
		request_problem(r, 422, "too_many_channels", "at most 256 channels", "", NULL);
}

void posting_body(struct request *r)
{
	const char *names = query_get(&r->query, QUERY_CHANNELS);
	enum batch_form form = batch_form_of(r->content_type);
	struct channel_set channels = {0};

	if (r->who == NULL && !who_lets_signed_in(r))
		return;
	if (names != NULL && channel_set_read(&channels, names, strlen(names), ',') != 0)
		refuse_channels(r);
	else if (form == BATCH_LINES || batch_is_array(r->body.data, r->body.len))
		batching_begin(r, form, &channels);
	else if (who_lets_post(r, 1))
		post_one(r, &channels);
	channel_set_free(&channels);
}
