/* supervisor.c - one loop of poll(): signals, workers that say they are ready, what Redis logs, and what is due. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/backoff.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "listening.h"
#include "news/keyring.h"
#include "newswire/protocol.h"
#include "options.h"
#include "private_redis.h"
#include "state_dir.h"
#include "supervisor.h"
#include "worker.h"

enum {
	WORKERS_MAX = 64,
	SETTLED_MS = 10000,	/* alive for so long, a worker counts as healthy again */
	PATIENCE_MS = 10000,	/* how long to wait for readiness before saying so */
	DRAIN_GRACE_MS = 1000,	/* beyond --drain-time, before SIGKILL */
	REDIS_GRACE_MS = 20000, /* to flush and end, before SIGKILL */
	NOTABLE_FAILURES = 3,
};

/* One worker's place; its process comes and goes. pid == 0 <=> it is not running. */
struct place {
	pid_t pid;
	int listen_fd;
	int ready_fd; /* -1 once it is ready, or gone */
	bool ready;
	uint64_t started;
	uint64_t due; /* when to start it, while pid == 0 */
	struct backoff backoff;
	unsigned failures; /* in a row, before it was ready */
};

enum phase { OPENING, RUNNING, STOPPING_WORKERS, STOPPING_REDIS };

struct supervisor {
	const struct options *options;
	struct state_dir dir;
	struct private_redis *redis; /* NULL with --redis */
	char redis_address[1100];
	char keys[PATH_MAX]; /* the file of publishers' keys */
	struct counters_page *pages;
	struct place places[WORKERS_MAX];
	unsigned count;
	uint16_t port;
	char url[96];
	int signals; /* signalfd */
	enum phase phase;
	uint64_t
		impatient; /* OPENING: when to say what is waited for; stopping: when to use SIGKILL */
	int code;
};

static const char *const phase_names[] = {"opening", "running", "stopping_workers",
					  "stopping_redis"};

static void set_phase(struct supervisor *s, enum phase phase)
{
	log_debug("supervisor_phase", LOG_S("from", phase_names[s->phase]),
		  LOG_S("to", phase_names[phase]));
	s->phase = phase;
}

/* --- workers ---------------------------------------------------------------------------------- */

/* Whoever reaches the private Redis has this user's files anyway. */
static unsigned raw_rights(const struct supervisor *s)
{
	unsigned rights = s->redis ? RIGHTS_EVERYTHING : RIGHTS_OUTSIDE;

	if (*s->options->raw_publish)
		MUST(rights_read(s->options->raw_publish, &rights) ==
		     0); /* options.c has read it */
	return rights;
}

/* In the child: keeps what is its own, and becomes the worker. */
static _Noreturn void become_worker(struct supervisor *s, unsigned index, pid_t parent,
				    int ready_fd)
{
	struct worker_setup setup = {
		.options = s->options,
		.index = index,
		.listen_fd = s->places[index].listen_fd,
		.ready_fd = ready_fd,
		.redis = s->redis_address,
		.keys = s->keys,
		.raw_rights = raw_rights(s),
		.publish_key = s->dir.publish_key,
		.pages = s->pages,
		.page_count = 1 + s->count,
	};
	char name[32];
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	setpgid(0, 0); /* Ctrl-C is for the supervisor only */
	for (unsigned i = 0; i < s->count; i++) {
		if (s->places[i].ready_fd >= 0)
			close(s->places[i].ready_fd);
		if (i != index)
			close(s->places[i].listen_fd);
	}
	if (s->redis && private_redis_log_fd(s->redis) >= 0)
		close(private_redis_log_fd(s->redis));
	close(s->signals);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(name, sizeof name, "worker-%u", index);
	log_name_process(name);
	counters_use(counters_page_at(s->pages, 1 + index));
	_exit(worker_run(&setup));
}

static void schedule(struct place *place)
{
	uint64_t wait = backoff_next(&place->backoff);

	/* The first time at once: its readers are on their way back. */
	place->due = clock_mono_ms() + (place->backoff.tries == 1 ? 0 : wait);
}

static int launch_worker(struct supervisor *s, unsigned index)
{
	struct place *place = &s->places[index];
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	if ((place->pid = fork()) == 0) {
		close(ends[0]);
		become_worker(s, index, parent, ends[1]);
	}
	close(ends[1]);
	if (place->pid < 0) {
		place->pid = 0;
		close(ends[0]);
		return -1;
	}
	place->ready_fd = ends[0];
	return 0;
}

static void start_worker(struct supervisor *s, unsigned index)
{
	struct place *place = &s->places[index];

	place->started = clock_mono_ms();
	place->ready = false;
	if (launch_worker(s, index) < 0) {
		log_error("worker_not_started", LOG_I("worker", index),
			  LOG_S("reason", strerror(errno)));
		schedule(place);
		return;
	}
	log_debug("worker_started", LOG_I("worker", index), LOG_I("pid", place->pid));
}

static void forget_ready_fd(struct place *place)
{
	if (place->ready_fd >= 0)
		close(place->ready_fd);
	place->ready_fd = -1;
}

/* The worker wrote its byte, or ended without. */
static void hear_worker(struct place *place)
{
	char byte;

	if (read(place->ready_fd, &byte, 1) == 1) {
		place->ready = true;
		place->failures = 0;
	}
	forget_ready_fd(place);
}

static void tell_of_death(const struct supervisor *s, const struct place *place, pid_t pid,
			  int status)
{
	bool killed = WIFSIGNALED(status);

	COUNT(WORKERS_DIED);
	log_error(
		"worker_died", LOG_I("worker", place - s->places), LOG_I("pid", pid),
		LOG_I(killed ? "signal" : "code", killed ? WTERMSIG(status) : WEXITSTATUS(status)),
		LOG_I("ran_ms", clock_mono_ms() - place->started),
		LOG_I("again_in_ms", place->due - clock_mono_ms()));
	if (place->failures >= NOTABLE_FAILURES)
		log_error("worker_cannot_start", LOG_I("worker", place - s->places),
			  LOG_I("times", place->failures),
			  LOG_S("remedy", "the lines of this worker above say why"));
}

static void worker_ended(struct supervisor *s, struct place *place, int status)
{
	pid_t pid = place->pid;

	if (place->ready_fd >= 0)
		hear_worker(place); /* it may have been ready and died before that was read */
	place->pid = 0;
	if (s->phase >= STOPPING_WORKERS)
		return;
	if (!place->ready)
		place->failures++;
	else if (clock_mono_ms() - place->started >= SETTLED_MS)
		backoff_reset(&place->backoff);
	schedule(place);
	tell_of_death(s, place, pid, status);
}

static bool all_ready(const struct supervisor *s)
{
	for (unsigned i = 0; i < s->count; i++)
		if (!s->places[i].ready)
			return false;
	return true;
}

static bool any_worker(const struct supervisor *s)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->places[i].pid)
			return true;
	return false;
}

static void signal_workers(const struct supervisor *s, int signum)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->places[i].pid)
			kill(s->places[i].pid, signum);
}

/* --- being ready ------------------------------------------------------------------------------ */

/* For the person at the terminal; the log has its own line. */
static void greet(const struct supervisor *s)
{
	printf("newswire is running: %s/\n", s->url);
	if (s->redis)
		printf("publish: redis-cli -s '%s' PUBLISH %s:in:world \"$(cat item.json)\"\n",
		       s->redis_address + strlen("unix:"), s->options->prefix);
	else
		printf("publish: PUBLISH %s:in:world in the Redis of --redis\n",
		       s->options->prefix);
	printf("     or: newswire publish item.json\n");
	fflush(stdout);
}

static void become_ready(struct supervisor *s)
{
	set_phase(s, RUNNING);
	if (state_dir_announce(&s->dir, s->url, s->port, s->redis_address) < 0)
		log_warn("not_announced", LOG_S("dir", s->dir.path),
			 LOG_S("reason", strerror(errno)),
			 LOG_S("remedy",
			       "tools cannot find this server until there is room on the disk"));
	log_info("ready", LOG_S("url", s->url), LOG_I("pid", getpid()), LOG_I("workers", s->count));
	greet(s);
}

static void say_what_is_waited_for(struct supervisor *s)
{
	unsigned ready = 0;

	for (unsigned i = 0; i < s->count; i++)
		ready += s->places[i].ready;
	s->impatient = clock_mono_ms() + PATIENCE_MS;
	if (s->redis && !private_redis_is_up(s->redis))
		log_warn("not_ready", LOG_S("waiting_for", "the private redis-server"));
	else
		log_warn("not_ready", LOG_S("waiting_for", "workers to reach Redis"),
			 LOG_I("workers_ready", ready), LOG_I("workers", s->count));
}

/* --- stopping --------------------------------------------------------------------------------- */

static void stop(struct supervisor *s)
{
	if (s->phase >= STOPPING_WORKERS) {
		signal_workers(s,
			       SIGTERM); /* asked twice: their second SIGTERM ends them at once */
		return;
	}
	log_info("stopping", LOG_S("first", "workers say goodbye to their readers"));
	state_dir_withdraw(&s->dir);
	s->impatient = clock_mono_ms() + s->options->drain_time_ms + DRAIN_GRACE_MS;
	set_phase(s, STOPPING_WORKERS);
	signal_workers(s, SIGTERM);
}

static void stop_redis(struct supervisor *s)
{
	s->impatient = clock_mono_ms() + REDIS_GRACE_MS;
	set_phase(s, STOPPING_REDIS);
	if (s->redis)
		private_redis_stop(s->redis, SIGTERM);
}

static void lose_patience(struct supervisor *s)
{
	s->impatient = UINT64_MAX;
	if (s->phase == STOPPING_WORKERS) {
		log_warn("workers_killed", LOG_S("reason", "they took longer than --drain-time"));
		signal_workers(s, SIGKILL);
	} else if (s->phase == STOPPING_REDIS) {
		log_warn("redis_killed",
			 LOG_S("reason", "it did not end; what it had accepted is on the disk"));
		private_redis_stop(s->redis, SIGKILL);
	}
}

/* --- the loop --------------------------------------------------------------------------------- */

static void bury(struct supervisor *s)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (s->redis && private_redis_ended(s->redis, pid, status))
			continue;
		for (unsigned i = 0; i < s->count; i++)
			if (s->places[i].pid == pid)
				worker_ended(s, &s->places[i], status);
	}
}

static void hear_signals(struct supervisor *s)
{
	struct signalfd_siginfo heard;

	while (read(s->signals, &heard, sizeof heard) == (ssize_t)sizeof heard) {
		switch (heard.ssi_signo) {
		case SIGCHLD:
			break; /* bury() looks at every turn */
		case SIGHUP:
			log_warn("signal_ignored", LOG_S("signal", "SIGHUP"),
				 LOG_S("remedy",
				       "to apply a changed configuration, restart newswired"));
			break;
		default:
			stop(s);
		}
	}
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Starts what may start now. Returns when to look again. */
static uint64_t start_what_is_due(struct supervisor *s)
{
	uint64_t next = UINT64_MAX, now;

	if (s->phase >= STOPPING_WORKERS)
		return next;
	if (s->redis) {
		next = private_redis_step(s->redis);
		if (s->phase == OPENING && !private_redis_is_up(s->redis) && !any_worker(s))
			return next; /* workers begin when Redis answers, and stay when it goes */
	}
	now = clock_mono_ms();
	for (unsigned i = 0; i < s->count; i++) {
		if (s->places[i].pid == 0 && now >= s->places[i].due)
			start_worker(s, i);
		if (s->places[i].pid == 0)
			next = sooner(next, s->places[i].due);
	}
	return next;
}

/* Moves on where a phase is done. Returns false when all is over. */
static bool advance(struct supervisor *s)
{
	if (s->phase == OPENING && all_ready(s))
		become_ready(s);
	if (s->phase == OPENING && s->redis && private_redis_is_hopeless(s->redis)) {
		log_error(
			"cannot_start",
			LOG_S("reason",
			      "redis-server ends as soon as it starts; last_word above says why"));
		s->code = 1;
		stop(s);
	}
	if (s->phase == STOPPING_WORKERS && !any_worker(s))
		stop_redis(s);
	if (s->phase == STOPPING_REDIS && (s->redis == NULL || private_redis_is_gone(s->redis)))
		return false;
	if (clock_mono_ms() >= s->impatient && s->phase == OPENING)
		say_what_is_waited_for(s);
	else if (clock_mono_ms() >= s->impatient && s->phase >= STOPPING_WORKERS)
		lose_patience(s);
	return true;
}

/* Sleeps until something happens or `next`, and hears what did. */
static void wait_for_events(struct supervisor *s, uint64_t next)
{
	struct pollfd polled[2 + WORKERS_MAX];
	uint64_t now = clock_mono_ms();
	int timeout = next == UINT64_MAX   ? -1
		      : next <= now	   ? 0
		      : next - now > 60000 ? 60000
					   : (int)(next - now);

	polled[0] = (struct pollfd){.fd = s->signals, .events = POLLIN};
	polled[1] = (struct pollfd){.fd = s->redis ? private_redis_log_fd(s->redis) : -1,
				    .events = POLLIN};
	for (unsigned i = 0; i < s->count; i++)
		polled[2 + i] = (struct pollfd){.fd = s->places[i].ready_fd, .events = POLLIN};
	if (poll(polled, 2 + s->count, timeout) <= 0)
		return;
	if (polled[1].revents)
		private_redis_relay(s->redis);
	for (unsigned i = 0; i < s->count; i++)
		if (polled[2 + i].revents)
			hear_worker(&s->places[i]);
	if (polled[0].revents)
		hear_signals(s);
}

static void loop(struct supervisor *s)
{
	s->impatient = clock_mono_ms() + PATIENCE_MS;
	do {
		uint64_t next = start_what_is_due(s);

		if (s->phase != RUNNING)
			next = sooner(next, s->impatient);
		wait_for_events(s, next);
		bury(s);
	} while (advance(s));
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Each reader is an open file. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int open_signals(struct supervisor *s)
{
	sigset_t heard;

	sigemptyset(&heard);
	sigaddset(&heard, SIGCHLD);
	sigaddset(&heard, SIGTERM);
	sigaddset(&heard, SIGINT);
	sigaddset(&heard, SIGHUP);
	sigprocmask(SIG_BLOCK, &heard, NULL);
	signal(SIGPIPE, SIG_IGN);
	return s->signals = signalfd(-1, &heard, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int open_redis(struct supervisor *s, char *error, size_t size)
{
	if (*s->options->redis) {
		snprintf(s->redis_address, sizeof s->redis_address, "%s", s->options->redis);
		return 0;
	}
	if (state_dir_redis(&s->dir, s->redis_address, sizeof s->redis_address, error, size) < 0)
		return -1;
	s->redis = private_redis_new(s->dir.path, s->redis_address + strlen("unix:"),
				     s->dir.lock_fd, error, size);
	return s->redis ? 0 : -1;
}

/* Told at the start, while somebody is looking. */
static int find_keys(struct supervisor *s, char *error, size_t size)
{
	int len;

	if (*s->options->keys)
		len = snprintf(s->keys, sizeof s->keys, "%s", s->options->keys);
	else
		len = snprintf(s->keys, sizeof s->keys, "%s/%s", s->dir.path, NEWSWIRE_KEYS_FILE);
	if (len >= (int)sizeof s->keys) {
		snprintf(error, size, "the path of the file of keys is too long");
		return -1;
	}
	if (*s->options->keys && access(s->keys, F_OK) < 0)
		log_warn("keys_missing", LOG_S("file", s->keys),
			 LOG_S("in_force", "no key but the node's own, until it is there"));
	return keyring_check(s->keys, error, size);
}

static int open_port(struct supervisor *s, char *error, size_t size)
{
	int fds[WORKERS_MAX];

	s->port = (uint16_t)s->options->port;
	if (listening_open(fds, s->count, s->options->bind, &s->port, error, size) < 0)
		return -1;
	for (unsigned i = 0; i < s->count; i++)
		s->places[i].listen_fd = fds[i];
	listening_url(s->options->bind, s->port, s->url, sizeof s->url);
	return 0;
}

static int open_all(struct supervisor *s, char *error, size_t size)
{
	if (state_dir_open(&s->dir, s->options->state_dir, error, size) < 0 ||
	    find_keys(s, error, size) < 0 || open_redis(s, error, size) < 0 ||
	    open_port(s, error, size) < 0)
		return -1;
	if ((s->pages = counters_map(1 + s->count)) == NULL || open_signals(s) < 0) {
		snprintf(error, size, "the system is short of memory or files: %s",
			 strerror(errno));
		return -1;
	}
	counters_use(counters_page_at(s->pages, 0));
	return 0;
}

static void close_all(struct supervisor *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		forget_ready_fd(&s->places[i]);
		listening_close(&s->places[i].listen_fd, 1);
	}
	private_redis_free(s->redis);
	if (s->signals >= 0)
		close(s->signals);
	state_dir_close(&s->dir);
	explicit_bzero(s->redis_address, sizeof s->redis_address);
}

int supervisor_run(const struct options *options)
{
	struct supervisor s = {
		.options = options, .signals = -1, .count = options_worker_count(options)};
	char error[512];

	s.dir.lock_fd = -1;
	for (unsigned i = 0; i < s.count; i++)
		s.places[i] = (struct place){.listen_fd = -1,
					     .ready_fd = -1,
					     .backoff = {.base_ms = 100, .cap_ms = 10000}};
	umask(077); /* nothing in the state directory is for others, nor what Redis makes there */
	raise_file_limit();
	if (open_all(&s, error, sizeof error) < 0) {
		log_error("cannot_start", LOG_S("reason", error));
		s.code = 1;
	} else {
		loop(&s);
		log_info("stopped", LOG_I("code", s.code));
	}
	close_all(&s);
	return s.code;
}
