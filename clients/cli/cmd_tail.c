/* cmd_tail.c - newswire tail: follows the news. */
#include "command.h"
#include "show.h"
#include "source.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <uv.h>

enum { SIGNALS = 2 };

struct run {
	const struct settings *settings;
	uv_loop_t loop;
	uv_signal_t signals[SIGNALS];
	struct newswire_stream *stream;
	uint64_t posts;
	char cursor[NEWSWIRE_CURSOR_SIZE]; /* after the last message that was printed */
	bool colour;
	bool was_live; /* has there been a link before? */
	bool ended;    /* no more is to be printed */
	enum exit_code code;
};

static void end(struct run *run, enum exit_code code)
{
	run->ended = true;
	run->code = code;
	uv_stop(&run->loop);
}

/* "newswire: …" with words of the server at its end. */
static void say_with(const char *what, const char *words)
{
	fprintf(stderr, "newswire: %s", what);
	show_text(stderr, words, 400);
	fputc('\n', stderr);
}

/* --- messages ------------------------------------------------------------------------------------- */

static void print(struct run *run, const struct newswire_message *message)
{
	char now[32];

	if (run->settings->json) {
		fwrite(message->text, 1, message->len, stdout);
		fputc('\n', stdout);
	} else if (message->type == NEWSWIRE_MESSAGE_POST) {
		show_now(now, sizeof now);
		show_post(stdout, message->json, run->colour, now);
	}
	if (fflush(stdout) == 0)
		return;
	if (errno == EPIPE) { /* `tail | head`: whoever read has had enough */
		end(run, CLI_OK);
		clearerr(stdout);
	} else {
		command_say("cannot write: %s", strerror(errno));
		end(run, CLI_FAILED);
	}
}

static void tell(const struct newswire_message *message)
{
	const char *detail = json_string_value(json_object_get(message->json, "detail"));
	const char *code = json_string_value(json_object_get(message->json, "code"));
	const char *reason = json_string_value(json_object_get(message->json, "reason"));

	switch (message->type) {
	case NEWSWIRE_MESSAGE_GAP:
		command_say(
			"gap: news are missing before this; newswire feed shows what is current");
		break;
	case NEWSWIRE_MESSAGE_BYE:
		say_with("the server says goodbye: ", reason ? reason : "no reason");
		break;
	case NEWSWIRE_MESSAGE_ERROR:
		say_with("the server complains: ", detail ? detail : code ? code : "no reason");
		break;
	default:
		break;
	}
}

static void on_message(void *data, const struct newswire_message *message)
{
	struct run *run = data;

	if (run->ended)
		return;
	print(run, message);
	tell(message);
	snprintf(run->cursor, sizeof run->cursor, "%s", message->cursor);
	if (message->type == NEWSWIRE_MESSAGE_POST && ++run->posts == run->settings->count &&
	    !run->ended)
		end(run, CLI_OK);
	if (run->ended) { /* what came with it in one packet is not ours any more */
		newswire_stream_close(run->stream);
		run->stream = NULL;
	}
}

/* --- the link ----------------------------------------------------------------------------------- */

static void on_link(void *data, const struct newswire_link_change *change)
{
	struct run *run = data;
	char what[96];

	switch (change->link) {
	case NEWSWIRE_LINK_LIVE:
		if (run->was_live)
			command_say("live again");
		run->was_live = true;
		break;
	case NEWSWIRE_LINK_WAITING:
		snprintf(what, sizeof what,
			 "no link, trying again in %.1f s: ", change->wait_ms / 1000.0);
		say_with(what, change->reason);
		break;
	case NEWSWIRE_LINK_FAILED:
		snprintf(what, sizeof what, "refused (%d): ", change->code);
		say_with(what, change->reason);
		end(run, CLI_REFUSED);
		break;
	case NEWSWIRE_LINK_CONNECTING:
		break;
	}
}

static void on_signal(uv_signal_t *signal, int number)
{
	(void)number;
	end(signal->data, CLI_OK);
}

static void watch_signals(struct run *run)
{
	static const int numbers[SIGNALS] = {SIGINT, SIGTERM};

	for (int i = 0; i < SIGNALS; i++) {
		uv_signal_init(&run->loop, &run->signals[i]);
		run->signals[i].data = run;
		uv_signal_start_oneshot(&run->signals[i], on_signal, numbers[i]);
	}
}

static void follow(struct run *run, struct newswire_client *client,
		   const struct newswire_query *query)
{
	static const struct newswire_stream_handlers handlers = {.message = on_message,
								 .link = on_link};
	const char *since = run->settings->since;

	run->stream = newswire_stream_open(client, query, since, &handlers, run);
	if (run->stream == NULL) {
		command_say("a URL, a name or a cursor that cannot be used");
		run->code = CLI_USAGE;
		return;
	}
	watch_signals(run);
	uv_run(&run->loop, UV_RUN_DEFAULT); /* until end() */
	if (run->cursor[0] && !run->settings->json)
		say_with("to go on from here: --since ", run->cursor);
	for (int i = 0; i < SIGNALS; i++)
		uv_close((uv_handle_t *)&run->signals[i], NULL);
}

enum exit_code cmd_tail(const struct settings *settings)
{
	struct run run = {.settings = settings, .colour = show_wants_colour(stdout)};
	struct newswire_client *client;
	struct newswire_local local;
	struct newswire_query query;

	if ((run.code = source_find(&query, settings, &local)) != CLI_OK)
		return run.code;
	if (uv_loop_init(&run.loop) < 0 || (client = source_client(&run.loop, settings)) == NULL)
		return CLI_FAILED;
	follow(&run, client, &query);
	source_close(&run.loop, client);
	return run.code;
}
