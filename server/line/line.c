/* line.c - plain sockets: written to at once, watched for bytes, for room and for their end. */
#include "line/line.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>
#include <xxhash.h>
#include "base/clock.h"
#include "base/hash.h"
#include "line/tls.h"

enum { EVENTS_AT_ONCE = 1024, READ_BYTES = 64 << 10 };

/* Bytes that the kernel did not take: once for all lines that were written the same. */
struct kept {
	struct lines *all;
	size_t lines;  /* that have not sent all of it */
	uint64_t hash; /* of its bytes */
	UT_hash_handle hh;
	size_t len;
	uint8_t bytes[];
};

struct line_rest {
	struct kept *sealed; /* encrypted, and goes first; NULL: nothing is */
	size_t sealed_at;    /* of its bytes, the first that waits */
	struct kept *kept;   /* NULL: nothing but what is encrypted */
	size_t at;	     /* as above */
	struct line *line;   /* NULL: not watched, and not among the rests */
	struct line_rest *prev, *next;
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
	size_t waiting, waiting_max; /* bytes of all that is kept */
	enum counter_id waiting_row, let_go_row;
	struct kept *kept;	 /* by hash */
	struct line_rest *rests; /* who has waited longest first */
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

/* How many bytes the kernel took, as they are, or -1. */
static ssize_t send_plain(const struct line *line, const uint8_t *bytes, size_t len)
{
	ssize_t sent = send(line->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return sent;
}

static void count_waiting(struct lines *all, size_t waiting)
{
	all->waiting = waiting;
	counters_mine->value[all->waiting_row] = waiting;
}

/* --- what waits ------------------------------------------------------------------------------- */

/* Accepts NULL. */
static void drop_kept(struct kept *kept)
{
	struct lines *all;

	if (kept == NULL || --kept->lines > 0)
		return;
	all = kept->all;
	if (HASH_IS_IN(kept))
		HASH_DEL(all->kept, kept);
	count_waiting(all, all->waiting - kept->len);
	free(kept);
}

static void free_rest(struct line *line)
{
	struct line_rest *rest = line->rest;

	if (rest == NULL)
		return;
	if (rest->line != NULL)
		DL_DELETE(line->all->rests, rest);
	drop_kept(rest->sealed);
	drop_kept(rest->kept);
	free(rest);
	line->rest = NULL;
}

/* The last of those who are let go when there is no more room. */
static void put_last(struct line *line)
{
	struct lines *all = line->all;
	struct line_rest *rest = line->rest;

	if (rest->line != NULL)
		DL_DELETE(all->rests, rest);
	rest->line = line;
	DL_APPEND(all->rests, rest);
}

/* Nothing is written to it any more, and its end follows. */
static void let_go(struct line *line)
{
	counters_mine->value[line->all->let_go_row]++;
	line->cut = true;
	free_rest(line);
	(void)die(line);
}

static size_t kept_of(const struct line *line)
{
	const struct line_rest *rest = line->rest;

	if (rest == NULL)
		return 0;
	return (rest->sealed == NULL ? 0 : rest->sealed->len) +
	       (rest->kept == NULL ? 0 : rest->kept->len);
}

/* Those go whose bytes have waited longest without any of them leaving: who reads has not stood there for long. But nobody goes for
 * what has no room even so (beside what waits of the same line): then that line does. */
static bool has_room_for(struct line *line, size_t len)
{
	struct lines *all = line->all;
	bool may_have = kept_of(line) + len <= all->waiting_max;

	while (may_have && all->rests != NULL && all->waiting + len > all->waiting_max)
		let_go(all->rests->line);
	if (all->waiting + len <= all->waiting_max)
		return true;
	if (line->watched && !line->cut) /* before, whoever writes to it counts it */
		let_go(line);
	return false;
}

static struct kept *keep(struct line *line, const uint8_t *a, size_t a_len, const uint8_t *b,
			 size_t b_len)
{
	struct lines *all = line->all;
	struct kept *kept;

	if (!has_room_for(line, a_len + b_len) ||
	    (kept = malloc(sizeof *kept + a_len + b_len)) == NULL)
		return NULL;
	*kept = (struct kept){.all = all, .lines = 1, .len = a_len + b_len};
	if (a_len > 0)
		memcpy(kept->bytes, a, a_len);
	memcpy(kept->bytes + a_len, b, b_len);
	count_waiting(all, all->waiting + kept->len);
	return kept;
}

/* The same bytes are written to many: whoever does not get them whole shares what the others left. */
static struct kept *share(struct line *line, const uint8_t *bytes, size_t len)
{
	struct lines *all = line->all;
	uint64_t hash = XXH3_64bits(bytes, len);
	struct kept *there, *kept;

	HASH_FIND(hh, all->kept, &hash, sizeof hash, there);
	if (there != NULL && there->len == len && memcmp(there->bytes, bytes, len) == 0) {
		there->lines++;
		return there;
	}
	kept = keep(line, NULL, 0, bytes, len);
	if (kept == NULL || there != NULL)
		return kept;
	kept->hash = hash;
	HASH_ADD(hh, all->kept, hash, sizeof hash, kept);
	return kept;
}

/* Some of what was written waits now: its line has a rest. NULL: memory is short. */
static struct line_rest *rest_of(struct line *line)
{
	if (line->rest == NULL && (line->rest = calloc(1, sizeof *line->rest)) != NULL) {
		if (line->watched)
			put_last(line);
		arm(line, true);
	}
	return line->rest;
}

/* From `at` on, all of it waits, behind what is encrypted already. */
static enum line_result leave(struct line *line, struct kept *kept, size_t at)
{
	struct line_rest *rest = kept == NULL || line->cut ? NULL : rest_of(line);

	if (rest == NULL) {
		drop_kept(kept);
		return die(line);
	}
	rest->kept = kept;
	rest->at = at;
	return LINE_PARTIAL;
}

/* Behind what waits in *to already. 0 or -1. */
static int append(struct line *line, struct kept **to, size_t *at, const uint8_t *bytes, size_t len)
{
	struct kept *old = *to, *kept;

	if (old == NULL) {
		kept = keep(line, NULL, 0, bytes, len);
	} else {
		old->lines++; /* though its line may be let go for want of room */
		kept = keep(line, old->bytes + *at, old->len - *at, bytes, len);
		drop_kept(old);
	}
	if (kept == NULL || line->cut) {
		drop_kept(kept);
		return -1;
	}
	drop_kept(old);
	*to = kept;
	*at = 0;
	return 0;
}

/* --- encrypted -------------------------------------------------------------------------------- */

/* Encrypted bytes leave in the order in which they were made. 0 or -1. */
static int send_sealed(struct line *line, const struct tls_sealed *sealed)
{
	struct line_rest *rest = line->rest;
	ssize_t sent = 0;

	if (sealed->len > 0 && (rest == NULL || rest->sealed == NULL))
		sent = send_plain(line, sealed->bytes, sealed->len);
	if (sent < 0)
		return -1;
	if ((size_t)sent == sealed->len)
		return 0;
	if ((rest = rest_of(line)) == NULL)
		return -1;
	return append(line, &rest->sealed, &rest->sealed_at, sealed->bytes + sent,
		      sealed->len - (size_t)sent);
}

/* As many records as the socket takes, and the one that it does not take whole. How many bytes are in them, or -1. */
static ssize_t seal_some(struct line *line, const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (at < len && (line->rest == NULL || line->rest->sealed == NULL)) {
		struct tls_sealed sealed;
		ssize_t n = tls_seal(line->fd, bytes + at, len - at, &sealed);

		if (n < 0 || send_sealed(line, &sealed) != 0)
			return -1;
		at += (size_t)n;
	}
	return (ssize_t)at;
}

/* How many bytes are the kernel's now, or on their way to it; or -1. */
static ssize_t send_some(struct line *line, const uint8_t *bytes, size_t len)
{
	return tls_is_on(line->fd) ? seal_some(line, bytes, len) : send_plain(line, bytes, len);
}

/* --- what its user writes --------------------------------------------------------------------- */

enum line_result line_write_rest(void *arg, const uint8_t *bytes, size_t len, size_t at)
{
	struct line *line = arg;
	ssize_t sent = 0;

	if (line->cut)
		return LINE_DEAD;
	if (line->rest != NULL && line->rest->kept != NULL)
		return append(line, &line->rest->kept, &line->rest->at, bytes + at, len - at) == 0
			       ? LINE_PARTIAL
			       : die(line);
	if (line->rest == NULL && (sent = send_some(line, bytes + at, len - at)) < 0)
		return die(line);
	at += (size_t)sent;
	if (at < len)
		return leave(line, share(line, bytes, len), at);
	return line->rest == NULL ? LINE_SENT : LINE_PARTIAL;
}

bool line_was_let_go(const void *arg)
{
	const struct line *line = arg;

	return line->cut;
}

enum line_result line_write(void *arg, const uint8_t *bytes, size_t len)
{
	return line_write_rest(arg, bytes, len, 0);
}

ssize_t line_write_some(void *arg, const uint8_t *bytes, size_t len)
{
	struct line *line = arg;
	ssize_t sent;

	if (line->cut)
		return -1;
	sent = line->rest != NULL ? 0 : send_some(line, bytes, len);
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
	line->armed |= !deaf && tls_has_more(line->fd); /* of which no event tells */
	if (line->watched)
		(void)look(line, EPOLL_CTL_MOD);
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
		(void)send_plain(line, word.bytes, word.len);
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
	if (send_sealed(&p->line, &word) != 0 ||
	    (p->line.rest == NULL && shutdown(line->fd, SHUT_WR) != 0)) {
		free_rest(&p->line);
		free(p);
		return false;
	}
	p->line.wants_room = p->line.rest != NULL;
	p->until_ms = clock_mono_ms() + LINE_PARTS_MS;
	all->by_fd[line->fd] = &p->line;
	(void)look(&p->line, EPOLL_CTL_MOD);
	DL_APPEND(all->parting, p);
	all->parting_count++;
	COUNT(PARTING);
	return true;
}

void line_end(struct line *line, enum line_fate how)
{
	if (how != LINE_PARTS || !part(line))
		hang_up(line);
	free_rest(line);
	line->events->ended(line);
}

void line_drop(struct line *line)
{
	hang_up(line);
	free_rest(line);
}

/* --- what happens to it ----------------------------------------------------------------------- */

/* 1: all that is encrypted has left; 0: some still waits; -1: it is dead. */
static int send_rest_sealed(struct line *line)
{
	struct line_rest *rest = line->rest;
	struct kept *sealed = rest->sealed;
	ssize_t sent;

	if (sealed == NULL)
		return 1;
	sent = send_plain(line, sealed->bytes + rest->sealed_at, sealed->len - rest->sealed_at);
	if (sent < 0)
		return -1;
	rest->sealed_at += (size_t)sent;
	if (rest->sealed_at < sealed->len) {
		if (sent > 0)
			put_last(line);
		return 0;
	}
	rest->sealed = NULL;
	drop_kept(sealed);
	return 1;
}

/* 1: all has left; 0: some still waits; -1: it is dead. */
static int send_rest(struct line *line)
{
	struct line_rest *rest = line->rest;
	int left = rest == NULL ? 1 : send_rest_sealed(line);
	ssize_t sent;

	if (rest == NULL || left <= 0)
		return left;
	if (rest->kept != NULL) {
		sent = send_some(line, rest->kept->bytes + rest->at, rest->kept->len - rest->at);
		if (sent < 0)
			return -1;
		rest->at += (size_t)sent;
		if (sent > 0)
			put_last(line);
		if (rest->at < rest->kept->len)
			return 0;
		drop_kept(rest->kept);
		rest->kept = NULL;
	}
	if (rest->sealed != NULL)
		return 0;
	free_rest(line);
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
	if (answer.len > 0 && (line->rest != NULL || send_sealed(line, &answer) != 0))
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
	if (make_room(line->all, (size_t)line->fd) != 0 || look(line, EPOLL_CTL_ADD) != 0)
		return -1;
	line->watched = true;
	line->all->by_fd[line->fd] = line;
	if (line->rest != NULL)
		put_last(line);
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
