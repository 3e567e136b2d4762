/* order.c - a signal to the process that newswired.json names, and a look at what that file says afterwards. */
#include "order.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "options.h"
#include "state_dir.h"
#include "supervisor.h"

enum { DONE, NOT_DONE, WRONG_OPTIONS, NOBODY_THERE };
enum { LOOK_EVERY_MS = 50 };

static const struct {
	const char *word;
	int signum;
	const char *done;
} orders[] = {{"reload", SIGHUP, "reloaded"}, {"upgrade", SIGUSR2, "upgraded"}};

bool order_is(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(orders); i++)
		if (strcmp(word, orders[i].word) == 0)
			return true;
	return false;
}

/* What newswired.json says; NULL: there is none. */
static json_t *read_state(const char *path)
{
	json_error_t error;

	return json_load_file(path, 0, &error);
}

static json_int_t number_of(const json_t *state, const char *name)
{
	return json_integer_value(json_object_get(state, name));
}

static const char *text_of(const json_t *state, const char *name)
{
	const char *text = json_string_value(json_object_get(state, name));

	return text == NULL ? "" : text;
}

/* What it says once a renewal more is over; NULL: the other has ended, or takes too long. */
static json_t *await(const char *path, const json_t *before)
{
	const struct timespec pause = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
	uint64_t until = clock_mono_ms() + ORDER_PATIENCE_MS;
	pid_t pid = (pid_t)number_of(before, "pid");

	while (clock_mono_ms() < until && kill(pid, 0) == 0) {
		json_t *state = read_state(path);

		if (state != NULL && number_of(state, "renewals") > number_of(before, "renewals"))
			return state;
		json_decref(state);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static int tell(const json_t *before, const json_t *after, const char *done)
{
	const char *trouble = text_of(after, "renewal_trouble");

	if (after == NULL) {
		fprintf(stderr, "newswired: no answer came from process %lld; its log says more\n",
			(long long)number_of(before, "pid"));
		return NOT_DONE;
	}
	if (*trouble != '\0') {
		fprintf(stderr, "newswired: not %s: %s\n", done, trouble);
		return NOT_DONE;
	}
	if (strcmp(text_of(before, "version"), text_of(after, "version")) == 0)
		printf("%s: version %s, generation %lld of workers; readers move over within "
		       "--drain-time\n",
		       done, text_of(after, "version"), (long long)number_of(after, "generation"));
	else
		printf("%s: from version %s to %s, generation %lld of workers; readers move over "
		       "within "
		       "--drain-time\n",
		       done, text_of(before, "version"), text_of(after, "version"),
		       (long long)number_of(after, "generation"));
	return DONE;
}

static int carry_out(const char *path, size_t order)
{
	json_t *before = read_state(path), *after = NULL;
	pid_t pid = (pid_t)number_of(before, "pid");
	int code = NOBODY_THERE;

	if (pid <= 1)
		fprintf(stderr, "newswired: none runs there: %s is missing or not its own\n", path);
	else if (kill(pid, orders[order].signum) != 0)
		fprintf(stderr, "newswired: cannot tell process %d: %s\n", (int)pid,
			strerror(errno));
	else
		code = tell(before, after = await(path, before), orders[order].done);
	json_decref(before);
	json_decref(after);
	return code;
}

int order_run(const struct supervisor_call *call)
{
	struct options options;
	char path[PATH_MAX], error[512];
	size_t order = 0;
	int code = WRONG_OPTIONS;

	while (strcmp(call->argv[1], orders[order].word) != 0)
		order++;
	if (options_read(&options, call->argc - 1, call->argv + 1, call->envp, error,
			 sizeof error) < 0 ||
	    state_dir_find(options.state_dir, path, error, sizeof error) < 0)
		fprintf(stderr, "newswired: %s\n", error);
	else
		code = carry_out(path, order);
	options_free(&options);
	return code;
}
