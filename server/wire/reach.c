/* reach.c - asks Redis what the workers reported. */
#include "wire/reach.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include "lua_scripts.h"
#include "wire/page.h"

static struct link_script reach_script = {.text = lua_reach};

/* What a post's row of reach.lua holds. */
enum column { ID, ACTION, VERSION, COUNTS };

struct ask {
	reach_cb *cb;
	void *arg;
	char uri[];
};

static void add_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, "\"%s\":", name);
	buf_add_json(out, text, strlen(text));
}

void reach_write(struct buf *out, const redisReply *row, size_t at)
{
	static const char *const names[] = {"readers", "behind", "ms", "workers", "reported"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *text = page_text(row, at + i);
		bool is_number = *text && text[strspn(text, "0123456789")] == '\0';

		buf_addf(out, "\"%s\":%s,", names[i], is_number ? text : "null");
	}
	buf_addf(out, "\"complete\":%s",
		 strcmp(page_text(row, at + COUNT_OF(names)), "1") == 0 ? "true" : "false");
}

static void add_post(struct buf *out, const redisReply *row)
{
	add_text(out, "id", page_text(row, ID));
	buf_addc(out, ',');
	add_text(out, "action", page_text(row, ACTION));
	buf_addc(out, ',');
	add_text(out, "version", page_text(row, VERSION));
	buf_addc(out, ',');
	reach_write(out, row, COUNTS);
}

/* The newest post's on top, and all of them as `posts`. */
static void write_answer(struct buf *out, const char *uri, const char *status,
			 const redisReply *posts)
{
	buf_addc(out, '{');
	add_text(out, "uri", uri);
	buf_addc(out, ',');
	add_text(out, "status", status);
	buf_addc(out, ',');
	if (posts->elements > 0) {
		add_post(out, posts->element[0]);
		buf_addc(out, ',');
	}
	buf_adds(out, "\"posts\":[");
	for (size_t i = 0; i < posts->elements; i++) {
		buf_adds(out, i == 0 ? "{" : ",{");
		add_post(out, posts->element[i]);
		buf_addc(out, '}');
	}
	buf_adds(out, "]}\n");
}

static void on_reach(redisReply *reply, void *arg)
{
	struct ask *ask = arg;
	struct buf body = {0};
	struct page_place at;
	enum reach_answer answer = REACH_OK;
	const char *status;

	if (reply == NULL || page_read_place(reply, 4, &at) == -1 ||
	    reply->element[3]->type != REDIS_REPLY_ARRAY) {
		answer = REACH_AWAY;
	} else if (*(status = page_text(reply, 2)) == '\0') {
		answer = REACH_MISSING;
	} else if (strcmp(status, "purged") == 0) {
		answer = REACH_PURGED;
	} else {
		write_answer(&body, ask->uri, status, reply->element[3]);
		answer = body.failed ? REACH_AWAY : REACH_OK;
	}
	ask->cb(answer, &body, ask->arg);
	buf_free(&body);
	free(ask);
}

int reach_ask(struct wire *wire, const char *uri, const char *who, reach_cb *cb, void *arg)
{
	struct ask *ask = calloc(1, sizeof *ask + strlen(uri) + 1);
	const char *argv[] = {uri, who != NULL ? who : ""};

	if (ask == NULL)
		return -1;
	ask->cb = cb;
	ask->arg = arg;
	memcpy(ask->uri, uri, strlen(uri) + 1);
	if (page_script(wire_link(wire), &reach_script, wire_prefix(wire), on_reach, ask,
			COUNT_OF(argv), argv) == 0)
		return 0;
	free(ask);
	return -1;
}
