/* load.c - the readers' side of the bench: a crowd of readers, told what to do on stdin.
 *
 *   nw-load --port N [--speak ws|ws-deflate|ws-resuming|ws-mute|centrifuge|sse|sse-gzip|stream|nats|redis|mqtt] [--place /v1/stream?channels=bench]
 *           [--base N] [--spread N]
 *
 * The place is a path, a subject or a topic; crowd.h says what {} in it, base and spread mean.
 * Commands, one a line, each answered by one line of JSON on stdout:
 *   connect N BATCH     N more readers, BATCH handshakes at once; answered when all are ready or refused
 *   expect FIRST COUNT  messages FIRST .. FIRST + COUNT - 1 will be published: {"event":"expecting"} at
 *                       once, {"event":"done",...} when every reader has had all of them
 *   stop                no more will come: {"event":"done",...} now, what is missing counts as lost
 *   drop                every reader hangs up
 *   place TEXT          where readers go from now on
 * End of stdin ends the program.
 *
 * It does not use libnewswire, which keeps a cursor, a timer and a parsed JSON document for every message of every reader:
 * that would measure this side. It also speaks the protocols of the servers beside newswired, and must know nothing of
 * what it measures. `newswire bench`, a first look and no measurement, is made of the library.
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
#include <time.h>
#include <unistd.h>

#include "crowd.h"

#define EVENTS 1024

static bool connecting; /* an answer to `connect` is owed */
static bool expecting;	/* a `done` is owed */

static double connect_began;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void answer(const char *line)
{
	puts(line);
	fflush(stdout);
}

static void fail(const char *what)
{
	fprintf(stderr, "nw-load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* results ----------------------------------------------------------------------------------- */

/* The latencies: [microseconds at most, how many] of each bucket that has any. */
static void print_latencies(void)
{
	const struct histogram *h = &crowd.latency;
	const char *comma = "";

	printf(",\"latency\":[");
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (h->bucket[i] == 0)
			continue;
		printf("%s[%llu,%llu]", comma, (unsigned long long)histogram_top(i),
		       (unsigned long long)h->bucket[i]);
		comma = ",";
	}
	printf("]");
}

/* Every message: microseconds from its send to its first and to its last reader, null if it reached nobody;
 * and between which seconds of the monotonic clock all that was. */
static void print_flights(void)
{
	int64_t begin = INT64_MAX;
	int64_t end = 0;

	printf(",\"flights\":[");
	for (uint32_t i = 0; i < crowd.count; i++) {
		const struct flight *f = &crowd.flights[i];

		printf(i > 0 ? "," : "");
		if (f->readers == 0) {
			printf("null");
			continue;
		}
		printf("[%.1f,%.1f]", (double)(f->first_ns - f->sent_ns) / 1e3,
		       (double)(f->last_ns - f->sent_ns) / 1e3);
		begin = f->sent_ns < begin ? f->sent_ns : begin;
		end = f->last_ns > end ? f->last_ns : end;
	}
	printf("],\"began\":%.6f,\"ended\":%.6f", end > 0 ? (double)begin / 1e9 : 0,
	       (double)end / 1e9);
}

static void print_done(void)
{
	crowd_finish();
	printf("{\"event\":\"done\",\"readers\":%u,\"messages\":%u,\"deliveries\":%llu,"
	       "\"lost\":%llu,\"doubled\":%llu,\"closed\":%u,\"returned\":%llu,"
	       "\"refused\":%llu,\"bytes\":%llu",
	       crowd.ready, crowd.count, (unsigned long long)crowd.delivered,
	       (unsigned long long)crowd.lost, (unsigned long long)crowd.doubled, crowd.closed,
	       (unsigned long long)crowd.returned, (unsigned long long)crowd.refused,
	       (unsigned long long)crowd.bytes);
	print_latencies();
	print_flights();
	answer("}");
	expecting = false;
}

static void print_connected(void)
{
	char line[160];

	snprintf(line, sizeof line,
		 "{\"event\":\"connected\",\"readers\":%u,\"failed\":%u,\"began\":%.6f,"
		 "\"ended\":%.6f}",
		 crowd.ready, crowd.failed, connect_began, now());
	answer(line);
	connecting = false;
}

/* commands ---------------------------------------------------------------------------------- */

static void obey(const char *line)
{
	unsigned n, other;

	// NOLINTBEGIN(cert-err34-c): the bench wrote it
	if (sscanf(line, "connect %u %u", &n, &other) == 2) {
		connecting = true;
		connect_began = now();
		if (crowd_connect(n, other) != 0)
			fail("connect");
	} else if (sscanf(line, "expect %u %u", &other, &n) == 2) {
		if (crowd_expect(other, n) != 0)
			fail("expect");
		expecting = true;
		answer("{\"event\":\"expecting\"}");
	} else if (strcmp(line, "stop") == 0) {
		if (expecting)
			print_done();
	} else if (strcmp(line, "drop") == 0) {
		crowd_drop();
		answer("{\"event\":\"dropped\"}");
	} else if (sscanf(line, "place %255[^\n]", crowd.kind.place) == 1) {
		answer("{\"event\":\"placed\"}");
	} else {
		fprintf(stderr, "nw-load: what is \"%s\"?\n", line);
		exit(2);
	}
	// NOLINTEND(cert-err34-c)
}

static void hear_commands(void)
{
	static char text[512];
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

static _Noreturn void usage(void)
{
	fprintf(stderr, "usage: nw-load --port N [--speak PROTOCOL] [--place TEXT] [--base N] "
			"[--spread N]\n");
	exit(2);
}

static void read_options(int argc, char **argv, struct crowd_kind *kind)
{
	static const struct option table[] = {
		{"port", required_argument, NULL, 'p'},	  {"speak", required_argument, NULL, 's'},
		{"place", required_argument, NULL, 'u'},  {"base", required_argument, NULL, 'b'},
		{"spread", required_argument, NULL, 'n'}, {0},
	};

	for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
		if (c == 'p')
			kind->server.sin_port = htons((uint16_t)strtoul(optarg, NULL, 10));
		else if (c == 's')
			kind->speech = speech_find(optarg);
		else if (c == 'u')
			snprintf(kind->place, sizeof kind->place, "%s", optarg);
		else if (c == 'b')
			kind->base = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'n')
			kind->spread = (unsigned)strtoul(optarg, NULL, 10);
		else
			usage();
	}
	if (kind->server.sin_port == 0 || kind->speech == NULL || kind->spread == 0)
		usage();
}

static void turn(uint64_t tag, uint32_t events)
{
	if (tag >= CROWD_TAG)
		crowd_turn(tag, events);
	else
		hear_commands();
}

int main(int argc, char **argv)
{
	struct crowd_kind kind = {
		.server = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
		.speech = speech_find("ws"),
		.place = "/v1/stream?channels=bench",
		.spread = 1,
	};
	struct epoll_event on_stdin = {.events = EPOLLIN};
	static struct epoll_event events[EVENTS];
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	read_options(argc, argv, &kind);
	signal(SIGPIPE, SIG_IGN);
	raise_fd_limit();
	if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &on_stdin) != 0)
		fail("starting");
	crowd_open(epoll_fd, &kind);
	for (;;) {
		int n = epoll_wait(epoll_fd, events, EVENTS, crowd_come_back());

		if (n < 0 && errno != EINTR)
			fail("epoll_wait");
		for (int i = 0; i < n; i++)
			turn(events[i].data.u64, events[i].events);
		if (connecting && crowd.ready + crowd.closed + crowd.failed >= crowd.wanted)
			print_connected();
		if (expecting && !connecting && crowd_is_served())
			print_done();
	}
}
