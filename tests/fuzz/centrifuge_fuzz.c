/* centrifuge_fuzz.c - throws bytes at the reader of Centrifuge's commands: whatever they are, it ends, and what is answered is JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "news/centrifuge.h"
#include "news/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_wish(const struct centrifuge_wish *w)
{
	size_t len = strlen(w->channel);

	MUST(len <= CENTRIFUGE_NAME_MAX && (len == 0 || channel_is_readable(w->channel, len)));
	MUST(w->has_since || (w->since.id.ms == 0 && w->since.id.seq == 0));
	MUST(centrifuge_offset(w->since.id) <= INT64_MAX);
}

static void answer(const struct centrifuge_command *c, struct buf *out)
{
	struct centrifuge_subscribed s = {c->wish.channel, c->wish.since, true, true};

	centrifuge_say_subscribed(out, c->id, &s);
	centrifuge_say_connected(out, c->id, "c", 25, &s, 1);
	centrifuge_say_done(out, c->id, c->kind);
	centrifuge_say_unsubscribed(out, c->wish.channel);
}

static void check_lines(const struct buf *out)
{
	for (size_t at = 0; at < out->len;) {
		const char *line = out->data + at, *stop = memchr(line, '\n', out->len - at);
		size_t len = stop == NULL ? out->len - at : (size_t)(stop - line);
		json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

		MUST(json_is_object(json));
		json_decref(json);
		at += len + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	struct buf out = {0};

	for (enum centrifuge_read read = CENTRIFUGE_READ; read == CENTRIFUGE_READ;) {
		const char *before = at;
		struct centrifuge_command c;

		read = centrifuge_next(&at, end, &c);
		MUST(at > before || read != CENTRIFUGE_READ);
		MUST(at <= end && c.sub_count <= CENTRIFUGE_CHANNELS_MAX);
		MUST(c.limit >= -1 && c.limit <= CENTRIFUGE_HISTORY_MAX);
		check_wish(&c.wish);
		for (uint32_t i = 0; i < c.sub_count; i++)
			check_wish(&c.subs[i]);
		if (read == CENTRIFUGE_READ)
			answer(&c, &out);
		centrifuge_command_free(&c);
	}
	check_lines(&out);
	buf_free(&out);
	return 0;
}
