/* session.c - a server, a key, a loop and a client. */
#include "session.h"

#include <errno.h>
#include <signal.h>

enum exit_code session_open(struct session *s, const struct settings *settings)
{
	*s = (struct session){.settings = settings};
	s->code = source_find_desk(&s->desk, settings, settings->url, "--url");
	if (s->code != CLI_OK)
		return s->code;
	s->key = s->desk.key[0] ? s->desk.key : NULL;
	if (uv_loop_init(&s->loop) < 0 || (s->client = source_client(&s->loop, settings)) == NULL)
		return s->code = CLI_FAILED;
	return CLI_OK;
}

static void on_signal(uv_signal_t *signal, int number)
{
	(void)number;
	session_end(signal->data, CLI_OK);
}

void session_watch_signals(struct session *s)
{
	static const int numbers[SESSION_SIGNALS] = {SIGINT, SIGTERM};

	for (int i = 0; i < SESSION_SIGNALS; i++) {
		uv_signal_init(&s->loop, &s->signals[i]);
		s->signals[i].data = s;
		uv_signal_start_oneshot(&s->signals[i], on_signal, numbers[i]);
	}
	s->watches_signals = true;
}

enum exit_code session_run(struct session *s)
{
	uv_run(&s->loop, UV_RUN_DEFAULT);
	return s->code;
}

void session_end(struct session *s, enum exit_code code)
{
	s->code = code;
	uv_stop(&s->loop);
}

void session_cannot_ask(struct session *s, const char *what)
{
	if (errno == EINVAL)
		command_say("%s that cannot be used", what);
	else
		command_say("out of memory");
	session_end(s, errno == EINVAL ? CLI_USAGE : CLI_FAILED);
}

void session_close(struct session *s)
{
	for (int i = 0; s->watches_signals && i < SESSION_SIGNALS; i++)
		uv_close((uv_handle_t *)&s->signals[i], NULL);
	source_close(&s->loop, s->client);
}
