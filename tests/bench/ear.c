/* ear.c - hears a channel of Redis: see ear.h. */
#include "ear.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

static redisContext *redis;

static void die(const char *what)
{
	fprintf(stderr, "nw-ear: %s: %s\n", what, strerror(errno));
	exit(1);
}

int ear_open(const char *redis_path, const char *channel)
{
	redisReply *reply;

	redis = redisConnectUnix(redis_path);
	if (redis == NULL || redis->err != 0)
		die("connecting to Redis");
	reply = redisCommand(redis, "%s %s",
			     strchr(channel, '*') != NULL ? "PSUBSCRIBE" : "SUBSCRIBE", channel);
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		die("SUBSCRIBE");
	freeReplyObject(reply);
	fcntl(redis->fd, F_SETFL, fcntl(redis->fd, F_GETFL) | O_NONBLOCK);
	redis->flags &= ~REDIS_BLOCK; /* EAGAIN then reads as no bytes */
	return redis->fd;
}

/* A message is {"message", channel, text} or {"pmessage", pattern, channel, text}. */
static void take(const redisReply *reply, ear_message *message)
{
	redisReply **last;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 3 ||
	    strstr(reply->element[0]->str, "message") == NULL)
		return;
	last = &reply->element[reply->elements - 1];
	message(last[-1]->str, last[0]->str, last[0]->len);
}

void ear_hear(ear_message *message)
{
	redisReply *reply;
	size_t had;

	do {
		had = redis->reader->len;
		if (redisBufferRead(redis) != REDIS_OK)
			exit(0); /* the bench ended Redis */
		while (redisGetReplyFromReader(redis, (void **)&reply) == REDIS_OK &&
		       reply != NULL) {
			take(reply, message);
			freeReplyObject(reply);
			had = SIZE_MAX;
		}
	} while (redis->reader->len != had);
}
