/* shelf.c - reads feeds and items from Redis, as readers get them. */
#include "wire/shelf.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lua_scripts.h"
#include "wire/backlog.h"
#include "wire/page.h"
#include "wire/token.h"

static struct link_script feed_script = {.text = lua_feed};
static struct link_script item_script = {.text = lua_item};

struct ask {
	struct wire *wire;
	shelf_feed_cb *feed_cb; /* one of the two */
	shelf_item_cb *item_cb;
	void *arg;
	char uri[]; /* item: which one */
};

static struct ask *new_ask(struct wire *wire, const char *uri, void *arg)
{
	struct ask *ask = calloc(1, sizeof *ask + strlen(uri) + 1);

	if (ask == NULL)
		return NULL;
	ask->wire = wire;
	ask->arg = arg;
	memcpy(ask->uri, uri, strlen(uri) + 1);
	return ask;
}

/* Answers and forgets the ask. Takes body and its memory. */
static void answer(struct ask *ask, enum shelf_answer what, struct buf *body, const char *etag)
{
	if (body->failed)
		what = SHELF_AWAY;
	ask->item_cb(what, body, etag, ask->arg);
	buf_free(body);
	free(ask);
}

static void answer_feed(struct ask *ask, enum shelf_answer what, const struct feed *feed)
{
	ask->feed_cb(what, feed, ask->arg);
	free(ask);
}

static enum post_action read_action(const char *name)
{
	enum post_action a = POST_PUBLISH;

	while (a < POST_ACTION_COUNT && strcmp(post_action_name(a), name) != 0)
		a++;
	return a;
}

/* One item as readers see it: a post without a place, whose channels are to be freed. -1 if it
 * makes no sense, or memory is short (then errno is ENOMEM). */
static int read_post(const char *uri, const char *version, const char *action, const char *class,
		     const char *channels, const redisReply *body, struct post *post)
{
	*post = (struct post){.action = read_action(action),
			      .class = news_class_read(class, strlen(class)),
			      .uri = (char *)uri,
			      .version = (char *)version,
			      .body = body->str,
			      .body_len = body->len};
	if (post->action >= POST_KILL || post->class == CLASS_COUNT)
		return -1;
	return channel_set_read(&post->channels, channels, strlen(channels), ' ');
}

/* --- the feed ------------------------------------------------------------------------------- */

static int64_t read_ms(const redisReply *row, size_t i)
{
	struct wire_id id;

	return page_read_id(row, i, &id) == 0 ? (int64_t)id.ms : 0;
}

/* -1: it is not to be shown. */
static int read_entry(const struct ask *ask, const redisReply *row, struct wire_id head,
		      struct feed_entry *entry)
{
	if (wire_is_withdrawn(ask->wire, page_text(row, 0), head))
		return -1;
	entry->published_ms = read_ms(row, 6);
	entry->updated_ms = read_ms(row, 7);
	return read_post(page_text(row, 0), page_text(row, 1), page_text(row, 2), page_text(row, 3),
			 page_text(row, 4), row->element[5], &entry->post);
}

/* As feed.lua writes it; whatever stands between it and us may write something else. */
static bool is_row(const redisReply *row)
{
	return row->type == REDIS_REPLY_ARRAY && row->elements == 8 &&
	       row->element[5]->type == REDIS_REPLY_STRING;
}

static int read_entries(const struct ask *ask, const redisReply *rows, struct feed *feed)
{
	if (rows->type != REDIS_REPLY_ARRAY)
		return page_bad_answer("feed");
	for (size_t i = 0; i < rows->elements; i++)
		if (!is_row(rows->element[i]))
			return page_bad_answer("feed's entry");
	if (rows->elements == 0)
		return 0;
	if ((feed->entries = calloc(rows->elements, sizeof *feed->entries)) == NULL)
		return -1;
	for (size_t i = 0; i < rows->elements; i++) {
		errno = 0;
		if (read_entry(ask, rows->element[i], feed->cursor.id,
			       &feed->entries[feed->count]) == 0)
			feed->count++;
		else if (errno == ENOMEM) /* not without this story, but not now */
			return -1;
	}
	return 0;
}

static void free_entries(struct feed *feed)
{
	for (size_t i = 0; i < feed->count; i++)
		channel_set_free(&feed->entries[i].post.channels);
	free(feed->entries);
}

static void on_feed(redisReply *reply, void *arg)
{
	struct ask *ask = arg;
	struct page_place at;
	struct feed feed = {0};
	struct buf before = {0};

	if (reply == NULL || page_read_place(reply, 5, &at) == -1 || at.epoch[0] == '\0') {
		answer_feed(ask, SHELF_AWAY, NULL);
		return;
	}
	feed.cursor.id = at.head;
	memcpy(feed.cursor.epoch, at.epoch, sizeof feed.cursor.epoch);
	if (*page_text(reply, 2)) {
		token_write(page_text(reply, 2), page_text(reply, 3), &before);
		buf_addc(&before, '\0');
		feed.before = before.data;
	}
	if (read_entries(ask, reply->element[4], &feed) != 0 || before.failed)
		answer_feed(ask, SHELF_AWAY, NULL);
	else
		answer_feed(ask, SHELF_OK, &feed);
	free_entries(&feed);
	buf_free(&before);
}

/* Each list as the script wants it, with its NUL. */
static void write_lists(const struct subscription *s, struct buf lists[4])
{
	subscription_write_channels(s, ' ', &lists[0]);
	channel_set_write(&s->classes, ' ', &lists[1]);
	channel_set_write(&s->langs, ' ', &lists[2]);
	channel_set_write(&s->types, ' ', &lists[3]);
	for (size_t i = 0; i < 4; i++)
		buf_addc(&lists[i], '\0');
}

/* cb is told in the next turn by way of Redis, which must be there anyway: the token is refused
 * without reading more. */
static void on_bad_before(redisReply *reply, void *arg)
{
	answer_feed(arg, reply ? SHELF_BAD_BEFORE : SHELF_AWAY, NULL);
}

static int ask_feed(struct ask *ask, const struct subscription *s, unsigned limit, size_t max_bytes,
		    const struct token *below)
{
	struct buf lists[4] = {0};
	char items[12], bytes[24];
	const char *argv[] = {items, bytes, below->score, below->uri, NULL, NULL, NULL, NULL};
	bool failed = false;
	int sent = -1;

	snprintf(items, sizeof items, "%u", limit);
	snprintf(bytes, sizeof bytes, "%zu", max_bytes);
	write_lists(s, lists);
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		failed = failed || lists[i].failed;
		argv[4 + i] = lists[i].data;
	}
	if (!failed)
		sent = page_script(wire_link(ask->wire), &feed_script, wire_prefix(ask->wire),
				   on_feed, ask, COUNT_OF(argv), argv);
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		buf_free(&lists[i]);
	return sent;
}

int shelf_feed(struct wire *wire, const struct subscription *s, unsigned limit, size_t max_bytes,
	       const char *before, shelf_feed_cb *cb, void *arg)
{
	struct token below = {0};
	struct ask *ask = new_ask(wire, "", arg);
	int sent;

	if (ask == NULL)
		return -1;
	ask->feed_cb = cb;
	if (before && *before && token_read(&below, before) == -1)
		sent = link_commandf(wire_link(wire), on_bad_before, ask, "PING");
	else
		sent = ask_feed(ask, s, limit, max_bytes, &below);
	if (sent == -1)
		free(ask);
	return sent;
}

/* --- one item ------------------------------------------------------------------------------- */

static void answer_killed(struct ask *ask, const struct post *kill)
{
	struct buf body = {0};

	post_write_json(kill, VIEW_FULL, &body);
	answer(ask, SHELF_KILLED, &body, "");
}

/* A kill or hold overtook Redis' answer. */
static void answer_withdrawn(struct ask *ask)
{
	const struct post *newest = backlog_newest(wire_backlog(ask->wire), ask->uri);
	struct buf body = {0};

	if (newest && newest->action == POST_KILL)
		answer_killed(ask, newest);
	else
		answer(ask, SHELF_MISSING, &body, "");
}

static void answer_usable(struct ask *ask, const redisReply *reply)
{
	const redisReply *text = reply->element[8];
	struct post post;
	struct buf body = {0};
	char etag[FEED_ETAG_SIZE] = "";

	errno = 0;
	if (text->type != REDIS_REPLY_STRING ||
	    read_post(ask->uri, page_text(reply, 3), page_text(reply, 4), page_text(reply, 5),
		      page_text(reply, 6), text, &post) == -1) {
		answer(ask, errno == ENOMEM ? SHELF_AWAY : SHELF_MISSING, &body, "");
		return;
	}
	post_write_json(&post, VIEW_FULL, &body);
	channel_set_free(&post.channels);
	if (!body.failed)
		feed_etag(body.data, body.len, etag);
	answer(ask, SHELF_OK, &body, etag);
}

static void on_item(redisReply *reply, void *arg)
{
	struct ask *ask = arg;
	struct page_place at;
	struct buf none = {0};

	if (reply == NULL || page_read_place(reply, 2, &at) == -1) {
		answer(ask, SHELF_AWAY, &none, "");
	} else if (strcmp(page_text(reply, 2), "canceled") == 0) {
		const char *notice = page_text(reply, 7);

		answer_killed(ask, &(struct post){.action = POST_KILL,
						  .uri = ask->uri,
						  .version = (char *)page_text(reply, 3),
						  .notice = *notice ? (char *)notice : NULL});
	} else if (wire_is_withdrawn(ask->wire, ask->uri, at.head)) {
		answer_withdrawn(ask);
	} else if (reply->elements == 9 && strcmp(page_text(reply, 2), "usable") == 0) {
		answer_usable(ask, reply);
	} else {
		answer(ask, SHELF_MISSING, &none, "");
	}
}

int shelf_item(struct wire *wire, const char *uri, shelf_item_cb *cb, void *arg)
{
	struct ask *ask = new_ask(wire, uri, arg);
	const char *argv[] = {uri};

	if (ask == NULL)
		return -1;
	ask->item_cb = cb;
	if (page_script(wire_link(wire), &item_script, wire_prefix(wire), on_item, ask,
			COUNT_OF(argv), argv) == 0)
		return 0;
	free(ask);
	return -1;
}
