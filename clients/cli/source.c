/* source.c - which server a command means, and a client to speak with it. */
#include "source.h"

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
