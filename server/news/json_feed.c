/* json_feed.c - stories as objects of JSON Feed 1.1. */
#include "news/json_feed.h"

#include <string.h>
#include "base/clock.h"
#include "news/iri.h"
#include "news/story.h"

static void add_name(struct buf *out, const char *name)
{
	if (out->len > 0 && out->data[out->len - 1] != '{')
		buf_addc(out, ',');
	buf_addf(out, "\"%s\":", name);
}

static void add_text(struct buf *out, const char *name, const char *text)
{
	if (text == NULL)
		return;
	add_name(out, name);
	buf_add_json(out, text, strlen(text));
}

static void add_time(struct buf *out, const char *name, int64_t ms)
{
	char text[CLOCK_TEXT_MAX];

	clock_format(ms, true, text);
	add_text(out, name, text);
}

static void add_authors(struct buf *out, const struct story *s)
{
	if (s->author_count == 0)
		return;
	add_name(out, "authors");
	buf_addc(out, '[');
	for (size_t i = 0; i < s->author_count; i++) {
		buf_adds(out, i == 0 ? "{" : ",{");
		add_text(out, "name", s->authors[i].name);
		add_text(out, "avatar", s->authors[i].avatar);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

static void add_files(struct buf *out, const struct story *s)
{
	if (s->file_count == 0)
		return;
	add_name(out, "attachments");
	buf_addc(out, '[');
	for (size_t i = 0; i < s->file_count; i++) {
		const struct story_file *f = &s->files[i];

		buf_adds(out, i == 0 ? "{" : ",{");
		add_text(out, "url", f->href);
		add_text(out, "mime_type", f->type);
		add_text(out, "title", f->title);
		if (f->bytes > 0)
			buf_addf(out, ",\"size_in_bytes\":%lld", (long long)f->bytes);
		if (f->seconds > 0)
			buf_addf(out, ",\"duration_in_seconds\":%.3f", f->seconds);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

static void add_tag(struct buf *out, const char *name, bool *first)
{
	if (!*first)
		buf_addc(out, ',');
	*first = false;
	buf_add_json(out, name, strlen(name));
}

/* What it is about, and the channels that a newsroom named. */
static void add_tags(struct buf *out, const struct story *s, const struct channel_set *channels)
{
	bool first = true;

	add_name(out, "tags");
	buf_addc(out, '[');
	for (size_t i = 0; i < s->tag_count; i++)
		add_tag(out, s->tags[i].name, &first);
	for (uint32_t i = 0; i < channels->count; i++)
		if (channel_is_plain(channels->name[i], strlen(channels->name[i])))
			add_tag(out, channels->name[i], &first);
	buf_addc(out, ']');
}

/* The item's own address, which says 410 once it is killed. In a path libwebsockets would make one
 * slash of two, and take `..` away. */
static void add_address(struct buf *out, const struct feed_about *about, const char *uri)
{
	if (about->site == NULL)
		return;
	add_name(out, "url");
	buf_addc(out, '"'); /* neither part needs an escape */
	buf_adds(out, about->site);
	buf_adds(out, "v1/items?uri=");
	iri_add_escaped(out, uri);
	buf_addc(out, '"');
}

static void add_extension(struct buf *out, const struct post *post)
{
	add_name(out, "_newswire");
	buf_addc(out, '{');
	add_text(out, "version", post->version);
	add_text(out, "class", news_class_name(post->class));
	add_text(out, "action", post_action_name(post->action));
	buf_addc(out, '}');
}

static void add_item(struct buf *out, const struct feed_entry *entry,
		     const struct feed_about *about, const struct story *s)
{
	buf_addc(out, '{');
	add_text(out, "id", entry->post.uri);
	add_address(out, about, entry->post.uri);
	add_text(out, "title", s->title);
	add_text(out, "summary", s->summary);
	add_text(out, "content_html", s->html);
	add_text(out, "content_text", s->text);
	add_text(out, "image", s->image);
	add_time(out, "date_published", entry->published_ms);
	add_time(out, "date_modified", entry->updated_ms);
	add_authors(out, s);
	add_tags(out, s, &entry->post.channels);
	add_text(out, "language", s->lang);
	add_files(out, s);
	add_extension(out, &entry->post);
	buf_addc(out, '}');
}

static void add_items(struct buf *out, const struct feed *feed, const struct feed_about *about)
{
	struct story story;
	bool first = true;

	add_name(out, "items");
	buf_addc(out, '[');
	for (size_t i = 0; i < feed->count; i++) {
		const struct feed_entry *entry = &feed->entries[i];

		int result = story_read(&story, entry->post.body, entry->post.body_len);

		if (result < 0)
			out->failed = true;
		if (result != 0)
			continue;
		if (!first)
			buf_addc(out, ',');
		first = false;
		add_item(out, entry, about, &story);
		story_free(&story);
	}
	buf_addc(out, ']');
}

static void add_icon(struct buf *out, const struct feed_about *about)
{
	if (about->site == NULL)
		return;
	add_name(out, "favicon");
	buf_addf(out, "\"%sfavicon.svg\"", about->site);
}

void json_feed_write(const struct feed *feed, const struct feed_about *about, struct buf *out,
		     char etag[FEED_ETAG_SIZE])
{
	char cursor[CURSOR_TEXT_MAX];

	etag[0] = '\0';
	buf_addc(out, '{');
	add_text(out, "version", "https://jsonfeed.org/version/1.1");
	add_text(out, "title", about->title);
	add_text(out, "home_page_url", about->site);
	add_text(out, "feed_url", about->self);
	add_text(out, "next_url", about->next);
	add_icon(out, about);
	add_items(out, feed, about);
	if (!out->failed)
		feed_etag(out->data, out->len, etag);
	cursor_format(&feed->cursor, cursor);
	add_name(out, "_newswire");
	buf_addf(out, "{\"cursor\":\"%s\"}}", cursor);
}
