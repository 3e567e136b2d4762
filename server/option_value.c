/* option_value.c - numbers with units, words of a choice, and checked texts. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "option_value.h"
#include "wire/link.h"

struct unit {
	const char *suffix;
	uint64_t factor;
};

/* Smallest first; the empty suffix is a plain number. */
static const struct unit count_units[] = {{"", 1}, {0}};
static const struct unit byte_units[] = {
	{"", 1}, {"k", 1ull << 10}, {"m", 1ull << 20}, {"g", 1ull << 30}, {0}};
static const struct unit time_units[] = {{"ms", 1},	 {"s", 1000},	  {"m", 60000},
					 {"h", 3600000}, {"d", 86400000}, {0}};

static const struct unit *units_of(enum option_type type)
{
	return type == OPTION_BYTES	 ? byte_units
	       : type == OPTION_DURATION ? time_units
					 : count_units;
}

static void *field_of(enum option_id id, struct options *o)
{
	return (char *)o + options_row(id)->offset;
}

static const void *const_field_of(enum option_id id, const struct options *o)
{
	return (const char *)o + options_row(id)->offset;
}

/* The value as it may stand in a message: short, and without bytes that could disturb a
 * terminal. */
static const char *quoted(const char *text, char out[48])
{
	size_t i;

	for (i = 0; text[i] && i < 40; i++)
		out[i] = isprint((unsigned char)text[i]) ? text[i] : '?';
	memcpy(out + i, text[i] ? "..." : "", text[i] ? 4 : 1);
	return out;
}

const char *option_value_number(enum option_type type, uint64_t n, char *out)
{
	const struct unit *unit = units_of(type), *best = unit;

	if (n == 0) {
		memcpy(out, "0", 2);
		return out;
	}
	for (; unit->suffix; unit++)
		if (n % unit->factor == 0)
			best = unit;
	snprintf(out, OPTION_VALUE_MAX, "%llu%s", (unsigned long long)(n / best->factor),
		 best->suffix);
	return out;
}

/* Digits and a unit. Returns 0; -1: no number of that type; -2: more than 64 bits hold. */
static int parse_number(enum option_type type, const char *text, uint64_t *out)
{
	const struct unit *unit;
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno == ERANGE)
		return -2;
	if (n == 0 && *end == '\0') { /* nothing needs no unit */
		*out = 0;
		return 0;
	}
	for (unit = units_of(type); unit->suffix; unit++) {
		if (strcasecmp(end, unit->suffix) != 0)
			continue;
		return __builtin_mul_overflow(n, unit->factor, out) ? -2 : 0;
	}
	return -1;
}

static int read_number(const struct option_row *row, const char *text, uint64_t *field, char *why,
		       size_t size)
{
	static const char *const kinds[] = {
		[OPTION_NUMBER] = "a whole number",
		[OPTION_BYTES] = "a number of bytes, with k, m or g after it if wanted",
		[OPTION_DURATION] = "a number followed by ms, s, m, h or d",
	};
	char low[OPTION_VALUE_MAX], high[OPTION_VALUE_MAX], shown[48];
	uint64_t n = 0;
	int r = parse_number(row->type, text, &n);

	option_value_number(row->type, row->min, low);
	option_value_number(row->type, row->max, high);
	if (r == -1)
		return say_why(why, size, "\"%s\" is not %s; allowed is %s to %s",
			       quoted(text, shown), kinds[row->type], low, high);
	if (r == -2 || n < row->min || n > row->max)
		return say_why(why, size, "%s is too %s; allowed is %s to %s", quoted(text, shown),
			       r == 0 && n < row->min ? "small" : "large", low, high);
	*field = n;
	return 0;
}

static int read_flag(const char *text, bool *field, char *why, size_t size)
{
	static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no",
										    "off", "0"};
	char shown[48];

	for (size_t i = 0; i < COUNT_OF(yes); i++) {
		if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
			*field = strcasecmp(text, yes[i]) == 0;
			return 0;
		}
	}
	return say_why(why, size, "\"%s\" is neither true nor false", quoted(text, shown));
}

/* The words of a choice are its metavar: `debug|info|warn|error`. */
static int read_choice(const struct option_row *row, const char *text, int *field, char *why,
		       size_t size)
{
	const char *word = row->metavar;
	char shown[48];

	for (int i = 0;; i++) {
		size_t len = strcspn(word, "|");

		if (strlen(text) == len && strncasecmp(text, word, len) == 0) {
			*field = i;
			return 0;
		}
		if (word[len] == '\0')
			break;
		word += len + 1;
	}
	return say_why(why, size, "\"%s\" is not one of %s", quoted(text, shown), row->metavar);
}

static int check_bind(const char *text, char *why, size_t size)
{
	unsigned char address[sizeof(struct in6_addr)];
	char shown[48];

	if (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1)
		return 0;
	return say_why(why, size,
		       "\"%s\" is not an IP address; allowed are those such as 127.0.0.1 or ::1 "
		       "(this machine) and "
		       "0.0.0.0 or :: (the network)",
		       quoted(text, shown));
}

static int check_prefix(const char *text, char *why, size_t size)
{
	char shown[48];

	if (text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-")] == '\0')
		return 0;
	return say_why(why, size, "\"%s\" has other characters than a-z 0-9 . _ -",
		       quoted(text, shown));
}

static int check_redis(const char *text, char *why, size_t size)
{
	struct redis_place place;
	int result = *text ? redis_place_read(&place, text, why, size) : 0;

	if (*text && result == 0)
		redis_place_free(&place);
	return result;
}

#define URL_PATH "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/%"

static size_t scheme_length(const char *text)
{
	return strncmp(text, "https://", 8) == 0 ? 8 : strncmp(text, "http://", 7) == 0 ? 7 : 0;
}

/* What stands before a path: a host, and perhaps a port. */
static size_t host_length(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]");
}

static int check_public_url(const char *text, char *why, size_t size)
{
	size_t scheme = scheme_length(text), host = host_length(text + scheme);
	char shown[48];

	if (*text == '\0' ||
	    (scheme > 0 && host > 0 &&
	     strspn(text + scheme + host, URL_PATH) == strlen(text + scheme + host) &&
	     (text[scheme + host] == '\0' || text[scheme + host] == '/')))
		return 0;
	return say_why(why, size,
		       "\"%s\" is not an address such as https://news.example/ (in small letters, "
		       "without ? and #)",
		       quoted(text, shown));
}

static int check_cors_origin(const char *text, char *why, size_t size)
{
	char shown[48];

	if (strcmp(text, "*") == 0)
		return 0;
	for (const char *at = text; *at != '\0';) {
		size_t scheme = scheme_length(at), host = host_length(at + scheme);

		if (scheme == 0 || host == 0 ||
		    (at[scheme + host] != ',' && at[scheme + host] != '\0'))
			return say_why(why, size,
				       "\"%s\" is not a list of origins such as "
				       "https://desk.example,http://127.0.0.1:3000, nor *",
				       quoted(text, shown));
		at += scheme + host + (at[scheme + host] == ',');
	}
	return 0;
}

/* What a text must look like beyond its length. */
static int check_text(enum option_id id, const char *text, char *why, size_t size)
{
	const struct option_row *row = options_row(id);
	size_t len = strlen(text);

	if (len < row->min || len > row->max)
		return say_why(why, size, "it has %zu bytes; allowed are %llu to %llu", len,
			       (unsigned long long)row->min, (unsigned long long)row->max);
	switch (id) {
	case OPTION_bind:
		return check_bind(text, why, size);
	case OPTION_prefix:
		return check_prefix(text, why, size);
	case OPTION_redis:
		return check_redis(text, why, size);
	case OPTION_public_url:
		return check_public_url(text, why, size);
	case OPTION_cors_origin:
		return check_cors_origin(text, why, size);
	default:
		return 0;
	}
}

static int read_text(enum option_id id, const char *text, const char **field, char *why,
		     size_t size)
{
	char *copy;

	if (check_text(id, text, why, size) < 0)
		return -1;
	if ((copy = strdup(text)) == NULL)
		return say_why(why, size, "there is no memory for it");
	free((char *)*field);
	*field = copy;
	return 0;
}

int option_value_read(enum option_id id, const char *text, struct options *o, char *why,
		      size_t size)
{
	const struct option_row *row = options_row(id);
	void *field = field_of(id, o);

	switch (row->type) {
	case OPTION_TEXT:
		return read_text(id, text, field, why, size);
	case OPTION_FLAG:
		return read_flag(text, field, why, size);
	case OPTION_CHOICE:
		return read_choice(row, text, field, why, size);
	default:
		return read_number(row, text, field, why, size);
	}
}

/* `redis://user:***@host`: everything between the first colon after the scheme and the last @
 * may be the password. What follows the ? of Sentinels may be theirs. */
static const char *show_redis(const char *address, char *out, size_t size)
{
	bool has_sentinels = strncmp(address, "redis+sentinel://", 17) == 0;
	const char *end = has_sentinels ? strchrnul(address, '?') : address + strlen(address);
	const char *at = memrchr(address, '@', (size_t)(end - address));
	const char *scheme = strstr(address, "://");
	const char *colon = scheme ? strchr(scheme + 3, ':') : NULL;
	const char *query = *end ? "?***" : "";

	if (at && colon && colon < at)
		snprintf(out, size, "%.*s:***%.*s%s", (int)(colon - address), address,
			 (int)(end - at), at, query);
	else
		snprintf(out, size, "%.*s%s", (int)(end - address), address, query);
	return out;
}

static const char *show_choice(const char *word, int place, char *out, size_t size)
{
	for (; place > 0; place--)
		word += strcspn(word, "|") + 1;
	snprintf(out, size, "%.*s", (int)strcspn(word, "|"), word);
	return out;
}

const char *option_value_show(enum option_id id, const struct options *o, char *out, size_t size)
{
	const struct option_row *row = options_row(id);
	const void *field = const_field_of(id, o);

	MUST(size >= OPTION_VALUE_MAX);
	switch (row->type) {
	case OPTION_TEXT:
		return id == OPTION_redis ? show_redis(o->redis, out, size)
					  : *(const char *const *)field;
	case OPTION_FLAG:
		return *(const bool *)field ? "true" : "false";
	case OPTION_CHOICE:
		return show_choice(row->metavar, *(const int *)field, out, size);
	default:
		return option_value_number(row->type, *(const uint64_t *)field, out);
	}
}

void option_value_free(enum option_id id, struct options *o)
{
	if (options_row(id)->type == OPTION_TEXT) {
		const char **field = field_of(id, o);

		free((char *)*field);
		*field = NULL;
	}
}
