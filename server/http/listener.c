/* listener.c - accept, set the socket's options, adopt; stop when descriptors run short, go on when they are free. */
#include "http/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/counters.h"
#include "base/log.h"

struct listener {
	uv_poll_t poll;
	int fd;
	unsigned user_timeout_ms;
	size_t open, limit;
	int parked;   /* accepted, and waits for a lower descriptor; -1: none does */
	bool paused;  /* at the limit: not polled */
	bool stopped; /* for good: not polled */
	listener_adopt *adopt;
	void *arg;
};

static size_t descriptor_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur <= (rlim_t)2 * LISTENER_RESERVE)
		return LISTENER_RESERVE;
	return r.rlim_cur - LISTENER_RESERVE;
}

/* A reader's dead peer is found by unacknowledged bytes, not by a timer for each
 * (TCP_USER_TIMEOUT). */
static void set_options(const struct listener *l, int fd)
{
	int on = 1;
	unsigned timeout = l->user_timeout_ms;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
}

static void pause_listening(struct listener *l, const char *why)
{
	if (l->paused)
		return;
	l->paused = true;
	uv_poll_stop(&l->poll);
	COUNT(ACCEPT_PAUSED);
	log_warn("accept_paused", LOG_S("why", why), LOG_I("open", l->open),
		 LOG_I("limit", l->limit));
}

static void admit(struct listener *l, int fd)
{
	l->open++;
	if (l->adopt(fd, l->arg) != 0)
		l->open--;
}

/* Is there a lower descriptor for the one that waits, or does none wait? */
static bool unpark(struct listener *l)
{
	int fd = l->parked;

	if (fd < 0)
		return true;
	l->parked = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (l->parked < 0 || l->parked >= LISTENER_TABLE) {
		if (l->parked >= 0)
			close(l->parked);
		l->parked = fd;
		return false;
	}
	close(fd);
	fd = l->parked;
	l->parked = -1;
	admit(l, fd);
	return true;
}

static void on_connections(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;

	(void)status;
	(void)events;
	for (int i = 0; i < LISTENER_BATCH; i++) {
		int fd;

		if (l->open >= l->limit) {
			pause_listening(l, "limit of open files");
			return;
		}
		fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			    errno == ENOBUFS)
				pause_listening(l, strerror(errno));
			return;
		}
		set_options(l, fd);
		if (fd >= LISTENER_TABLE) {
			l->parked = fd;
			pause_listening(l, "limit of open requests");
			return;
		}
		admit(l, fd);
	}
}

struct listener *listener_open(uv_loop_t *loop, int fd, unsigned user_timeout_ms,
			       listener_adopt *adopt, void *arg)
{
	struct listener *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->fd = fd;
	l->parked = -1;
	l->user_timeout_ms = user_timeout_ms;
	l->limit = descriptor_limit();
	l->adopt = adopt;
	l->arg = arg;
	l->poll.data = l;
	if (uv_poll_init(loop, &l->poll, fd) != 0) {
		free(l);
		return NULL;
	}
	l->stopped = true;
	return l;
}

void listener_start(struct listener *l)
{
	l->stopped = false;
	if (!l->paused)
		uv_poll_start(&l->poll, UV_READABLE, on_connections);
}

static void on_closed(uv_handle_t *handle)
{
	struct listener *l = handle->data;

	if (l->parked >= 0)
		close(l->parked);
	free(l);
}

void listener_close(struct listener *l)
{
	if (l == NULL)
		return;
	uv_poll_stop(&l->poll);
	uv_close((uv_handle_t *)&l->poll, on_closed);
}

void listener_stop(struct listener *l)
{
	if (l == NULL)
		return;
	l->stopped = true;
	uv_poll_stop(&l->poll);
}

/* So many places must be free again: not each one that is; fewer than are kept for requests (door.c), or a worker that is full of
 * readers would never listen again. */
static size_t rest_before_resuming(const struct listener *l)
{
	size_t sixteenth = l->limit / 16;

	return sixteenth < LISTENER_BATCH ? sixteenth : LISTENER_BATCH;
}

void listener_retry(struct listener *l)
{
	if (l == NULL || !l->paused || l->open + rest_before_resuming(l) > l->limit || !unpark(l))
		return;
	l->paused = false;
	if (l->stopped)
		return;
	uv_poll_start(&l->poll, UV_READABLE, on_connections);
	log_info("accept_resumed", LOG_I("open", l->open));
}

int listener_count(struct listener *l, int fd)
{
	if (l == NULL || l->open >= l->limit || fd >= LISTENER_TABLE)
		return -1;
	l->open++;
	return 0;
}

int listener_keep(struct listener *l, int fd)
{
	int kept = fcntl(fd, F_DUPFD_CLOEXEC, LISTENER_TABLE);

	if (kept < 0) /* above it there is none left */
		kept = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (kept >= 0 && l != NULL)
		l->open++;
	return kept;
}

void listener_freed(struct listener *l)
{
	if (l == NULL || l->open == 0)
		return;
	l->open--;
	listener_retry(l);
}

size_t listener_limit(const struct listener *l)
{
	return l->limit;
}
