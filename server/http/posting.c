/* posting.c - the desk's receipts as HTTP answers. */
#include "http/posting.h"

#include <openssl/crypto.h>
#include <string.h>
#include "base/log.h"

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

static void add_text(struct buf *out, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	buf_addf(out, ",\"%s\":", name);
	buf_add_json(out, text, strlen(text));
}

static void add_channels(struct buf *out, const char *names)
{
	const char *separator = "";

	buf_adds(out, ",\"channels\":[");
	while (names != NULL && *names != '\0') {
		size_t len = strcspn(names, " ");

		buf_adds(out, separator);
		buf_add_json(out, names, len);
		names += len + (names[len] == ' ');
		separator = ",";
	}
	buf_addc(out, ']');
}

static void answer_receipt(struct request *r, int status, const char *word,
			   const struct desk_receipt *receipt)
{
	struct buf json = {0};

	buf_addf(&json, "{\"status\":\"%s\"", word);
	add_text(&json, "id", receipt->id);
	add_text(&json, "uri", receipt->uri);
	add_text(&json, "version", receipt->version);
	add_text(&json, "action", receipt->action);
	add_channels(&json, receipt->channels);
	add_text(&json, "durability", wire_durability(door_setup_of(r->door)->wire));
	buf_adds(&json, "}\n");
	if (json.failed)
		request_problem(r, 500, "no_memory",
				"the item is in, but there is no memory for its receipt", "", NULL);
	else
		request_answer(r, status, "application/json", "", json.data, json.len);
	buf_free(&json);
}

static int status_of_refusal(const struct desk_receipt *receipt)
{
	if (receipt->report == NULL)
		return 422;
	switch (receipt->report->refusal) {
	case ITEM_NOT_JSON:
	case ITEM_NOT_UTF8:
		return 400;
	case ITEM_TOO_LARGE:
		return 413;
	default:
		return 422;
	}
}

/* Also when a key of ours holds something else (`store`): a publisher who tries again is right to. */
static void answer_away(struct request *r, const struct desk_receipt *receipt)
{
	bool known = receipt->code != NULL && receipt->code[0] != '\0';

	request_problem(
		r, 503, known ? receipt->code : "redis_away",
		known ? receipt->detail
		      : "the item is not durable: the store cannot be reached; post it again",
		"retry-after: 1\r\n", NULL);
}

static void decided(const struct desk_receipt *receipt, void *arg)
{
	struct request *r = ticket_use(arg);

	if (r == NULL)
		return;
	switch (receipt->result) {
	case DESK_ACCEPTED:
		answer_receipt(r, 201, "accepted", receipt);
		return;
	case DESK_DUPLICATE:
		answer_receipt(r, 200, "duplicate", receipt);
		return;
	case DESK_STALE:
		answer_receipt(r, 200, "stale", receipt);
		return;
	case DESK_HELD:
		answer_receipt(r, 202, "held", receipt);
		return;
	case DESK_REFUSED:
		request_problem(r, status_of_refusal(receipt), receipt->code, receipt->detail, "",
				receipt->report);
		return;
	case DESK_BUSY:
		request_problem(r, 503, "busy", "too many items are being decided; try again",
				"retry-after: 1\r\n", NULL);
		return;
	case DESK_AWAY:
		answer_away(r, receipt);
		return;
	}
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
