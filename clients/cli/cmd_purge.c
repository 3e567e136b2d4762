/* cmd_purge.c - newswire purge: takes stories away for good, one after another, once somebody has said so. */
#include "command.h"
#include "confirm.h"
#include "show.h"
#include "source.h"

#include <jansson.h>
#include <string.h>
#include <uv.h>

enum { URI_MOST = 1024 };

struct run {
	uv_loop_t loop;
	const struct settings *settings;
	struct newswire_client *client;
	struct source_desk desk;
	size_t done; /* the next is settings->files[done] */
	enum exit_code code;
};

static void purge_next(struct run *run);

/* --- asking ------------------------------------------------------------------------------------- */

static bool is_meant(const struct settings *settings)
{
	for (size_t i = 0; !settings->yes && confirm_is_possible() && i < settings->file_count;
	     i++) {
		fputs("  ", stderr);
		show_text(stderr, settings->files[i], URI_MOST);
		fputc('\n', stderr);
	}
	return confirm(settings, "purge", "will be gone for everybody and for ever.",
		       "nothing was purged");
}

/* --- purging ------------------------------------------------------------------------------------ */

static void print_purged(const char *uri, const json_t *json)
{
	const char *id = json_string_value(json_object_get(json, "id"));

	fputs("purged ", stdout);
	show_text(stdout, uri, URI_MOST);
	printf(" versions %lld feeds %lld%s%s%s\n",
	       (long long)json_integer_value(json_object_get(json, "versions")),
	       (long long)json_integer_value(json_object_get(json, "feeds")),
	       json_is_true(json_object_get(json, "held")) ? " and one under embargo" : "",
	       id ? " id " : "", id ? id : "");
	fflush(stdout);
}

/* What is refused does not stop the others; a server that is away does. */
static void on_answer(void *data, const struct newswire_answer *answer)
{
	struct run *run = data;
	const char *status = json_string_value(json_object_get(answer->json, "status"));
	enum exit_code code = CLI_OK;

	if (answer->problem) {
		code = source_refused(answer);
	} else if (status == NULL || strcmp(status, "purged") != 0) {
		command_say("what answered is not newswired: nothing says that it was purged");
		code = CLI_REFUSED;
	} else if (run->settings->json) {
		fwrite(answer->text, 1, answer->len, stdout);
		fflush(stdout);
	} else {
		print_purged(run->settings->files[run->done], answer->json);
	}
	run->done++;
	if (code > run->code)
		run->code = code;
	if (code == CLI_UNREACHABLE)
		uv_stop(&run->loop);
	else
		purge_next(run);
}

static void purge_next(struct run *run)
{
	if (run->done == run->settings->file_count) {
		uv_stop(&run->loop);
	} else if (newswire_purge(run->client, run->desk.url,
				  run->desk.key[0] ? run->desk.key : NULL,
				  run->settings->files[run->done], on_answer, run) < 0) {
		command_say("a URL, a uri or a key that cannot be used");
		run->code = CLI_USAGE;
		uv_stop(&run->loop);
	}
}

enum exit_code cmd_purge(const struct settings *settings)
{
	struct run run = {.settings = settings};

	run.code = source_find_desk(&run.desk, settings, settings->url, "--url");
	if (run.code != CLI_OK)
		return run.code;
	if (!is_meant(settings))
		return CLI_USAGE;
	if (uv_loop_init(&run.loop) < 0 ||
	    (run.client = source_client(&run.loop, settings)) == NULL)
		return CLI_FAILED;
	purge_next(&run);
	uv_run(&run.loop, UV_RUN_DEFAULT); /* until uv_stop() */
	source_close(&run.loop, run.client);
	return run.code;
}
