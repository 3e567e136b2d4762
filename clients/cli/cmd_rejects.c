/* cmd_rejects.c - newswire rejects: lists what was refused, and why. */
#include "command.h"
#include "show.h"
#include "trail.h"

#include <jansson.h>

enum { TIME_MOST = 32, WORD_MOST = 64, DETAIL_MOST = 300, URI_MOST = 1024 };

/* A word and what goes before it; nothing if there is none. */
static void print_word(const json_t *entry, const char *name, const char *lead, size_t most)
{
	const char *text = json_string_value(json_object_get(entry, name));

	if (text == NULL)
		return;
	fputs(lead, stdout);
	show_text(stdout, text, most);
}

static void print_entry(const json_t *entry)
{
	const json_t *bytes = json_object_get(entry, "bytes");

	print_word(entry, "time", "", TIME_MOST);
	print_word(entry, "who", "  ", WORD_MOST);
	print_word(entry, "reason", "  ", WORD_MOST);
	print_word(entry, "uri", "  ", URI_MOST);
	print_word(entry, "version", " version ", WORD_MOST);
	print_word(entry, "channel", " · ", URI_MOST);
	if (bytes)
		printf(" · %lld bytes", (long long)json_integer_value(bytes));
	print_word(entry, "detail", ": ", DETAIL_MOST);
	print_word(entry, "pointer", " at ", DETAIL_MOST);
	fputc('\n', stdout);
}

static int ask(struct session *session, unsigned limit, const char *before,
	       newswire_answer_cb *done, void *data)
{
	const struct settings *settings = session->settings;
	const struct newswire_reject_filter filter = {
		.uri = settings->uri, .who = settings->who, .reason = settings->reason};

	return newswire_rejects(session->client, session->desk.url, session->key, &filter, limit,
				before, done, data);
}

enum exit_code cmd_rejects(const struct settings *settings)
{
	static const struct trail_kind kind = {"rejects", "no rejects", ask, print_entry};

	return trail_run(&kind, settings);
}
