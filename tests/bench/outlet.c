/* outlet.c - where a message is published: see outlet.h. The table, and HTTP, NATS and MQTT over a TCP connection. */
#include "outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEADER_MAX 512
#define PARTS	   3 /* of a message: header, text, trailer */

struct outlet_count outlet_count;

static int tcp = -1;
static unsigned matched; /* bytes of the answer that is waited for */

static void fail(const char *what)
{
	fprintf(stderr, "nw-publish: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* tcp --------------------------------------------------------------------------------------- */

static int open_tcp(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
	int on = 1;

	tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (tcp < 0 || connect(tcp, (struct sockaddr *)&address, sizeof address) != 0)
		fail("connecting");
	setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	fcntl(tcp, F_SETFL, O_NONBLOCK);
	return tcp;
}

static void advance(struct iovec *parts, size_t n)
{
	for (int i = 0; i < PARTS; i++) {
		size_t taken = n < parts[i].iov_len ? n : parts[i].iov_len;

		parts[i].iov_base = (char *)parts[i].iov_base + taken;
		parts[i].iov_len -= taken;
		n -= taken;
	}
}

/* All in one write, if the socket takes it; waits until it has. */
static void write_all(const char *header, size_t header_len, const char *text, size_t n,
		      const char *trailer)
{
	struct iovec parts[PARTS] = {{(void *)(uintptr_t)header, header_len},
				     {(void *)(uintptr_t)text, n},
				     {(void *)(uintptr_t)trailer, strlen(trailer)}};

	while (parts[0].iov_len + parts[1].iov_len + parts[2].iov_len > 0) {
		ssize_t sent = writev(tcp, parts, PARTS);

		if (sent < 0 && errno != EAGAIN)
			fail("publishing");
		if (sent < 0)
			poll(&(struct pollfd){.fd = tcp, .events = POLLOUT}, 1, -1);
		else
			advance(parts, (size_t)sent);
	}
}

/* Reads what came, and returns how often `sign` was in it, wherever reads cut it. */
static unsigned hear_sign(const char *sign, size_t sign_len)
{
	char bytes[16 << 10];
	unsigned found = 0;
	ssize_t n;

	while ((n = recv(tcp, bytes, sizeof bytes, 0)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			matched = bytes[i] == sign[matched] ? matched + 1 : bytes[i] == sign[0];
			found += matched == sign_len;
			matched = matched == sign_len ? 0 : matched;
		}
	}
	if (n == 0)
		errno = ECONNRESET;
	if (n == 0 || errno != EAGAIN)
		fail("hearing the server");
	return found;
}

/* http -------------------------------------------------------------------------------------- */

static void publish_http(const char *place, const char *text, size_t n)
{
	char header[HEADER_MAX];
	int header_len = snprintf(header, sizeof header,
				  "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
				  "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
				  place, n);

	write_all(header, (size_t)header_len, text, n, "");
	outlet_count.published++;
}

/* A refusal has another first digit, and is missed at the end. */
static void hear_http(void)
{
	outlet_count.answered += hear_sign("HTTP/1.1 2", 10);
}

/* nats -------------------------------------------------------------------------------------- */

static int open_nats(const char *port)
{
	static const char hello[] = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n";
	int fd = open_tcp(port);

	write_all(hello, sizeof hello - 1, NULL, 0, "");
	return fd;
}

static void publish_nats(const char *subject, const char *text, size_t n)
{
	char framed[HEADER_MAX];
	size_t header_len = (size_t)snprintf(framed, sizeof framed, "PUB %s %zu\r\n", subject, n);

	write_all(framed, header_len, text, n, "\r\n");
	outlet_count.published++;
}

static void finish_nats(void)
{
	write_all("PING\r\n", 6, NULL, 0, "");
}

static void hear_nats(void)
{
	if (hear_sign("PONG\r\n", 6) > 0)
		outlet_count.answered = outlet_count.published;
}

/* mqtt -------------------------------------------------------------------------------------- */

static int open_mqtt(const char *port)
{
	static const char hello[] = "\x10\x15\x00\x04MQTT\x04\x02\x00\x00\x00\x09publisher";
	int fd = open_tcp(port);

	write_all(hello, sizeof hello - 1, NULL, 0, "");
	return fd;
}

static void publish_mqtt(const char *topic, const char *text, size_t n)
{
	char header[HEADER_MAX];
	size_t topic_len = strlen(topic);
	size_t rest = 2 + topic_len + n;
	size_t at = 0;

	header[at++] = 0x30;
	do {
		header[at++] = (char)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
		rest >>= 7;
	} while (rest > 0);
	header[at++] = (char)(topic_len >> 8);
	header[at++] = (char)topic_len;
	memcpy(header + at, topic, topic_len); // NOLINT(bugprone-not-null-terminated-result)
	write_all(header, at + topic_len, text, n, "");
	outlet_count.published++;
}

static void finish_mqtt(void)
{
	write_all("\xc0\x00", 2, NULL, 0, ""); /* PINGREQ */
}

/* CONNACK, then PINGRESP. */
static void hear_mqtt(void)
{
	if (hear_sign("\xd0\x00", 2) > 0)
		outlet_count.answered = outlet_count.published;
}

/* zmtp -------------------------------------------------------------------------------------- */

/* ZMTP 3.0 without security, as a PUSH socket; done when the other side is ready as well. */
static int open_zmtp(const char *port)
{
	static const char greeting[64] = "\xff\0\0\0\0\0\0\0\0\x7f\x03\0NULL";
	static const char ready[] = "\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PUSH";
	int fd = open_tcp(port);

	write_all(greeting, sizeof greeting, ready, sizeof ready - 1, "");
	while (hear_sign("\x05READY", 6) == 0)
		poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1);
	return fd;
}

/* A message of one long frame; J says that it is JSON. There is one channel, which the text names. */
static void publish_zmtp(const char *channel, const char *text, size_t n)
{
	char header[10] = {0x02};
	size_t length = n + 1;

	(void)channel;
	for (int i = 0; i < 8; i++)
		header[1 + i] = (char)(length >> 8 * (7 - i));
	header[9] = 'J';
	write_all(header, sizeof header, text, n, "");
	outlet_count.answered = ++outlet_count.published;
}

static void hear_nothing(void)
{
}

/* the table --------------------------------------------------------------------------------- */

static void finish_nothing(void)
{
}

const struct outlet outlet_http = {"http", open_tcp, publish_http, finish_nothing, hear_http};
const struct outlet outlet_nats = {"nats", open_nats, publish_nats, finish_nats, hear_nats};
const struct outlet outlet_mqtt = {"mqtt", open_mqtt, publish_mqtt, finish_mqtt, hear_mqtt};

const struct outlet outlet_zmtp = {"zmtp", open_zmtp, publish_zmtp, finish_nothing, hear_nothing};

const struct outlet *outlet_find(const char *name)
{
	static const struct outlet *const outlets[] = {&outlet_redis, &outlet_http, &outlet_nats,
						       &outlet_mqtt, &outlet_zmtp};

	for (size_t i = 0; i < sizeof outlets / sizeof *outlets; i++)
		if (strcmp(outlets[i]->name, name) == 0)
			return outlets[i];
	return NULL;
}
