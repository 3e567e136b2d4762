/* redis_words.c - what is wrong with a Redis, in words. */
#include "wire/redis_words.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "base/base.h"
#include "base/clock.h"
#include "base/log.h"

#define REPLICA_REMEDY "--redis must name the master, or Sentinels who know it"
#define WAIT_REMEDY    "it passes by itself"

static const struct redis_words rows[] = {
	/* The first is what no other row says. */
	{"", "Redis cannot be reached", "is it up, and does --redis name it?", false},
	{"OOM ", "Redis has no memory left (maxmemory)",
	 "raise its maxmemory, or keep less: --archive, --retention", true},
	{"MISCONF ", "Redis cannot write to its disk, and takes nothing until it can",
	 "make room on its disk and see its log", true},
	{"READONLY ", "this Redis is a replica, and takes nothing", REPLICA_REMEDY, true},
	{"MASTERDOWN ", "this Redis is a replica that has lost its master", REPLICA_REMEDY, true},
	{"NOREPLICAS ",
	 "Redis has fewer replicas than its min-replicas-to-write, and takes nothing",
	 "bring its replicas back (INFO replication)", true},
	{"LOADING ", "Redis has started, and is still reading its file", WAIT_REMEDY, true},
	{"NOPERM ", "Redis does not let the user of --redis do what newswired needs",
	 "give it the rights in docs/redis.md (ACL SETUSER)", true},
	{"ERR The user executing the script can't",
	 "Redis does not let the user of --redis do what newswired needs",
	 "give it the rights in docs/redis.md (ACL SETUSER)", true},
	{"NOAUTH ", "Redis wants a password", "put user and password into --redis", true},
	{"WRONGPASS ", "Redis does not know the user and password of --redis",
	 "set them right in --redis, or in Redis (ACL SETUSER)", true},
	{"ERR AUTH ", "Redis has no password, and --redis has one", "take it out of --redis", true},
	{"ERR DB index ", "Redis has no database of the number in --redis",
	 "take another one, or raise its `databases`", true},
	{"ERR max number of clients", "Redis has as many connections as its maxclients allows",
	 "raise it", true},
	{"BUSY ", "a script keeps Redis busy", "SCRIPT KILL, if it is none of newswired's", true},
	{"UNKILLABLE ", "a script keeps Redis busy", WAIT_REMEDY, true},
	{"CLUSTERDOWN ", "the Redis Cluster is down", "CLUSTER INFO says why", true},
	{"TRYAGAIN ", "the Redis Cluster is moving our keys", WAIT_REMEDY, true},
};
static uint64_t told_ms[COUNT_OF(rows)]; /* 0: not told */

static bool begins(const char *error, const char *code)
{
	return strncmp(error, code, strlen(code)) == 0;
}

/* A script of Redis 6 wraps what a command said: `ERR Error running script (…): @user_script:12: -OOM command not …`. */
static const char *unwrap(const char *error)
{
	const char *inner = begins(error, "ERR Error running script") ? strstr(error, ": -") : NULL;

	return inner ? inner + 3 : error;
}

const struct redis_words *redis_words(const char *error)
{
	const char *inner = unwrap(error);

	for (size_t i = 1; i < COUNT_OF(rows); i++)
		if (begins(inner, rows[i].code))
			return &rows[i];
	return &rows[0];
}

bool redis_words_passes(const char *error)
{
	return redis_words(error)->passes;
}

void redis_words_write(const struct redis_words *words, char *to, size_t size)
{
	snprintf(to, size, "%s (%s)", words->says, words->remedy);
}

void redis_words_tell(const struct redis_words *words, const char *error)
{
	uint64_t now = clock_mono_ms() + 1, *told = &told_ms[words - rows];

	if (*told != 0 && now - *told < REDIS_WORDS_QUIET_MS)
		return;
	*told = now;
	log_error("redis_trouble", LOG_S("what", words->says), LOG_S("remedy", words->remedy),
		  LOG_S("error", error));
}

void redis_words_over(const struct redis_words *words)
{
	told_ms[words - rows] = 0;
	log_info("redis_trouble_over", LOG_S("what", words->says));
}
