/* verdict.c - what the scripts said about an item: read, counted, logged, and made a receipt. */
#include "desk/verdict.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/counters.h"
#include "base/log.h"

enum {
	RESULT,
	ID,
	ACTION,
	CHANNELS,
	CODE,
	DETAIL,
	DUE,
	REPLAYED,
	ANSWERS
}; /* as common.lua says */

/* A refusal's metric, by the name of its reason. */
static const struct {
	const char *code;
	enum counter_id counter;
} refusals[] = {
	{"not_json", COUNTER_REJECT_NOT_JSON},
	{"not_utf8", COUNTER_REJECT_NOT_UTF8},
	{"too_large", COUNTER_REJECT_TOO_LARGE},
	{"too_deep", COUNTER_REJECT_TOO_DEEP},
	{"duplicate_key", COUNTER_REJECT_DUPLICATE_KEY},
	{"wrong_type", COUNTER_REJECT_WRONG_TYPE},
	{"bad_value", COUNTER_REJECT_BAD_VALUE},
	{"empty", COUNTER_REJECT_EMPTY},
	{"bad_channel", COUNTER_REJECT_BAD_CHANNEL},
	{"killed", COUNTER_REJECT_KILLED},
	{"not_owner", COUNTER_REJECT_NOT_OWNER},
	{"idempotency_mismatch", COUNTER_REJECT_IDEMPOTENCY_MISMATCH},
	{"embargo_too_far", COUNTER_REJECT_EMBARGO_TOO_FAR},
	{"advisory", COUNTER_REJECT_ADVISORY},
	{"channel_forbidden", COUNTER_REJECT_CHANNEL_FORBIDDEN},
	{"bad_signature", COUNTER_REJECT_BAD_SIGNATURE},
	{"may_not_publish", COUNTER_REJECT_MAY_NOT_PUBLISH},
	{"may_not_correct", COUNTER_REJECT_MAY_NOT_CORRECT},
	{"may_not_kill", COUNTER_REJECT_MAY_NOT_KILL},
	{"may_not_flash", COUNTER_REJECT_MAY_NOT_FLASH},
	{"may_not_embargo", COUNTER_REJECT_MAY_NOT_EMBARGO},
};

static void record_refusal(const struct job *job, const struct desk_receipt *receipt)
{
	const char *pointer = receipt->report ? receipt->report->fault[0].pointer : "";

	COUNT(DESK_REFUSED);
	for (size_t i = 0; i < COUNT_OF(refusals); i++)
		if (strcmp(refusals[i].code, receipt->code) == 0)
			counters_mine->value[refusals[i].counter]++;
	log_warn("item_refused", LOG_S("reason", receipt->code), LOG_S("pointer", pointer),
		 LOG_S("detail", receipt->detail), LOG_S("channel", job->sent_to),
		 LOG_S("owner", job->who->name), LOG_S("uri", receipt->uri),
		 LOG_S("hash", job->seen));
}

void verdict_plain(struct verdict *v, const struct job *job, enum desk_result result)
{
	*v = (struct verdict){.due_ms = -1};
	v->receipt.result = result;
	v->receipt.uri = job && job->item ? job->item->uri : NULL;
	v->receipt.version = job && job->item ? job->item->version : NULL;
	v->receipt.action = v->receipt.channels = v->receipt.code = v->receipt.detail = "";
}

/* A key that holds something else, a script that is not ours any more …: the publisher may try
 * again when somebody has looked into it. */
static void blame_store(struct verdict *v, const struct job *job, const char *error)
{
	verdict_plain(v, job, DESK_AWAY);
	v->receipt.code = "store";
	v->receipt.detail = error;
	COUNT(REJECT_STORE);
	log_error("store_refused", LOG_S("error", error), LOG_S("uri", v->receipt.uri),
		  LOG_S("channel", job->sent_to), LOG_S("hash", job->seen));
}

static const char *error_of(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR ? reply->str : "an answer that makes no sense";
}

static bool is_answer(const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != ANSWERS)
		return false;
	for (size_t i = 0; i < ANSWERS; i++)
		if (reply->element[i]->type != REDIS_REPLY_STRING)
			return false;
	return true;
}

/* What the scripts may say, and where it is counted. */
static const struct outcome {
	const char *word;
	enum desk_result result;
	enum counter_id counter;
} outcomes[] = {
	{"accepted", DESK_ACCEPTED, COUNTER_DESK_ACCEPTED},
	{"held", DESK_HELD, COUNTER_DESK_HELD},
	{"stale", DESK_STALE, COUNTER_DESK_STALE},
	{"duplicate", DESK_DUPLICATE, COUNTER_DESK_DUPLICATE},
	{"seen", DESK_DUPLICATE, COUNTER_DESK_DUPLICATE},
	{"refused", DESK_REFUSED, COUNTER_DESK_REFUSED},
	{"refused_again", DESK_REFUSED, COUNTER_DESK_REFUSED},
	{"taken", DESK_TAKEN, COUNTER_DESK_DUPLICATE},
};

static const struct outcome *outcome_of(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(outcomes); i++)
		if (strcmp(outcomes[i].word, word) == 0)
			return &outcomes[i];
	return NULL;
}

/* Is it news, or was it counted when and where it was decided? A raw item that Redis had seen was
 * decided by another worker who heard it. */
static bool is_news(const struct job *job, const char *word)
{
	return strcmp(word, "refused_again") != 0 && strcmp(word, "taken") != 0 &&
	       !(job->raw && strcmp(word, "seen") == 0);
}

/* Only the reader of items knows where in it the fault is. */
static const struct item_report *report_of(const struct job *job,
					   const struct desk_receipt *receipt)
{
	bool is_its = job->report && receipt->result == DESK_REFUSED &&
		      strcmp(receipt->code, item_refusal_name(job->report->refusal)) == 0;

	return is_its ? job->report : NULL;
}

static void count(const struct job *job, const struct desk_receipt *receipt,
		  const struct outcome *outcome)
{
	if (receipt->replayed)
		COUNT(DESK_REPLAYED);
	else if (!is_news(job, outcome->word))
		return;
	else if (outcome->result == DESK_REFUSED)
		record_refusal(job, receipt);
	else
		counters_mine->value[outcome->counter]++;
}

void verdict_of_reply(struct verdict *v, const struct job *job, const redisReply *reply)
{
	const struct outcome *outcome =
		is_answer(reply) ? outcome_of(reply->element[RESULT]->str) : NULL;
	struct desk_receipt *receipt = &v->receipt;

	if (outcome == NULL) {
		blame_store(v, job, error_of(reply));
		return;
	}
	verdict_plain(v, job, outcome->result);
	snprintf(receipt->id, sizeof receipt->id, "%s", reply->element[ID]->str);
	receipt->action = reply->element[ACTION]->str;
	receipt->channels = reply->element[CHANNELS]->str;
	receipt->code = reply->element[CODE]->str;
	receipt->detail = reply->element[DETAIL]->str;
	receipt->replayed = strcmp(reply->element[REPLAYED]->str, "1") == 0;
	receipt->report = report_of(job, receipt);
	count(job, receipt, outcome);
	if (receipt->result == DESK_HELD && !receipt->replayed)
		v->due_ms = strtoll(reply->element[DUE]->str, NULL, 10);
}

/* Writes a text behind those that are there already; where it stands. */
static const char *keep_text(char **at, const char *text)
{
	char *here = *at;

	*at = stpcpy(here, text) + 1;
	return here;
}

struct desk_receipt *verdict_keep(const struct desk_receipt *receipt)
{
	size_t texts = strlen(receipt->action) + strlen(receipt->channels) + strlen(receipt->code) +
		       strlen(receipt->detail) + 4;
	struct desk_receipt *kept = malloc(sizeof *kept + texts);
	char *at = (char *)(kept + 1);

	if (kept == NULL)
		return NULL;
	*kept = *receipt;
	kept->action = keep_text(&at, receipt->action);
	kept->channels = keep_text(&at, receipt->channels);
	kept->code = keep_text(&at, receipt->code);
	kept->detail = keep_text(&at, receipt->detail);
	return kept;
}
