/* crowd.c - thousands of WebSocket readers that look at nothing but marks: see crowd.h. */
#include "crowd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "marks.h"

#define READ_BYTES (256 << 10)

/* Readers of one loopback address. connect() looks at every second port of the kernel's 28,000 first, and
 * when those are taken it walks over all of them each time: the server would starve for connections. */
#define READERS_PER_ADDRESS 8192

/* The example of RFC 6455, so that every answer can be checked for the same value. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

enum reader_state {
	CONNECTING,
	ASKED,	  /* the request is out */
	ANSWERED, /* the 101 is complete */
	READY,
	CLOSED,
};

struct reader {
	int fd;
	uint8_t state;	 /* enum reader_state */
	uint8_t matched; /* of the blank line that ends the answer's headers */
	struct marks marks;
	uint32_t next; /* number of the message that should come now */
};

struct crowd crowd;

static int poll_fd;
static struct sockaddr_in address;
static char request[512];
static struct reader *readers; /* [crowd.wanted] */
static char chunk[READ_BYTES];
static int64_t chunk_ns; /* when it was received */

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* connecting -------------------------------------------------------------------------------- */

/* 127.0.0.1 for the first, then 127.0.0.2 …; the port is chosen by connect(). */
static int bind_to_address(int fd, unsigned index)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	int on = 1;

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + index / READERS_PER_ADDRESS);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	return bind(fd, (struct sockaddr *)&from, sizeof from);
}

static int reader_open(unsigned index)
{
	struct reader *r = &readers[index];
	struct linger reset = {.l_onoff = 1}; /* closing leaves no TIME_WAIT behind */
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				    .data.u64 = CROWD_TAG + index};

	r->next = crowd.first;
	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (r->fd < 0 || bind_to_address(r->fd, index) != 0)
		return -1;
	setsockopt(r->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	if (connect(r->fd, (struct sockaddr *)&address, sizeof address) != 0 &&
	    errno != EINPROGRESS)
		return -1;
	return epoll_ctl(poll_fd, EPOLL_CTL_ADD, r->fd, &event);
}

/* Keeps a bounded number of handshakes under way. A bench that cannot open its sockets is over. */
static void open_more(void)
{
	while (crowd.opened < crowd.wanted &&
	       crowd.opened - crowd.ready - crowd.closed - crowd.failed < CROWD_BATCH) {
		if (reader_open(crowd.opened) != 0) {
			perror("nw-load: opening a reader");
			exit(1);
		}
		crowd.opened++;
	}
}

static void reader_lost_its_server(struct reader *r)
{
	if (r->state == CLOSED)
		return;
	if (r->state == READY) {
		crowd.ready--;
		crowd.closed++;
	} else {
		crowd.failed++;
	}
	close(r->fd);
	r->state = CLOSED;
	open_more();
}

/* Looks for the blank line after the headers, which may be cut anywhere. Returns what follows. */
static const char *after_headers(struct reader *r, const char *bytes, const char *end)
{
	static const char blank[] = "\r\n\r\n";

	while (bytes < end && r->matched < 4) {
		r->matched =
			(uint8_t)(*bytes == blank[r->matched] ? r->matched + 1 : *bytes == '\r');
		bytes++;
	}
	return bytes;
}

/* The answer to the request. A server sends its status line and headers in one piece; one that
 * cuts them in the middle of the key is not one to measure. */
static const char *reader_hear_answer(struct reader *r, const char *bytes, const char *end)
{
	size_t n = (size_t)(end - bytes);

	if (r->matched == 0 && (memmem(bytes, n, "HTTP/1.1 101", 12) != bytes ||
				memmem(bytes, n, ACCEPT, strlen(ACCEPT)) == NULL)) {
		if (crowd.failed == 0)
			fprintf(stderr, "nw-load: a reader was answered: %.*s\n",
				(int)(n < 400 ? n : 400), bytes);
		reader_lost_its_server(r);
		return end;
	}
	bytes = after_headers(r, bytes, end);
	if (r->matched == 4)
		r->state = ANSWERED;
	return bytes;
}

/* listening --------------------------------------------------------------------------------- */

static void reader_got(void *who, int64_t sent_ns, uint32_t number)
{
	struct reader *r = who;
	struct flight *f;

	if (number - crowd.first >= crowd.count)
		return; /* of an earlier round */
	if (number < r->next) {
		crowd.doubled++;
		return;
	}
	crowd.lost += number - r->next;
	r->next = number + 1;
	crowd.delivered++;
	histogram_add(&crowd.latency, chunk_ns - sent_ns);

	f = &crowd.flights[number - crowd.first];
	if (f->readers++ == 0) {
		f->sent_ns = sent_ns;
		f->first_ns = chunk_ns;
	}
	f->last_ns = chunk_ns;
}

static void reader_hear(struct reader *r, const char *bytes, size_t n)
{
	const char *end = bytes + n;

	if (r->state == ASKED)
		bytes = reader_hear_answer(r, bytes, end);
	if (bytes == end || r->state == CLOSED)
		return;
	if (r->state == ANSWERED) {
		r->state = READY;
		crowd.ready++;
		open_more();
	}
	crowd.bytes += (uint64_t)(end - bytes);
	marks_scan(&r->marks, bytes, (size_t)(end - bytes), reader_got, r);
}

/* Edge-triggered: a short read means that there is no more now. */
static void reader_drain(struct reader *r)
{
	ssize_t n;

	do {
		n = recv(r->fd, chunk, sizeof chunk, 0);
		chunk_ns = now_ns();
		if (n == 0 || (n < 0 && errno != EAGAIN))
			reader_lost_its_server(r);
		else if (n > 0)
			reader_hear(r, chunk, (size_t)n);
	} while (n == (ssize_t)sizeof chunk && r->state != CLOSED);
}

void crowd_turn(uint64_t tag, uint32_t events)
{
	struct reader *r = &readers[tag - CROWD_TAG];

	if (r->state == CONNECTING && (events & EPOLLOUT)) {
		size_t n = strlen(request);

		if (send(r->fd, request, n, MSG_NOSIGNAL) != (ssize_t)n) {
			reader_lost_its_server(r);
			return;
		}
		r->state = ASKED;
	}
	if (r->state != CLOSED && (events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP | EPOLLERR)))
		reader_drain(r);
}

/* rounds ------------------------------------------------------------------------------------ */

int crowd_open(int epoll_fd, const struct sockaddr_in *server, const char *path)
{
	int n;

	poll_fd = epoll_fd;
	address = *server;
	n = snprintf(request, sizeof request,
		     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
		     "Connection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n"
		     "Sec-WebSocket-Version: 13\r\n\r\n",
		     path, ntohs(server->sin_port));
	return n < (int)sizeof request ? 0 : -1;
}

int crowd_connect(unsigned n)
{
	struct reader *grown = realloc(readers, (crowd.wanted + n) * sizeof *readers);

	if (grown == NULL)
		return -1;
	readers = grown;
	memset(&readers[crowd.wanted], 0, n * sizeof *readers);
	crowd.wanted += n;
	open_more();
	return 0;
}

int crowd_expect(uint32_t first, uint32_t count)
{
	struct flight *flights = calloc(count > 0 ? count : 1, sizeof *flights);

	if (flights == NULL)
		return -1;
	free(crowd.flights);
	crowd.flights = flights;
	crowd.first = first;
	crowd.count = count;
	crowd.delivered = crowd.lost = crowd.doubled = crowd.bytes = 0;
	memset(&crowd.latency, 0, sizeof crowd.latency);
	for (unsigned i = 0; i < crowd.opened; i++)
		readers[i].next = first;
	return 0;
}

bool crowd_is_served(void)
{
	return crowd.delivered + crowd.lost >= (uint64_t)crowd.ready * crowd.count;
}

void crowd_finish(void)
{
	for (unsigned i = 0; i < crowd.opened; i++) {
		crowd.lost += crowd.first + crowd.count - readers[i].next;
		readers[i].next = crowd.first + crowd.count;
	}
}
