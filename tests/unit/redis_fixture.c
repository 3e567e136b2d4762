/* redis_fixture.c - starts, hurts and stops a private Redis. */
#include "cmocka_all.h"
#include "redis_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGS_MAX = 40, START_TRIES = 1000 };

struct redis_fixture {
	char dir[64];
	char address[96]; /* "unix:" + path */
	const char *const *more;
	pid_t pid; /* 0: not running */
	redisContext *redis;
	char *answer;
};

static const char *socket_path(const struct redis_fixture *f)
{
	return f->address + strlen("unix:");
}

static void disconnect(struct redis_fixture *f)
{
	if (f->redis)
		redisFree(f->redis);
	f->redis = NULL;
}

static void run_server(const struct redis_fixture *f)
{
	const char *args[ARGS_MAX] = {"redis-server", "--port",		  "0",	 "--unixsocket",
				      socket_path(f), "--unixsocketperm", "700", "--dir",
				      f->dir,	      "--appendonly",	  "yes", "--appendfsync",
				      "always",	      "--save",		  "",	 "--loglevel",
				      "warning",      "--databases",	  "4"};
	size_t count = 19;
	int null = open("/dev/null", O_RDWR);

	for (const char *const *arg = f->more; arg && *arg && count < ARGS_MAX - 1; arg++)
		args[count++] = *arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	execvp(args[0], (char *const *)args);
	_exit(127);
}

static void pause_a_moment(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

static bool answers(struct redis_fixture *f)
{
	redisReply *reply;
	bool ok;

	if ((f->redis = redisConnectUnix(socket_path(f))) == NULL || f->redis->err) {
		disconnect(f);
		return false;
	}
	reply = redisCommand(f->redis, "PING");
	ok = reply && reply->type == REDIS_REPLY_STATUS;
	freeReplyObject(reply);
	if (!ok)
		disconnect(f);
	return ok;
}

static void start(struct redis_fixture *f)
{
	int tries = 0;

	unlink(socket_path(f));
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (f->pid == 0)
		run_server(f);
	while (!answers(f)) {
		int status;

		if (++tries == START_TRIES || waitpid(f->pid, &status, WNOHANG) == f->pid)
			fail_msg("redis-server does not start");
		pause_a_moment();
	}
}

struct redis_fixture *redis_fixture_start_with(const char *const *more)
{
	struct redis_fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	snprintf(f->dir, sizeof f->dir, "/tmp/newswire-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->address, sizeof f->address, "unix:%s/redis.sock", f->dir);
	f->more = more;
	start(f);
	return f;
}

struct redis_fixture *redis_fixture_start(void)
{
	return redis_fixture_start_with(NULL);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

void redis_fixture_kill(struct redis_fixture *f)
{
	disconnect(f);
	if (f->pid == 0)
		return;
	kill(f->pid, SIGKILL);
	while (waitpid(f->pid, NULL, 0) == -1 && errno == EINTR)
		;
	f->pid = 0;
}

void redis_fixture_restart(struct redis_fixture *f)
{
	redis_fixture_kill(f);
	start(f);
}

void redis_fixture_forget_data(struct redis_fixture *f)
{
	char path[96];

	assert_int_equal(f->pid, 0);
	snprintf(path, sizeof path, "%s/appendonlydir", f->dir);
	nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void redis_fixture_freeze(struct redis_fixture *f)
{
	kill(f->pid, SIGSTOP);
}

void redis_fixture_thaw(struct redis_fixture *f)
{
	kill(f->pid, SIGCONT);
}

void redis_fixture_stop(struct redis_fixture *f)
{
	if (f == NULL)
		return;
	redis_fixture_kill(f);
	nftw(f->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(f->answer);
	free(f);
}

const char *redis_fixture_address(const struct redis_fixture *f)
{
	return f->address;
}

static void write_answer(FILE *out, const redisReply *reply)
{
	switch (reply->type) {
	case REDIS_REPLY_INTEGER:
		fprintf(out, "%lld", reply->integer);
		break;
	case REDIS_REPLY_STRING:
	case REDIS_REPLY_STATUS:
		fwrite(reply->str, 1, reply->len, out);
		break;
	case REDIS_REPLY_ARRAY:
		for (size_t i = 0; i < reply->elements; i++) {
			if (i > 0)
				fputc('\n', out);
			write_answer(out, reply->element[i]);
		}
		break;
	default:
		break;
	}
}

static const char *take_answer(struct redis_fixture *f, redisReply *reply)
{
	size_t len;
	FILE *out;

	if (reply == NULL) {
		fail_msg("Redis: %s", f->redis->errstr);
		return "";
	}
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("Redis: %s", reply->str);
	free(f->answer);
	f->answer = NULL;
	out = open_memstream(&f->answer, &len);
	assert_non_null(out);
	write_answer(out, reply);
	fclose(out);
	freeReplyObject(reply);
	return f->answer;
}

const char *redis_fixture_do(struct redis_fixture *f, const char *format, ...)
{
	redisReply *reply;
	va_list args;

	va_start(args, format);
	reply = redisvCommand(f->redis, format, args);
	va_end(args);
	return take_answer(f, reply);
}

const char *redis_fixture_eval(struct redis_fixture *f, const char *script, int argc,
			       const char *const *argv)
{
	const char *words[ARGS_MAX] = {"EVAL", script, "0"};

	assert_true(argc <= ARGS_MAX - 3);
	for (int i = 0; i < argc; i++)
		words[i + 3] = argv[i];
	return take_answer(f, redisCommandArgv(f->redis, argc + 3, words, NULL));
}

static void set_flag(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

static void ignore_timer(uv_timer_t *timer)
{
	(void)timer;
}

/* Other handles are still open, so the loop turns until both closings are done. */
static void close_timer(uv_loop_t *loop, uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
}

void redis_fixture_run_until(uv_loop_t *loop, bool (*condition)(void *arg), void *arg,
			     unsigned limit_ms)
{
	uv_timer_t limit, pulse; /* the pulse lets the loop turn while nothing happens */
	bool late = false, holds;

	uv_timer_init(loop, &limit);
	uv_timer_init(loop, &pulse);
	limit.data = &late;
	uv_timer_start(&limit, set_flag, limit_ms, 0);
	uv_timer_start(&pulse, ignore_timer, 5, 5);
	while (!(holds = condition(arg)) && !late)
		uv_run(loop, UV_RUN_ONCE);
	close_timer(loop, &limit);
	close_timer(loop, &pulse);
	if (!holds)
		fail_msg("still not so after %u ms", limit_ms);
}

static void is_open(uv_handle_t *handle, void *arg)
{
	if (!uv_is_closing(handle))
		++*(int *)arg;
}

void redis_fixture_close_loop(uv_loop_t *loop)
{
	int open = 0;

	uv_walk(loop, is_open, &open);
	assert_int_equal(open, 0);
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}
