/* main.c - newswire: publish news, follow them, list them. Finds the command and runs it. */
#include "command.h"

#include <newswire/client.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* What stdio still holds must come out before "ok" is said. */
static int leave(enum exit_code code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	return code == CLI_OK ? CLI_FAILED : (int)code;
}

static int help(const char *name)
{
	const struct command *command = name ? command_find(name) : NULL;

	if (name && command == NULL) {
		command_say("no command %s; newswire help lists them", name);
		return CLI_USAGE;
	}
	command_help(stdout, command);
	return leave(CLI_OK);
}

int main(int argc, char **argv)
{
	const struct command *command;
	struct settings settings;

	signal(SIGPIPE, SIG_IGN); /* a write that fails is told by its result */
	if (argc < 2) {
		command_help(stderr, NULL);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
		printf("newswire %s\n", newswire_version());
		return leave(CLI_OK);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return help(NULL);
	if (strcmp(argv[1], "help") == 0)
		return help(argv[2]);
	if ((command = command_find(argv[1])) == NULL)
		return help(argv[1]);
	if (command_parse(command, argc - 1, argv + 1, &settings) < 0)
		return CLI_USAGE;
	if (settings.help)
		return help(argv[1]);
	return leave(command_run(command, &settings));
}
