/* embargo.c - what the clock brings: items come out when their embargo is over. */
#include "desk/embargo.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "desk/scripts.h"
#include "wire/redis_words.h"

struct embargo {
	uv_timer_t timer;
	struct link *link;
	const struct desk_options *options;
	struct redis_clock *clock;
	uint64_t asked_at; /* clock_boot_ms() of the last question */
	bool asking;
	bool handing;	    /* the question on its way hands `rewritten` back */
	char rewrite[80];   /* the token that the rewriting on its way is for */
	char rewritten[80]; /* … that is begun, to be handed back with the next question */
};

static void on_timer(uv_timer_t *timer);

static void sleep_for(struct embargo *e, uint64_t ms)
{
	uv_timer_start(&e->timer, on_timer, ms, 0);
}

/* The rewriting of the append-only file
 * ----------------------------------------------------------------------------- */

static bool says(const redisReply *reply, const char *words)
{
	return strstr(reply->str, words) != NULL;
}

/* One that runs already began before the kill: the script will ask for another when its minute
 * is over. */
static void on_rewriting(redisReply *reply, void *arg)
{
	struct embargo *e = arg;

	if (reply == NULL)
		return;
	if (reply->type == REDIS_REPLY_ERROR && !says(reply, "NOPERM") &&
	    !says(reply, "unknown command"))
		return;
	if (reply->type == REDIS_REPLY_ERROR)
		log_warn("rewrite_forbidden", LOG_S("error", reply->str),
			 LOG_S("remedy", "run BGREWRITEAOF yourself after a kill: its text is "
					 "still in Redis' file"));
	memcpy(e->rewritten, e->rewrite, sizeof e->rewritten);
}

static void start_rewriting(struct embargo *e, const char *token)
{
	snprintf(e->rewrite, sizeof e->rewrite, "%s", token);
	if (link_commandf(e->link, on_rewriting, e, "BGREWRITEAOF") == 0)
		log_info("rewriting",
			 LOG_S("why", "a kill took text that is still in Redis' append-only file"));
}

/* Releases
 * ---------------------------------------------------------------------------------------------------------- */

enum { RELEASED, DUE, REWRITE, PROBLEM, NOW, ANSWERS }; /* as release.lua says */

static bool is_answer(const redisReply *reply)
{
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != ANSWERS)
		return false;
	for (size_t i = 0; i < ANSWERS; i++)
		if (reply->element[i]->type != REDIS_REPLY_STRING)
			return false;
	return true;
}

/* How long from now: `due` counts from the question. */
static uint64_t rest_until(const struct embargo *e, const char *due)
{
	uint64_t gone = clock_boot_ms() - e->asked_at, wait = strtoull(due, NULL, 10);

	if (*due == '\0' || wait > EMBARGO_TICK_MS)
		return EMBARGO_TICK_MS;
	return wait > gone ? wait - gone : 0;
}

/* Returns how long to sleep. A jump of the clock is told to the other workers at once. */
static uint64_t hear_release(struct embargo *e, const redisReply *reply)
{
	long long released = strtoll(reply->element[RELEASED]->str, NULL, 10);

	if (released > 0) {
		COUNT_ADD(RELEASED, released);
		log_info("embargo_over", LOG_I("items", released));
	}
	if (*reply->element[PROBLEM]->str)
		log_error("release_blocked", LOG_S("error", reply->element[PROBLEM]->str));
	if (*reply->element[REWRITE]->str)
		start_rewriting(e, reply->element[REWRITE]->str);
	if (redis_clock_hear(e->clock, e->asked_at, strtoll(reply->element[NOW]->str, NULL, 10)))
		return 0;
	return rest_until(e, reply->element[DUE]->str);
}

static void on_release(redisReply *reply, void *arg)
{
	struct embargo *e = arg;
	uint64_t rest = EMBARGO_TICK_MS;

	e->asking = false;
	if (is_answer(reply)) {
		if (e->handing)
			e->rewritten[0] = '\0';
		rest = hear_release(e, reply);
	} else if (reply && reply->type == REDIS_REPLY_ERROR) {
		if (redis_words_passes(reply->str))
			redis_words_tell(redis_words(reply->str), reply->str);
		else
			log_error("release_failed", LOG_S("error", reply->str));
	}
	sleep_for(e, rest);
}

static void ask(struct embargo *e)
{
	if (e->asking)
		return;
	e->handing = e->rewritten[0] != '\0';
	e->asked_at = clock_boot_ms();
	if (scripts_release(e->link, e->options, e->clock, e->rewritten, on_release, e) == 0)
		e->asking = true;
	else
		sleep_for(e, EMBARGO_TICK_MS);
}

static void on_timer(uv_timer_t *timer)
{
	ask(timer->data);
}

void embargo_wake(struct embargo *e)
{
	ask(e);
}

void embargo_expect(struct embargo *e, uint64_t ms)
{
	if (!e->asking && uv_is_active((uv_handle_t *)&e->timer) &&
	    uv_timer_get_due_in(&e->timer) > ms)
		sleep_for(e, ms);
}

struct embargo *embargo_open(uv_loop_t *loop, struct link *link, const struct desk_options *options,
			     struct redis_clock *clock)
{
	struct embargo *e = calloc(1, sizeof *e);

	if (e == NULL)
		return NULL;
	e->link = link;
	e->options = options;
	e->clock = clock;
	uv_timer_init(loop, &e->timer);
	e->timer.data = e;
	return e;
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void embargo_close(struct embargo *e)
{
	if (e)
		uv_close((uv_handle_t *)&e->timer, on_timer_closed);
}
