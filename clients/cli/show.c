/* show.c - a post as a person reads it in a terminal. */
#include "show.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { HEADLINE_MOST = 240, BODY_MOST = 140, NAME_MOST = 120, URI_MOST = 1024 };

#define RESET "\033[0m"
#define DIM   "\033[2m"
#define BOLD  "\033[1m"
#define RED   "\033[1;31m"

bool show_wants_colour(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(out)) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

void show_now(char *out, size_t size)
{
	time_t now = time(NULL);
	struct tm utc;

	if (gmtime_r(&now, &utc) == NULL || strftime(out, size, "%Y-%m-%d %H:%M:%SZ", &utc) == 0)
		out[0] = '\0';
}

/* --- text ------------------------------------------------------------------------------------- */

/* Takes one character of UTF-8 (RFC 3629). Returns how many bytes it has, or 0: *text is none. */
static size_t take_char(const char *text, uint32_t *code)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t len = c[0] < 0x80 ? 1 : c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;

	*code = len == 1 ? c[0] : c[0] & (0xffu >> (len + 1));
	if (len > 1 && (c[0] < 0xc2 || c[0] > 0xf4))
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (c[i] & 0x3f);
	}
	return len;
}

static bool is_space(uint32_t code)
{
	return code == ' ' || (code >= '\t' && code <= '\r') || code == 0xa0 || code == 0x2028 ||
	       code == 0x2029;
}

/* Characters that act on a terminal, or on the order in which the rest is read. */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

/* Where a line of text stands. */
struct writer {
	FILE *out;
	size_t left; /* characters that may still come */
	bool any;    /* something has been written */
	bool space;  /* white space was seen since */
	bool full;   /* "…" has been written */
};

static void write_char(struct writer *w, const char *bytes, size_t len, uint32_t code)
{
	if (w->full || is_space(code)) {
		w->space = true;
		return;
	}
	if (is_control(code))
		return;
	if (w->left < 1 + (size_t)(w->space && w->any)) {
		fputs("…", w->out);
		w->full = true;
		return;
	}
	if (w->space && w->any) {
		fputc(' ', w->out);
		w->left--;
	}
	fwrite(bytes, 1, len, w->out);
	w->left--;
	w->any = true;
	w->space = false;
}

/* Writes the character at *text and steps over it. */
static void write_next(struct writer *w, const char **text)
{
	uint32_t code;
	size_t len = take_char(*text, &code);

	if (len)
		write_char(w, *text, len, code);
	else
		write_char(w, "?", 1, '?');
	*text += len ? len : 1;
}

void show_text(FILE *out, const char *text, size_t most)
{
	struct writer w = {.out = out, .left = most};

	while (*text && !w.full)
		write_next(&w, &text);
}

/* Steps over "&amp;" and the like; 0 if it is none of them. */
static char take_entity(const char **html)
{
	static const struct {
		const char *name;
		char means;
	} entities[] = {{"&amp;", '&'},	 {"&lt;", '<'},	  {"&gt;", '>'},
			{"&quot;", '"'}, {"&#39;", '\''}, {"&nbsp;", ' '}};

	for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
		size_t len = strlen(entities[i].name);

		if (strncmp(*html, entities[i].name, len) == 0) {
			*html += len;
			return entities[i].means;
		}
	}
	return 0;
}

void show_html(FILE *out, const char *html, size_t most)
{
	struct writer w = {.out = out, .left = most};

	while (*html && !w.full) {
		char c = *html == '&' ? take_entity(&html) : 0;

		if (c) {
			write_char(&w, &c, 1, (unsigned char)c);
		} else if (*html == '<') {
			html += strcspn(html, ">");
			html += *html == '>';
			w.space = true; /* tags part words, at worst once too often */
		} else {
			write_next(&w, &html);
		}
	}
}

/* --- a post ----------------------------------------------------------------------------------- */

static const char *member(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

/* The main one of headlines, descriptions or bodies: by its role, or else the first. */
static const json_t *main_of(const json_t *item, const char *name)
{
	const json_t *list = json_object_get(item, name), *part;
	size_t i;

	json_array_foreach ((json_t *)list, i, part) {
		const char *role = member(part, "role");

		if (role && strcmp(role, "main") == 0 && member(part, "value"))
			return part;
	}
	part = json_array_get(list, 0);
	return member(part, "value") ? part : NULL;
}

static void show_part(FILE *out, const json_t *part, size_t most)
{
	const char *kind = member(part, "contentType");

	if (kind && strcasestr(kind, "html"))
		show_html(out, member(part, "value"), most);
	else
		show_text(out, member(part, "value"), most);
}

/* News may have no headline: then a sentence of what there is. */
void show_headline(FILE *out, const struct json_t *item, size_t most)
{
	static const char *const places[] = {"headlines", "descriptions", "bodies"};
	const char *title = member(item, "title"), *type = member(item, "type");

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		const json_t *part = main_of(item, places[i]);

		if (part) {
			show_part(out, part, i > 0 && most > BODY_MOST ? BODY_MOST : most);
			return;
		}
	}
	if (title == NULL)
		fputc('(', out);
	show_text(out, title ? title : type ? type : "no text", most);
	if (title == NULL)
		fputc(')', out);
}

/* "2026-01-10T11:02:07Z" as "2026-01-10 11:02:07Z"; any other form as it is. */
static void show_time(FILE *out, const char *time, const char *now)
{
	if (time && strlen(time) == 20 && time[10] == 'T') {
		show_text(out,
			  (char[]){time[0], time[1], time[2], time[3], time[4], time[5], time[6],
				   time[7], time[8], time[9], 0},
			  10);
		fputc(' ', out);
		show_text(out, time + 11, 9);
		return;
	}
	show_text(out, time ? time : now, 32);
}

struct style {
	const char *label, *headline, *detail, *end;
};

static struct style style_of(bool colour, const char *label)
{
	bool loud = strcasecmp(label, "flash") == 0 || strcasecmp(label, "kill") == 0;

	if (!colour)
		return (struct style){"", "", "", ""};
	return (struct style){loud ? RED : BOLD, BOLD, DIM, RESET};
}

/* The channels that people named; the derived ones (with a colon) would be a line of noise. */
static void show_channels(FILE *out, const json_t *channels)
{
	const char *name;
	size_t i;

	for (i = 0; i < json_array_size(channels); i++) {
		name = json_string_value(json_array_get(channels, i));
		if (name && strchr(name, ':') == NULL) {
			fputs(" · ", out);
			show_text(out, name, NAME_MOST);
		}
	}
}

static void show_details(FILE *out, const json_t *post, const json_t *item)
{
	const json_t *where = item ? item : post;
	const char *parts[] = {member(item, "located"), member(item, "by"), member(post, "action")};
	const char *uri = member(where, "uri"), *version = member(where, "version");

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (parts[i] && *parts[i]) {
			show_text(out, parts[i], NAME_MOST);
			fputs(" · ", out);
		}
	}
	show_text(out, uri ? uri : "(no uri)", URI_MOST);
	if (version) {
		fputs(" version ", out);
		show_text(out, version, NAME_MOST);
	}
	show_channels(out, json_object_get(post, "channels"));
}

void show_post(FILE *out, const struct json_t *post, bool colour, const char *now)
{
	const json_t *item = json_object_get(post, "item");
	const char *notice = member(post, "notice");
	const char *label = member(post, item ? "class" : "action");
	struct style style = style_of(colour, label ? label : "");
	char upper[16] = "";

	for (size_t i = 0; label && label[i] && i + 1 < sizeof upper; i++)
		upper[i] = label[i] >= 'a' && label[i] <= 'z' ? (char)(label[i] - 32) : '?';
	show_time(out, member(item, "versionCreated"), now);
	fprintf(out, "  %s%-8s%s  %s", style.label, upper, style.end, style.headline);
	if (item)
		show_headline(out, item, HEADLINE_MOST);
	else
		show_text(out, notice ? notice : "(no notice)", HEADLINE_MOST);
	fprintf(out, "%s\n%32s%s", style.end, "", style.detail);
	show_details(out, post, item);
	fprintf(out, "%s\n", style.end);
}

/* --- a page ------------------------------------------------------------------------------------- */

/* Characters of UTF-8 in [from, to). */
static size_t length_of(const char *from, const char *to)
{
	size_t n = 0;

	for (; from < to; from++)
		n += ((unsigned char)*from & 0xc0) != 0x80;
	return n;
}

/* One line of text, in lines of at most `width` characters where words allow it. */
static void wrap(FILE *out, const char *text, size_t width)
{
	size_t column = 0;

	while (*text) {
		size_t bytes = strcspn(text, " "), len = length_of(text, text + bytes);

		if (column > 0 && column + 1 + len > width) {
			fputc('\n', out);
			column = 0;
		} else if (column > 0) {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, bytes, out);
		column += len;
		text += bytes + (text[bytes] == ' ');
	}
	fputc('\n', out);
}

/* A paragraph after an empty line; nothing if it has no words. */
static void show_paragraph(FILE *out, const char *from, size_t len, bool is_html,
			   const char *before, size_t width)
{
	char *copy = strndup(from, len), *line = NULL;
	size_t size;
	FILE *room = open_memstream(&line, &size);

	if (copy && room) {
		(is_html ? show_html : show_text)(room, copy, SIZE_MAX);
		if (fclose(room) == 0 && *line) {
			fprintf(out, "\n%s", before);
			wrap(out, line, width);
		}
	} else if (room) {
		fclose(room);
	}
	free(line);
	free(copy);
}

/* Does a tag begin here that ends a paragraph? */
static bool is_block(const char *tag)
{
	static const char *const names[] = {"p",  "br", "li",  "ul",	     "ol", "h1",
					    "h2", "h3", "h4",  "h5",	     "h6", "tr",
					    "td", "th", "div", "blockquote", "hr"};
	const char *name = tag + 1 + (tag[1] == '/');
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ123456");

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == len && strncasecmp(name, names[i], len) == 0)
			return true;
	return false;
}

static void show_html_text(FILE *out, const char *html, size_t width)
{
	const char *from = html, *at = html;
	bool in_list = false;

	for (;; at++) {
		bool ends = *at == '\0' || (*at == '<' && is_block(at));

		if (!ends)
			continue;
		show_paragraph(out, from, (size_t)(at - from), true, in_list ? "• " : "", width);
		if (*at == '\0')
			return;
		in_list = strncasecmp(at, "<li", 3) == 0;
		from = at;
	}
}

static void show_plain_text(FILE *out, const char *text, size_t width)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		show_paragraph(out, text, len, false, "", width);
		text += len + (text[len] == '\n');
	}
}

static void show_whole_part(FILE *out, const json_t *part, size_t width)
{
	const char *kind = member(part, "contentType"), *value = member(part, "value");

	if (value && kind && strcasestr(kind, "html"))
		show_html_text(out, value, width);
	else if (value)
		show_plain_text(out, value, width);
}

/* What readers are told of a correction, and the summary. */
static void show_descriptions(FILE *out, const json_t *item, size_t width)
{
	const json_t *part;
	size_t i;

	json_array_foreach (json_object_get(item, "descriptions"), i, part) {
		const char *role = member(part, "role");

		if (role && strcmp(role, "correction") == 0)
			fputs("\nCorrection:", out);
		else if (role && strcmp(role, "main") != 0 && strcmp(role, "summary") != 0)
			continue;
		show_whole_part(out, part, width);
	}
}

void show_page(FILE *out, const struct json_t *post, bool colour, size_t width)
{
	const json_t *item = json_object_get(post, "item"), *part;
	const char *class = member(post, "class");
	struct style style = style_of(colour, class ? class : "");
	size_t i;

	fputs(style.label, out);
	show_headline(out, item, SIZE_MAX);
	fprintf(out, "%s\n%s", style.end, style.detail);
	show_text(out, class ? class : "", NAME_MOST);
	fputs(" · ", out);
	show_time(out, member(item, "versionCreated"), "");
	fputs(" · ", out);
	show_details(out, post, item);
	fprintf(out, "%s\n", style.end);
	show_descriptions(out, item, width);
	json_array_foreach (json_object_get(item, "bodies"), i, part)
		show_whole_part(out, part, width);
}
