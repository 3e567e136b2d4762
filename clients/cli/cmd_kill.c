/* cmd_kill.c - newswire kill: withdraws stories; whoever saw one is shown the reason in its place.
 *
 * First every story is looked at, so that who confirms sees headlines and not only uris. Then they are withdrawn one after
 * another; a server that stays away ends the run.
 */
#include "command.h"
#include "confirm.h"
#include "edit.h"
#include "result.h"
#include "sending.h"
#include "session.h"
#include "show.h"

#include <stdlib.h>
#include <string.h>

enum { URI_MOST = 1024, HEADLINE_MOST = 100, REASON_MOST = 500 };

struct run {
	struct session session;
	struct sending sending;
	json_t **posts; /* one for each uri; NULL: nothing is public */
	size_t at;	/* the uri that is dealt with */
	char *text;	/* what is sent */
	enum exit_code code;
};

static void look_at_next(struct run *run);
static void kill_next(struct run *run);

static const char *uri_of(const struct run *run, size_t i)
{
	return run->session.settings->files[i];
}

static size_t count_of(const struct run *run)
{
	return run->session.settings->file_count;
}

static bool is_dead(const json_t *post)
{
	const char *action = json_string_value(json_object_get(post, "action"));

	return action && strcmp(action, "kill") == 0;
}

/* --- withdrawing ---------------------------------------------------------------------------------- */

static void finish(struct run *run)
{
	session_end(&run->session, run->code);
}

static void note(struct run *run, const char *line, enum exit_code code)
{
	if (code == CLI_OK || code == CLI_NOT_OUT)
		printf("%.*s\n", (int)strcspn(line, "\n"), line);
	else
		command_say("%s", line);
	fflush(stdout);
	run->code = result_worse(run->code, code);
}

static void on_receipt(void *data, const struct newswire_receipt *receipt)
{
	struct run *run = data;
	enum exit_code code = result_exit(receipt->status);
	char line[RESULT_SIZE];

	result_line(line, uri_of(run, run->at), receipt);
	if (run->session.settings->json && receipt->status < NEWSWIRE_REFUSED)
		note(run, receipt->answer->text, code);
	else
		note(run, line, code);
	free(run->text);
	run->text = NULL;
	run->at++;
	if (result_is_temporary(receipt->status))
		finish(run);
	else
		kill_next(run);
}

static void on_failed(void *data, enum exit_code code)
{
	struct run *run = data;

	run->code = code;
	finish(run);
}

static void say_dead(const struct run *run)
{
	fputs("newswire: killed already: ", stderr);
	show_text(stderr, uri_of(run, run->at), URI_MOST);
	fputc('\n', stderr);
}

static void kill_next(struct run *run)
{
	static const char *const usual[] = {NEWSWIRE_CHANNEL_DEFAULT, NULL};
	const struct settings *settings = run->session.settings;
	char now[EDIT_TIME_SIZE];
	json_t *item;

	for (; run->at < count_of(run) && is_dead(run->posts[run->at]); run->at++)
		say_dead(run);
	if (run->at == count_of(run)) {
		finish(run);
		return;
	}
	edit_now(now);
	item = edit_kill(uri_of(run, run->at), run->posts[run->at], settings->reason, now);
	run->text = item ? json_dumps(item, JSON_COMPACT) : NULL;
	json_decref(item);
	if (run->text)
		sending_begin(&run->sending, usual, run->text, strlen(run->text));
	else
		on_failed(run, CLI_FAILED);
}

/* --- looking, and asking -------------------------------------------------------------------------- */

static void list(const struct run *run)
{
	for (size_t i = 0; i < count_of(run); i++) {
		fputs("  ", stderr);
		show_text(stderr, uri_of(run, i), URI_MOST);
		fputs("\n    ", stderr);
		if (run->posts[i] == NULL)
			fputs("(nothing of it is public)", stderr);
		else if (is_dead(run->posts[i]))
			fputs("(killed already)", stderr);
		else
			show_headline(stderr, json_object_get(run->posts[i], "item"),
				      HEADLINE_MOST);
		fputc('\n', stderr);
	}
}

static void ask(struct run *run)
{
	const struct settings *settings = run->session.settings;

	if (!settings->yes && confirm_is_possible())
		list(run);
	if (!confirm(settings, "kill",
		     "will be withdrawn for good; readers see the notice in their place.",
		     "nothing was killed")) {
		run->code = CLI_USAGE;
		finish(run);
		return;
	}
	run->at = 0;
	kill_next(run);
}

static void on_item(void *data, const struct newswire_answer *answer)
{
	struct run *run = data;
	bool is_post = json_is_string(json_object_get(answer->json, "action"));

	if ((answer->status == 200 || answer->status == 410) && is_post) {
		run->posts[run->at] = json_deep_copy(answer->json);
	} else if (answer->status != 404) {
		run->code =
			answer->problem ? source_refused(answer) : source_is_stranger("no story");
		finish(run);
		return;
	}
	run->at++;
	look_at_next(run);
}

static void look_at_next(struct run *run)
{
	struct session *s = &run->session;

	if (run->at == count_of(run))
		ask(run);
	else if (newswire_item(s->client, s->desk.url, uri_of(run, run->at), on_item, run) < 0)
		session_cannot_ask(s, "a URL or a uri");
}

enum exit_code cmd_kill(const struct settings *settings)
{
	struct run run = {0};

	if (settings->reason && strlen(settings->reason) > REASON_MOST) {
		command_say("--reason: readers are shown at most %d bytes", REASON_MOST);
		return CLI_USAGE;
	}
	if (!settings->yes && !confirm_is_possible())
		return confirm(settings, "kill", "", "") ? CLI_OK : CLI_USAGE;
	if (session_open(&run.session, settings) != CLI_OK)
		return run.session.code;
	if ((run.posts = calloc(settings->file_count, sizeof *run.posts)) == NULL) {
		session_close(&run.session);
		return CLI_FAILED;
	}
	run.sending = (struct sending){.settings = settings,
				       .client = run.session.client,
				       .desk = &run.session.desk,
				       .done = on_receipt,
				       .failed = on_failed,
				       .data = &run};
	sending_open(&run.sending, &run.session.loop);
	look_at_next(&run);
	session_run(&run.session);
	sending_close(&run.sending);
	session_close(&run.session);
	for (size_t i = 0; i < settings->file_count; i++)
		json_decref(run.posts[i]);
	free(run.posts);
	free(run.text);
	return run.session.code;
}
