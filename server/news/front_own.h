/* front_own.h - what the parts of front.c share: the page being written, and elements of HTML. For them only. */
#ifndef NEWSWIRE_NEWS_FRONT_OWN_H
#define NEWSWIRE_NEWS_FRONT_OWN_H

#include <stdbool.h>
#include "news/front.h"
#include "news/story.h"

/* The page being written. */
struct front {
	struct buf *out;
	const struct feed_entry *entry;
	const struct story *story;
	size_t number; /* of the article, from 1 */
};

/* A body, parted in its first paragraph, which leads, and the rest. */
struct parts {
	bool is_html;
	struct buf
		lede; /* plain text, NUL-terminated; empty: the body does not begin with a paragraph */
	const char *rest;
};

#define FRONT_WHITE " \t\r\n"
/* How every picture ends. */
#define FRONT_PICTURE " loading=\"lazy\" decoding=\"async\" referrerpolicy=\"no-referrer\">"

/* --- elements (front_text.c) ------------------------------------------------------------------ */

void front_add_text(struct buf *out, const char *text);
/* Nothing where the value is NULL or empty. */
void front_add_attribute(struct buf *out, const char *name, const char *value);
/* A text of its own direction. Nothing where there is no text. */
void front_add_prose(struct buf *out, const char *tag, const char *class, const char *text);
/* The same of {value, contentType}, in one line. */
void front_add_described(struct front *f, const json_t *prose, const char *tag, const char *class);
/* Ends an element that begins at `from`, and its content at `head`; one without content is taken away. */
void front_end_or_drop(struct buf *out, size_t from, size_t head, const char *end);

/* --- the parts of an article, in their order -------------------------------------------------- */

/* Fills an empty one; its lede is to be freed. */
void front_part_body(struct parts *parts, const struct story *s);
void front_add_kicker(struct front *f);
void front_add_head(struct front *f, const struct parts *parts);
void front_add_figure(struct front *f);
void front_add_film(struct front *f);
void front_add_more(struct front *f, const struct parts *parts);

#endif
