/* centrifuge.c - Centrifuge's client protocol, read and written. */
#include "news/centrifuge.h"

#include <stdlib.h>
#include <string.h>
#include "news/channel.h"
#include "news/json_arena.h"

#ifndef NEWSWIRE_VERSION
#define NEWSWIRE_VERSION "0"
#endif

enum { SEQ_MAX = (1 << CENTRIFUGE_SEQ_BITS) - 1 };

uint64_t centrifuge_offset(struct wire_id id)
{
	uint64_t seq = id.seq < SEQ_MAX ? id.seq : SEQ_MAX;

	if (id.ms > UINT64_MAX >> CENTRIFUGE_SEQ_BITS)
		return UINT64_MAX;
	return id.ms << CENTRIFUGE_SEQ_BITS | seq;
}

struct wire_id centrifuge_place(uint64_t offset)
{
	return (struct wire_id){offset >> CENTRIFUGE_SEQ_BITS, offset & SEQ_MAX};
}

/* --- what a client says ----------------------------------------------------------------------- */

/* In the order in which a command that names several is understood. */
static const struct {
	const char *name;
	enum centrifuge_kind kind;
} kinds[] = {
	{"connect", CENTRIFUGE_CONNECT},
	{"subscribe", CENTRIFUGE_SUBSCRIBE},
	{"unsubscribe", CENTRIFUGE_UNSUBSCRIBE},
	{"publish", CENTRIFUGE_PUBLISH},
	{"presence", CENTRIFUGE_PRESENCE},
	{"presence_stats", CENTRIFUGE_PRESENCE_STATS},
	{"history", CENTRIFUGE_HISTORY},
	{"ping", CENTRIFUGE_PING},
	{"send", CENTRIFUGE_SEND},
	{"rpc", CENTRIFUGE_RPC},
	{"refresh", CENTRIFUGE_REFRESH},
	{"sub_refresh", CENTRIFUGE_SUB_REFRESH},
};

static const char *kind_name(enum centrifuge_kind kind)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return "";
}

static void read_channel(struct centrifuge_wish *wish, const char *name, size_t len)
{
	if (len > CENTRIFUGE_NAME_MAX || !channel_is_readable(name, len))
		return;
	memcpy(wish->channel, name, len);
	wish->channel[len] = '\0';
}

/* `epoch` and `offset` of an object. An epoch that is none of ours is one that never was. */
static enum centrifuge_read read_since(struct centrifuge_wish *wish, const json_t *json)
{
	const json_t *offset = json_object_get(json, "offset");
	const json_t *epoch = json_object_get(json, "epoch");
	size_t len = json_string_length(epoch);

	if (offset != NULL && (!json_is_integer(offset) || json_integer_value(offset) < 0))
		return CENTRIFUGE_BROKEN;
	if (epoch != NULL && !json_is_string(epoch))
		return CENTRIFUGE_BROKEN;
	wish->has_since = true;
	wish->any_epoch = len == 0;
	if (cursor_is_epoch(json_string_value(epoch) == NULL ? "" : json_string_value(epoch), len))
		memcpy(wish->since.epoch, json_string_value(epoch), len + 1);
	wish->since.id = centrifuge_place((uint64_t)json_integer_value(offset));
	return CENTRIFUGE_READ;
}

static enum centrifuge_read read_subs(struct centrifuge_command *out, json_t *subs)
{
	size_t count = json_object_size(subs);
	const char *name;
	json_t *value;

	if (count == 0)
		return CENTRIFUGE_READ;
	if (count > CENTRIFUGE_CHANNELS_MAX)
		count = CENTRIFUGE_CHANNELS_MAX;
	if ((out->subs = calloc(count, sizeof *out->subs)) == NULL)
		return CENTRIFUGE_SHORT;
	json_object_foreach (subs, name, value) {
		struct centrifuge_wish *wish = &out->subs[out->sub_count];

		if (out->sub_count == count)
			return CENTRIFUGE_READ;
		if (!json_is_object(value))
			return CENTRIFUGE_BROKEN;
		read_channel(wish, name, strlen(name));
		if (json_is_true(json_object_get(value, "recover")) &&
		    read_since(wish, value) != CENTRIFUGE_READ)
			return CENTRIFUGE_BROKEN;
		out->sub_count++;
	}
	return CENTRIFUGE_READ;
}

static enum centrifuge_read read_history(struct centrifuge_command *out, const json_t *body)
{
	const json_t *limit = json_object_get(body, "limit");
	const json_t *since = json_object_get(body, "since");
	json_int_t n = json_integer_value(limit);

	if (limit != NULL && !json_is_integer(limit))
		return CENTRIFUGE_BROKEN;
	out->limit = n < 0 ? -1 : n > CENTRIFUGE_HISTORY_MAX ? CENTRIFUGE_HISTORY_MAX : (int32_t)n;
	out->reverse = json_is_true(json_object_get(body, "reverse"));
	if (since == NULL || json_is_null(since))
		return CENTRIFUGE_READ;
	return json_is_object(since) ? read_since(&out->wish, since) : CENTRIFUGE_BROKEN;
}

static enum centrifuge_read read_body(struct centrifuge_command *out, json_t *body)
{
	json_t *channel = json_object_get(body, "channel");

	if (!json_is_object(body))
		return CENTRIFUGE_BROKEN;
	if (json_is_string(channel)) {
		out->has_channel = json_string_length(channel) > 0;
		read_channel(&out->wish, json_string_value(channel), json_string_length(channel));
	}
	switch (out->kind) {
	case CENTRIFUGE_CONNECT:
		return read_subs(out, json_object_get(body, "subs"));
	case CENTRIFUGE_SUBSCRIBE:
		return json_is_true(json_object_get(body, "recover")) ? read_since(&out->wish, body)
								      : CENTRIFUGE_READ;
	case CENTRIFUGE_HISTORY:
		return read_history(out, body);
	default:
		return CENTRIFUGE_READ;
	}
}

static enum centrifuge_read read_command(struct centrifuge_command *out, const json_t *json)
{
	const json_t *id = json_object_get(json, "id");

	if (!json_is_object(json))
		return CENTRIFUGE_BROKEN;
	if (id != NULL) {
		if (!json_is_integer(id) || json_integer_value(id) < 0 ||
		    json_integer_value(id) > UINT32_MAX)
			return CENTRIFUGE_BROKEN;
		out->id = (uint32_t)json_integer_value(id);
	}
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		json_t *body = json_object_get(json, kinds[i].name);

		if (body == NULL || json_is_null(body))
			continue;
		out->kind = kinds[i].kind;
		return read_body(out, body);
	}
	if (out->id == 0 && json_object_size(json) == 0)
		out->kind = CENTRIFUGE_PONG;
	return CENTRIFUGE_READ;
}

/* The next line with anything on it; NULL: there is none. */
static const char *next_line(const char **at, const char *end, size_t *len)
{
	while (*at < end) {
		const char *line = *at;
		const char *stop = memchr(line, '\n', (size_t)(end - line));

		*len = (size_t)((stop == NULL ? end : stop) - line);
		*at = stop == NULL ? end : stop + 1;
		for (size_t i = 0; i < *len; i++)
			if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
				return line;
	}
	return NULL;
}

enum centrifuge_read centrifuge_next(const char **at, const char *end,
				     struct centrifuge_command *out)
{
	enum centrifuge_read result = CENTRIFUGE_READ;
	json_error_t error;
	const char *line;
	json_t *json;
	size_t len;

	*out = (struct centrifuge_command){.kind = CENTRIFUGE_UNKNOWN};
	if ((line = next_line(at, end, &len)) == NULL)
		return CENTRIFUGE_END;
	json_arena_open(len);
	json = json_arena_read(line, len, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL && json_error_code(&error) == json_error_out_of_memory)
		result = CENTRIFUGE_SHORT;
	else
		result = read_command(out, json);
	json_arena_close();
	return result;
}

void centrifuge_command_free(struct centrifuge_command *command)
{
	free(command->subs);
	*command = (struct centrifuge_command){0};
}

/* --- what the server says --------------------------------------------------------------------- */

static const char *message_of(enum centrifuge_error error)
{
	switch (error) {
	case CENTRIFUGE_INTERNAL:
		return "internal server error";
	case CENTRIFUGE_UNKNOWN_CHANNEL:
		return "unknown channel";
	case CENTRIFUGE_DENIED:
		return "permission denied";
	case CENTRIFUGE_NO_METHOD:
		return "method not found";
	case CENTRIFUGE_ALREADY:
		return "already subscribed";
	case CENTRIFUGE_LIMIT:
		return "limit exceeded";
	case CENTRIFUGE_BAD_REQUEST:
		return "bad request";
	case CENTRIFUGE_NOT_AVAILABLE:
		return "not available";
	case CENTRIFUGE_TOO_MANY:
		return "too many requests";
	case CENTRIFUGE_UNRECOVERABLE:
		return "unrecoverable position";
	}
	return "";
}

static void begin_line(struct buf *out)
{
	if (out->len > 0)
		buf_addc(out, '\n');
}

static void begin_reply(struct buf *out, uint32_t id, const char *what)
{
	begin_line(out);
	buf_adds(out, "{\"id\":");
	buf_add_number(out, id);
	buf_adds(out, ",\"");
	buf_adds(out, what);
	buf_adds(out, "\":{");
}

static void add_position(struct buf *out, const struct cursor *at)
{
	buf_adds(out, "\"epoch\":\"");
	buf_adds(out, at->epoch);
	buf_adds(out, "\",\"offset\":");
	buf_add_number(out, centrifuge_offset(at->id));
}

static void add_subscribed(struct buf *out, const struct centrifuge_subscribed *s)
{
	buf_adds(out, "\"recoverable\":true,\"positioned\":true,");
	add_position(out, &s->from);
	if (s->was_recovering)
		buf_adds(out, ",\"was_recovering\":true");
	if (s->recovered)
		buf_adds(out, ",\"recovered\":true");
}

void centrifuge_say_error(struct buf *out, uint32_t id, enum centrifuge_error error)
{
	begin_reply(out, id, "error");
	buf_adds(out, "\"code\":");
	buf_add_number(out, error);
	buf_adds(out, ",\"message\":\"");
	buf_adds(out, message_of(error));
	buf_adds(out, error == CENTRIFUGE_INTERNAL || error == CENTRIFUGE_TOO_MANY
			      ? "\",\"temporary\":true}}"
			      : "\"}}");
}

void centrifuge_say_connected(struct buf *out, uint32_t id, const char *client, unsigned ping_s,
			      const struct centrifuge_subscribed *subs, uint32_t sub_count)
{
	begin_reply(out, id, "connect");
	buf_adds(out, "\"client\":\"");
	buf_adds(out, client);
	buf_adds(out, "\",\"version\":\"newswired/" NEWSWIRE_VERSION "\",\"ping\":");
	buf_add_number(out, ping_s);
	buf_adds(out, ",\"pong\":true");
	for (uint32_t i = 0; i < sub_count; i++) {
		buf_adds(out, i == 0 ? ",\"subs\":{" : ",");
		buf_add_json(out, subs[i].channel, strlen(subs[i].channel));
		buf_adds(out, ":{");
		add_subscribed(out, &subs[i]);
		buf_addc(out, '}');
	}
	buf_adds(out, sub_count > 0 ? "}}}" : "}}");
}

void centrifuge_say_subscribed(struct buf *out, uint32_t id, const struct centrifuge_subscribed *s)
{
	begin_reply(out, id, "subscribe");
	add_subscribed(out, s);
	buf_adds(out, "}}");
}

void centrifuge_say_done(struct buf *out, uint32_t id, enum centrifuge_kind kind)
{
	begin_reply(out, id, kind_name(kind));
	buf_adds(out, "}}");
}

void centrifuge_say_present(struct buf *out, uint32_t id, uint64_t readers)
{
	begin_reply(out, id, "presence_stats");
	buf_adds(out, "\"num_clients\":");
	buf_add_number(out, readers);
	buf_adds(out, ",\"num_users\":");
	buf_add_number(out, readers);
	buf_adds(out, "}}");
}

void centrifuge_say_history(struct buf *out, uint32_t id, const struct cursor *top,
			    const struct buf *publications)
{
	begin_reply(out, id, "history");
	buf_adds(out, "\"publications\":[");
	buf_add(out, publications->data, publications->len);
	buf_adds(out, "],");
	add_position(out, top);
	buf_adds(out, "}}");
	out->failed |= publications->failed;
}

void centrifuge_say_unsubscribed(struct buf *out, const char *channel)
{
	begin_line(out);
	buf_adds(out, "{\"push\":{\"channel\":");
	buf_add_json(out, channel, strlen(channel));
	buf_adds(out, ",\"unsubscribe\":{\"code\":2500,\"reason\":\"insufficient state\"}}}");
}
