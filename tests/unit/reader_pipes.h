/* reader_pipes.h - what the tests of the readers' floor share: a wire that moves when a sentence says so, and connections whose kernel
 * takes what a sentence lets it take.
 *
 * Each test has readers and a backlog of its own (setup, teardown); what is theirs stands in the variables here.
 */
#ifndef NEWSWIRE_TESTS_READER_PIPES_H
#define NEWSWIRE_TESTS_READER_PIPES_H

#include "cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/counters.h"
#include "reader/reader_own.h"
#include "wire/presence.h"
#include "wire/tally.h"

enum { PIPES = 3, HEARD = 2000, TEXT = 4 << 20, FOR_EVER = 1 << 30 };

/* --- the wire --------------------------------------------------------------------------------- */

static struct {
	struct backlog *backlog;
	struct wire_id head;
	history_cb *asked; /* who waits for a page of history */
	void *arg;
} wire;

struct wire_id wire_head(const struct wire *w)
{
	(void)w;
	return wire.head;
}

const char *wire_epoch(const struct wire *w)
{
	(void)w;
	return "e1";
}

const struct backlog *wire_backlog(const struct wire *w)
{
	(void)w;
	return wire.backlog;
}

struct tallies *wire_tallies(const struct wire *w)
{
	(void)w;
	return NULL;
}

/* What was last said of a post's readers. */
static struct told {
	uint64_t seq;
	uint32_t behind;
} told;

void tallies_add(struct tallies *t, const struct post *post, uint32_t readers, uint32_t behind,
		 uint64_t when_ms)
{
	(void)t;
	(void)readers;
	(void)when_ms;
	if (readers + behind > 0)
		told = (struct told){post->id.seq, behind};
}

struct presence *wire_presence(const struct wire *w)
{
	(void)w;
	return NULL;
}

void presence_set(struct presence *p, const char *channel, uint32_t readers)
{
	(void)p;
	(void)channel;
	(void)readers;
}

bool presence_take_change(struct presence *p, char channel[PRESENCE_NAME_MAX + 1])
{
	(void)p;
	(void)channel;
	return false;
}

uint64_t presence_total(const struct presence *p, const char *channel)
{
	(void)p;
	(void)channel;
	return 0;
}

bool presence_is_current(const struct presence *p)
{
	(void)p;
	return false;
}

struct history *history_new(struct wire *w)
{
	(void)w;
	return (struct history *)&wire;
}

void history_free(struct history *h)
{
	(void)h;
}

struct history_page *history_find(struct history *h, struct wire_id after)
{
	(void)h;
	(void)after;
	return NULL;
}

int history_ask(struct history *h, struct wire_id after, history_cb *cb, void *arg)
{
	(void)h;
	(void)after;
	wire.asked = cb;
	wire.arg = arg;
	return 0;
}

void history_forget(struct history *h, void *arg)
{
	(void)h;
	(void)arg;
	wire.asked = NULL;
}

void history_hear(struct history *h, const struct post *post)
{
	(void)h;
	(void)post;
}

void history_drop_all(struct history *h)
{
	(void)h;
}

/* --- connections ------------------------------------------------------------------------------ */

/* A connection whose kernel takes so many bytes more. */
struct pipe {
	struct reader *reader;
	size_t room;
	char *text; /* what arrived, and behind it what waits in the door's library */
	size_t arrived, len;
	bool wants_turn;
	bool dead; /* as the next write finds out */
	bool let_go;
	bool gone;
	enum close_why why;
};

static struct pipe pipes[PIPES];
static struct readers *all;

static inline struct pipe *pipe_of(const void *line)
{
	struct pipe *p;

	memcpy(&p, line, sizeof p);
	return p;
}

static inline size_t arrive(struct pipe *p, size_t len)
{
	size_t some = len < p->room ? len : p->room;

	p->arrived += some;
	p->room -= some;
	return some;
}

static inline ssize_t write_some(void *line, const uint8_t *bytes, size_t len)
{
	struct pipe *p = pipe_of(line);
	size_t some = len < p->room ? len : p->room;

	if (p->dead)
		return -1;
	assert_int_equal(p->arrived, p->len); /* nothing waits */
	assert_true(p->len + some <= TEXT);
	memcpy(p->text + p->len, bytes, some);
	p->len += some;
	arrive(p, some);
	return (ssize_t)some;
}

static inline enum line_result write_all(void *line, const uint8_t *bytes, size_t len)
{
	struct pipe *p = pipe_of(line);

	if (p->dead)
		return LINE_DEAD;
	assert_int_equal(p->arrived, p->len);
	assert_true(p->len + len <= TEXT);
	memcpy(p->text + p->len, bytes, len);
	p->len += len;
	return arrive(p, len) == len ? LINE_SENT : LINE_PARTIAL;
}

static inline enum line_result write_rest(void *line, const uint8_t *bytes, size_t len, size_t at)
{
	return write_all(line, bytes + at, len - at);
}

static inline void expect_write(void *line)
{
	(void)line;
}

static inline void want_turn(void *line)
{
	pipe_of(line)->wants_turn = true;
}

static inline void close_line(void *line, enum close_why why, bool blocked)
{
	struct pipe *p = pipe_of(line);

	(void)blocked;
	p->why = why;
	p->gone = true;
	reader_gone(p->reader);
}

static inline bool was_let_go(const void *line)
{
	return pipe_of(line)->let_go;
}

static const struct reader_line door = {.size = sizeof(struct pipe *),
					.write = write_all,
					.expect = expect_write,
					.want_turn = want_turn,
					.close = close_line,
					.write_some = write_some,
					.write_rest = write_rest,
					.was_let_go = was_let_go};

/* The client reads so many bytes. */
static inline void give_room(struct pipe *p, size_t room)
{
	p->room += room;
	for (;;) {
		arrive(p, p->len - p->arrived);
		if (p->arrived < p->len || p->room == 0 || !p->wants_turn)
			return;
		p->wants_turn = false;
		reader_turn(p->reader);
	}
}

static inline struct pipe *open_as(int i, enum format format, bool early, const char *channels,
				   const struct cursor *since)
{
	struct pipe *p = &pipes[i];
	struct subscription_fault fault;
	struct subscription *s = subscription_read(channels, NULL, NULL, NULL, &fault);

	assert_non_null(s);
	assert_int_equal(subscription_ahead(s, early ? "1" : NULL, &fault), 0);
	p->room = FOR_EVER;
	p->reader = reader_open(all, format, &p, s, since);
	assert_non_null(p->reader);
	return p;
}

static inline struct pipe *open_reader(int i, bool early)
{
	return open_as(i, FORMAT_WEBSOCKET, early, "world", NULL);
}

static inline void stop_reading(struct pipe *p)
{
	p->room = 0;
}

/* --- news ------------------------------------------------------------------------------------- */

static inline void publish_item(const char *action, const char *class, const char *uri, int version,
				size_t size)
{
	struct buf b = {0};
	struct post *post;

	wire.head.seq++;
	buf_addf(&b,
		 "1 e1 1700000000000-%llu 0-0\n{\"action\":\"%s\",\"uri\":\"%s\",\"version\":"
		 "\"%d\",\"class\":\"%s\",\"channels\":\"world\",\"was\":\"world\"}\n",
		 (unsigned long long)wire.head.seq, action, uri, version, class);
	if (strcmp(action, "kill") != 0) {
		buf_addf(&b, "{\"uri\":\"%s\",\"version\":\"%d\",\"text\":\"", uri, version);
		while (size-- > 0)
			buf_addc(&b, 'x');
		buf_adds(&b, "\"}");
	}
	post = post_read(b.data, b.len);
	assert_non_null(post);
	buf_free(&b);
	assert_int_equal(backlog_append(wire.backlog, post), 0);
	readers_post(all, post);
	post_drop(post);
}

static inline void publish(const char *action, const char *class, const char *uri, int version)
{
	publish_item(action, class, uri, version, 1000);
	readers_tick(all);
}

/* Stories of a kilobyte that nobody hurries for. */
static inline void publish_stories(int count)
{
	char uri[32];

	for (int i = 0; i < count; i++) {
		snprintf(uri, sizeof uri, "urn:story:%llu", (unsigned long long)wire.head.seq + 1);
		publish("publish", "regular", uri, 1);
	}
}

/* --- what arrived ----------------------------------------------------------------------------- */

/* The messages of a WebSocket that arrived whole, as texts. */
struct heard {
	int count;
	char *text[HEARD];
};

static inline void hear(const struct pipe *p, struct heard *h)
{
	const uint8_t *at = (const uint8_t *)p->text, *end = at + p->arrived;

	h->count = 0;
	while (end - at >= 2) {
		size_t len = at[1], head = 2;

		assert_int_equal(at[0], 0x81);
		if (len == 126) {
			len = (size_t)at[2] << 8 | at[3];
			head = 4;
		}
		assert_true(len < 127 || head == 4);
		if ((size_t)(end - at) < head + len)
			return;
		assert_true(h->count < HEARD);
		h->text[h->count++] = strndup((const char *)at + head, len);
		at += head + len;
	}
}

static inline void free_heard(struct heard *h)
{
	while (h->count > 0)
		free(h->text[--h->count]);
}

/* How many messages that arrived have this in them. */
static inline int count_heard(const struct pipe *p, const char *what)
{
	struct heard h;
	int n = 0;

	hear(p, &h);
	for (int i = 0; i < h.count; i++)
		n += strstr(h.text[i], what) != NULL;
	free_heard(&h);
	return n;
}

/* --- the stage -------------------------------------------------------------------------------- */

static inline int setup(void **state)
{
	static const struct readers_options options = {
		.tick_ms = 1000,
		.lag_bytes = LAG_BYTES,
		.lag_time_ms = LAG_TIME_MS,
		.lines = {[FORMAT_WEBSOCKET] = &door, [FORMAT_EVENT] = &door}};

	(void)state;
	memset(&wire, 0, sizeof wire);
	wire.head.ms = 1700000000000;
	wire.backlog = backlog_new(64 << 20);
	backlog_reset(wire.backlog, wire.head);
	all = readers_new((struct wire *)&wire, &options);
	readers_epoch(all);
	for (int i = 0; i < PIPES; i++)
		pipes[i] = (struct pipe){.text = malloc(TEXT)};
	counters_mine->value[COUNTER_AHEAD_SENT] = counters_mine->value[COUNTER_AHEAD_LEFT_OUT] = 0;
	counters_mine->value[COUNTER_DELIVERIES] = 0;
	return all == NULL || wire.backlog == NULL;
}

static inline int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < PIPES; i++) {
		if (pipes[i].reader != NULL && !pipes[i].gone)
			reader_gone(pipes[i].reader);
		free(pipes[i].text);
	}
	readers_free(all);
	backlog_free(wire.backlog);
	return 0;
}

#endif
