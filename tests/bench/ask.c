/* ask.c - readers who change what they want: they send `subscribe` messages at fixed times, and every answer is looked at.
 *
 *   nw-ask --port N [--readers N] [--rate N]
 *
 * Each asks for channels of its own, other ones every time. They take turns, so one reader asks rate / readers times a second. Commands,
 * one a line, each answered by one line of JSON on stdout:
 *   begin    the first message leaves now: {"event":"asking"}
 *   end      no more leave; once all are answered, or after WAIT_MS: {"event":"asked",...}
 * {"event":"connected"} is said when all are there. End of stdin ends the program.
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
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"
#include "speech.h"

enum { READERS_MAX = 4096, HEARD_MAX = 8192, EVENTS = 256, WAIT_MS = 3000, TURN_MS = 1 };
enum { OPEN_MAX = 64 }; /* questions of one reader that wait for an answer */

struct asker {
	int fd;
	struct answer answer; /* to its handshake */
	uint32_t asked, answered;
	int64_t due_ns[OPEN_MAX]; /* when the questions that wait were to leave, by their number */
	size_t len;
	uint8_t heard[HEARD_MAX];
};

static struct asker *askers;
static unsigned readers = 200, rate = 2000, ready;
static uint16_t port;
static int poll_fd;

/* One round, from `begin` to `end`. */
static struct {
	bool on, ending;
	int64_t began_ns, ended_ns;
	uint64_t asked, answered;
	uint64_t wrong; /* answered with something else, or not in order */
	int64_t late_ns;
	struct histogram latency;
} turn;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "nw-ask: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void say(const char *line)
{
	puts(line);
	fflush(stdout);
}

/* hearing ----------------------------------------------------------------------------------- */

static void hear_message(struct asker *a, const char *text, size_t n)
{
	char wanted[64];
	int len = snprintf(wanted, sizeof wanted, "{\"type\":\"subscribed\",\"ref\":%u,",
			   a->answered + 1);

	if (n > 13 && memcmp(text, "{\"type\":\"error", 14) == 0)
		turn.wrong++;
	if (n < 20 || memcmp(text, "{\"type\":\"subscribed\"", 20) != 0)
		return;
	if (n < (size_t)len || memcmp(text, wanted, (size_t)len) != 0 || a->answered == a->asked) {
		turn.wrong++;
		return;
	}
	a->answered++;
	turn.answered++;
	histogram_add(&turn.latency, now_ns() - a->due_ns[a->answered % OPEN_MAX]);
}

/* Takes whole frames; the server's are short and never masked. */
static void take_frames(struct asker *a)
{
	size_t at = 0;

	while (a->len - at >= 4) {
		const uint8_t *f = a->heard + at;
		size_t len = f[1] & 127, head = 2;

		if (len == 126) {
			len = (size_t)f[2] << 8 | f[3];
			head = 4;
		}
		if (f[1] == 127 || head + len > HEARD_MAX) {
			fprintf(stderr, "nw-ask: a frame that is too long\n");
			exit(1);
		}
		if (a->len - at < head + len)
			break;
		hear_message(a, (const char *)f + head, len);
		at += head + len;
	}
	memmove(a->heard, a->heard + at, a->len - at);
	a->len -= at;
}

static void hear(struct asker *a)
{
	ssize_t n = recv(a->fd, a->heard + a->len, HEARD_MAX - a->len, MSG_DONTWAIT);
	const char *end, *rest;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		fail("a reader lost its server");
	a->len += (size_t)n;
	if (!a->answer.complete) {
		end = (const char *)a->heard + a->len;
		rest = speech_hear(speech_find("ws"), &a->answer, (const char *)a->heard, end);
		if (a->answer.refused)
			fail("a reader was refused");
		a->len = (size_t)(end - rest);
		memmove(a->heard, rest, a->len);
		ready += a->answer.complete;
	}
	if (a->answer.complete)
		take_frames(a);
}

/* asking ------------------------------------------------------------------------------------ */

static void connect_one(unsigned i)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct linger reset = {.l_onoff = 1};
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = i + 1};
	struct asker *a = &askers[i];
	char request[SPEECH_ASK_MAX], place[64];
	size_t n;

	snprintf(place, sizeof place, "/v1/stream?channels=ask-%u", i);
	n = speech_find("ws")->ask(request, sizeof request, place, i);
	a->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (a->fd < 0 || connect(a->fd, (struct sockaddr *)&to, sizeof to) != 0 ||
	    send(a->fd, request, n, MSG_NOSIGNAL) != (ssize_t)n ||
	    epoll_ctl(poll_fd, EPOLL_CTL_ADD, a->fd, &event) != 0)
		fail("connecting");
	setsockopt(a->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

/* `due` is when it should leave: a server that lets us wait is not excused. */
static void ask(struct asker *a, int64_t due)
{
	char text[128];
	uint8_t frame[160] = {0x81};
	unsigned number = (unsigned)(a - askers);
	int len;

	if (a->asked - a->answered == OPEN_MAX)
		fail("a reader's questions are not answered");
	a->asked++;
	a->due_ns[a->asked % OPEN_MAX] = due;
	len = snprintf(
		text, sizeof text,
		"{\"type\":\"subscribe\",\"ref\":%u,\"channels\":[\"ask-%u\",\"ask-%u-%u\"]}",
		a->asked, number, number, a->asked);
	if (len >= 126)
		fail("a question that is too long");
	frame[1] = (uint8_t)(0x80 | len); /* its mask is four zeros */
	memcpy(frame + 6, text, (size_t)len);
	if (send(a->fd, frame, 6 + (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) != 6 + len)
		fail("asking");
	turn.asked++;
}

static void ask_who_is_due(void)
{
	int64_t now = now_ns();

	for (;;) {
		int64_t due = turn.began_ns + (int64_t)(turn.asked * UINT64_C(1000000000) / rate);

		if (due > now)
			return;
		turn.late_ns = now - due > turn.late_ns ? now - due : turn.late_ns;
		ask(&askers[turn.asked % readers], due);
	}
}

static void print_asked(void)
{
	const char *comma = "";

	printf("{\"event\":\"asked\",\"asked\":%llu,\"answered\":%llu,\"wrong\":%llu,\"seconds\":%."
	       "6f,"
	       "\"late_us\":%.1f,\"latency\":[",
	       (unsigned long long)turn.asked, (unsigned long long)turn.answered,
	       (unsigned long long)turn.wrong, (double)(turn.ended_ns - turn.began_ns) / 1e9,
	       (double)turn.late_ns / 1e3);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (turn.latency.bucket[i] == 0)
			continue;
		printf("%s[%llu,%llu]", comma, (unsigned long long)histogram_top(i),
		       (unsigned long long)turn.latency.bucket[i]);
		comma = ",";
	}
	say("]}");
	turn.ending = false;
}

/* the building ------------------------------------------------------------------------------ */

static void obey(const char *line)
{
	if (strcmp(line, "begin") == 0) {
		memset(&turn, 0, sizeof turn);
		turn.began_ns = now_ns();
		turn.on = true;
		say("{\"event\":\"asking\"}");
	} else if (strcmp(line, "end") == 0 && turn.on) {
		turn.on = false;
		turn.ending = true;
		turn.ended_ns = now_ns();
	} else {
		fprintf(stderr, "nw-ask: what is \"%s\"?\n", line);
		exit(2);
	}
}

static void hear_commands(void)
{
	static char line[64];

	if (fgets(line, sizeof line, stdin) == NULL)
		exit(0);
	line[strcspn(line, "\n")] = '\0';
	obey(line);
}

static void read_options(int argc, char **argv)
{
	static const struct option table[] = {{"port", required_argument, NULL, 'p'},
					      {"readers", required_argument, NULL, 'n'},
					      {"rate", required_argument, NULL, 'r'},
					      {0}};

	for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
		unsigned long n = c == '?' ? 0 : strtoul(optarg, NULL, 10);

		if (c == 'p')
			port = (uint16_t)n;
		else if (c == 'n')
			readers = (unsigned)n;
		else
			rate = (unsigned)n;
	}
	if (port == 0 || readers == 0 || readers > READERS_MAX || rate == 0) {
		fprintf(stderr, "usage: nw-ask --port N [--readers N] [--rate N]\n");
		exit(2);
	}
}

/* Whatever came within a millisecond. */
static void wait_a_turn(void)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(poll_fd, events, EVENTS, turn.on || turn.ending ? TURN_MS : -1);

	if (n < 0 && errno != EINTR)
		fail("epoll_wait");
	for (int i = 0; i < n; i++)
		if (events[i].data.u32 == 0)
			hear_commands();
		else
			hear(&askers[events[i].data.u32 - 1]);
}

int main(int argc, char **argv)
{
	struct epoll_event on_stdin = {.events = EPOLLIN};

	read_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdin, NULL, _IONBF, 0);
	askers = calloc(readers, sizeof *askers);
	poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (askers == NULL || poll_fd < 0 ||
	    epoll_ctl(poll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &on_stdin) != 0)
		fail("starting");
	for (unsigned i = 0; i < readers; i++)
		connect_one(i);
	while (ready < readers)
		wait_a_turn();
	say("{\"event\":\"connected\"}");
	for (;;) {
		wait_a_turn();
		if (turn.on)
			ask_who_is_due();
		if (turn.ending && (turn.answered + turn.wrong >= turn.asked ||
				    now_ns() - turn.ended_ns > WAIT_MS * INT64_C(1000000)))
			print_asked();
	}
}
