/* publish.c - the newsroom's side of the bench: publishes marked messages at a fixed rate.
 *
 *   nw-publish --to redis|http|nats|mqtt|zmtp --at PATH|PORT --channel NAME --shape item|text|grip
 *              --frame BYTES[-BYTES] [--envelope BYTES] --first NUMBER --count N --rate PER_SECOND [--spread N]
 *              [--patience MS] [--items FILE]
 *
 * Open loop: message i leaves at start + i / rate, whatever became of those before it. It does not
 * wait for answers, and asks for real-time priority, so that the readers' process on the same core cannot
 * delay it (it goes on without when that is not allowed).
 *
 * A message of shape `item` is a ninjs 3.1 item for newswired, one of shape `text` is plain text, `grip` is that
 * as pushpin wants to be told of it. Each carries one mark (marks.h). --frame says how long it is when it reaches a reader, and --envelope how much of that the
 * server adds; of a range the length is drawn by the message's number, small ones more often, the same for
 * every server. With --spread N the number of the channel, message number modulo N, stands for {} in its name.
 *
 * With --items, messages are its lines in turn, whatever shape and frame say; @MARK@ and @URI@ in them stand for a mark and a
 * uri of the message's own.
 *
 * Prints {"published":…,"answered":…,"unheard":…,"late_us":…} when the server has answered all, or when patience
 * ends after the last: `unheard` reached no subscriber, `late_us` is how late the latest left.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "marks.h"
#include "outlet.h"
#include "speech.h"

#define SECOND_NS   INT64_C(1000000000)
#define MESSAGE_MAX (64 << 10)
#define CHANNEL_MAX 256

static struct {
	const struct outlet *outlet;
	const char *where;
	const char *channel;
	const struct shape *shape;
	unsigned frame_least, frame_most;
	int envelope;
	unsigned first, count, spread;
	double rate;
	int64_t patience_ms;
} options = {.frame_least = 512,
	     .frame_most = 512,
	     .count = 1,
	     .spread = 1,
	     .rate = 10,
	     .patience_ms = 10000};

static char text[MESSAGE_MAX + 1];

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND_NS + t.tv_nsec;
}

static void sleep_until(int64_t ns)
{
	struct timespec t = {.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* Between 0 and 1, the same for a number each time (the finaliser of MurmurHash3). */
static double fraction(unsigned number)
{
	uint32_t h = number + 1;

	h = (h ^ (h >> 16)) * 0x85ebca6b;
	h = (h ^ (h >> 13)) * 0xc2b2ae35;
	return (double)(h ^ (h >> 16)) / 4294967296.0;
}

static size_t bytes_of(unsigned number)
{
	double least = options.frame_least;

	return (size_t)(least * pow(options.frame_most / least, fraction(number)) + 0.5) -
	       (size_t)options.envelope;
}

/* What stands around the mark and the words that fill the message up. */
struct shape {
	const char *name;
	int (*begin)(char *out, size_t room, unsigned number);
	const char *end;
};

/* The uri differs from run to run, or an older run's item would be the same story. */
static int begin_item(char *out, size_t room, unsigned number)
{
	return snprintf(out, room,
			"{\"uri\":\"urn:bench:%07d:%07u\",\"version\":\"1\",\"type\":\"text\","
			"\"urgency\":4,\"headlines\":[{\"value\":\"",
			(int)getpid(), number);
}

static int begin_text(char *out, size_t room, unsigned number)
{
	(void)out;
	(void)room;
	(void)number;
	return 0;
}

/* For the channel that pushpin's own test resource subscribes its readers to. */
static int begin_grip(char *out, size_t room, unsigned number)
{
	(void)number;
	return snprintf(out, room,
			"{\"channel\":\"test\",\"formats\":{\"ws-message\":{\"content\":\"");
}

static const struct shape shapes[] = {
	{"item", begin_item, "\"}]}"},
	{"text", begin_text, ""},
	{"grip", begin_grip, "\"}}}"},
};

static const struct shape *shape_find(const char *name)
{
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		if (strcmp(shapes[i].name, name) == 0)
			return &shapes[i];
	return NULL;
}

/* The lines of --items. */
static char *lines[64];
static unsigned line_count;

static void read_items(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t cap;

	if (file == NULL) {
		perror(path);
		exit(1);
	}
	while (line_count < sizeof lines / sizeof *lines) {
		cap = 0;
		if (getline(&lines[line_count], &cap, file) <= 0)
			break;
		lines[line_count][strcspn(lines[line_count], "\n")] = '\0';
		line_count++;
	}
	fclose(file);
}

/* Writes the next line into text[], with a mark and a uri of its own; returns its length. */
static size_t compose_line(unsigned number, int64_t sent_ns)
{
	size_t used = 0;

	for (const char *at = lines[number % line_count]; *at != '\0' && used < MESSAGE_MAX - 64;) {
		if (strncmp(at, "@MARK@", 6) == 0)
			used += (size_t)snprintf(text + used, sizeof text - used, MARK_FORMAT,
						 (long long)sent_ns, number);
		else if (strncmp(at, "@URI@", 5) == 0)
			used += (size_t)snprintf(text + used, sizeof text - used,
						 "urn:bench:%07d:%07u", (int)getpid(), number);
		else {
			text[used++] = *at++;
			continue;
		}
		at += at[1] == 'M' ? 6 : 5;
	}
	text[used] = '\0';
	return used;
}

/* Writes the message into text[]; returns its length, which is more than asked for if its shape needs more. */
static size_t compose(unsigned number, int64_t sent_ns)
{
	static const char words[] = "The quick brown fox jumps over the lazy dog and goes on. ";
	const struct shape *shape = options.shape;
	size_t end = strlen(shape->end);
	size_t bytes = bytes_of(number);
	size_t used;

	used = (size_t)shape->begin(text, sizeof text, number);
	used += (size_t)snprintf(text + used, sizeof text - used, MARK_FORMAT " ",
				 (long long)sent_ns, number);
	for (size_t i = 0; used + end < bytes; i++)
		text[used++] = words[i % (sizeof words - 1)];
	memcpy(text + used, shape->end, end + 1);
	return used + end;
}

static void publish(unsigned number)
{
	char channel[CHANNEL_MAX];
	size_t n = line_count > 0 ? compose_line(number, now_ns()) : compose(number, now_ns());

	speech_name(channel, sizeof channel, options.channel, number % options.spread);
	options.outlet->publish(channel, text, n);
	options.outlet->hear();
}

/* Until all are answered, or patience ends. */
static void wait_for_answers(int fd)
{
	int64_t end = now_ns() + options.patience_ms * 1000000;
	int64_t left;

	options.outlet->finish();
	while (outlet_count.answered < options.count && (left = end - now_ns()) > 0) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (poll(&p, 1, (int)(left / 1000000) + 1) > 0)
			options.outlet->hear();
	}
}

static _Noreturn void usage(void)
{
	fprintf(stderr,
		"usage: nw-publish --to redis|http|nats|mqtt|zmtp --at PATH|PORT --channel NAME\n"
		"                  --shape item|text|grip --frame BYTES[-BYTES] [--envelope "
		"BYTES]\n"
		"                  --first NUMBER --count N --rate PER_SECOND [--spread N]\n"
		"                  [--patience MS] [--items FILE]\n");
	exit(2);
}

static void read_frame(const char *value)
{
	char *end;

	options.frame_least = options.frame_most = (unsigned)strtoul(value, &end, 10);
	if (*end == '-')
		options.frame_most = (unsigned)strtoul(end + 1, NULL, 10);
}

static void read_option(int c, const char *value)
{
	switch (c) {
	case 't':
		options.outlet = outlet_find(value);
		break;
	case 'a':
		options.where = value;
		break;
	case 'c':
		options.channel = value;
		break;
	case 's':
		options.shape = shape_find(value);
		break;
	case 'b':
		read_frame(value);
		break;
	case 'e':
		options.envelope = (int)strtol(value, NULL, 10);
		break;
	case 'f':
		options.first = (unsigned)strtoul(value, NULL, 10);
		break;
	case 'n':
		options.count = (unsigned)strtoul(value, NULL, 10);
		break;
	case 'p':
		options.rate = strtod(value, NULL);
		break;
	case 'm':
		options.spread = (unsigned)strtoul(value, NULL, 10);
		break;
	case 'w':
		options.patience_ms = (int64_t)strtoul(value, NULL, 10);
		break;
	case 'i':
		read_items(value);
		break;
	default:
		usage();
	}
}

static void read_options(int argc, char **argv)
{
	static const struct option table[] = {
		{"to", required_argument, NULL, 't'},
		{"at", required_argument, NULL, 'a'},
		{"channel", required_argument, NULL, 'c'},
		{"shape", required_argument, NULL, 's'},
		{"frame", required_argument, NULL, 'b'},
		{"envelope", required_argument, NULL, 'e'},
		{"first", required_argument, NULL, 'f'},
		{"count", required_argument, NULL, 'n'},
		{"rate", required_argument, NULL, 'p'},
		{"spread", required_argument, NULL, 'm'},
		{"patience", required_argument, NULL, 'w'},
		{"items", required_argument, NULL, 'i'},
		{0},
	};

	for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;)
		read_option(c, optarg);
	if (options.where == NULL || options.channel == NULL || options.rate <= 0 ||
	    options.spread == 0 || options.frame_least == 0 ||
	    (int)options.frame_least <= options.envelope || options.frame_most > MESSAGE_MAX)
		usage();
}

int main(int argc, char **argv)
{
	int64_t start;
	int64_t latest = 0;
	int fd;

	read_options(argc, argv);
	if (options.outlet == NULL || options.shape == NULL)
		usage();
	fd = options.outlet->open(options.where);
	sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
	start = now_ns();
	for (unsigned i = 0; i < options.count; i++) {
		int64_t due = start + (int64_t)(i * (double)SECOND_NS / options.rate);
		int64_t late;

		sleep_until(due);
		late = now_ns() - due;
		latest = late > latest ? late : latest;
		publish(options.first + i);
	}
	wait_for_answers(fd);
	printf("{\"published\":%u,\"answered\":%u,\"unheard\":%u,\"late_us\":%lld}\n",
	       outlet_count.published, outlet_count.answered, outlet_count.unheard,
	       (long long)latest / 1000);
	return 0;
}
