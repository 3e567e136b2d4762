/* trail.c - pages of a list, or what is added to it. */
#include "trail.h"

#include "show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { EACH_MS = 1000, ID_SIZE = 64, PAGES_MOST = 50 };

struct run {
	struct session session;
	uv_timer_t timer;
	const struct trail_kind *kind;
	json_t *fresh;	    /* --follow: what is new, newest first, while pages come */
	char last[ID_SIZE]; /* --follow: the newest that was printed */
	bool begun;	    /* --follow: the first page was there */
	unsigned pages;	    /* of this round */
};

static void ask(struct run *run, const char *before);

/* Is the id a later one than the other? "<ms>-<seq>", both numbers. */
static bool is_later(const char *id, const char *than)
{
	char *end, *than_end;
	unsigned long long a = strtoull(id, &end, 10), b = strtoull(than, &than_end, 10);

	if (a != b)
		return a > b;
	return *end == '-' && *than_end == '-' &&
	       strtoull(end + 1, NULL, 10) > strtoull(than_end + 1, NULL, 10);
}

static void print_one(const struct run *run, const json_t *entry)
{
	if (run->session.settings->json && run->session.settings->follow) {
		json_dumpf(entry, stdout, JSON_COMPACT);
		fputc('\n', stdout);
	} else {
		run->kind->print(entry);
	}
}

/* --- one page ------------------------------------------------------------------------------------- */

static void print_page(struct run *run, const struct newswire_answer *answer)
{
	const json_t *entries = json_object_get(answer->json, run->kind->list);
	const char *before = json_string_value(json_object_get(answer->json, "before"));

	if (run->session.settings->json) {
		fwrite(answer->text, 1, answer->len, stdout);
	} else {
		for (size_t i = 0; i < json_array_size(entries); i++)
			print_one(run, json_array_get(entries, i));
		if (json_array_size(entries) == 0)
			command_say("nothing there");
		fflush(stdout);
		if (before) {
			fputs("newswire: older ones: --before ", stderr);
			show_text(stderr, before, ID_SIZE);
			fputc('\n', stderr);
		}
	}
	session_end(&run->session, CLI_OK);
}

/* --- what is added -------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
	struct run *run = timer->data;

	run->pages = 0;
	ask(run, NULL);
}

/* The round is over: what is new is known. */
static void print_fresh(struct run *run)
{
	for (size_t i = json_array_size(run->fresh); i-- > 0;) {
		const json_t *entry = json_array_get(run->fresh, i);

		print_one(run, entry);
		snprintf(run->last, sizeof run->last, "%s",
			 json_string_value(json_object_get(entry, "id")));
	}
	json_array_clear(run->fresh);
	run->begun = true;
	if (fflush(stdout) != 0)
		session_end(&run->session, errno == EPIPE ? CLI_OK : CLI_FAILED);
	else
		uv_timer_start(&run->timer, on_timer, EACH_MS, 0);
}

/* Takes what is new off a page. Returns whether there may be more of it on the next. */
static bool take_fresh(struct run *run, const json_t *entries)
{
	json_t *entry;
	size_t i;

	json_array_foreach ((json_t *)entries, i, entry) {
		const char *id = json_string_value(json_object_get(entry, "id"));

		if (id == NULL || strlen(id) >= ID_SIZE)
			continue;
		if (run->last[0] && !is_later(id, run->last))
			return false;
		json_array_append(run->fresh, entry);
	}
	return run->begun; /* of the past, one page is enough */
}

static void follow_page(struct run *run, const struct newswire_answer *answer)
{
	const char *before = json_string_value(json_object_get(answer->json, "before"));
	bool more = take_fresh(run, json_object_get(answer->json, run->kind->list));

	if (more && before && ++run->pages < PAGES_MOST)
		ask(run, before);
	else
		print_fresh(run);
}

/* --- both ----------------------------------------------------------------------------------------- */

static void on_page(void *data, const struct newswire_answer *answer)
{
	struct run *run = data;
	bool follows = run->session.settings->follow;

	if (answer->problem) {
		session_end(&run->session, source_refused(answer));
	} else if (!json_is_array(json_object_get(answer->json, run->kind->list))) {
		session_end(&run->session, source_is_stranger(run->kind->what));
	} else if (follows) {
		follow_page(run, answer);
	} else {
		print_page(run, answer);
	}
}

static void ask(struct run *run, const char *before)
{
	unsigned limit = (unsigned)run->session.settings->limit;

	if (run->begun)
		limit = NEWSWIRE_MAX_FEED_LIMIT;
	if (run->kind->ask(&run->session, limit, before, on_page, run) < 0)
		session_cannot_ask(&run->session, "a URL, a name, a token or a key");
}

enum exit_code trail_run(const struct trail_kind *kind, const struct settings *settings)
{
	struct run run = {.kind = kind};

	if (settings->follow && settings->before) {
		command_say("--follow shows what comes, --before what was: not both");
		return CLI_USAGE;
	}
	if (session_open(&run.session, settings) != CLI_OK)
		return run.session.code;
	uv_timer_init(&run.session.loop, &run.timer);
	run.timer.data = &run;
	if (settings->follow)
		session_watch_signals(&run.session);
	if ((run.fresh = json_array()) == NULL)
		session_end(&run.session, CLI_FAILED);
	else
		ask(&run, settings->before);
	session_run(&run.session);
	uv_close((uv_handle_t *)&run.timer, NULL);
	session_close(&run.session);
	json_decref(run.fresh);
	return run.session.code;
}
