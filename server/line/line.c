/* line.c - plain sockets: written to at once, watched for bytes, for room and for their end. */
#include "line/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>
#include "base/clock.h"
#include "base/counters.h"

enum { EVENTS_AT_ONCE = 1024, READ_BYTES = 64 << 10 };

struct line_rest {
	size_t at, len;
	uint8_t bytes[];
};

/* A socket whose user has said his last word: what the other side still says is thrown away. */
struct parting {
	struct line line;
	struct parting *prev, *next; /* the oldest first */
	uint64_t until_ms;	     /* clock_mono_ms() */
	size_t heard;
};

/* Always true: by_fd[i] is the watched line whose fd is i, or NULL. */
struct lines {
	int epoll;
	uv_poll_t poll;
	struct line **by_fd;
	size_t cap;
	struct parting *parting;
	size_t parting_count;
	void (*freed)(void *arg);
	void *arg;
};

/* --- writing ---------------------------------------------------------------------------------- */

/* The set looks for what matters now. 0, or -1: it does not take it. */
static int look(struct line *line, int how)
{
	struct epoll_event event = {.data.fd = line->fd};

	if (!line->deaf)
		event.events |= EPOLLIN | EPOLLRDHUP;
	if (line->armed)
		event.events |= EPOLLOUT;
	return epoll_ctl(line->all->epoll, how, line->fd, &event);
}

static void arm(struct line *line, bool armed)
{
	if (line->armed == armed)
		return;
	line->armed = armed;
	if (line->watched)
		(void)look(line, EPOLL_CTL_MOD);
}

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

/* Behind what waits already. */
static enum line_result leave(struct line *line, const uint8_t *bytes, size_t len)
{
	struct line_rest *rest = line->rest;
	size_t had = rest == NULL ? 0 : rest->len;

	if ((rest = realloc(rest, sizeof *rest + had + len)) == NULL)
		return die(line);
	if (line->rest == NULL)
		rest->at = 0;
	memcpy(rest->bytes + had, bytes, len);
	rest->len = had + len;
	line->rest = rest;
	arm(line, true);
	return LINE_PARTIAL;
}

enum line_result line_write(void *arg, const uint8_t *bytes, size_t len)
{
	struct line *line = arg;
	ssize_t sent;

	if (line->rest != NULL)
		return leave(line, bytes, len);
	sent = send_some(line, bytes, len);
	if (sent == (ssize_t)len)
		return LINE_SENT;
	return sent < 0 ? die(line) : leave(line, bytes + sent, len - (size_t)sent);
}

ssize_t line_write_some(void *arg, const uint8_t *bytes, size_t len)
{
	struct line *line = arg;
	ssize_t sent = line->rest != NULL ? 0 : send_some(line, bytes, len);

	if (sent < 0)
		(void)die(line);
	return sent;
}

void line_expect(void *arg)
{
	__builtin_prefetch(arg);
}

void line_want_room(void *arg)
{
	struct line *line = arg;

	line->wants_room = true;
	arm(line, true);
}

void line_set_deaf(struct line *line, bool deaf)
{
	if (line->deaf == deaf)
		return;
	line->deaf = deaf;
	if (line->watched)
		(void)look(line, EPOLL_CTL_MOD);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void reset_on_close(int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* Its socket is nobody's from here on. */
static void hang_up(struct line *line)
{
	struct lines *all = line->all;

	if (line->watched) {
		(void)epoll_ctl(all->epoll, EPOLL_CTL_DEL, line->fd, NULL);
		all->by_fd[line->fd] = NULL;
	}
	if (line->rest != NULL)
		reset_on_close(line->fd);
	close(line->fd);
	all->freed(all->arg);
}

static enum line_fate parting_heard(struct line *line, char *bytes, size_t len)
{
	struct parting *p = CONTAINER_OF(line, struct parting, line);

	(void)bytes;
	p->heard += len;
	return p->heard > LINE_PARTS_BYTES ? LINE_ENDS : LINE_LIVES;
}

static enum line_fate parting_room(struct line *line)
{
	(void)line;
	return LINE_LIVES;
}

static void parting_ended(struct line *line)
{
	struct parting *p = CONTAINER_OF(line, struct parting, line);
	struct lines *all = line->all;

	DL_DELETE(all->parting, p);
	GAUGE_SET(PARTING, --all->parting_count);
	free(p);
}

/* Its socket gets another line, which waits for the other side. false: it cannot wait. */
static bool part(struct line *line)
{
	static const struct line_events events = {parting_heard, parting_room, parting_ended};
	struct lines *all = line->all;
	struct parting *p;

	if (!line->watched || line->rest != NULL || shutdown(line->fd, SHUT_WR) != 0 ||
	    (p = calloc(1, sizeof *p)) == NULL)
		return false;
	p->line = (struct line){.fd = line->fd, .watched = true, .events = &events, .all = all};
	p->until_ms = clock_mono_ms() + LINE_PARTS_MS;
	all->by_fd[line->fd] = &p->line;
	(void)look(&p->line, EPOLL_CTL_MOD);
	DL_APPEND(all->parting, p);
	GAUGE_SET(PARTING, ++all->parting_count);
	return true;
}

void line_end(struct line *line, enum line_fate how)
{
	if (how != LINE_PARTS || !part(line))
		hang_up(line);
	free(line->rest);
	line->events->ended(line);
}

void line_drop(struct line *line)
{
	hang_up(line);
	free(line->rest);
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

static enum line_fate on_room(struct line *line)
{
	int left = send_rest(line);
	enum line_fate fate = LINE_LIVES;

	if (left <= 0)
		return left < 0 ? LINE_ENDS : LINE_LIVES;
	if (line->wants_room) {
		line->wants_room = false;
		fate = line->events->room(line);
	}
	if (fate == LINE_LIVES)
		arm(line, line->wants_room || line->rest != NULL);
	return fate;
}

/* Who has closed his side has ended it: nobody who reads news, or hands it in, does that before. */
static enum line_fate on_bytes(struct line *line)
{
	static char bytes[READ_BYTES];
	ssize_t n;

	if (line->deaf)
		return LINE_ENDS; /* reset, or closed on both sides: nothing else is looked for */
	n = recv(line->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? LINE_LIVES : LINE_ENDS;
	return n == 0 ? LINE_ENDS : line->events->heard(line, bytes, (size_t)n);
}

static void on_event(struct line *line, uint32_t events)
{
	enum line_fate fate = LINE_LIVES;

	if ((events & ~(uint32_t)EPOLLOUT) != 0)
		fate = on_bytes(line);
	if (fate == LINE_LIVES && (events & EPOLLOUT) != 0)
		fate = on_room(line);
	if (fate != LINE_LIVES)
		line_end(line, fate);
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

int line_watch(struct line *line)
{
	if (make_room(line->all, (size_t)line->fd) != 0 || look(line, EPOLL_CTL_ADD) != 0)
		return -1;
	line->watched = true;
	line->all->by_fd[line->fd] = line;
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

void lines_second(struct lines *all)
{
	uint64_t now = clock_mono_ms();

	while (all->parting != NULL && all->parting->until_ms <= now)
		line_end(&all->parting->line, LINE_ENDS);
}

size_t lines_parting(const struct lines *all)
{
	return all->parting_count;
}

void lines_close(struct lines *all)
{
	for (size_t fd = 0; fd < all->cap; fd++)
		if (all->by_fd[fd] != NULL)
			line_end(all->by_fd[fd], LINE_ENDS);
}

void lines_free(struct lines *all)
{
	if (all == NULL)
		return;
	uv_poll_stop(&all->poll);
	uv_close((uv_handle_t *)&all->poll, on_closed);
}
