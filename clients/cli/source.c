/* source.c - which server a command means, and a client to speak with it. */
#include "source.h"

#include "item_file.h"
#include "show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum exit_code source_find(struct newswire_query *query, const struct settings *settings,
			   struct newswire_local *local)
{
	char problem[512];

	*query = (struct newswire_query){
		.url = settings->url,
		.channels = settings->channels.words,
		.classes = settings->classes.words,
		.languages = settings->languages.words,
		.types = settings->types.words,
		.view = settings->view,
	};
	if (query->url)
		return CLI_OK;
	if (newswire_local_find(settings->state_dir, local, problem, sizeof problem) < 0) {
		command_say("%s; start newswired, or name a server with --url", problem);
		return CLI_UNREACHABLE;
	}
	query->url = local->url;
	return CLI_OK;
}

enum exit_code source_find_desk(struct source_desk *desk, const struct settings *settings,
				const char *url, const char *option)
{
	const char *key = getenv("NEWSWIRE_KEY");
	char problem[512];

	desk->url = url;
	desk->key[0] = '\0';
	if (url == NULL) {
		if (newswire_local_find(settings->state_dir, &desk->local, problem,
					sizeof problem) < 0) {
			command_say("%s; start newswired, or name a server with %s", problem,
				    option);
			return CLI_UNREACHABLE;
		}
		desk->url = desk->local.url;
		snprintf(desk->key, sizeof desk->key, "%s", desk->local.key);
	}
	if (settings->key_file) {
		if (item_file_first_line(settings->key_file, desk->key, sizeof desk->key) < 0) {
			command_say("no key in %s: %s", settings->key_file, strerror(errno));
			return CLI_USAGE;
		}
	} else if (key && *key && strlen(key) < sizeof desk->key) {
		snprintf(desk->key, sizeof desk->key, "%s", key);
	}
	return CLI_OK;
}

enum exit_code source_refused(const struct newswire_answer *answer)
{
	bool final = answer->status >= 300 && answer->status < 500 && answer->status != 429;

	fputs("newswire: ", stderr);
	show_text(stderr, answer->problem, 400);
	fputc('\n', stderr);
	return final ? CLI_REFUSED : CLI_UNREACHABLE;
}

enum exit_code source_is_stranger(const char *nothing)
{
	command_say("what answered is not newswired: %s", nothing);
	return CLI_REFUSED;
}

struct newswire_client *source_client(struct uv_loop_s *loop, const struct settings *settings)
{
	struct newswire_client_options options = {
		.user_agent = "newswire/" NEWSWIRE_VERSION,
		.ca_file = settings->ca_file,
		.verbose = settings->verbose,
	};
	struct newswire_client *client = newswire_client_new(loop, &options);

	if (client)
		return client;
	if (options.ca_file && access(options.ca_file, R_OK) < 0)
		command_say("cannot read %s", options.ca_file);
	else
		command_say("cannot set up the network; --verbose shows why");
	uv_loop_close(loop);
	return NULL;
}

void source_close(struct uv_loop_s *loop, struct newswire_client *client)
{
	newswire_client_stop(client);
	uv_run(loop, UV_RUN_DEFAULT);
	newswire_client_free(client);
	uv_loop_close(loop);
}
