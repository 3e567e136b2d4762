/* cmd_feed.c - newswire feed: lists the latest news. */
#include "command.h"
#include "show.h"
#include "source.h"

#include <jansson.h>
#include <uv.h>

struct run {
	uv_loop_t loop;
	const struct settings *settings;
	enum exit_code code;
};

static void print_page(const json_t *page)
{
	const json_t *items = json_object_get(page, "items");
	const char *before = json_string_value(json_object_get(page, "before"));
	const char *cursor = json_string_value(json_object_get(page, "cursor"));
	bool colour = show_wants_colour(stdout);
	char now[32];

	show_now(now, sizeof now);
	for (size_t i = 0; i < json_array_size(items); i++)
		show_post(stdout, json_array_get(items, i), colour, now);
	if (json_array_size(items) == 0)
		command_say("nothing there");
	fflush(stdout);
	if (before)
		command_say("older ones: --before %s", before);
	if (cursor)
		command_say("to go on from here: newswire tail --since %s", cursor);
}

static void on_page(void *data, const struct newswire_answer *answer)
{
	struct run *run = data;

	uv_stop(&run->loop);
	if (answer->problem) {
		run->code = source_refused(answer);
	} else if (!json_is_array(json_object_get(answer->json, "items"))) {
		command_say("what answered is not newswired: no feed");
		run->code = CLI_REFUSED;
	} else if (run->settings->json) {
		fwrite(answer->text, 1, answer->len, stdout);
		fputc('\n', stdout);
	} else {
		print_page(answer->json);
	}
}

enum exit_code cmd_feed(const struct settings *settings)
{
	struct run run = {.settings = settings};
	struct newswire_client *client;
	struct newswire_local local;
	struct newswire_query query;

	if ((run.code = source_find(&query, settings, &local)) != CLI_OK)
		return run.code;
	if (uv_loop_init(&run.loop) < 0 || (client = source_client(&run.loop, settings)) == NULL)
		return CLI_FAILED;
	if (newswire_feed(client, &query, (unsigned)settings->limit, settings->before, on_page,
			  &run) < 0) {
		command_say("a URL, a name or a token that cannot be used");
		run.code = CLI_USAGE;
	} else {
		uv_run(&run.loop, UV_RUN_DEFAULT); /* until on_page() */
	}
	source_close(&run.loop, client);
	return run.code;
}
