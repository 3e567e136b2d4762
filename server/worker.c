/* worker.c - the floors on one loop: wire -> audiences -> readers -> the door, and the desk beside them. */
#include "worker.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "centrifuge/session.h"
#include "desk/desk.h"
#include "desk/inbox.h"
#include "http/door.h"
#include "http/who.h"
#include "line/line.h"
#include "memory.h"
#include "options.h"
#include "reader/canary.h"
#include "reader/reader.h"
#include "sse/events.h"
#include "wire/wire.h"
#include "ws/stream.h"
#include "ws/tool.h"

enum { COUNT_FILES_SECONDS = 15, DRAIN_STEP_MS = 20, RETRY_MIN_MS = 100, RETRY_REPLACED_MS = 500 };

struct worker {
	const struct worker_setup *setup;
	uv_loop_t loop;
	struct redis_place place;
	struct keyring *keyring;
	struct who *who;
	struct wire *wire;
	struct desk *desk;
	struct readers *readers;
	struct tools *tools;
	struct lines *lines;
	struct door *door;
	struct canary *canary;
	uv_prepare_t
		turn_ends; /* runs before the loop sleeps: closings that were asked for are performed */
	uv_idle_t more; /* runs while there is more to offer, so that the loop does not sleep */
	uv_timer_t second;
	uint64_t second_due_us; /* clock_mono_ns() / 1000 */
	uv_timer_t drain;
	uv_signal_t term, replaced;
	bool told_ready;
	bool has_news; /* the wire brought posts in this turn */
	bool draining;
	size_t drain_share;	 /* readers per step */
	uint32_t drain_retry_ms; /* what they are asked to wait at most before they come back */
	uint64_t drain_began_ms; /* clock_mono_ms() */
};

/* --- the wire's events ------------------------------------------------------------------------ */

static void on_post(void *arg, struct post *post)
{
	struct worker *w = arg;

	readers_post(w->readers, post);
}

static void on_tick(void *arg)
{
	struct worker *w = arg;

	w->has_news = true;
}

static void on_epoch(void *arg)
{
	struct worker *w = arg;

	readers_epoch(w->readers);
}

static void on_confirmed(void *arg, struct wire_id head)
{
	struct worker *w = arg;

	readers_confirmed(w->readers, head);
}

static void on_canary(void *arg, struct post *post)
{
	struct worker *w = arg;

	canary_heard(w->canary, post);
	readers_canary(w->readers, post);
}

static void on_withdrawn(void *arg, const struct post *withdrawal)
{
	struct worker *w = arg;

	readers_withdrawn(w->readers, withdrawal);
}

static const struct wire_events wire_events = {on_post,	     on_epoch,	on_tick,
					       on_confirmed, on_canary, on_withdrawn};

/* --- the loop's events ------------------------------------------------------------------------ */

/* A successor takes nobody from the one that it replaces before it can do all that that one can. */
static bool can_serve(const struct worker *w)
{
	return wire_has_epoch(w->wire) && (!w->setup->successor || desk_is_connected(w->desk));
}

/* The supervisor is told once that readers can be served. */
static void tell_ready(struct worker *w)
{
	if (w->told_ready || !can_serve(w))
		return;
	w->told_ready = true;
	if (w->setup->successor && !w->draining)
		door_listen(w->door);
	counters_beat();
	(void)!write(w->setup->ready_fd, "r", 1);
	close(w->setup->ready_fd);
	log_info("worker_ready", LOG_I("worker", w->setup->index));
}

static void on_more(uv_idle_t *handle)
{
	(void)handle;
}

/* Some readers are offered what came; between two such slices the loop reads and writes whatever it can. So a
 * long fan-out delays no decision, no answer, and not even the next post. Where that can wait, so does this process: Redis may
 * share its core, and the next post goes through Redis some times. */
static void offer_news(struct worker *w)
{
	if (!readers_go_on(w->readers)) {
		uv_idle_stop(&w->more);
	} else {
		uv_idle_start(&w->more, on_more);
		if (readers_can_wait(w->readers))
			(void)sched_yield();
	}
	wire_settle(w->wire, readers_owed(w->readers));
}

/* Everything that was readable has been read, the desk's items are on their way to Redis: now
 * the news goes out. Whatever a turn brought is one write for each reader. */
static void on_turn_ends(uv_prepare_t *handle)
{
	struct worker *w = handle->data;

	tell_ready(w);
	if (w->has_news || uv_is_active((uv_handle_t *)&w->more))
		offer_news(w);
	w->has_news = false;
	wire_turn_ends(w->wire);
	readers_reap(w->readers);
	tools_reap(w->tools);
}

/* The memory that this process has: the second number of the kernel's line, in pages. */
static void count_memory(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	char line[128];

	if (file == NULL)
		return;
	if (fgets(line, sizeof line, file) != NULL) {
		uint64_t pages = strtoull(line + strcspn(line, " "), NULL, 10);

		GAUGE_SET(RESIDENT_BYTES, pages * (uint64_t)sysconf(_SC_PAGESIZE));
	}
	fclose(file);
}

/* How many entries the directory has. */
static uint64_t count_entries(const char *path)
{
	DIR *directory = opendir(path);
	uint64_t count = 0;

	while (directory != NULL && readdir(directory) != NULL)
		count++;
	if (directory != NULL)
		closedir(directory);
	return count;
}

/* How many descriptors are open: the size of their directory, since Linux 6.2. Before, they are counted, which takes
 * milliseconds with many readers, and so not each second. */
static void count_files(void)
{
	static unsigned seconds;
	struct stat files;
	struct rlimit most;

	if (stat("/proc/self/fd", &files) == 0 && files.st_size > 0)
		GAUGE_SET(OPEN_FILES, files.st_size);
	else if (seconds++ % COUNT_FILES_SECONDS == 0)
		GAUGE_SET(OPEN_FILES, count_entries("/proc/self/fd"));
	if (getrlimit(RLIMIT_NOFILE, &most) == 0)
		GAUGE_SET(OPEN_FILES_LIMIT, most.rlim_cur);
}

static void observe_lag(struct worker *w)
{
	uint64_t now_us = clock_mono_ns() / 1000;

	OBSERVE_US(LOOP_LAG, now_us > w->second_due_us ? now_us - w->second_due_us : 0);
	w->second_due_us = now_us + 1000000;
}

static void on_second(uv_timer_t *timer)
{
	struct worker *w = timer->data;

	observe_lag(w);
	counters_beat();
	log_tick();
	count_memory();
	count_files();
	keyring_second(w->keyring);
	who_second(w->who);
	door_second(w->door);
	lines_second(w->lines);
	tools_second(w->tools);
	if (wire_has_epoch(w->wire))
		readers_second(w->readers);
}

/* What was handed in has its answer, or is on the wire; readers and tools have closed, or had their time for it. So did whoever connected and has
 * asked for nothing yet, which may be on its way. */
static bool is_drained(const struct worker *w)
{
	uint64_t time_ms = w->setup->options->drain_time_ms;
	uint64_t passed_ms = clock_mono_ms() - w->drain_began_ms;

	if (door_requests(w->door) + tools_in_flight(w->tools) > 0 ||
	    desk_owes(w->desk, w->drain_began_ms * 1000000))
		return passed_ms >= time_ms + WORKER_ANSWERS_MS;
	if (passed_ms >= time_ms)
		return true;
	return readers_count(w->readers) == 0 && tools_count(w->tools) == 0 &&
	       lines_parting(w->lines) == 0 &&
	       (door_silent(w->door) == 0 || passed_ms >= time_ms / 2);
}

static void on_drain_step(uv_timer_t *timer)
{
	struct worker *w = timer->data;

	tools_drain(w->tools, RETRY_MIN_MS, w->drain_retry_ms);
	if (readers_drain(w->readers, w->drain_share, RETRY_MIN_MS, w->drain_retry_ms) > 0 ||
	    !is_drained(w))
		return;
	uv_timer_stop(timer);
	uv_stop(&w->loop);
}

/* The first SIGTERM drains: bye with a spread retry_ms, closes over --drain-time. The second
 * ends it at once. After SIGUSR1 others serve on this socket already, so nobody has to wait for long. */
static void on_term(uv_signal_t *handle, int signum)
{
	struct worker *w = handle->data;
	size_t steps = w->setup->options->drain_time_ms / 2 / DRAIN_STEP_MS + 1;

	if (w->draining) {
		uv_stop(&w->loop);
		return;
	}
	w->draining = true;
	log_info("worker_drains", LOG_I("readers", readers_count(w->readers)));
	door_stop_listening(w->door);
	canary_stop(w->canary);
	desk_leave_inbox(w->desk);
	if (signum == SIGUSR1)
		desk_hand_over(w->desk);
	w->drain_share = readers_count(w->readers) / steps + 1;
	w->drain_began_ms = clock_mono_ms();
	w->drain_retry_ms =
		signum == SIGUSR1
			? RETRY_REPLACED_MS
			: RETRY_MIN_MS + (uint32_t)w->setup->options->drain_time_ms + 1000;
	uv_timer_start(&w->drain, on_drain_step, 0, DRAIN_STEP_MS);
}

/* --- opening and closing ---------------------------------------------------------------------- */

/* The door counts what is open. */
static void on_freed(void *arg)
{
	struct worker *w = arg;

	door_socket_freed(w->door);
}

/* A socket of the server's own is like one that was accepted. */
static int enter(void *arg, int fd)
{
	struct worker *w = arg;

	return door_enter(w->door, fd);
}

static int open_floors(struct worker *w)
{
	const struct options *o = w->setup->options;
	struct wire_options wire = {.prefix = o->prefix,
				    .backlog_bytes = o->backlog,
				    .retention_ms = o->retention_ms,
				    .max_entries = o->wire_max,
				    .vacate_ms = o->vacate_after_ms};
	struct desk_options desk = {.prefix = o->prefix,
				    .max_item = o->max_item,
				    .retention_ms = o->retention_ms,
				    .archive_ms = o->archive_ms,
				    .max_embargo_ms = o->max_embargo_ms,
				    .clock_patience_ms = o->clock_patience_ms,
				    .feed_max = (unsigned)o->feed_max,
				    .raw_rights = w->setup->raw_rights,
				    .inbox_pause_ms = INBOX_PAUSE_MS,
				    .joins = w->setup->joins};
	struct readers_options readers = {.tick_ms = o->tick_ms,
					  .retention_ms = o->retention_ms,
					  .lag_bytes = o->lag_bytes,
					  .lag_time_ms = o->lag_time_ms,
					  .names_max = memory_names(o),
					  .shows_readers = o->show_readers == SHOW_EVERYBODY,
					  .lines = {[FORMAT_WEBSOCKET] = stream_line(),
						    [FORMAT_WEBSOCKET_ALONE] = stream_line(),
						    [FORMAT_WEBSOCKET_LIKE] = stream_line(),
						    [FORMAT_WEBSOCKET_BRIEF] = stream_line(),
						    [FORMAT_WEBSOCKET_ALONE_BRIEF] = stream_line(),
						    [FORMAT_WEBSOCKET_LIKE_BRIEF] = stream_line(),
						    [FORMAT_EVENT] = events_line(),
						    [FORMAT_EVENT_BRIEF] = events_line(),
						    [FORMAT_EVENT_GZIP] = events_line(),
						    [FORMAT_EVENT_GZIP_BRIEF] = events_line(),
						    [FORMAT_CENTRIFUGE] = session_line()}};
	char error[256];

	if (*o->tls_cert && w->setup->certificate == NULL) {
		log_error("worker_failed", LOG_S("why", "the certificate could not be read"));
		return -1;
	}
	if (redis_place_read(&w->place, w->setup->redis, error, sizeof error) != 0) {
		log_error("worker_failed", LOG_S("why", error));
		return -1;
	}
	if ((w->keyring = keyring_open(w->setup->keys)) == NULL ||
	    (w->who = who_open(w->keyring, w->setup->publish_key, o->publish_rate)) == NULL)
		return -1;
	desk.keyring = w->keyring;
	desk.replicas = w->place.master ? (unsigned)o->replicas : 0;
	if ((w->wire = wire_open(&w->loop, &w->place, &wire, &wire_events, w)) == NULL ||
	    (w->readers = readers_new(w->wire, &readers)) == NULL ||
	    (w->tools = tools_new(o->tick_ms, o->sndbuf)) == NULL ||
	    (w->lines = lines_new(&w->loop, on_freed, w)) == NULL ||
	    (w->desk = desk_open(&w->loop, &w->place, &desk)) == NULL ||
	    (w->canary = canary_open(&w->loop, w->wire, o->canary_ms, enter, w)) == NULL)
		return -1;
	lines_limit(w->lines, o->lag_memory);
	struct session_options session = {.sndbuf = o->sndbuf,
					  .tick_ms = o->tick_ms,
					  .shows_readers = o->show_readers == SHOW_EVERYBODY,
					  .wire = w->wire};
	struct door_setup door = {
		.loop = &w->loop,
		.listen_fd = w->setup->listen_fd,
		.wire = w->wire,
		.desk = w->desk,
		.readers = w->readers,
		.lines = w->lines,
		.answers_bytes = o->answer_memory,
		.stream = stream_door(o->sndbuf, o->compression == COMPRESSION_ON),
		.tool = tools_door(w->tools),
		.centrifuge = session_door(&session),
		.events = events_door(o->sndbuf, o->compression == COMPRESSION_ON),
		.who = w->who,
		.canary = w->canary,
		.pages = w->setup->pages,
		.page_count = w->setup->page_count,
		.max_item = o->max_item,
		.max_batch = o->max_batch,
		.max_readers = o->max_readers,
		.shows_readers = o->show_readers == SHOW_EVERYBODY,
		.has_newsroom = o->newsroom == NEWSROOM_ON,
		.user_timeout_ms = (unsigned)o->user_timeout_ms,
		.public_url = o->public_url,
		.cors_origin = o->cors_origin,
		.certificate = w->setup->certificate};
	if ((w->door = door_open(&door)) == NULL)
		return -1;
	if (!w->setup->successor)
		door_listen(w->door);
	canary_begin(w->canary);
	return 0;
}

static void start_handles(struct worker *w)
{
	uv_prepare_init(&w->loop, &w->turn_ends);
	uv_idle_init(&w->loop, &w->more);
	uv_timer_init(&w->loop, &w->second);
	uv_timer_init(&w->loop, &w->drain);
	uv_signal_init(&w->loop, &w->term);
	uv_signal_init(&w->loop, &w->replaced);
	w->turn_ends.data = w->second.data = w->drain.data = w->term.data = w->replaced.data = w;
	uv_prepare_start(&w->turn_ends, on_turn_ends);
	uv_timer_start(&w->second, on_second, 1000, 1000);
	GAUGE_SET(WORKERS, 1);
	GAUGE_SET(MEMORY_LIMIT, memory_limit(w->setup->options));
	w->second_due_us = clock_mono_ns() / 1000 + 1000000;
	count_memory();
	count_files();
	uv_signal_start(&w->term, on_term, SIGTERM);
	uv_signal_start(&w->replaced, on_term, SIGUSR1);
}

/* The process ends after this; what the loop still holds goes with it, in order, so that leaks
 * show. */
static void close_floors(struct worker *w)
{
	uv_handle_t *handles[] = {(uv_handle_t *)&w->turn_ends, (uv_handle_t *)&w->more,
				  (uv_handle_t *)&w->second,	(uv_handle_t *)&w->drain,
				  (uv_handle_t *)&w->term,	(uv_handle_t *)&w->replaced};

	canary_close(w->canary);
	if (w->lines != NULL)
		lines_close(w->lines);
	door_close(w->door);
	desk_close(w->desk);
	readers_free(w->readers);
	wire_close(w->wire);
	tools_free(w->tools);
	lines_free(w->lines);
	for (size_t i = 0; i < COUNT_OF(handles); i++)
		if (handles[i]->type != UV_UNKNOWN_HANDLE)
			uv_close(handles[i], NULL);
	uv_run(&w->loop, UV_RUN_NOWAIT);
	uv_run(&w->loop, UV_RUN_NOWAIT);
	door_free(w->door);
	(void)uv_loop_close(&w->loop);
	redis_place_free(&w->place);
	who_close(w->who);
	keyring_close(w->keyring);
}

static void limit_descriptors(const struct options *o)
{
	rlim_t wanted = memory_files(o);
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur <= wanted)
		return;
	r.rlim_cur = wanted;
	(void)setrlimit(RLIMIT_NOFILE, &r);
}

int worker_run(const struct worker_setup *setup)
{
	struct worker w = {.setup = setup};
	int failed;

	signal(SIGPIPE, SIG_IGN);
	limit_descriptors(setup->options);
	if (uv_loop_init(&w.loop) != 0)
		return 1;
	if ((failed = open_floors(&w)) == 0) {
		start_handles(&w);
		uv_run(&w.loop, UV_RUN_DEFAULT);
		log_info("worker_stops", LOG_I("readers", readers_count(w.readers)));
	}
	close_floors(&w);
	return failed == 0 ? 0 : 1;
}
