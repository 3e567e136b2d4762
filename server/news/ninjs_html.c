/* ninjs_html.c - headlines, descriptions and bodies whose content type is HTML. */
#include "news/ninjs_html.h"
#include "news/html.h"
#include "news/ninjs_object.h"

#include <string.h>
#include <strings.h>

bool ninjs_html_is(const json_t *text)
{
	static const char *const types[] = {"text/html", "application/xhtml+xml"};
	const char *type = json_string_value(json_object_get(text, "contentType"));

	if (type == NULL)
		return false;
	type += strspn(type, " \t");
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		size_t len = strlen(types[i]);
		if (strncasecmp(type, types[i], len) == 0 && strchr("; \t", type[len]))
			return true;
	}
	return false;
}

static void refuse(struct ninjs *n, const struct place *at, enum html_result why)
{
	switch (why) {
	case HTML_TOO_LARGE:
		ninjs_fault(n, at, ITEM_TOO_LARGE,
			    "This HTML has more elements or attributes than we take.");
		break;
	case HTML_TOO_DEEP:
		ninjs_fault(n, at, ITEM_TOO_DEEP, "This HTML is nested deeper than 64 elements.");
		break;
	case HTML_UNSTABLE:
		ninjs_fault(n, at, ITEM_BAD_VALUE, "This HTML reads differently each time.");
		break;
	case HTML_NO_MEMORY:
	case HTML_CLEAN:
		n->no_memory = true;
		break;
	}
}

/* A body that the newsroom counted stays as it is. Words are not counted where writing does not part
 * them. */
static void set_counts(struct ninjs *n, json_t *body, const struct buf *clean)
{
	struct html_counts counts;

	if (json_object_get(body, "charCount") || json_object_get(body, "wordCount"))
		return;
	html_count(clean->data, clean->len, &counts);
	ninjs_object_set(n, body, "charCount", json_integer((json_int_t)counts.characters));
	if (!counts.unspaced)
		ninjs_object_set(n, body, "wordCount", json_integer((json_int_t)counts.words));
}

static void clean_text(struct ninjs *n, const struct place *at, json_t *text, bool is_body)
{
	const struct place here = {at, "value", 0};
	const json_t *value = json_object_get(text, "value");
	struct buf clean = {0};
	enum html_result result;

	if (!json_is_string(value) || json_string_length(value) == 0)
		return;
	result = html_clean(json_string_value(value), json_string_length(value), &clean);
	if (result != HTML_CLEAN) {
		refuse(n, &here, result);
	} else {
		if (clean.len != json_string_length(value) ||
		    memcmp(clean.data, json_string_value(value), clean.len) != 0)
			ninjs_object_set(
				n, text, "value",
				json_stringn_nocheck(clean.data ? clean.data : "", clean.len));
		if (is_body)
			set_counts(n, text, &clean);
	}
	buf_free(&clean);
}

static void clean_texts(struct ninjs *n, const struct place *up, json_t *item, const char *key,
			bool are_bodies)
{
	const struct place at = {up, key, 0};
	json_t *texts = json_object_get(item, key), *text;
	size_t i;

	json_array_foreach (texts, i, text) {
		const struct place here = {&at, NULL, i};
		if (ninjs_html_is(text))
			clean_text(n, &here, text, are_bodies);
	}
}

void ninjs_html_clean(struct ninjs *n, const struct place *up, json_t *item)
{
	const struct place at = {up, "associations", 0};
	json_t *associations = json_object_get(item, "associations"), *association;
	size_t i;

	clean_texts(n, up, item, "headlines", false);
	clean_texts(n, up, item, "descriptions", false);
	clean_texts(n, up, item, "bodies", true);
	json_array_foreach (associations, i, association) {
		const struct place here = {&at, NULL, i};
		ninjs_html_clean(n, &here, association);
	}
}
