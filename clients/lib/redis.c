/* redis.c - the raw ways in: PUBLISH and XADD to a Redis that newswired listens to. */
#include "url.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct newswire_redis {
	redisContext *link;
	char *prefix;
};

static const struct timeval patience = {.tv_sec = 5};

static int __attribute__((format(printf, 3, 4)))
complain(char *problem, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	/* clang-tidy 14 overlooks the va_start. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
	vsnprintf(problem, size, format, args);
	va_end(args);
	problem[strcspn(problem, "\r\n")] = '\0';
	return -1;
}

static int dial(struct newswire_redis *redis, const struct url_redis *url, char *problem,
		size_t size)
{
	redis->link = url->socket[0] ? redisConnectUnixWithTimeout(url->socket, patience)
				     : redisConnectWithTimeout(url->host, url->port, patience);
	if (redis->link == NULL)
		return complain(problem, size, "out of memory");
	if (redis->link->err)
		return complain(problem, size, "%s", redis->link->errstr);
	if (redisSetTimeout(redis->link, patience) != REDIS_OK)
		return complain(problem, size, "cannot set a timeout");
	return 0;
}

/* AUTH with a name is Redis 6's; without one it is the old form. */
static int log_in(struct newswire_redis *redis, const struct url_redis *url, char *problem,
		  size_t size)
{
	redisReply *reply;
	int status = 0;

	if (url->password[0] == '\0')
		return 0;
	reply = url->user[0] ? redisCommand(redis->link, "AUTH %s %s", url->user, url->password)
			     : redisCommand(redis->link, "AUTH %s", url->password);
	if (reply == NULL)
		status = complain(problem, size, "%s", redis->link->errstr);
	else if (reply->type == REDIS_REPLY_ERROR)
		status = complain(problem, size, "%s", reply->str);
	freeReplyObject(reply);
	return status;
}

struct newswire_redis *newswire_redis_open(const char *url, const char *prefix, char *problem,
					   size_t size)
{
	struct newswire_redis *redis;
	struct url_redis where;

	if (url_parse_redis(&where, url) < 0) {
		complain(problem, size, "not redis://[user:password@]host[:port] or unix:PATH");
		errno = EINVAL;
		return NULL;
	}
	if ((redis = calloc(1, sizeof *redis)) == NULL ||
	    (redis->prefix = strdup(prefix ? prefix : NEWSWIRE_REDIS_PREFIX)) == NULL) {
		complain(problem, size, "out of memory");
		newswire_redis_close(redis);
		errno = ENOMEM;
		return NULL;
	}
	if (dial(redis, &where, problem, size) < 0 || log_in(redis, &where, problem, size) < 0) {
		newswire_redis_close(redis);
		errno = EIO;
		return NULL;
	}
	return redis;
}

long long newswire_publish_redis(struct newswire_redis *redis, const char *channel,
				 const char *item, size_t len, char *problem, size_t size)
{
	redisReply *reply;
	long long heard = -1;

	if (!newswire_channel_is_plain(channel))
		return complain(problem, size, "not a channel name: %s", channel);
	reply = redisCommand(redis->link, "PUBLISH %s" NEWSWIRE_REDIS_IN "%s %b", redis->prefix,
			     channel, item, len);
	if (reply == NULL)
		complain(problem, size, "%s", redis->link->errstr);
	else if (reply->type == REDIS_REPLY_INTEGER)
		heard = reply->integer;
	else
		complain(problem, size, "%s",
			 reply->str ? reply->str : "an answer that is no number");
	freeReplyObject(reply);
	return heard;
}

/* `channels` joined by spaces, to be freed; NULL: out of memory. */
static char *join(const char *const *channels)
{
	size_t len = 1;
	char *text, *end;

	for (size_t i = 0; channels[i]; i++)
		len += strlen(channels[i]) + 1;
	if ((text = end = malloc(len)) == NULL)
		return NULL;
	*text = '\0';
	for (size_t i = 0; channels[i]; i++) {
		if (i > 0)
			*end++ = ' ';
		end = stpcpy(end, channels[i]);
	}
	return text;
}

int newswire_queue_redis(struct newswire_redis *redis, const char *const *channels,
			 const char *item, size_t len, char id[NEWSWIRE_ENTRY_SIZE], char *problem,
			 size_t size)
{
	redisReply *reply;
	char *names;
	int status = 0;

	for (size_t i = 0; channels[i]; i++)
		if (!newswire_channel_is_plain(channels[i]))
			return complain(problem, size, "not a channel name: %s", channels[i]);
	if ((names = join(channels)) == NULL)
		return complain(problem, size, "out of memory");
	reply = redisCommand(redis->link, "XADD {%s}" NEWSWIRE_REDIS_INBOX " * channel %s item %b",
			     redis->prefix, names, item, len);
	free(names);
	if (reply == NULL)
		status = complain(problem, size, "%s", redis->link->errstr);
	else if (reply->type == REDIS_REPLY_STRING)
		snprintf(id, NEWSWIRE_ENTRY_SIZE, "%s", reply->str);
	else
		status = complain(problem, size, "%s",
				  reply->str ? reply->str : "an answer that is no id");
	freeReplyObject(reply);
	return status;
}

void newswire_redis_close(struct newswire_redis *redis)
{
	if (redis == NULL)
		return;
	if (redis->link)
		redisFree(redis->link);
	free(redis->prefix);
	free(redis);
}
