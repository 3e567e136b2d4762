/* fake_link.c - wire/link.h without a Redis. */
#include "fake_link.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utlist.h>
#include "base/buf.h"
#include "wire/redis_words.h"

struct owed {
	struct owed *prev, *next;
	link_reply_cb *cb;
	void *arg;
	const char *question; /* lives as long as the program */
	int words;	      /* a script's arguments but its keys … */
	char text[];	      /* … each with a NUL behind it */
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

static bool is_subscription(const char *command)
{
	return strncasecmp(command, "SUBSCRIBE", 9) == 0 ||
	       strncasecmp(command, "PSUBSCRIBE", 10) == 0;
}

/* With room for so many bytes of words. NULL: not READY, or memory is short, which the real one needs for a subscription, too. */
static struct owed *ask(struct link *link, const char *command, size_t words_size,
			link_reply_cb *cb, void *arg)
{
	static struct owed subscription;
	struct owed *owed;

	if (link->state != LINK_READY || (owed = calloc(1, sizeof *owed + words_size)) == NULL)
		return NULL;
	if (is_subscription(command)) {
		link->hears = cb;
		link->hears_arg = arg;
		free(owed);
		return &subscription;
	}
	owed->cb = cb;
	owed->arg = arg;
	owed->question = command;
	DL_APPEND(link->owed, owed);
	return owed;
}

int link_command(struct link *link, link_reply_cb *cb, void *arg, int argc, const char *const *argv,
		 const size_t *lens)
{
	(void)argc;
	(void)argv;
	(void)lens;
	return ask(link, "", 0, cb, arg) ? 0 : -1;
}

int link_commandf(struct link *link, link_reply_cb *cb, void *arg, const char *format, ...)
{
	return ask(link, format, 0, cb, arg) ? 0 : -1;
}

static size_t word_len(const char *const *argv, const size_t *lens, int i)
{
	return lens ? lens[i] : strlen(argv[i]);
}

int link_script(struct link *link, struct link_script *script, link_reply_cb *cb, void *arg,
		int keys, int argc, const char *const *argv, const size_t *lens)
{
	size_t size = 0;
	struct owed *owed;
	char *at;

	for (int i = keys; i < argc; i++)
		size += word_len(argv, lens, i) + 1;
	if ((owed = ask(link, script->text, size, cb, arg)) == NULL)
		return -1;
	at = owed->text;
	for (int i = keys; i < argc; i++, owed->words++) {
		size_t len = word_len(argv, lens, i);

		memcpy(at, argv[i], len); /* the rest is 0 */
		at += len + 1;
	}
	return 0;
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

const char *fake_link_word(const struct link *link, int i)
{
	const char *word = link->owed ? link->owed->text : "";

	if (link->owed == NULL || i >= link->owed->words)
		return "";
	while (i-- > 0)
		word += strlen(word) + 1;
	return word;
}

const char *fake_link_value(const struct link *link, const char *name)
{
	for (int i = 0; link->owed && i + 1 < link->owed->words; i += 2)
		if (strcmp(fake_link_word(link, i), name) == 0)
			return fake_link_word(link, i + 1);
	return "";
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

bool fake_link_hears(const struct link *link)
{
	return link->hears != NULL;
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

redisReply *fake_link_reply(const char *bytes, size_t len)
{
	redisReader *reader = redisReaderCreate();
	void *reply = NULL;

	MUST(redisReaderFeed(reader, bytes, len) == REDIS_OK);
	MUST(redisReaderGetReply(reader, &reply) == REDIS_OK);
	redisReaderFree(reader);
	MUST(reply != NULL);
	return reply;
}

/* A word, perhaps quoted, as a bulk string or an error. */
static const char *write_word(struct buf *out, const char *at, bool is_error)
{
	size_t quoted = *at == '\'';
	size_t len = strcspn(at += quoted, quoted ? "'" : " ]");

	if (is_error)
		buf_addf(out, "-%.*s\r\n", (int)len, at);
	else
		buf_addf(out, "$%zu\r\n%.*s\r\n", len, (int)len, at);
	return at + len + quoted;
}

static const char *write_value(struct buf *out, const char *at);

static const char *write_array(struct buf *out, const char *at)
{
	struct buf members = {0};
	size_t count = 0;

	for (at += strspn(at, " "); *at != ']'; at += strspn(at, " "), count++)
		at = write_value(&members, at);
	buf_addf(out, "*%zu\r\n", count);
	buf_add(out, members.data, members.len);
	buf_free(&members);
	return at + 1;
}

/* Returns what follows it. */
static const char *write_value(struct buf *out, const char *at)
{
	if (*at == '[')
		return write_array(out, at + 1);
	if (*at == '~') {
		buf_adds(out, "$-1\r\n");
		return at + 1;
	}
	if (*at == ':') {
		buf_addf(out, "%.*s\r\n", (int)strcspn(at, " ]"), at);
		return at + strcspn(at, " ]");
	}
	return *at == '!' ? write_word(out, at + 1, true) : write_word(out, at, false);
}

redisReply *fake_link_says(const char *text)
{
	struct buf bytes = {0};
	redisReply *reply;

	MUST(*write_value(&bytes, text) == '\0' && !bytes.failed);
	reply = fake_link_reply(bytes.data, bytes.len);
	buf_free(&bytes);
	return reply;
}

static void go_off(uv_handle_t *handle, void *arg)
{
	uv_timer_t *timer = (uv_timer_t *)handle;

	(void)arg;
	if (handle->type == UV_TIMER && uv_is_active(handle) && !uv_is_closing(handle))
		timer->timer_cb(timer);
}

void fake_link_time(uv_loop_t *loop)
{
	uv_walk(loop, go_off, NULL);
}
