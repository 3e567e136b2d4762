/* renewing.c - reload and upgrade: the same process and sockets, other workers.
 *
 * An upgrade is an execve() in this very process: its children, the workers and the private Redis, stay its children, and its
 * open files stay open. The next program lets workers of its own take over as in a reload; until they serve, the old ones
 * do. A program that does not even print its configuration is never started.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/counters.h"
#include "base/log.h"
#include "certificate.h"
#include "handover.h"
#include "news/keyring.h"
#include "supervisor_own.h"

enum { TRY_SECONDS = 10 }; /* that a new program may take to print its configuration */

static const char *const names[] = {
	[RENEWAL_NONE] = "none", [RENEWAL_RELOAD] = "reload", [RENEWAL_UPGRADE] = "upgrade"};

/* The renewal is over: it has worked if `trouble` is "". */
static void conclude(struct supervisor *s, const char *trouble)
{
	s->renewals++;
	s->generation += *trouble == '\0';
	snprintf(s->trouble, sizeof s->trouble, "%s", trouble);
	if (*trouble == '\0')
		log_info("renewed", LOG_S("by", names[s->renewal]),
			 LOG_I("generation", s->generation), LOG_S("version", NEWSWIRE_VERSION));
	else
		log_error("not_renewed", LOG_S("by", names[s->renewal]), LOG_S("reason", trouble),
			  LOG_S("in_force", "everything as before"));
	s->renewal = RENEWAL_NONE;
	supervisor_announce(s);
}

/* May one begin now? */
static bool begin(struct supervisor *s, enum renewal renewal)
{
	const char *why = s->phase != RUNNING	       ? "newswired is starting or stopping"
			  : s->renewal != RENEWAL_NONE ? "another one goes on"
			  : !crew_is_settled(s->crew)
				  ? "workers of the one before are still saying "
				    "goodbye: try again after --drain-time"
				  : NULL;

	if (why == NULL) {
		s->renewal = renewal;
		return true;
	}
	log_warn("not_renewed", LOG_S("by", names[renewal]), LOG_S("reason", why));
	s->renewals++;
	snprintf(s->trouble, sizeof s->trouble, "%s", why);
	if (s->phase == RUNNING)
		supervisor_announce(s);
	return false;
}

/* --- reload ----------------------------------------------------------------------------------- */

static void free_options(struct options **o)
{
	if (*o != NULL)
		options_free(*o);
	free(*o);
	*o = NULL;
}

static void forget_coming(struct supervisor *s)
{
	free_options(&s->coming);
	SSL_CTX_free(s->coming_certificate);
	s->coming_certificate = NULL;
}

/* Reads what would be in force. 0, or -1 with a sentence. */
static int read_coming(struct supervisor *s, char *error, size_t size)
{
	if ((s->coming = calloc(1, sizeof *s->coming)) == NULL) {
		snprintf(error, size, "out of memory");
		return -1;
	}
	return options_read(s->coming, s->call->argc, s->call->argv, s->call->envp, error, size) < 0
		       ? -1
		       : 0;
}

/* May they be put in force, with the files of keys and of the certificate as they are? 0, or -1 with a sentence. */
static int judge_coming(struct supervisor *s, char *error, size_t size)
{
	const struct option_row *row = options_changed(s->options, s->coming, OPTION_BOOT);

	if (row == NULL)
		return keyring_check(s->keys, error, size) < 0
			       ? -1
			       : certificate_read(&s->coming_certificate, s->coming, s->certificate,
						  error, size);
	snprintf(error, size,
		 "--%s cannot change while newswired runs: restart it, or take that change back",
		 row->name);
	return -1;
}

void renewing_reload(struct supervisor *s)
{
	char error[512];

	if (!begin(s, RENEWAL_RELOAD))
		return;
	if (read_coming(s, error, sizeof error) < 0 || judge_coming(s, error, sizeof error) < 0) {
		forget_coming(s);
		conclude(s, error);
		return;
	}
	log_info("reloading",
		 LOG_S("what", "new workers take over with the options as they are now"));
	MUST(crew_renew(s->crew));
}

/* Successors serve: what they were told is in force. */
static void put_in_force(struct supervisor *s)
{
	if (s->coming == NULL)
		return;
	free_options(&s->own);
	s->options = s->own = s->coming;
	s->coming = NULL;
	SSL_CTX_free(s->certificate);
	s->certificate = s->coming_certificate;
	s->coming_certificate = NULL;
	supervisor_name_url(s);
	GAUGE_SET(CERTIFICATE_END, certificate_ends(s->certificate));
	crew_set_times(s->crew, s->options->drain_time_ms, s->options->stall_time_ms);
	log_open(STDERR_FILENO, (enum log_format)s->options->log_format,
		 (enum log_level)s->options->log_level);
}

void renewing_step(struct supervisor *s)
{
	enum crew_renewal how;

	if (s->renewal == RENEWAL_NONE || s->checking != 0 || s->phase != RUNNING)
		return;
	how = crew_renewal(s->crew);
	if (how == CREW_RENEWED) {
		put_in_force(s);
		conclude(s, "");
	} else if (how == CREW_NOT_RENEWED) {
		forget_coming(s);
		conclude(s, "a new worker could not serve: the lines of the log before this one "
			    "say why");
	}
}

/* --- upgrade ---------------------------------------------------------------------------------- */

/* What would end the next program once it is this process, where all would end with it: that is seen before. Options that this
 * program does not understand are for the next one to judge. 0, or -1 with a sentence. */
static int look_ahead(struct supervisor *s, char *error, size_t size)
{
	int result = read_coming(s, error, size) < 0 ? keyring_check(s->keys, error, size)
						     : judge_coming(s, error, size);

	forget_coming(s);
	if (result == 0 && s->redis)
		result = private_redis_check(error, size);
	return result == 0 ? state_dir_check(&s->dir, error, size) : -1;
}

/* In a child: shows what it would run with, to nobody. */
static _Noreturn void try_program(const struct supervisor *s)
{
	const char **args = calloc((size_t)s->call->argc + 2, sizeof *args);
	int nowhere = open("/dev/null", O_WRONLY);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(TRY_SECONDS); /* outlives the execv() */
	if (args == NULL || nowhere < 0)
		_exit(127);
	memcpy(args, s->call->argv, (size_t)s->call->argc * sizeof *args);
	args[s->call->argc] = "--print-config";
	dup2(nowhere, STDOUT_FILENO);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(s->program, (char *const *)args);
	dprintf(STDERR_FILENO, "newswired: cannot run %s: %s\n", s->program, strerror(errno));
	_exit(127);
}

void renewing_upgrade(struct supervisor *s)
{
	char error[512];
	pid_t pid;

	if (!begin(s, RENEWAL_UPGRADE))
		return;
	if (*s->program == '\0') {
		conclude(s, "where this program came from is not known");
		return;
	}
	if (look_ahead(s, error, sizeof error) < 0) {
		conclude(s, error);
		return;
	}
	log_info("upgrading", LOG_S("program", s->program));
	if ((pid = fork()) == 0)
		try_program(s);
	if (pid < 0)
		conclude(s, strerror(errno));
	else
		s->checking = pid;
}

static void write_down(const struct supervisor *s, struct handover *h)
{
	*h = (struct handover){.lock_fd = s->dir.lock_fd,
			       .port = s->port,
			       .redis_pid = s->redis ? private_redis_pid(s->redis) : 0,
			       .redis_log_fd = s->redis ? private_redis_log_fd(s->redis) : -1,
			       .generation = s->generation,
			       .renewals = s->renewals,
			       .count = s->count};
	for (unsigned i = 0; i < s->count; i++) {
		h->places[i].listen_fd = crew_listen_fd(s->crew, i);
		h->places[i].pid = crew_pid(s->crew, i);
	}
}

/* Does not return if it can be done. */
static void become_program(struct supervisor *s)
{
	struct handover h;
	char error[600];

	if (s->redis && private_redis_is_to_mend(s->redis)) {
		conclude(s, "the private Redis is about to write its file anew: try again");
		return;
	}
	write_down(s, &h);
	if (handover_give(&h) == 0) {
		execv(s->program, (char *const *)s->call->argv);
		snprintf(error, sizeof error, "cannot run the new program: %s", strerror(errno));
		handover_take_back(&h);
	} else {
		snprintf(error, sizeof error, "cannot hand over to the new program: %s",
			 strerror(errno));
	}
	conclude(s, error);
}

bool renewing_ended(struct supervisor *s, pid_t pid, int status)
{
	if (s->checking == 0 || pid != s->checking)
		return false;
	s->checking = 0;
	if (s->phase != RUNNING)
		s->renewal = RENEWAL_NONE;
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		conclude(s, "the new program does not start: it was asked to print its "
			    "configuration, and took too long");
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		conclude(s, "the new program does not start with these options: it says why above");
	else
		become_program(s);
	return true;
}

void renewing_forget(struct supervisor *s)
{
	free_options(&s->own);
	forget_coming(s);
	SSL_CTX_free(s->certificate);
	s->certificate = NULL;
}

void renewing_take_over(struct supervisor *s)
{
	s->renewal = RENEWAL_UPGRADE;
	log_info("taken_over", LOG_S("version", NEWSWIRE_VERSION), LOG_I("pid", getpid()));
	MUST(crew_renew(s->crew));
}
