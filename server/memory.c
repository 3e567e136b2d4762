/* memory.c - a table of what holds memory, and how much of it at most. */
#include "memory.h"

#include <sys/resource.h>
#include "audience/audience.h"
#include "desk/desk.h"
#include "http/request.h"
#include "news/channel.h"
#include "news/format.h"
#include "option_value.h"
#include "wire/history.h"
#include "wire/queue.h"
#include "wire/shelf.h"
#include "ws/tool.h"

/* What was measured, and rounded up. */
enum {
	PROGRAM = 24 << 20,    /* the program, its libraries, and what they keep whatever happens */
	CONNECTION = 12 << 10, /* one that is read by libwebsockets; a reader is less than that */
	SESSION = 28 << 10,    /* what OpenSSL keeps for it */
	NAME = 768,	       /* a channel that one reader alone subscribes to */
	NAMES_MAX = 1 << 20,
	TIMES_READ = 32, /* JSON takes so many times its bytes while it is read */
	TIMES_SENT =
		3, /* an item on its way to Redis, in the words of the script and of the library */
	TIMES_MADE =
		5, /* an answer, what it is made of, and what buffers are larger than their bytes */
	FILES_MAX = 20000, /* a number that was tried, however high the system's limit is */
	FILES_RESERVE = 192
};

uint64_t memory_files(const struct options *o)
{
	return o->max_readers == 0 ? FILES_MAX : o->max_readers + FILES_RESERVE;
}

/* Each of them is at most one connection. */
static uint64_t connections(const struct options *o)
{
	uint64_t files = memory_files(o);
	struct rlimit r;

	/* The supervisor raises its own to the highest there is. */
	return getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_max < files ? r.rlim_max : files;
}

static uint64_t readers(const struct options *o)
{
	uint64_t most = connections(o);

	return o->max_readers > 0 && o->max_readers < most ? o->max_readers : most;
}

uint64_t memory_names(const struct options *o)
{
	/* Whoever changes what he reads has both for a moment. */
	uint64_t names = (readers(o) + 1) * CHANNEL_SET_MAX;

	return names < NAMES_MAX ? names : NAMES_MAX;
}

/* Its text, and a frame of it for every format. */
static uint64_t in_every_format(uint64_t text)
{
	return text * (1 + FORMAT_COUNT);
}

static uint64_t program(const struct options *o)
{
	(void)o;
	return PROGRAM;
}

static uint64_t backlog(const struct options *o)
{
	return o->backlog;
}

static uint64_t lag_memory(const struct options *o)
{
	return o->lag_memory;
}

static uint64_t answer_memory(const struct options *o)
{
	return o->answer_memory;
}

static uint64_t all_connections(const struct options *o)
{
	return connections(o) * (CONNECTION + (*o->tls_cert ? SESSION : 0));
}

static uint64_t subscriptions(const struct options *o)
{
	return memory_names(o) * NAME;
}

static uint64_t older_posts(const struct options *o)
{
	(void)o;
	return in_every_format(HISTORY_PAGES * (uint64_t)HISTORY_PAGE_BYTES);
}

static uint64_t offers(const struct options *o)
{
	(void)o;
	return QUEUE_BYTES + in_every_format(AUDIENCE_OWED_MAX);
}

static uint64_t bodies(const struct options *o)
{
	(void)o;
	return REQUEST_BODIES_MAX;
}

static uint64_t tools(const struct options *o)
{
	(void)o;
	return TOOLS_HEARD_MAX + TOOLS_MAX * (uint64_t)TOOLS_OWED_MAX;
}

static uint64_t deciding(const struct options *o)
{
	(void)o;
	return TIMES_SENT * (uint64_t)DESK_IN_FLIGHT_BYTES;
}

static uint64_t making(const struct options *o)
{
	return TIMES_READ * o->max_item + TIMES_MADE * (uint64_t)SHELF_FEED_BYTES;
}

static const struct part {
	const char *what;
	uint64_t (*bytes)(const struct options *o);
} parts[] = {
	{"program and libraries", program},
	{"recent posts (--backlog)", backlog},
	{"not taken by readers (--lag-memory)", lag_memory},
	{"answers not taken (--answer-memory)", answer_memory},
	{"connections (--max-readers)", all_connections},
	{"what readers subscribe to (--max-readers)", subscriptions},
	{"older posts for who comes back", older_posts},
	{"posts going out", offers},
	{"bodies of requests arriving", bodies},
	{"messages of tools arriving", tools},
	{"items on their way to Redis", deciding},
	{"one item read, one answer made (--max-item)", making},
};

uint64_t memory_limit(const struct options *o)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		sum += parts[i].bytes(o);
	return sum;
}

static void print_line(const char *what, uint64_t bytes, FILE *out)
{
	fprintf(out, "#   %-44s %8.1f MiB\n", what, (double)bytes / (1 << 20));
}

void memory_print(const struct options *o, FILE *out)
{
	fputs("# memory that a worker takes at most:\n", out);
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		print_line(parts[i].what, parts[i].bytes(o), out);
	print_line("together", memory_limit(o), out);
}
