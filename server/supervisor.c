/* supervisor.c - one loop of poll(): signals, workers that say they are ready, what Redis logs, and what is due. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "certificate.h"
#include "handover.h"
#include "listening.h"
#include "news/keyring.h"
#include "newswire/protocol.h"
#include "supervisor_own.h"
#include "worker.h"

enum {
	PATIENCE_MS = 10000,	/* how long to wait for readiness before saying so */
	REDIS_GRACE_MS = 20000, /* to flush and end, before SIGKILL */
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
static unsigned raw_rights(const struct supervisor *s, const struct options *o)
{
	unsigned rights = s->redis ? RIGHTS_EVERYTHING : RIGHTS_OUTSIDE;

	if (*o->raw_publish)
		MUST(rights_read(o->raw_publish, &rights) == 0); /* options.c has read it */
	return rights;
}

/* In the child. */
static void become_worker(void *arg, const struct crew_worker *worker)
{
	struct supervisor *s = arg;
	const struct options *o = worker->successor && s->coming ? s->coming : s->options;
	struct worker_setup setup = {
		.options = o,
		.certificate = o == s->coming ? s->coming_certificate : s->certificate,
		.index = worker->index,
		.listen_fd = worker->listen_fd,
		.ready_fd = worker->ready_fd,
		.joins = worker->joins,
		.successor = worker->successor,
		.redis = s->redis_address,
		.keys = s->keys,
		.raw_rights = raw_rights(s, o),
		.publish_key = s->dir.publish_key,
		.pages = s->pages,
		.page_count = 1 + crew_pages(s->count),
	};
	char name[32];

	if (s->redis && private_redis_log_fd(s->redis) >= 0)
		close(private_redis_log_fd(s->redis));
	close(s->signals);
	snprintf(name, sizeof name, "worker-%u", worker->index);
	log_name_process(name);
	counters_use(counters_page_at(s->pages, worker->page));
	log_open(STDERR_FILENO, (enum log_format)o->log_format, (enum log_level)o->log_level);
	_exit(worker_run(&setup));
}

static uint64_t beat_of(void *arg, unsigned page)
{
	const struct supervisor *s = arg;

	return counters_beat_of(counters_page_at(s->pages, page));
}

static void forget_page(void *arg, unsigned page)
{
	struct supervisor *s = arg;

	counters_forget(counters_page_at(s->pages, page));
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

/* A certificate is for a name, which --public-url knows. */
void supervisor_name_url(struct supervisor *s)
{
	const char *named = s->options->public_url;

	if (s->certificate != NULL && strncmp(named, "https://", 8) == 0)
		snprintf(s->url, sizeof s->url, "%.*s", (int)strcspn(named + 8, "/") + 8, named);
	else
		listening_url(s->certificate != NULL, s->options->bind, s->port, s->url,
			      sizeof s->url);
}

void supervisor_announce(struct supervisor *s)
{
	const struct state_dir_facts facts = {.url = s->url,
					      .port = s->port,
					      .redis = s->redis_address,
					      .generation = s->generation,
					      .renewals = s->renewals,
					      .renewal_trouble = s->trouble};

	if (state_dir_announce(&s->dir, &facts) < 0)
		log_warn("not_announced", LOG_S("dir", s->dir.path),
			 LOG_S("reason", strerror(errno)),
			 LOG_S("remedy",
			       "tools cannot find this server until there is room on the disk"));
}

static void become_ready(struct supervisor *s)
{
	set_phase(s, RUNNING);
	supervisor_announce(s);
	log_info("ready", LOG_S("url", s->url), LOG_I("pid", getpid()), LOG_I("workers", s->count));
	greet(s);
}

static void say_what_is_waited_for(struct supervisor *s)
{
	s->impatient = clock_mono_ms() + PATIENCE_MS;
	if (s->redis && !private_redis_is_up(s->redis))
		log_warn("not_ready", LOG_S("waiting_for", "the private redis-server"));
	else
		log_warn("not_ready", LOG_S("waiting_for", "workers to reach Redis"),
			 LOG_I("workers_ready", crew_ready(s->crew)), LOG_I("workers", s->count));
}

/* --- stopping --------------------------------------------------------------------------------- */

static void stop(struct supervisor *s)
{
	if (s->phase >= STOPPING_WORKERS) {
		crew_signal(s->crew,
			    SIGTERM); /* asked twice: their second SIGTERM ends them at once */
		return;
	}
	log_info("stopping", LOG_S("first", "workers say goodbye to their readers"));
	state_dir_withdraw(&s->dir);
	s->impatient = UINT64_MAX; /* the crew ends who takes too long */
	set_phase(s, STOPPING_WORKERS);
	crew_dismiss(s->crew);
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
	if (s->phase != STOPPING_REDIS)
		return;
	log_warn("redis_killed",
		 LOG_S("reason", "it did not end; what it had accepted is on the disk"));
	private_redis_stop(s->redis, SIGKILL);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void bury(struct supervisor *s)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (s->redis && private_redis_ended(s->redis, pid, status))
			continue;
		if (!renewing_ended(s, pid, status))
			(void)crew_ended(s->crew, pid, status);
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
			renewing_reload(s);
			break;
		case SIGUSR2:
			renewing_upgrade(s);
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
	uint64_t next = UINT64_MAX;
	bool workers = s->phase < STOPPING_WORKERS;

	if (s->redis && workers) {
		next = private_redis_step(s->redis);
		/* Workers begin when Redis answers, and stay when it goes. */
		workers = s->phase != OPENING || private_redis_is_up(s->redis) || crew_any(s->crew);
	}
	return sooner(next, crew_step(s->crew, workers));
}

/* Moves on where a phase is done. Returns false when all is over. */
static bool advance(struct supervisor *s)
{
	if (s->phase == OPENING && crew_ready(s->crew) == s->count)
		become_ready(s);
	renewing_step(s);
	if (s->phase == OPENING && s->redis && private_redis_is_hopeless(s->redis)) {
		log_error(
			"cannot_start",
			LOG_S("reason",
			      "redis-server ends as soon as it starts; last_word above says why"));
		s->code = 1;
		stop(s);
	}
	if (s->phase == STOPPING_WORKERS && !crew_any(s->crew))
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
	struct pollfd polled[2 + CREW_POLLED_MAX];
	unsigned workers = crew_polled(s->crew, &polled[2]);
	uint64_t now = clock_mono_ms();
	int timeout = next == UINT64_MAX   ? -1
		      : next <= now	   ? 0
		      : next - now > 60000 ? 60000
					   : (int)(next - now);

	polled[0] = (struct pollfd){.fd = s->signals, .events = POLLIN};
	polled[1] = (struct pollfd){.fd = s->redis ? private_redis_log_fd(s->redis) : -1,
				    .events = POLLIN};
	if (poll(polled, 2 + workers, timeout) <= 0)
		return;
	if (polled[1].revents)
		private_redis_relay(s->redis);
	crew_hear(s->crew, &polled[2]);
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
	sigaddset(&heard, SIGUSR2);
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

static int find_certificate(struct supervisor *s, char *error, size_t size)
{
	return certificate_read(&s->certificate, s->options, NULL, error, size);
}

/* Takes the sockets. */
static int open_crew(struct supervisor *s, const int *fds, char *error, size_t size)
{
	const struct crew_setup setup = {.count = s->count,
					 .listen_fds = fds,
					 .leave_ms = s->options->drain_time_ms,
					 .answers_ms = WORKER_ANSWERS_MS,
					 .become = become_worker,
					 .left = forget_page,
					 .beat = beat_of,
					 .stall_ms = s->options->stall_time_ms,
					 .arg = s};

	if ((s->crew = crew_new(&setup)) != NULL)
		return 0;
	for (unsigned i = 0; i < s->count; i++)
		close(fds[i]);
	snprintf(error, size, "out of memory");
	return -1;
}

static int open_port(struct supervisor *s, char *error, size_t size)
{
	int fds[CREW_MAX];

	s->port = (uint16_t)s->options->port;
	if (listening_open(fds, s->count, s->options->bind, &s->port, error, size) < 0)
		return -1;
	return open_crew(s, fds, error, size);
}

static int open_rest(struct supervisor *s, char *error, size_t size)
{
	supervisor_name_url(s);
	if ((s->pages = counters_map(1 + crew_pages(s->count))) == NULL || open_signals(s) < 0) {
		snprintf(error, size, "the system is short of memory or files: %s",
			 strerror(errno));
		return -1;
	}
	counters_use(counters_page_at(s->pages, 0));
	GAUGE_SET(START_TIME, clock_wall_ms() / 1000);
	GAUGE_SET(BUILD, 1);
	GAUGE_SET(CERTIFICATE_END, certificate_ends(s->certificate));
	return 0;
}

static int open_all(struct supervisor *s, char *error, size_t size)
{
	if (state_dir_open(&s->dir, s->options->state_dir, error, size) < 0 ||
	    find_keys(s, error, size) < 0 || find_certificate(s, error, size) < 0 ||
	    open_redis(s, error, size) < 0 || open_port(s, error, size) < 0)
		return -1;
	return open_rest(s, error, size);
}

/* Goes on where the program before this one was. Its sockets and its Redis stay, whatever the options say now. */
static int adopt_all(struct supervisor *s, const struct handover *h, char *error, size_t size)
{
	int fds[CREW_MAX];

	s->count = h->count;
	s->port = (uint16_t)h->port;
	s->generation = h->generation;
	s->renewals = h->renewals;
	for (unsigned i = 0; i < s->count; i++)
		fds[i] = h->places[i].listen_fd;
	if (state_dir_adopt(&s->dir, s->options->state_dir, h->lock_fd, error, size) < 0)
		return -1;
	if (find_keys(s, error, size) < 0) /* the old workers serve on, and no new one will */
		log_error("keys_refused", LOG_S("reason", error));
	if (find_certificate(s, error, size) < 0) /* the same */
		log_error("certificate_refused", LOG_S("reason", error));
	if (open_redis(s, error, size) < 0 || open_crew(s, fds, error, size) < 0 ||
	    open_rest(s, error, size) < 0)
		return -1;
	if (s->redis)
		private_redis_adopt(s->redis, h->redis_pid, h->redis_log_fd);
	for (unsigned i = 0; i < s->count; i++)
		if (h->places[i].pid != 0)
			crew_adopt(s->crew, i, h->places[i].pid);
	s->phase = RUNNING;
	renewing_take_over(s);
	return 0;
}

/* 0, or -1 with a sentence. */
static int open_or_adopt(struct supervisor *s, char *error, size_t size)
{
	struct handover h;
	int handed = handover_take(&h);

	if (handed > 0)
		return adopt_all(s, &h, error, size);
	if (handed < 0)
		log_error(
			"handover_not_understood",
			LOG_S("now", "starting anew; an older release cannot follow a later one"));
	return open_all(s, error, size);
}

/* Where a later release of this program will stand. */
static void find_program(struct supervisor *s)
{
	ssize_t len = readlink("/proc/self/exe", s->program, sizeof s->program - 1);

	s->program[len < 0 ? 0 : len] = '\0';
}

static void close_all(struct supervisor *s)
{
	crew_free(s->crew);
	private_redis_free(s->redis);
	if (s->signals >= 0)
		close(s->signals);
	state_dir_close(&s->dir);
	renewing_forget(s);
	explicit_bzero(s->redis_address, sizeof s->redis_address);
}

int supervisor_run(const struct options *options, const struct supervisor_call *call)
{
	struct supervisor s = {.call = call,
			       .options = options,
			       .signals = -1,
			       .generation = 1,
			       .count = options_worker_count(options),
			       .dir.lock_fd = -1};
	char error[512];

	umask(077); /* nothing in the state directory is for others, nor what Redis makes there */
	raise_file_limit();
	find_program(&s);
	if (open_or_adopt(&s, error, sizeof error) < 0) {
		log_error("cannot_start", LOG_S("reason", error));
		s.code = 1;
	} else {
		loop(&s);
		log_info("stopped", LOG_I("code", s.code));
	}
	close_all(&s);
	return s.code;
}
