/* private_redis.c - starts redis-server, sees that it answers, and starts it again. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/backoff.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "private_redis.h"

enum {
	PROBE_MS = 200, /* how long one PING may take */
	PROBE_EVERY_MS = 20,
	SETTLED_MS = 10000, /* up for so long, it counts as healthy again */
	HOPELESS = 5,	    /* failed starts before the first good one */
	LINE_MAX_ = 1024,
};

enum state { RESTING, STARTING, UP, STOPPING, GONE };

struct private_redis {
	char *program, *dir, *socket;
	int keep_fd;
	int log_fd; /* its standard output and error; -1 while there is none */
	enum state state;
	pid_t pid;	   /* 0: not running */
	uint64_t due;	   /* RESTING, STARTING: when to act */
	uint64_t up_since; /* UP */
	struct backoff backoff;
	unsigned failures; /* starts in a row that ended before it answered */
	bool was_up;	   /* ever */
	bool loading;	   /* it said so, and that was logged */
	bool cut;	   /* its file ended in the middle of a write */
	char line[LINE_MAX_];
	size_t line_len;
	char last_word[256]; /* of this process, that mattered; for the line about its death */
};

static const char *const state_names[] = {"resting", "starting", "up", "stopping", "gone"};

static void set_state(struct private_redis *r, enum state state)
{
	log_debug("redis_state", LOG_S("from", state_names[r->state]),
		  LOG_S("to", state_names[state]));
	r->state = state;
}

/* --- making ----------------------------------------------------------------------------------- */

/* The file that the shell would run; NULL if there is none. */
static char *find_program(const char *name)
{
	const char *path = getenv("PATH");

	for (path = path && *path ? path : "/usr/bin:/bin";;) {
		size_t len = strcspn(path, ":");
		char *file = NULL;

		if (asprintf(&file, "%.*s/%s", (int)len, len ? path : ".", name) < 0)
			return NULL;
		if (access(file, X_OK) == 0)
			return file;
		free(file);
		if (path[len] == '\0')
			return NULL;
		path += len + 1;
	}
}

/* NULL: it is not there. */
static char *find_redis(char *error, size_t size)
{
	char *file = find_program("redis-server");

	if (file == NULL)
		snprintf(error, size,
			 "redis-server is not installed: run `apt install redis-server`, or give "
			 "--redis the address "
			 "of one that runs");
	return file;
}

int private_redis_check(char *error, size_t size)
{
	char *file = find_redis(error, size);
	int result = file == NULL ? -1 : 0;

	free(file);
	return result;
}

struct private_redis *private_redis_new(const char *dir, const char *socket, int keep_fd,
					char *error, size_t size)
{
	struct private_redis *r = calloc(1, sizeof *r);

	if (r == NULL)
		goto no_memory;
	r->log_fd = -1;
	r->keep_fd = keep_fd;
	r->backoff = (struct backoff){.base_ms = 100, .cap_ms = 10000};
	if ((r->program = find_redis(error, size)) == NULL)
		goto fail;
	if ((r->dir = strdup(dir)) == NULL || (r->socket = strdup(socket)) == NULL)
		goto no_memory;
	return r;

no_memory:
	snprintf(error, size, "out of memory");
fail:
	private_redis_free(r);
	return NULL;
}

void private_redis_free(struct private_redis *r)
{
	if (r == NULL)
		return;
	MUST(r->pid == 0);
	if (r->log_fd >= 0)
		close(r->log_fd);
	free(r->program);
	free(r->dir);
	free(r->socket);
	free(r);
}

/* --- starting --------------------------------------------------------------------------------- */

/* The child: becomes redis-server, or ends with 127. Ctrl-C is for the supervisor only, hence
 * the process group. */
static _Noreturn void become_redis(const struct private_redis *r, pid_t parent, int log_to)
{
	const char *const args[] = {
		"redis-server", "--port", "0", "--unixsocket", r->socket, "--unixsocketperm", "600",
		"--dir", r->dir, "--daemonize", "no", "--supervised", "no", "--logfile", "",
		"--always-show-logo", "no",
		/* accepted means durable */
		"--appendonly", "yes", "--appendfsync", "always", "--aof-load-truncated", "yes",
		"--save", "",
		/* news is never dropped to make room */
		"--maxmemory", "0", "--maxmemory-policy", "noeviction",
		/* a worker that is busy for a moment shall not be cut off by a burst */
		"--client-output-buffer-limit", "pubsub", "256mb", "64mb", "60", NULL};
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGXFSZ,
	       SIG_IGN); /* a file that may not grow is an error of the write, which it handles as a full disk */
	fcntl(r->keep_fd, F_SETFD, 0);
	dup2(log_to, STDOUT_FILENO);
	dup2(log_to, STDERR_FILENO);
	execv(r->program, (char *const *)args);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", r->program, strerror(errno));
	_exit(127);
}

static int launch(struct private_redis *r)
{
	pid_t parent = getpid(), pid;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	if ((pid = fork()) == 0)
		become_redis(r, parent, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return -1;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	if (r->log_fd >= 0)
		close(r->log_fd);
	r->log_fd = ends[0];
	r->line_len = 0;
	r->last_word[0] = '\0';
	r->pid = pid;
	return 0;
}

static void try_again(struct private_redis *r)
{
	uint64_t wait = backoff_next(&r->backoff);

	/* The first time at once: readers wait. */
	r->due = clock_mono_ms() + (r->backoff.tries == 1 ? 0 : wait);
	set_state(r, RESTING);
}

static void start(struct private_redis *r)
{
	if (launch(r) < 0) {
		log_error("redis_not_started", LOG_S("reason", strerror(errno)));
		r->failures++;
		try_again(r);
		return;
	}
	log_info("redis_started", LOG_I("pid", r->pid), LOG_S("dir", r->dir));
	r->loading = r->cut = false;
	r->due = clock_mono_ms() + PROBE_EVERY_MS;
	set_state(r, STARTING);
}

void private_redis_adopt(struct private_redis *r, pid_t pid, int log_fd)
{
	r->log_fd = log_fd;
	r->pid = pid;
	r->was_up = true;
	r->due = clock_mono_ms();
	if (pid != 0)
		set_state(r, STARTING); /* it may be, and have a file to be mended */
}

bool private_redis_is_to_mend(const struct private_redis *r)
{
	return r->state == STARTING && r->cut;
}

pid_t private_redis_pid(const struct private_redis *r)
{
	return r->pid;
}

/* --- probing ---------------------------------------------------------------------------------- */

/* Sends a command and reads the first bytes of the answer; 0, or -1 if there was none in time. */
static int ask(const char *path, const char *command, char *answer, size_t size)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_usec = PROBE_MS * 1000L};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t len = (ssize_t)strlen(command), n = -1;

	if (fd < 0)
		return -1;
	MUST(strlen(path) < sizeof to.sun_path);
	memcpy(to.sun_path, path, strlen(path) + 1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
	    send(fd, command, (size_t)len, MSG_NOSIGNAL) == len)
		n = recv(fd, answer, size - 1, 0);
	close(fd);
	if (n <= 0)
		return -1;
	answer[n] = '\0';
	return 0;
}

/* Redis (7.0.15) takes the half transaction that its file ends in for the beginning of the next one, the second time it reads it. A new
 * file does not have it. */
static void mend_file(struct private_redis *r)
{
	char answer[64] = "";

	if (!r->cut)
		return;
	log_warn("redis_file_cut",
		 LOG_S("what", "its append-only file ended in the middle of a write, which was "
			       "never accepted: the file is written anew"));
	if (ask(r->socket, "BGREWRITEAOF\r\n", answer, sizeof answer) < 0 || answer[0] != '+')
		log_error(
			"redis_file_not_mended", LOG_S("answer", answer),
			LOG_S("remedy", "redis-cli BGREWRITEAOF, before this Redis starts again"));
}

static void probe(struct private_redis *r)
{
	char answer[64];

	r->due = clock_mono_ms() + PROBE_EVERY_MS;
	if (ask(r->socket, "PING\r\n", answer, sizeof answer) < 0)
		return;
	if (strncmp(answer, "+PONG", 5) == 0) {
		r->up_since = clock_mono_ms();
		r->failures = 0;
		r->was_up = true;
		log_info("redis_up", LOG_I("pid", r->pid), LOG_S("socket", r->socket));
		set_state(r, UP);
		if (r->log_fd >= 0)
			private_redis_relay(r); /* what it said of its file */
		mend_file(r);
	} else if (strncmp(answer, "-LOADING", 8) == 0 && !r->loading) {
		r->loading = true;
		log_info("redis_loading",
			 LOG_S("what",
			       "its append-only file; readers are served when that is done"));
	}
}

uint64_t private_redis_step(struct private_redis *r)
{
	uint64_t now = clock_mono_ms();

	if (r->state == RESTING && now >= r->due)
		start(r);
	else if (r->state == STARTING && now >= r->due)
		probe(r);
	return r->state == RESTING || r->state == STARTING ? r->due : UINT64_MAX;
}

/* --- its log ---------------------------------------------------------------------------------- */

/* `812:M 23 Nov 2026 21:53:00.123 # text`: the sign tells how much it matters, `#` most. NULL if
 * the line is not of that form: then it is an error from before there is a log. */
static const char *sign_of(const char *line)
{
	for (int word = 0; word < 5; word++) {
		if ((line = strchr(line, ' ')) == NULL)
			return NULL;
		line++;
	}
	return strchr(".-*#", *line) && line[1] == ' ' ? line : NULL;
}

/* Redis marks every start and stop with `#`; what is worth a line of ours are its warnings, and
 * the last word of one that died. */
static void relay_line(struct private_redis *r, const char *line)
{
	const char *sign = sign_of(line), *text = sign ? sign + 2 : line;
	bool routine =
		sign ? strncmp(text, "WARNING", 7) != 0 : strstr(line, ":signal-handler (") != NULL;

	if (*text == '\0')
		return;
	r->cut = r->cut || strstr(text, "Truncating the AOF") != NULL;
	if (sign == NULL || *sign == '#')
		snprintf(r->last_word, sizeof r->last_word, "%.*s", (int)sizeof r->last_word - 1,
			 text);
	if (routine)
		log_debug("redis_says", LOG_S("text", text));
	else
		log_warn("redis_says", LOG_S("text", text));
}

static void relay_bytes(struct private_redis *r, const char *bytes, size_t len)
{
	for (; len > 0; bytes++, len--) {
		if (*bytes != '\n' && r->line_len < sizeof r->line - 1) {
			r->line[r->line_len++] = *bytes;
			continue;
		}
		r->line[r->line_len] = '\0';
		r->line_len = 0;
		relay_line(r, r->line);
	}
}

int private_redis_log_fd(const struct private_redis *r)
{
	return r->log_fd;
}

void private_redis_relay(struct private_redis *r)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(r->log_fd, bytes, sizeof bytes)) > 0)
		relay_bytes(r, bytes, (size_t)n);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close(r->log_fd);
		r->log_fd = -1;
	}
}

/* --- ending ----------------------------------------------------------------------------------- */

bool private_redis_ended(struct private_redis *r, pid_t pid, int status)
{
	bool settled = r->state == UP && clock_mono_ms() - r->up_since >= SETTLED_MS;
	bool killed = WIFSIGNALED(status);

	if (r->pid == 0 || pid != r->pid)
		return false;
	r->pid = 0;
	if (r->log_fd >= 0)
		private_redis_relay(r);
	if (r->state == STOPPING) {
		log_info("redis_stopped", LOG_I("pid", pid));
		set_state(r, GONE);
		return true;
	}
	COUNT(PRIVATE_REDIS_DIED);
	log_error(
		"redis_died", LOG_I("pid", pid),
		LOG_I(killed ? "signal" : "code", killed ? WTERMSIG(status) : WEXITSTATUS(status)),
		LOG_S("last_word", r->last_word), LOG_S("now", "starting it again"));
	if (r->state == STARTING)
		r->failures++;
	if (settled)
		backoff_reset(&r->backoff);
	try_again(r);
	return true;
}

bool private_redis_is_up(const struct private_redis *r)
{
	return r->state == UP;
}

bool private_redis_is_hopeless(const struct private_redis *r)
{
	return !r->was_up && r->failures >= HOPELESS;
}

void private_redis_stop(struct private_redis *r, int signal)
{
	if (r->state == GONE)
		return;
	set_state(r, r->pid ? STOPPING : GONE);
	if (r->pid)
		kill(r->pid, signal);
}

bool private_redis_is_gone(const struct private_redis *r)
{
	return r->state == GONE;
}
