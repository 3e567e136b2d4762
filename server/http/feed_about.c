/* feed_about.c - titles and addresses of documents. */
#include "http/feed_about.h"

#include <string.h>
#include "http/site.h"
#include "news/iri.h"

void feed_about_free(struct about *a)
{
	buf_free(&a->title);
	buf_free(&a->site);
	buf_free(&a->self);
	buf_free(&a->next);
	buf_free(&a->id);
}

const char *feed_about_name(const struct request *r)
{
	return strrchr(r->path, '/') + 1;
}

void feed_about_channels(const struct request *r, struct buf *out)
{
	const char *more = query_get(&r->query, QUERY_CHANNELS);
	const char *name = feed_about_name(r), *end = strrchr(name, '.');

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

	buf_add(out, r->path + 1, (size_t)(feed_about_name(r) - r->path) - 1);
	iri_add_escaped(out, feed_about_name(r));
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

int feed_about_write(const struct request *r, const struct feed *feed, struct about *a)
{
	struct buf *const all[] = {&a->title, &a->site, &a->self, &a->next, &a->id};
	struct buf channels = {0};
	bool failed = false;

	feed_about_channels(r, &channels);
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
