/* sentinel.c - asks Redis' Sentinels where the master is. */
#include "wire/sentinel.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "wire/link.h"

enum {
	HOST_MAX = 256,
	FRESH_MS = 5000,  /* an answer that is older counts no more */
	DOUBT_MS = 60000, /* so long an older epoch is not believed after a newer one */
};

/* A master's address, as somebody names it. */
struct named {
	char host[HOST_MAX]; /* "": not known */
	int port;
	long long epoch;
};

struct peer {
	struct sentinel *sentinel;
	struct link *link;
	struct named heard; /* the address, before its epoch has come */
	struct named named;
	uint64_t told_ms; /* when it named that; 0: never */
	bool asked;
	bool unknown; /* it was logged that it does not know the master */
};

struct sentinel {
	struct sentinel *next; /* of all */
	uv_loop_t *loop;
	struct redis_place place;
	struct peer peers[REDIS_SENTINELS_MAX];
	struct named master;
	uint64_t confirmed_ms; /* when it was named last */
	uv_timer_t timer;
	struct sentinel_ear *ears;
};

static struct sentinel *all;

/* --- who is believed ------------------------------------------------------------------------ */

static bool is_same(const struct named *a, const struct named *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* The answer with the highest epoch, of those that are fresh; NULL: there is none. */
static const struct named *best_answer(const struct sentinel *s, uint64_t now)
{
	const struct named *best = NULL;

	for (unsigned i = 0; i < s->place.sentinel_count; i++) {
		const struct peer *p = &s->peers[i];

		if (p->told_ms != 0 && now - p->told_ms < FRESH_MS &&
		    (best == NULL || p->named.epoch > best->epoch))
			best = &p->named;
	}
	return best;
}

static void tell(struct sentinel *s)
{
	struct sentinel_ear *ear, *next;

	log_info("redis_master", LOG_S("name", s->place.master), LOG_S("host", s->master.host),
		 LOG_I("port", s->master.port), LOG_I("epoch", s->master.epoch));
	DL_FOREACH_SAFE (s->ears, ear, next)
		ear->moved(ear->arg);
}

static void judge(struct sentinel *s)
{
	uint64_t now = clock_mono_ms();
	const struct named *best = best_answer(s, now);
	bool was_known = s->master.host[0] != '\0';

	if (best == NULL || (best->epoch < s->master.epoch && now - s->confirmed_ms < DOUBT_MS))
		return;
	s->confirmed_ms = now;
	if (is_same(best, &s->master)) {
		s->master.epoch = best->epoch;
		return;
	}
	s->master = *best;
	if (was_known)
		COUNT(REDIS_FAILOVERS);
	tell(s);
}

/* --- asking --------------------------------------------------------------------------------- */

/* The value beside a name in a flat list; NULL if it is not there. */
static const char *value_of(const redisReply *list, const char *name)
{
	for (size_t i = 0; i + 1 < list->elements; i += 2)
		if (list->element[i]->str && list->element[i + 1]->str &&
		    strcmp(list->element[i]->str, name) == 0)
			return list->element[i + 1]->str;
	return NULL;
}

static void complain(struct peer *p, const char *why)
{
	if (p->unknown)
		return;
	p->unknown = true;
	log_error("redis_master_unknown", LOG_S("name", p->sentinel->place.master),
		  LOG_S("error", why),
		  LOG_S("remedy", "the name in --redis is that of `sentinel monitor NAME …` in the "
				  "Sentinels' configuration"));
}

static bool is_address(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[0]->str &&
	       reply->element[1]->str && reply->element[0]->len < HOST_MAX;
}

/* SENTINEL GET-MASTER-ADDR-BY-NAME was answered; what it says counts when the epoch has come, too. */
static void on_address(redisReply *reply, void *arg)
{
	struct peer *p = arg;

	p->heard.host[0] = '\0';
	if (reply == NULL || !is_address(reply))
		return;
	snprintf(p->heard.host, sizeof p->heard.host, "%s", reply->element[0]->str);
	p->heard.port = (int)strtol(reply->element[1]->str, NULL, 10);
}

/* SENTINEL MASTER was. */
static void on_epoch(redisReply *reply, void *arg)
{
	struct peer *p = arg;
	const char *epoch;

	p->asked = false;
	if (reply == NULL)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		complain(p, reply->str);
		return;
	}
	epoch = reply->type == REDIS_REPLY_ARRAY ? value_of(reply, "config-epoch") : NULL;
	if (epoch == NULL || p->heard.host[0] == '\0')
		return;
	p->named = p->heard;
	p->named.epoch = strtoll(epoch, NULL, 10);
	p->told_ms = clock_mono_ms();
	p->unknown = false;
	judge(p->sentinel);
}

static void ask(struct peer *p)
{
	const char *name = p->sentinel->place.master;

	if (p->asked || link_state(p->link) != LINK_READY ||
	    link_commandf(p->link, on_address, p, "SENTINEL GET-MASTER-ADDR-BY-NAME %s", name) ==
		    -1)
		return;
	p->asked = link_commandf(p->link, on_epoch, p, "SENTINEL MASTER %s", name) == 0;
}

static void on_timer(uv_timer_t *timer)
{
	struct sentinel *s = timer->data;

	for (unsigned i = 0; i < s->place.sentinel_count; i++)
		ask(&s->peers[i]);
}

static void on_ready(void *arg)
{
	ask(arg);
}

/* --- opening and closing -------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	struct sentinel *s = handle->data;

	redis_place_free(&s->place);
	free(s);
}

static void close_sentinel(struct sentinel *s)
{
	LL_DELETE(all, s);
	for (unsigned i = 0; i < s->place.sentinel_count; i++)
		link_close(s->peers[i].link);
	uv_close((uv_handle_t *)&s->timer, on_closed);
}

static int open_peers(struct sentinel *s)
{
	static const struct link_events events = {on_ready, NULL, NULL};

	for (unsigned i = 0; i < s->place.sentinel_count; i++) {
		struct peer *p = &s->peers[i];
		struct redis_place place = {.host = s->place.sentinels[i].host,
					    .port = s->place.sentinels[i].port,
					    .user = s->place.sentinel_user,
					    .password = s->place.sentinel_password};

		p->sentinel = s;
		if ((p->link = link_open(s->loop, &place, "sentinel", &events, p)) == NULL)
			return -1;
	}
	return 0;
}

static struct sentinel *open_sentinel(uv_loop_t *loop, const struct redis_place *place)
{
	struct sentinel *s = calloc(1, sizeof *s);

	if (s == NULL || redis_place_copy(&s->place, place) == -1) {
		free(s);
		return NULL;
	}
	s->loop = loop;
	uv_timer_init(loop, &s->timer);
	s->timer.data = s;
	uv_timer_start(&s->timer, on_timer, SENTINEL_ASK_MS, SENTINEL_ASK_MS);
	LL_PREPEND(all, s);
	if (open_peers(s) == 0)
		return s;
	close_sentinel(s);
	return NULL;
}

static struct sentinel *find(const uv_loop_t *loop, const struct redis_place *place)
{
	struct sentinel *s;

	LL_FOREACH (all, s)
		if (s->loop == loop && strcmp(s->place.master, place->master) == 0)
			return s;
	return NULL;
}

struct sentinel *sentinel_join(uv_loop_t *loop, const struct redis_place *place,
			       struct sentinel_ear *ear)
{
	struct sentinel *s = find(loop, place);

	if (s == NULL && (s = open_sentinel(loop, place)) == NULL)
		return NULL;
	DL_APPEND(s->ears, ear);
	return s;
}

void sentinel_leave(struct sentinel *s, struct sentinel_ear *ear)
{
	DL_DELETE(s->ears, ear);
	if (s->ears == NULL)
		close_sentinel(s);
}

const char *sentinel_master(const struct sentinel *s, int *port)
{
	*port = s->master.port;
	return s->master.host[0] ? s->master.host : NULL;
}
