/* atom.c - stories as entries of Atom. */
#include "news/atom.h"

#include <libxml/xmlwriter.h>
#include <string.h>
#include "base/clock.h"
#include "news/iri.h"
#include "news/story.h"

#define XML(text) ((const xmlChar *)(text))

/* The document being written. */
struct atom {
	xmlTextWriterPtr xml;
	const struct feed_about *about;
	bool failed;
};

/* --- what XML can hold ------------------------------------------------------------------------ */

/* How many bytes here are a character that XML 1.0 does not have. The text is UTF-8. */
static size_t foreign_to_xml(const unsigned char *at)
{
	if (*at < 0x20)
		return *at != '\t' && *at != '\n' && *at != '\r';
	return at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe ? 3 : 0;
}

static void add_clean(struct buf *out, const char *text)
{
	while (*text != '\0') {
		size_t foreign = foreign_to_xml((const unsigned char *)text);

		if (foreign > 0)
			buf_adds(out, "\xef\xbf\xbd");
		else
			buf_addc(out, *text);
		text += foreign > 0 ? foreign : 1;
	}
	buf_addc(out, '\0');
}

static void begin(struct atom *a, const char *name)
{
	a->failed = a->failed || xmlTextWriterStartElement(a->xml, XML(name)) < 0;
}

static void end(struct atom *a)
{
	a->failed = a->failed || xmlTextWriterEndElement(a->xml) < 0;
}

static void add_attribute(struct atom *a, const char *name, const char *value)
{
	struct buf clean = {0};

	if (value == NULL)
		return;
	add_clean(&clean, value);
	a->failed = a->failed || clean.failed ||
		    xmlTextWriterWriteAttribute(a->xml, XML(name), XML(clean.data)) < 0;
	buf_free(&clean);
}

/* Not by libxml2, which loses the text in silence where memory is short. XML would read a bare carriage return as the end of a
 * line. */
static void add_escaped(struct buf *out, const char *text)
{
	size_t len;

	while (text[len = strcspn(text, "\r")] != '\0') {
		buf_add_markup(out, text, len);
		buf_adds(out, "&#13;");
		text += len + 1;
	}
	buf_add_markup(out, text, len);
	buf_addc(out, '\0');
}

static void add_text(struct atom *a, const char *text)
{
	struct buf clean = {0}, escaped = {0};

	add_clean(&clean, text);
	if (!clean.failed)
		add_escaped(&escaped, clean.data);
	a->failed = a->failed || clean.failed || escaped.failed ||
		    xmlTextWriterWriteRaw(a->xml, XML(escaped.data)) < 0;
	buf_free(&clean);
	buf_free(&escaped);
}

/* An element of text; type: what Atom says it is, or NULL. Nothing where there is no text. */
static void add_element(struct atom *a, const char *name, const char *type, const char *text)
{
	if (text == NULL)
		return;
	begin(a, name);
	add_attribute(a, "type", type);
	add_text(a, text);
	end(a);
}

static void add_time(struct atom *a, const char *name, int64_t ms)
{
	char text[CLOCK_TEXT_MAX];

	clock_format(ms, true, text);
	add_element(a, name, NULL, text);
}

static void begin_link(struct atom *a, const char *rel, const char *type, const char *href)
{
	begin(a, "link");
	add_attribute(a, "rel", rel);
	add_attribute(a, "type", type);
	add_attribute(a, "href", href);
}

static void add_link(struct atom *a, const char *rel, const char *type, const char *href)
{
	if (href == NULL)
		return;
	begin_link(a, rel, type, href);
	end(a);
}

static void add_author(struct atom *a, const char *name)
{
	begin(a, "author");
	add_element(a, "name", NULL, name);
	end(a);
}

/* --- entries ---------------------------------------------------------------------------------- */

static void add_id(struct atom *a, const char *uri)
{
	struct buf id = {0};

	iri_add(&id, uri);
	buf_addc(&id, '\0');
	if (id.failed)
		a->failed = true;
	else
		add_element(a, "id", NULL, id.data);
	buf_free(&id);
}

/* The item's own address, which says 410 once it is killed. In a path libwebsockets would make one
 * slash of two, and take `..` away. */
static void add_address(struct atom *a, const char *uri)
{
	struct buf href = {0};

	if (a->about->site == NULL)
		return;
	buf_adds(&href, a->about->site);
	buf_adds(&href, "v1/items?uri=");
	iri_add_escaped(&href, uri);
	buf_addc(&href, '\0');
	if (href.failed)
		a->failed = true;
	else
		add_link(a, "alternate", "application/json", href.data);
	buf_free(&href);
}

static void add_category(struct atom *a, const char *term, const char *scheme, const char *label)
{
	begin(a, "category");
	add_attribute(a, "term", term);
	add_attribute(a, "scheme", scheme);
	add_attribute(a, "label", label);
	end(a);
}

/* A subject that has an address is that; the channels are those that a newsroom named. */
static void add_categories(struct atom *a, const struct story *s,
			   const struct channel_set *channels)
{
	for (size_t i = 0; i < s->tag_count; i++)
		add_category(a, s->tags[i].uri ? s->tags[i].uri : s->tags[i].name, NULL,
			     s->tags[i].name);
	for (uint32_t i = 0; i < channels->count; i++)
		if (channel_is_plain(channels->name[i], strlen(channels->name[i])))
			add_category(a, channels->name[i], "urn:newswire:channel",
				     channels->name[i]);
}

static void add_enclosures(struct atom *a, const struct story *s)
{
	char length[24];

	add_link(a, "enclosure", s->image_type, s->image);
	for (size_t i = 0; i < s->file_count; i++) {
		const struct story_file *f = &s->files[i];

		begin_link(a, "enclosure", f->type, f->href);
		add_attribute(a, "title", f->title);
		snprintf(length, sizeof length, "%lld", (long long)f->bytes);
		add_attribute(a, "length", f->bytes > 0 ? length : NULL);
		end(a);
	}
}

static void add_entry(struct atom *a, const struct feed_entry *entry, const struct story *s)
{
	begin(a, "entry");
	add_attribute(a, "xml:lang", s->lang);
	add_id(a, entry->post.uri);
	add_element(a, "title", "text", s->title);
	add_time(a, "updated", entry->updated_ms);
	add_time(a, "published", entry->published_ms);
	add_address(a, entry->post.uri);
	for (size_t i = 0; i < s->author_count; i++)
		add_author(a, s->authors[i].name);
	add_element(a, "summary", "text", s->summary);
	add_element(a, "content", s->html ? "html" : "text", s->html ? s->html : s->text);
	add_categories(a, s, &entry->post.channels);
	add_enclosures(a, s);
	add_element(a, "rights", "text", s->rights);
	end(a);
}

/* --- the feed --------------------------------------------------------------------------------- */

/* That of the newest version; of an empty feed, the time of the last post anywhere. */
static int64_t updated(const struct feed *feed)
{
	int64_t newest = feed->count > 0 ? 0 : (int64_t)feed->cursor.id.ms;

	for (size_t i = 0; i < feed->count; i++)
		if (feed->entries[i].updated_ms > newest)
			newest = feed->entries[i].updated_ms;
	return newest;
}

static void add_head(struct atom *a, const struct feed *feed)
{
	const struct feed_about *about = a->about;

	add_element(a, "id", NULL, about->id);
	add_element(a, "title", "text", about->title);
	add_time(a, "updated", updated(feed));
	add_author(a, about->title);
	add_element(a, "generator", NULL, "newswired");
	add_link(a, "self", "application/atom+xml", about->self);
	add_link(a, "alternate", "text/html", about->site);
	add_link(a, "next", "application/atom+xml", about->next);
}

static void add_feed(struct atom *a, const struct feed *feed)
{
	struct story story;

	a->failed = a->failed || xmlTextWriterStartDocument(a->xml, "1.0", "UTF-8", NULL) < 0;
	begin(a, "feed");
	add_attribute(a, "xmlns", "http://www.w3.org/2005/Atom");
	add_head(a, feed);
	for (size_t i = 0; i < feed->count; i++) {
		const struct post *post = &feed->entries[i].post;

		int result = story_read(&story, post->body, post->body_len);

		if (result < 0)
			a->failed = true;
		if (result != 0)
			continue;
		add_entry(a, &feed->entries[i], &story);
		story_free(&story);
	}
	end(a);
	a->failed = a->failed || xmlTextWriterEndDocument(a->xml) < 0;
}

/* libxml2 would print what a.failed says. */
static void say_nothing(void *context, const char *format, ...)
{
	(void)context, (void)format;
}

static int take(void *context, const char *bytes, int len)
{
	struct buf *out = context;

	buf_add(out, bytes, (size_t)len);
	return out->failed ? -1 : len;
}

void atom_write(const struct feed *feed, const struct feed_about *about, struct buf *out,
		char etag[FEED_ETAG_SIZE])
{
	xmlOutputBufferPtr pipe = xmlOutputBufferCreateIO(take, NULL, out, NULL);
	struct atom a = {.about = about};

	etag[0] = '\0';
	xmlSetGenericErrorFunc(NULL, say_nothing);
	if (pipe == NULL || (a.xml = xmlNewTextWriter(pipe)) == NULL) {
		(void)xmlOutputBufferClose(pipe);
		out->failed = true;
		return;
	}
	add_feed(&a, feed);
	xmlFreeTextWriter(a.xml); /* writes what is left, and closes the pipe */
	if (a.failed)
		out->failed = true;
	if (!out->failed)
		feed_etag(out->data, out->len, etag);
}
