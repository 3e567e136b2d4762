/* tool_message.c - what a newsroom's tool and the server say to each other on a lasting line. */
#include "news/tool_message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "news/json_arena.h"
#include "news/json_scan.h"
#include "news/message_own.h"

#ifndef NEWSWIRE_VERSION
#define NEWSWIRE_VERSION "0"
#endif

/* --- what a tool says ------------------------------------------------------------------------ */

/* Finds the value of the member "item" of the object. 0 also if there is none; -1: that is no object, or it
 * has two. Members inside a value are not looked at. */
static int find_item(const char *at, const char *end, struct tool_message *out)
{
	static const char name[] = "\"item\"";

	at = json_skip_space(at, end);
	if (at == end || *at++ != '{')
		return -1;
	for (;; at++) {
		const char *key = json_skip_space(at, end);
		const char *colon = json_skip_space(
			key < end && *key == '"' ? json_skip_string(key, end) : key, end);

		at = json_end_of_element(key, end);
		if (at == end || *at == ']')
			return -1;
		if (colon < at && *colon == ':' && (size_t)(colon - key) >= sizeof name - 1 &&
		    memcmp(key, name, sizeof name - 1) == 0) {
			if (out->item)
				return -1;
			out->item = json_skip_space(colon + 1, at);
			out->item_len = (size_t)(json_drop_space(out->item, at) - out->item);
		}
		if (*at == '}')
			return 0;
	}
}

/* What stands around the item, with a null in its place, in jansson's arena. NULL: *fault says why. */
static json_t *read_envelope(const char *bytes, size_t len, const struct tool_message *m,
			     struct message_fault *fault)
{
	json_error_t error;
	struct buf envelope = {0};
	json_t *json = NULL;

	if (len - m->item_len > TOOL_ENVELOPE_MAX) {
		message_refuse(fault, NEWSWIRE_CLOSE_TOO_BIG, "too_large",
			       "What stands around the item is too long.");
		return NULL;
	}
	if (m->item) {
		buf_add(&envelope, bytes, (size_t)(m->item - bytes));
		buf_adds(&envelope, "null");
		buf_add(&envelope, m->item + m->item_len,
			(size_t)(bytes + len - m->item - m->item_len));
	} else {
		buf_add(&envelope, bytes, len);
	}
	if (envelope.failed) {
		message_refuse_unread(fault);
	} else {
		json = json_arena_read(envelope.data, envelope.len, JSON_REJECT_DUPLICATES, &error);
		if (!json_is_object(json)) {
			message_refuse_json(fault, &error);
			json = NULL;
		}
	}
	if (envelope.data)
		explicit_bzero(envelope.data, envelope.len); /* it may hold a key */
	buf_free(&envelope);
	return json;
}

static int read_channels(const json_t *json, struct tool_message *out, struct message_fault *fault)
{
	struct buf names = {0};
	int result = 0;

	if (message_read_list(json, &names) == -1)
		result = message_refuse(fault, ANSWER_ONLY, "bad_channel",
					"channels is not a list of strings.");
	else if (names.failed)
		result = message_refuse_memory(fault);
	else if (channel_set_read(&out->channels, names.data, strlen(names.data), ',') != 0)
		result = errno == ENOMEM ? message_refuse_memory(fault)
					 : message_refuse(fault, ANSWER_ONLY, "too_many_channels",
							  "at most 256 channels");
	buf_free(&names);
	return result;
}

static int read_idempotency(const json_t *json, struct tool_message *out,
			    struct message_fault *fault)
{
	const char *text = json_string_value(json);
	size_t len = text ? strlen(text) : 0;

	if (json == NULL || json_is_null(json))
		return 0;
	if (len == 0 || len > NEWSWIRE_MAX_IDEMPOTENCY || len != json_string_length(json))
		goto bad;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			goto bad;
	memcpy(out->idempotency, text, len + 1);
	return 0;

bad:
	return message_refuse(fault, ANSWER_ONLY, "bad_idempotency_key",
			      "idempotency_key is 1 to 255 visible characters");
}

static int read_publish(const json_t *json, struct tool_message *out, struct message_fault *fault)
{
	if (out->item == NULL || out->item_len == 0)
		return message_refuse(fault, ANSWER_ONLY, "empty", "item is one ninjs item");
	if (read_channels(json_object_get(json, "channels"), out, fault) == -1)
		return -1;
	return read_idempotency(json_object_get(json, "idempotency_key"), out, fault);
}

static int read_auth(const json_t *json, struct tool_message *out, struct message_fault *fault)
{
	const json_t *key = json_object_get(json, "key");
	size_t len = json_string_length(key);

	if (len == 0 || len > PROOF_KEY_MAX)
		return message_refuse(fault, ANSWER_ONLY, "bad_key",
				      "key is a publisher's key, as text.");
	memcpy(out->key, json_string_value(key), len + 1);
	return 0;
}

static int read_object(const json_t *json, struct tool_message *out, struct message_fault *fault)
{
	const char *type = json_string_value(json_object_get(json, "type"));

	if (message_read_ref(json_object_get(json, "ref"), out->ref, fault) == -1)
		return -1;
	memcpy(fault->ref, out->ref, sizeof fault->ref);
	if (type && strcmp(type, NEWSWIRE_TYPE_PUBLISH) == 0) {
		out->kind = TOOL_PUBLISH;
		return read_publish(json, out, fault);
	}
	if (type && strcmp(type, NEWSWIRE_TYPE_AUTH) == 0) {
		out->kind = TOOL_AUTH;
		return read_auth(json, out, fault);
	}
	if (type && strcmp(type, NEWSWIRE_TYPE_PING) == 0) {
		out->kind = TOOL_PING;
		return 0;
	}
	return message_refuse(fault, ANSWER_ONLY, "bad_type",
			      "type is none of publish, auth, ping.");
}

int tool_message_read(const char *bytes, size_t len, struct tool_message *out,
		      struct message_fault *fault)
{
	json_t *json;
	int result = -1;

	*out = (struct tool_message){0};
	*fault = (struct message_fault){0};
	if (find_item(bytes, bytes + len, out) == -1)
		return message_refuse_json(fault, &(json_error_t){0});
	json_arena_open(len - out->item_len);
	if ((json = read_envelope(bytes, len, out, fault)) != NULL)
		result = read_object(json, out, fault);
	json_arena_wipe(); /* it may hold a key */
	json_arena_close();
	return result;
}

void tool_message_free(struct tool_message *m)
{
	channel_set_free(&m->channels);
	explicit_bzero(m->key, sizeof m->key);
}

/* --- what the server says --------------------------------------------------------------------- */

void tool_message_hello(struct buf *out, const struct publisher *who, unsigned window,
			size_t max_item, unsigned tick_s)
{
	char now[CLOCK_TEXT_MAX];

	clock_format(clock_wall_ms(), false, now);
	buf_adds(out, "{\"type\":\"" NEWSWIRE_TYPE_HELLO "\"");
	if (who) {
		buf_addc(out, ',');
		publisher_write(who, out);
	}
	buf_addf(out, ",\"window\":%u,\"max_item\":%zu,\"tick\":%u,\"time\":\"%s\"", window,
		 max_item, tick_s, now);
	buf_adds(out, ",\"server\":\"newswired/" NEWSWIRE_VERSION "\"}");
}

void tool_message_authorized(struct buf *out, const char *ref, const struct publisher *who)
{
	buf_adds(out, "{\"type\":\"" NEWSWIRE_TYPE_AUTHORIZED "\"");
	message_add_ref(out, ref);
	buf_addc(out, ',');
	publisher_write(who, out);
	buf_addc(out, '}');
}
