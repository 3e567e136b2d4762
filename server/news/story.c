/* story.c - chooses what stands for an item elsewhere. */
#include "news/story.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/buf.h"
#include "news/html.h"
#include "news/iri.h"
#include "news/json_arena.h"
#include "news/ninjs_html.h"

enum { FIRST_WORDS_MAX = 80, LANG_MAX = 35, PICTURE_WIDTH = 1200 };

const char *story_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "" : text;
}

static const char *or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

static const char *web_address(const json_t *object, const char *key)
{
	const char *url = story_text(object, key);

	return iri_is_web(url) ? url : NULL;
}

json_t *story_find(const json_t *list, const char *key, const char *const *name, size_t count)
{
	json_t *element;
	size_t i;

	for (size_t n = 0; n < count; n++)
		json_array_foreach (list, i, element)
			if (json_is_object(element) &&
			    strcasecmp(story_text(element, key), name[n]) == 0)
				return element;
	return NULL;
}

/* --- texts ------------------------------------------------------------------------------------ */

static void add_squeezed(struct buf *out, const char *text)
{
	size_t from = out->len;
	bool space = false;

	for (; *text != '\0'; text++) {
		if (isspace((unsigned char)*text)) {
			space = true;
			continue;
		}
		if (space && out->len > from)
			buf_addc(out, ' ');
		space = false;
		buf_addc(out, *text);
	}
}

char *story_plain(const json_t *prose, bool *short_of)
{
	const char *value = story_text(prose, "value");
	struct buf out = {0};

	if (ninjs_html_is(prose))
		html_text(value, strlen(value), &out);
	else
		add_squeezed(&out, value);
	if (out.len == 0 && !out.failed)
		return NULL;
	buf_addc(&out, '\0');
	if (!out.failed)
		return out.data;
	*short_of = true;
	buf_free(&out);
	return NULL;
}

/* Where some text is cut: between words where there is a space, between characters in any case. */
static size_t cut_at(const char *text, size_t max)
{
	size_t at = max;

	while (at > max / 2 && text[at] != ' ')
		at--;
	if (text[at] == ' ')
		return at;
	for (at = max; at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80;)
		at--;
	return at;
}

static char *first_words(const char *text, bool *short_of)
{
	size_t len = strlen(text);
	struct buf out = {0};

	if (len <= FIRST_WORDS_MAX) {
		buf_add(&out, text, len);
	} else {
		buf_add(&out, text, cut_at(text, FIRST_WORDS_MAX));
		buf_adds(&out, "…");
	}
	buf_addc(&out, '\0');
	if (!out.failed)
		return out.data;
	*short_of = true;
	buf_free(&out);
	return NULL;
}

/* Text or HTML; not NITF and the like. */
static bool is_readable(const json_t *body)
{
	const char *type = story_text(body, "contentType");

	return story_text(body, "value")[0] != '\0' &&
	       (type[0] == '\0' || ninjs_html_is(body) || strncasecmp(type, "text/", 5) == 0);
}

static const json_t *main_body(const json_t *item)
{
	const json_t *bodies = json_object_get(item, "bodies");
	const json_t *body = STORY_FIND(bodies, "role", "main", "");
	size_t i;

	if (body != NULL && is_readable(body))
		return body;
	json_array_foreach (bodies, i, body)
		if (is_readable(body))
			return body;
	return NULL;
}

/* Events and plans have a name rather than a headline; NULL for others. */
static char *name_of_event(const json_t *item, bool *short_of)
{
	const char *type = story_text(item, "type"), *title = story_text(item, "title");
	char *name;

	if (*title == '\0' || (strcmp(type, "event") != 0 && strcmp(type, "planning") != 0))
		return NULL;
	if ((name = strdup(title)) == NULL)
		*short_of = true;
	return name;
}

int story_words(const json_t *item, char **words)
{
	bool short_of = false;
	char *all = story_plain(main_body(item), &short_of);

	*words = all == NULL ? NULL : first_words(all, &short_of);
	free(all);
	return short_of ? -1 : 0;
}

static int read_texts(struct story *s)
{
	const json_t *headlines = json_object_get(s->item, "headlines");
	const json_t *descriptions = json_object_get(s->item, "descriptions");
	const json_t *headline = STORY_FIND(headlines, "role", "main", "", "headline");
	const json_t *body = main_body(s->item);
	bool short_of = false;
	char *words;

	s->title = story_plain(headline ? headline : json_array_get(headlines, 0), &short_of);
	s->summary = story_plain(STORY_FIND(descriptions, "role", "summary", "main", "", "lede",
					    "abstract", "caption"),
				 &short_of);
	if (body != NULL && ninjs_html_is(body))
		s->html = story_text(body, "value");
	else if (body != NULL)
		s->text = story_text(body, "value");
	if (s->title == NULL)
		s->title = name_of_event(s->item, &short_of);
	s->headed = s->title != NULL;
	if (s->title == NULL) {
		words = story_plain(body, &short_of);
		s->title = first_words(words	    ? words
				       : s->summary ? s->summary
						    : story_text(s->item, "type"),
				       &short_of);
		free(words);
	}
	if (body == NULL)
		s->text = s->summary ? s->summary : s->title;
	return short_of ? -1 : 0;
}

/* --- pictures, films, sound ------------------------------------------------------------------- */

static bool is_kind(const json_t *rendition, const char *kind)
{
	return strncasecmp(story_text(rendition, "contentType"), kind, strlen(kind)) == 0;
}

static double number_of(const json_t *object, const char *key)
{
	double number = json_number_value(json_object_get(object, key));

	return number > 0 && number < 1e15 ? number : 0;
}

const json_t *story_image(const json_t *item, double enough)
{
	const json_t *rendition, *best = NULL;
	double width, best_width = 0;
	size_t i;

	json_array_foreach (json_object_get(item, "renditions"), i, rendition) {
		if (web_address(rendition, "href") == NULL ||
		    (!is_kind(rendition, "image/") &&
		     story_text(rendition, "contentType")[0] != '\0'))
			continue;
		width = number_of(rendition, "width");
		if (best == NULL || (best_width < enough ? width > best_width
							 : width >= enough && width < best_width)) {
			best = rendition;
			best_width = width;
		}
	}
	return best;
}

static const json_t *best_image(const json_t *item)
{
	return story_image(item, PICTURE_WIDTH);
}

/* Of films and sound a rendition without a type may be the film itself. */
static bool has_image(const json_t *item)
{
	const json_t *image = best_image(item);

	return image != NULL &&
	       (is_kind(image, "image/") || (strcmp(story_text(item, "type"), "video") != 0 &&
					     strcmp(story_text(item, "type"), "audio") != 0));
}

const json_t *story_lead(const json_t *item)
{
	const json_t *associations = json_object_get(item, "associations");
	const json_t *from = STORY_FIND(associations, "rel", "featured");

	if (from == NULL)
		from = STORY_FIND(associations, "name", "main", "featuremedia");
	if (from == NULL)
		from = STORY_FIND(associations, "type", "picture", "graphic");
	if (from == NULL || !has_image(from))
		from = item;
	return has_image(from) ? from : NULL;
}

static void read_image(struct story *s)
{
	const json_t *from = story_lead(s->item);

	if (from == NULL)
		return;
	s->image = web_address(best_image(from), "href");
	s->image_type = or_null(story_text(best_image(from), "contentType"));
}

static void read_files_of(struct story *s, const json_t *item)
{
	const json_t *rendition;
	size_t i;

	json_array_foreach (json_object_get(item, "renditions"), i, rendition) {
		if (s->file_count == STORY_FILES_MAX)
			return;
		if (web_address(rendition, "href") == NULL ||
		    (!is_kind(rendition, "video/") && !is_kind(rendition, "audio/")))
			continue;
		s->files[s->file_count++] = (struct story_file){
			.href = story_text(rendition, "href"),
			.type = story_text(rendition, "contentType"),
			.title = or_null(story_text(rendition, "title")),
			.bytes = (json_int_t)number_of(rendition, "sizeInBytes"),
			.seconds = number_of(rendition, "duration"),
		};
	}
}

static void read_files(struct story *s)
{
	const json_t *association;
	size_t i;

	read_files_of(s, s->item);
	json_array_foreach (json_object_get(s->item, "associations"), i, association)
		read_files_of(s, association);
}

/* --- who, what, whose ------------------------------------------------------------------------- */

static const char *name_of_author(const json_t *author)
{
	const char *name = story_text(author, "title");

	if (name[0] == '\0')
		name = story_text(json_array_get(json_object_get(author, "headlines"), 0), "value");
	if (name[0] == '\0')
		name = story_text(author, "by");
	if (name[0] == '\0')
		name = story_text(json_array_get(json_object_get(author, "people"), 0), "name");
	return name;
}

static void read_authors(struct story *s)
{
	const json_t *author, *avatar;
	size_t i;

	json_array_foreach (json_object_get(s->item, "associations"), i, author) {
		if (strcmp(story_text(author, "rel"), "author") != 0 ||
		    name_of_author(author)[0] == '\0' || s->author_count == STORY_AUTHORS_MAX)
			continue;
		avatar = STORY_FIND(json_object_get(author, "renditions"), "name", "avatar");
		if (web_address(avatar, "href") == NULL)
			avatar = best_image(author);
		s->authors[s->author_count++] = (struct story_author){
			name_of_author(author), web_address(avatar, "href"), author};
	}
	if (s->author_count == 0 && story_text(s->item, "by")[0] != '\0')
		s->authors[s->author_count++].name = story_text(s->item, "by");
}

static void read_tags(struct story *s)
{
	const json_t *subject;
	size_t i;

	json_array_foreach (json_object_get(s->item, "subjects"), i, subject) {
		const char *name = story_text(subject, "name"), *uri = story_text(subject, "uri");

		if (name[0] == '\0')
			name = story_text(subject, "literal");
		if (name[0] == '\0' || s->tag_count == STORY_TAGS_MAX)
			continue;
		s->tags[s->tag_count++] = (struct story_tag){name, iri_is_valid(uri) ? uri : NULL};
	}
}

/* BCP 47, as far as XML asks: up to eight letters, then parts of up to eight letters and digits. */
static bool is_language(const char *text)
{
	size_t part = 0;
	bool first = true;

	for (const char *at = text;; at++) {
		if (*at == '-' || *at == '\0') {
			if (part == 0 || part > 8)
				return false;
			if (*at == '\0')
				return at - text <= LANG_MAX;
			part = 0;
			first = false;
		} else if (first ? isalpha((unsigned char)*at) : isalnum((unsigned char)*at)) {
			part++;
		} else {
			return false;
		}
	}
}

static void read_rights(struct story *s)
{
	s->rights = or_null(story_text(s->item, "copyrightNotice"));
	if (s->rights == NULL)
		s->rights = or_null(story_text(s->item, "copyrightHolder"));
	if (is_language(story_text(s->item, "language")))
		s->lang = story_text(s->item, "language");
}

int story_read(struct story *story, const char *body, size_t len)
{
	json_error_t error;

	json_arena_open(len);
	*story = (struct story){.item = json_arena_read(body, len, 0, &error)};
	if (!json_is_object(story->item)) {
		*story = (struct story){0};
		json_arena_close();
		return json_error_code(&error) == json_error_out_of_memory ? -1 : 1;
	}
	if (read_texts(story) != 0) {
		story_free(story);
		return -1;
	}
	read_image(story);
	read_files(story);
	read_authors(story);
	read_tags(story);
	read_rights(story);
	return 0;
}

void story_free(struct story *story)
{
	if (story->item != NULL)
		json_arena_close();
	free(story->title);
	free(story->summary);
	*story = (struct story){0};
}
