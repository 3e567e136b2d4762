/* front_data.c - the news for machines: schema.org's LiveBlogPosting, as JSON-LD 1.1. */
#include <string.h>
#include "base/clock.h"
#include "news/front.h"
#include "news/html.h"
#include "news/iri.h"
#include "news/story.h"

/* Inside a script element only `<` could end it or begin a comment (HTML 13.2.5.17); as JSON it may be written as an
 * escape wherever it stands, which is in texts only. */
static void add_safe(struct buf *out, const struct buf *json)
{
	for (size_t i = 0; i < json->len; i++)
		if (json->data[i] == '<')
			buf_adds(out, "\\u003c");
		else
			buf_addc(out, json->data[i]);
	out->failed = out->failed || json->failed;
}

/* `,"name":"text"`, or nothing where there is no text. */
static void add_text(struct buf *out, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	buf_addf(out, ",\"%s\":", name);
	buf_add_json(out, text, strlen(text));
}

static void add_time(struct buf *out, const char *name, int64_t ms)
{
	char text[CLOCK_TEXT_MAX];

	clock_format(ms, false, text);
	add_text(out, name, text);
}

static void add_address(struct buf *out, const struct feed_about *about, const char *uri)
{
	struct buf url = {0};

	if (about->site == NULL)
		return;
	buf_addf(&url, "%sv1/items?uri=", about->site);
	iri_add_escaped(&url, uri);
	buf_addc(&url, '\0');
	out->failed = out->failed || url.failed;
	if (!url.failed)
		add_text(out, "url", url.data);
	buf_free(&url);
}

static void add_authors(struct buf *out, const struct story *s)
{
	if (s->author_count == 0)
		return;
	buf_adds(out, ",\"author\":[");
	for (size_t i = 0; i < s->author_count; i++) {
		buf_adds(out, i == 0 ? "{\"@type\":\"Person\"" : ",{\"@type\":\"Person\"");
		add_text(out, "name", s->authors[i].name);
		add_text(out, "image", s->authors[i].avatar);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

/* The body as text, where it says more than the summary or the title. */
static void add_body(struct buf *out, const struct story *s)
{
	struct buf text = {0};

	if (s->html != NULL)
		html_text(s->html, strlen(s->html), &text);
	else if (s->text != s->summary && s->text != s->title)
		buf_adds(&text, s->text);
	buf_addc(&text, '\0');
	out->failed = out->failed || text.failed;
	if (!text.failed)
		add_text(out, "articleBody", text.data);
	buf_free(&text);
}

static void add_update(struct buf *out, const struct feed_entry *entry,
		       const struct feed_about *about, const struct story *s)
{
	buf_adds(out, "{\"@type\":\"BlogPosting\"");
	add_text(out, "headline", s->title);
	add_text(out, "identifier", entry->post.uri);
	add_address(out, about, entry->post.uri);
	add_time(out, "datePublished", entry->published_ms);
	add_time(out, "dateModified", entry->updated_ms);
	add_text(out, "inLanguage", s->lang);
	add_text(out, "description", s->summary);
	add_body(out, s);
	add_text(out, "image", s->image);
	add_authors(out, s);
	buf_addc(out, '}');
}

static void add_updates(struct buf *out, const struct feed *feed, const struct feed_about *about)
{
	struct story story;
	bool first = true;

	buf_adds(out, ",\"liveBlogUpdate\":[");
	for (size_t i = 0; i < feed->count; i++) {
		const struct feed_entry *entry = &feed->entries[i];
		int result = story_read(&story, entry->post.body, entry->post.body_len);

		out->failed = out->failed || result < 0;
		if (result != 0)
			continue;
		if (!first)
			buf_addc(out, ',');
		first = false;
		add_update(out, entry, about, &story);
		story_free(&story);
	}
	buf_addc(out, ']');
}

/* The first and the last moment of what is told. */
static void add_span(struct buf *out, const struct feed *feed)
{
	int64_t first, last;

	if (feed->count == 0)
		return;
	first = feed->entries[0].published_ms;
	last = feed->entries[0].updated_ms;
	for (size_t i = 1; i < feed->count; i++) {
		if (feed->entries[i].published_ms < first)
			first = feed->entries[i].published_ms;
		if (feed->entries[i].updated_ms > last)
			last = feed->entries[i].updated_ms;
	}
	add_time(out, "coverageStartTime", first);
	add_time(out, "dateModified", last);
}

void front_write_data(const struct feed *feed, const struct feed_about *about, struct buf *out)
{
	struct buf json = {0};

	buf_adds(&json, "{\"@context\":\"https://schema.org\",\"@type\":\"LiveBlogPosting\"");
	add_text(&json, "headline", about->title);
	add_text(&json, "url", about->self);
	add_span(&json, feed);
	add_updates(&json, feed, about);
	buf_addc(&json, '}');
	add_safe(out, &json);
	buf_free(&json);
}
