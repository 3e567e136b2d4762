/* receipt.c - what the desk decided, as a status and as JSON. */
#include "http/receipt.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/counters.h"
#include "http/problem.h"

/* As desk.h's results; refused ones have more than one status. */
static const struct {
	int status;
	const char *word, *code, *detail;
} rows[] = {
	[DESK_ACCEPTED] = {201, "accepted", NULL, NULL},
	[DESK_DUPLICATE] = {200, "duplicate", NULL, NULL},
	[DESK_STALE] = {200, "stale", NULL, NULL},
	[DESK_HELD] = {202, "held", NULL, NULL},
	[DESK_REFUSED] = {422, NULL, NULL, NULL},
	[DESK_BUSY] = {503, NULL, "busy", "too many items are being decided; try again"},
	[DESK_AWAY] = {503, NULL, "redis_away",
		       "the store did not confirm the item: it cannot be reached; post it again"},
	[DESK_UNCONFIRMED] = {503, NULL, NULL, NULL},
};

static int status_of_refusal(const struct desk_receipt *receipt)
{
	if (strncmp(receipt->code, "may_not_", 8) == 0 || strcmp(receipt->code, "not_owner") == 0 ||
	    strcmp(receipt->code, "channel_forbidden") == 0)
		return 403;
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

int receipt_status(const struct desk_receipt *receipt)
{
	return receipt->result == DESK_REFUSED ? status_of_refusal(receipt)
					       : rows[receipt->result].status;
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

/* Connected to any worker of this node now, whatever they want to read. */
static uint64_t readers_of_node(const struct door_setup *setup)
{
	return counters_sum(setup->pages, setup->page_count, COUNTER_READERS);
}

static void add_good_news(struct buf *out, const struct door *door,
			  const struct desk_receipt *receipt)
{
	buf_addf(out, "\"status\":\"%s\"", rows[receipt->result].word);
	add_text(out, "id", receipt->id);
	add_text(out, "uri", receipt->uri);
	add_text(out, "version", receipt->version);
	add_text(out, "action", receipt->action);
	add_channels(out, receipt->channels);
	if (receipt->result == DESK_ACCEPTED && receipt->id[0] != '\0')
		buf_addf(out, ",\"readers\":%" PRIu64, readers_of_node(door_setup_of(door)));
	add_text(out, "durability",
		 wire_durability(door_setup_of(door)->wire, receipt->replicated));
}

/* AWAY has a code and a detail of its own when a key of ours holds something else (`store`): a
 * publisher who tries again is right to. */
static void add_bad_news(struct buf *out, const struct desk_receipt *receipt)
{
	bool known = receipt->code != NULL && receipt->code[0] != '\0';
	bool says = receipt->detail != NULL && receipt->detail[0] != '\0';
	char detail[DESK_TROUBLE_MAX + 64];

	if (receipt->result == DESK_AWAY && !known && says) { /* what is wrong with Redis */
		snprintf(detail, sizeof detail, "the store did not confirm it: %s; post it again",
			 receipt->detail);
		problem_members(out, receipt_status(receipt), rows[DESK_AWAY].code, detail, NULL);
		return;
	}

	problem_members(out, receipt_status(receipt),
			known ? receipt->code : rows[receipt->result].code,
			known ? receipt->detail : rows[receipt->result].detail, receipt->report);
}

void receipt_members(struct buf *out, const struct door *door, const struct desk_receipt *receipt)
{
	if (receipt_status(receipt) < 400)
		add_good_news(out, door, receipt);
	else
		add_bad_news(out, receipt);
	if (receipt->replayed)
		buf_adds(out, ",\"replayed\":true");
}
