/* front_text.c - texts and elements of HTML. */
#include "news/front_own.h"

#include <stdlib.h>
#include <string.h>

void front_add_text(struct buf *out, const char *text)
{
	buf_add_markup(out, text, strlen(text));
}

void front_add_attribute(struct buf *out, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	buf_addf(out, " %s=\"", name);
	front_add_text(out, value);
	buf_addc(out, '"');
}

void front_add_prose(struct buf *out, const char *tag, const char *class, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	buf_addf(out, "<%s", tag);
	front_add_attribute(out, "class", class);
	buf_adds(out, " dir=\"auto\">");
	front_add_text(out, text);
	buf_addf(out, "</%s>", tag);
}

void front_end_or_drop(struct buf *out, size_t from, size_t head, const char *end)
{
	if (out->len > head)
		buf_adds(out, end);
	else
		out->len = from;
}

void front_add_described(struct front *f, const json_t *prose, const char *tag, const char *class)
{
	char *text = story_plain(prose, &f->out->failed);

	front_add_prose(f->out, tag, class, text);
	free(text);
}
