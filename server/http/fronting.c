/* fronting.c - the page is put together, kept, and answered. */
#include "http/fronting.h"

#include <string.h>
#include "base/clock.h"
#include "http/feed_about.h"
#include "http/pages.h"
#include "http/site.h"
#include "news/front.h"
#include "news/gzip.h"
#include "wire/shelf.h"

enum { COPY_MS = 1000, STORIES = 20 };

/* A page that was put together. */
struct made {
	struct buf html, gzip; /* gzip is made when it is first asked for */
	char etag[FEED_ETAG_SIZE];
};

static struct {
	struct made page;
	struct buf site;      /* what its addresses begin with */
	struct cursor cursor; /* where its news end */
	uint64_t made_ms;
} copy;

static void free_made(struct made *page)
{
	buf_free(&page->html);
	buf_free(&page->gzip);
}

void fronting_forget(void)
{
	free_made(&copy.page);
	buf_free(&copy.site);
}

/* --- putting it together ---------------------------------------------------------------------- */

static void add_data(const struct feed *feed, const struct feed_about *about, struct buf *out)
{
	buf_adds(out, "<script type=\"application/ld+json\">");
	front_write_data(feed, about, out);
	buf_adds(out, "</script>");
}

static void add_stories(const struct feed *feed, const struct feed_about *about, struct buf *out)
{
	(void)about;
	front_write_stories(feed, out);
}

/* For those who cannot press a button; the script takes it away. */
static void add_older(const struct feed *feed, const struct feed_about *about, struct buf *out)
{
	(void)feed;
	if (about->next == NULL)
		return;
	buf_adds(out, "<p id=\"older\"><a href=\"");
	for (const char *at = about->next; *at != '\0'; at++)
		if (*at == '&')
			buf_adds(out, "&amp;");
		else
			buf_addc(out, *at);
	buf_adds(out, "\" rel=\"next\">Older news</a></p>");
}

/* The template, with every mark replaced, in the order in which they stand. */
static void put_together(const struct feed *feed, const struct feed_about *about, struct buf *out)
{
	static const struct {
		const char *mark;
		void (*add)(const struct feed *feed, const struct feed_about *about,
			    struct buf *out);
	} parts[] = {{"<!--json-ld-->", add_data},
		     {"<!--stories-->", add_stories},
		     {"<!--older-->", add_older}};
	size_t left;
	const char *at = pages_text(pages_find("/"), &left);

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		size_t mark = strlen(parts[i].mark);
		const char *found = memmem(at, left, parts[i].mark, mark);

		if (found == NULL)
			continue;
		buf_add(out, at, (size_t)(found - at));
		parts[i].add(feed, about, out);
		left -= (size_t)(found - at) + mark;
		at = found + mark;
	}
	buf_add(out, at, left);
}

/* 0, or -1: out of memory. */
static int make(const struct request *r, const struct feed *feed, struct made *page)
{
	struct about about = {0};

	if (feed_about_write(r, feed, &about) == 0)
		put_together(feed, &about.said, &page->html);
	else
		page->html.failed = true;
	feed_about_free(&about);
	if (page->html.failed)
		return -1;
	feed_etag(page->html.data, page->html.len, page->etag);
	return 0;
}

/* --- the copy --------------------------------------------------------------------------------- */

/* Nothing but the page: what most ask for. */
static bool is_plain(const struct request *r)
{
	for (int i = 0; i < QUERY_COUNT; i++)
		if (query_get(&r->query, (enum query_name)i) != NULL)
			return false;
	return true;
}

static bool is_fresh(const struct request *r)
{
	const struct wire *wire = door_setup_of(r->door)->wire;
	struct buf site = {0};
	bool same;

	if (copy.page.html.len == 0 || clock_mono_ms() - copy.made_ms >= COPY_MS ||
	    wire_id_compare(copy.cursor.id, wire_head(wire)) != 0 ||
	    strcmp(copy.cursor.epoch, wire_epoch(wire)) != 0)
		return false;
	site_add(r, &site);
	same = !site.failed && site.len == copy.site.len &&
	       (site.len == 0 || memcmp(site.data, copy.site.data, site.len) == 0);
	buf_free(&site);
	return same;
}

/* Takes the page. */
static void keep(const struct request *r, const struct feed *feed, struct made *page)
{
	fronting_forget();
	site_add(r, &copy.site);
	if (copy.site.failed) {
		free_made(page);
		return;
	}
	copy.page = *page;
	copy.cursor = feed->cursor;
	copy.made_ms = clock_mono_ms();
}

/* --- answers ---------------------------------------------------------------------------------- */

static void answer(struct request *r, struct made *page)
{
	struct pages_body body = {
		.etag = page->etag, .bytes = page->html.data, .len = page->html.len};

	if (r->takes_gzip && page->gzip.len == 0 &&
	    gzip_file((const uint8_t *)page->html.data, page->html.len, &page->gzip) != 0)
		buf_free(&page->gzip);
	body.gzip = page->gzip.data;
	body.gzip_len = page->gzip.len;
	pages_send(r, pages_find("/"), &body);
}

/* The page without stories: its script, if there is one, says what is wrong. */
static void answer_bare(struct request *r)
{
	struct made page = {0};

	if (make(r, &(struct feed){0}, &page) == 0)
		answer(r, &page);
	else
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	free_made(&page);
}

/* Redis has answered; whoever asked may be gone. */
static void answered(enum shelf_answer result, const struct feed *feed, void *arg)
{
	struct request *r = ticket_use(arg);
	struct made page = {0};

	if (r == NULL)
		return;
	if (result != SHELF_OK || make(r, feed, &page) != 0) {
		free_made(&page);
		answer_bare(r);
		return;
	}
	answer(r, &page);
	if (is_plain(r))
		keep(r, feed, &page);
	else
		free_made(&page);
}

/* --- questions -------------------------------------------------------------------------------- */

static void ask(struct request *r, const struct subscription *s)
{
	struct ticket *t = request_ticket(r);

	if (t == NULL) {
		answer_bare(r);
	} else if (shelf_feed(door_setup_of(r->door)->wire, s, STORIES, SHELF_DOCUMENT_BYTES,
			      query_get(&r->query, QUERY_BEFORE), answered, t) != 0) {
		(void)ticket_use(t);
		answer_bare(r);
	}
}

void fronting_begin(struct request *r)
{
	const struct query *q = &r->query;
	struct subscription_fault fault;
	struct subscription *s;

	if (is_plain(r) && is_fresh(r)) {
		answer(r, &copy.page);
		return;
	}
	s = subscription_read(query_get(q, QUERY_CHANNELS), query_get(q, QUERY_CLASS),
			      query_get(q, QUERY_LANG), query_get(q, QUERY_TYPE), &fault);
	if (s == NULL)
		answer_bare(r);
	else
		ask(r, s);
	subscription_free(s);
}
