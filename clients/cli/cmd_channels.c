/* cmd_channels.c - newswire channels: how many read each channel now, once or again and again. */
#include "command.h"
#include "show.h"
#include "source.h"

#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { EACH_MS = 1000, NAME_MOST = 80, SIGNALS = 2 };

struct run {
	uv_loop_t loop;
	uv_timer_t timer;
	uv_signal_t signals[SIGNALS];
	const struct settings *settings;
	struct newswire_client *client;
	struct source_desk desk;
	char *text, *before; /* what is to be printed, and what was printed last */
	size_t len;
	FILE *out; /* into text, while pages come */
	enum exit_code code;
};

static void end(struct run *run, enum exit_code code)
{
	run->code = code;
	uv_stop(&run->loop);
}

static void write_page(FILE *out, const json_t *channels)
{
	for (size_t i = 0; i < json_array_size(channels); i++) {
		const json_t *one = json_array_get(channels, i);
		const char *name = json_string_value(json_object_get(one, "channel"));

		fprintf(out, "%9lld  ",
			(long long)json_integer_value(json_object_get(one, "readers")));
		show_text(out, name ? name : "?", NAME_MOST);
		fputc('\n', out);
	}
}

/* All pages have come: says what is new. */
static void print(struct run *run)
{
	bool watches = run->settings->watch;
	char now[32];

	if (run->before == NULL || strcmp(run->before, run->text) != 0) {
		show_now(now, sizeof now);
		if (watches && !run->settings->json)
			printf("%s\n", now);
		fputs(run->text, stdout);
		if (run->len == 0 && !watches)
			command_say("nobody reads");
	}
	free(run->before);
	run->before = run->text;
	run->text = NULL;
	if (fflush(stdout) != 0)
		end(run, CLI_FAILED);
	else if (!watches)
		end(run, CLI_OK);
}

static void on_page(void *data, const struct newswire_answer *answer);

static void ask(struct run *run, const char *after)
{
	const struct settings *s = run->settings;
	const char *key = run->desk.key[0] ? run->desk.key : NULL;

	if (run->out == NULL && (run->out = open_memstream(&run->text, &run->len)) == NULL) {
		end(run, CLI_FAILED);
	} else if (newswire_channels(run->client, run->desk.url, key, s->begins,
				     NEWSWIRE_MAX_CHANNELS_LIMIT, after, on_page, run) < 0) {
		command_say("a URL, a prefix or a key that cannot be used");
		end(run, CLI_USAGE);
	}
}

static void on_timer(uv_timer_t *timer)
{
	ask(timer->data, NULL);
}

/* The pages so far are whole. */
static void all_came(struct run *run)
{
	int failed = fclose(run->out);

	run->out = NULL;
	if (failed) {
		end(run, CLI_FAILED);
		return;
	}
	print(run);
	uv_timer_start(&run->timer, on_timer, EACH_MS, 0);
}

static void on_page(void *data, const struct newswire_answer *answer)
{
	struct run *run = data;
	const json_t *channels = json_object_get(answer->json, "channels");
	const char *after = json_string_value(json_object_get(answer->json, "after"));

	if (answer->problem) {
		end(run, source_refused(answer));
	} else if (!json_is_array(channels)) {
		command_say("what answered is not newswired: no channels");
		end(run, CLI_REFUSED);
	} else {
		if (run->settings->json)
			fwrite(answer->text, 1, answer->len, run->out);
		else
			write_page(run->out, channels);
		if (after)
			ask(run, after);
		else
			all_came(run);
	}
}

static void on_signal(uv_signal_t *signal, int number)
{
	(void)number;
	end(signal->data, CLI_OK);
}

static void follow(struct run *run)
{
	static const int numbers[SIGNALS] = {SIGINT, SIGTERM};

	uv_timer_init(&run->loop, &run->timer);
	run->timer.data = run;
	for (int i = 0; i < SIGNALS; i++) {
		uv_signal_init(&run->loop, &run->signals[i]);
		run->signals[i].data = run;
		uv_signal_start_oneshot(&run->signals[i], on_signal, numbers[i]);
	}
	ask(run, NULL);
	if (run->code == CLI_OK)
		uv_run(&run->loop, UV_RUN_DEFAULT); /* until end() */
	uv_close((uv_handle_t *)&run->timer, NULL);
	for (int i = 0; i < SIGNALS; i++)
		uv_close((uv_handle_t *)&run->signals[i], NULL);
}

enum exit_code cmd_channels(const struct settings *settings)
{
	struct run run = {.settings = settings};

	if ((run.code = source_find_desk(&run.desk, settings, settings->url, "--url")) != CLI_OK)
		return run.code;
	if (uv_loop_init(&run.loop) < 0 ||
	    (run.client = source_client(&run.loop, settings)) == NULL)
		return CLI_FAILED;
	follow(&run);
	source_close(&run.loop, run.client);
	if (run.out)
		fclose(run.out);
	free(run.text);
	free(run.before);
	return run.code;
}
