/* history.c - reads pages of older posts, one at a time, and hands each to all who asked for a place inside it. */
#include "wire/history.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include "base/counters.h"
#include "wire/page.h"

struct ask {
	struct ask *prev, *next;
	struct wire_id after;
	history_cb *cb;
	void *arg;
};

/* A page on its way. It outlives a history that is freed meanwhile. */
struct reading {
	struct history *history; /* NULL: freed */
	struct wire_id after;
	bool stale; /* all was dropped since */
};

/* Always true: reading != NULL or the timer is set, if somebody waits. */
struct history {
	struct wire *wire;
	uv_timer_t timer; /* tells who asked that Redis is away, outside of the asking */
	struct history_page *page[HISTORY_PAGES];
	struct reading *reading;
	struct ask *waiting;
	struct ask *answering; /* being told right now: history_forget() must find them */
	uint64_t uses;
};

/* --- pages ---------------------------------------------------------------------------------- */

static void drop_page(struct history_page *page)
{
	if (page == NULL || --page->refs > 0)
		return;
	for (size_t i = 0; i < page->count; i++)
		post_drop(page->posts[i]);
	free(page->posts);
	free(page);
}

void history_drop_all(struct history *h)
{
	for (size_t i = 0; i < HISTORY_PAGES; i++) {
		drop_page(h->page[i]);
		h->page[i] = NULL;
	}
	if (h->reading)
		h->reading->stale = true;
}

static bool knows(const struct history_page *page, struct wire_id id)
{
	size_t low = 0, high = page->count;

	if (wire_id_compare(id, page->from) == 0)
		return true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = wire_id_compare(page->posts[middle]->id, id);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* Has the page what follows this id? */
static bool serves(const struct history_page *page, struct wire_id after)
{
	return wire_id_compare(page->from, after) <= 0 && wire_id_compare(after, page->to) < 0 &&
	       knows(page, after);
}

struct history_page *history_find(struct history *h, struct wire_id after)
{
	for (size_t i = 0; i < HISTORY_PAGES; i++) {
		if (h->page[i] && serves(h->page[i], after)) {
			h->page[i]->used = ++h->uses;
			return h->page[i];
		}
	}
	return NULL;
}

/* In place of the page that was not used for the longest time. */
static void keep_page(struct history *h, struct history_page *page)
{
	size_t oldest = 0;

	for (size_t i = 0; i < HISTORY_PAGES; i++) {
		if (h->page[i] == NULL) {
			oldest = i;
			break;
		}
		if (h->page[i]->used < h->page[oldest]->used)
			oldest = i;
	}
	drop_page(h->page[oldest]);
	h->page[oldest] = page;
	page->refs++;
	page->used = ++h->uses;
}

void history_hear(struct history *h, const struct post *post)
{
	if (!post_is_withdrawal(post))
		return;
	for (size_t p = 0; p < HISTORY_PAGES; p++)
		for (size_t i = 0; h->page[p] && i < h->page[p]->count; i++) {
			struct post *older = h->page[p]->posts[i];

			if (wire_id_compare(older->id, post->id) < 0 &&
			    strcmp(older->uri, post->uri) == 0)
				post_blank(older);
		}
}

/* What Redis gave, less what was withdrawn since. NULL: memory is short. */
static struct history_page *make_page(const struct history *h, const struct page *read,
				      struct wire_id after)
{
	struct history_page *page = calloc(1, sizeof *page);

	if (page == NULL || (page->posts = calloc(read->count + 1, sizeof *page->posts)) == NULL) {
		free(page);
		return NULL;
	}
	page->refs = 1;
	page->from = page->to = after;
	for (size_t i = 0; i < read->count; i++) {
		struct page_entry entry = page_entry(read, i);

		if (entry.no_memory && page->count == 0 && wire_id_compare(page->to, after) == 0) {
			drop_page(page);
			return NULL;
		}
		if (entry.no_memory)
			break; /* what follows is another page */
		if (entry.post == NULL) {
			if (page->count == 0)
				page->to = entry.id; /* so that a page of garbage is left behind */
			continue;
		}
		if (wire_is_withdrawn(h->wire, entry.post->uri, read->place.head))
			post_blank(entry.post);
		page->posts[page->count++] = entry.post;
		page->to = entry.id;
	}
	return page;
}

/* --- asking --------------------------------------------------------------------------------- */

/* Whoever is being told may ask again, or make others forget. */
static void answer(struct history *h, enum history_answer answer, struct history_page *page)
{
	while (h->answering) {
		struct ask *ask = h->answering;

		DL_DELETE(h->answering, ask);
		ask->cb(answer, page, ask->arg);
		free(ask);
	}
}

static void answer_all(struct history *h, enum history_answer what)
{
	DL_CONCAT(h->answering, h->waiting);
	h->waiting = NULL;
	answer(h, what, NULL);
}

/* Those for whom it holds are told; the others wait on. */
static void answer_if(struct history *h, const struct history_page *page, struct wire_id after)
{
	struct ask *ask, *next;

	DL_FOREACH_SAFE (h->waiting, ask, next) {
		if (wire_id_compare(ask->after, after) != 0 && (!page || !serves(page, ask->after)))
			continue;
		DL_DELETE(h->waiting, ask); // NOLINT: the ask is in the list, so that has a head
		DL_APPEND(h->answering, ask);
	}
}

static void read_next(struct history *h);

static void take_page(struct history *h, const struct page *read, struct wire_id after)
{
	struct history_page *page = NULL;

	if (read->known && (page = make_page(h, read, after)) == NULL) {
		answer_all(h, HISTORY_AWAY); /* short of memory: they ask again */
		return;
	}
	if (page && page->count > 0)
		keep_page(h, page);
	answer_if(h, page, after);
	answer(h, page ? HISTORY_PAGE : HISTORY_GONE, page);
	drop_page(page);
}

static void on_page(redisReply *reply, void *arg)
{
	struct reading *reading = arg;
	struct history *h = reading->history;
	bool stale = reading->stale;
	struct wire_id after = reading->after;
	struct page read;

	free(reading);
	if (h == NULL)
		return;
	h->reading = NULL;
	if (reply == NULL)
		history_drop_all(h);
	if (reply == NULL || page_read(reply, &read) == -1 || stale ||
	    strcmp(read.place.epoch, wire_epoch(h->wire)) != 0)
		answer_all(h, HISTORY_AWAY);
	else
		take_page(h, &read, after);
	read_next(h);
}

static void on_timer(uv_timer_t *timer)
{
	struct history *h = timer->data;

	if (h->reading == NULL)
		answer_all(h, HISTORY_AWAY);
	read_next(h);
}

/* The oldest place: its page has most for the others. */
static struct wire_id oldest_place(const struct history *h)
{
	struct wire_id oldest = h->waiting->after;
	const struct ask *ask;

	DL_FOREACH (h->waiting, ask)
		if (wire_id_compare(ask->after, oldest) < 0)
			oldest = ask->after;
	return oldest;
}

static void read_next(struct history *h)
{
	struct reading *reading;

	if (h->reading || h->waiting == NULL)
		return;
	if ((reading = calloc(1, sizeof *reading)) != NULL) {
		reading->history = h;
		reading->after = oldest_place(h);
		if (page_ask(wire_link(h->wire), wire_prefix(h->wire), reading->after,
			     HISTORY_PAGE_POSTS, HISTORY_PAGE_BYTES, on_page, reading) == 0) {
			COUNT(HISTORY_READS);
			h->reading = reading;
			return;
		}
		free(reading);
	}
	uv_timer_start(&h->timer, on_timer, 0, 0);
}

int history_ask(struct history *h, struct wire_id after, history_cb *cb, void *arg)
{
	struct ask *ask = calloc(1, sizeof *ask);

	if (ask == NULL)
		return -1;
	ask->after = after;
	ask->cb = cb;
	ask->arg = arg;
	DL_APPEND(h->waiting, ask);
	read_next(h);
	return 0;
}

static void forget(struct ask **list, const void *arg)
{
	struct ask *ask, *next;

	DL_FOREACH_SAFE (*list, ask, next) {
		if (ask->arg != arg)
			continue;
		DL_DELETE(*list, ask); // NOLINT: as above
		free(ask);
	}
}

void history_forget(struct history *h, void *arg)
{
	forget(&h->waiting, arg);
	forget(&h->answering, arg);
}

/* --- opening and closing -------------------------------------------------------------------- */

struct history *history_new(struct wire *wire)
{
	struct history *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	h->wire = wire;
	uv_timer_init(wire_loop(wire), &h->timer);
	h->timer.data = h;
	return h;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void history_free(struct history *h)
{
	if (h == NULL)
		return;
	history_drop_all(h);
	answer_all(h, HISTORY_AWAY);
	if (h->reading)
		h->reading->history = NULL;
	uv_close((uv_handle_t *)&h->timer, on_closed);
}
