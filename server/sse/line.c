/* line.c - a plain socket: written to at once, watched for room and for its end. */
#include "sse/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/counters.h"

enum { EVENTS_AT_ONCE = 64 };

struct line_rest {
	size_t at, len;
	uint8_t bytes[];
};

/* Always true: by_fd[i] is the watched line whose fd is i, or NULL. */
struct lines {
	int epoll;
	uv_poll_t poll;
	struct line **by_fd;
	size_t cap;
	void (*freed)(void *arg);
	void *arg;
};

/* --- the end ---------------------------------------------------------------------------------- */

/* Whoever reads a stream to its end may take it for whole: one that is cut within an event is reset instead. */
static void reset_on_close(int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void end(struct line *line, bool is_cut)
{
	struct lines *all = line->all;

	if ((size_t)line->fd < all->cap && all->by_fd[line->fd] == line) {
		(void)epoll_ctl(all->epoll, EPOLL_CTL_DEL, line->fd, NULL);
		all->by_fd[line->fd] = NULL;
	}
	if (is_cut)
		reset_on_close(line->fd);
	close(line->fd);
	free(line->rest);
	reader_gone(line->reader); /* and with it the line */
	all->freed(all->arg);
}

static void line_close(void *arg, enum close_why why, bool blocked)
{
	(void)why; /* there is no close code: `bye` has said it, or nobody would read it */
	end(arg, blocked);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Its end is found by the next look at the set, whatever the error was. */
static enum line_result die(struct line *line)
{
	(void)shutdown(line->fd, SHUT_RDWR);
	return LINE_DEAD;
}

/* How many bytes the kernel took, or -1. */
static ssize_t send_some(const struct line *line, const uint8_t *bytes, size_t len)
{
	ssize_t sent = send(line->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return sent;
}

static enum line_result leave(struct line *line, const uint8_t *bytes, size_t len)
{
	struct line_rest *rest = malloc(sizeof *rest + len);

	if (rest == NULL)
		return die(line);
	rest->at = 0;
	rest->len = len;
	memcpy(rest->bytes, bytes, len);
	line->rest = rest;
	return LINE_PARTIAL;
}

static enum line_result line_write(void *arg, const uint8_t *bytes, size_t len)
{
	struct line *line = arg;
	ssize_t sent = send_some(line, bytes, len);

	if (sent == (ssize_t)len)
		return LINE_SENT;
	return sent < 0 ? die(line) : leave(line, bytes + sent, len - (size_t)sent);
}

static void line_expect(void *arg)
{
	__builtin_prefetch(arg);
}

/* 0, or -1: the set does not take it. */
static int look_for(struct line *line, int how, bool room)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | (room ? EPOLLOUT : 0),
				    .data.fd = line->fd};

	line->armed = room;
	return epoll_ctl(line->all->epoll, how, line->fd, &event);
}

static void line_want_turn(void *arg)
{
	struct line *line = arg;

	line->wants_turn = true;
	if (line->reader != NULL && !line->armed)
		(void)look_for(line, EPOLL_CTL_MOD, true);
}

const struct reader_line *line_ops(void)
{
	static const struct reader_line ops = {sizeof(struct line), line_write, line_expect,
					       line_want_turn,	    line_close, NULL};

	return &ops;
}

/* --- what happens to it ----------------------------------------------------------------------- */

/* 1: all has left; 0: some still waits; -1: it is dead. */
static int send_rest(struct line *line)
{
	struct line_rest *rest = line->rest;
	ssize_t sent;

	if (rest == NULL)
		return 1;
	if ((sent = send_some(line, rest->bytes + rest->at, rest->len - rest->at)) < 0)
		return -1;
	rest->at += (size_t)sent;
	if (rest->at < rest->len)
		return 0;
	line->rest = NULL;
	free(rest);
	return 1;
}

/* There is room. -1: it is dead. */
static int on_room(struct line *line)
{
	int left = send_rest(line);

	if (left <= 0)
		return left;
	line->wants_turn = false;
	reader_turn(line->reader);
	if (!line->wants_turn)
		(void)look_for(line, EPOLL_CTL_MOD, false);
	return 0;
}

/* -1: the client has hung up, or half of it: nobody who reads news closes his side. */
static int on_bytes(struct line *line)
{
	char nothing[512];
	ssize_t n = recv(line->fd, nothing, sizeof nothing, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0)
		return -1;
	line->heard = (uint16_t)(line->heard + n);
	if (line->heard > LINE_HEARD_MAX) {
		COUNT(CLIENT_BAD);
		reader_close(line->reader, CLOSE_TOO_MANY);
	}
	return 0;
}

static void on_event(struct line *line, uint32_t events)
{
	if (((events & ~(uint32_t)EPOLLOUT) != 0 && on_bytes(line) != 0) ||
	    ((events & EPOLLOUT) != 0 && on_room(line) != 0))
		end(line, line->rest != NULL);
}

static void on_events(uv_poll_t *poll, int status, int readable)
{
	struct lines *all = poll->data;
	struct epoll_event events[EVENTS_AT_ONCE];
	int n = epoll_wait(all->epoll, events, EVENTS_AT_ONCE, 0);

	(void)status;
	(void)readable;
	for (int i = 0; i < n; i++) {
		struct line *line = all->by_fd[events[i].data.fd];

		if (line != NULL)
			on_event(line, events[i].events);
	}
}

/* --- watching --------------------------------------------------------------------------------- */

static int make_room(struct lines *all, size_t fd)
{
	size_t cap = all->cap == 0 ? 64 : all->cap;
	struct line **moved;

	if (fd < all->cap)
		return 0;
	while (cap <= fd)
		cap *= 2;
	if ((moved = realloc(all->by_fd, cap * sizeof(struct line *))) == NULL)
		return -1;
	memset(moved + all->cap, 0, (cap - all->cap) * sizeof(struct line *));
	all->by_fd = moved;
	all->cap = cap;
	return 0;
}

int line_watch(struct reader *reader)
{
	struct line *line = reader_line(reader);
	struct lines *all = line->all;

	line->reader = reader;
	if (make_room(all, (size_t)line->fd) != 0 ||
	    look_for(line, EPOLL_CTL_ADD, line->wants_turn) != 0) {
		end(line, line->rest != NULL);
		return -1;
	}
	all->by_fd[line->fd] = line;
	return 0;
}

/* --- all of them ------------------------------------------------------------------------------ */

static void on_closed(uv_handle_t *handle)
{
	struct lines *all = handle->data;

	close(all->epoll);
	free(all->by_fd);
	free(all);
}

struct lines *lines_new(uv_loop_t *loop, void (*freed)(void *arg), void *arg)
{
	struct lines *all = calloc(1, sizeof *all);

	if (all == NULL)
		return NULL;
	*all = (struct lines){.freed = freed, .arg = arg};
	all->poll.data = all;
	if ((all->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0 ||
	    uv_poll_init(loop, &all->poll, all->epoll) != 0) {
		if (all->epoll >= 0)
			close(all->epoll);
		free(all);
		return NULL;
	}
	uv_poll_start(&all->poll, UV_READABLE, on_events);
	return all;
}

void lines_close(struct lines *all)
{
	for (size_t fd = 0; fd < all->cap; fd++)
		if (all->by_fd[fd] != NULL)
			end(all->by_fd[fd], all->by_fd[fd]->rest != NULL);
}

void lines_free(struct lines *all)
{
	if (all == NULL)
		return;
	uv_poll_stop(&all->poll);
	uv_close((uv_handle_t *)&all->poll, on_closed);
}
