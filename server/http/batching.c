/* batching.c - several items in one POST: fed to the desk piece by piece, answered together. */
#include "http/batching.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/counters.h"
#include "base/log.h"
#include "http/receipt.h"

/* What became of one item. It is the desk's callback argument. */
struct result {
	struct batching *batching;
	size_t at, len; /* in `told`; 0, 0: not handed in */
};

/* Always true between two loop events: in_flight > 0, or it waits for room. */
struct batching {
	struct ticket *ticket; /* the request, if it is still there: it has the body */
	struct desk *desk;
	struct desk_waiter waiter;
	struct batch batch;
	enum batch_form form;
	struct channel_set channels;
	struct result *result; /* one for each piece */
	struct buf told;       /* their JSON, in the order in which they were decided */
	size_t next, in_flight;
	size_t refused, later;
	bool stopped;	  /* an item could not be decided, or confirmed: no more are handed in */
	bool unconfirmed; /* at least one was decided, and is to be sent again all the same */
	bool feeding;	  /* a receipt that comes now comes from inside feed() */
};

static void batching_free(struct batching *b)
{
	if (b == NULL)
		return;
	batch_free(&b->batch);
	channel_set_free(&b->channels);
	buf_free(&b->told);
	free(b->result);
	free(b);
}

/* --- the answer ------------------------------------------------------------------------------ */

/* As a receipt of the desk that says so: it was not tried. */
static const struct desk_receipt not_tried = {
	.result = DESK_AWAY,
	.code = "not_tried",
	.detail = "an item before it could not be decided: post it again, in this order",
};

static void tell(struct request *r, struct result *result, const struct desk_receipt *receipt)
{
	struct batching *b = result->batching;

	MUST(b != NULL);
	result->at = b->told.len;
	buf_addf(&b->told, "{\"index\":%zu,\"http\":%d,", (size_t)(result - b->result),
		 receipt_status(receipt));
	receipt_members(&b->told, r->door, receipt);
	buf_addc(&b->told, '}');
	result->len = b->told.len - result->at;
}

static void write_results(const struct batching *b, struct buf *out)
{
	bool lines = b->form == BATCH_LINES;

	if (!lines)
		buf_addf(out, "{\"refused\":%zu,\"later\":%zu,\"results\":[", b->refused, b->later);
	for (size_t i = 0; i < b->batch.count; i++) {
		if (i > 0 && !lines)
			buf_adds(out, ",\n");
		buf_add(out, b->told.data + b->result[i].at, b->result[i].len);
		if (lines)
			buf_addc(out, '\n');
	}
	if (!lines)
		buf_adds(out, "]}\n");
}

static void answer(struct batching *b, struct request *r)
{
	struct buf out = {0};

	if (b->later == b->batch.count && !b->unconfirmed) {
		request_problem(
			r, 503, "redis_away",
			"the store confirmed nothing of the batch: it cannot be reached, or "
			"there is too much to do; post it again",
			"retry-after: 1\r\n", NULL);
		return;
	}
	if (!b->told.failed)
		write_results(b, &out);
	if (b->told.failed || out.failed)
		request_problem(r, 500, "no_memory",
				"it was decided, but there is no memory for the results", "", NULL);
	else
		request_answer(r, 200,
			       b->form == BATCH_LINES ? "application/x-ndjson" : "application/json",
			       "", out.data, out.len);
	buf_free(&out);
}

static void end(struct batching *b)
{
	struct request *r = ticket_use(b->ticket);

	if (r == NULL)
		COUNT_ADD(BATCH_DROPPED, b->batch.count - b->next);
	else
		answer(b, r);
	batching_free(b);
}

/* --- feeding --------------------------------------------------------------------------------- */

static void feed(struct batching *b);

static void decided(const struct desk_receipt *receipt, void *arg)
{
	struct result *result = arg;
	struct batching *b = result->batching;
	int status = receipt_status(receipt);

	b->in_flight--;
	b->refused += status >= 400 && status != 503;
	b->later += status == 503;
	b->unconfirmed = b->unconfirmed || receipt->result == DESK_UNCONFIRMED;
	if (status == 503 && (receipt->code == NULL || strcmp(receipt->code, "store") != 0))
		b->stopped = true;
	if (b->ticket->request != NULL)
		tell(b->ticket->request, result, receipt);
	if (!b->feeding)
		feed(b);
}

static void hand_in_next(struct batching *b, const struct request *r)
{
	size_t i = b->next++;
	char key[NEWSWIRE_MAX_IDEMPOTENCY + 24];
	const struct batch_piece *piece = &b->batch.piece[i];
	struct desk_order order = {.bytes = r->body.data + piece->at,
				   .len = piece->len,
				   .channels = &b->channels,
				   .who = r->who,
				   .idempotency = r->idempotency[0] ? key : NULL};

	/* No key that is sent has a space, so this is never one of a single item. */
	snprintf(key, sizeof key, "%s #%zu", r->idempotency, i);
	b->in_flight++;
	desk_take(b->desk, &order, decided, &b->result[i]);
}

static void give_up_the_rest(struct batching *b, struct request *r)
{
	for (; b->next < b->batch.count; b->next++) {
		tell(r, &b->result[b->next], &not_tried);
		b->later++;
	}
}

/* Hands in what there is room for. b may be gone afterwards. */
static void feed(struct batching *b)
{
	struct request *r = b->ticket->request;

	b->feeding = true;
	while (r != NULL && !b->stopped && b->next < b->batch.count &&
	       b->in_flight < BATCHING_WINDOW && desk_has_room(b->desk))
		hand_in_next(b, r);
	b->feeding = false;
	if (b->in_flight > 0)
		return;
	if (r != NULL && b->stopped)
		give_up_the_rest(b, r);
	if (r == NULL || b->next == b->batch.count)
		end(b);
	else
		desk_wait_for_room(b->desk, &b->waiter);
}

static void on_room(void *arg)
{
	feed(arg);
}

/* --- the beginning --------------------------------------------------------------------------- */

static void refuse(struct request *r, enum batch_fault fault, size_t at)
{
	char detail[128] = "out of memory";
	const char *code = "no_memory";
	int status = 500;

	if (fault == BATCH_BROKEN) {
		status = 400;
		code = "not_json";
		snprintf(detail, sizeof detail,
			 "this array breaks at byte %zu; nothing of it was taken", at);
	} else if (fault == BATCH_EMPTY) {
		status = 400;
		code = "empty";
		snprintf(detail, sizeof detail, "there is no item in the body");
	} else if (fault == BATCH_TOO_MANY) {
		status = 413;
		code = "too_many_items";
		snprintf(detail, sizeof detail,
			 "the batch has %zu items; at most %d are taken at once, and none was", at,
			 BATCH_ITEMS_MAX);
	}
	COUNT(BATCHES_REFUSED);
	log_warn("batch_refused", LOG_S("reason", code), LOG_S("detail", detail),
		 LOG_I("bytes", (int64_t)r->body.len), LOG_S("owner", r->who->name));
	request_problem(r, status, code, detail, "", NULL);
}

static struct batching *batching_new(struct desk *desk, const struct channel_set *channels)
{
	struct batching *b = calloc(1, sizeof *b);

	if (b == NULL)
		return NULL;
	b->desk = desk;
	b->waiter = (struct desk_waiter){.cb = on_room, .arg = b};
	if (channel_set_copy(&b->channels, channels) == 0)
		return b;
	free(b);
	return NULL;
}

static enum batch_fault prepare(struct batching *b, const struct request *r, enum batch_form form,
				size_t *at)
{
	enum batch_fault fault = batch_split(&b->batch, form, r->body.data, r->body.len, at);

	b->form = form;
	if (fault != BATCH_GOOD)
		return fault;
	if ((b->result = calloc(b->batch.count, sizeof *b->result)) == NULL)
		return BATCH_NO_MEMORY;
	for (size_t i = 0; i < b->batch.count; i++)
		b->result[i].batching = b;
	return BATCH_GOOD;
}

void batching_begin(struct request *r, enum batch_form form, const struct channel_set *channels)
{
	struct batching *b = batching_new(door_setup_of(r->door)->desk, channels);
	size_t at = 0;
	enum batch_fault fault = b == NULL ? BATCH_NO_MEMORY : prepare(b, r, form, &at);

	if (fault != BATCH_GOOD) {
		refuse(r, fault, at);
	} else if (!who_lets_post(r, (unsigned)b->batch.count)) {
		; /* it has answered */
	} else if ((b->ticket = request_ticket(r)) == NULL) {
		refuse(r, BATCH_NO_MEMORY, 0);
	} else {
		COUNT(BATCHES);
		feed(b);
		return;
	}
	batching_free(b);
}
