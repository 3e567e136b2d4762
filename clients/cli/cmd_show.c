/* cmd_show.c - newswire show: one story, as readers have it; of a killed one, that it was, when and why. */
#include "command.h"
#include "session.h"
#include "show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

enum { URI_MOST = 1024, NOTICE_MOST = 500, WIDTH = 80, NARROWEST = 20 };

struct run {
	struct session session;
	size_t at; /* the uri that is dealt with */
	json_t *killed;
	enum exit_code code;
};

static void show_next(struct run *run);

static size_t width_of_terminal(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < NARROWEST)
		return WIDTH;
	return size.ws_col < WIDTH ? size.ws_col : WIDTH;
}

static const char *uri_of(const struct run *run)
{
	return run->session.settings->files[run->at];
}

static void leave(struct run *run, enum exit_code code)
{
	if (code > run->code)
		run->code = code;
	run->at++;
	if (code == CLI_UNREACHABLE || code == CLI_FAILED)
		session_end(&run->session, run->code);
	else
		show_next(run);
}

/* --- a killed one --------------------------------------------------------------------------------- */

/* An id of the wire begins with Redis' clock. */
static void say_when(const char *id)
{
	time_t seconds = (time_t)(strtoll(id, NULL, 10) / 1000);
	struct tm utc;
	char text[32];

	if (gmtime_r(&seconds, &utc) && strftime(text, sizeof text, " at %Y-%m-%d %H:%M:%SZ", &utc))
		fputs(text, stderr);
}

static void say_killed(const struct run *run, const char *id)
{
	const char *notice = json_string_value(json_object_get(run->killed, "notice"));
	const char *version = json_string_value(json_object_get(run->killed, "version"));

	fputs("newswire: killed", stderr);
	if (id)
		say_when(id);
	fputs(": ", stderr);
	show_text(stderr, uri_of(run), URI_MOST);
	if (version) {
		fputs(" version ", stderr);
		show_text(stderr, version, 64);
	}
	fputs(": ", stderr);
	show_text(stderr, notice ? notice : "no reason was given", NOTICE_MOST);
	fputc('\n', stderr);
}

static void end_killed(struct run *run, const char *id)
{
	say_killed(run, id);
	json_decref(run->killed);
	run->killed = NULL;
	leave(run, CLI_REFUSED);
}

/* When: from the post that killed it. Without a key, or once it is forgotten, there is no time. */
static void on_reach(void *data, const struct newswire_answer *answer)
{
	const json_t *posts = json_object_get(answer->json, "posts");
	const char *id = NULL;

	for (size_t i = 0; i < json_array_size(posts) && id == NULL; i++) {
		const json_t *post = json_array_get(posts, i);
		const char *action = json_string_value(json_object_get(post, "action"));

		if (action && strcmp(action, "kill") == 0)
			id = json_string_value(json_object_get(post, "id"));
	}
	end_killed(data, id);
}

static void ask_when(struct run *run, const json_t *killed)
{
	struct session *s = &run->session;

	run->killed = json_deep_copy(killed);
	if (s->key == NULL ||
	    newswire_reach(s->client, s->desk.url, s->key, uri_of(run), on_reach, run) < 0)
		end_killed(run, NULL);
}

/* --- any ------------------------------------------------------------------------------------------ */

static void print(const struct run *run, const struct newswire_answer *answer)
{
	if (run->session.settings->json) {
		fwrite(answer->text, 1, answer->len, stdout);
		if (answer->len && answer->text[answer->len - 1] != '\n')
			fputc('\n', stdout);
	} else {
		if (run->at > 0)
			fputs("\n\n", stdout);
		show_page(stdout, answer->json, show_wants_colour(stdout), width_of_terminal());
	}
	fflush(stdout);
}

static void on_item(void *data, const struct newswire_answer *answer)
{
	struct run *run = data;
	const char *action = json_string_value(json_object_get(answer->json, "action"));

	if (answer->status == 410 && action && strcmp(action, "kill") == 0) {
		if (run->session.settings->json)
			print(run, answer);
		ask_when(run, answer->json);
	} else if (answer->problem) {
		leave(run, source_refused(answer));
	} else if (!json_is_object(json_object_get(answer->json, "item"))) {
		leave(run, source_is_stranger("no story"));
	} else {
		print(run, answer);
		leave(run, CLI_OK);
	}
}

static void show_next(struct run *run)
{
	struct session *s = &run->session;

	if (run->at == s->settings->file_count)
		session_end(s, run->code);
	else if (newswire_item(s->client, s->desk.url, uri_of(run), on_item, run) < 0)
		session_cannot_ask(s, "a URL or a uri");
}

enum exit_code cmd_show(const struct settings *settings)
{
	struct run run = {0};

	if (session_open(&run.session, settings) != CLI_OK)
		return run.session.code;
	show_next(&run);
	session_run(&run.session);
	session_close(&run.session);
	return run.session.code;
}
