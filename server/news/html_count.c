/* html_count.c - the plain text of clean HTML, counted as readers count. */
#include "news/html.h"

#include <ctype.h>
#include <string.h>

/* One character of UTF-8 that is known to be well-formed. */
static unsigned read_character(const char *text, size_t left, size_t *used)
{
	unsigned char lead = (unsigned char)*text;
	size_t need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	unsigned c = need == 1 ? lead : lead & (0x7fu >> need);

	for (*used = 1; *used < need && *used < left; ++*used)
		c = c << 6 | ((unsigned char)text[*used] & 0x3f);
	return c;
}

static bool is_between(unsigned c, unsigned first, unsigned last)
{
	return c >= first && c <= last;
}

static bool is_space(unsigned c)
{
	if (c < 0x1680)
		return c <= 0x20 || c == 0xa0;
	return c == 0x1680 || is_between(c, 0x2000, 0x200a) || c == 0x2028 || c == 0x2029 ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Letters and digits; outside of ASCII, whatever is no punctuation that prose has. */
static bool is_wordly(unsigned c)
{
	if (c < 0x80)
		return isalnum((int)c);
	return c == 0xaa || c == 0xb5 || c == 0xba ||
	       (c >= 0xc0 && c != 0xd7 && c != 0xf7 && !is_between(c, 0x2010, 0x2bff) &&
		!is_between(c, 0x3001, 0x303f) && c != 0xfeff && c < 0xfff0) ||
	       is_between(c, 0x10000, 0x1f000 - 1) || c >= 0x20000;
}

/* Thai, Lao, Burmese, Khmer, Japanese, Chinese. */
static bool is_unspaced(unsigned c)
{
	return c >= 0x0e00 &&
	       (is_between(c, 0x0e00, 0x0eff) || is_between(c, 0x1000, 0x109f) ||
		is_between(c, 0x1780, 0x17ff) || is_between(c, 0x3041, 0x30ff) ||
		is_between(c, 0x3400, 0x9fff) || is_between(c, 0xf900, 0xfaff) || c >= 0x20000);
}

/* The counting so far. A space counts only when something follows it. */
struct count {
	struct html_counts *counts;
	bool is_word; /* the run of characters that we are in has a letter or a digit */
	bool space;
};

static void count_space(struct count *count)
{
	count->counts->words += count->is_word;
	count->is_word = false;
	count->space = count->counts->characters > 0;
}

static void count_character(struct count *count, unsigned c)
{
	if (is_space(c)) {
		count_space(count);
		return;
	}
	count->counts->characters += 1 + count->space;
	count->space = false;
	count->is_word = count->is_word || is_wordly(c);
	count->counts->unspaced = count->counts->unspaced || is_unspaced(c);
}

/* A tag; those that html_clean() writes have no `>` inside. Returns its length. */
static size_t count_tag(struct count *count, const char *tag, size_t left)
{
	const char *end = memchr(tag, '>', left);
	const char *name = tag + 1 + (left > 1 && tag[1] == '/');
	size_t len = 0;

	while (name + len < tag + left && isalnum((unsigned char)name[len]))
		len++;
	if (!html_is_inline(name, len))
		count_space(count);
	return end ? (size_t)(end - tag) + 1 : left;
}

/* The four entities that html_clean() writes. Returns its length. */
static size_t count_entity(struct count *count, const char *entity, size_t left)
{
	const char *end = memchr(entity, ';', left);

	count_character(count, '&'); /* none of the four is a letter */
	return end ? (size_t)(end - entity) + 1 : 1;
}

void html_count(const char *clean, size_t len, struct html_counts *counts)
{
	struct count count = {.counts = counts};
	size_t used;

	*counts = (struct html_counts){0};
	for (size_t at = 0; at < len; at += used) {
		if (clean[at] == '<')
			used = count_tag(&count, clean + at, len - at);
		else if (clean[at] == '&')
			used = count_entity(&count, clean + at, len - at);
		else
			count_character(&count, read_character(clean + at, len - at, &used));
	}
	count_space(&count);
}
