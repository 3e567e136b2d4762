/* story.h - an item as programs outside newswire want it: one title, one text, one picture.
 *
 * What it does  Chooses from a canonical item (ninjs 3.1) by the same rules as the reader page does
 *               (clients/web/story/story.js): the headline or the first words, the summary, the body
 *               as clean HTML or plain text, authors, tags, the lead picture, films and sound.
 * Trusts        Nothing but that it is JSON: any property may be missing or of a wrong type. URLs
 *               that come out are of http and https.
 * Ownership     The texts belong to the story, or to its item, which it holds; story_free() frees
 *               both, and accepts one that is half read.
 * Floor         For json_feed.c, atom.c, front.c and brief.c only; jansson's types do not leave this floor.
 */
#ifndef NEWSWIRE_NEWS_STORY_H
#define NEWSWIRE_NEWS_STORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/base.h"

enum { STORY_AUTHORS_MAX = 16, STORY_TAGS_MAX = 64, STORY_FILES_MAX = 16 };

struct story_author {
	const char *name;
	const char *avatar; /* or NULL */
	const json_t *from; /* what says more of them; NULL: they are only named in the byline */
};

struct story_tag {
	const char *name;
	const char *uri; /* of the subject, an IRI; or NULL */
};

/* A film or sound. */
struct story_file {
	const char *href;
	const char *type;
	const char *title; /* or NULL */
	json_int_t bytes;  /* 0: unknown */
	double seconds;	   /* 0: unknown */
};

/* {0} is an empty one. NULL where there is nothing to say. Always true once it was read: title is
 * not empty; html or text is not NULL. */
struct story {
	json_t *item;
	char *title;
	char *summary;
	bool headed; /* title is a headline, not the first words of something */
	const char *html;
	const char *text;
	const char *lang;
	const char *rights;
	const char *image;
	const char *image_type;
	size_t author_count, tag_count, file_count;
	struct story_author authors[STORY_AUTHORS_MAX];
	struct story_tag tags[STORY_TAGS_MAX];
	struct story_file files[STORY_FILES_MAX];
};

/* Reads the body of a post. 0; 1: it is no item; -1: memory is short. */
int story_read(struct story *story, const char *body, size_t len) MUST_USE;
void story_free(struct story *story);

/* --- for who looks at an item itself ----------------------------------------------------------- */

/* A property that is a text; "" where it is none. */
const char *story_text(const json_t *object, const char *key);
/* The first element of a list whose property `key` is one of some names, sought in their order; "" is
 * one that has no such property. Borrowed, or NULL. */
json_t *story_find(const json_t *list, const char *key, const char *const *name, size_t count);
typedef const char *const story_names[];
#define STORY_FIND(list, key, ...) \
	story_find(list, key, (story_names){__VA_ARGS__}, \
		   sizeof(story_names){__VA_ARGS__} / sizeof(char *))
/* {value, contentType} as plain text in one line, to free(). NULL if there is none, or no memory (then
 * *short_of is set). */
char *story_plain(const json_t *prose, bool *short_of);
/* The first words of its main body, to free(). 0; -1: memory is short. *words NULL: it has none. */
int story_words(const json_t *item, char **words) MUST_USE;
/* What the picture of an item is taken from: one of its associations, or itself; NULL: there is none. Borrowed. */
const json_t *story_lead(const json_t *item);
/* The smallest of its images that is so wide, else the largest; NULL: there is none. Borrowed. */
const json_t *story_image(const json_t *item, double enough);

#endif
