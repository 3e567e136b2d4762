/* post.c - an accepted item with its place on the wire: read, counted, encoded. */
#include "news/post.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <newswire/protocol.h>
#include "news/brief.h"
#include "news/json_arena.h"

enum { FULL, REMOVE }; /* the second index of post.frames */

static const char *const actions[POST_ACTION_COUNT] = {"publish", "update", "correct",
						       "release", "kill",   "hold"};

const char *post_action_name(enum post_action a)
{
	MUST(a < POST_ACTION_COUNT);
	return actions[a];
}

static enum post_action read_action(const char *name)
{
	enum post_action a = 0;

	while (a < POST_ACTION_COUNT && strcmp(actions[a], name) != 0)
		a++;
	return a;
}

/* Kills and holds never have text. */
static bool is_textless(const struct post *post)
{
	return post->action == POST_KILL || post->action == POST_HOLD;
}

/* What meta says, pointing into its JSON. NULL where it says nothing. */
struct meta {
	const char *action, *uri, *version, *class, *channels, *was;
	const char *lang, *type, *notice, *also;
};

/* -1 if a string that must be there is not, or if anything is not a string. */
static int read_meta(const json_t *json, struct meta *out)
{
	const struct {
		const char *key;
		const char **value;
		bool needed;
	} fields[] = {
		{"action", &out->action, true},	    {"uri", &out->uri, true},
		{"version", &out->version, true},   {"class", &out->class, true},
		{"channels", &out->channels, true}, {"was", &out->was, false},
		{"lang", &out->lang, false},	    {"type", &out->type, false},
		{"notice", &out->notice, false},    {"also", &out->also, false},
	};

	*out = (struct meta){0};
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		const json_t *value = json_object_get(json, fields[i].key);
		if (value == NULL && !fields[i].needed)
			continue;
		if (!json_is_string(value))
			return -1;
		*fields[i].value = json_string_value(value);
		if (**fields[i].value == '\0') {
			if (fields[i].needed)
				return -1;
			*fields[i].value = NULL; /* empty is the same as absent */
		}
	}
	return 0;
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* Copies text (or NULL) to *at, which moves on. */
static char *keep_text(char **at, const char *text)
{
	size_t size = text_size(text);

	if (text == NULL)
		return NULL;
	*at += size;
	return memcpy(*at - size, text, size);
}

/* The post and its short texts are one block. NULL if the class or action is none, or if memory is
 * short. */
static struct post *make_post(const struct meta *meta)
{
	enum post_action action = read_action(meta->action);
	enum news_class class = news_class_read(meta->class, strlen(meta->class));
	size_t bytes = sizeof(struct post) + text_size(meta->uri) + text_size(meta->version) +
		       text_size(meta->lang) + text_size(meta->type) + text_size(meta->notice);
	struct post *post;
	char *at;

	if (action == POST_ACTION_COUNT || class == CLASS_COUNT)
		return NULL;
	if ((post = calloc(1, bytes)) == NULL)
		return NULL;
	at = (char *)(post + 1);
	post->refs = 1;
	post->action = action;
	post->class = class;
	post->also = meta->also && strcmp(meta->also, "1") == 0;
	post->uri = keep_text(&at, meta->uri);
	post->version = keep_text(&at, meta->version);
	post->lang = keep_text(&at, meta->lang);
	post->type = keep_text(&at, meta->type);
	post->notice = keep_text(&at, meta->notice);
	post->bytes = bytes;
	return post;
}

static int keep_channels(struct post *post, const struct meta *meta)
{
	const char *was = meta->was ? meta->was : "";

	if (channel_set_read(&post->channels, meta->channels, strlen(meta->channels), ' ') == -1 ||
	    channel_set_read(&post->was, was, strlen(was), ' ') == -1 || post->channels.count == 0)
		return -1;
	post->bytes += post->channels.bytes + post->was.bytes;
	return 0;
}

/* Whatever is not an object is taken for a body that is gone. */
static int keep_body(struct post *post, const char *body, size_t len)
{
	if (is_textless(post))
		return 0;
	if (body == NULL || len < 2 || body[0] != '{' || body[len - 1] != '}') {
		post->blanked = true;
		return 0;
	}
	if ((post->body = malloc(len + 1)) == NULL)
		return -1;
	memcpy(post->body, body, len);
	post->body[len] = '\0';
	post->body_len = len;
	post->bytes += len + 1;
	return 0;
}

struct post *post_read_entry(const char *epoch, struct wire_id id, struct wire_id prev,
			     const char *meta_text, size_t meta_len, const char *body,
			     size_t body_len)
{
	struct post *post = NULL;
	struct meta meta;
	json_error_t error;
	json_t *json;

	json_arena_open(meta_len);
	json = json_arena_read(meta_text, meta_len, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(json) || read_meta(json, &meta) == -1)
		goto fail;
	if (!cursor_is_epoch(epoch, strlen(epoch)) || (post = make_post(&meta)) == NULL)
		goto fail;
	if (keep_channels(post, &meta) == -1 || keep_body(post, body, body_len) == -1)
		goto fail;
	memcpy(post->epoch, epoch, strlen(epoch) + 1);
	post->id = id;
	post->prev = prev;
	json_arena_close();
	return post;

fail:
	json_arena_close();
	post_drop(post);
	return NULL;
}

/* Takes what stands before `stop` from *at, which moves behind it. NULL if there is no `stop`. */
static const char *take_until(const char **at, const char *end, char stop, size_t *len)
{
	const char *from = *at;
	const char *found = memchr(from, stop, (size_t)(end - from));

	if (found == NULL)
		return NULL;
	*len = (size_t)(found - from);
	*at = found + 1;
	return from;
}

struct post *post_read(const char *message, size_t len)
{
	const char *at = message, *end = message + len;
	const char *layout, *epoch, *id_text, *prev_text, *meta;
	size_t layout_len, epoch_len, id_len, prev_len, meta_len;
	char epoch_copy[EPOCH_MAX + 1] = "";
	struct wire_id id, prev;
	struct post *post;

	errno = 0;
	if ((layout = take_until(&at, end, ' ', &layout_len)) == NULL || layout_len != 1 ||
	    *layout != '1')
		return NULL;
	if ((epoch = take_until(&at, end, ' ', &epoch_len)) == NULL ||
	    !cursor_is_epoch(epoch, epoch_len))
		return NULL;
	memcpy(epoch_copy, epoch, epoch_len);
	if ((id_text = take_until(&at, end, ' ', &id_len)) == NULL ||
	    wire_id_parse(id_text, id_len, &id) == -1)
		return NULL;
	if ((prev_text = take_until(&at, end, '\n', &prev_len)) == NULL ||
	    wire_id_parse(prev_text, prev_len, &prev) == -1)
		return NULL;
	if ((meta = take_until(&at, end, '\n', &meta_len)) == NULL)
		return NULL;
	post = post_read_entry(epoch_copy, id, prev, meta, meta_len, at, (size_t)(end - at));
	if (post != NULL)
		post->heard = true;
	return post;
}

struct post *post_hold(struct post *post)
{
	post->refs++;
	return post;
}

/* How many frames there may be by channel. */
static uint32_t count_channels(const struct post *post)
{
	return post->channels.count + post->was.count;
}

static size_t free_frame(struct frame *frame)
{
	size_t freed = frame->data ? frame->len : 0;

	free(frame->data);
	*frame = (struct frame){0};
	return freed;
}

void post_drop(struct post *post)
{
	if (post == NULL || --post->refs > 0)
		return;
	for (enum format f = 0; f < FORMAT_COUNT; f++) {
		free_frame(&post->frames[f][FULL]);
		free_frame(&post->frames[f][REMOVE]);
	}
	for (enum format f = 0; post->early != NULL && f < FORMAT_COUNT; f++) {
		free_frame(&post->early[f][FULL]);
		free_frame(&post->early[f][REMOVE]);
	}
	free(post->early);
	for (uint32_t i = 0; post->by_channel != NULL && i < count_channels(post); i++)
		free_frame(&post->by_channel[i]);
	free(post->by_channel);
	channel_set_free(&post->channels);
	channel_set_free(&post->was);
	free(post->body);
	free(post->brief);
	free(post);
}

/* It holds so much more memory now. */
static void grow(struct post *post, size_t bytes)
{
	post->bytes += bytes;
	if (post->sum != NULL)
		*post->sum += bytes;
}

size_t post_blank(struct post *post)
{
	size_t freed = 0;

	if (is_textless(post) || post->blanked)
		return 0;
	for (enum format f = 0; f < FORMAT_COUNT; f++)
		freed += free_frame(&post->frames[f][FULL]);
	for (enum format f = 0; post->early != NULL && f < FORMAT_COUNT; f++)
		freed += free_frame(&post->early[f][FULL]);
	for (uint32_t i = 0; post->by_channel != NULL && i < post->channels.count; i++)
		freed += free_frame(&post->by_channel[i]);
	freed += post->body_len + 1;
	free(post->body);
	post->body = NULL;
	post->body_len = 0;
	if (post->brief != NULL)
		freed += post->brief_len + 1;
	free(post->brief);
	post->brief = NULL;
	post->blanked = true;
	post->bytes -= freed;
	if (post->sum != NULL)
		*post->sum -= freed;
	return freed;
}

static void write_field(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, ",\"%s\":", name);
	buf_add_json(out, value, strlen(value));
}

static void write_channels(struct buf *out, const struct channel_set *channels)
{
	buf_adds(out, ",\"channels\":[");
	for (uint32_t i = 0; i < channels->count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		buf_add_json(out, channels->name[i], strlen(channels->name[i]));
	}
	buf_addc(out, ']');
}

enum turn {
	TURN_NONE, /* in a feed: it has no place */
	TURN_NOW,
	TURN_EARLY,
};

static void write_turn(const struct post *post, enum turn turn, struct buf *out)
{
	char id[WIRE_ID_TEXT_MAX];

	if (turn == TURN_EARLY)
		buf_adds(out, ",\"ahead\":true");
	if (turn != TURN_NOW)
		return;
	wire_id_format(post->id, id);
	buf_addf(out, ",\"cursor\":\"%s:%s\"", post->epoch, id);
}

/* The message up to its item, or the whole of it but the last brace where there is none. */
static void write_head(const struct post *post, enum turn turn, bool with_item, bool removes,
		       struct buf *out)
{
	buf_adds(out, "{\"type\":\"post\"");
	write_turn(post, turn, out);
	write_field(out, "action", removes ? "remove" : post_action_name(post->action));
	if (with_item) {
		write_field(out, "class", news_class_name(post->class));
		write_channels(out, &post->channels);
		buf_adds(out, ",\"item\":");
		return;
	}
	write_field(out, "uri", post->uri);
	write_field(out, "version", post->version);
	if (post->notice)
		write_field(out, "notice", post->notice);
}

/* What stands around the text is made first; the text is copied once. */
static int make_frame(struct frame *frame, enum format format, const struct post *post,
		      enum turn turn, bool removes, const char *channel)
{
	bool with_item = !removes && post->body != NULL;
	bool is_brief = format_view(format) == VIEW_BRIEF;
	const char *item = is_brief ? post->brief : post->body;
	size_t item_len = is_brief ? post->brief_len : post->body_len;
	struct cursor at = {.id = post->id};
	struct buf head = {0};
	int made = -1;

	memcpy(at.epoch, post->epoch, sizeof at.epoch);
	write_head(post, turn, with_item, removes, &head);
	if (!head.failed)
		made = format_frame(
			format,
			&(struct format_message){.face = {.type = NEWSWIRE_TYPE_POST,
							  .at = turn == TURN_NOW ? &at : NULL,
							  .channel = channel},
						 .json = {{head.data, head.len},
							  {item, with_item ? item_len : 0},
							  {"}", 1}}},
			frame);
	buf_free(&head);
	return made;
}

/* 0, or -1: memory is short. */
static int need_brief(struct post *post)
{
	if (post->body == NULL || post->brief != NULL)
		return 0;
	if ((post->brief = brief_make(post->body, post->body_len, &post->brief_len)) == NULL)
		return -1;
	grow(post, post->brief_len + 1);
	return 0;
}

/* Unless it is known already that the plain one's serves. 0, or -1: memory is short. */
static int make(struct post *post, struct frame *frame, enum format format, enum post_match match,
		enum turn turn)
{
	if (match == MATCH_FULL && format_view(format) == VIEW_BRIEF && need_brief(post) == -1)
		return -1;
	if (frame->as_plain)
		return 0;
	if (make_frame(frame, format, post, turn, match == MATCH_REMOVE, NULL) == -1)
		return -1;
	grow(post, frame->len);
	return 0;
}

/* The first time, or the plain one's; apart, so that the usual way needs no stack for it. */
static __attribute__((noinline)) const struct frame *
frame_made(struct post *post, struct frame *frame, enum format format, enum post_match match)
{
	if (make(post, frame, format, match, TURN_NOW) == -1)
		return NULL;
	return frame->as_plain ? post_frame(post, format_plain(format), match) : frame;
}

const struct frame *post_frame(struct post *post, enum format format, enum post_match match)
{
	struct frame *frame;

	MUST(format < FORMAT_COUNT && match != MATCH_NOT);
	if (match == MATCH_FULL && post->blanked)
		return NULL;
	frame = &post->frames[format][match == MATCH_REMOVE ? REMOVE : FULL];
	return frame->data ? frame : frame_made(post, frame, format, match);
}

/* 0, or -1: memory is short. */
static int need_early(struct post *post)
{
	if (post->early != NULL)
		return 0;
	if ((post->early = calloc(FORMAT_COUNT, sizeof *post->early)) == NULL)
		return -1;
	grow(post, FORMAT_COUNT * sizeof *post->early);
	return 0;
}

const struct frame *post_early_frame(struct post *post, enum format format, enum post_match match)
{
	struct frame *frame;

	MUST(format < FORMAT_COUNT && !format_names_channel(format) && match != MATCH_NOT);
	if ((match == MATCH_FULL && post->blanked) || need_early(post) == -1)
		return NULL;
	frame = &post->early[format][match == MATCH_REMOVE ? REMOVE : FULL];
	if (frame->data == NULL && make(post, frame, format, match, TURN_EARLY) == -1)
		return NULL;
	return frame->as_plain ? post_early_frame(post, format_plain(format), match) : frame;
}

enum post_match post_in_channel(const struct post *post, const char *channel, uint32_t *at)
{
	uint32_t in = channel_set_find(&post->channels, channel);
	uint32_t before = channel_set_find(&post->was, channel);
	bool is_in = in < post->channels.count, was_in = before < post->was.count;

	*at = is_in ? in : post->channels.count + before;
	if (is_textless(post))
		return is_in || was_in ? MATCH_FULL : MATCH_NOT;
	if (post->also) /* those who had it before have it already */
		return is_in && !was_in ? MATCH_FULL : MATCH_NOT;
	if (is_in)
		return MATCH_FULL;
	return was_in ? MATCH_REMOVE : MATCH_NOT;
}

const struct frame *post_channel_frame(struct post *post, enum format format, uint32_t at)
{
	bool is_in = at < post->channels.count;
	const char *channel =
		is_in ? post->channels.name[at] : post->was.name[at - post->channels.count];
	struct frame *frame;

	MUST(format == FORMAT_CENTRIFUGE && at < count_channels(post));
	if (is_in && post->blanked)
		return NULL;
	if (post->by_channel == NULL) {
		post->by_channel = calloc(count_channels(post), sizeof *post->by_channel);
		if (post->by_channel == NULL)
			return NULL;
		grow(post, count_channels(post) * sizeof *post->by_channel);
	}
	frame = &post->by_channel[at];
	if (frame->data)
		return frame;
	if (make_frame(frame, format, post, TURN_NOW, !is_in && !is_textless(post), channel) == -1)
		return NULL;
	grow(post, frame->len);
	return frame;
}

void post_write_message(const struct post *post, enum post_match match, struct buf *out)
{
	bool with_item = match == MATCH_FULL && post->body != NULL;

	write_head(post, TURN_NOW, with_item, match == MATCH_REMOVE, out);
	if (with_item)
		buf_add(out, post->body, post->body_len);
	buf_addc(out, '}');
}

static void write_brief(const struct post *post, struct buf *out)
{
	size_t len;
	char *brief = brief_make(post->body, post->body_len, &len);

	if (brief == NULL)
		out->failed = true;
	else
		buf_add(out, brief, len);
	free(brief);
}

void post_write_json(const struct post *post, enum format_view view, struct buf *out)
{
	if (post->blanked)
		return;
	write_head(post, TURN_NONE, post->body != NULL, false, out);
	if (post->body != NULL && view == VIEW_BRIEF)
		write_brief(post, out);
	else if (post->body != NULL)
		buf_add(out, post->body, post->body_len);
	buf_addc(out, '}');
}
