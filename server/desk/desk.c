/* desk.c - takes items in: hears them, has them decided in order, answers those who wait. */
#include "desk/desk.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include "base/backoff.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "desk/desk_own.h"
#include "desk/embargo.h"
#include "desk/inbox.h"
#include "desk/job.h"
#include "desk/permit.h"
#include "desk/purge.h"
#include "desk/redis_clock.h"
#include "desk/replicas.h"
#include "desk/scripts.h"
#include "desk/verdict.h"
#include "wire/redis_words.h"

enum { RETRY_BASE_MS = 20, RETRY_CAP_MS = 1000, PATROL_MS = 1000, NEWCOMER_MS = 250 };

/* Always true between two loop events:
 *   1. jobs are in order of arrival, count and bytes are theirs
 *   2. a WAITING job => the command link is not READY, or stalled
 *   3. stalled by an error of Redis => trouble != NULL
 */
struct desk {
	struct desk_options options;
	struct link *commands; /* asks and decides */
	struct link *ear;      /* hears PUBLISHes */
	struct embargo *embargo;
	struct inbox *inbox;
	struct redis_clock clock; /* embargo.c sets it */
	struct replicas replicas;
	const struct redis_words
		*trouble;    /* why Redis decides nothing, though it is there; NULL: it does */
	bool trying;	     /* probe.lua was asked */
	uv_timer_t retry;    /* while stalled: the next attempt */
	uv_timer_t patrol;   /* looks after those who waited too long */
	uv_timer_t newcomer; /* while it runs, nothing is heard yet */
	struct backoff backoff;
	struct job *jobs;
	size_t count, bytes;
	struct desk_waiter *waiters; /* for room, in order of arrival */
	bool subscribed, stalled, closing;
	bool unheard;		 /* it asked to subscribe, and was refused */
	bool deaf;		 /* memory was short when it was to ask: once more in a second */
	uint64_t handed_over_ns; /* from then on others hear what is published; 0: not yet */
	bool beaten; /* the last PUBLISH was another worker's: ask first, before its text is sent */
	size_t probing;	 /* jobs that ask */
	unsigned timers; /* that must close before the memory goes */
	char in[64];	 /* `newswire:in:` */
	size_t in_len;
};

/* Jobs
 * --------------------------------------------------------------------------------------------------------------- */

static bool is_full(const struct desk *desk)
{
	return desk->count >= DESK_IN_FLIGHT || desk->bytes >= DESK_IN_FLIGHT_BYTES;
}

bool desk_can_ask(const struct desk *desk)
{
	return !desk->closing && !desk->stalled && link_state(desk->commands) == LINK_READY;
}

/* How full the desk is shows on the ear: at half it listens again. */
static void settle(struct desk *desk)
{
	if (is_full(desk) || uv_is_active((const uv_handle_t *)&desk->newcomer))
		link_pause(desk->ear, true);
	else if (desk->count <= DESK_IN_FLIGHT / 2 && desk->bytes <= DESK_IN_FLIGHT_BYTES / 2)
		link_pause(desk->ear, false);
}

/* Whoever is called may hand in more, so that there may be no room for the next. */
static void wake_waiters(struct desk *desk)
{
	while (desk->waiters && desk_has_room(desk)) {
		struct desk_waiter *first = desk->waiters;

		DL_DELETE(desk->waiters, first);
		first->cb(first->arg);
	}
}

/* The job is over: whoever waits is told. */
static void finish(struct job *job, const struct desk_receipt *receipt)
{
	struct desk *desk = job->desk;
	desk_cb *cb = job->cb;

	if (receipt->result == DESK_ACCEPTED && !receipt->replayed)
		OBSERVE_US(ACCEPT, (clock_mono_ns() - job->since_ns) / 1000);
	DL_DELETE(desk->jobs, job);
	desk->count--;
	desk->bytes -= job->len;
	if (cb)
		cb(receipt, job->arg);
	job_free(job);
	if (!desk->closing) {
		settle(desk);
		wake_waiters(desk);
	}
}

static void finish_plain(struct job *job, enum desk_result result)
{
	struct verdict v;

	verdict_plain(&v, job, result);
	finish(job, &v.receipt);
}

/* Nothing is decided: why, in words. */
static void finish_away(struct job *job)
{
	struct verdict v;
	char detail[DESK_TROUBLE_MAX];

	verdict_plain(&v, job, DESK_AWAY);
	desk_explain(job->desk, detail, sizeof detail);
	v.receipt.detail = detail;
	finish(job, &v.receipt);
}

static void start_waiting(struct desk *desk);

static void on_retry(uv_timer_t *timer)
{
	struct desk *desk = timer->data;

	desk->stalled = false;
	start_waiting(desk);
}

/* Redis (or memory) says: later. Nothing new is asked until then, so that the order stays. */
static void stall(struct desk *desk, const char *why)
{
	uint32_t wait = RETRY_BASE_MS + backoff_next(&desk->backoff);

	if (desk->stalled)
		return;
	desk->stalled = true;
	log_debug("desk_stalled", LOG_S("why", why), LOG_I("retry_ms", wait));
	uv_timer_start(&desk->retry, on_retry, wait, 0);
}

static void set_trouble(struct desk *desk, const char *error)
{
	desk->trouble = redis_words(error);
	redis_words_tell(desk->trouble, error);
}

static void end_trouble(struct desk *desk)
{
	if (desk->trouble)
		redis_words_over(desk->trouble);
	desk->trouble = NULL;
}

/* Deciding
 * ----------------------------------------------------------------------------------------------------------- */

/* Did the answer not come, or is it one that will be another later? Then the job waits, or
 * whoever waits for it is sent away: nothing was written, or what was is finished by asking again. */
static bool must_wait(struct job *job, const redisReply *reply)
{
	if (reply && (reply->type != REDIS_REPLY_ERROR || !redis_words_passes(reply->str)))
		return false;
	job->state = JOB_WAITING;
	if (reply == NULL) /* lost: decided again when the link is back */
		return true;
	set_trouble(job->desk, reply->str);
	stall(job->desk, reply->str);
	if (!job->patient)
		finish_away(job);
	return true;
}

/* Is somebody to be told that this is safe? */
static bool must_confirm(const struct job *job, const struct desk_receipt *receipt)
{
	return job->desk->replicas.wanted > 0 && job->cb && !job->patient &&
	       (receipt->result == DESK_ACCEPTED || receipt->result == DESK_DUPLICATE ||
		receipt->result == DESK_STALE || receipt->result == DESK_HELD);
}

static void finish_unconfirmed(struct job *job)
{
	struct verdict v;
	char detail[REPLICAS_DETAIL_MAX];

	COUNT(UNCONFIRMED);
	replicas_explain(&job->desk->replicas, detail, sizeof detail);
	verdict_plain(&v, job, DESK_UNCONFIRMED);
	v.receipt.code = "replicas";
	v.receipt.detail = detail;
	finish(job, &v.receipt);
}

/* Not known: decided again, which changes nothing. */
static void on_confirmed(enum replicas_answer answer, void *arg)
{
	struct job *job = arg;

	if (answer == REPLICAS_TOO_FEW) {
		finish_unconfirmed(job);
	} else if (answer == REPLICAS_HAVE_IT) {
		job->receipt->replicated = true;
		finish(job, job->receipt);
	} else {
		free(job->receipt);
		job->receipt = NULL;
		job->state = JOB_WAITING;
		if (answer == REPLICAS_UNASKED)
			stall(job->desk, "Redis cannot ask its replicas now");
	}
}

/* The receipt waits until replicas have what it says. */
static void confirm(struct job *job, const struct desk_receipt *receipt)
{
	if ((job->receipt = verdict_keep(receipt)) == NULL) {
		job->state = JOB_WAITING;
		stall(job->desk, "out of memory");
		return;
	}
	job->state = JOB_CONFIRMING;
	job->wait = (struct replicas_wait){.cb = on_confirmed, .arg = job};
	replicas_confirm(&job->desk->replicas, &job->wait);
}

static void on_decided(redisReply *reply, void *arg)
{
	struct job *job = arg;
	struct embargo *embargo = job->desk->embargo;
	struct verdict v;

	if (must_wait(job, reply))
		return;
	backoff_reset(&job->desk->backoff);
	if (reply->type != REDIS_REPLY_ERROR)
		end_trouble(job->desk);
	verdict_of_reply(&v, job, reply);
	if (job->raw)
		job->desk->beaten = v.receipt.result == DESK_DUPLICATE;
	if (must_confirm(job, &v.receipt))
		confirm(job, &v.receipt);
	else
		finish(job, &v.receipt);
	if (v.due_ms >= 0)
		embargo_expect(embargo, (uint64_t)v.due_ms);
}

static int decide(struct job *job)
{
	struct desk *desk = job->desk;

	if (job_read(job, desk->options.max_item) == -1)
		return -1;
	if (permit_channels(job) == -1)
		return -1;
	if (job->report)
		return scripts_reject(desk->commands, &desk->options, job, on_decided, job);
	return scripts_accept(desk->commands, &desk->options, &desk->clock, job,
			      permit_rights(&desk->options, job), on_decided, job);
}

static void on_probe(redisReply *reply, void *arg);

static int probe(struct job *job)
{
	return link_commandf(job->desk->commands, on_probe, job, "GET {%s}:seen:%s",
			     job->desk->options.prefix, job->seen);
}

/* Sends what the job needs next, if Redis can be asked; else it waits. */
static void start(struct job *job)
{
	struct desk *desk = job->desk;
	/* Who comes after one that asks must ask, too, or would overtake it. */
	bool probing = job->raw && !job->probed && (desk->beaten || desk->probing > 0);

	job->state = JOB_WAITING;
	if (!desk_can_ask(desk))
		return;
	if ((probing ? probe(job) : decide(job)) == 0) {
		job->state = probing ? JOB_PROBING : JOB_DECIDING;
		desk->probing += probing;
	} else if (link_state(desk->commands) == LINK_READY) {
		stall(desk, "out of memory");
	}
}

/* Another worker was quicker, or the publisher sent it twice. A refusal is decided anew, since its
 * reason may be gone. A key that is no string is accept.lua's to name. */
static void on_probe(redisReply *reply, void *arg)
{
	struct job *job = arg;

	job->desk->probing--;
	if (must_wait(job, reply))
		return;
	if (reply->type == REDIS_REPLY_STRING && strncmp(reply->str, "refused ", 8) != 0) {
		finish_plain(job, DESK_DUPLICATE);
		return;
	}
	job->probed = true;
	start(job);
}

static void on_probed(redisReply *reply, void *arg)
{
	struct desk *desk = arg;

	desk->trying = false;
	if (reply && reply->type != REDIS_REPLY_ERROR)
		end_trouble(desk);
	else if (reply && redis_words_passes(reply->str))
		set_trouble(desk, reply->str);
}

/* Redis refused: does it still? Nobody may post meanwhile, who reads /readyz/publish. */
static void try_again(struct desk *desk)
{
	if (desk->trouble && !desk->trying)
		desk->trying = scripts_probe(desk->commands, &desk->options, on_probed, desk) == 0;
}

static void start_waiting(struct desk *desk)
{
	struct job *job, *next;

	DL_FOREACH_SAFE (desk->jobs, job, next)
		if (job->state == JOB_WAITING)
			start(job);
}

void desk_add(struct desk *desk, struct job *job)
{
	job->desk = desk;
	DL_APPEND(desk->jobs, job);
	desk->count++;
	desk->bytes += job->len;
	settle(desk);
	start(job);
}

/* Hearing
 * ------------------------------------------------------------------------------------------------------------- */

/* The ear stops at DESK_IN_FLIGHT; what it had read by then still comes, and more than a second
 * such lot is too much. */
static bool is_overfull(const struct desk *desk)
{
	return desk->count >= (size_t)16 * DESK_IN_FLIGHT ||
	       desk->bytes >= 2 * (size_t)DESK_IN_FLIGHT_BYTES;
}

static struct job *make_raw_job(const struct desk *desk, const redisReply *channel,
				const redisReply *payload)
{
	const char *name = channel->str + desk->in_len;
	size_t name_len = channel->len - desk->in_len;
	struct channel_set channels = {0};
	struct desk_order order = {.bytes = payload->str,
				   .len = payload->len,
				   .channels = &channels,
				   .who = &publisher_redis};
	struct job *job = NULL;

	if (!channel_is_plain(name, name_len))
		return job_new_misdirected(payload->str, payload->len, name, name_len);
	if (channel_set_read(&channels, name, name_len, ' ') == 0)
		job = job_new(&order, desk->options.max_item);
	channel_set_free(&channels);
	return job;
}

static void lose(const char *channel, size_t channel_len, size_t bytes, const char *why)
{
	COUNT(DESK_LOST);
	log_error("item_lost", LOG_SN("channel", channel, channel_len), LOG_I("bytes", bytes),
		  LOG_S("why", why));
}

static void hear(struct desk *desk, const redisReply *channel, const redisReply *payload)
{
	struct job *job;

	if (channel->type != REDIS_REPLY_STRING || payload->type != REDIS_REPLY_STRING ||
	    channel->len < desk->in_len)
		return;
	COUNT(DESK_HEARD);
	if (is_overfull(desk)) {
		lose(channel->str, channel->len, payload->len, "too much waits for Redis");
		return;
	}
	if ((job = make_raw_job(desk, channel, payload)) == NULL) {
		lose(channel->str, channel->len, payload->len, "out of memory");
		return;
	}
	job->raw = job->patient = true;
	desk_add(desk, job);
}

static void on_settled_in(uv_timer_t *timer)
{
	settle(timer->data);
}

/* Who joins others has not heard the PUBLISH before this one, and may be quicker than those who have: two stories would change
 * places. So the others get a start. */
static void settle_in(struct desk *desk)
{
	desk->subscribed = true;
	desk->unheard = false;
	if (!desk->options.joins)
		return;
	desk->options.joins = false;
	uv_timer_start(&desk->newcomer, on_settled_in, NEWCOMER_MS, 0);
	settle(desk);
}

static void on_message(redisReply *reply, void *arg)
{
	struct desk *desk = arg;

	if (reply == NULL) {
		/* Redis ends the connection of who may not subscribe. */
		desk->unheard = !desk->subscribed;
		desk->subscribed = false;
	} else if (reply->type == REDIS_REPLY_ERROR) {
		desk->unheard = true;
		log_error("desk_deaf", LOG_S("error", reply->str),
			  LOG_S("remedy",
				"allow this Redis user to PSUBSCRIBE (ACL: &<prefix>:in:*)"));
	} else if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3) {
		settle_in(desk);
	} else if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 4) {
		hear(desk, reply->element[2], reply->element[3]);
	}
}

static void subscribe(struct desk *desk)
{
	desk->deaf = link_commandf(desk->ear, on_message, desk, "PSUBSCRIBE %s*", desk->in) == -1;
	if (desk->deaf)
		log_error("desk_deaf", LOG_S("error", "out of memory"));
}

static void on_ear_ready(void *arg)
{
	struct desk *desk = arg;

	subscribe(desk);
	settle(desk);
}

static void on_commands_ready(void *arg)
{
	struct desk *desk = arg;

	backoff_reset(&desk->backoff);
	start_waiting(desk);
	embargo_wake(desk->embargo);
	inbox_wake(desk->inbox);
}

/* Those who wait for an answer while Redis is away are not kept for ever. What was heard from a
 * PUBLISH is, and an entry of the inbox: its order is its place. What replicas are asked about has its own time. */
static void on_patrol(uv_timer_t *timer)
{
	struct desk *desk = timer->data;
	struct job *job, *next;

	DL_FOREACH_SAFE (desk->jobs, job, next)
		if (!job->patient && job->state == JOB_WAITING &&
		    (clock_mono_ns() - job->since_ns) / 1000000 > DESK_PATIENCE_MS)
			finish_away(job);
	if (desk->deaf && link_state(desk->ear) == LINK_READY)
		subscribe(desk);
	try_again(desk);
	replicas_second(&desk->replicas);
	wake_waiters(desk);
}

bool desk_has_room(const struct desk *desk)
{
	return !desk_can_ask(desk) ||
	       (desk->count < DESK_IN_FLIGHT / 2 && desk->bytes < DESK_IN_FLIGHT_BYTES / 2);
}

void desk_wait_for_room(struct desk *desk, struct desk_waiter *waiter)
{
	DL_APPEND(desk->waiters, waiter);
}

void desk_leave_inbox(struct desk *desk)
{
	inbox_leave(desk->inbox);
}

/* The door's side
 * ----------------------------------------------------------------------------------------------------- */

bool desk_is_connected(const struct desk *desk)
{
	return link_state(desk->commands) == LINK_READY && (desk->subscribed || desk->unheard);
}

int desk_is_open(const struct desk *desk)
{
	return desk_can_ask(desk) && desk->subscribed && desk->trouble == NULL &&
	       desk->replicas.trouble[0] == '\0';
}

void desk_explain(const struct desk *desk, char *to, size_t size)
{
	if (link_state(desk->commands) != LINK_READY)
		redis_words_write(link_trouble(desk->commands), to, size);
	else if (desk->trouble)
		redis_words_write(desk->trouble, to, size);
	else if (!desk->subscribed)
		redis_words_write(link_trouble(desk->ear), to, size);
	else if (desk->replicas.trouble[0])
		snprintf(to, size, "%s", desk->replicas.trouble);
	else
		snprintf(to, size, "newswired is short of memory");
}

static void answer_at_once(const struct desk *desk, desk_cb *cb, void *arg, enum desk_result result)
{
	struct verdict v;
	char detail[DESK_TROUBLE_MAX];

	verdict_plain(&v, NULL, result);
	if (result == DESK_AWAY) {
		desk_explain(desk, detail, sizeof detail);
		v.receipt.detail = detail;
	}
	cb(&v.receipt, arg);
}

void desk_take(struct desk *desk, const struct desk_order *order, desk_cb *cb, void *arg)
{
	struct job *job = NULL;

	COUNT(DESK_HEARD);
	if (desk->closing || link_state(desk->commands) != LINK_READY)
		answer_at_once(desk, cb, arg, DESK_AWAY);
	else if (is_full(desk) || (job = job_new(order, desk->options.max_item)) == NULL)
		answer_at_once(desk, cb, arg, DESK_BUSY);
	else {
		job->cb = cb;
		job->arg = arg;
		desk_add(desk, job);
	}
}

void desk_purge(struct desk *desk, const char *uri, const char *owner, desk_purge_cb *cb, void *arg)
{
	static const struct desk_purged away = {
		.result = DESK_PURGE_AWAY, .id = "", .code = "", .detail = ""};

	if (!desk_can_ask(desk) ||
	    purge_ask(desk->commands, &desk->replicas, &desk->options, uri, owner, cb, arg) == -1)
		cb(&away, arg);
}

void desk_hand_over(struct desk *desk)
{
	desk->handed_over_ns = clock_mono_ns();
}

bool desk_owes(const struct desk *desk, uint64_t before_ns)
{
	const struct job *job;

	DL_FOREACH (desk->jobs, job)
		if (job->raw)
			return job->since_ns < before_ns;
	return false;
}

void desk_forget(struct desk *desk, void *arg)
{
	struct job *job;

	DL_FOREACH (desk->jobs, job)
		if (job->arg == arg)
			job->cb = NULL;
}

static const struct link_events command_events = {.ready = on_commands_ready};
static const struct link_events ear_events = {.ready = on_ear_ready};

static void start_timers(struct desk *desk, uv_loop_t *loop)
{
	uv_timer_init(loop, &desk->retry);
	uv_timer_init(loop, &desk->patrol);
	uv_timer_init(loop, &desk->newcomer);
	desk->retry.data = desk->patrol.data = desk->newcomer.data = desk;
	desk->timers = 3;
	uv_timer_start(&desk->patrol, on_patrol, PATROL_MS, PATROL_MS);
}

struct desk *desk_open(uv_loop_t *loop, const struct redis_place *place,
		       const struct desk_options *options)
{
	struct desk *desk = calloc(1, sizeof *desk);

	if (desk == NULL)
		return NULL;
	desk->options = *options;
	desk->backoff = (struct backoff){.base_ms = RETRY_BASE_MS, .cap_ms = RETRY_CAP_MS};
	desk->in_len = (size_t)snprintf(desk->in, sizeof desk->in, "%s:in:", options->prefix);
	MUST(desk->in_len < sizeof desk->in);
	redis_clock_init(&desk->clock, options->clock_patience_ms);
	start_timers(desk, loop);
	desk->commands = link_open(loop, place, "desk", &command_events, desk);
	desk->ear = link_open(loop, place, "desk-ear", &ear_events, desk);
	replicas_init(&desk->replicas, desk->commands, options->replicas);
	if (desk->commands) {
		desk->embargo = embargo_open(loop, desk->commands, &desk->options, &desk->clock);
		desk->inbox = inbox_open(loop, place, desk, desk->commands, &desk->options);
	}
	if (desk->commands == NULL || desk->ear == NULL || desk->embargo == NULL ||
	    desk->inbox == NULL) {
		desk_close(desk);
		return NULL;
	}
	return desk;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct desk *desk = handle->data;

	if (--desk->timers == 0)
		free(desk);
}

/* Of a PUBLISH that nobody else has, Redis was not asked: it is gone. */
static bool is_lost(const struct job *job)
{
	uint64_t handed_over_ns = job->desk->handed_over_ns;

	return job->raw && job->state == JOB_WAITING &&
	       (handed_over_ns == 0 || job->since_ns < handed_over_ns);
}

void desk_close(struct desk *desk)
{
	if (desk == NULL)
		return;
	desk->closing = true;
	link_close(desk->ear);
	link_close(desk->commands);
	embargo_close(desk->embargo);
	inbox_close(desk->inbox);
	replicas_close(&desk->replicas);
	while (desk->jobs) {
		if (is_lost(desk->jobs))
			lose(desk->jobs->sent_to, strlen(desk->jobs->sent_to), desk->jobs->len,
			     "the worker ends");
		finish_plain(desk->jobs, DESK_AWAY);
	}
	wake_waiters(desk);
	uv_close((uv_handle_t *)&desk->retry, on_timer_closed);
	uv_close((uv_handle_t *)&desk->patrol, on_timer_closed);
	uv_close((uv_handle_t *)&desk->newcomer, on_timer_closed);
}
