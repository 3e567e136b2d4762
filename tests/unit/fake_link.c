/* fake_link.c - wire/link.h without a Redis. */
#include "fake_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utlist.h>
#include "wire/redis_words.h"

struct owed {
	struct owed *prev, *next;
	link_reply_cb *cb;
	void *arg;
	const char *question; /* lives as long as the program */
	char argument[64];
};

struct link {
	struct link *prev, *next;
	char name[32];
	const struct link_events *events;
	void *arg;
	enum link_state state;
	struct owed *owed;
	link_reply_cb *hears; /* its subscription */
	void *hears_arg;
};

static struct link *links;

struct link *link_open(uv_loop_t *loop, const struct redis_place *place, const char *name,
		       const struct link_events *events, void *arg)
{
	struct link *link = calloc(1, sizeof *link);

	(void)loop;
	(void)place;
	if (link == NULL)
		return NULL;
	snprintf(link->name, sizeof link->name, "%s", name);
	link->events = events;
	link->arg = arg;
	DL_APPEND(links, link);
	return link;
}

static void forget_owed(struct link *link, bool tell)
{
	struct owed *owed;

	while ((owed = link->owed) != NULL) {
		DL_DELETE(link->owed, owed);
		if (tell && owed->cb)
			owed->cb(NULL, owed->arg);
		free(owed);
	}
}

static void end(struct link *link, bool tell)
{
	if (link == NULL)
		return;
	link->state = LINK_CLOSED;
	forget_owed(link, tell);
	DL_DELETE(links, link);
	free(link);
}

void link_close(struct link *link)
{
	end(link, false);
}

void link_close_answering(struct link *link)
{
	end(link, true);
}

enum link_state link_state(const struct link *link)
{
	return link->state;
}

const char *link_state_name(enum link_state state)
{
	return state == LINK_READY ? "ready" : "waiting";
}

const struct redis_words *link_trouble(const struct link *link)
{
	(void)link;
	return redis_words("");
}

void link_pause(struct link *link, bool paused)
{
	(void)link;
	(void)paused;
}

static int ask(struct link *link, const char *command, const char *argument, link_reply_cb *cb,
	       void *arg)
{
	struct owed *owed;

	if (link->state != LINK_READY)
		return -1;
	if (strncasecmp(command, "SUBSCRIBE", 9) == 0 ||
	    strncasecmp(command, "PSUBSCRIBE", 10) == 0) {
		link->hears = cb;
		link->hears_arg = arg;
		return 0;
	}
	if ((owed = malloc(sizeof *owed)) == NULL)
		return -1;
	*owed = (struct owed){.cb = cb, .arg = arg, .question = command};
	snprintf(owed->argument, sizeof owed->argument, "%s", argument);
	DL_APPEND(link->owed, owed);
	return 0;
}

int link_command(struct link *link, link_reply_cb *cb, void *arg, int argc, const char *const *argv,
		 const size_t *lens)
{
	(void)argc;
	(void)lens;
	return ask(link, "", argv[0], cb, arg);
}

int link_commandf(struct link *link, link_reply_cb *cb, void *arg, const char *format, ...)
{
	return ask(link, format, "", cb, arg);
}

int link_script(struct link *link, struct link_script *script, link_reply_cb *cb, void *arg,
		int keys, int argc, const char *const *argv, const size_t *lens)
{
	(void)keys;
	(void)lens;
	return ask(link, script->text, argc > 2 ? argv[2] : "", cb, arg);
}

struct link *fake_link(const char *name)
{
	struct link *link;

	DL_FOREACH (links, link)
		if (strcmp(link->name, name) == 0)
			return link;
	return NULL;
}

size_t fake_link_count(void)
{
	struct link *link;
	size_t count;

	DL_COUNT(links, link, count);
	return count;
}

void fake_link_ready(struct link *link)
{
	link->state = LINK_READY;
	if (link->events->ready)
		link->events->ready(link->arg);
}

void fake_link_lost(struct link *link)
{
	link_reply_cb *hears = link->hears;

	link->state = LINK_WAITING;
	link->hears = NULL;
	forget_owed(link, true);
	if (hears)
		hears(NULL, link->hears_arg);
	if (link->events->lost)
		link->events->lost(link->arg);
}

size_t fake_link_owes(const struct link *link)
{
	struct owed *owed;
	size_t count;

	DL_COUNT(link->owed, owed, count);
	return count;
}

const char *fake_link_question(const struct link *link)
{
	return link->owed ? link->owed->question : NULL;
}

const char *fake_link_argument(const struct link *link)
{
	return link->owed ? link->owed->argument : "";
}

bool fake_link_answer(struct link *link, struct redisReply *reply)
{
	struct owed *owed = link->owed;

	if (owed == NULL)
		return false;
	DL_DELETE(link->owed, owed);
	if (owed->cb)
		owed->cb(reply, owed->arg);
	free(owed);
	return true;
}

bool fake_link_message(struct link *link, struct redisReply *reply)
{
	if (link->hears == NULL)
		return false;
	link->hears(reply, link->hears_arg);
	return true;
}

void fake_link_batch(struct link *link)
{
	if (link->events->batch)
		link->events->batch(link->arg);
}
