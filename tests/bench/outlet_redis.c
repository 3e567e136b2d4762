/* outlet_redis.c - messages go into Redis, as a newsroom's do: see outlet.h. */
#include "outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

static redisContext *redis;

static void fail(const char *what)
{
	fprintf(stderr, "nw-publish: %s: %s\n", what,
		redis != NULL && redis->err != 0 ? redis->errstr : strerror(errno));
	exit(1);
}

static int open_redis(const char *path)
{
	redis = redisConnectUnix(path);
	if (redis == NULL || redis->err != 0)
		fail("connecting to Redis");
	fcntl(redis->fd, F_SETFL, fcntl(redis->fd, F_GETFL) | O_NONBLOCK);
	redis->flags &= ~REDIS_BLOCK; /* EAGAIN then reads as no bytes */
	return redis->fd;
}

static void publish_redis(const char *channel, const char *text, size_t n)
{
	int done = 0;

	if (redisAppendCommand(redis, "PUBLISH %s %b", channel, text, n) != REDIS_OK)
		fail("writing to Redis");
	while (!done) {
		if (redisBufferWrite(redis, &done) != REDIS_OK)
			fail("writing to Redis");
		if (!done)
			poll(&(struct pollfd){.fd = redis->fd, .events = POLLOUT}, 1, -1);
	}
	outlet_count.published++;
}

static void hear_redis(void)
{
	redisReply *reply;

	if (redisBufferRead(redis) != REDIS_OK)
		fail("hearing Redis");
	while (redisGetReplyFromReader(redis, (void **)&reply) == REDIS_OK && reply != NULL) {
		if (reply->type != REDIS_REPLY_INTEGER) {
			fprintf(stderr, "nw-publish: Redis: %s\n", reply->str);
			exit(1);
		}
		outlet_count.answered++;
		outlet_count.unheard += reply->integer == 0;
		freeReplyObject(reply);
	}
}

static void finish_redis(void)
{
}

const struct outlet outlet_redis = {"redis", open_redis, publish_redis, finish_redis, hear_redis};
