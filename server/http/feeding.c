/* feeding.c - one snapshot of the news, in three forms. */
#include "http/feeding.h"

#include <newswire/protocol.h>
#include <stdlib.h>
#include <string.h>
#include "http/site.h"
#include "news/atom.h"
#include "news/iri.h"
#include "news/json_feed.h"
#include "news/subscription.h"
#include "wire/shelf.h"

#define FRESH "cache-control: no-cache\r\n" /* a kill must not live on in a cache */
#define RETRY "retry-after: 1\r\n"

/* --- what a document says of itself ----------------------------------------------------------- */

/* The texts of a feed_about, each NUL-terminated where it is not empty. */
struct about {
	struct buf title, site, self, next, id;
	struct feed_about said;
};

static void free_about(struct about *a)
{
	buf_free(&a->title);
	buf_free(&a->site);
	buf_free(&a->self);
	buf_free(&a->next);
	buf_free(&a->id);
}

/* The last part of the path, behind its slash. */
static const char *name_of(const struct request *r)
{
	return strrchr(r->path, '/') + 1;
}

/* Those of the path and of the query together, NUL-terminated. Lists have commas. */
static void add_channels(const struct request *r, struct buf *out)
{
	const char *more = query_get(&r->query, QUERY_CHANNELS);
	const char *name = name_of(r), *end = strrchr(name, '.');

	if (name != r->path + 1 && end != NULL)
		buf_add(out, name, (size_t)(end - name));
	if (out->len > 0 && more != NULL)
		buf_addc(out, ',');
	buf_adds(out, more == NULL ? "" : more);
	buf_addc(out, '\0');
}

/* The address that was asked for, below the site, without `before`. */
static void add_place(const struct request *r, struct buf *out)
{
	static const struct {
		enum query_name name;
		const char *text;
	} parts[] = {{QUERY_CHANNELS, "channels"},
		     {QUERY_CLASS, "class"},
		     {QUERY_LANG, "lang"},
		     {QUERY_TYPE, "type"},
		     {QUERY_LIMIT, "limit"}};
	char separator = '?';

	buf_add(out, r->path + 1, (size_t)(name_of(r) - r->path) - 1);
	iri_add_escaped(out, name_of(r));
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (query_get(&r->query, parts[i].name) == NULL)
			continue;
		buf_addf(out, "%c%s=", separator, parts[i].text);
		iri_add_escaped(out, query_get(&r->query, parts[i].name));
		separator = '&';
	}
	buf_addc(out, '\0');
}

static void add_addresses(const struct request *r, const struct feed *feed, struct about *a)
{
	struct buf place = {0};

	add_place(r, &place);
	site_add(r, &a->site);
	if (place.failed) {
		a->self.failed = true;
	} else if (a->site.len == 0) {
		buf_adds(&a->id, "urn:newswire:feed:");
		iri_add_escaped(&a->id, place.data);
	} else {
		buf_add(&a->self, a->site.data, a->site.len);
		buf_adds(&a->self, place.data);
		if (feed->before != NULL) {
			buf_add(&a->next, a->self.data, a->self.len);
			buf_addf(&a->next, "%cbefore=%s", strchr(place.data, '?') ? '&' : '?',
				 feed->before);
		}
		buf_add(&a->id, a->self.data, a->self.len);
	}
	buf_free(&place);
}

/* -1: out of memory. */
static int write_about(const struct request *r, const struct feed *feed, struct about *a)
{
	struct buf *const all[] = {&a->title, &a->site, &a->self, &a->next, &a->id};
	struct buf channels = {0};
	bool failed = false;

	add_channels(r, &channels);
	buf_adds(&a->title, "Newswire");
	if (!channels.failed && channels.data[0] != '\0')
		buf_addf(&a->title, ": %s", channels.data);
	buf_free(&channels);
	add_addresses(r, feed, a);
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		if (all[i]->len > 0)
			buf_addc(all[i], '\0');
		failed = failed || all[i]->failed;
	}
	a->said = (struct feed_about){.title = a->title.data,
				      .site = a->site.data,
				      .self = a->self.data,
				      .next = a->next.data,
				      .id = a->id.data};
	return failed ? -1 : 0;
}

/* --- answers ---------------------------------------------------------------------------------- */

static void answer_page(struct request *r, const char *type, const struct buf *page,
			const char *etag)
{
	char headers[sizeof FRESH + sizeof "etag: \r\n" + FEED_ETAG_SIZE];

	snprintf(headers, sizeof headers, FRESH "etag: %s\r\n", etag);
	if (page->failed)
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	else if (request_knows(r, etag))
		request_answer(r, 304, NULL, headers, NULL, 0);
	else
		request_answer(r, 200, type, headers, page->data, page->len);
}

static void answer_trouble(struct request *r, enum shelf_answer answer)
{
	if (answer == SHELF_BAD_BEFORE)
		request_problem(r, 400, "bad_before", "`before` is not from an answer of this feed",
				FRESH, NULL);
	else
		request_problem(r, 503, "redis_away", "the store cannot be reached; try again",
				FRESH RETRY, NULL);
}

/* Redis has answered; whoever asked may be gone. */
static void answer_view(enum shelf_answer answer, const struct feed *feed, void *arg,
			enum format_view view)
{
	struct request *r = ticket_use(arg);
	struct buf page = {0};
	char etag[FEED_ETAG_SIZE];

	if (r == NULL)
		return;
	if (answer != SHELF_OK) {
		answer_trouble(r, answer);
		return;
	}
	feed_write(feed, view, &page, etag);
	answer_page(r, "application/json", &page, etag);
	buf_free(&page);
}

static void answer_news(enum shelf_answer answer, const struct feed *feed, void *arg)
{
	answer_view(answer, feed, arg, VIEW_FULL);
}

static void answer_brief(enum shelf_answer answer, const struct feed *feed, void *arg)
{
	answer_view(answer, feed, arg, VIEW_BRIEF);
}

typedef void writer(const struct feed *feed, const struct feed_about *about, struct buf *out,
		    char etag[FEED_ETAG_SIZE]);

static void answer_document(enum shelf_answer answer, const struct feed *feed, void *arg,
			    const char *type, writer *write)
{
	struct request *r = ticket_use(arg);
	struct about about = {0};
	struct buf page = {0};
	char etag[FEED_ETAG_SIZE] = "";

	if (r == NULL)
		return;
	if (answer != SHELF_OK) {
		answer_trouble(r, answer);
		return;
	}
	if (write_about(r, feed, &about) == 0)
		write(feed, &about.said, &page, etag);
	else
		page.failed = true;
	answer_page(r, type, &page, etag);
	buf_free(&page);
	free_about(&about);
}

static void answer_json(enum shelf_answer answer, const struct feed *feed, void *arg)
{
	answer_document(answer, feed, arg, "application/feed+json", json_feed_write);
}

static void answer_atom(enum shelf_answer answer, const struct feed *feed, void *arg)
{
	answer_document(answer, feed, arg, "application/atom+xml; charset=utf-8", atom_write);
}

/* --- questions -------------------------------------------------------------------------------- */

static void ask_for(struct request *r, const struct subscription *s, size_t max_bytes,
		    shelf_feed_cb *cb)
{
	struct ticket *t = request_ticket(r);

	if (t == NULL) {
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	} else if (shelf_feed(door_setup_of(r->door)->wire, s, query_limit(&r->query), max_bytes,
			      query_get(&r->query, QUERY_BEFORE), cb, t) != 0) {
		(void)ticket_use(t);
		answer_trouble(r, SHELF_AWAY);
	}
}

static void ask(struct request *r, const char *channels, size_t max_bytes, shelf_feed_cb *cb)
{
	const struct query *q = &r->query;
	struct subscription_fault fault;
	struct subscription *s;

	if (query_limit(q) == 0) {
		request_problem(r, 400, "bad_limit", "`limit` is a number from 1 to 100", FRESH,
				NULL);
		return;
	}
	/* A document is made for other programs, which know no views. */
	s = cb == answer_news
		    ? query_subscription(q, channels, &fault)
		    : subscription_read(channels, query_get(q, QUERY_CLASS),
					query_get(q, QUERY_LANG), query_get(q, QUERY_TYPE), &fault);
	if (s == NULL)
		request_problem(r, 400, fault.code, fault.detail, FRESH, NULL);
	else if (s->view == VIEW_BRIEF)
		ask_for(r, s, SHELF_DOCUMENT_BYTES, answer_brief);
	else
		ask_for(r, s, max_bytes, cb);
	subscription_free(s);
}

static void ask_document(struct request *r, shelf_feed_cb *cb)
{
	struct buf channels = {0};

	add_channels(r, &channels);
	if (channels.failed)
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	else
		ask(r, channels.data, SHELF_DOCUMENT_BYTES, cb);
	buf_free(&channels);
}

void feeding_news(struct request *r)
{
	ask(r, query_get(&r->query, QUERY_CHANNELS), SHELF_FEED_BYTES, answer_news);
}

void feeding_json(struct request *r)
{
	ask_document(r, answer_json);
}

void feeding_atom(struct request *r)
{
	ask_document(r, answer_atom);
}

void feeding_channel(struct request *r)
{
	const char *end = strrchr(name_of(r), '.');
	bool is_one = end != NULL && end != name_of(r) &&
		      name_of(r) == r->path + strlen(NEWSWIRE_PATH_CHANNEL_FEEDS "/");

	if (is_one && strcmp(end, ".json") == 0)
		ask_document(r, answer_json);
	else if (is_one && strcmp(end, ".atom") == 0)
		ask_document(r, answer_atom);
	else
		request_problem(r, 404, "not_found",
				"feeds are at /feed/<channel>.json and /feed/<channel>.atom", FRESH,
				NULL);
}
