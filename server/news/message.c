/* message.c - what server and reader say to each other besides posts. */
#include "news/message.h"
#include "base/clock.h"
#include "news/json_arena.h"
#include "news/message_own.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#ifndef NEWSWIRE_VERSION
#define NEWSWIRE_VERSION "0"
#endif

/* --- what the server says -------------------------------------------------------------------- */

void message_add_text(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, ",\"%s\":", name);
	buf_add_json(out, value, strlen(value));
}

static void add_cursor(struct buf *out, const struct cursor *at)
{
	char text[CURSOR_TEXT_MAX];

	buf_adds(out, ",\"cursor\":\"");
	buf_add(out, text, cursor_format(at, text));
	buf_addc(out, '"');
}

void message_add_ref(struct buf *out, const char *ref)
{
	if (ref && *ref)
		buf_addf(out, ",\"ref\":%s", ref);
}

void message_hello(struct buf *out, const struct cursor *at, bool resumed, unsigned tick_s,
		   uint64_t retention_s)
{
	char now[CLOCK_TEXT_MAX];

	clock_format(clock_wall_ms(), false, now);
	buf_adds(out, "{\"type\":\"hello\"");
	add_cursor(out, at);
	buf_adds(out, resumed ? ",\"resumed\":true,\"tick\":" : ",\"resumed\":false,\"tick\":");
	buf_add_number(out, tick_s);
	buf_adds(out, ",\"retention\":");
	buf_add_number(out, retention_s);
	buf_adds(out, ",\"time\":\"");
	buf_adds(out, now);
	buf_adds(out, "\",\"server\":\"newswired/" NEWSWIRE_VERSION "\"}");
}

void message_tick(struct buf *out, const struct cursor *at)
{
	buf_adds(out, "{\"type\":\"tick\"");
	if (at)
		add_cursor(out, at);
	buf_addc(out, '}');
}

void message_gap(struct buf *out, const struct cursor *at)
{
	buf_adds(out, "{\"type\":\"gap\"");
	add_cursor(out, at);
	buf_addc(out, '}');
}

void message_bye(struct buf *out, const char *reason, uint32_t retry_ms)
{
	buf_adds(out, "{\"type\":\"bye\"");
	message_add_text(out, "reason", reason);
	buf_addf(out, ",\"retry_ms\":%" PRIu32 "}", retry_ms);
}

void message_subscribed(struct buf *out, const char *ref, const struct cursor *at)
{
	buf_adds(out, "{\"type\":\"subscribed\"");
	message_add_ref(out, ref);
	add_cursor(out, at);
	buf_addc(out, '}');
}

static void add_count(struct buf *out, const char *name, const char *end, message_count *of,
		      const void *arg)
{
	char channel[CHANNEL_READABLE_MAX + 2];

	snprintf(channel, sizeof channel, "%s%s", name, end);
	if (out->len > 0 && out->data[out->len - 1] != '{')
		buf_addc(out, ',');
	buf_add_json(out, channel, strlen(channel));
	buf_addc(out, ':');
	buf_add_number(out, of(channel, arg));
}

void message_readers(struct buf *out, const struct subscription *s, message_count *of,
		     const void *arg)
{
	buf_adds(out, "{\"type\":\"readers\",\"channels\":{");
	for (uint32_t i = 0; i < s->channels.count; i++)
		add_count(out, s->channels.name[i], "", of, arg);
	for (uint32_t i = 0; i < s->prefixes.count; i++)
		add_count(out, s->prefixes.name[i], "*", of, arg);
	buf_adds(out, "}}");
}

void message_error(struct buf *out, const char *code, const char *detail, const char *ref)
{
	buf_adds(out, "{\"type\":\"error\"");
	message_add_text(out, "code", code);
	message_add_text(out, "detail", detail);
	message_add_ref(out, ref);
	buf_addc(out, '}');
}

/* --- what a client says ---------------------------------------------------------------------- */

int message_refuse(struct message_fault *fault, int close, const char *code, const char *detail)
{
	fault->close = close;
	fault->code = code;
	snprintf(fault->detail, sizeof fault->detail, "%s", detail);
	return -1;
}

int message_refuse_memory(struct message_fault *fault)
{
	return message_refuse(fault, ANSWER_ONLY, "no_memory", "The server is short of memory.");
}

int message_refuse_unread(struct message_fault *fault)
{
	return message_refuse(fault, CLOSE_SHORT, "no_memory", "The server is short of memory.");
}

int message_refuse_json(struct message_fault *fault, const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_invalid_utf8:
		return message_refuse(fault, CLOSE_BAD_UTF8, "bad_utf8",
				      "The message is not UTF-8.");
	case json_error_out_of_memory:
		return message_refuse_unread(fault);
	default:
		return message_refuse(fault, CLOSE_BAD_SUBSCRIPTION, "bad_json",
				      "The message is not a JSON object.");
	}
}

int message_read_ref(const json_t *ref, char out[MESSAGE_REF_SIZE], struct message_fault *fault)
{
	size_t len;

	if (ref == NULL || json_is_null(ref))
		return 0;
	errno = 0;
	if (json_is_string(ref) || json_is_number(ref)) {
		len = json_dumpb(ref, out, 65, JSON_ENCODE_ANY | JSON_COMPACT);
		if (len >= 1 && len <= 64) {
			out[len] = '\0';
			return 0;
		}
	}
	out[0] = '\0';
	if (errno == ENOMEM)
		return message_refuse_unread(fault);
	return message_refuse(fault, ANSWER_ONLY, "bad_ref",
			      "ref is not a number or string of at most 64 bytes.");
}

static int read_since(const json_t *since, struct client_message *out, struct message_fault *fault)
{
	if (since == NULL || json_is_null(since))
		return 0;
	if (!json_is_string(since) ||
	    cursor_parse(json_string_value(since), json_string_length(since), &out->since) == -1)
		return message_refuse(fault, ANSWER_ONLY, "bad_cursor",
				      "since is not a cursor of this server.");
	out->has_since = true;
	return 0;
}

int message_read_list(const json_t *list, struct buf *out)
{
	size_t i;
	const json_t *value;

	if (json_is_string(list))
		buf_adds(out, json_string_value(list));
	else if (json_is_array(list)) {
		json_array_foreach (list, i, value) {
			if (!json_is_string(value) || strchr(json_string_value(value), ','))
				return -1;
			if (i > 0)
				buf_addc(out, ',');
			buf_adds(out, json_string_value(value));
		}
	} else if (list && !json_is_null(list))
		return -1;
	buf_addc(out, '\0');
	return 0;
}

static int read_readers(const json_t *readers, struct client_message *out,
			struct message_fault *fault)
{
	if (readers == NULL || json_is_null(readers) || json_is_false(readers))
		return 0;
	if (!json_is_true(readers))
		return message_refuse(fault, ANSWER_ONLY, "bad_readers",
				      "readers is neither true nor false.");
	return subscription_ask_readers(out->subscription) == 0 ? 0 : message_refuse_memory(fault);
}

static int read_subscribe(const json_t *json, struct client_message *out,
			  struct message_fault *fault)
{
	static const struct {
		const char *name, *code;
	} names[] = {{"channels", "bad_channel"},
		     {"class", "bad_class"},
		     {"lang", "bad_lang"},
		     {"types", "bad_type"},
		     {"view", "bad_view"}};
	struct buf lists[COUNT_OF(names)] = {0};
	struct subscription_fault why;
	int result = -1;

	if (read_since(json_object_get(json, "since"), out, fault) == -1)
		return -1;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (message_read_list(json_object_get(json, names[i].name), &lists[i]) == -1) {
			message_refuse(fault, ANSWER_ONLY, names[i].code, "");
			snprintf(fault->detail, sizeof fault->detail,
				 "%s is not a list of strings.", names[i].name);
			goto done;
		}
		if (lists[i].failed) {
			message_refuse_memory(fault);
			goto done;
		}
	}
	out->subscription =
		subscription_read(lists[0].data, lists[1].data, lists[2].data, lists[3].data, &why);
	if (out->subscription == NULL ||
	    subscription_view(out->subscription, lists[4].data, &why) == -1)
		result = message_refuse(fault, ANSWER_ONLY, why.code, why.detail);
	else
		result = read_readers(json_object_get(json, "readers"), out, fault);
	if (result == -1) {
		subscription_free(out->subscription);
		out->subscription = NULL;
	}

done:
	for (size_t i = 0; i < COUNT_OF(names); i++)
		buf_free(&lists[i]);
	return result;
}

static int read_object(const json_t *json, struct client_message *out, struct message_fault *fault)
{
	const char *type = json_string_value(json_object_get(json, "type"));

	if (message_read_ref(json_object_get(json, "ref"), out->ref, fault) == -1)
		return -1;
	memcpy(fault->ref, out->ref, sizeof fault->ref);
	if (type && strcmp(type, "subscribe") == 0) {
		out->kind = CLIENT_SUBSCRIBE;
		return read_subscribe(json, out, fault);
	}
	if (type && strcmp(type, "ping") == 0) {
		out->kind = CLIENT_PING;
		return 0;
	}
	return message_refuse(fault, ANSWER_ONLY, "bad_type",
			      "type is neither subscribe nor ping.");
}

int message_read(const char *bytes, size_t len, struct client_message *out,
		 struct message_fault *fault)
{
	json_error_t error;
	json_t *json;
	int result;

	json_arena_open(len);
	json = json_arena_read(bytes, len, JSON_REJECT_DUPLICATES, &error);
	*out = (struct client_message){0};
	*fault = (struct message_fault){0};
	if (!json_is_object(json))
		result = message_refuse_json(fault, &error);
	else
		result = read_object(json, out, fault);
	json_arena_close();
	return result;
}
