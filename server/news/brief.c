/* brief.c - an item without its body. */
#include "news/brief.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "news/json_arena.h"
#include "news/ninjs.h"
#include "news/story.h"

/* A picture in a list is hardly larger, also on a screen with two pixels for one. */
enum { BRIEF_PICTURE_WIDTH = 320 };

static const char *const of_item[] = {
	"uri",
	"type",
	"version",
	"profile",
	"firstCreated",
	"versionCreated",
	"contentCreated",
	"expires",
	"urgency",
	"language",
	"title",
	"headlines",
	"descriptions",
	"by",
	"slugline",
	"located",
	"evolvedFrom",
};

static const char *const of_picture[] = {
	"uri", "type", "name", "rel", "by", "copyrightHolder", "copyrightNotice",
};

static bool is_among(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* The properties that have one of the names, in the order that they have. NULL: memory is short. */
static json_t *pick(json_t *from, const char *const *names, size_t count)
{
	json_t *to = json_object(), *value;
	const char *name;

	json_object_foreach (from, name, value) {
		if (!is_among(name, names, count) || json_object_set(to, name, value) == 0)
			continue;
		json_decref(to);
		return NULL;
	}
	return to;
}

/* Sets a list of this one element. Takes nothing over. */
static int set_list(json_t *to, const char *name, const json_t *element)
{
	json_t *list = json_array();

	if (json_array_append(list, (json_t *)element) != 0) {
		json_decref(list);
		return -1;
	}
	return json_object_set_new(to, name, list);
}

static const json_t *alternative_text(const json_t *picture)
{
	const json_t *text;
	size_t i;

	json_array_foreach (json_object_get(picture, "descriptions"), i, text) {
		const char *role = json_string_value(json_object_get(text, "role"));

		if (role != NULL && strcmp(role, "alt") == 0)
			return text;
	}
	return NULL;
}

static int set_association(json_t *brief, const json_t *from, const json_t *image)
{
	const json_t *alt = alternative_text(from);
	json_t *picture = pick((json_t *)from, of_picture, COUNT_OF(of_picture));
	int result = -1;

	if (picture != NULL && (alt == NULL || set_list(picture, "descriptions", alt) == 0) &&
	    set_list(picture, "renditions", image) == 0)
		result = set_list(brief, "associations", picture);
	json_decref(picture);
	return result;
}

static int set_picture(json_t *brief, const json_t *item)
{
	const json_t *from = story_lead(item);
	const json_t *image = from == NULL ? NULL : story_image(from, BRIEF_PICTURE_WIDTH);

	if (image == NULL)
		return 0;
	return from == item ? set_list(brief, "renditions", image)
			    : set_association(brief, from, image);
}

static bool says_something(const json_t *brief)
{
	return json_array_size(json_object_get(brief, "headlines")) > 0 ||
	       json_array_size(json_object_get(brief, "descriptions")) > 0 ||
	       json_object_get(brief, "title") != NULL;
}

/* News may be a body alone: a sentence, a quotation. */
static int set_words(json_t *brief, const json_t *item)
{
	char *words = NULL;
	json_t *description;
	int result = -1;

	if (says_something(brief))
		return 0;
	if (story_words(item, &words) != 0)
		return -1;
	if (words == NULL)
		return 0;
	description = json_pack("{s:s,s:s,s:s}", "role", "summary", "contentType", "text/plain",
				"value", words);
	if (description != NULL)
		result = set_list(brief, "descriptions", description);
	json_decref(description);
	free(words);
	return result;
}

static json_t *make(json_t *item)
{
	json_t *brief = pick(item, of_item, COUNT_OF(of_item));

	if (brief == NULL || set_words(brief, item) != 0 || set_picture(brief, item) != 0 ||
	    json_object_set_new(brief, "representationType", json_string("partial")) != 0) {
		json_decref(brief);
		return NULL;
	}
	return brief;
}

char *brief_make(const char *body, size_t len, size_t *brief_len)
{
	json_error_t error;
	json_t *item, *brief = NULL;
	struct buf text = {0};

	json_arena_open(len);
	item = json_arena_read(body, len, 0, &error);
	if (item != NULL || json_error_code(&error) != json_error_out_of_memory)
		brief = json_is_object(item) ? make(item) : json_object();
	if (brief == NULL)
		text.failed = true;
	else
		ninjs_write(brief, &text);
	buf_addc(&text, '\0');
	json_arena_close();
	if (text.failed) {
		buf_free(&text);
		return NULL;
	}
	*brief_len = text.len - 1;
	return text.data;
}
