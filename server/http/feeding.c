/* feeding.c - one snapshot of the news, in three forms. */
#include "http/feeding.h"

#include <newswire/protocol.h>
#include <stdlib.h>
#include <string.h>
#include "http/feed_about.h"
#include "news/atom.h"
#include "news/json_feed.h"
#include "news/subscription.h"
#include "wire/shelf.h"

#define FRESH "cache-control: no-cache\r\n" /* a kill must not live on in a cache */
#define RETRY "retry-after: 1\r\n"

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
	if (feed_about_write(r, feed, &about) == 0)
		write(feed, &about.said, &page, etag);
	else
		page.failed = true;
	answer_page(r, type, &page, etag);
	buf_free(&page);
	feed_about_free(&about);
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

	feed_about_channels(r, &channels);
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
	const char *end = strrchr(feed_about_name(r), '.');
	bool is_one = end != NULL && end != feed_about_name(r) &&
		      feed_about_name(r) == r->path + strlen(NEWSWIRE_PATH_CHANNEL_FEEDS "/");

	if (is_one && strcmp(end, ".json") == 0)
		ask_document(r, answer_json);
	else if (is_one && strcmp(end, ".atom") == 0)
		ask_document(r, answer_atom);
	else
		request_problem(r, 404, "not_found",
				"feeds are at /feed/<channel>.json and /feed/<channel>.atom", FRESH,
				NULL);
}
