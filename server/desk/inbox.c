/* inbox.c - who reads the inbox, what is taken over, and what is read. */
#include "desk/inbox.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/backoff.h"
#include "base/counters.h"
#include "base/log.h"
#include "desk/desk_own.h"
#include "desk/entry.h"
#include "desk/scripts.h"
#include "wire/redis_words.h"

enum { STEP_MS = 1000, BLOCK_MS = 2000, SPREAD_MS = 200 };

enum inbox_state {
	INBOX_WATCHING,	   /* another worker reads, or Redis is away */
	INBOX_TAKING_OVER, /* ours: what earlier readers left comes first */
	INBOX_READING,	   /* ours: what is new */
};

/* Always true: busy <=> one entry that was taken over is being decided. */
struct inbox {
	uv_timer_t timer;  /* the next step */
	struct link *link; /* listens, blocking; NULL once we have left */
	struct link *commands;
	struct desk *desk;
	const struct desk_options *options;
	struct desk_waiter waiter; /* for room in the desk */
	enum inbox_state state;
	bool stepping;	/* inbox.lua was asked … */
	bool looking;	/* … for an entry to take over, too */
	bool thorough;	/* … however lately another one was given it */
	bool listening; /* for new entries: XREAD was asked */
	bool news;	/* there are some, or may be */
	bool waiting;	/* for room */
	bool busy;
	bool closing;
	char name[JOB_NAME_MAX + 1]; /* of this worker, as who reads */
	/* Of this life of the link: what it was given and never brought has another's name. */
	char consumer[JOB_NAME_MAX + 1];
	char asked_as[JOB_NAME_MAX + 1]; /* the consumer that the step is for */
	char from[JOB_ENTRY_MAX + 2];	 /* where the next step looks on */
	char last[JOB_ENTRY_MAX + 1];	 /* that was given to anybody: what is above it is new */
	char trouble[160];		 /* that was logged */
};

/* An entry that the desk has. */
struct errand {
	struct inbox *inbox;
	bool taken_over;
	char id[JOB_ENTRY_MAX + 1];
	char consumer[JOB_NAME_MAX + 1];
};

static void step(struct inbox *inbox);
static void stop_reading(struct inbox *inbox);
static void read_on(struct inbox *inbox);

/* --- states ----------------------------------------------------------------------------------- */

static void set_state(struct inbox *inbox, enum inbox_state to)
{
	static const char *const names[] = {"watching", "taking_over", "reading"};

	if (inbox->state == to)
		return;
	log_debug("inbox_state", LOG_S("from", names[inbox->state]), LOG_S("to", names[to]));
	inbox->state = to;
	GAUGE_SET(INBOX_READER, to != INBOX_WATCHING);
	if (to == INBOX_WATCHING)
		GAUGE_SET(INBOX_LENGTH, 0);
}

/* Told when it changes; "": it is over. */
static void set_trouble(struct inbox *inbox, const char *error)
{
	if (strncmp(inbox->trouble, error, sizeof inbox->trouble - 1) == 0)
		return;
	snprintf(inbox->trouble, sizeof inbox->trouble, "%s", error);
	if (redis_words_passes(error))
		redis_words_tell(redis_words(error), error);
	else if (*error)
		log_error("inbox_stopped", LOG_S("error", error));
}

static void choose_name(char name[JOB_NAME_MAX + 1])
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";

	for (size_t i = 0; i < JOB_NAME_MAX; i++)
		name[i] = letters[backoff_random(sizeof letters - 1)];
	name[JOB_NAME_MAX] = '\0';
}

static void on_timer(uv_timer_t *timer)
{
	step(timer->data);
}

static void step_in(struct inbox *inbox, uint64_t ms)
{
	if (!inbox->closing && inbox->link != NULL)
		uv_timer_start(&inbox->timer, on_timer, ms, 0);
}

/* --- entries ---------------------------------------------------------------------------------- */

/* It will be tried again after a pause. If that cannot be said, it looks like one of a reader that died. anew: this was no try of it. */
static void put_off(struct inbox *inbox, const char *id, bool anew)
{
	COUNT(INBOX_PUT_OFF);
	if (link_commandf(inbox->commands, NULL, NULL,
			  anew ? "XCLAIM {%s}:inbox desk put-off 0 %s RETRYCOUNT 1 JUSTID"
			       : "XCLAIM {%s}:inbox desk put-off 0 %s JUSTID",
			  inbox->options->prefix, id) == -1)
		choose_name(inbox->consumer);
}

static void count_outcome(const struct desk_receipt *receipt)
{
	if (receipt->result != DESK_AWAY && receipt->result != DESK_TAKEN)
		COUNT(INBOX_DONE);
}

/* Another one read meanwhile: what we were given before is his, or is taken over by us as if it had been. */
static void begin_again(struct inbox *inbox)
{
	choose_name(inbox->consumer);
	stop_reading(inbox);
	step_in(inbox, 0);
}

static void on_decided(const struct desk_receipt *receipt, void *arg)
{
	struct errand *errand = arg;
	struct inbox *inbox = errand->inbox;

	if (errand->taken_over)
		inbox->busy = false;
	count_outcome(receipt);
	if (!inbox->closing && receipt->result == DESK_AWAY)
		put_off(inbox, errand->id, false);
	if (receipt->result == DESK_TAKEN && strcmp(errand->consumer, inbox->consumer) == 0)
		begin_again(inbox);
	if (!inbox->closing && errand->taken_over)
		step(inbox);
	free(errand);
}

/* Hands an entry to the desk. */
static void take(struct inbox *inbox, const redisReply *id, const redisReply *fields,
		 bool taken_over)
{
	struct errand *errand = calloc(1, sizeof *errand);
	struct job *job = errand ? entry_read(fields, inbox->options) : NULL;

	if (job == NULL) {
		log_error("inbox_put_off", LOG_S("entry", id->str), LOG_S("why", "out of memory"));
		put_off(inbox, id->str, true);
		free(errand);
		return;
	}
	COUNT(DESK_HEARD);
	errand->inbox = inbox;
	errand->taken_over = taken_over;
	inbox->busy = inbox->busy || taken_over;
	snprintf(errand->id, sizeof errand->id, "%s", id->str);
	snprintf(errand->consumer, sizeof errand->consumer, "%s", inbox->consumer);
	job_came_in(job, id->str, inbox->consumer);
	job->cb = on_decided;
	job->arg = errand;
	desk_add(inbox->desk, job);
}

/* --- steps ------------------------------------------------------------------------------------ */

enum { WHO, REST, LENGTH, WHAT, ID, FIELDS, NEXT, ENTRIES, LAST, ANSWERS }; /* as inbox.lua says */

static bool is_answer(const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != ANSWERS)
		return false;
	for (size_t i = 0; i < ANSWERS; i++)
		if (reply->element[i]->type !=
		    (i == FIELDS || i == ENTRIES ? REDIS_REPLY_ARRAY : REDIS_REPLY_STRING))
			return false;
	return true;
}

/* [[id, [name, value …]] …] */
static void hear_entries(struct inbox *inbox, const redisReply *entries)
{
	for (size_t i = 0; i < entries->elements; i++) {
		const redisReply *entry = entries->element[i];

		if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2 ||
		    entry->element[0]->type != REDIS_REPLY_STRING ||
		    entry->element[1]->type != REDIS_REPLY_ARRAY)
			continue;
		COUNT(INBOX_READ);
		take(inbox, entry->element[0], entry->element[1], false);
	}
	if (entries->elements > 1) /* they were waiting, and there may be more */
		inbox->news = true;
}

static void note_end(const char *event, enum counter_id counter, const char *id)
{
	counters_mine->value[counter]++;
	log_error(event, LOG_S("entry", id));
}

/* Something was looked at. Returns whether there may be more. */
static bool hear_what(struct inbox *inbox, redisReply *const *answer)
{
	const char *what = answer[WHAT]->str, *id = answer[ID]->str;

	if (strcmp(what, "entry") == 0) {
		COUNT(INBOX_TAKEN_OVER);
		take(inbox, answer[ID], answer[FIELDS], true);
		return !inbox->busy;
	}
	if (strcmp(what, "poison") == 0) {
		COUNT(DESK_REFUSED);
		COUNT(REJECT_POISON);
		note_end("inbox_poison", COUNTER_INBOX_POISON, id);
	} else if (strcmp(what, "gone") == 0) {
		note_end("inbox_gone", COUNTER_INBOX_GONE, id);
	}
	return strcmp(what, "none") != 0;
}

/* Ours. What is busy goes on by itself. */
static void hear_mine(struct inbox *inbox, redisReply *const *answer)
{
	bool looked = inbox->looking, more;
	bool all = looked && (inbox->thorough || inbox->state == INBOX_READING);

	GAUGE_SET(INBOX_LENGTH, strtoull(answer[LENGTH]->str, NULL, 10));
	if (inbox->state == INBOX_WATCHING)
		set_state(inbox, INBOX_TAKING_OVER);
	if (all)
		snprintf(inbox->from, sizeof inbox->from, "%s", answer[NEXT]->str);
	more = (looked && hear_what(inbox, answer)) || (!all && !inbox->busy);
	hear_entries(inbox, answer[ENTRIES]);
	snprintf(inbox->last, sizeof inbox->last, "%s", answer[LAST]->str);
	if (!inbox->stepping)
		step_in(inbox, more ? 0 : STEP_MS);
	if (!more && !inbox->busy)
		set_state(inbox, INBOX_READING);
	read_on(inbox);
}

static void stop_reading(struct inbox *inbox)
{
	set_state(inbox, INBOX_WATCHING);
	snprintf(inbox->from, sizeof inbox->from, "-");
}

static void on_step(redisReply *reply, void *arg)
{
	struct inbox *inbox = arg;

	inbox->stepping = false;
	if (inbox->link == NULL)
		return;
	if (reply != NULL && is_answer(reply)) {
		/* What was brought for who we are no more is another's. */
		if (strcmp(inbox->asked_as, inbox->consumer) != 0) {
			stop_reading(inbox);
			step_in(inbox, 0);
			return;
		}
		if (strcmp(reply->element[WHO]->str, "mine") == 0) {
			hear_mine(inbox, reply->element);
			return;
		}
		set_trouble(inbox, "");
		stop_reading(inbox);
		step_in(inbox,
			strtoull(reply->element[REST]->str, NULL, 10) + backoff_random(SPREAD_MS));
		return;
	}
	stop_reading(inbox);
	if (reply == NULL) {		      /* inbox_wake() follows */
		choose_name(inbox->consumer); /* what it brought us is another's */
	} else {
		set_trouble(inbox, reply->type == REDIS_REPLY_ERROR
					   ? reply->str
					   : "an answer that makes no sense");
		step_in(inbox, STEP_MS);
	}
}

static bool can_read(const struct inbox *inbox)
{
	return inbox->state == INBOX_READING && desk_can_ask(inbox->desk) &&
	       desk_has_room(inbox->desk);
}

/* Says that we are there, and asks for entries: one to take over, and what is new. Whoever cannot listen says nothing. */
static void step(struct inbox *inbox)
{
	bool looking = !inbox->busy, thorough = inbox->state != INBOX_READING;
	const struct inbox_question question = {.name = inbox->name,
						.consumer = inbox->consumer,
						.lease_ms = INBOX_LEASE_MS,
						.take = looking,
						.idle_ms = thorough ? 0 : INBOX_LEASE_MS,
						.pause_ms = inbox->options->inbox_pause_ms,
						.from = inbox->from,
						.tries = INBOX_TRIES,
						.read = can_read(inbox) ? INBOX_AT_ONCE : 0};

	if (inbox->stepping || inbox->closing || inbox->link == NULL)
		return;
	if (link_state(inbox->link) != LINK_READY ||
	    scripts_inbox(inbox->commands, inbox->options, &question, on_step, inbox) == -1) {
		step_in(inbox, STEP_MS);
		return;
	}
	inbox->stepping = true;
	memcpy(inbox->asked_as, inbox->consumer, sizeof inbox->asked_as);
	inbox->looking = looking;
	inbox->thorough = thorough;
	if (question.read > 0)
		inbox->news = false;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* A new entry, or none for a while. */
static void on_listened(redisReply *reply, void *arg)
{
	struct inbox *inbox = arg;

	inbox->listening = false;
	if (reply == NULL)
		return;				/* on_link_ready() follows */
	if (reply->type == REDIS_REPLY_ERROR) { /* the next step says more */
		set_trouble(inbox, reply->str);
		stop_reading(inbox);
		return;
	}
	set_trouble(inbox, "");
	if (reply->type == REDIS_REPLY_ARRAY)
		inbox->news = true;
	read_on(inbox);
}

static void on_room(void *arg)
{
	struct inbox *inbox = arg;

	inbox->waiting = false;
	read_on(inbox);
}

/* Asks for new entries, if they can be decided; else when there is room, or with the next step. Where there are none, listens. */
static void read_on(struct inbox *inbox)
{
	if (inbox->state != INBOX_READING || inbox->waiting || inbox->closing ||
	    !desk_can_ask(inbox->desk))
		return;
	if (!desk_has_room(inbox->desk)) {
		inbox->waiting = true;
		desk_wait_for_room(inbox->desk, &inbox->waiter);
	} else if (inbox->news) {
		step(inbox);
	} else if (!inbox->listening &&
		   link_commandf(inbox->link, on_listened, inbox,
				 "XREAD COUNT 1 BLOCK %d STREAMS {%s}:inbox %s", BLOCK_MS,
				 inbox->options->prefix, inbox->last) == 0) {
		inbox->listening = true;
	}
}

static void on_link_ready(void *arg)
{
	step(arg);
}

static const struct link_events link_events = {.ready = on_link_ready};

/* --- opening and closing ---------------------------------------------------------------------- */

void inbox_wake(struct inbox *inbox)
{
	step(inbox);
}

/* What is on its way to being decided is decided before this is heard. */
void inbox_leave(struct inbox *inbox)
{
	const struct inbox_question question = {.name = inbox->name,
						.consumer = inbox->consumer,
						.from = "-",
						.tries = INBOX_TRIES};

	if (inbox->link == NULL)
		return;
	link_close(inbox->link);
	inbox->link = NULL;
	inbox->listening = false;
	stop_reading(inbox);
	uv_timer_stop(&inbox->timer);
	/* If this cannot be said, the time of the lease must pass. */
	(void)!scripts_inbox(inbox->commands, inbox->options, &question, NULL, NULL);
}

struct inbox *inbox_open(uv_loop_t *loop, const struct redis_place *place, struct desk *desk,
			 struct link *commands, const struct desk_options *options)
{
	struct inbox *inbox = calloc(1, sizeof *inbox);

	if (inbox == NULL)
		return NULL;
	inbox->desk = desk;
	inbox->commands = commands;
	inbox->options = options;
	inbox->waiter = (struct desk_waiter){.cb = on_room, .arg = inbox};
	snprintf(inbox->from, sizeof inbox->from, "-");
	choose_name(inbox->name);
	choose_name(inbox->consumer);
	uv_timer_init(loop, &inbox->timer);
	inbox->timer.data = inbox;
	inbox->link = link_open(loop, place, "desk-inbox", &link_events, inbox);
	if (inbox->link != NULL)
		return inbox;
	inbox_close(inbox);
	return NULL;
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void inbox_close(struct inbox *inbox)
{
	if (inbox == NULL)
		return;
	inbox->closing = true;
	link_close(inbox->link);
	inbox->link = NULL;
	uv_close((uv_handle_t *)&inbox->timer, on_timer_closed);
}
