/* crew.c - places, the processes in them, and those on their way out. */
#include "crew.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/backoff.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "listening.h"

enum {
	SETTLED_MS = 10000,	 /* alive for so long, a worker counts as healthy again */
	SERVING_MS = 30000,	 /* how long successors may take to serve */
	LEAVING_GRACE_MS = 1000, /* beyond what they may take to leave, before SIGKILL */
	LEAVING_BEAT_MS = 3000,	 /* a sign of life that is not older counts */
	LOOK_MS = 1000,		 /* how often to look for signs of life */
	NOTABLE_FAILURES = 3,
};

/* One process. pid == 0 <=> it is not running. */
struct hand {
	pid_t pid;
	int ready_fd; /* -1 once it is ready, or gone */
	bool ready;   /* or was, before it ended */
	uint64_t started;
};

struct place {
	int listen_fd;
	struct hand now;
	struct hand next; /* the successor of a renewal */
	uint64_t due;	  /* when to start `now`, while it is not running */
	struct backoff backoff;
	unsigned failures; /* in a row, before it was ready */
};

/* Was told to drain. */
struct leaver {
	pid_t pid; /* 0: nobody */
	unsigned page;
	uint64_t until;	 /* then it is killed, unless it lives and has yet to answer somebody … */
	uint64_t latest; /* … but now at any rate */
};

/* Always true: `next` are empty unless the renewal goes on; there are no leavers when it begins. */
struct crew {
	struct crew_setup setup;
	struct place places[CREW_MAX];
	struct leaver leavers[CREW_POLLED_MAX];
	unsigned side; /* 0 or 1: which half of the pages is that of `now` */
	enum crew_renewal renewal;
	uint64_t renewal_until;
	uint64_t looked;    /* for signs of life */
	uint64_t fair_from; /* no silence counts from before: this process stood still too */
	bool dismissed;
};

unsigned crew_pages(unsigned count)
{
	return 2 * count;
}

struct crew *crew_new(const struct crew_setup *setup)
{
	struct crew *crew = calloc(1, sizeof *crew);

	MUST(setup->count <= CREW_MAX);
	if (crew == NULL)
		return NULL;
	crew->setup = *setup;
	crew->setup.listen_fds = NULL;
	for (unsigned i = 0; i < setup->count; i++)
		crew->places[i] = (struct place){.listen_fd = setup->listen_fds[i],
						 .now.ready_fd = -1,
						 .next.ready_fd = -1,
						 .backoff = {.base_ms = 100, .cap_ms = 10000}};
	return crew;
}

static void forget_ready_fd(struct hand *hand)
{
	if (hand->ready_fd >= 0)
		close(hand->ready_fd);
	hand->ready_fd = -1;
}

void crew_free(struct crew *crew)
{
	if (crew == NULL)
		return;
	for (unsigned i = 0; i < crew->setup.count; i++) {
		forget_ready_fd(&crew->places[i].now);
		forget_ready_fd(&crew->places[i].next);
		listening_close(&crew->places[i].listen_fd, 1);
	}
	free(crew);
}

/* --- starting --------------------------------------------------------------------------------- */

/* In the child: keeps what is its own, and becomes the worker. */
static _Noreturn void become(struct crew *crew, const struct crew_worker *worker, pid_t parent)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	setpgid(0, 0); /* Ctrl-C is for the supervisor only */
	for (unsigned i = 0; i < crew->setup.count; i++) {
		forget_ready_fd(&crew->places[i].now);
		forget_ready_fd(&crew->places[i].next);
		if (i != worker->index)
			close(crew->places[i].listen_fd);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	crew->setup.become(crew->setup.arg, worker);
	_exit(1);
}

static int launch(struct crew *crew, struct hand *hand, struct crew_worker *worker)
{
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	if ((hand->pid = fork()) == 0) {
		close(ends[0]);
		worker->ready_fd = ends[1];
		become(crew, worker, parent);
	}
	close(ends[1]);
	if (hand->pid < 0) {
		hand->pid = 0;
		close(ends[0]);
		return -1;
	}
	hand->ready_fd = ends[0];
	return 0;
}

static unsigned page_of(const struct crew *crew, unsigned index, bool successor)
{
	unsigned side = successor ? !crew->side : crew->side;

	return 1 + side * crew->setup.count + index;
}

/* 0, or -1: it was logged why not. */
static int start(struct crew *crew, unsigned index, bool successor)
{
	struct place *place = &crew->places[index];
	struct hand *hand = successor ? &place->next : &place->now;
	struct crew_worker worker = {.index = index,
				     .page = page_of(crew, index, successor),
				     .listen_fd = place->listen_fd,
				     .successor = successor,
				     .joins = crew_ready(crew) > 0};

	hand->started = clock_mono_ms();
	hand->ready = false;
	if (launch(crew, hand, &worker) < 0) {
		log_error("worker_not_started", LOG_I("worker", index),
			  LOG_S("reason", strerror(errno)));
		return -1;
	}
	log_debug("worker_started", LOG_I("worker", index), LOG_I("pid", hand->pid));
	return 0;
}

static void schedule(struct place *place)
{
	uint64_t wait = backoff_next(&place->backoff);

	/* The first time at once: its readers are on their way back. */
	place->due = clock_mono_ms() + (place->backoff.tries == 1 ? 0 : wait);
}

/* --- renewal ---------------------------------------------------------------------------------- */

/* signum: SIGUSR1 if others serve in its place. */
static void leave(struct crew *crew, struct hand *hand, unsigned page, int signum)
{
	forget_ready_fd(hand);
	for (unsigned i = 0; hand->pid != 0; i++)
		if (crew->leavers[i].pid == 0) {
			uint64_t until = clock_mono_ms() + crew->setup.leave_ms + LEAVING_GRACE_MS;

			kill(hand->pid, signum);
			crew->leavers[i] = (struct leaver){hand->pid, page, until,
							   until + crew->setup.answers_ms};
			hand->pid = 0;
		}
	*hand = (struct hand){.ready_fd = -1};
}

static void give_up_renewal(struct crew *crew)
{
	for (unsigned i = 0; i < crew->setup.count; i++)
		leave(crew, &crew->places[i].next, page_of(crew, i, true),
		      SIGUSR1); /* it may have readers */
	crew->renewal = CREW_NOT_RENEWED;
}

static void finish_renewal(struct crew *crew)
{
	for (unsigned i = 0; i < crew->setup.count; i++) {
		struct place *place = &crew->places[i];

		leave(crew, &place->now, page_of(crew, i, false), SIGUSR1);
		place->now = place->next;
		place->next = (struct hand){.ready_fd = -1};
		place->failures = 0;
		backoff_reset(&place->backoff);
	}
	crew->side = !crew->side;
	crew->renewal = CREW_RENEWED;
}

void crew_set_times(struct crew *crew, uint64_t leave_ms, uint64_t stall_ms)
{
	crew->setup.leave_ms = leave_ms;
	crew->setup.stall_ms = stall_ms;
}

bool crew_is_settled(const struct crew *crew)
{
	for (unsigned i = 0; i < COUNT_OF(crew->leavers); i++)
		if (crew->leavers[i].pid != 0)
			return false;
	return crew->renewal == CREW_QUIET && !crew->dismissed;
}

bool crew_renew(struct crew *crew)
{
	if (!crew_is_settled(crew))
		return false;
	crew->renewal = CREW_RENEWING;
	crew->renewal_until = clock_mono_ms() + SERVING_MS;
	for (unsigned i = 0; i < crew->setup.count; i++)
		if (start(crew, i, true) < 0) {
			give_up_renewal(crew);
			break;
		}
	return true;
}

enum crew_renewal crew_renewal(struct crew *crew)
{
	enum crew_renewal told = crew->renewal;

	if (told == CREW_RENEWED || told == CREW_NOT_RENEWED)
		crew->renewal = CREW_QUIET;
	return told;
}

static void watch_renewal(struct crew *crew)
{
	for (unsigned i = 0; i < crew->setup.count; i++)
		if (!crew->places[i].next.ready) {
			if (clock_mono_ms() >= crew->renewal_until) {
				log_error("successors_not_ready", LOG_I("worker", i),
					  LOG_I("waited_ms", SERVING_MS));
				give_up_renewal(crew);
			}
			return;
		}
	finish_renewal(crew);
}

/* --- what happens to them --------------------------------------------------------------------- */

/* The worker wrote its byte, or ended without. */
static void hear(struct hand *hand)
{
	char byte;

	if (read(hand->ready_fd, &byte, 1) == 1)
		hand->ready = true;
	forget_ready_fd(hand);
}

static void tell_of_death(const struct crew *crew, const struct place *place, pid_t pid, int status)
{
	bool killed = WIFSIGNALED(status);

	COUNT(WORKERS_DIED);
	log_error(
		"worker_died", LOG_I("worker", place - crew->places), LOG_I("pid", pid),
		LOG_I(killed ? "signal" : "code", killed ? WTERMSIG(status) : WEXITSTATUS(status)),
		LOG_I("ran_ms", clock_mono_ms() - place->now.started),
		LOG_I("again_in_ms", place->due - clock_mono_ms()));
	if (place->failures >= NOTABLE_FAILURES)
		log_error("worker_cannot_start", LOG_I("worker", place - crew->places),
			  LOG_I("times", place->failures),
			  LOG_S("remedy", "the lines of this worker above say why"));
}

static void now_ended(struct crew *crew, struct place *place, int status)
{
	pid_t pid = place->now.pid;

	if (place->now.ready_fd >= 0)
		hear(&place->now); /* it may have been ready and died before that was read */
	place->now.pid = 0;
	crew->setup.left(crew->setup.arg, page_of(crew, (unsigned)(place - crew->places), false));
	if (crew->dismissed)
		return;
	place->failures = place->now.ready ? 0 : place->failures + 1;
	if (place->now.ready && clock_mono_ms() - place->now.started >= SETTLED_MS)
		backoff_reset(&place->backoff);
	schedule(place);
	tell_of_death(crew, place, pid, status);
}

static void next_ended(struct crew *crew, struct place *place, int status)
{
	bool killed = WIFSIGNALED(status);

	log_error(
		"successor_died", LOG_I("worker", place - crew->places),
		LOG_I("pid", place->next.pid),
		LOG_I(killed ? "signal" : "code", killed ? WTERMSIG(status) : WEXITSTATUS(status)));
	place->next.pid = 0;
	crew->setup.left(crew->setup.arg, page_of(crew, (unsigned)(place - crew->places), true));
	if (crew->renewal == CREW_RENEWING)
		give_up_renewal(crew);
}

bool crew_ended(struct crew *crew, pid_t pid, int status)
{
	for (unsigned i = 0; i < crew->setup.count; i++) {
		if (crew->places[i].now.pid == pid) {
			now_ended(crew, &crew->places[i], status);
			return true;
		}
		if (crew->places[i].next.pid == pid) {
			next_ended(crew, &crew->places[i], status);
			return true;
		}
	}
	for (unsigned i = 0; i < COUNT_OF(crew->leavers); i++)
		if (crew->leavers[i].pid == pid) {
			crew->leavers[i].pid = 0;
			crew->setup.left(crew->setup.arg, crew->leavers[i].page);
			return true;
		}
	return false;
}

void crew_dismiss(struct crew *crew)
{
	crew->dismissed = true;
	crew->renewal = CREW_QUIET; /* nobody asks any more what came of it */
	for (unsigned i = 0; i < crew->setup.count; i++) {
		leave(crew, &crew->places[i].now, page_of(crew, i, false), SIGTERM);
		leave(crew, &crew->places[i].next, page_of(crew, i, true), SIGTERM);
	}
}

/* --- time ------------------------------------------------------------------------------------- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Since `from`, for so long? A sign of life may be later than `now`, which was read before it. */
static bool silent_for(uint64_t from, uint64_t now, uint64_t ms)
{
	return from < now && now - from >= ms;
}

/* A worker that lives longer than --drain-time has somebody to answer. One that was adopted gives its signs of life where only the
 * program before this one can see them. */
static void hurry(const struct crew *crew, struct leaver *l, uint64_t now)
{
	uint64_t beat = crew->setup.beat(crew->setup.arg, l->page);

	if (now < l->latest && (beat == 0 || !silent_for(beat, now, LEAVING_BEAT_MS))) {
		l->until = sooner(now + LOOK_MS, l->latest);
		return;
	}
	log_warn("workers_killed", LOG_I("pid", l->pid),
		 LOG_S("reason", "it took longer than --drain-time"));
	kill(l->pid, SIGKILL);
	l->until = UINT64_MAX;
}

static uint64_t hurry_leavers(struct crew *crew)
{
	uint64_t now = clock_mono_ms(), next = UINT64_MAX;

	for (unsigned i = 0; i < COUNT_OF(crew->leavers); i++) {
		struct leaver *l = &crew->leavers[i];

		if (l->pid != 0 && now >= l->until)
			hurry(crew, l, now);
		if (l->pid != 0)
			next = sooner(next, l->until);
	}
	return next;
}

/* late: by how much this look comes too late. The worker may have stood still as long. */
static void look_at(struct crew *crew, unsigned index, uint64_t now, uint64_t late)
{
	struct place *place = &crew->places[index];
	uint64_t beat = crew->setup.beat(crew->setup.arg, page_of(crew, index, false));
	uint64_t silent_from = beat > crew->fair_from ? beat : crew->fair_from;

	if (place->now.pid == 0 || !place->now.ready || beat == 0 ||
	    !silent_for(silent_from, now, crew->setup.stall_ms + late))
		return;
	COUNT(WORKERS_STALLED);
	log_error("worker_stalled", LOG_I("worker", index), LOG_I("pid", place->now.pid),
		  LOG_I("silent_ms", now - beat), LOG_S("now", "it is killed and replaced"));
	kill(place->now.pid, SIGKILL);
	crew->fair_from = now; /* its death comes as any other */
}

/* Kills who shows no life. Where this process could not look for so long itself, the whole machine stood still. */
static uint64_t look_for_life(struct crew *crew)
{
	uint64_t now = clock_mono_ms(), late;

	if (crew->setup.stall_ms == 0 || crew->dismissed)
		return UINT64_MAX;
	if (now - crew->looked > 3 * LOOK_MS)
		crew->fair_from = now;
	else if (now - crew->looked < LOOK_MS)
		return crew->looked + LOOK_MS;
	late = now - crew->looked - LOOK_MS;
	crew->looked = now;
	for (unsigned i = 0; i < crew->setup.count; i++)
		look_at(crew, i, now, late);
	return now + LOOK_MS;
}

uint64_t crew_step(struct crew *crew, bool starting)
{
	uint64_t next;

	if (crew->renewal == CREW_RENEWING)
		watch_renewal(crew);
	next = sooner(hurry_leavers(crew), look_for_life(crew));
	if (crew->renewal == CREW_RENEWING)
		next = sooner(next, crew->renewal_until);
	else if (crew->renewal != CREW_QUIET)
		next = 0; /* somebody is to hear of it now */
	for (unsigned i = 0; i < crew->setup.count && starting && !crew->dismissed; i++) {
		struct place *place = &crew->places[i];

		if (place->now.pid == 0 && clock_mono_ms() >= place->due &&
		    start(crew, i, false) < 0)
			schedule(place);
		if (place->now.pid == 0)
			next = sooner(next, place->due);
	}
	return next;
}

/* --- looking at them -------------------------------------------------------------------------- */

unsigned crew_polled(const struct crew *crew, struct pollfd *polled)
{
	for (unsigned i = 0; i < crew->setup.count; i++) {
		polled[2 * i] =
			(struct pollfd){.fd = crew->places[i].now.ready_fd, .events = POLLIN};
		polled[2 * i + 1] =
			(struct pollfd){.fd = crew->places[i].next.ready_fd, .events = POLLIN};
	}
	return 2 * crew->setup.count;
}

void crew_hear(struct crew *crew, const struct pollfd *polled)
{
	for (unsigned i = 0; i < crew->setup.count; i++) {
		if (polled[2 * i].revents && crew->places[i].now.ready_fd >= 0)
			hear(&crew->places[i].now);
		if (polled[2 * i + 1].revents && crew->places[i].next.ready_fd >= 0)
			hear(&crew->places[i].next);
	}
}

unsigned crew_ready(const struct crew *crew)
{
	unsigned ready = 0;

	for (unsigned i = 0; i < crew->setup.count; i++)
		ready += crew->places[i].now.pid != 0 && crew->places[i].now.ready;
	return ready;
}

/* Calls it with every process; false ends that. */
static bool each(const struct crew *crew, bool (*call)(pid_t pid, int arg), int arg)
{
	for (unsigned i = 0; i < crew->setup.count; i++)
		if ((crew->places[i].now.pid != 0 && !call(crew->places[i].now.pid, arg)) ||
		    (crew->places[i].next.pid != 0 && !call(crew->places[i].next.pid, arg)))
			return false;
	for (unsigned i = 0; i < COUNT_OF(crew->leavers); i++)
		if (crew->leavers[i].pid != 0 && !call(crew->leavers[i].pid, arg))
			return false;
	return true;
}

static bool is_nobody(pid_t pid, int unused)
{
	(void)pid;
	(void)unused;
	return false;
}

bool crew_any(const struct crew *crew)
{
	return !each(crew, is_nobody, 0);
}

static bool signal_one(pid_t pid, int signum)
{
	kill(pid, signum);
	return true;
}

void crew_signal(const struct crew *crew, int signum)
{
	each(crew, signal_one, signum);
}

int crew_listen_fd(const struct crew *crew, unsigned index)
{
	return crew->places[index].listen_fd;
}

pid_t crew_pid(const struct crew *crew, unsigned index)
{
	return crew->places[index].now.pid;
}

void crew_adopt(struct crew *crew, unsigned index, pid_t pid)
{
	crew->places[index].now.pid = pid;
	crew->places[index].now.ready = true;
	crew->places[index].now.started = clock_mono_ms();
}
