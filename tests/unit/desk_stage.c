/* desk_stage.c - a real Redis for the desk's tests, and what they ask it. */
#include "cmocka_all.h"
#include "desk_stage.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct stage stage;
static redisReply *last;

static void become_redis(void)
{
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, 0);
	dup2(null, 1);
	execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", stage.socket, "--dir",
	       stage.dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
	       "--rdbcompression", "no", "--logfile", "/dev/null", "--enable-debug-command",
	       "local", (char *)NULL);
	_exit(127);
}

/* Is it there, and has it read its file? */
static bool is_up(void)
{
	redisReply *reply;
	bool up;

	if (stage.link)
		redisFree(stage.link);
	stage.link = redisConnectUnix(stage.socket);
	if (stage.link == NULL || stage.link->err)
		return false;
	reply = redisCommand(stage.link, "PING");
	up = reply && reply->type == REDIS_REPLY_STATUS;
	if (reply)
		freeReplyObject(reply);
	return up;
}

void stage_start_redis(void)
{
	const struct timespec pause = {0, 5000000};

	stage.redis = fork();
	assert_true(stage.redis >= 0);
	if (stage.redis == 0)
		become_redis();
	for (int tries = 0; !is_up(); tries++) {
		assert_true(tries < 2000);
		assert_int_equal(waitpid(stage.redis, NULL, WNOHANG), 0);
		nanosleep(&pause, NULL);
	}
}

void stage_kill_redis(void)
{
	kill(stage.redis, SIGKILL);
	waitpid(stage.redis, NULL, 0);
	stage.redis = 0;
}

int stage_open(void **state)
{
	(void)state;
	strcpy(stage.dir, "/tmp/newswire-desk-XXXXXX");
	if (mkdtemp(stage.dir) == NULL)
		return -1;
	snprintf(stage.socket, sizeof stage.socket, "%s/redis.sock", stage.dir);
	snprintf(stage.place, sizeof stage.place, "unix:%s", stage.socket);
	stage_start_redis();
	return 0;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
	(void)about, (void)kind, (void)where;
	return remove(path);
}

int stage_close(void **state)
{
	(void)state;
	if (last)
		freeReplyObject(last);
	if (stage.link)
		redisFree(stage.link);
	if (stage.redis)
		stage_kill_redis();
	return nftw(stage.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int stage_clear(void **state)
{
	(void)state;
	stage_ask("FLUSHALL");
	return 0;
}

static redisReply *vask(const char *format, va_list args)
{
	if (last)
		freeReplyObject(last);
	last = redisvCommand(stage.link, format, args);
	assert_non_null(last);
	return last;
}

redisReply *stage_ask(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vask(format, args);
	va_end(args);
	return last;
}

const char *stage_text(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vask(format, args);
	va_end(args);
	return last->str ? last->str : "";
}

long long stage_number(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vask(format, args);
	va_end(args);
	if (last->type == REDIS_REPLY_INTEGER)
		return last->integer;
	return last->str ? atoll(last->str) : -1;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void dump_key(struct buf *out, const char *name)
{
	redisReply *dump = redisCommand(stage.link, "DUMP %s", name);

	assert_non_null(dump);
	buf_addf(out, "%s\n", name);
	if (dump->type == REDIS_REPLY_STRING)
		buf_add(out, dump->str, dump->len);
	freeReplyObject(dump);
}

void stage_dump(struct buf *out, const char *except)
{
	redisReply *keys = redisCommand(stage.link, "KEYS *");
	char **names;

	assert_non_null(keys);
	names = calloc(keys->elements + 1, sizeof *names);
	assert_non_null(names);
	for (size_t i = 0; i < keys->elements; i++)
		names[i] = keys->element[i]->str;
	qsort(names, keys->elements, sizeof *names, compare_texts);
	buf_clear(out);
	for (size_t i = 0; i < keys->elements; i++)
		if (except == NULL || strncmp(names[i], except, strlen(except)) != 0)
			dump_key(out, names[i]);
	assert_false(out->failed);
	free(names);
	freeReplyObject(keys);
}

bool stage_holds(const char *text, const char *except)
{
	struct buf all = {0};
	bool found;

	stage_dump(&all, except);
	found = all.len && memmem(all.data, all.len, text, strlen(text));
	buf_free(&all);
	return found;
}
