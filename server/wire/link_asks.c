/* link_asks.c - what is asked over a link to Redis: commands, subscriptions and their heartbeat, scripts; and who is told the answer. */
#include <hiredis/async.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utlist.h>
#include "base/clock.h"
#include "base/log.h"
#include "wire/link_own.h"

/* --- asks ----------------------------------------------------------------------------------- */

/* Something is owed from now on: silence counts from here. */
static void owe(struct link *link, unsigned more)
{
	if (link->owed == 0)
		link->heard_ms = clock_mono_ms();
	link->owed += more;
}

static void free_ask(struct ask *ask)
{
	DL_DELETE(ask->link->asks, ask);
	free(ask->heartbeat);
	free(ask);
}

/* Tells the asker; by then the ask is out of the list. */
static void answer(struct ask *ask, redisReply *reply)
{
	link_reply_cb *cb = ask->cb;
	void *arg = ask->arg;

	free_ask(ask);
	if (cb)
		cb(reply, arg);
}

static bool is_acknowledgement(const redisReply *reply)
{
	const char *kind;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 1 ||
	    reply->element[0]->type != REDIS_REPLY_STRING)
		return false;
	kind = reply->element[0]->str;
	return strcasecmp(kind, "subscribe") == 0 || strcasecmp(kind, "psubscribe") == 0;
}

static void hear_subscription(struct ask *ask, redisReply *reply)
{
	if (is_acknowledgement(reply)) {
		if (ask->link->owed > 0)
			ask->link->owed--;
		if (ask->acks == ask->channels)
			return; /* a heartbeat */
		ask->acks++;
	}
	if (ask->cb)
		ask->cb(reply, ask->arg);
}

static bool is_error(const redisReply *reply, const char *code)
{
	return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, code, strlen(code)) == 0;
}

/* Redis lost our scripts, or is no master any more: the connection is made anew, when this callback is over. What is told to
 * whoever asked: he will ask again when scripts are there again, as after any loss; what is read-only says so. */
static redisReply *look_at_error(struct link *link, redisReply *reply)
{
	bool has_lost_scripts = is_error(reply, "NOSCRIPT ");

	if (!has_lost_scripts && !is_error(reply, "READONLY "))
		return reply;
	if (has_lost_scripts)
		log_warn("redis_scripts_lost", LOG_S("link", link->name));
	else
		log_warn("redis_read_only", LOG_S("link", link->name), LOG_S("error", reply->str));
	link_let_go(link, reply->str);
	return has_lost_scripts ? NULL : reply;
}

static void on_reply(redisAsyncContext *redis, void *data, void *privdata)
{
	struct ask *ask = privdata;
	redisReply *reply = data;

	if (redis->ev.cleanup == NULL)
		return; /* hiredis 1.x cleans up before it answers what was in flight: on_gone() has told those who asked */
	if (ask->channels) {
		if (reply) /* the end is told by on_gone(), once */
			hear_subscription(ask, reply);
		return;
	}
	if (ask->link->owed > 0)
		ask->link->owed--;
	answer(ask, reply ? look_at_error(ask->link, reply) : NULL);
}

void link_answer_nobody(struct link *link)
{
	while (link->asks)
		answer(link->asks, NULL); // NOLINT: it takes itself out of the list
}

/* How many channels a formatted command subscribes to; 0 if it is another one. */
static unsigned count_channels(const char *command)
{
	unsigned words = (unsigned)strtoul(command + 1, NULL, 10);
	const char *name = strchr(command, '\n'); /* "*2\r\n$9\r\nSUBSCRIBE\r\n…" */

	name = name ? strchr(name + 1, '\n') : NULL;
	if (name == NULL || words < 2)
		return 0;
	if (strncasecmp(name + 1, "SUBSCRIBE\r", 10) == 0 ||
	    strncasecmp(name + 1, "PSUBSCRIBE\r", 11) == 0)
		return words - 1;
	return 0;
}

/* Takes the command, which may be NULL (out of memory), in every case. */
static int send_command(struct link *link, link_reply_cb *cb, void *arg, char *command, size_t len)
{
	struct ask *ask = NULL;

	if (command == NULL || link->redis == NULL || (ask = calloc(1, sizeof *ask)) == NULL)
		goto fail;
	ask->link = link;
	ask->cb = cb;
	ask->arg = arg;
	ask->channels = count_channels(command);
	DL_APPEND(link->asks, ask);
	if (redisAsyncFormattedCommand(link->redis, on_reply, ask, command, len) != REDIS_OK)
		goto fail;
	owe(link, ask->channels ? ask->channels : 1);
	if (ask->channels) {
		ask->heartbeat = command;
		ask->heartbeat_len = len;
	} else {
		redisFreeCommand(command);
	}
	return 0;

fail:
	if (ask)
		free_ask(ask);
	redisFreeCommand(command);
	return -1;
}

int link_send_words(struct link *link, link_reply_cb *cb, void *arg, int argc,
		    const char *const *argv, const size_t *lens)
{
	char *command = NULL;
	int len = redisFormatCommandArgv(&command, argc, (const char **)argv, lens);

	return send_command(link, cb, arg, len < 0 ? NULL : command, (size_t)len);
}

int link_command(struct link *link, link_reply_cb *cb, void *arg, int argc, const char *const *argv,
		 const size_t *lens)
{
	return link->state == LINK_READY ? link_send_words(link, cb, arg, argc, argv, lens) : -1;
}

int link_commandf(struct link *link, link_reply_cb *cb, void *arg, const char *format, ...)
{
	char *command = NULL;
	va_list args;
	int len;

	if (link->state != LINK_READY)
		return -1;
	va_start(args, format);
	len = redisvFormatCommand(&command, format, args);
	va_end(args);
	return send_command(link, cb, arg, len < 0 ? NULL : command, (size_t)len);
}

void link_send_heartbeat(struct link *link)
{
	struct ask *ask = link->asks;

	/* Only once Redis has answered the last: what is owed stays bounded. */
	if (ask == NULL || ask->channels == 0 || link->owed > 0 || link->paused)
		return;
	if (redisAsyncFormattedCommand(link->redis, on_reply, ask, ask->heartbeat,
				       ask->heartbeat_len) == REDIS_OK)
		owe(link, ask->channels);
}

/* --- scripts -------------------------------------------------------------------------------- */

static int load_script(struct link *link, struct link_script *script)
{
	const char *words[] = {"SCRIPT", "LOAD", script->text};

	for (size_t i = 0; i < link->loaded_count; i++)
		if (link->loaded[i] == script)
			return 0;
	MUST(link->loaded_count < LINK_SCRIPTS_MAX);
	if (link_command(link, NULL, NULL, COUNT_OF(words), words, NULL) == -1)
		return -1;
	link->loaded[link->loaded_count++] = script;
	return 0;
}

/* 0, or -1: memory is short. */
static int name_script(struct link_script *script)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (script->sha[0] != '\0')
		return 0;
	if (EVP_Digest(script->text, strlen(script->text), digest, &len, EVP_sha1(), NULL) != 1) {
		log_error("no_memory", LOG_S("for", "script"));
		return -1;
	}
	for (unsigned i = 0; i < len; i++)
		snprintf(script->sha + (size_t)2 * i, 3, "%02x", digest[i]);
	return 0;
}

int link_script(struct link *link, struct link_script *script, link_reply_cb *cb, void *arg,
		int keys, int argc, const char *const *argv, const size_t *lens)
{
	size_t count = (size_t)argc + 3;
	const char **words = calloc(count, sizeof *words);
	size_t *sizes = calloc(count, sizeof *sizes);
	char keys_text[12];
	int result = -1;

	snprintf(keys_text, sizeof keys_text, "%d", keys);
	if (words && sizes && name_script(script) == 0 && load_script(link, script) == 0) {
		words[0] = "EVALSHA";
		words[1] = script->sha;
		words[2] = keys_text;
		for (size_t i = 3; i < count; i++)
			words[i] = argv[i - 3];
		for (size_t i = 0; i < count; i++)
			sizes[i] = i >= 3 && lens ? lens[i - 3] : strlen(words[i]);
		result = link_command(link, cb, arg, (int)count, words, sizes);
	}
	free(words);
	free(sizes);
	return result;
}
