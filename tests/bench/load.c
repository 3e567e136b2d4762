/* load.c - the readers' side of the bench: a crowd of WebSocket readers, told what to do on stdin.
 *
 *   nw-load --port N [--path /v1/stream?channels=bench]
 *
 * Commands, one a line, each answered by one line of JSON on stdout:
 *   connect N           N more readers; answered when all are ready or refused
 *   expect FIRST COUNT  messages FIRST .. FIRST + COUNT - 1 will be published:
 * {"event":"expecting"} at once, {"event":"done",…} when every reader has had all of them stop no
 * more will come: {"event":"done",…} now, what is missing counts as lost End of stdin ends the
 * program.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crowd.h"

#define EVENTS 1024

static bool connecting; /* an answer to `connect` is owed */
static bool expecting;	/* a `done` is owed */

static void fail(const char *what)
{
	fprintf(stderr, "nw-load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* results ----------------------------------------------------------------------------------- */

/* The time from a message's send to its first and its last reader, over all messages that reached
 * anybody. */
static void gather_flights(struct histogram *first, struct histogram *last, double *seconds)
{
	int64_t begin = INT64_MAX;
	int64_t end = 0;

	for (uint32_t i = 0; i < crowd.count; i++) {
		const struct flight *f = &crowd.flights[i];

		if (f->readers == 0)
			continue;
		histogram_add(first, f->first_ns - f->sent_ns);
		histogram_add(last, f->last_ns - f->sent_ns);
		if (f->sent_ns < begin)
			begin = f->sent_ns;
		if (f->last_ns > end)
			end = f->last_ns;
	}
	*seconds = end > begin ? (double)(end - begin) / 1e9 : 0;
}

static void print_quantiles(const char *name, const struct histogram *h)
{
	printf(",\"%s\":{\"mean\":%.1f,\"p50\":%llu,\"p90\":%llu,\"p99\":%llu,\"p999\":%llu,"
	       "\"max\":%llu}",
	       name, histogram_mean(h), (unsigned long long)histogram_quantile(h, 0.5),
	       (unsigned long long)histogram_quantile(h, 0.9),
	       (unsigned long long)histogram_quantile(h, 0.99),
	       (unsigned long long)histogram_quantile(h, 0.999), (unsigned long long)h->max_us);
}

static void print_done(void)
{
	static struct histogram first, last;
	double seconds;

	memset(&first, 0, sizeof first);
	memset(&last, 0, sizeof last);
	crowd_finish();
	gather_flights(&first, &last, &seconds);
	printf("{\"event\":\"done\",\"readers\":%u,\"messages\":%u,\"deliveries\":%llu,"
	       "\"lost\":%llu,\"doubled\":%llu,\"closed\":%u,\"bytes\":%llu,\"seconds\":%.6f",
	       crowd.ready, crowd.count, (unsigned long long)crowd.delivered,
	       (unsigned long long)crowd.lost, (unsigned long long)crowd.doubled, crowd.closed,
	       (unsigned long long)crowd.bytes, seconds);
	print_quantiles("latency_us", &crowd.latency);
	print_quantiles("first_us", &first);
	print_quantiles("last_us", &last);
	printf("}\n");
	fflush(stdout);
	expecting = false;
}

static void print_connected(void)
{
	printf("{\"event\":\"connected\",\"readers\":%u,\"failed\":%u}\n", crowd.ready,
	       crowd.failed);
	fflush(stdout);
	connecting = false;
}

/* commands ---------------------------------------------------------------------------------- */

static void obey(const char *line)
{
	unsigned n, first;

	if (sscanf(line, "connect %u", &n) == 1) { // NOLINT(cert-err34-c): run.mjs wrote it
		if (crowd_connect(n) != 0)
			fail("connect");
		connecting = true;
	} else if (sscanf(line, "expect %u %u", &first, &n) == 2) { // NOLINT(cert-err34-c)
		if (crowd_expect(first, n) != 0)
			fail("expect");
		expecting = true;
		printf("{\"event\":\"expecting\"}\n");
		fflush(stdout);
	} else if (strcmp(line, "stop") == 0) {
		if (expecting)
			print_done();
	} else {
		fprintf(stderr, "nw-load: what is \"%s\"?\n", line);
		exit(2);
	}
}

static void hear_commands(void)
{
	static char text[256];
	static size_t had;
	ssize_t n = read(STDIN_FILENO, text + had, sizeof text - 1 - had);
	char *end;

	if (n <= 0)
		exit(0);
	had += (size_t)n;
	while ((end = memchr(text, '\n', had)) != NULL) {
		*end++ = '\0';
		obey(text);
		had -= (size_t)(end - text);
		memmove(text, end, had);
	}
}

/* the building ------------------------------------------------------------------------------ */

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
	fprintf(stderr, "usage: nw-load --port N [--path PATH]\n");
	exit(2);
}

static void read_options(int argc, char **argv, struct sockaddr_in *server, const char **path)
{
	static const struct option table[] = {
		{"port", required_argument, NULL, 'p'},
		{"path", required_argument, NULL, 'u'},
		{0},
	};

	for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
		if (c == 'p')
			server->sin_port = htons((uint16_t)strtoul(optarg, NULL, 10));
		else if (c == 'u')
			*path = optarg;
		else
			usage();
	}
	if (server->sin_port == 0)
		usage();
}

int main(int argc, char **argv)
{
	struct sockaddr_in server = {.sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const char *path = "/v1/stream?channels=bench";
	struct epoll_event on_stdin = {.events = EPOLLIN};
	static struct epoll_event events[EVENTS];
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	read_options(argc, argv, &server, &path);
	signal(SIGPIPE, SIG_IGN);
	raise_fd_limit();
	if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &on_stdin) != 0 ||
	    crowd_open(epoll_fd, &server, path) != 0)
		fail("starting");
	for (;;) {
		int n = epoll_wait(epoll_fd, events, EVENTS, -1);

		if (n < 0 && errno != EINTR)
			fail("epoll_wait");
		for (int i = 0; i < n; i++) {
			if (events[i].data.u64 >= CROWD_TAG)
				crowd_turn(events[i].data.u64, events[i].events);
			else
				hear_commands();
		}
		if (connecting && crowd.ready + crowd.closed + crowd.failed >= crowd.wanted)
			print_connected();
		if (expecting && crowd_is_served())
			print_done();
	}
}
