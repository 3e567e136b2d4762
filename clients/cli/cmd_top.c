/* cmd_top.c - newswire top: how nodes are doing, live on a terminal, or as JSON.
 *
 * Every interval each node is asked for its metrics; once all have answered, or failed to, the round is shown. What counts
 * upwards is shown for each second, so the first picture with numbers is the second round's.
 */
#include "command.h"
#include "figures.h"
#include "screen.h"
#include "session.h"
#include "show.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_MOST = 32, PROBLEM_MOST = 120, MS = 1000 };

struct node {
	struct run *run;
	const char *url;
	struct figures last, rate;
	uint64_t when; /* uv_now() of last; 0: nothing yet */
	bool has_rate;
	char *problem; /* NULL: it answered */
};

struct run {
	struct session session;
	uv_timer_t timer;
	uv_signal_t resized, stopped, hung_up;
	uv_poll_t keys;
	bool has_keys, is_live, may_audit, colour;
	struct node *nodes;
	size_t count, asked; /* asked: nodes and questions that have not answered yet */
	unsigned rounds;
	json_t *reach; /* of the last post that went out; NULL: not known */
};

static void end(struct run *run, enum exit_code code)
{
	session_end(&run->session, code);
}

/* --- what is shown -------------------------------------------------------------------------------- */

static struct figures total_of(const struct run *run, size_t *answered)
{
	struct figures sum = {0};

	*answered = 0;
	for (size_t i = 0; i < run->count; i++) {
		if (!run->nodes[i].has_rate || run->nodes[i].problem)
			continue;
		figures_add(&sum, &run->nodes[i].rate);
		++*answered;
	}
	return sum;
}

struct painter {
	FILE *out;
	const struct figures *sum;
	const char *bold, *dim, *red, *end;
};

static const char *text_of(const struct painter *p, enum figure figure, char out[FIGURES_TEXT])
{
	return figures_text(out, p->sum->value[figure]);
}

/* A name, its number, and what goes with it. */
static void paint_head(const struct painter *p, const char *name, const char *number,
		       const char *unit)
{
	fprintf(p->out, "%-12s %s%12s%s%-2s ", name, p->bold, number, p->end, unit);
}

static void paint_parts(const struct painter *p, const enum figure *parts, size_t count)
{
	char text[FIGURES_TEXT];

	for (size_t i = 0; i < count; i++)
		fprintf(p->out, "%s%s %s%s", i ? " · " : "  ", figures_name(parts[i]),
			text_of(p, parts[i], text), "");
	fputc('\n', p->out);
}

static void paint_readers(const struct painter *p)
{
	static const enum figure parts[] = {FIGURE_WEBSOCKET, FIGURE_SSE, FIGURE_CENTRIFUGE,
					    FIGURE_LAGGING};
	char text[FIGURES_TEXT];

	paint_head(p, "readers", text_of(p, FIGURE_READERS, text), "");
	paint_parts(p, parts, sizeof parts / sizeof *parts);
}

static void paint_posts(const struct painter *p)
{
	static const enum figure parts[] = {FIGURE_PUBLISH, FIGURE_UPDATE, FIGURE_CORRECT,
					    FIGURE_RELEASE, FIGURE_KILL,   FIGURE_HOLD};
	double posts = 0;
	char text[FIGURES_TEXT];

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		posts += p->sum->value[parts[i]];
	paint_head(p, "posts", figures_text(text, posts), "/s");
	paint_parts(p, parts, sizeof parts / sizeof *parts);
}

static void paint_deliveries(const struct painter *p)
{
	char text[FIGURES_TEXT], bytes[FIGURES_TEXT], writes[FIGURES_TEXT];

	paint_head(p, "deliveries", text_of(p, FIGURE_DELIVERIES, text), "/s");
	fprintf(p->out, "  %s/s · writes %s/s\n", figures_bytes(bytes, p->sum->value[FIGURE_BYTES]),
		text_of(p, FIGURE_WRITES, writes));
}

/* From acceptance to the last reader, over all workers and nodes. */
static void paint_last(const struct run *run, const struct painter *p)
{
	const json_t *ms = json_object_get(run->reach, "ms");
	const json_t *readers = json_object_get(run->reach, "readers");
	char text[FIGURES_TEXT], number[FIGURES_TEXT] = "-";

	if (run->reach == NULL)
		return;
	if (json_is_integer(ms))
		figures_text(number, (double)json_integer_value(ms));
	paint_head(p, "last reader", number, json_is_integer(ms) ? "ms" : "");
	fprintf(p->out, "  of %s, for the last post\n",
		figures_text(text, (double)json_integer_value(readers)));
}

static void paint_rest(const struct painter *p)
{
	double following = p->sum->value[FIGURE_FOLLOWING], workers = p->sum->value[FIGURE_WORKERS];
	char a[FIGURES_TEXT], b[FIGURES_TEXT];
	bool is_away = following < workers || workers == 0;

	paint_head(p, "backlog", text_of(p, FIGURE_BACKLOG_POSTS, a), "");
	fprintf(p->out, "  posts in %s", figures_bytes(a, p->sum->value[FIGURE_BACKLOG_BYTES]));
	fprintf(p->out, " · owed to readers %s\n", figures_bytes(b, p->sum->value[FIGURE_OWED]));
	fprintf(p->out, "%-12s %s%12s%s     %s of %s workers follow it\n", "Redis",
		is_away ? p->red : p->bold, is_away ? "away" : "ready", p->end,
		figures_text(a, following), figures_text(b, workers));
	paint_head(p, "memory", figures_bytes(a, p->sum->value[FIGURE_MEMORY]), "");
	fprintf(p->out, "  of the workers\n");
	paint_head(p, "refused", text_of(p, FIGURE_REFUSED, a), "/s");
	fprintf(p->out, "  newswire rejects says why · gaps %s/s\n", text_of(p, FIGURE_GAPS, b));
}

static void paint_node(const struct painter *p, const struct node *node)
{
	const double *v = node->rate.value;
	char a[FIGURES_TEXT], b[FIGURES_TEXT], c[FIGURES_TEXT], d[FIGURES_TEXT], e[FIGURES_TEXT];

	if (node->problem) {
		fprintf(p->out, "%-32.*s %s", NAME_MOST, node->url, p->red);
		show_text(p->out, node->problem, PROBLEM_MOST);
		fprintf(p->out, "%s\n", p->end);
	} else if (!node->has_rate) {
		fprintf(p->out, "%-32.*s …\n", NAME_MOST, node->url);
	} else {
		fprintf(p->out, "%-32.*s %9s %8s %11s %9s %4s/%-3.0f %9s\n", NAME_MOST, node->url,
			figures_text(a, v[FIGURE_READERS]), figures_text(b, v[FIGURE_LAGGING]),
			figures_text(c, v[FIGURE_DELIVERIES]), figures_bytes(d, v[FIGURE_BYTES]),
			figures_text(e, v[FIGURE_FOLLOWING]), v[FIGURE_WORKERS],
			figures_bytes((char[FIGURES_TEXT]){0}, v[FIGURE_MEMORY]));
	}
}

static void paint(const struct run *run, FILE *out)
{
	size_t answered;
	const struct figures sum = total_of(run, &answered);
	struct painter p = {out, &sum, "", "", "", ""};
	char now[32];

	if (run->colour) {
		p.bold = "\033[1m";
		p.dim = "\033[2m";
		p.red = "\033[1;31m";
		p.end = "\033[0m";
	}
	show_now(now, sizeof now);
	fprintf(out, "%snewswire top%s  %zu of %zu nodes  %s%s%s%s\n\n", p.bold, p.end, answered,
		run->count, p.dim, now, run->is_live ? "   q quits" : "", p.end);
	if (answered > 0) {
		paint_readers(&p);
		paint_posts(&p);
		paint_deliveries(&p);
		paint_last(run, &p);
		paint_rest(&p);
		fprintf(out, "\n%s%-32s %9s %8s %11s %9s %8s %9s%s\n", p.dim, "node", "readers",
			"lagging", "deliveries", "bytes/s", "Redis", "memory", p.end);
	}
	for (size_t i = 0; i < run->count; i++)
		paint_node(&p, &run->nodes[i]);
}

static void draw(struct run *run)
{
	char *frame = NULL;
	size_t len;
	FILE *out = open_memstream(&frame, &len);

	if (out)
		paint(run, out);
	if (out == NULL || fclose(out) != 0 || screen_draw(frame) < 0)
		end(run, CLI_FAILED);
	free(frame);
}

/* --- for scripts ---------------------------------------------------------------------------------- */

static json_t *figures_as_json(const struct figures *figures)
{
	json_t *json = json_object();

	for (int i = 0; i < FIGURE_COUNT; i++) {
		char name[64];

		snprintf(name, sizeof name, "%s%s", figures_name((enum figure)i),
			 figures_is_rate((enum figure)i) ? "_per_second" : "");
		json_object_set_new(json, name, json_real(figures->value[i]));
	}
	return json;
}

static json_t *node_as_json(const struct node *node)
{
	json_t *json =
		node->has_rate && !node->problem ? figures_as_json(&node->rate) : json_object();

	json_object_set_new(json, "url", json_string(node->url));
	if (node->problem)
		json_object_set_new(json, "problem", json_string(node->problem));
	return json;
}

static void print_json(const struct run *run)
{
	json_t *nodes = json_array();
	size_t answered;
	struct figures sum = total_of(run, &answered);
	json_t *all;

	for (size_t i = 0; i < run->count; i++)
		json_array_append_new(nodes, node_as_json(&run->nodes[i]));
	all = json_pack("{s:I,s:o,s:o}", "answered", (json_int_t)answered, "total",
			figures_as_json(&sum), "nodes", nodes);
	if (run->reach)
		json_object_set(all, "last_post", run->reach);
	json_dumpf(all, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
	fputc('\n', stdout);
	json_decref(all);
}

/* --- rounds --------------------------------------------------------------------------------------- */

static void ask_all(struct run *run);

static void on_timer(uv_timer_t *timer)
{
	ask_all(timer->data);
}

static enum exit_code verdict(const struct run *run)
{
	enum exit_code code = CLI_UNREACHABLE;

	for (size_t i = 0; i < run->count; i++)
		if (run->nodes[i].problem == NULL)
			code = CLI_OK;
	for (size_t i = 0; code != CLI_OK && i < run->count; i++)
		command_say("%s: %s", run->nodes[i].url, run->nodes[i].problem);
	return code;
}

/* Every node has said something, or failed to. */
static void round_is_over(struct run *run)
{
	const struct settings *settings = run->session.settings;
	bool is_first = run->rounds++ == 0;
	uint64_t each = settings->interval ? settings->interval * MS : MS;

	if (run->is_live) {
		draw(run);
	} else if (is_first && verdict(run) != CLI_OK) {
		end(run, CLI_UNREACHABLE);
		return;
	} else if (!is_first) {
		if (settings->json)
			print_json(run);
		else
			paint(run, stdout);
		if (fflush(stdout) != 0 || settings->once || !settings->json) {
			end(run, ferror(stdout) && errno != EPIPE ? CLI_FAILED : CLI_OK);
			return;
		}
	}
	uv_timer_start(&run->timer, on_timer, each, 0);
}

static void answered(struct run *run)
{
	if (--run->asked == 0)
		round_is_over(run);
}

static void on_metrics(void *data, const struct newswire_answer *answer)
{
	struct node *node = data;
	struct figures now;
	uint64_t when = uv_now(&node->run->session.loop);

	free(node->problem);
	node->problem = NULL;
	if (answer->problem) {
		node->problem = strdup(answer->problem);
	} else if (figures_read(&now, answer->text) < 0) {
		node->problem = strdup("what answered is not newswired: no metrics");
	} else {
		if (node->when)
			figures_rate(&node->rate, &node->last, &now,
				     (double)(when - node->when) / MS);
		node->has_rate = node->when != 0;
		node->last = now;
		node->when = when;
	}
	if (node->problem)
		node->when = 0;
	answered(node->run);
}

/* Who may not read the trail does not ask again. */
static void on_trail(void *data, const struct newswire_answer *answer)
{
	struct run *run = data;
	const json_t *entries = json_object_get(answer->json, "entries");

	if (answer->status == 401 || answer->status == 403)
		run->may_audit = false;
	for (size_t i = 0; i < json_array_size(entries); i++) {
		json_t *reach = json_object_get(json_array_get(entries, i), "reach");

		if (reach) {
			json_decref(run->reach);
			run->reach = json_incref(reach);
			break;
		}
	}
	answered(run);
}

static void ask_all(struct run *run)
{
	struct session *s = &run->session;

	run->asked = run->count;
	for (size_t i = 0; i < run->count; i++) {
		if (newswire_metrics(s->client, run->nodes[i].url, on_metrics, &run->nodes[i]) <
		    0) {
			session_cannot_ask(s, "a URL");
			return;
		}
	}
	if (run->may_audit && newswire_audit(s->client, run->nodes[0].url, s->key, NULL, 10, NULL,
					     on_trail, run) == 0)
		run->asked++;
}

/* --- the terminal --------------------------------------------------------------------------------- */

static void on_resize(uv_signal_t *signal, int number)
{
	(void)number;
	draw(signal->data);
}

/* Ctrl-Z: the terminal is given back for the time. */
static void on_stop(uv_signal_t *signal, int number)
{
	struct run *run = signal->data;

	(void)number;
	screen_leave();
	raise(SIGSTOP);
	if (screen_enter() == 0)
		draw(run);
}

static void on_hang_up(uv_signal_t *signal, int number)
{
	(void)number;
	end(signal->data, CLI_OK);
}

static void on_key(uv_poll_t *poll, int status, int events)
{
	struct run *run = poll->data;
	char keys[64];
	ssize_t n = read(STDIN_FILENO, keys, sizeof keys);

	(void)events;
	if (status < 0 || n < 0)
		uv_poll_stop(poll);
	for (ssize_t i = 0; i < n; i++)
		if (keys[i] == 'q' || keys[i] == 'Q')
			end(run, CLI_OK);
}

static void watch_terminal(struct run *run)
{
	uv_loop_t *loop = &run->session.loop;

	uv_signal_init(loop, &run->resized);
	uv_signal_init(loop, &run->stopped);
	uv_signal_init(loop, &run->hung_up);
	run->resized.data = run->stopped.data = run->hung_up.data = run->keys.data = run;
	uv_signal_start(&run->resized, on_resize, SIGWINCH);
	uv_signal_start(&run->stopped, on_stop, SIGTSTP);
	uv_signal_start(&run->hung_up, on_hang_up, SIGHUP);
	run->has_keys = isatty(STDIN_FILENO) && uv_poll_init(loop, &run->keys, STDIN_FILENO) == 0;
	if (run->has_keys)
		uv_poll_start(&run->keys, UV_READABLE, on_key);
}

static void unwatch_terminal(struct run *run)
{
	uv_close((uv_handle_t *)&run->resized, NULL);
	uv_close((uv_handle_t *)&run->stopped, NULL);
	uv_close((uv_handle_t *)&run->hung_up, NULL);
	if (run->has_keys)
		uv_close((uv_handle_t *)&run->keys, NULL);
	screen_leave();
}

/* --- the command ---------------------------------------------------------------------------------- */

static int name_nodes(struct run *run, const struct settings *settings)
{
	run->count = settings->file_count ? settings->file_count : 1;
	if ((run->nodes = calloc(run->count, sizeof *run->nodes)) == NULL)
		return -1;
	for (size_t i = 0; i < run->count; i++)
		run->nodes[i] = (struct node){.run = run,
					      .url = settings->file_count ? settings->files[i]
									  : run->session.desk.url};
	return 0;
}

static void run_it(struct run *run)
{
	const struct settings *settings = run->session.settings;

	uv_timer_init(&run->session.loop, &run->timer);
	run->timer.data = run;
	session_watch_signals(&run->session);
	run->is_live = !settings->once && !settings->json && screen_enter() == 0;
	if (run->is_live)
		watch_terminal(run);
	ask_all(run);
	session_run(&run->session);
	if (run->is_live)
		unwatch_terminal(run);
	uv_close((uv_handle_t *)&run->timer, NULL);
}

enum exit_code cmd_top(const struct settings *settings)
{
	struct settings with = *settings;
	struct run run = {.colour = show_wants_colour(stdout)};

	if (settings->file_count)
		with.url = settings->files[0];
	if (session_open(&run.session, &with) != CLI_OK)
		return run.session.code;
	run.may_audit = run.session.key != NULL;
	if (name_nodes(&run, settings) == 0)
		run_it(&run);
	else
		run.session.code = CLI_FAILED;
	session_close(&run.session);
	for (size_t i = 0; run.nodes && i < run.count; i++)
		free(run.nodes[i].problem);
	free(run.nodes);
	json_decref(run.reach);
	return run.session.code;
}
