/* publish.c - the newsroom's side of the bench: publishes marked messages at a fixed rate.
 *
 *   nw-publish --redis PATH --channel NAME --shape item|frame --bytes N
 *              --first NUMBER --count N --rate PER_SECOND
 *
 * Open loop: message i leaves at start + i / rate, whatever became of those before it. It does not
 * wait for Redis' replies, and asks for real-time priority, so that the readers' process on the
 * same core cannot delay it (it goes on without when that is not allowed).
 *
 * A message of shape `item` is a ninjs 3.1 item for newswired, one of shape `frame` is plain text
 * for nw-floor; both are exactly N bytes, or as many as the item needs at least. Each carries one
 * mark (marks.h). Prints {"published":…,"unheard":…,"late_us":…} when Redis has answered all:
 * `unheard` reached no subscriber, `late_us` is how late the latest left.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "marks.h"

#define SECOND_NS     INT64_C(1000000000)
#define MESSAGE_MAX   (64 << 10)
#define REPLY_WAIT_MS 10000

static struct {
	const char *redis_path;
	const char *channel;
	bool item;
	unsigned bytes, first, count;
	double rate;
} options = {.bytes = 512, .count = 1, .rate = 10};

static redisContext *redis;
static unsigned answered;
static unsigned unheard;
static char text[MESSAGE_MAX + 1];

static void fail(const char *what)
{
	fprintf(stderr, "nw-publish: %s: %s\n", what,
		redis != NULL && redis->err != 0 ? redis->errstr : strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND_NS + t.tv_nsec;
}

static void sleep_until(int64_t ns)
{
	struct timespec t = {.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* Writes the message into text[]; returns its length. The uri differs from run to run, or an older
 * run's item would be the same story. */
static size_t compose(unsigned number, int64_t sent_ns)
{
	static const char words[] = "The quick brown fox jumps over the lazy dog and goes on. ";
	char mark[MARK_BYTES + 1];
	const char *end = options.item ? "\"}]}" : "";
	size_t used;

	snprintf(mark, sizeof mark, MARK_FORMAT, (long long)sent_ns, number);
	if (options.item)
		used = (size_t)snprintf(text, sizeof text,
					"{\"uri\":\"urn:bench:%07d:%07u\",\"version\":\"1\","
					"\"type\":\"text\",\"urgency\":4,"
					"\"headlines\":[{\"value\":\"%s ",
					(int)getpid(), number, mark);
	else
		used = (size_t)snprintf(text, sizeof text, "%s ", mark);
	for (size_t i = 0; used + strlen(end) < options.bytes; i++)
		text[used++] = words[i % (sizeof words - 1)];
	memcpy(text + used, end, strlen(end) + 1);
	return used + strlen(end);
}

static void hear_replies(void)
{
	redisReply *reply;

	if (redisBufferRead(redis) != REDIS_OK)
		fail("hearing Redis");
	while (redisGetReplyFromReader(redis, (void **)&reply) == REDIS_OK && reply != NULL) {
		if (reply->type != REDIS_REPLY_INTEGER) {
			fprintf(stderr, "nw-publish: Redis: %s\n", reply->str);
			exit(1);
		}
		answered++;
		unheard += reply->integer == 0;
		freeReplyObject(reply);
	}
}

static void publish(unsigned number)
{
	size_t n = compose(number, now_ns());
	int done = 0;

	if (redisAppendCommand(redis, "PUBLISH %s %b", options.channel, text, n) != REDIS_OK)
		fail("writing to Redis");
	while (!done) {
		if (redisBufferWrite(redis, &done) != REDIS_OK)
			fail("writing to Redis");
		if (!done)
			poll(&(struct pollfd){.fd = redis->fd, .events = POLLOUT}, 1, -1);
	}
	hear_replies();
}

static void wait_for_replies(void)
{
	while (answered < options.count) {
		struct pollfd p = {.fd = redis->fd, .events = POLLIN};

		if (poll(&p, 1, REPLY_WAIT_MS) <= 0)
			fail("Redis does not answer");
		hear_replies();
	}
}

static void open_redis(void)
{
	redis = redisConnectUnix(options.redis_path);
	if (redis == NULL || redis->err != 0)
		fail("connecting to Redis");
	fcntl(redis->fd, F_SETFL, fcntl(redis->fd, F_GETFL) | O_NONBLOCK);
	redis->flags &= ~REDIS_BLOCK; /* EAGAIN then reads as no bytes */
}

static void usage(void)
{
	fprintf(stderr, "usage: nw-publish --redis PATH --channel NAME --shape item|frame\n"
			"                  --bytes N --first NUMBER --count N --rate PER_SECOND\n");
	exit(2);
}

static void read_options(int argc, char **argv)
{
	static const struct option table[] = {
		{"redis", required_argument, NULL, 'r'}, {"channel", required_argument, NULL, 'c'},
		{"shape", required_argument, NULL, 's'}, {"bytes", required_argument, NULL, 'b'},
		{"first", required_argument, NULL, 'f'}, {"count", required_argument, NULL, 'n'},
		{"rate", required_argument, NULL, 'p'},	 {0},
	};

	for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
		switch (c) {
		case 'r':
			options.redis_path = optarg;
			break;
		case 'c':
			options.channel = optarg;
			break;
		case 's':
			options.item = strcmp(optarg, "item") == 0;
			break;
		case 'b':
			options.bytes = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'f':
			options.first = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			options.count = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'p':
			options.rate = strtod(optarg, NULL);
			break;
		default:
			usage();
		}
	}
	if (options.redis_path == NULL || options.channel == NULL || options.rate <= 0 ||
	    options.bytes > MESSAGE_MAX)
		usage();
}

int main(int argc, char **argv)
{
	int64_t start;
	int64_t latest = 0;

	read_options(argc, argv);
	open_redis();
	sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
	start = now_ns();
	for (unsigned i = 0; i < options.count; i++) {
		int64_t due = start + (int64_t)(i * (double)SECOND_NS / options.rate);
		int64_t late;

		sleep_until(due);
		late = now_ns() - due;
		latest = late > latest ? late : latest;
		publish(options.first + i);
	}
	wait_for_replies();
	printf("{\"published\":%u,\"unheard\":%u,\"late_us\":%lld}\n", answered, unheard,
	       (long long)latest / 1000);
	return 0;
}
