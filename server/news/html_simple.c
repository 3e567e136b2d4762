/* html_simple.c - recognises what html_clean() would give back as it is. */
#include "news/html_simple.h"
#include "base/base.h"

#include <string.h>

/* Far below what the parser takes: what is simple here is not too large there. */
enum { LENGTH_MAX = 256 << 10, TAGS_MAX = 4 << 10 };

static const char *const inlines[] = {"em>", "strong>", "i>", "b>"};

/* What is open. */
struct open {
	bool paragraph;
	const char *in; /* one of inlines, or NULL */
};

/* Reads one tag from behind its `<`. Returns where it ends, or NULL: not simple. */
static const char *read_tag(struct open *open, const char *at, size_t left)
{
	bool end = left > 0 && *at == '/';

	at += end;
	left -= end;
	if (left >= 2 && memcmp(at, "p>", 2) == 0) {
		if (open->in || open->paragraph != end)
			return NULL;
		open->paragraph = !end;
		return at + 2;
	}
	if (!end && left >= 3 && memcmp(at, "br>", 3) == 0)
		return at + 3;
	for (size_t i = 0; i < COUNT_OF(inlines); i++) {
		size_t len = strlen(inlines[i]);
		if (len > left || memcmp(at, inlines[i], len) != 0)
			continue;
		if (open->in != (end ? inlines[i] : NULL))
			return NULL;
		open->in = end ? NULL : inlines[i];
		return at + len;
	}
	return NULL;
}

static bool is_tail(const char *at)
{
	return ((unsigned char)*at & 0xc0) == 0x80;
}

/* The length of a character outside of ASCII that no parser replaces: well-formed, no control, no
 * non-character, no mark of byte order. 0: something else. */
static size_t read_character(const char *at, size_t left)
{
	unsigned char lead = (unsigned char)*at;
	unsigned char next = left > 1 ? (unsigned char)at[1] : 0;

	if (left < 2 || !is_tail(at + 1))
		return 0;
	if (lead >= 0xc2 && lead <= 0xdf)
		return lead > 0xc2 || next >= 0xa0 ? 2 : 0;
	if (left < 3 || !is_tail(at + 2))
		return 0;
	if (lead == 0xe0)
		return next >= 0xa0 ? 3 : 0;
	if (lead == 0xed)
		return next < 0xa0 ? 3 : 0;
	if (lead == 0xef)
		return next != 0xb7 && next != 0xbb && next != 0xbf ? 3 : 0;
	if (lead >= 0xe1 && lead < 0xef)
		return 3;
	/* Every plane's last two characters are none: they have 0xbf in the middle. */
	if (left < 4 || !is_tail(at + 3) || (unsigned char)at[2] == 0xbf)
		return 0;
	if (lead == 0xf0)
		return next >= 0x90 ? 4 : 0;
	return lead >= 0xf1 && lead <= 0xf3 ? 4 : 0;
}

bool html_is_simple(const char *html, size_t len)
{
	const char *end = html + len;
	struct open open = {0};
	size_t tags = 0, used;

	if (len > LENGTH_MAX)
		return false;
	for (const char *at = html; at < end;) {
		unsigned char c = (unsigned char)*at;
		if (c == '<') {
			if (++tags > TAGS_MAX ||
			    (at = read_tag(&open, at + 1, (size_t)(end - at) - 1)) == NULL)
				return false;
		} else if (c >= 0x80) {
			if ((used = read_character(at, (size_t)(end - at))) == 0)
				return false;
			at += used;
		} else if ((c < 0x20 && c != '\n' && c != '\t') || c == '&' || c == '>' ||
			   c == 0x7f) {
			return false;
		} else {
			at++;
		}
	}
	return !open.paragraph && open.in == NULL;
}
