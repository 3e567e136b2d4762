/* micro.c - the hot paths, each alone, for callgrind to count the instructions of: tests/bench/micro/run does that.
 *
 *     nw-micro PATH SAMPLES        runs one of them once, inside measured(); SAMPLES is tests/samples
 *     nw-micro --list              each with how many units one run is
 *
 * The server's own floors are linked; what lies beneath them is left out: a line takes every byte, and the wire is one
 * that never reaches a Redis.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "news/item.h"
#include "news/message.h"
#include "news/post.h"
#include "reader/reader.h"
#include "wire/wire.h"

enum { READERS = 1000, RUNS = 100, MESSAGE_MAX = 4096 };

static uv_loop_t loop;
static struct wire *wire;
static struct readers *readers;
static struct reader *reader[READERS];
static struct post *post;
static struct subscription *narrow[RUNS];
static struct post *wanted[RUNS];
static char message[MESSAGE_MAX];
static size_t message_len;
static char sample[NEWSWIRE_MAX_ITEM];
static size_t sample_len;

/* --- a worker without a door and without a Redis ----------------------------------------------- */

static enum line_result take(void *line, const uint8_t *bytes, size_t len)
{
	(void)line;
	(void)bytes;
	(void)len;
	return LINE_SENT;
}

static void ignore(void *line)
{
	(void)line;
}

static void ignore_close(void *line, enum close_why why, bool blocked)
{
	(void)line;
	(void)why;
	(void)blocked;
}

static bool never(const void *line)
{
	(void)line;
	return false;
}

static const struct reader_line door = {.size = 1,
					.write = take,
					.expect = ignore,
					.want_turn = ignore,
					.close = ignore_close,
					.was_let_go = never};

static void hear_post(void *arg, struct post *p)
{
	(void)arg;
	(void)p;
}

static void hear_head(void *arg, struct wire_id head)
{
	(void)arg;
	(void)head;
}

static void hear_withdrawal(void *arg, const struct post *withdrawal)
{
	(void)arg;
	readers_withdrawn(readers, withdrawal);
}

static struct reader *open_reader(const char *channels)
{
	struct subscription_fault fault;
	struct subscription *s = subscription_read(channels, NULL, NULL, NULL, &fault);
	struct reader *r;

	MUST(s != NULL);
	r = reader_open(readers, FORMAT_WEBSOCKET, "", s, NULL);
	MUST(r != NULL);
	return r;
}

static void open_worker(void)
{
	static const struct wire_events events = {hear_post, ignore,	ignore,
						  hear_head, hear_post, hear_withdrawal};
	static struct redis_place place = {.unix_path = (char *)"/nowhere"};
	static const struct wire_options wire_options = {
		.prefix = "micro", .backlog_bytes = 1 << 20, .retention_ms = 1000};
	static const struct readers_options options = {.tick_ms = 25000,
						       .lines = {[FORMAT_WEBSOCKET] = &door}};

	MUST(uv_loop_init(&loop) == 0);
	MUST((wire = wire_open(&loop, &place, &wire_options, &events, NULL)) != NULL);
	MUST((readers = readers_new(wire, &options)) != NULL);
}

/* `differ`: each has a channel of its own besides. */
static void open_readers(bool differ)
{
	char channels[64] = "world";

	open_worker();
	for (int i = 0; i < READERS; i++) {
		if (differ)
			snprintf(channels, sizeof channels, "world,reader-%d", i);
		reader[i] = open_reader(channels);
	}
}

/* As `newswire:out` brings it: half a kilobyte. */
static void write_message(const char *channels)
{
	char text[401];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	message_len = (size_t)snprintf(
		message, sizeof message,
		"1 e1 1700000000000-1 1700000000000-0\n{\"action\":\"publish\",\"uri\":\"urn:a\","
		"\"version\":\"1\",\"class\":\"regular\",\"channels\":\"%s\",\"was\":\"\",\"lang\":"
		"\"en\",\"type\":\"text\"}\n{\"uri\":\"urn:a\",\"version\":\"1\",\"headlines\":["
		"{\"value\":\"%s\"}]}",
		channels, text);
}

static void make_post(const char *channels)
{
	write_message(channels);
	MUST((post = post_read(message, message_len)) != NULL);
	MUST(post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL) != NULL);
}

static void tell(void)
{
	readers_post(readers, post);
	readers_tick(readers);
}

/* --- the paths ---------------------------------------------------------------------------------- */

static void set_up_one_audience(void)
{
	open_readers(false);
	make_post("class:regular feed:all lang:en type:text world");
	tell();
}

static void set_up_many_audiences(void)
{
	open_readers(true);
	make_post("class:regular feed:all lang:en type:text world");
	tell();
}

static void set_up_other_audiences(void)
{
	open_readers(true);
	make_post("class:regular feed:all lang:en sport type:text");
	tell();
}

/* Prefixes of three lengths, of which the post's channels have the first letters. */
static void set_up_prefixes(void)
{
	char channels[64];

	open_worker();
	for (int i = 0; i < READERS; i++) {
		snprintf(channels, sizeof channels, "topic:1%d*", i);
		reader[i] = open_reader(channels);
	}
	make_post("class:regular feed:all lang:en topic:20000337 type:text world");
	tell();
}

/* Comparing texts takes longer where they cross a page of memory. So there are many of them, all over the place. */
static void set_up_match(void)
{
	struct subscription_fault fault;

	for (int i = 0; i < RUNS; i++) {
		make_post("class:regular feed:all lang:en type:text world");
		wanted[i] = post;
		MUST(malloc((size_t)i * 88 + 24) != NULL);
		narrow[i] = subscription_read("sport,business,culture,world", "flash,regular",
					      "de,en", "picture,text", &fault);
		MUST(narrow[i] != NULL);
	}
}

static void match(void)
{
	for (int i = 0; i < RUNS; i++)
		MUST(subscription_match(narrow[i], wanted[i]) == MATCH_FULL);
}

static void set_up_opening(void)
{
	open_worker();
	reader[0] = open_reader("world"); /* its audience is there */
	reader_gone(open_reader("world"));
}

static void open_and_leave(void)
{
	for (int i = 1; i < READERS; i++)
		reader[i] = open_reader("world");
	for (int i = 1; i < READERS; i++)
		reader_gone(reader[i]);
}

static void set_up_message(void)
{
	write_message("class:regular feed:all lang:en type:text world");
}

static void read_and_frame(void)
{
	for (int i = 0; i < RUNS; i++) {
		struct post *p = post_read(message, message_len);

		MUST(p != NULL && post_frame(p, FORMAT_WEBSOCKET, MATCH_FULL) != NULL);
		post_drop(p);
	}
}

static void read_items(void)
{
	for (int i = 0; i < RUNS; i++) {
		struct item_report report;
		struct item *item = item_read(sample, sample_len, NEWSWIRE_MAX_ITEM, NULL, &report);

		MUST(item != NULL);
		item_free(item);
	}
}

static void read_subscribes(void)
{
	static const char text[] = "{\"type\":\"subscribe\",\"ref\":7,\"channels\":[\"world\","
				   "\"sport\"],\"class\":[\"flash\"],\"since\":\"e1:5-6\"}";

	for (int i = 0; i < RUNS; i++) {
		struct client_message m;
		struct message_fault fault;

		MUST(message_read(text, sizeof text - 1, &m, &fault) == 0);
		subscription_free(m.subscription);
	}
}

static char subscribes[READERS][128];

/* Each wants something of his own besides, as he did before. */
static void set_up_subscribes(void)
{
	open_readers(true);
	for (int i = 0; i < READERS; i++)
		snprintf(subscribes[i], sizeof subscribes[i],
			 "{\"type\":\"subscribe\",\"ref\":7,\"channels\":[\"world\",\"other-%d\"]}",
			 i);
}

static void hear_subscribes(void)
{
	for (int i = 0; i < READERS; i++)
		reader_hear(reader[i], subscribes[i], strlen(subscribes[i]));
}

static const struct path {
	const char *name;
	unsigned units;
	const char *unit;
	const char *sample;   /* file of SAMPLES that is read before, or NULL */
	void (*set_up)(void); /* NULL: a run that is not counted */
	void (*run)(void);
} paths[] = {
	{"fan-out, one audience", READERS, "reader", NULL, set_up_one_audience, tell},
	{"fan-out, an audience each", READERS, "reader", NULL, set_up_many_audiences, tell},
	{"a post for none of 1,000 audiences", 1, "post", NULL, set_up_other_audiences, tell},
	{"a post for none of 1,000 prefixes", 1, "post", NULL, set_up_prefixes, tell},
	{"a narrow subscription is matched", RUNS, "match", NULL, set_up_match, match},
	{"a reader comes and goes", READERS - 1, "reader", NULL, set_up_opening, open_and_leave},
	{"a post is read and framed", RUNS, "post", NULL, set_up_message, read_and_frame},
	{"a subscribe among 1,000 readers", READERS, "subscribe", NULL, set_up_subscribes,
	 hear_subscribes},
	{"a subscribe is read", RUNS, "message", NULL, NULL, read_subscribes},
	{"an item is read: story", RUNS, "item", "01-story.json", NULL, read_items},
	{"an item is read: flash", RUNS, "item", "03-flash.json", NULL, read_items},
	{"an item is read: Superdesk's", RUNS, "item", "08-superdesk-dialect.json", NULL,
	 read_items},
};

/* So that a function stays one, under its name. Clang makes no copies that would have to be forbidden. */
#if __has_attribute(noclone)
#define ALONE __attribute__((noinline, noclone))
#else
#define ALONE __attribute__((noinline))
#endif

/* What callgrind counts. */
ALONE void measured(void (*run)(void));
void measured(void (*run)(void))
{
	run();
	__asm__ volatile(""); /* so that it is no tail call: counting ends when it returns */
}

static int list(void)
{
	for (size_t i = 0; i < COUNT_OF(paths); i++)
		printf("%s\t%u\t%s\n", paths[i].name, paths[i].units, paths[i].unit);
	return 0;
}

static void read_sample(const char *directory, const char *name)
{
	char file_name[1024];
	FILE *file;

	snprintf(file_name, sizeof file_name, "%s/%s", directory, name);
	MUST((file = fopen(file_name, "re")) != NULL);
	sample_len = fread(sample, 1, sizeof sample, file);
	fclose(file);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list();
	if (ARENA_IS_WATCHED) {
		fprintf(stderr, "nw-micro: built with a sanitizer, this means nothing\n");
		return 2;
	}
	for (size_t i = 0; argc == 3 && i < COUNT_OF(paths); i++) {
		if (strcmp(paths[i].name, argv[1]) != 0)
			continue;
		if (paths[i].sample)
			read_sample(argv[2], paths[i].sample);
		(paths[i].set_up ? paths[i].set_up : paths[i].run)();
		measured(paths[i].run);
		return 0;
	}
	fprintf(stderr, "usage: nw-micro PATH SAMPLES | --list\n");
	return 2;
}
