/* cmd_bench.c - newswire bench: a quick load on a server that is yours, made of libnewswire.
 *
 * Readers connect, posts go out at a rate, and every reader says when it has each. This program reads the JSON of every
 * delivery, so at some rate it measures itself: tests/bench has the measuring tools. What it publishes expires by itself.
 * States: CONNECTING -> PUBLISHING -> WAITING (for what is still on its way) -> the end.
 */
#include "command.h"
#include "figures.h"
#include "latency.h"
#include "progress.h"
#include "session.h"
#include "show.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <time.h>

enum {
	USUAL_READERS = 100,
	USUAL_RATE = 10,
	USUAL_SECONDS = 10,
	USUAL_BYTES = 500,
	MOST_POSTS = 20000,
	AT_ONCE = 64,	     /* readers whose handshakes are under way */
	PATIENCE_MS = 10000, /* without any progress */
	BAR_MS = 100,
	EXPIRES_S = 600,
	BAR_WIDTH = 40,
	URI_SIZE = 96,
};

#define CHANNEL NEWSWIRE_CHANNEL_EXERCISE ".bench"

enum state { CONNECTING, PUBLISHING, WAITING };

struct bench_reader {
	struct run *run;
	struct newswire_stream *stream;
	uint8_t *seen; /* a bit for each post */
	bool is_live;
};

struct run {
	struct session session;
	uv_timer_t publisher, bar;
	struct progress progress;
	enum state state;
	char channel[NEWSWIRE_MAX_CHANNEL + 1], name[32]; /* of this run */
	struct bench_reader *readers;
	size_t reader_count, opened, live;
	uint64_t *sent_ns; /* when each post was handed over */
	size_t posts, published, answered, accepted;
	uint64_t rate, bytes;
	char *body;
	uint64_t began_ns, ended_ns; /* of publishing; of the last delivery */
	uint64_t progress_ms;	     /* uv_now() of the last thing that happened */
	uint64_t deliveries, doubled, reconnects, first_ns;
	struct latency latency;
	char problem[400]; /* the first refusal */
	bool is_cut;	   /* by Ctrl-C, or by a server that went away */
};

static uint64_t usual(uint64_t told, uint64_t otherwise)
{
	return told ? told : otherwise;
}

static void end(struct run *run)
{
	session_end(&run->session, run->session.code);
}

/* Ends with a reason, before anything was measured. The first one counts: others have the same. */
static void give_up(struct run *run, enum exit_code code, const char *why)
{
	if (run->is_cut)
		return;
	progress_clear(&run->progress);
	fputs("newswire: bench: ", stderr);
	show_text(stderr, why, 400);
	fputc('\n', stderr);
	run->is_cut = true;
	run->session.code = code;
	end(run);
}

/* --- publishing ----------------------------------------------------------------------------------- */

static void on_receipt(void *data, const struct newswire_receipt *receipt)
{
	struct run *run = data;

	run->progress_ms = uv_now(&run->session.loop);
	run->answered++;
	if (receipt->status == NEWSWIRE_ACCEPTED)
		run->accepted++;
	else if (run->problem[0] == '\0')
		snprintf(run->problem, sizeof run->problem, "%s",
			 receipt->problem ? receipt->problem : "not accepted as news");
	if (run->answered == 1 && receipt->status != NEWSWIRE_ACCEPTED)
		give_up(run, receipt->status == NEWSWIRE_REFUSED ? CLI_REFUSED : CLI_UNREACHABLE,
			run->problem);
}

static char *write_item(struct run *run, size_t number)
{
	time_t now = time(NULL), later = now + EXPIRES_S;
	struct tm utc;
	char uri[URI_SIZE], headline[64], expires[32] = "";
	json_t *item;
	char *text;

	snprintf(uri, sizeof uri, "urn:newswire:bench:%s:%zu", run->name, number);
	snprintf(headline, sizeof headline, "Bench post %zu of %zu", number + 1, run->posts);
	if (gmtime_r(&later, &utc))
		strftime(expires, sizeof expires, "%Y-%m-%dT%H:%M:%SZ", &utc);
	item = json_pack("{s:s,s:s,s:s,s:s,s:i,s:[{s:s,s:s}],s:[{s:s,s:s,s:s}]}", "uri", uri,
			 "type", "text", "version", "1", "expires", expires, "urgency", 5,
			 "headlines", "role", "main", "value", headline, "bodies", "role", "main",
			 "contentType", "text/plain", "value", run->body);
	text = item ? json_dumps(item, JSON_COMPACT) : NULL;
	json_decref(item);
	return text;
}

static void publish_one(struct run *run)
{
	const char *const channels[] = {run->channel, NULL};
	char *text = write_item(run, run->published);
	struct session *s = &run->session;

	run->sent_ns[run->published++] = uv_hrtime();
	if (text == NULL || newswire_publish_http(s->client, s->desk.url, s->key, channels, text,
						  strlen(text), on_receipt, run) < 0)
		give_up(run, CLI_USAGE, "an address, a channel or a key that cannot be used");
	free(text);
}

/* What is due by now, so that a slow turn of the loop does not lower the rate. */
static void on_publish(uv_timer_t *timer)
{
	struct run *run = timer->data;
	uint64_t due = (uv_hrtime() - run->began_ns) * run->rate / 1000000000 + 1;

	while (run->published < run->posts && run->published < due && !run->is_cut)
		publish_one(run);
	if (run->published < run->posts)
		return;
	uv_timer_stop(timer);
	run->state = WAITING;
}

static void begin_publishing(struct run *run)
{
	uint64_t each_ms = 1000 / run->rate;

	run->state = PUBLISHING;
	progress_clear(&run->progress);
	run->progress.total = run->posts;
	run->began_ns = uv_hrtime();
	uv_timer_start(&run->publisher, on_publish, 0, each_ms > 0 ? each_ms : 1);
}

/* --- readers -------------------------------------------------------------------------------------- */

/* The number of a post of this run, or -1. */
static long number_of(const struct run *run, const char *uri)
{
	static const char begins[] = "urn:newswire:bench:";
	size_t len = strlen(run->name);
	char *end_of;
	long number;

	if (uri == NULL || strncmp(uri, begins, sizeof begins - 1) != 0)
		return -1;
	uri += sizeof begins - 1;
	if (strncmp(uri, run->name, len) != 0 || uri[len] != ':')
		return -1;
	number = strtol(uri + len + 1, &end_of, 10);
	return *end_of == '\0' && number >= 0 && (size_t)number < run->published ? number : -1;
}

static void take_delivery(struct run *run, struct bench_reader *reader, long number)
{
	uint8_t *byte = &reader->seen[number / 8];
	uint8_t bit = (uint8_t)(1u << (number % 8));

	run->progress_ms = uv_now(&run->session.loop);
	if (*byte & bit) {
		run->doubled++;
		return;
	}
	*byte |= bit;
	run->deliveries++;
	run->ended_ns = uv_hrtime();
	latency_add(&run->latency, (run->ended_ns - run->sent_ns[number]) / 1000);
}

static bool is_whole(const struct run *run)
{
	return run->state == WAITING && run->answered == run->posts &&
	       run->deliveries >= run->accepted * run->reader_count;
}

static void on_message(void *data, const struct newswire_message *message)
{
	struct bench_reader *reader = data;
	const json_t *item = json_object_get(message->json, "item");
	const char *uri = json_string_value(json_object_get(item, "uri"));
	long number = number_of(reader->run, uri);

	if (number >= 0)
		take_delivery(reader->run, reader, number);
}

static void open_some(struct run *run);

static void on_link(void *data, const struct newswire_link_change *change)
{
	struct bench_reader *reader = data;
	struct run *run = reader->run;

	run->progress_ms = uv_now(&run->session.loop);
	if (change->link == NEWSWIRE_LINK_LIVE && !reader->is_live) {
		reader->is_live = true;
		if (++run->live == run->reader_count)
			begin_publishing(run);
		else
			open_some(run);
	} else if (change->link == NEWSWIRE_LINK_WAITING) {
		run->reconnects++;
		if (run->live == 0)
			give_up(run, CLI_UNREACHABLE, change->reason);
	} else if (change->link == NEWSWIRE_LINK_FAILED) {
		give_up(run, CLI_REFUSED, change->reason);
	}
}

static void open_some(struct run *run)
{
	static const struct newswire_stream_handlers handlers = {on_message, on_link};
	const char *const channels[] = {run->channel, NULL};
	const struct newswire_query query = {.url = run->session.desk.url, .channels = channels};

	while (run->opened < run->reader_count && run->opened < run->live + AT_ONCE) {
		struct bench_reader *reader = &run->readers[run->opened++];

		reader->stream =
			newswire_stream_open(run->session.client, &query, NULL, &handlers, reader);
		if (reader->stream == NULL) {
			give_up(run, CLI_USAGE, "a URL or a channel that cannot be used");
			return;
		}
	}
}

/* --- the bar, and the end ------------------------------------------------------------------------- */

static void on_bar(uv_timer_t *timer)
{
	struct run *run = timer->data;
	bool is_stuck = uv_now(&run->session.loop) > run->progress_ms + PATIENCE_MS;

	if (is_whole(run) || (is_stuck && run->state == WAITING)) {
		end(run);
	} else if (is_stuck) {
		give_up(run, CLI_UNREACHABLE, "nothing has happened for 10 s");
	} else {
		progress_draw(&run->progress,
			      run->state == CONNECTING ? run->live : run->published);
		if (run->progress.shown)
			fprintf(stderr, " %s\033[K",
				run->state == CONNECTING   ? "readers"
				: run->state == PUBLISHING ? "posts"
							   : "posts, waiting");
	}
}

static double seconds_of(const struct run *run)
{
	return run->ended_ns > run->began_ns ? (double)(run->ended_ns - run->began_ns) / 1e9 : 0;
}

static uint64_t lost_of(const struct run *run)
{
	uint64_t wanted = (uint64_t)run->accepted * run->reader_count;

	return wanted > run->deliveries ? wanted - run->deliveries : 0;
}

static void print_json(const struct run *run)
{
	const struct latency *l = &run->latency;
	double seconds = seconds_of(run);
	json_t *json = json_pack(
		"{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:f,s:{s:I,s:I,s:I,s:I,s:I}}", "readers",
		(json_int_t)run->reader_count, "posts", (json_int_t)run->published, "accepted",
		(json_int_t)run->accepted, "deliveries", (json_int_t)run->deliveries, "lost",
		(json_int_t)lost_of(run), "doubled", (json_int_t)run->doubled, "reconnects",
		(json_int_t)run->reconnects, "seconds", seconds, "deliveries_per_second",
		seconds > 0 ? (double)run->deliveries / seconds : 0.0, "latency_us", "p50",
		(json_int_t)latency_quantile(l, 0.5), "p90", (json_int_t)latency_quantile(l, 0.9),
		"p99", (json_int_t)latency_quantile(l, 0.99), "p999",
		(json_int_t)latency_quantile(l, 0.999), "max", (json_int_t)l->max_us);

	if (json)
		json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	fputc('\n', stdout);
	json_decref(json);
}

static void print_text(const struct run *run)
{
	static const struct {
		const char *name;
		double share;
	} shares[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};
	const struct latency *l = &run->latency;
	double seconds = seconds_of(run);
	char a[FIGURES_TEXT], b[FIGURES_TEXT], c[FIGURES_TEXT], text[LATENCY_TEXT];

	printf("%s deliveries of %s posts to %s readers\n",
	       figures_text(a, (double)run->deliveries), figures_text(b, (double)run->accepted),
	       figures_text(c, (double)run->reader_count));
	if (seconds > 0)
		printf("%s deliveries/s in %.1f s\n",
		       figures_text(a, (double)run->deliveries / seconds), seconds);
	printf("lost %s · doubled %s", figures_text(a, (double)lost_of(run)),
	       figures_text(b, (double)run->doubled));
	printf(" · not accepted %s · reconnects %s\n",
	       figures_text(a, (double)(run->published - run->accepted)),
	       figures_text(b, (double)run->reconnects));
	printf("from publish to receipt by a reader: ");
	for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
		printf("%s %s · ", shares[i].name,
		       latency_text(text, latency_quantile(l, shares[i].share)));
	printf("max %s\n", latency_text(text, l->max_us));
	latency_draw(l, stdout, BAR_WIDTH);
}

static enum exit_code report(const struct run *run)
{
	if (run->session.settings->json)
		print_json(run);
	else
		print_text(run);
	if (run->problem[0]) {
		fputs("newswire: bench: not accepted: ", stderr);
		show_text(stderr, run->problem, 400);
		fputc('\n', stderr);
	}
	return run->accepted < run->published || lost_of(run) || run->doubled ? CLI_REFUSED
									      : CLI_OK;
}

/* --- the command ---------------------------------------------------------------------------------- */

/* Is it on this machine? */
static bool is_near(const char *url)
{
	static const char *const hosts[] = {"localhost", "[::1]", "127."};
	const char *host = strstr(url, "://");

	for (size_t i = 0; host && i < sizeof hosts / sizeof *hosts; i++) {
		size_t len = strlen(hosts[i]);
		const char *rest = host + 3 + len;

		if (strncasecmp(host + 3, hosts[i], len) != 0)
			continue;
		if (i < 2)
			return *rest == '\0' || strchr(":/", *rest) != NULL;
		/* 127.0.0.1, not 127.example.org */
		return strchr(":/", rest[strspn(rest, "0123456789.")]) != NULL;
	}
	return false;
}

static enum exit_code check(const struct settings *settings, const struct run *run)
{
	if (settings->url && !is_near(settings->url) && !settings->far) {
		command_say(
			"bench: %s is not on this machine; --far loads it all the same, if it is "
			"yours",
			settings->url);
		return CLI_USAGE;
	}
	if (run->posts > MOST_POSTS) {
		command_say("bench: --rate times --seconds is more than %d posts", MOST_POSTS);
		return CLI_USAGE;
	}
	if (!newswire_channel_is_plain(run->channel)) {
		command_say("bench: no channel to publish on: %s", run->channel);
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* A descriptor for each reader, before the library counts how many there may be. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int set_up(struct run *run)
{
	run->readers = calloc(run->reader_count, sizeof *run->readers);
	run->sent_ns = calloc(run->posts, sizeof *run->sent_ns);
	run->body = malloc(run->bytes + 1);
	if (run->readers == NULL || run->sent_ns == NULL || run->body == NULL)
		return -1;
	for (size_t i = 0; i < run->bytes; i++)
		run->body[i] = "The quick brown fox jumps over the lazy dog. "[i % 45];
	run->body[run->bytes] = '\0';
	for (size_t i = 0; i < run->reader_count; i++) {
		run->readers[i].run = run;
		if ((run->readers[i].seen = calloc(run->posts / 8 + 1, 1)) == NULL)
			return -1;
	}
	return 0;
}

static void tear_down(struct run *run)
{
	for (size_t i = 0; run->readers && i < run->reader_count; i++)
		free(run->readers[i].seen);
	free(run->readers);
	free(run->sent_ns);
	free(run->body);
}

static void measure(struct run *run)
{
	uv_loop_t *loop = &run->session.loop;

	uv_timer_init(loop, &run->publisher);
	uv_timer_init(loop, &run->bar);
	run->publisher.data = run->bar.data = run;
	session_watch_signals(&run->session);
	run->progress_ms = uv_now(loop);
	uv_timer_start(&run->bar, on_bar, BAR_MS, BAR_MS);
	open_some(run);
	session_run(&run->session);
	progress_clear(&run->progress);
	uv_close((uv_handle_t *)&run->publisher, NULL);
	uv_close((uv_handle_t *)&run->bar, NULL);
}

enum exit_code cmd_bench(const struct settings *settings)
{
	struct run run = {
		.reader_count = usual(settings->readers, USUAL_READERS),
		.rate = usual(settings->rate, USUAL_RATE),
		.bytes = usual(settings->bytes, USUAL_BYTES),
		.posts =
			usual(settings->rate, USUAL_RATE) * usual(settings->seconds, USUAL_SECONDS),
	};
	enum exit_code code;

	run.progress = progress_begin(run.reader_count);
	snprintf(run.channel, sizeof run.channel, "%s",
		 settings->channels.count ? settings->channels.words[0] : CHANNEL);
	snprintf(run.name, sizeof run.name, "%llx", (unsigned long long)uv_hrtime());
	if ((code = check(settings, &run)) != CLI_OK)
		return code;
	raise_limit();
	if (session_open(&run.session, settings) != CLI_OK)
		return run.session.code;
	if (set_up(&run) == 0)
		measure(&run);
	else
		run.session.code = CLI_FAILED;
	session_close(&run.session);
	code = run.session.code;
	if (code == CLI_OK && run.published > 0)
		code = report(&run);
	tear_down(&run);
	return code;
}
