/* query.c - takes a URL's arguments apart. */
#include "http/query.h"

#include <newswire/protocol.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[QUERY_COUNT] = {
	[QUERY_CHANNELS] = "channels",
	[QUERY_CLASS] = "class",
	[QUERY_LANG] = "lang",
	[QUERY_TYPE] = "type",
	[QUERY_SINCE] = "since",
	[QUERY_LIMIT] = "limit",
	[QUERY_LAST_EVENT_ID] = "last_event_id",
	[QUERY_BEFORE] = "before",
	[QUERY_URI] = "uri",
	[QUERY_WHO] = "who",
	[QUERY_WHAT] = "what",
	[QUERY_REASON] = "reason",
	[QUERY_VIEW] = "view",
	[QUERY_PREFIX] = "prefix",
	[QUERY_AFTER] = "after",
	[QUERY_READERS] = "readers",
	[QUERY_AHEAD] = "ahead",
};

static void take(struct query *q, const char *arg, size_t len)
{
	const char *equals = memchr(arg, '=', len);
	size_t name_len = equals == NULL ? len : (size_t)(equals - arg);

	for (int i = 0; i < QUERY_COUNT; i++) {
		struct buf *value = &q->value[i];

		if (strlen(names[i]) != name_len || memcmp(names[i], arg, name_len) != 0)
			continue;
		if (value->len > 0)
			value->data[value->len - 1] = ',';
		if (equals != NULL)
			buf_add(value, equals + 1, len - name_len - 1);
		buf_addc(value, '\0');
		if (memchr(arg, '\0', len) != NULL)
			buf_adds(&q->faulty, names[i]);
	}
}

int query_read(struct query *q, struct lws *wsi)
{
	char arg[NEWSWIRE_MAX_QUERY + 1];
	int len;

	for (int i = 0; lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i) > 0; i++) {
		len = lws_hdr_copy_fragment(wsi, arg, sizeof arg, WSI_TOKEN_HTTP_URI_ARGS, i);
		if (len < 0) {
			buf_adds(&q->faulty, "(too long)");
			return -1;
		}
		take(q, arg, (size_t)len);
	}
	for (int i = 0; i < QUERY_COUNT; i++)
		if (q->value[i].failed)
			return -1;
	return q->faulty.len > 0 ? -1 : 0;
}

void query_free(struct query *q)
{
	for (int i = 0; i < QUERY_COUNT; i++)
		buf_free(&q->value[i]);
	buf_free(&q->faulty);
}

const char *query_get(const struct query *q, enum query_name name)
{
	return q->value[name].len == 0 ? NULL : q->value[name].data;
}

struct subscription *query_subscription(const struct query *q, const char *channels,
					struct subscription_fault *fault)
{
	struct subscription *s =
		subscription_read(channels, query_get(q, QUERY_CLASS), query_get(q, QUERY_LANG),
				  query_get(q, QUERY_TYPE), fault);

	if (s == NULL || subscription_view(s, query_get(q, QUERY_VIEW), fault) == 0)
		return s;
	subscription_free(s);
	return NULL;
}

unsigned query_number(const struct query *q, enum query_name name, unsigned preset, unsigned most)
{
	const char *text = query_get(q, name);
	char *end;
	unsigned long n;

	if (text == NULL)
		return preset;
	n = strtoul(text, &end, 10);
	if (*end != '\0' || text[0] < '0' || text[0] > '9' || n < 1 || n > most)
		return 0;
	return (unsigned)n;
}

unsigned query_limit(const struct query *q)
{
	return query_number(q, QUERY_LIMIT, NEWSWIRE_FEED_LIMIT, NEWSWIRE_MAX_FEED_LIMIT);
}
