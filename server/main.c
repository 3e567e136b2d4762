/* main.c - reads the options and hands over to the supervisor, or orders a running one. */
#include <stdio.h>
#include <unistd.h>
#include "base/log.h"
#include "options.h"
#include "order.h"
#include "supervisor.h"

enum { WRONG_OPTIONS = 2 };

static int run(const struct options *o, const struct supervisor_call *call)
{
	log_open(STDERR_FILENO, (enum log_format)o->log_format, (enum log_level)o->log_level);
	log_name_process("supervisor");
	if (*o->doubt)
		log_warn("environment_doubtful", LOG_S("what", o->doubt));
	return supervisor_run(o, call);
}

int main(int argc, char **argv)
{
	const struct supervisor_call call = {argc, (const char *const *)argv,
					     (const char *const *)environ};
	struct options options;
	char error[512];
	int code = 0;

	if (argc > 1 && order_is(argv[1]))
		return order_run(&call);
	if (options_read(&options, call.argc, call.argv, call.envp, error, sizeof error) < 0) {
		fprintf(stderr, "newswired: %s\n", error);
		code = WRONG_OPTIONS;
	} else if (options.help) {
		options_print_help(stdout);
	} else if (options.version) {
		printf("newswired %s\n", NEWSWIRE_VERSION);
	} else if (options.print_config) {
		options_print_config(&options, stdout);
	} else {
		code = run(&options, &call);
	}
	options_free(&options);
	return code;
}
