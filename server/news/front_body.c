/* front_body.c - a story's picture and film, and its text, behind what opens without a script. */
#include "news/front_own.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "news/html.h"

enum { PICTURE_WIDTH = 1200 };

/* --- the text --------------------------------------------------------------------------------- */

static const char *blank_line(const char *text)
{
	for (const char *end = strchr(text, '\n'); end != NULL; end = strchr(end, '\n')) {
		end += 1 + strspn(end + 1, " \t\r");
		if (*end == '\n')
			return end;
	}
	return text + strlen(text);
}

/* How long it is without the white space before its end. */
static size_t trimmed(const char *text, const char *end)
{
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	return (size_t)(end - text);
}

/* Bodies that html.h has written have paragraphs in nothing else and nothing but lines in them. */
static void part_html(struct parts *parts, const char *html)
{
	const char *end = strncmp(html, "<p>", 3) == 0 || strncmp(html, "<p ", 3) == 0
				  ? strstr(html, "</p>")
				  : NULL;

	parts->rest = html;
	if (end == NULL)
		return;
	parts->rest = end + strlen("</p>");
	html_text(html, (size_t)(parts->rest - html), &parts->lede);
}

static void part_text(struct parts *parts, const char *text)
{
	const char *end;

	text += strspn(text, FRONT_WHITE);
	end = blank_line(text);
	buf_add(&parts->lede, text, trimmed(text, end));
	parts->rest = end;
}

/* A story without a body has its summary or its title as text; these are said already. */
static bool has_body(const struct story *s)
{
	return s->html != NULL || (s->text != s->summary && s->text != s->title);
}

/* With a summary above it nothing of the body leads. */
void front_part_body(struct parts *parts, const struct story *s)
{
	parts->is_html = s->html != NULL;
	if (!has_body(s))
		parts->rest = "";
	else if (s->summary != NULL)
		parts->rest = parts->is_html ? s->html : s->text;
	else if (parts->is_html)
		part_html(parts, s->html);
	else
		part_text(parts, s->text);
	buf_addc(&parts->lede, '\0');
}

static void add_paragraphs(struct buf *out, const char *text)
{
	for (text += strspn(text, FRONT_WHITE); *text != '\0'; text += strspn(text, FRONT_WHITE)) {
		const char *end = blank_line(text);

		buf_adds(out, "<p class=\"plain\" dir=\"auto\">");
		buf_add_markup(out, text, trimmed(text, end));
		buf_adds(out, "</p>");
		text = end;
	}
}

/* --- the picture ------------------------------------------------------------------------------ */

static void add_size(struct buf *out, const json_t *image, const char *name)
{
	double size = json_number_value(json_object_get(image, name));

	if (size >= 1 && size < 100000)
		buf_addf(out, " %s=\"%.0f\"", name, size);
}

static void add_image(struct front *f, const json_t *picture)
{
	const json_t *image = story_image(picture, PICTURE_WIDTH);
	const json_t *said = STORY_FIND(json_object_get(picture, "descriptions"), "role", "alt");
	char *alt;

	if (said == NULL)
		said = STORY_FIND(json_object_get(picture, "headlines"), "role", "", "main");
	alt = story_plain(said, &f->out->failed);
	buf_adds(f->out, "<img src=\"");
	front_add_text(f->out, story_text(image, "href"));
	buf_adds(f->out, "\" alt=\"");
	front_add_text(f->out, alt == NULL ? "" : alt);
	buf_adds(f->out, "\"");
	add_size(f->out, image, "width");
	add_size(f->out, image, "height");
	buf_adds(f->out, FRONT_PICTURE);
	free(alt);
}

static void add_credit(struct buf *out, const json_t *picture, bool own)
{
	const char *by = own ? "" : story_text(picture, "by");
	const char *holder = story_text(picture, "copyrightNotice");

	if (holder[0] == '\0')
		holder = story_text(picture, "copyrightHolder");
	if (by[0] == '\0' && holder[0] == '\0')
		return;
	buf_adds(out, " <span class=\"credit\" dir=\"auto\">");
	if (strstr(holder, by) == NULL) {
		front_add_text(out, by);
		buf_adds(out, holder[0] == '\0' ? "" : "/");
	}
	front_add_text(out, holder);
	buf_adds(out, "</span>");
}

void front_add_figure(struct front *f)
{
	const json_t *picture = story_lead(f->story->item);
	const json_t *descriptions = json_object_get(picture, "descriptions");
	bool own = picture == f->story->item;
	size_t from, head;

	if (picture == NULL)
		return;
	buf_adds(f->out, "<figure class=\"picture\">");
	add_image(f, picture);
	from = f->out->len;
	buf_adds(f->out, "<figcaption>");
	head = f->out->len;
	front_add_described(
		f,
		own ? STORY_FIND(descriptions, "role", "caption")
		    : STORY_FIND(descriptions, "role", "caption", "", "main", "summary"),
		"span", "caption");
	add_credit(f->out, picture, own);
	front_end_or_drop(f->out, from, head, "</figcaption>");
	buf_adds(f->out, "</figure>");
}

void front_add_film(struct front *f)
{
	const struct story *s = f->story;
	long long minutes = s->file_count == 0 ? 0 : (long long)(s->files[0].seconds / 60 + 0.5);

	if (strcmp(story_text(s->item, "type"), "video") != 0 || s->file_count == 0)
		return;
	buf_adds(f->out, "<p class=\"watch\" lang=\"en\"><a");
	front_add_attribute(f->out, "href", s->files[0].href);
	buf_adds(f->out, " target=\"_blank\" rel=\"noopener noreferrer\">Watch");
	if (minutes > 0)
		buf_addf(f->out, " (%lld min)", minutes);
	buf_adds(f->out, "</a></p>");
}

/* --- what opens ------------------------------------------------------------------------------- */

static void add_author(struct front *f, const struct story_author *author)
{
	const json_t *said = json_object_get(author->from, "descriptions");
	const json_t *role = STORY_FIND(said, "role", "jobtitle", "role");

	buf_adds(f->out, "<aside class=\"author\" aria-label=\"About the author\" lang=\"en\">");
	buf_adds(f->out, "<span class=\"avatar\" aria-hidden=\"true\">");
	if (author->avatar != NULL) {
		buf_adds(f->out, "<img");
		front_add_attribute(f->out, "src", author->avatar);
		buf_adds(f->out, " alt=\"\" width=\"56\" height=\"56\"" FRONT_PICTURE);
	}
	buf_adds(f->out, "</span><div>");
	front_add_prose(f->out, "p", "author-name", author->name);
	front_add_described(f, role, "p", "author-role");
	front_add_described(f, STORY_FIND(said, "role", "biography"), "p", "author-biography");
	buf_adds(f->out, "</div></aside>");
}

/* What does not lead, and who wrote it. */
void front_add_more(struct front *f, const struct parts *parts)
{
	size_t from = f->out->len, head;

	buf_addf(f->out,
		 "<details class=\"more\"><summary class=\"read\" "
		 "aria-describedby=\"sent-%zu-title\" "
		 "lang=\"en\"><span class=\"closed\">Read more</span><span class=\"opened\">Read "
		 "less</span></summary><div class=\"body\">",
		 f->number);
	head = f->out->len;
	if (parts->is_html)
		buf_adds(f->out, parts->rest + strspn(parts->rest, FRONT_WHITE));
	else
		add_paragraphs(f->out, parts->rest);
	for (size_t i = 0; i < f->story->author_count; i++)
		if (f->story->authors[i].from != NULL)
			add_author(f, &f->story->authors[i]);
	front_end_or_drop(f->out, from, head, "</div></details>");
}
