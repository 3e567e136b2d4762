/* canary_note.c - a worker's message to itself: sent, recognised, read. */
#include "wire/canary_note.h"

#include <ctype.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "lua_scripts.h"
#include "wire/page.h"
#include "wire/redis_words.h"

enum { NOTE_MAX = 1024 }; /* longer than any of ours */

static struct link_script canary_script = {.text = lua_canary};

void canary_note_channel(const char *worker, char to[CANARY_NOTE_CHANNEL_MAX])
{
	MUST(strlen(worker) + sizeof CANARY_NOTE_KIND <= CANARY_NOTE_CHANNEL_MAX);
	snprintf(to, CANARY_NOTE_CHANNEL_MAX, CANARY_NOTE_KIND "%s", worker);
}

static void on_answer(redisReply *reply, void *arg)
{
	struct canary_note_sender *sender = arg;
	const struct redis_words *why = NULL;

	if (reply != NULL && reply->type == REDIS_REPLY_ERROR) {
		if (!redis_words_passes(reply->str))
			log_error("redis_error", LOG_S("error", reply->str));
		else
			redis_words_tell(why = redis_words(reply->str), reply->str);
	}
	sender->answered(sender,
			 reply != NULL && reply->type == REDIS_REPLY_INTEGER && reply->integer == 1,
			 why);
}

int canary_note_send(struct canary_note_sender *sender, uint64_t number)
{
	char channel[CANARY_NOTE_CHANNEL_MAX], meta[256], body[64];
	const char *argv[] = {meta, body};

	canary_note_channel(wire_name(sender->wire), channel);
	/* A worker of an older release reads it as a post, and so it has to be one in form. */
	snprintf(meta, sizeof meta,
		 "{\"action\":\"publish\",\"uri\":\"urn:newswire:%s\",\"version\":\"1\","
		 "\"class\":\"regular\",\"channels\":\"%s\"}",
		 channel, channel);
	snprintf(body, sizeof body, "{\"canary\":%" PRIu64 "}", number);
	return page_script(wire_link(sender->wire), &canary_script, wire_prefix(sender->wire),
			   on_answer, sender, COUNT_OF(argv), argv);
}

/* Behind the layout and the epoch stands the place that no post has. */
bool canary_note_is(const char *message, size_t len)
{
	static const char place[] = " 0-0 0-0\n";
	const char *epoch = message + 2, *after;

	if (len < 2 || memcmp(message, "1 ", 2) != 0)
		return false;
	after = memchr(epoch, ' ', len - 2);
	return after != NULL && (size_t)(message + len - after) >= sizeof place - 1 &&
	       memcmp(after, place, sizeof place - 1) == 0;
}

/* Cheap, for most canaries are another worker's. */
static bool names(const char *message, size_t len, const char *channel)
{
	return memmem(message, len, channel, strlen(channel)) != NULL;
}

struct post *canary_note_read(const char *message, size_t len, const char *worker)
{
	char channel[CANARY_NOTE_CHANNEL_MAX];
	struct post *post;

	canary_note_channel(worker, channel);
	if (len > NOTE_MAX || !names(message, len, channel) ||
	    (post = post_read(message, len)) == NULL)
		return NULL;
	if (post->channels.count == 1 && strcmp(post->channels.name[0], channel) == 0 &&
	    post->was.count == 0 && post->body != NULL)
		return post;
	post_drop(post);
	return NULL;
}

uint64_t canary_note_number(const char *text, size_t len)
{
	static const char key[] = "\"canary\":";
	const char *at = memmem(text, len, key, sizeof key - 1), *end = text + len;
	uint64_t number = 0;

	if (at == NULL)
		return 0;
	for (at += sizeof key - 1; at < end && isdigit((unsigned char)*at); at++)
		number = number * 10 + (uint64_t)(*at - '0');
	return number;
}
