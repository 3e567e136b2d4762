/* offer.c - the header is read by its grammar: a list of names, each with parameters. */
#include "ws/offer.h"

#include <stdio.h>
#include <string.h>

enum { WORD_SIZE = 64, WINDOW_BITS_MIN = 8, WINDOW_BITS_MAX = 15 };

/* One `name` or `name=value`; a word that is too long for us is cut, and known by nobody. */
struct word {
	char name[WORD_SIZE];
	char value[WORD_SIZE];
	bool has_value;
};

/* What one offer says. */
struct offer {
	bool wanted;   /* permessage-deflate, and we can keep it so far */
	unsigned seen; /* parameters: 1 << enum parameter */
};

/* --- words ------------------------------------------------------------------------------------ */

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t");
}

/* RFC 7230's token. */
static bool is_token_char(char c)
{
	return (unsigned char)c > 0x20 && (unsigned char)c < 0x7f &&
	       strchr("()<>@,;:\\\"/[]?={}", c) == NULL;
}

static void append(char out[WORD_SIZE], size_t *len, char c)
{
	if (*len < WORD_SIZE - 1)
		out[(*len)++] = c;
	out[*len] = '\0';
}

/* Both return where it goes on, or NULL: that is none. */
static const char *read_token(const char *at, char out[WORD_SIZE])
{
	size_t len = 0;

	if (!is_token_char(*at))
		return NULL;
	for (; is_token_char(*at); at++)
		append(out, &len, *at);
	return at;
}

/* RFC 6455: what is in the quotes must be a token, too. */
static const char *read_value(const char *at, char out[WORD_SIZE])
{
	size_t len = 0;

	if (*at != '"')
		return read_token(at, out);
	for (at++; *at != '\0' && *at != '"'; at++) {
		if (*at == '\\')
			at++;
		if (!is_token_char(*at))
			return NULL;
		append(out, &len, *at);
	}
	return *at == '"' && len > 0 ? at + 1 : NULL;
}

static const char *read_word(const char *at, struct word *out)
{
	*out = (struct word){0};
	if ((at = read_token(skip_space(at), out->name)) == NULL)
		return NULL;
	at = skip_space(at);
	if (*at != '=')
		return at;
	out->has_value = true;
	at = read_value(skip_space(at + 1), out->value);
	return at == NULL ? NULL : skip_space(at);
}

/* --- parameters ------------------------------------------------------------------------------- */

/* RFC 7692, 7.1.2: 8 to 15, without a leading zero. 0: that is none. */
static int window_bits(const char *value)
{
	static const char *const names[] = {"8", "9", "10", "11", "12", "13", "14", "15"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcmp(value, names[i]) == 0)
			return WINDOW_BITS_MIN + (int)i;
	return 0;
}

static bool keeps_flag(const struct word *w)
{
	return !w->has_value;
}

static bool keeps_server_window(const struct word *w)
{
	return w->has_value && window_bits(w->value) == WINDOW_BITS_MAX;
}

static bool keeps_client_window(const struct word *w)
{
	return !w->has_value || window_bits(w->value) != 0;
}

enum parameter { SERVER_ALONE, CLIENT_ALONE, SERVER_WINDOW, CLIENT_WINDOW };

static const struct {
	const char *name;
	bool (*keeps)(const struct word *w);
} parameters[] = {
	[SERVER_ALONE] = {"server_no_context_takeover", keeps_flag},
	[CLIENT_ALONE] = {"client_no_context_takeover", keeps_flag},
	[SERVER_WINDOW] = {"server_max_window_bits", keeps_server_window},
	[CLIENT_WINDOW] = {"client_max_window_bits", keeps_client_window},
};

static bool keeps(struct offer *o, const struct word *w)
{
	for (size_t i = 0; i < COUNT_OF(parameters); i++) {
		if (strcmp(w->name, parameters[i].name) != 0)
			continue;
		if (o->seen & 1u << i)
			return false;
		o->seen |= 1u << i;
		return parameters[i].keeps(w);
	}
	return false;
}

/* --- offers ----------------------------------------------------------------------------------- */

/* One extension with its parameters. */
static const char *read_offer(const char *at, struct offer *out)
{
	struct word w;

	*out = (struct offer){0};
	if ((at = read_word(at, &w)) == NULL || w.has_value)
		return NULL;
	out->wanted = strcmp(w.name, OFFER_DEFLATE) == 0;
	while (*at == ';') {
		if ((at = read_word(at + 1, &w)) == NULL)
			return NULL;
		out->wanted = out->wanted && keeps(out, &w);
	}
	return at;
}

static bool has(const struct offer *o, enum parameter p)
{
	return o->seen & 1u << p;
}

static void write_answer(const struct offer *o, struct offer_agreed *out)
{
	out->alone = has(o, SERVER_ALONE);
	snprintf(out->answer, sizeof out->answer, "%s; client_no_context_takeover%s",
		 out->alone ? "; server_no_context_takeover" : "",
		 has(o, SERVER_WINDOW) ? "; server_max_window_bits=15" : "");
}

int offer_agree(const char *header, struct offer_agreed *out)
{
	struct offer chosen = {0}, next;
	const char *at = header;

	for (;;) {
		at = skip_space(at);
		if (*at == ',' && at++) /* RFC 7230, 7: a list may have empty places */
			continue;
		if (*at == '\0')
			break;
		if ((at = read_offer(at, &next)) == NULL || (*at != ',' && *at != '\0'))
			return -1;
		if (next.wanted && !chosen.wanted)
			chosen = next;
	}
	if (!chosen.wanted)
		return -1;
	write_answer(&chosen, out);
	return 0;
}

/* Its own way of reading: a name ends at a comma or a tab, what follows a semicolon is no part of it, spaces
 * are left out. */
unsigned offer_mentions(const char *header)
{
	char name[WORD_SIZE] = "";
	bool ignore = false;
	unsigned count = 0;
	size_t len = 0;

	for (const char *c = header;; c++) {
		if (*c != '\0' && *c != ',' && *c != '\t') {
			ignore |= *c == ';';
			if (!ignore && *c != ' ')
				append(name, &len, *c);
			continue;
		}
		count += strcmp(name, OFFER_DEFLATE) == 0;
		if (*c == '\0')
			return count;
		name[len = 0] = '\0';
		ignore = false;
	}
}
