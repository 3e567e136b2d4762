/* cmd_audit.c - newswire audit: lists who did what to which story, when, and to how many readers it went. */
#include "command.h"
#include "result.h"
#include "show.h"
#include "trail.h"

#include <jansson.h>
#include <string.h>

enum { TIME_MOST = 32, WORD_MOST = 64, URI_MOST = 1024 };

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

static int ask(struct session *session, unsigned limit, const char *before,
	       newswire_answer_cb *done, void *data)
{
	const struct settings *settings = session->settings;
	const struct newswire_audit_filter filter = {
		.uri = settings->uri, .who = settings->who, .what = settings->what};

	return newswire_audit(session->client, session->desk.url, session->key, &filter, limit,
			      before, done, data);
}

enum exit_code cmd_audit(const struct settings *settings)
{
	static const struct trail_kind kind = {"entries", "no audit trail", ask, print_entry};

	return trail_run(&kind, settings);
}
