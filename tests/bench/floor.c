/* floor.c - the floor that newswired is measured against: bare epoll and send.
 *
 * Accepts WebSocket readers (RFC 6455 handshake, one small hello frame), hears messages from Redis
 * by SUBSCRIBE, puts a frame header before each and sends the frame to every reader with send(2).
 * One thread, nothing else: no routing, no formats, no history, no limits. What a server that has
 * those costs more than this is what the bench shows.
 *
 *   nw-floor --redis PATH --channel NAME [--mode each|joined] [--sndbuf BYTES] [--spread N]
 *
 * With --spread N there are N channels, by the number at the end of a channel's name and of a reader's path.
 *
 * `joined` sends all messages that one wake-up finds in the Redis socket as one block; `each`
 * sends them one by one. Prints {"port":N} when it listens on 127.0.0.1:N; ends at end of stdin.
 *
 * Two options make it faulty, so that the bench can be tested: --drop N and --twice N leave out or
 * repeat the Nth message (from 1) for the first reader; --tear sends every block in two parts.
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ear.h"

#define ACCEPTS_PER_EVENT 64
#define REQUEST_MAX	  4096
#define PENDING_MAX	  (4 << 20) /* a reader that owes more than this is closed */
#define FRAME_HEADER_MAX  10

enum { FD_LISTENER = 0, FD_REDIS, FD_STDIN, FD_READERS };

/* Bytes that wait: the request of a reader that is not open yet, or what its socket did not take.
 * bytes == NULL <=> nothing waits. */
struct waiting {
	size_t n;
	char bytes[];
};

/* One connection. fd < 0 <=> it is closed and on the list `gone`, no longer in its group. */
struct reader {
	int fd;
	bool open;   /* has had its 101 */
	unsigned at; /* index in its group */
	struct group *group;
	struct waiting *waiting;
	struct reader *next_gone;
};

/* The readers of one channel, no holes. A reader is in the first until it says which is his. */
struct group {
	struct reader **readers;
	unsigned count, room;
};

struct block {
	char *bytes;
	size_t n, room;
};

static struct {
	const char *redis_path;
	const char *channel;
	bool joined;
	bool tear;
	int sndbuf;
	unsigned spread;
	unsigned long drop, twice; /* number of a message; 0 is none */
} options = {.sndbuf = 64 << 10, .spread = 1};

static int epoll_fd;
static int listen_fd;
static struct group *groups; /* [options.spread] */
static struct reader *gone;  /* closed in this turn */
static unsigned long message_count;
static struct block block; /* what goes to every reader next */

static void die(const char *what)
{
	fprintf(stderr, "nw-floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void watch(int fd, uint32_t events, uint64_t tag)
{
	struct epoll_event event = {.events = events, .data.u64 = tag};

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		die("epoll_ctl");
}

/* groups ------------------------------------------------------------------------------------ */

static int group_add(struct group *g, struct reader *r)
{
	if (g->count == g->room) {
		unsigned room = g->room > 0 ? 2 * g->room : 8;
		struct reader **grown = realloc(g->readers, room * sizeof *g->readers);

		if (grown == NULL)
			return -1;
		g->readers = grown;
		g->room = room;
	}
	r->group = g;
	r->at = g->count;
	g->readers[g->count++] = r;
	return 0;
}

static void group_remove(struct reader *r)
{
	struct group *g = r->group;

	g->readers[r->at] = g->readers[--g->count];
	g->readers[r->at]->at = r->at;
}

/* The group that a name ending in a number belongs to. */
static struct group *group_of(const char *name, size_t n)
{
	size_t digits = 0;

	while (digits < n && name[n - digits - 1] >= '0' && name[n - digits - 1] <= '9')
		digits++;
	return &groups[digits > 0 ? strtoul(name + n - digits, NULL, 10) % options.spread : 0];
}

/* readers ----------------------------------------------------------------------------------- */

/* Closes the socket and takes the reader off the list; bury() frees it after the events of this
 * turn, because one of them may still name it. */
static void reader_close(struct reader *r)
{
	if (r->fd < 0)
		return;
	close(r->fd);
	r->fd = -1;
	group_remove(r);
	r->next_gone = gone;
	gone = r;
}

static void bury(void)
{
	while (gone != NULL) {
		struct reader *r = gone;

		gone = r->next_gone;
		free(r->waiting);
		free(r);
	}
}

/* Appends to what waits; 0, or -1 when that is too much or memory ran out. */
static int reader_wait(struct reader *r, const char *bytes, size_t n, size_t max)
{
	size_t had = r->waiting != NULL ? r->waiting->n : 0;
	struct waiting *grown;

	if (had + n > max)
		return -1;
	if ((grown = realloc(r->waiting, sizeof *grown + had + n + 1)) == NULL)
		return -1;
	memcpy(grown->bytes + had, bytes, n);
	grown->n = had + n;
	grown->bytes[grown->n] = '\0';
	r->waiting = grown;
	return 0;
}

/* Gives bytes to the socket; what it does not take waits for EPOLLOUT. */
static void reader_send(struct reader *r, const char *bytes, size_t n)
{
	ssize_t sent = 0;

	if (r->waiting == NULL) {
		sent = send(r->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EAGAIN)
			sent = 0;
	}
	if (sent < 0 ||
	    ((size_t)sent < n && reader_wait(r, bytes + sent, n - (size_t)sent, PENDING_MAX) != 0))
		reader_close(r);
}

/* The socket has room again. */
static void reader_flush(struct reader *r)
{
	ssize_t sent = send(r->fd, r->waiting->bytes, r->waiting->n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0 && errno != EAGAIN) {
		reader_close(r);
	} else if (sent == (ssize_t)r->waiting->n) {
		free(r->waiting);
		r->waiting = NULL;
	} else if (sent > 0) {
		r->waiting->n -= (size_t)sent;
		memmove(r->waiting->bytes, r->waiting->bytes + sent, r->waiting->n);
	}
}

/* Moves a reader to the channel that its request asks for. */
static int reader_choose(struct reader *r, const char *request)
{
	size_t method = strcspn(request, " ") + 1;

	if (options.spread == 1)
		return 0;
	group_remove(r);
	if (group_add(group_of(request + method, strcspn(request + method, " ")), r) == 0)
		return 0;
	r->group = groups;
	return group_add(groups, r);
}

/* Answers the handshake when the request is complete. */
static void reader_open(struct reader *r)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	static const char hello[] = "\x81\x10{\"type\":\"hello\"}";
	unsigned char digest[SHA_DIGEST_LENGTH];
	unsigned char accept[4 * ((SHA_DIGEST_LENGTH + 2) / 3) + 1];
	char text[128];
	char answer[256];
	const char *request = r->waiting->bytes;
	const char *key = strcasestr(request, "\r\nsec-websocket-key:");
	int n;

	if (strstr(request, "\r\n\r\n") == NULL)
		return;
	if (key == NULL || sscanf(key + 20, " %63[0-9A-Za-z+/=]", text) != 1 ||
	    reader_choose(r, request) != 0) {
		reader_close(r);
		return;
	}
	snprintf(text + strlen(text), sizeof text - strlen(text), "%s", guid);
	SHA1((unsigned char *)text, strlen(text), digest);
	EVP_EncodeBlock(accept, digest, sizeof digest);
	free(r->waiting);
	r->waiting = NULL;
	r->open = true;
	n = snprintf(answer, sizeof answer,
		     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		     "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n%s",
		     accept, hello);
	reader_send(r, answer, (size_t)n);
}

/* What a reader says after its request is of no interest. */
static void reader_hear(struct reader *r)
{
	char bytes[REQUEST_MAX];
	ssize_t n = recv(r->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		reader_close(r);
	} else if (n > 0 && !r->open) {
		if (reader_wait(r, bytes, (size_t)n, REQUEST_MAX) != 0)
			reader_close(r);
		else
			reader_open(r);
	}
}

static void reader_turn(struct reader *r, uint32_t events)
{
	if (r->fd >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)))
		reader_hear(r);
	if (r->fd >= 0 && r->open && r->waiting != NULL && (events & EPOLLOUT))
		reader_flush(r);
}

static int reader_add(int fd)
{
	int on = 1;
	struct reader *r;

	if ((r = calloc(1, sizeof *r)) == NULL || group_add(groups, r) != 0) {
		free(r);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (options.sndbuf > 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &options.sndbuf, sizeof options.sndbuf);
	r->fd = fd;
	watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, (uintptr_t)r);
	return 0;
}

static void accept_readers(void)
{
	for (int i = 0; i < ACCEPTS_PER_EVENT; i++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno != EAGAIN && errno != ECONNABORTED)
				die("accept4");
			return;
		}
		if (reader_add(fd) != 0)
			close(fd);
	}
}

/* messages ---------------------------------------------------------------------------------- */

static void block_add(const void *bytes, size_t n)
{
	if (block.n + n > block.room) {
		block.room = 2 * (block.n + n);
		if ((block.bytes = realloc(block.bytes, block.room)) == NULL)
			die("realloc");
	}
	memcpy(block.bytes + block.n, bytes, n);
	block.n += n;
}

static void block_add_frame(const char *text, size_t n)
{
	unsigned char header[FRAME_HEADER_MAX] = {0x81};
	size_t length_bytes = n < 126 ? 0 : n <= UINT16_MAX ? 2 : 8;

	header[1] = (unsigned char)(length_bytes == 0 ? n : length_bytes == 2 ? 126 : 127);
	for (size_t i = 0; i < length_bytes; i++)
		header[2 + i] = (unsigned char)(n >> 8 * (length_bytes - 1 - i));
	block_add(header, 2 + length_bytes);
	block_add(text, n);
}

static void send_to(struct reader *r, const char *bytes, size_t n)
{
	size_t first = options.tear ? 1 + message_count * 37 % (n - 1) : n;

	reader_send(r, bytes, first);
	if (first < n && r->fd >= 0)
		reader_send(r, bytes + first, n - first);
}

/* The whole product: one buffer to everybody. From the end, because a reader that is closed is
 * replaced by the last. */
static void send_block(const struct group *g)
{
	for (unsigned i = g->count; i-- > 0;) {
		unsigned times = 1;

		if (i == 0 && message_count == options.drop)
			times = 0;
		if (i == 0 && message_count == options.twice)
			times = 2;
		for (; times > 0 && g->readers[i]->open; times--)
			send_to(g->readers[i], block.bytes, block.n);
	}
	block.n = 0;
}

static void take_message(const char *channel, const char *text, size_t n)
{
	message_count++;
	block_add_frame(text, n);
	if (!options.joined)
		send_block(group_of(channel, strlen(channel)));
}

/* All that the socket holds now, then one send per reader. */
static void hear_redis(void)
{
	ear_hear(take_message);
	if (block.n > 0)
		send_block(groups);
}

/* the building ------------------------------------------------------------------------------ */

static void listen_on_any_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof address;

	listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listen_fd < 0 || bind(listen_fd, (struct sockaddr *)&address, n) != 0 ||
	    listen(listen_fd, 4096) != 0 ||
	    getsockname(listen_fd, (struct sockaddr *)&address, &n) != 0)
		die("listen");
	watch(listen_fd, EPOLLIN, FD_LISTENER);
	printf("{\"port\":%d}\n", ntohs(address.sin_port));
	fflush(stdout);
}

static void raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void usage(void)
{
	fprintf(stderr,
		"usage: nw-floor --redis PATH --channel NAME [--mode each|joined]\n"
		"                [--sndbuf BYTES] [--spread N] [--drop N] [--twice N] [--tear]\n");
	exit(2);
}

static void read_options(int argc, char **argv)
{
	static const struct option table[] = {
		{"redis", required_argument, NULL, 'r'},
		{"channel", required_argument, NULL, 'c'},
		{"mode", required_argument, NULL, 'm'},
		{"sndbuf", required_argument, NULL, 's'},
		{"drop", required_argument, NULL, 'd'},
		{"twice", required_argument, NULL, 't'},
		{"tear", no_argument, NULL, 'x'},
		{"spread", required_argument, NULL, 'n'},
		{0},
	};

	for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
		switch (c) {
		case 'r':
			options.redis_path = optarg;
			break;
		case 'c':
			options.channel = optarg;
			break;
		case 'm':
			options.joined = strcmp(optarg, "joined") == 0;
			break;
		case 's':
			options.sndbuf = (int)strtol(optarg, NULL, 10);
			break;
		case 'd':
			options.drop = strtoul(optarg, NULL, 10);
			break;
		case 't':
			options.twice = strtoul(optarg, NULL, 10);
			break;
		case 'n':
			options.spread = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'x':
			options.tear = true;
			break;
		default:
			usage();
		}
	}
	if (options.redis_path == NULL || options.channel == NULL || options.spread == 0 ||
	    (options.joined && options.spread > 1))
		usage();
}

static void turn(const struct epoll_event *event)
{
	switch (event->data.u64) {
	case FD_LISTENER:
		accept_readers();
		break;
	case FD_REDIS:
		hear_redis();
		break;
	case FD_STDIN:
		exit(0); /* the bench is done, or gone */
	default:
		reader_turn((struct reader *)(uintptr_t)event->data.u64, event->events);
	}
}

int main(int argc, char **argv)
{
	struct epoll_event events[256];

	read_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	raise_fd_limit();
	if ((epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0)
		die("epoll_create1");
	watch(STDIN_FILENO, EPOLLIN | EPOLLHUP, FD_STDIN);
	if ((groups = calloc(options.spread, sizeof *groups)) == NULL)
		die("starting");
	watch(ear_open(options.redis_path, options.channel), EPOLLIN, FD_REDIS);
	listen_on_any_port();
	for (;;) {
		int n = epoll_wait(epoll_fd, events, 256, -1);

		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < n; i++)
			turn(&events[i]);
		bury();
	}
}
