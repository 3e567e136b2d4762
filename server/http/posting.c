/* posting.c - the desk's receipts as HTTP answers. */
#include "http/posting.h"

#include <stdio.h>
#include <string.h>
#include "http/receipt.h"

/* What Superdesk sends is known by its signature once the body is there; if nobody has a secret,
 * none can fit. */
static bool may_be_signed(const struct request *r)
{
	return r->key == NULL && r->signature != NULL &&
	       who_knows_signatures(door_setup_of(r->door)->who);
}

void posting_begin(struct request *r)
{
	long length = request_content_length(r->wsi);
	char detail[96];

	if (!may_be_signed(r) && !who_lets_in(r, 0, "", ""))
		return;
	if (length == -1) {
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

void posting_body(struct request *r)
{
	const char *names = query_get(&r->query, QUERY_CHANNELS);
	struct channel_set channels = {0};
	struct desk_order order = {
		.bytes = r->body.data, .len = r->body.len, .channels = &channels, .who = NULL};
	struct ticket *t;

	if ((r->who == NULL && !who_lets_signed_in(r)) || !who_lets_post(r, 1))
		return;
	order.who = r->who;
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
