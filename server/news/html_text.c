/* html_text.c - clean HTML without its tags. */
#include "news/html.h"

#include <ctype.h>
#include <string.h>

bool html_is_inline(const char *name, size_t len)
{
	static const char *const names[] = {"a",    "em",  "strong", "i",     "b",    "u",
					    "s",    "sub", "sup",    "small", "mark", "cite",
					    "abbr", "q",   "code",   "ins",   "del"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (names[i][0] == *name && strlen(names[i]) == len &&
		    memcmp(names[i], name, len) == 0)
			return true;
	return false;
}

/* The text so far. A space is written when something follows it. */
struct text {
	struct buf *out;
	size_t from; /* where it begins in out */
	bool space;
};

static void add(struct text *text, const char *bytes, size_t len)
{
	if (text->space && text->out->len > text->from)
		buf_addc(text->out, ' ');
	text->space = false;
	buf_add(text->out, bytes, len);
}

/* A tag; those that html_clean() writes have no `>` inside. Returns its length. */
static size_t add_tag(struct text *text, const char *tag, size_t left)
{
	const char *end = memchr(tag, '>', left);
	size_t from = left > 1 && tag[1] == '/' ? 2 : 1, len = 0;

	while (from + len < left && isalnum((unsigned char)tag[from + len]))
		len++;
	if (!html_is_inline(tag + from, len))
		text->space = true;
	return end ? (size_t)(end - tag) + 1 : left;
}

/* The four entities that html_clean() writes. Returns its length. */
static size_t add_entity(struct text *text, const char *entity, size_t left)
{
	static const struct {
		const char *name;
		const char *means;
	} entities[] = {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}};

	for (size_t i = 0; i < COUNT_OF(entities); i++) {
		size_t len = strlen(entities[i].name);

		if (len > left || memcmp(entity, entities[i].name, len) != 0)
			continue;
		add(text, entities[i].means, strlen(entities[i].means));
		return len;
	}
	add(text, entity, 1);
	return 1;
}

void html_text(const char *clean, size_t len, struct buf *out)
{
	struct text text = {.out = out, .from = out->len};
	size_t used;

	for (size_t at = 0; at < len; at += used) {
		used = 1;
		if (clean[at] == '<')
			used = add_tag(&text, clean + at, len - at);
		else if (clean[at] == '&')
			used = add_entity(&text, clean + at, len - at);
		else if (isspace((unsigned char)clean[at]))
			text.space = true;
		else
			add(&text, clean + at, 1);
	}
}
