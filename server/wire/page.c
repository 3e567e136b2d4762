/* page.c - asks for stretches of the wire, and reads what scripts answer. */
#include "wire/page.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/counters.h"
#include "base/log.h"
#include "wire/redis_words.h"
#include "lua_scripts.h"

enum { ARGS_MAX = 16, KEY_MAX = 256 };

static struct link_script read_script = {.text = lua_read};

int page_script(struct link *link, struct link_script *script, const char *prefix,
		link_reply_cb *cb, void *arg, int argc, const char *const *argv)
{
	char key[KEY_MAX], braced[KEY_MAX];
	const char *words[ARGS_MAX] = {key, braced};

	MUST(argc + 2 <= ARGS_MAX && strlen(prefix) < KEY_MAX - 8);
	snprintf(key, sizeof key, "{%s}:wire", prefix);
	snprintf(braced, sizeof braced, "{%s}", prefix);
	for (int i = 0; i < argc; i++)
		words[i + 2] = argv[i];
	return link_script(link, script, cb, arg, 1, argc + 2, words, NULL);
}

int page_ask(struct link *link, const char *prefix, struct wire_id after, unsigned max_posts,
	     unsigned max_bytes, link_reply_cb *cb, void *arg)
{
	char id[WIRE_ID_TEXT_MAX], posts[12], bytes[12];
	const char *argv[] = {id, posts, bytes};

	wire_id_format(after, id);
	snprintf(posts, sizeof posts, "%u", max_posts);
	snprintf(bytes, sizeof bytes, "%u", max_bytes);
	return page_script(link, &read_script, prefix, cb, arg, COUNT_OF(argv), argv);
}

const char *page_text(const redisReply *reply, size_t i)
{
	const redisReply *text = i < reply->elements ? reply->element[i] : NULL;

	return text && text->type == REDIS_REPLY_STRING ? text->str : "";
}

int page_read_id(const redisReply *reply, size_t i, struct wire_id *id)
{
	const char *text = page_text(reply, i);

	return wire_id_parse(text, strlen(text), id);
}

int page_bad_answer(const char *what)
{
	log_error("redis_nonsense", LOG_S("answer", what),
		  LOG_S("remedy", "does another program write newswire's keys?"));
	return -1;
}

int page_read_place(const redisReply *reply, size_t elements, struct page_place *place)
{
	const char *epoch;

	if (reply->type == REDIS_REPLY_ERROR) {
		/* What Redis adds to a script's own words is of no use here. */
		const char *end = strstr(reply->str, " script: ");

		if (redis_words_passes(reply->str)) {
			redis_words_tell(redis_words(reply->str), reply->str);
			return -1;
		}
		log_error("redis_error", LOG_SN("error", reply->str,
						end ? (size_t)(end - reply->str) : reply->len));
		return -1;
	}
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < elements || elements < 2)
		return page_bad_answer("too short");
	epoch = page_text(reply, 0);
	if (*epoch && !cursor_is_epoch(epoch, strlen(epoch)))
		return page_bad_answer("epoch");
	memcpy(place->epoch, epoch, strlen(epoch) + 1);
	return page_read_id(reply, 1, &place->head) == 0 ? 0 : page_bad_answer("head");
}

/* {id, prev, meta, body or nothing}: read.lua says nothing else, but whatever stands between it and us may. */
static bool is_entry(const redisReply *entry)
{
	struct wire_id id;

	return entry->type == REDIS_REPLY_ARRAY && entry->elements == 4 &&
	       page_read_id(entry, 0, &id) == 0 && entry->element[2]->type == REDIS_REPLY_STRING;
}

int page_read(const redisReply *reply, struct page *page)
{
	*page = (struct page){0};
	if (page_read_place(reply, 5, &page->place) == -1)
		return -1;
	if (page_read_id(reply, 2, &page->floor) == -1)
		return page_bad_answer("floor");
	if (reply->element[3]->type != REDIS_REPLY_INTEGER ||
	    reply->element[4]->type != REDIS_REPLY_ARRAY)
		return page_bad_answer("page");
	page->known = reply->element[3]->integer == 1;
	page->entries = reply->element[4]->element;
	page->count = reply->element[4]->elements;
	for (size_t i = 0; i < page->count; i++)
		if (!is_entry(page->entries[i]))
			return page_bad_answer("entry");
	return 0;
}

struct page_entry page_entry(const struct page *page, size_t i)
{
	const redisReply *entry = page->entries[i];
	struct page_entry out = {0};
	const redisReply *meta, *body;

	MUST(page_read_id(entry, 0, &out.id) == 0); /* page_read() has looked */
	meta = entry->element[2];
	body = entry->element[3]->type == REDIS_REPLY_STRING ? entry->element[3] : NULL;
	out.is_foreign = page_read_id(entry, 1, &out.prev) == -1;
	if (!out.is_foreign)
		out.post =
			post_read_entry(page->place.epoch, out.id, out.prev, meta->str, meta->len,
					body ? body->str : NULL, body ? body->len : 0);
	out.no_memory = !out.is_foreign && out.post == NULL && errno == ENOMEM;
	if (out.no_memory) {
		log_error("no_memory", LOG_S("for", "post"));
	} else if (out.post == NULL) {
		COUNT(WIRE_BAD);
		log_warn("wire_entry_unreadable", LOG_S("id", page_text(entry, 0)));
	}
	return out;
}
