/* cmd_correct.c - newswire correct: publishes the next version of a story.
 *
 * The new version comes from a file, from options, or from an editor. What is public is read first, for its version and for
 * what stays. What was typed in an editor stays in its file until the server has said that it has it.
 */
#include "command.h"
#include "edit.h"
#include "editor.h"
#include "item_file.h"
#include "result.h"
#include "sending.h"
#include "session.h"
#include "show.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run {
	struct session session;
	struct sending sending;
	struct editor editor;
	bool is_file;	       /* the operand is one; else a uri */
	const char *uri;       /* of the operand, or in the file; lent by one of them */
	struct item_file file; /* the new version, or (--body) its text */
	struct item_file body;
	json_t *item; /* what is published */
	char *text;   /* the same, as it is sent */
	json_t *post; /* what is public; NULL: nothing is */
	struct word_list channels;
};

static void leave(struct run *run, enum exit_code code)
{
	session_end(&run->session, code);
}

/* --- sending -------------------------------------------------------------------------------------- */

static void say_kept(const struct run *run)
{
	if (run->editor.path[0])
		command_say("what you wrote is in %s", run->editor.path);
}

static void on_receipt(void *data, const struct newswire_receipt *receipt)
{
	struct run *run = data;
	enum exit_code code = result_exit(receipt->status);
	char line[RESULT_SIZE];

	result_line(line, run->uri, receipt);
	if (receipt->status < NEWSWIRE_REFUSED) {
		const char *text = run->session.settings->json ? receipt->answer->text : line;

		printf("%.*s\n", (int)strcspn(text, "\n"), text);
		editor_discard(&run->editor);
	} else {
		command_say("%s", line);
		say_kept(run);
	}
	leave(run, code);
}

static void on_failed(void *data, enum exit_code code)
{
	say_kept(data);
	leave(data, code);
}

static void send_it(struct run *run)
{
	static const char *const usual[] = {NEWSWIRE_CHANNEL_DEFAULT, NULL};
	const struct settings *settings = run->session.settings;
	const char *const *channels = settings->channels.words;

	if (settings->channels.count == 0) {
		edit_channels(run->post, &run->channels);
		channels = run->channels.count ? run->channels.words : usual;
	}
	if (run->item && (run->text = json_dumps(run->item, JSON_COMPACT)) != NULL) {
		sending_begin(&run->sending, channels, run->text, strlen(run->text));
	} else {
		command_say("out of memory");
		on_failed(run, CLI_FAILED);
	}
}

/* --- the new version ------------------------------------------------------------------------------ */

static bool has_changes(const struct settings *settings)
{
	return settings->headline || settings->summary || settings->body || settings->note;
}

/* What came out of the editor. */
static void take_edited(struct run *run, const char *before)
{
	char now[EDIT_TIME_SIZE];
	struct item_file edited;

	edit_now(now);
	if (item_file_read(&edited, run->editor.path) < 0 || item_file_check(&edited) < 0) {
		command_say("%s", edited.problem);
		on_failed(run, CLI_USAGE);
	} else if (strcmp(edited.text, before) == 0) {
		command_say("nothing was changed, and nothing sent");
		editor_discard(&run->editor);
		leave(run, CLI_OK);
	} else {
		run->item = json_loadb(edited.text, edited.len, 0, NULL);
		if (run->item &&
		    edit_follow(run->item, run->post, run->session.settings->note, now) < 0) {
			json_decref(run->item);
			run->item = NULL;
		}
		send_it(run);
	}
	item_file_free(&edited);
}

static void edit_by_hand(struct run *run)
{
	char *before = json_dumps(json_object_get(run->post, "item"), JSON_INDENT(2));

	if (before == NULL)
		leave(run, CLI_FAILED);
	else if (editor_run(&run->editor, before) < 0)
		on_failed(run, CLI_FAILED);
	else
		take_edited(run, before);
	free(before);
}

static void correct(struct run *run)
{
	const struct settings *settings = run->session.settings;
	const struct edit_changes changes = {.headline = settings->headline,
					     .summary = settings->summary,
					     .body = settings->body ? run->body.text : NULL,
					     .note = settings->note};
	char now[EDIT_TIME_SIZE];

	edit_now(now);
	if (run->is_file) {
		if (edit_follow(run->item, run->post, settings->note, now) < 0) {
			json_decref(run->item);
			run->item = NULL;
		}
		send_it(run);
	} else if (has_changes(settings)) {
		run->item = edit_correct(run->post, &changes, now);
		send_it(run);
	} else {
		edit_by_hand(run);
	}
}

/* --- what is public ------------------------------------------------------------------------------- */

static void on_item(void *data, const struct newswire_answer *answer)
{
	struct run *run = data;

	if (answer->status == 410) {
		fputs("newswire: killed, and nothing can follow: ", stderr);
		show_text(stderr, run->uri, NEWSWIRE_MAX_URI);
		fputc('\n', stderr);
		leave(run, CLI_REFUSED);
	} else if (answer->status == 404 && !run->is_file) {
		command_say("nothing of it is public (unknown, withheld or under embargo): correct "
			    "needs "
			    "a FILE with the whole new version");
		leave(run, CLI_REFUSED);
	} else if (answer->problem && answer->status != 404) {
		leave(run, source_refused(answer));
	} else if (!answer->problem && !json_is_object(json_object_get(answer->json, "item"))) {
		leave(run, source_is_stranger("no story"));
	} else {
		/* Of a file nothing is public, perhaps: it may be under embargo, and its own version must do. */
		run->post = answer->problem ? NULL : json_deep_copy(answer->json);
		correct(run);
	}
}

/* --- the command ---------------------------------------------------------------------------------- */

static const char *uri_in(const json_t *item)
{
	const char *uri = json_string_value(json_object_get(item, "uri"));

	return uri ? uri : json_string_value(json_object_get(item, "guid"));
}

static enum exit_code read_item(struct run *run, const char *name)
{
	if (item_file_read(&run->file, name) < 0 || item_file_check(&run->file) < 0) {
		command_say("%s: %s", name, run->file.problem);
		return CLI_USAGE;
	}
	run->item = json_loadb(run->file.text, run->file.len, 0, NULL);
	if ((run->uri = uri_in(run->item)) == NULL) {
		command_say("%s: it has no uri", name);
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* What there is to correct, and by what. */
static enum exit_code read_operand(struct run *run, const struct settings *settings)
{
	const char *operand = settings->files[0];

	if (settings->file_count > 1) {
		command_say("correct: one story at a time");
		return CLI_USAGE;
	}
	run->is_file = strcmp(operand, "-") == 0 || access(operand, F_OK) == 0;
	if (run->is_file && (settings->headline || settings->summary || settings->body)) {
		command_say("correct: %s is a file and holds all that is new; --headline, "
			    "--summary and --body "
			    "need a URI",
			    operand);
		return CLI_USAGE;
	}
	if (run->is_file)
		return read_item(run, operand);
	if (strchr(operand, ':') == NULL) {
		command_say("correct: no file, and no URI: %s", operand);
		return CLI_USAGE;
	}
	run->uri = operand;
	if (settings->body && item_file_read(&run->body, settings->body) < 0) {
		command_say("%s: %s", settings->body, run->body.problem);
		return CLI_USAGE;
	}
	if (!has_changes(settings) && !editor_is_possible()) {
		command_say("correct: what is to change? Name a FILE, or --headline, --summary, "
			    "--body or "
			    "--note; an editor needs a terminal");
		return CLI_USAGE;
	}
	return CLI_OK;
}

static enum exit_code run_it(struct run *run, const struct settings *settings)
{
	struct session *s = &run->session;

	if (session_open(s, settings) != CLI_OK)
		return s->code;
	run->sending = (struct sending){.settings = settings,
					.client = s->client,
					.desk = &s->desk,
					.done = on_receipt,
					.failed = on_failed,
					.data = run};
	sending_open(&run->sending, &s->loop);
	if (newswire_item(s->client, s->desk.url, run->uri, on_item, run) < 0)
		session_cannot_ask(s, "a URL or a uri");
	session_run(s);
	sending_close(&run->sending);
	session_close(s);
	return s->code;
}

enum exit_code cmd_correct(const struct settings *settings)
{
	struct run run = {0};
	enum exit_code code = read_operand(&run, settings);

	if (code == CLI_OK)
		code = run_it(&run, settings);
	item_file_free(&run.file);
	item_file_free(&run.body);
	json_decref(run.item);
	json_decref(run.post);
	free(run.text);
	return code;
}
