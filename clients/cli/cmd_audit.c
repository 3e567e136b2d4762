/* cmd_audit.c - newswire audit: lists who did what to which story, when, and to how many readers it went. */
#include "command.h"
#include "result.h"
#include "show.h"
#include "source.h"

#include <jansson.h>
#include <string.h>
#include <uv.h>

enum { TIME_MOST = 32, WORD_MOST = 64, URI_MOST = 1024 };

struct run {
	uv_loop_t loop;
	const struct settings *settings;
	enum exit_code code;
};

/* A word and what goes before it; nothing if there is none. */
static void print_word(const json_t *entry, const char *name, const char *lead, size_t most)
{
	const char *text = json_string_value(json_object_get(entry, name));

	if (text == NULL)
		return;
	fputs(lead, stdout);
	show_text(stdout, text, most);
}

/* The channels that people named; the derived ones (with a colon) would be a line of noise. */
static void print_channels(const json_t *channels)
{
	for (size_t i = 0; i < json_array_size(channels); i++) {
		const char *name = json_string_value(json_array_get(channels, i));

		if (name && strchr(name, ':') == NULL) {
			fputs(" · ", stdout);
			show_text(stdout, name, WORD_MOST);
		}
	}
}

static void print_entry(const json_t *entry)
{
	const json_t *reach = json_object_get(entry, "reach");
	char line[RESULT_SIZE];

	print_word(entry, "time", "", TIME_MOST);
	print_word(entry, "who", "  ", WORD_MOST);
	print_word(entry, "what", "  ", WORD_MOST);
	print_word(entry, "uri", "  ", URI_MOST);
	print_word(entry, "version", " version ", WORD_MOST);
	print_word(entry, "before", " before ", WORD_MOST);
	print_channels(json_object_get(entry, "channels"));
	print_word(entry, "wire", " id ", WORD_MOST);
	if (reach) {
		result_reach(line, reach);
		printf(": %s", line);
	}
	fputc('\n', stdout);
}

static void print_page(const json_t *page)
{
	const json_t *entries = json_object_get(page, "entries");
	const char *before = json_string_value(json_object_get(page, "before"));

	for (size_t i = 0; i < json_array_size(entries); i++)
		print_entry(json_array_get(entries, i));
	if (json_array_size(entries) == 0)
		command_say("nothing there");
	fflush(stdout);
	if (before)
		command_say("older ones: --before %s", before);
}

static void on_page(void *data, const struct newswire_answer *answer)
{
	struct run *run = data;

	uv_stop(&run->loop);
	if (answer->problem) {
		run->code = source_refused(answer);
	} else if (!json_is_array(json_object_get(answer->json, "entries"))) {
		command_say("what answered is not newswired: no audit trail");
		run->code = CLI_REFUSED;
	} else if (run->settings->json) {
		fwrite(answer->text, 1, answer->len, stdout);
	} else {
		print_page(answer->json);
	}
}

enum exit_code cmd_audit(const struct settings *settings)
{
	const struct newswire_audit_filter filter = {
		.uri = settings->uri, .who = settings->who, .what = settings->what};
	struct run run = {.settings = settings};
	struct newswire_client *client;
	struct source_desk desk;

	if ((run.code = source_find_desk(&desk, settings, settings->url, "--url")) != CLI_OK)
		return run.code;
	if (uv_loop_init(&run.loop) < 0 || (client = source_client(&run.loop, settings)) == NULL)
		return CLI_FAILED;
	if (newswire_audit(client, desk.url, desk.key[0] ? desk.key : NULL, &filter,
			   (unsigned)settings->limit, settings->before, on_page, &run) < 0) {
		command_say("a URL, a name, a token or a key that cannot be used");
		run.code = CLI_USAGE;
	} else {
		uv_run(&run.loop, UV_RUN_DEFAULT); /* until on_page() */
	}
	source_close(&run.loop, client);
	return run.code;
}
