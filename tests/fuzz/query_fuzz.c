/* query_fuzz.c - throws bytes at what stands behind the `?` of a request: whatever it is, a number is in its bounds, and a
 * subscription reads as itself again. Each line of the input is one argument, decoded, as libwebsockets hands it over.
 */
#include <newswire/protocol.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "http/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the library's place ------------------------------------------------------------------------- */

static const char *bytes;
static size_t bytes_len;

/* The n-th line that is not empty: libwebsockets has no empty arguments. */
static const char *line(int n, size_t *len)
{
	const char *at = bytes, *end = bytes + bytes_len, *stop;

	for (; at < end; at = stop + 1) {
		stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop == NULL ? end : stop;
		*len = (size_t)(stop - at);
		if (*len > 0 && n-- == 0)
			return at;
	}
	*len = 0;
	return NULL;
}

int lws_hdr_fragment_length(struct lws *wsi, enum lws_token_indexes h, int n)
{
	size_t len;

	(void)wsi;
	(void)h;
	(void)line(n, &len);
	return (int)len;
}

int lws_hdr_copy_fragment(struct lws *wsi, char *to, int room, enum lws_token_indexes h, int n)
{
	size_t len;
	const char *at = line(n, &len);

	(void)wsi;
	(void)h;
	if (at == NULL || (size_t)room < len + 1)
		return -1;
	memcpy(to, at, len);
	to[len] = '\0';
	return (int)len;
}

/* ------------------------------------------------------------------------------------------------ */

static void must_read_as_itself(const struct subscription *s)
{
	struct subscription_fault fault;
	struct buf names = {0};
	struct subscription *again;

	subscription_write_channels(s, ',', &names);
	buf_addc(&names, '\0');
	again = subscription_read(names.data, NULL, NULL, NULL, &fault);
	MUST(again != NULL);
	MUST(again->channels.count == s->channels.count &&
	     again->prefixes.count == s->prefixes.count);
	subscription_free(again);
	buf_free(&names);
}

static void use(const struct query *q)
{
	struct subscription_fault fault = {0};
	struct subscription *s = query_subscription(q, query_get(q, QUERY_CHANNELS), &fault);
	const char *since = query_get(q, QUERY_SINCE);
	struct cursor cursor;

	MUST((s == NULL) == (fault.code != NULL));
	if (s != NULL)
		must_read_as_itself(s);
	if (s != NULL && subscription_ahead(s, query_get(q, QUERY_AHEAD), &fault) == 0)
		MUST(!s->early || query_get(q, QUERY_AHEAD) != NULL);
	subscription_free(s);
	MUST(query_limit(q) <= NEWSWIRE_MAX_FEED_LIMIT);
	MUST(query_number(q, QUERY_LIMIT, 7, 9) <= 9);
	if (since != NULL && cursor_parse(since, strlen(since), &cursor) == 0)
		MUST(cursor_is_epoch(cursor.epoch, strlen(cursor.epoch)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct query q = {0};

	bytes = (const char *)data;
	bytes_len = size;
	if (query_read(&q, NULL) == 0)
		use(&q);
	else
		MUST(q.faulty.len > 0);
	query_free(&q);
	return 0;
}
