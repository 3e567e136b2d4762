/* purge.c - asks purge.lua, and reads its answer. */
#include "desk/purge.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/counters.h"
#include "base/log.h"
#include "desk/scripts.h"
#include "wire/redis_words.h"

struct ask {
	desk_purge_cb *cb;
	void *arg;
	struct replicas *replicas;
	struct replicas_wait wait;
	struct desk_purged purged; /* what is to be said once replicas have it … */
	char id[48];		   /* … and its id */
	char *owner;
	char uri[];
};

static void free_ask(struct ask *ask)
{
	free(ask->owner);
	free(ask);
}

static void answer(struct ask *ask, const struct desk_purged *purged)
{
	ask->cb(purged, ask->arg);
	free_ask(ask);
}

/* Redis is away, or said why it did nothing. */
static struct desk_purged read_error(const redisReply *reply)
{
	struct desk_purged out = {.result = DESK_PURGE_AWAY, .code = "", .detail = "", .id = ""};

	if (reply == NULL || reply->type != REDIS_REPLY_ERROR)
		return out;
	if (redis_words_passes(reply->str)) {
		redis_words_tell(redis_words(reply->str), reply->str);
		out.detail = redis_words(reply->str)->says;
	} else {
		out.detail = reply->str;
		out.code = "store";
		log_error("purge_failed", LOG_S("error", reply->str));
	}
	return out;
}

static bool is_answer(const redisReply *reply)
{
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 5)
		return false;
	for (size_t i = 0; i < reply->elements; i++)
		if (reply->element[i]->type != REDIS_REPLY_STRING)
			return false;
	return true;
}

/* result, id, versions, feeds, held: see purge.lua. */
static struct desk_purged read_reply(const redisReply *reply)
{
	struct desk_purged out = {.code = "", .detail = ""};

	out.result =
		strcmp(reply->element[0]->str, "purged") == 0 ? DESK_PURGED : DESK_PURGE_MISSING;
	out.id = reply->element[1]->str;
	out.versions = (unsigned)strtoul(reply->element[2]->str, NULL, 10);
	out.feeds = (unsigned)strtoul(reply->element[3]->str, NULL, 10);
	out.held = reply->element[4]->str[0] == '1';
	return out;
}

static void on_confirmed(enum replicas_answer answered, void *arg)
{
	struct ask *ask = arg;
	struct desk_purged out = {.result = DESK_PURGE_AWAY, .code = "", .detail = "", .id = ""};
	char detail[REPLICAS_DETAIL_MAX];

	if (answered == REPLICAS_HAVE_IT) {
		out = ask->purged;
	} else if (answered == REPLICAS_TOO_FEW) {
		COUNT(UNCONFIRMED);
		replicas_explain(ask->replicas, detail, sizeof detail);
		out.code = "replicas";
		out.detail = detail;
	}
	answer(ask, &out);
}

static void confirm(struct ask *ask, const struct desk_purged *purged)
{
	snprintf(ask->id, sizeof ask->id, "%s", purged->id);
	ask->purged = *purged;
	ask->purged.id = ask->id;
	ask->wait = (struct replicas_wait){.cb = on_confirmed, .arg = ask};
	replicas_confirm(ask->replicas, &ask->wait);
}

static void on_purge(redisReply *reply, void *arg)
{
	struct ask *ask = arg;
	struct desk_purged out;

	out = is_answer(reply) ? read_reply(reply) : read_error(reply);
	if (out.result == DESK_PURGED) {
		COUNT(PURGED);
		log_warn("purged", LOG_S("uri", ask->uri), LOG_S("who", ask->owner),
			 LOG_I("versions", out.versions), LOG_I("feeds", out.feeds));
	}
	if (out.result == DESK_PURGED && ask->replicas->wanted > 0)
		confirm(ask, &out);
	else
		answer(ask, &out);
}

int purge_ask(struct link *link, struct replicas *replicas, const struct desk_options *options,
	      const char *uri, const char *owner, desk_purge_cb *cb, void *arg)
{
	struct ask *ask = calloc(1, sizeof *ask + strlen(uri) + 1);

	if (ask == NULL)
		return -1;
	ask->cb = cb;
	ask->arg = arg;
	ask->replicas = replicas;
	memcpy(ask->uri, uri, strlen(uri) + 1);
	if ((ask->owner = strdup(owner)) != NULL &&
	    scripts_purge(link, options, uri, owner, on_purge, ask) == 0)
		return 0;
	free_ask(ask);
	return -1;
}
