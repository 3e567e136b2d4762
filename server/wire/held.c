/* held.c - asks Redis for a version under embargo. */
#include "wire/held.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "lua_scripts.h"
#include "wire/page.h"

static struct link_script held_script = {.text = lua_held};

/* What held.lua answers behind the place of the wire. */
enum column { VERSION = 2, UNTIL, CLASS, CHANNELS, BODY, COLUMNS };

struct ask {
	held_cb *cb;
	void *arg;
	char uri[];
};

static void add_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, "\"%s\":", name);
	buf_add_json(out, text, strlen(text));
	buf_addc(out, ',');
}

static void add_channels(struct buf *out, const char *names)
{
	const char *separator = "";

	buf_adds(out, "\"channels\":[");
	while (*names != '\0') {
		size_t len = strcspn(names, " ");

		buf_adds(out, separator);
		buf_add_json(out, names, len);
		names += len + (names[len] == ' ');
		separator = ",";
	}
	buf_adds(out, "],");
}

static void add_embargo(struct buf *out, const char *ms)
{
	char text[CLOCK_TEXT_MAX];

	clock_format(strtoll(ms, NULL, 10), true, text);
	add_text(out, "embargo", text);
}

static void write_answer(struct buf *out, const char *uri, const redisReply *reply)
{
	const redisReply *body = reply->element[BODY];

	buf_addc(out, '{');
	add_text(out, "uri", uri);
	add_text(out, "version", page_text(reply, VERSION));
	add_text(out, "class", page_text(reply, CLASS));
	add_channels(out, page_text(reply, CHANNELS));
	add_embargo(out, page_text(reply, UNTIL));
	buf_adds(out, "\"item\":");
	buf_add(out, body->str, body->len);
	buf_adds(out, "}\n");
}

static void on_held(redisReply *reply, void *arg)
{
	struct ask *ask = arg;
	struct buf body = {0};
	struct page_place at;
	enum held_answer answer = HELD_OK;

	if (reply == NULL || page_read_place(reply, 2, &at) == -1)
		answer = HELD_AWAY;
	else if (reply->elements != COLUMNS || reply->element[BODY]->type != REDIS_REPLY_STRING)
		answer = HELD_MISSING;
	else
		write_answer(&body, ask->uri, reply);
	ask->cb(body.failed ? HELD_AWAY : answer, &body, ask->arg);
	buf_free(&body);
	free(ask);
}

int held_ask(struct wire *wire, const char *uri, const char *who, held_cb *cb, void *arg)
{
	struct ask *ask = calloc(1, sizeof *ask + strlen(uri) + 1);
	const char *argv[] = {uri, who != NULL ? who : ""};

	if (ask == NULL)
		return -1;
	ask->cb = cb;
	ask->arg = arg;
	memcpy(ask->uri, uri, strlen(uri) + 1);
	if (page_script(wire_link(wire), &held_script, wire_prefix(wire), on_held, ask,
			COUNT_OF(argv), argv) == 0)
		return 0;
	free(ask);
	return -1;
}
