/* iri.c - RFC 3987, as far as names of news need it. */
#include "news/iri.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "base/base.h"

/* Reads a character of UTF-8 that is known to be well-formed. */
static unsigned read_character(const unsigned char *text, size_t *used)
{
	unsigned lead = *text;
	size_t need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	unsigned c = need == 1 ? lead : lead & (0x7fu >> need);

	for (*used = 1; *used < need && text[*used] != '\0'; ++*used)
		c = c << 6 | (text[*used] & 0x3fu);
	return c;
}

/* `ucschar`: no private use, no non-characters, no controls. */
static bool is_foreign(unsigned c)
{
	if (c < 0xa0 || (c >= 0xd800 && c <= 0xf8ff) || (c >= 0xfdd0 && c <= 0xfdef))
		return false;
	return c < 0xfff0 || (c >= 0x10000 && c < 0xe0000 && (c & 0xffff) < 0xfffe) ||
	       (c >= 0xe1000 && c < 0xefffe);
}

static bool is_unreserved(unsigned char c)
{
	return isalnum(c) || (c != '\0' && strchr("-._~", c) != NULL);
}

static size_t scheme_length(const char *text)
{
	size_t len = 0;

	if (!isalpha((unsigned char)text[0]))
		return 0;
	while (isalnum((unsigned char)text[len]) || (text[len] != '\0' && strchr("+-.", text[len])))
		len++;
	return text[len] == ':' ? len : 0;
}

/* How many bytes of the text are one part of an IRI; 0: none. */
static size_t part_length(const char *text)
{
	unsigned char c = (unsigned char)*text;
	size_t used;

	if (c == '%')
		return isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2]) ? 3 : 0;
	if (c < 0x80)
		return is_unreserved(c) || strchr(":/?#@!$&'()*+,;=", c) != NULL;
	return is_foreign(read_character((const unsigned char *)text, &used)) ? used : 0;
}

bool iri_is_valid(const char *text)
{
	size_t scheme = scheme_length(text), part;
	const char *hash = strchr(text, '#');

	if (scheme == 0 || text[scheme + 1] == '\0' || (hash && strchr(hash + 1, '#')))
		return false;
	for (text += scheme + 1; *text != '\0'; text += part)
		if ((part = part_length(text)) == 0)
			return false;
	return true;
}

bool iri_is_web(const char *text)
{
	size_t len = strncasecmp(text, "https://", 8) == 0  ? 8
		     : strncasecmp(text, "http://", 7) == 0 ? 7
							    : 0;

	return len > 0 && text[len] != '\0' && strchr("/?#:@", text[len]) == NULL &&
	       iri_is_valid(text);
}

void iri_add_escaped(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (is_unreserved((unsigned char)*text))
			buf_addc(out, *text);
		else
			buf_addf(out, "%%%02X", (unsigned char)*text);
	}
}

void iri_add(struct buf *out, const char *text)
{
	if (iri_is_valid(text)) {
		buf_adds(out, text);
		return;
	}
	buf_adds(out, "urn:newswire:item:");
	iri_add_escaped(out, text);
}
