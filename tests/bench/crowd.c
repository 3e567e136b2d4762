/* crowd.c - thousands of readers that look at nothing but marks: see crowd.h. */
#include "crowd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "frames.h"
#include "marks.h"

#define READ_BYTES (256 << 10)

/* Readers of one loopback address. connect() looks at every second port of the kernel's 28,000 first, and
 * when those are taken it walks over all of them each time: the server would starve for connections. */
#define READERS_PER_ADDRESS 8192

/* A reader that is away tries again after so long, unless the server named another time. */
enum { RETRY_MS = 100, LOOK_MS = 10, CURSOR_SIZE = 64, CURSOR_WITHIN = 160 };

enum reader_state {
	CONNECTING,
	ASKED,	  /* the request is out */
	ANSWERED, /* the answer is complete */
	READY,
	RESTING, /* away: waits before it comes back */
	CLOSED,
};

/* What a reader needs to come back. */
struct way {
	char cursor[CURSOR_SIZE]; /* of the last whole message; "": none came yet */
	int64_t due_ns;
	uint32_t wait_ms;
	bool away; /* was ready once, and is not now */
};

struct reader {
	int fd;
	uint8_t state; /* enum reader_state */
	struct answer answer;
	struct marks marks;
	struct frames frames;
	uint32_t
		next; /* number of the message that should come now; a step further is kind.spread */
	struct way *way; /* NULL: it does not come back */
};

struct crowd crowd;

static int poll_fd;
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
static int bind_to_address(int fd, unsigned number)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	int on = 1;

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number / READERS_PER_ADDRESS);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	return bind(fd, (struct sockaddr *)&from, sizeof from);
}

/* The first message from crowd.first on that reader number `number` gets. */
static uint32_t first_message_for(unsigned number)
{
	unsigned spread = crowd.kind.spread;

	return crowd.first + (number % spread + spread - crowd.first % spread) % spread;
}

static int reader_dial(unsigned index)
{
	struct reader *r = &readers[index];
	struct linger reset = {.l_onoff = 1}; /* closing leaves no TIME_WAIT behind */
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				    .data.u64 = CROWD_TAG + index};

	r->state = CONNECTING;
	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (r->fd < 0 || bind_to_address(r->fd, crowd.kind.base + index) != 0)
		return -1;
	setsockopt(r->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	if (connect(r->fd, (struct sockaddr *)&crowd.kind.server, sizeof crowd.kind.server) != 0 &&
	    errno != EINPROGRESS)
		return -1;
	return epoll_ctl(poll_fd, EPOLL_CTL_ADD, r->fd, &event);
}

static int reader_open(unsigned index)
{
	struct reader *r = &readers[index];

	r->next = first_message_for(crowd.kind.base + index);
	if (crowd.kind.speech->resumes && (r->way = calloc(1, sizeof *r->way)) == NULL)
		return -1;
	return reader_dial(index);
}

/* Keeps a bounded number of handshakes under way. A bench that cannot open its sockets is over. */
static void open_more(void)
{
	while (crowd.opened < crowd.wanted &&
	       crowd.opened - crowd.ready - crowd.closed - crowd.failed - crowd.away <
		       crowd.batch) {
		if (reader_open(crowd.opened) != 0) {
			perror("nw-load: opening a reader");
			exit(1);
		}
		crowd.opened++;
	}
}

/* Its connection ended: it will be back. */
static void reader_rests(struct reader *r)
{
	struct way *way = r->way;

	if (way->away)
		crowd.refused++;
	else
		crowd.away++;
	crowd.ready -= r->state == READY;
	way->away = true;
	way->due_ns = now_ns() + (int64_t)(way->wait_ms ? way->wait_ms : RETRY_MS) * 1000000;
	way->wait_ms = 0;
	close(r->fd);
	frames_free(&r->frames);
	r->answer = (struct answer){0};
	r->marks = (struct marks){0};
	r->state = RESTING;
}

static void reader_lost_its_server(struct reader *r)
{
	if (r->state == CLOSED || r->state == RESTING)
		return;
	if (r->way != NULL && r->way->cursor[0] != '\0') {
		reader_rests(r);
		return;
	}
	if (r->state == READY) {
		crowd.ready--;
		crowd.closed++;
	} else {
		crowd.failed++;
	}
	close(r->fd);
	frames_free(&r->frames);
	r->state = CLOSED;
	open_more();
}

typedef size_t ask(char *out, size_t room, const char *place, unsigned reader);

#define SINCE "&since="

/* Writes a question. 0 or -1. */
static int reader_writes(struct reader *r, ask *question)
{
	const struct crowd_kind *kind = &crowd.kind;
	unsigned number = kind->base + (unsigned)(r - readers);
	char place[CROWD_PLACE + 16 + CURSOR_SIZE + sizeof SINCE];
	char request[SPEECH_ASK_MAX];
	size_t n;

	n = speech_name(place, CROWD_PLACE + 16, kind->place,
			kind->spread > 1 ? number % kind->spread : number);
	if (r->way != NULL && r->way->cursor[0] != '\0')
		snprintf(place + n, sizeof place - n, SINCE "%s", r->way->cursor);
	n = question(request, sizeof request, place, number);
	return n > 0 && send(r->fd, request, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -1;
}

static void reader_ask(struct reader *r)
{
	if (reader_writes(r, crowd.kind.speech->ask) == 0)
		r->state = ASKED;
	else
		reader_lost_its_server(r);
}

static const char *reader_hear_answer(struct reader *r, const char *bytes, const char *end)
{
	const char *rest = speech_hear(crowd.kind.speech, &r->answer, bytes, end);

	if (r->answer.refused) {
		if (crowd.failed == 0)
			fprintf(stderr, "nw-load: a reader was answered: %.*s\n",
				(int)(end - bytes < 400 ? end - bytes : 400), bytes);
		reader_lost_its_server(r);
	} else if (r->answer.complete) {
		ask *on = crowd.kind.speech->ask_on;

		r->state = ANSWERED;
		if (on != NULL && reader_writes(r, on) != 0)
			reader_lost_its_server(r);
	}
	return rest;
}

static void reader_is_ready(struct reader *r)
{
	r->state = READY;
	crowd.ready++;
	if (r->way != NULL && r->way->away) {
		r->way->away = false;
		crowd.away--;
		crowd.returned++;
	}
	open_more();
}

/* listening --------------------------------------------------------------------------------- */

static void reader_got(void *who, int64_t sent_ns, uint32_t number)
{
	struct reader *r = who;
	struct flight *f;

	if (number - crowd.first >= crowd.count)
		return; /* of an earlier round */
	if (number < r->next || (number - r->next) % crowd.kind.spread != 0) {
		crowd.doubled++;
		return;
	}
	crowd.lost += (number - r->next) / crowd.kind.spread;
	r->next = number + crowd.kind.spread;
	crowd.delivered++;
	histogram_add(&crowd.latency, chunk_ns - sent_ns);

	f = &crowd.flights[number - crowd.first];
	if (f->readers++ == 0) {
		f->sent_ns = sent_ns;
		f->first_ns = chunk_ns;
	}
	f->last_ns = chunk_ns;
}

/* Where a value stands in the head of a message, behind its name with a colon; NULL: nowhere. */
static const char *value_in(const char *text, size_t n, const char *name)
{
	const char *at = memmem(text, n < CURSOR_WITHIN ? n : CURSOR_WITHIN, name, strlen(name));

	return at == NULL ? NULL : at + strlen(name);
}

/* A whole message: where it puts the reader, and when it should come back if this is a goodbye. */
static void way_notes(struct way *way, const char *text, size_t n)
{
	const char *cursor = value_in(text, n, "\"cursor\":\"");
	const char *retry = cursor == NULL ? value_in(text, n, "\"retry_ms\":") : NULL;
	const char *end = cursor == NULL ? NULL : memchr(cursor, '"', n - (size_t)(cursor - text));

	if (end != NULL && end - cursor < CURSOR_SIZE) {
		memcpy(way->cursor, cursor, (size_t)(end - cursor));
		way->cursor[end - cursor] = '\0';
	}
	for (; retry != NULL && retry < text + n && *retry >= '0' && *retry <= '9'; retry++)
		way->wait_ms = way->wait_ms * 10 + (uint32_t)(*retry - '0');
}

static void reader_reads(void *who, const char *text, size_t n)
{
	struct reader *r = who;

	if (r->way != NULL)
		way_notes(r->way, text, n);
	marks_scan(&r->marks, text, n, reader_got, r);
}

static void reader_takes(struct reader *r, const char *bytes, size_t n)
{
	switch (crowd.kind.speech->text) {
	case SPEECH_PLAIN:
		reader_reads(r, bytes, n);
		return;
	case SPEECH_FRAMES:
		frames_take(&r->frames, bytes, n, reader_reads, r);
		return;
	case SPEECH_PIECES:
		frames_take_pieces(&r->frames, bytes, n, reader_reads, r);
		return;
	}
}

/* To the server's question whether anybody is there. */
static void reader_reply(struct reader *r)
{
	const char *reply = crowd.kind.speech->reply;

	if (send(r->fd, reply, strlen(reply), MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		reader_lost_its_server(r);
}

static void reader_hear(struct reader *r, const char *bytes, size_t n)
{
	const char *end = bytes + n;

	if (r->state == ASKED)
		bytes = reader_hear_answer(r, bytes, end);
	if (r->state == ANSWERED && (bytes < end || !crowd.kind.speech->greets))
		reader_is_ready(r);
	if (bytes == end || r->state == CLOSED || r->state == RESTING)
		return;
	crowd.bytes += (uint64_t)(end - bytes);
	reader_takes(r, bytes, (size_t)(end - bytes));
	if (speech_is_asked(crowd.kind.speech, bytes, (size_t)(end - bytes)))
		reader_reply(r);
}

/* Edge-triggered: a short read means that there is no more now, unless the server has hung up behind it. */
static void reader_drain(struct reader *r, bool hung_up)
{
	ssize_t n;

	do {
		n = recv(r->fd, chunk, sizeof chunk, 0);
		chunk_ns = now_ns();
		if (n == 0 || (n < 0 && errno != EAGAIN))
			reader_lost_its_server(r);
		else if (n > 0)
			reader_hear(r, chunk, (size_t)n);
	} while ((n == (ssize_t)sizeof chunk || (hung_up && n > 0)) && r->state != CLOSED &&
		 r->state != RESTING);
}

void crowd_turn(uint64_t tag, uint32_t events)
{
	struct reader *r = &readers[tag - CROWD_TAG];

	if (r->state == CONNECTING && (events & EPOLLOUT))
		reader_ask(r);
	if (r->state != CLOSED && r->state != RESTING &&
	    (events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP | EPOLLERR)))
		reader_drain(r, events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR));
}

int crowd_come_back(void)
{
	int64_t now = now_ns();

	if (crowd.away == 0)
		return -1;
	for (unsigned i = 0; i < crowd.opened; i++)
		if (readers[i].state == RESTING && readers[i].way->due_ns <= now &&
		    reader_dial(i) != 0) {
			perror("nw-load: opening a reader again");
			exit(1);
		}
	return LOOK_MS;
}

/* rounds ------------------------------------------------------------------------------------ */

void crowd_open(int epoll_fd, const struct crowd_kind *kind)
{
	poll_fd = epoll_fd;
	crowd.kind = *kind;
}

int crowd_connect(unsigned n, unsigned batch)
{
	struct reader *grown = realloc(readers, (crowd.wanted + n) * sizeof *readers);

	if (grown == NULL)
		return -1;
	readers = grown;
	memset(&readers[crowd.wanted], 0, n * sizeof *readers);
	crowd.wanted += n;
	crowd.batch = batch;
	open_more();
	return 0;
}

void crowd_drop(void)
{
	for (unsigned i = 0; i < crowd.opened; i++) {
		if (readers[i].state != CLOSED && readers[i].state != RESTING)
			close(readers[i].fd);
		frames_free(&readers[i].frames);
		free(readers[i].way);
		readers[i].way = NULL;
		readers[i].state = CLOSED; /* events of this turn may still name it */
	}
	crowd.wanted = crowd.opened = crowd.ready = crowd.failed = crowd.closed = crowd.away = 0;
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
	crowd.returned = crowd.refused = 0;
	memset(&crowd.latency, 0, sizeof crowd.latency);
	for (unsigned i = 0; i < crowd.opened; i++)
		readers[i].next = first_message_for(crowd.kind.base + i);
	return 0;
}

bool crowd_is_served(void)
{
	return crowd.wanted > 0 && crowd.away == 0 &&
	       crowd.delivered + crowd.lost >=
		       (uint64_t)crowd.ready * (crowd.count / crowd.kind.spread);
}

void crowd_finish(void)
{
	unsigned spread = crowd.kind.spread;
	uint32_t end = crowd.first + crowd.count;

	for (unsigned i = 0; i < crowd.opened; i++)
		for (; readers[i].next < end; readers[i].next += spread)
			crowd.lost++;
}
