/* feed.c - a page of the feed as newswire's own JSON. */
#include "news/feed.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

void feed_etag(const char *bytes, size_t len, char etag[FEED_ETAG_SIZE])
{
	XXH128_hash_t hash = XXH3_128bits(bytes, len);

	snprintf(etag, FEED_ETAG_SIZE, "\"%016llx%016llx\"", (unsigned long long)hash.high64,
		 (unsigned long long)hash.low64);
}

void feed_write(const struct feed *feed, enum format_view view, struct buf *out,
		char etag[FEED_ETAG_SIZE])
{
	static const char opening[] = "{\"items\":[";
	char cursor[CURSOR_TEXT_MAX];

	etag[0] = '\0';
	buf_adds(out, opening);
	for (size_t i = 0; i < feed->count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		post_write_json(&feed->entries[i].post, view, out);
	}
	if (!out->failed)
		feed_etag(out->data + strlen(opening), out->len - strlen(opening), etag);
	cursor_format(&feed->cursor, cursor);
	buf_addf(out, "],\"cursor\":\"%s\"", cursor);
	if (feed->before != NULL)
		buf_addf(out, ",\"before\":\"%s\"", feed->before);
	buf_addc(out, '}');
}
