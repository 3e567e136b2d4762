/* front_head.c - what stands above a story's text: labels, time, headline, correction, byline. */
#include "news/front_own.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/clock.h"

enum { WORDS_PER_MINUTE = 250 };

/* --- above the headline ----------------------------------------------------------------------- */

/* When the item says that it first came, or when we had it. */
static int64_t came_at(const struct front *f)
{
	const char *text = story_text(f->story->item, "firstCreated");
	int64_t ms;

	if (text[0] == '\0')
		text = story_text(f->story->item, "versionCreated");
	return clock_parse(text, strlen(text), &ms) == 0 ? ms : f->entry->published_ms;
}

/* In words that stay true while the page is open; the script makes "5 min ago" of it. */
static void add_time(struct front *f)
{
	static const char *const months[] = {"January",	  "February", "March",	  "April",
					     "May",	  "June",     "July",	  "August",
					     "September", "October",  "November", "December"};
	char text[CLOCK_TEXT_MAX];
	int year, month, day;

	clock_format(came_at(f), true, text);
	if (sscanf(text, "%d-%d-%dT", &year, &month, &day) != 3)
		return;
	buf_addf(f->out, "<time datetime=\"%s\">%d %s %d, %.5s UTC</time>", text, day,
		 months[month - 1], year, text + 11);
}

/* A word of ours: the first letter is a capital. */
static void add_label(struct front *f, const char *word)
{
	buf_addf(f->out, "<span class=\"label label-%s\">%c%s</span>", word,
		 toupper((unsigned char)word[0]), word + 1);
}

/* A channel, as people read it: marks between words are spaces. */
static void add_section(struct front *f, const char *channel)
{
	buf_addf(f->out, "<span class=\"label\" dir=\"auto\">%c",
		 toupper((unsigned char)channel[0]));
	for (const char *at = channel + 1; *at != '\0'; at++)
		buf_addc(f->out, strchr("._-", *at) ? ' ' : *at);
	buf_adds(f->out, "</span>");
}

static void add_genre(struct front *f)
{
	const json_t *genres = json_object_get(f->story->item, "genres");
	const char *name = story_text(json_array_get(genres, 0), "name");

	if (strncasecmp(name, "article", strlen("article")) != 0)
		front_add_prose(f->out, "span", "label", name);
}

/* The first channel that a newsroom named. */
static const char *section_of(const struct post *post)
{
	for (uint32_t i = 0; i < post->channels.count; i++)
		if (channel_is_plain(post->channels.name[i], strlen(post->channels.name[i])))
			return post->channels.name[i];
	return NULL;
}

void front_add_kicker(struct front *f)
{
	static const char *const types[] = {"video", "audio", "graphic", "picture"};
	const struct post *post = &f->entry->post;
	const json_t *item = f->story->item;
	const char *section = section_of(post);

	buf_adds(f->out, "<p class=\"kicker\" lang=\"en\" dir=\"ltr\">");
	if (post->class == CLASS_FLASH || post->class == CLASS_BULLETIN ||
	    post->class == CLASS_URGENT)
		add_label(f, news_class_name(post->class));
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (strcmp(story_text(item, "type"), types[i]) == 0)
			add_label(f, types[i]);
	if (post->action == POST_UPDATE || story_text(item, "evolvedFrom")[0] != '\0')
		add_label(f, "update");
	if (section != NULL)
		add_section(f, section);
	add_genre(f);
	add_time(f);
	buf_adds(f->out, "</p>");
}

/* --- the head --------------------------------------------------------------------------------- */

static bool is_quoted(const char *text)
{
	static const char *const marks[] = {"\"", "'", "«", "»", "„", "“", "”", "‘", "’", "「"};

	for (size_t i = 0; i < COUNT_OF(marks); i++)
		if (strncmp(text, marks[i], strlen(marks[i])) == 0)
			return true;
	return false;
}

static void add_title(struct front *f, const struct parts *parts)
{
	const struct story *s = f->story;
	const char *lede = s->summary != NULL ? s->summary : parts->lede.data;
	const char *text = s->headed || lede == NULL || lede[0] == '\0' ? s->title : lede;

	buf_adds(f->out, s->headed ? "<h2 class=\"headline\"" : "<p class=\"statement");
	if (!s->headed)
		buf_adds(f->out, is_quoted(text) ? " quotation\"" : "\"");
	buf_addf(f->out, " dir=\"auto\" id=\"sent-%zu-title\">", f->number);
	front_add_text(f->out, text);
	buf_adds(f->out, s->headed ? "</h2>" : "</p>");
}

static void add_correction(struct front *f)
{
	const json_t *descriptions = json_object_get(f->story->item, "descriptions");
	char *note = story_plain(STORY_FIND(descriptions, "role", "correction"), &f->out->failed);

	if (note != NULL) {
		buf_adds(f->out,
			 "<p class=\"notice correction\"><strong lang=\"en\">Correction</strong> ");
		front_add_prose(f->out, "span", NULL, note);
		buf_adds(f->out, "</p>");
	} else if (f->entry->post.action == POST_CORRECT) {
		buf_adds(f->out, "<p class=\"notice correction\"><strong>Updated</strong></p>");
	}
	free(note);
}

/* Whole minutes it takes to read; half a minute counts as one. */
static long long minutes_of(const json_t *item)
{
	const json_t *body = STORY_FIND(json_object_get(item, "bodies"), "role", "main", "");
	json_int_t words = json_integer_value(json_object_get(body, "wordCount"));

	return words < 0 ? 0 : (words + WORDS_PER_MINUTE / 2) / WORDS_PER_MINUTE;
}

static void add_named(struct buf *out, const char *begin, const char *name)
{
	if (name[0] == '\0')
		return;
	buf_addf(out, "%s<bdi>", begin);
	front_add_text(out, name);
	buf_adds(out, "</bdi></span>");
}

static void add_byline(struct front *f)
{
	const json_t *item = f->story->item, *source;
	const char *by = story_text(item, "by");
	long long minutes = minutes_of(item);
	size_t from = f->out->len, head;

	buf_adds(f->out, "<p class=\"byline\" lang=\"en\" dir=\"auto\">");
	head = f->out->len;
	source = json_array_get(json_object_get(item, "infoSources"), 0);
	add_named(f->out, "<span class=\"by\">By ", by);
	add_named(f->out, "<span>", story_text(item, "located"));
	add_named(f->out, "<span>", story_text(source, "name"));
	if (minutes > 0)
		buf_addf(f->out, "<span>%lld min read</span>", minutes);
	front_end_or_drop(f->out, from, head, "</p>");
}

void front_add_head(struct front *f, const struct parts *parts)
{
	const struct story *s = f->story;

	buf_adds(f->out, "<div class=\"head\">");
	add_title(f, parts);
	add_correction(f);
	if (s->headed)
		front_add_prose(f->out, "p", "lede", s->summary);
	add_byline(f);
	if (s->headed)
		front_add_prose(f->out, "p", "lede", parts->lede.data);
	buf_adds(f->out, "</div>");
}
