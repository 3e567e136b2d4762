/* naming.c - a publisher as an HTTP answer: all that stands of it in keys.json, but what proves it. */
#include "http/naming.h"

#include <string.h>
#include "base/clock.h"

#define NO_STORE "cache-control: no-store\r\n"

static void add_channels(struct buf *out, const struct publisher *p)
{
	buf_adds(out, ",\"channels\":[");
	for (size_t i = 0; i < p->patterns; i++) {
		if (i > 0)
			buf_addc(out, ',');
		buf_add_json(out, p->pattern[i], strlen(p->pattern[i]));
	}
	buf_addc(out, ']');
}

/* What each number means of this publisher. */
static void add_urgency(struct buf *out, const struct publisher *p)
{
	const enum news_class *classes = p->by_urgency ? p->by_urgency : news_class_by_urgency;

	buf_adds(out, ",\"urgency\":{");
	for (int i = 1; i < NEWS_URGENCY_COUNT; i++)
		buf_addf(out, "%s\"%d\":\"%s\"", i > 1 ? "," : "", i, news_class_name(classes[i]));
	buf_addc(out, '}');
}

void naming_begin(struct request *r)
{
	char now[CLOCK_TEXT_MAX];
	struct buf body = {0};

	if (!who_lets_in(r, 0, "", NO_STORE))
		return;
	clock_format(clock_wall_ms(), true, now);
	buf_addc(&body, '{');
	publisher_write(r->who, &body);
	add_channels(&body, r->who);
	add_urgency(&body, r->who);
	buf_addf(&body, ",\"max_item\":%zu,\"time\":\"%s\"}\n", door_setup_of(r->door)->max_item,
		 now);
	if (body.failed)
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	else
		request_answer(r, 200, "application/json", NO_STORE, body.data, body.len);
	buf_free(&body);
}
