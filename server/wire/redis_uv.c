/* redis_uv.c - polls, drains and lets go of one hiredis connection. */
#include "wire/redis_uv.h"

#include <hiredis/async.h>
#include <stdlib.h>
#include <sys/ioctl.h>

/* Always true: redis == NULL <=> the handle is closing. */
struct redis_uv {
	uv_poll_t poll;
	redisAsyncContext *redis;
	const struct redis_uv_events *events;
	void *arg;
	bool reading, writing; /* what hiredis wants */
	bool paused;	       /* what our user wants */
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void poll_for_what_is_wanted(struct redis_uv *u)
{
	int events = (u->reading && !u->paused ? UV_READABLE : 0) | (u->writing ? UV_WRITABLE : 0);

	if (u->redis == NULL)
		return;
	if (events) /* neither fails on an open handle */
		uv_poll_start(&u->poll, events, on_poll);
	else
		uv_poll_stop(&u->poll);
}

static bool has_more(const redisAsyncContext *redis)
{
	int waiting = 0;

	return ioctl(redis->c.fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

/* Any of these calls into hiredis may free the context: u->redis is then NULL. */
static void drain(struct redis_uv *u)
{
	int reads = 0;

	do
		redisAsyncHandleRead(u->redis);
	while (++reads < REDIS_UV_READS && u->redis && !u->paused && has_more(u->redis));
	u->events->batch(u->arg);
}

/* libuv saw an error on the socket and stopped polling; hiredis finds out which one. */
static void fail(struct redis_uv *u)
{
	redisAsyncHandleRead(u->redis);
	if (u->redis)
		redisAsyncHandleWrite(u->redis);
	if (u->redis)
		redisAsyncFree(u->redis);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct redis_uv *u = poll->data;

	if (status < 0) {
		fail(u);
		return;
	}
	if ((events & UV_WRITABLE) && u->redis)
		redisAsyncHandleWrite(u->redis);
	if ((events & UV_READABLE) && u->redis && !u->paused)
		drain(u);
}

static void add_read(void *data)
{
	struct redis_uv *u = data;

	if (!u->reading) {
		u->reading = true;
		poll_for_what_is_wanted(u);
	}
}

static void del_read(void *data)
{
	struct redis_uv *u = data;

	u->reading = false;
	poll_for_what_is_wanted(u);
}

static void add_write(void *data)
{
	struct redis_uv *u = data;

	if (!u->writing) {
		u->writing = true;
		poll_for_what_is_wanted(u);
	}
}

static void del_write(void *data)
{
	struct redis_uv *u = data;

	if (u->writing) {
		u->writing = false;
		poll_for_what_is_wanted(u);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct redis_uv *u = handle->data;

	u->events->closed(u->arg);
	free(u);
}

static void clean_up(void *data)
{
	struct redis_uv *u = data;

	u->redis = NULL;
	uv_close((uv_handle_t *)&u->poll, on_closed); /* before hiredis closes the descriptor */
	u->events->gone(u->arg);
}

struct redis_uv *redis_uv_attach(uv_loop_t *loop, redisAsyncContext *redis,
				 const struct redis_uv_events *events, void *arg)
{
	struct redis_uv *u = calloc(1, sizeof *u);

	if (u == NULL || uv_poll_init(loop, &u->poll, redis->c.fd) != 0) {
		free(u);
		return NULL;
	}
	u->poll.data = u;
	u->redis = redis;
	u->events = events;
	u->arg = arg;
	redis->ev.data = u;
	redis->ev.addRead = add_read;
	redis->ev.delRead = del_read;
	redis->ev.addWrite = add_write;
	redis->ev.delWrite = del_write;
	redis->ev.cleanup = clean_up;
	add_write(u); /* the first writable event is the connection's */
	return u;
}

void redis_uv_pause(struct redis_uv *u, bool paused)
{
	if (u->paused == paused)
		return;
	u->paused = paused;
	poll_for_what_is_wanted(u);
}
