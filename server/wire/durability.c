/* durability.c - asks a Redis what it does with its append-only file. */
#include "wire/durability.h"

#include <hiredis/hiredis.h>
#include <string.h>
#include "base/log.h"
#include "wire/redis_words.h"

static void found(struct durability *d, const char *level)
{
	bool is_news = strcmp(d->level, level) != 0;

	d->level = level;
	if (!is_news)
		return;
	if (strcmp(level, "fsync") == 0)
		log_info("redis_durability", LOG_S("level", level));
	else
		log_warn("redis_durability", LOG_S("level", level),
			 LOG_S("means",
			       "news that was accepted may be lost when Redis' machine goes down"),
			 LOG_S("remedy",
			       "redis-cli CONFIG SET appendonly yes; CONFIG SET appendfsync "
			       "always; CONFIG REWRITE"));
}

static void on_info(redisReply *reply, void *arg)
{
	struct durability *d = arg;

	if (reply == NULL)
		return;
	if (reply->type == REDIS_REPLY_STRING && strstr(reply->str, "\naof_enabled:0"))
		found(d, "memory");
	else
		found(d, "unknown");
}

/* The value beside a name in a flat list; "" if it is not there. */
static const char *value_of(const redisReply *list, const char *name)
{
	for (size_t i = 0; i + 1 < list->elements; i += 2)
		if (list->element[i]->str && list->element[i + 1]->str &&
		    strcmp(list->element[i]->str, name) == 0)
			return list->element[i + 1]->str;
	return "";
}

/* It is asked again. What is not allowed is said, too, but does not pass by itself. */
static bool is_busy(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR && redis_words_passes(reply->str) &&
	       strncmp(reply->str, "NOPERM", 6) != 0;
}

static void on_config(redisReply *reply, void *arg)
{
	struct durability *d = arg;
	const char *fsync;

	if (reply == NULL || is_busy(reply))
		return;
	if (reply->type != REDIS_REPLY_ARRAY || *value_of(reply, "appendonly") == '\0') {
		d->forbidden = true;
		if (link_commandf(d->link, on_info, d, "INFO persistence") == -1)
			found(d, "unknown");
		return;
	}
	fsync = value_of(reply, "appendfsync");
	if (strcmp(value_of(reply, "appendonly"), "yes") != 0)
		found(d, "memory");
	else if (strcmp(fsync, "always") == 0)
		found(d, "fsync");
	else
		found(d, strcmp(fsync, "everysec") == 0 ? "second" : "memory");
}

/* A Redis that is a cache to somebody else: what expires, as most of ours does, or everything goes when memory is short. */
static void on_policy(redisReply *reply, void *arg)
{
	struct durability *d = arg;
	const char *policy;
	bool evicts;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		return;
	policy = value_of(reply, "maxmemory-policy");
	evicts = strcmp(value_of(reply, "maxmemory"), "0") != 0 && *policy &&
		 strcmp(policy, "noeviction") != 0;
	if (evicts && !d->evicts)
		log_error(
			"redis_evicts", LOG_S("policy", policy),
			LOG_S("means",
			      "this Redis throws news away when its memory is full: nothing "
			      "that is accepted is safe"),
			LOG_S("remedy",
			      "redis-cli CONFIG SET maxmemory-policy noeviction; CONFIG REWRITE"));
	else if (d->evicts && !evicts)
		log_info("redis_evicts_no_more", LOG_S("policy", policy));
	d->evicts = evicts;
}

/* 0, or -1: nothing was asked. */
static int ask(struct durability *d)
{
	if (d->forbidden)
		return link_commandf(d->link, on_info, d, "INFO persistence");
	(void)!link_commandf(d->link, on_policy, d, "CONFIG GET maxmemory*");
	return link_commandf(d->link, on_config, d, "CONFIG GET append*");
}

void durability_ask_again(struct durability *d)
{
	if (d->link)
		(void)!ask(d); /* what it was is the best guess */
}

const char *durability_level(const struct durability *d, bool replicated)
{
	if (d->evicts) /* and so do its replicas */
		return "memory";
	return replicated ? "replicated" : d->level;
}

/* A master that was cut off from its replicas, or has been replaced and does not know it yet. */
static void on_min_replicas(redisReply *reply, void *arg)
{
	(void)arg;
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY ||
	    strcmp(value_of(reply, "min-replicas-to-write"), "0") != 0)
		return;
	log_warn("redis_min_replicas",
		 LOG_S("means", "a master that has lost its replicas goes on taking items, which a "
				"failover then loses"),
		 LOG_S("remedy", "redis-cli CONFIG SET min-replicas-to-write 1; CONFIG SET "
				 "min-replicas-max-lag 3; CONFIG REWRITE; on every one of them"));
}

void durability_ask(struct durability *d, struct link *link)
{
	d->link = link;
	d->forbidden = false;
	if (d->level == NULL)
		d->level = "unknown";
	if (ask(d) == -1)
		d->level = "unknown";
	if (d->has_replicas)
		(void)!link_commandf(link, on_min_replicas, d, "CONFIG GET min-replicas-to-write");
}
