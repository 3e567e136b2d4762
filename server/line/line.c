/* line.c - sockets that are watched for bytes, for room and for their end. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>
#include "base/clock.h"
#include "line/line_own.h"

enum { EVENTS_AT_ONCE = 1024, READ_BYTES = 64 << 10 };

/* A socket whose user has said his last word: what the other side still says is thrown away. */
struct parting {
	struct line line;
	struct parting *prev, *next; /* the oldest first */
	uint64_t until_ms;	     /* clock_mono_ms() */
	size_t heard;
};

/* The set looks for what matters now. 0, or -1: it does not take it. */
int line_look(struct line *line, int how)
{
	struct epoll_event event = {.data.fd = line->fd};

	if (!line->deaf)
		event.events |= EPOLLIN | EPOLLRDHUP;
	if (line->armed)
		event.events |= EPOLLOUT;
	return epoll_ctl(line->all->epoll, how, line->fd, &event);
}

void line_arm(struct line *line, bool armed)
{
	if (line->armed == armed)
		return;
	line->armed = armed;
	if (line->watched)
		(void)line_look(line, EPOLL_CTL_MOD);
}

/* Its end is found by the next look at the set, whatever the error was. */
enum line_result line_die(struct line *line)
{
	(void)shutdown(line->fd, SHUT_RDWR);
	return LINE_DEAD;
}

void line_set_deaf(struct line *line, bool deaf)
{
	if (line->deaf == deaf)
		return;
	line->deaf = deaf;
	line->armed |= !deaf && tls_has_more(line->fd); /* of which no event tells */
	if (line->watched)
		(void)line_look(line, EPOLL_CTL_MOD);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void reset_on_close(int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* Without it, who reads cannot know that he was not cut off (RFC 8446, 6.1). Without TLS it is no bytes. */
static struct tls_sealed last_word(const struct line *line)
{
	struct tls_sealed word = {0};

	if (tls_is_on(line->fd))
		tls_end(line->fd, &word);
	return word;
}

/* If there is room for it. */
static void say_end(const struct line *line)
{
	struct tls_sealed word = last_word(line);

	if (word.len > 0)
		(void)line_send_plain(line, word.bytes, word.len);
}

/* Its socket is nobody's from here on. */
static void hang_up(struct line *line)
{
	struct lines *all = line->all;

	if (line->watched) {
		(void)epoll_ctl(all->epoll, EPOLL_CTL_DEL, line->fd, NULL);
		all->by_fd[line->fd] = NULL;
	}
	if (line->rest != NULL || line->cut)
		reset_on_close(line->fd);
	else
		say_end(line);
	tls_free(line->fd);
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

/* The last word has left, which there was no room for. */
static enum line_fate parting_room(struct line *line)
{
	return shutdown(line->fd, SHUT_WR) == 0 ? LINE_LIVES : LINE_ENDS;
}

static void parting_ended(struct line *line)
{
	struct parting *p = CONTAINER_OF(line, struct parting, line);
	struct lines *all = line->all;

	DL_DELETE(all->parting, p);
	all->parting_count--;
	GAUGE_SET(PARTING, COUNTER_GET(PARTING) - 1);
	free(p);
}

/* Its socket gets another line, which waits for the other side. false: it cannot wait. */
static bool part(struct line *line)
{
	static const struct line_events events = {parting_heard, parting_room, parting_ended};
	struct lines *all = line->all;
	struct tls_sealed word;
	struct parting *p;

	if (!line->watched || line->rest != NULL || (p = calloc(1, sizeof *p)) == NULL)
		return false;
	p->line = (struct line){.fd = line->fd, .watched = true, .events = &events, .all = all};
	word = last_word(line);
	if (line_send_sealed(&p->line, &word) != 0 ||
	    (p->line.rest == NULL && shutdown(line->fd, SHUT_WR) != 0)) {
		line_free_rest(&p->line);
		free(p);
		return false;
	}
	p->line.wants_room = p->line.rest != NULL;
	p->until_ms = clock_mono_ms() + LINE_PARTS_MS;
	all->by_fd[line->fd] = &p->line;
	(void)line_look(&p->line, EPOLL_CTL_MOD);
	DL_APPEND(all->parting, p);
	all->parting_count++;
	COUNT(PARTING);
	return true;
}

void line_end(struct line *line, enum line_fate how)
{
	if (how != LINE_PARTS || !part(line))
		hang_up(line);
	line_free_rest(line);
	line->events->ended(line);
}

void line_drop(struct line *line)
{
	hang_up(line);
	line_free_rest(line);
}

/* --- what happens to it ----------------------------------------------------------------------- */

static enum line_fate on_room(struct line *line)
{
	int left = line_send_rest(line);
	enum line_fate fate = LINE_LIVES;

	if (left <= 0)
		return left < 0 ? LINE_ENDS : LINE_LIVES;
	if (line->wants_room) {
		line->wants_room = false;
		fate = line->events->room(line);
	}
	if (fate == LINE_LIVES)
		line_arm(line, line->wants_room || line->rest != NULL);
	return fate;
}

/* Like recv(). Who makes us answer records of TLS (alerts) and does not take the answers is gone. */
static ssize_t receive(struct line *line, char *bytes, size_t size)
{
	struct tls_sealed answer;
	ssize_t n;
	int why;

	if (!tls_is_on(line->fd))
		return recv(line->fd, bytes, size, MSG_DONTWAIT);
	n = tls_recv(line->fd, bytes, size, &answer);
	why = errno;
	if (answer.len > 0 && (line->rest != NULL || line_send_sealed(line, &answer) != 0))
		return 0;
	errno = why;
	return n;
}

/* Who has closed his side has ended it: nobody who reads news, or hands it in, does that before. */
static enum line_fate on_bytes(struct line *line)
{
	static char bytes[READ_BYTES];
	ssize_t n;

	if (line->deaf)
		return LINE_ENDS; /* reset, or closed on both sides: nothing else is looked for */
	n = receive(line, bytes, sizeof bytes);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? LINE_LIVES : LINE_ENDS;
	return n == 0 ? LINE_ENDS : line->events->heard(line, bytes, (size_t)n);
}

static void on_event(struct line *line, uint32_t events)
{
	enum line_fate fate = LINE_LIVES;

	if ((events & ~(uint32_t)EPOLLOUT) != 0 || (!line->deaf && tls_has_more(line->fd)))
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
	struct line **table = table_reach(all->by_fd, &all->cap, fd);

	if (table == NULL)
		return -1;
	all->by_fd = table;
	return 0;
}

void line_bound(int fd, size_t bytes)
{
	int most = (int)bytes, unsent = most / 4;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &most, sizeof most);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
}

int line_greet(int fd, const void *bytes, size_t len, bool more)
{
	int how = MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0);
	struct tls_sealed sealed = {.bytes = bytes, .len = len};

	if (tls_is_on(fd) && tls_seal(fd, bytes, len, &sealed) != (ssize_t)len)
		return -1;
	return send(fd, sealed.bytes, sealed.len, how) == (ssize_t)sealed.len ? 0 : -1;
}

/* What came already is looked at as soon as the socket has room, which is at once. */
int line_watch(struct line *line)
{
	line->armed |= tls_has_more(line->fd);
	if (make_room(line->all, (size_t)line->fd) != 0 || line_look(line, EPOLL_CTL_ADD) != 0)
		return -1;
	line->watched = true;
	line->all->by_fd[line->fd] = line;
	if (line->rest != NULL)
		line_put_last(line);
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
	*all = (struct lines){.waiting_max = SIZE_MAX / 2,
			      .waiting_row = COUNTER_WAITING_BYTES,
			      .let_go_row = COUNTER_LAG_MEMORY,
			      .freed = freed,
			      .arg = arg};
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

void lines_limit(struct lines *all, size_t waiting_max)
{
	all->waiting_max = waiting_max;
}

void lines_count_as(struct lines *all, enum counter_id waiting, enum counter_id let_go)
{
	all->waiting_row = waiting;
	all->let_go_row = let_go;
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
