/* replicas.c - has Redis' replicas confirm what was decided. */
#include "desk/replicas.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"

void replicas_init(struct replicas *r, struct link *link, unsigned wanted)
{
	*r = (struct replicas){.link = link, .wanted = wanted};
}

/* Whoever is told may ask anew: that is not about this answer. */
static void tell(struct replicas *r, enum replicas_answer answer)
{
	struct replicas_wait *waits = r->waits, *wait;

	r->waits = NULL;
	while ((wait = waits) != NULL) {
		DL_DELETE(waits, wait);
		wait->cb(answer, wait->arg);
	}
}

/* Said when it changes. */
static void set_trouble(struct replicas *r, const char *trouble, const char *remedy)
{
	if (strcmp(r->trouble, trouble) == 0)
		return;
	snprintf(r->trouble, sizeof r->trouble, "%s", trouble);
	if (*trouble)
		log_error("replicas_missing", LOG_S("why", trouble),
			  LOG_S("means", "publishers get 503 `replicas`: what they send is on the "
					 "master, and a failover may lose it"),
			  LOG_S("remedy", remedy));
	else
		log_info("replicas_confirm", LOG_I("replicas", r->wanted));
}

static enum replicas_answer hear_count(struct replicas *r, long long count)
{
	char trouble[sizeof r->trouble];

	if (count >= r->wanted) {
		set_trouble(r, "", "");
		return REPLICAS_HAVE_IT;
	}
	snprintf(trouble, sizeof trouble,
		 "only %lld of the %u replicas that --replicas asks for confirm what Redis' master "
		 "has",
		 count, r->wanted);
	set_trouble(r, trouble, "look at the replicas (INFO replication on the master)");
	return REPLICAS_TOO_FEW;
}

/* A master that became a replica meanwhile says so, too: the next script will show it. */
static enum replicas_answer hear_error(struct replicas *r, const char *error)
{
	if (strncmp(error, "NOPERM", 6) != 0 && strstr(error, "unknown command") == NULL)
		return REPLICAS_UNASKED;
	set_trouble(r, "Redis does not let this user ask its replicas (WAIT)",
		    "allow this Redis user +wait, or say --replicas 0");
	return REPLICAS_TOO_FEW;
}

static void on_wait(redisReply *reply, void *arg)
{
	struct replicas *r = arg;
	enum replicas_answer answer = REPLICAS_LOST;

	r->asking = false;
	if (reply && reply->type == REDIS_REPLY_INTEGER)
		answer = hear_count(r, reply->integer);
	else if (reply)
		answer = hear_error(r, reply->type == REDIS_REPLY_ERROR ? reply->str : "");
	if (answer == REPLICAS_HAVE_IT)
		counters_observe(HISTOGRAM_REPLICAS, (clock_mono_ns() - r->asked_ns) / 1000);
	tell(r, answer);
}

static void ask(struct replicas *r)
{
	int ms = r->trouble[0] ? REPLICAS_AGAIN_MS : REPLICAS_WAIT_MS;

	if (r->asking)
		return;
	r->asked_ns = clock_mono_ns();
	r->asking = link_commandf(r->link, on_wait, r, "WAIT %u %d", r->wanted, ms) == 0;
}

void replicas_confirm(struct replicas *r, struct replicas_wait *wait)
{
	DL_APPEND(r->waits, wait);
	ask(r);
	if (!r->asking)
		tell(r, REPLICAS_UNASKED);
}

void replicas_second(struct replicas *r)
{
	if (r->trouble[0])
		ask(r);
}

void replicas_explain(const struct replicas *r, char *to, size_t size)
{
	snprintf(to, size,
		 "it is decided, and may be seen already, but %s: a failover may lose it. Send it "
		 "again, the same bytes with the same "
		 "Idempotency-Key, until it is confirmed: nothing is doubled",
		 r->trouble);
}

void replicas_close(struct replicas *r)
{
	tell(r, REPLICAS_LOST);
}
