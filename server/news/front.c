/* front.c - stories as articles. */
#include "news/front.h"

#include <string.h>
#include <strings.h>
#include "news/front_own.h"

/* Languages that are written from right to left, as clients/web/story/words.js has them. */
static const char *direction_of(const char *lang)
{
	static const char *const rtl[] = {"ar", "arc", "ckb", "dv", "fa", "he",
					  "iw", "ps",  "sd",  "ug", "ur", "yi"};
	size_t len = strcspn(lang, "-");

	for (size_t i = 0; i < COUNT_OF(rtl); i++)
		if (strlen(rtl[i]) == len && strncasecmp(lang, rtl[i], len) == 0)
			return "rtl";
	return "ltr";
}

/* Names this version for the script, which then leaves the article as it is: where it would draw the same. HTML, cards
 * and embedded pictures it does better. */
static void add_stamp(struct front *f)
{
	const struct post *post = &f->entry->post;

	if (f->story->html != NULL || memmem(post->body, post->body_len, "\"author\"", 8) != NULL ||
	    memmem(post->body, post->body_len, "data:image", 10) != NULL)
		return;
	buf_adds(f->out, " data-stamp=\"");
	front_add_text(f->out, story_text(f->story->item, "version"));
	buf_addc(f->out, ' ');
	front_add_text(f->out, story_text(f->story->item, "versionCreated"));
	buf_addc(f->out, '"');
}

static void add_opening(struct front *f)
{
	const struct story *s = f->story;

	buf_addf(f->out, "<article class=\"story is-%s%s\" id=\"sent-%zu\" tabindex=\"0\"",
		 news_class_name(f->entry->post.class),
		 story_lead(s->item) != NULL ? " has-picture" : "", f->number);
	front_add_attribute(f->out, "data-uri", f->entry->post.uri);
	add_stamp(f);
	buf_addf(f->out,
		 " aria-posinset=\"%zu\" aria-setsize=\"-1\" aria-labelledby=\"sent-%zu-title\"",
		 f->number, f->number);
	if (s->lang != NULL) {
		front_add_attribute(f->out, "lang", s->lang);
		front_add_attribute(f->out, "dir", direction_of(s->lang));
	}
	buf_addc(f->out, '>');
}

static void add_article(struct front *f)
{
	struct parts parts = {0};

	front_part_body(&parts, f->story);
	if (parts.lede.failed) {
		f->out->failed = true;
		buf_free(&parts.lede);
		return;
	}
	add_opening(f);
	front_add_kicker(f);
	front_add_head(f, &parts);
	front_add_figure(f);
	front_add_film(f);
	front_add_more(f, &parts);
	buf_adds(f->out, "</article>\n");
	buf_free(&parts.lede);
}

void front_write_stories(const struct feed *feed, struct buf *out)
{
	struct story story;
	struct front f = {.out = out, .story = &story};

	for (size_t i = 0; i < feed->count; i++) {
		const struct post *post = &feed->entries[i].post;
		int result = story_read(&story, post->body, post->body_len);

		if (result < 0)
			out->failed = true;
		if (result != 0)
			continue;
		f.entry = &feed->entries[i];
		f.number++;
		add_article(&f);
		story_free(&story);
	}
}
