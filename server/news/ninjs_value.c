/* ninjs_value.c - checks single values, and writes them the canonical way. */
#include "news/ninjs_value.h"
#include "base/clock.h"

#include <string.h>
#include <strings.h>

enum { VERSION_MAX = 64 };

static json_t *refuse(struct ninjs *n, const struct place *at, enum item_refusal why,
		      const char *detail)
{
	ninjs_fault(n, at, why, detail);
	return NULL;
}

/* A new value, or no memory. */
static json_t *made(struct ninjs *n, json_t *value)
{
	if (value == NULL)
		n->no_memory = true;
	return value;
}

static bool has_controls(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

NINJS_READ(any)
{
	(void)n, (void)at, (void)row;
	return json_incref(value);
}

NINJS_READ(string)
{
	(void)row;
	if (!json_is_string(value))
		return refuse(n, at, ITEM_WRONG_TYPE, "This must be a string.");
	return json_incref(value);
}

NINJS_READ(number)
{
	(void)row;
	if (!json_is_number(value))
		return refuse(n, at, ITEM_WRONG_TYPE, "This must be a number.");
	return json_incref(value);
}

NINJS_READ(uri)
{
	(void)row;
	if (!json_is_string(value))
		return refuse(n, at, ITEM_WRONG_TYPE, "This must be a string.");
	if (json_string_length(value) == 0)
		return NULL;
	if (json_string_length(value) > ITEM_URI_MAX)
		return refuse(n, at, ITEM_BAD_VALUE, "This is longer than 1024 bytes.");
	if (has_controls(json_string_value(value)))
		return refuse(n, at, ITEM_BAD_VALUE, "This has control characters.");
	return json_incref(value);
}

/* A string as it is; an integer, also one written 3.0, as its digits. */
static json_t *read_text_or_integer(struct ninjs *n, const struct place *at, json_t *value)
{
	double real = json_number_value(value);

	if (json_is_string(value))
		return json_string_length(value) ? json_incref(value) : NULL;
	if (json_is_integer(value))
		return made(n, json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value)));
	if (json_is_real(value) && real >= -9e15 && real <= 9e15 &&
	    real == (double)(json_int_t)real)
		return made(n, json_sprintf("%" JSON_INTEGER_FORMAT, (json_int_t)real));
	return refuse(n, at, ITEM_WRONG_TYPE, "This must be a string or an integer.");
}

NINJS_READ(version)
{
	json_t *text = read_text_or_integer(n, at, value);

	(void)row;
	if (text == NULL)
		return NULL;
	if (json_string_length(text) <= VERSION_MAX && !has_controls(json_string_value(text)))
		return text;
	json_decref(text);
	return refuse(n, at, ITEM_BAD_VALUE,
		      "This is longer than 64 bytes, or has control characters.");
}

NINJS_READ(code)
{
	(void)row;
	return read_text_or_integer(n, at, value);
}

static bool parse_time(const json_t *value, int64_t *ms)
{
	return clock_parse(json_string_value(value), json_string_length(value), ms) == 0;
}

/* The time as 2026-01-10T11:02:07Z, with milliseconds where it has them. */
static json_t *canonical_time(struct ninjs *n, json_t *value, int64_t ms)
{
	char text[CLOCK_TEXT_MAX];

	if (json_string_length(value) == strlen("2026-01-10T11:02:07Z") &&
	    json_string_value(value)[10] == 'T' && json_string_value(value)[19] == 'Z')
		return json_incref(value);
	clock_format(ms, ms % 1000 != 0, text);
	if (strcmp(text, json_string_value(value)) == 0)
		return json_incref(value);
	return made(n, json_string_nocheck(text));
}

NINJS_READ(time)
{
	int64_t ms;

	(void)row;
	if (!json_is_string(value))
		return refuse(n, at, ITEM_WRONG_TYPE, "This must be a string.");
	return parse_time(value, &ms) ? canonical_time(n, value, ms) : json_incref(value);
}

NINJS_READ(expiry)
{
	int64_t ms;

	(void)row;
	if (!json_is_string(value))
		return refuse(n, at, ITEM_WRONG_TYPE, "This must be a string.");
	if (!parse_time(value, &ms))
		return refuse(n, at, ITEM_BAD_VALUE,
			      "This is not a time such as 2026-01-10T11:02:07Z.");
	return canonical_time(n, value, ms);
}

NINJS_READ(embargo)
{
	json_t *time = ninjs_value_expiry(n, at, row, value);
	int64_t ms;

	if (time && parse_time(time, &ms) && ms > n->embargo_ms)
		n->embargo_ms = ms;
	return time;
}

/* A word of a closed vocabulary, in any case; `alias` is read as `means`. */
struct word {
	const char *alias;
	const char *means;
};

static json_t *read_word(struct ninjs *n, const struct place *at, json_t *value,
			 const struct word *words, size_t count, const char *expects)
{
	if (!json_is_string(value))
		return refuse(n, at, ITEM_WRONG_TYPE, "This must be a string.");
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(json_string_value(value), words[i].alias) != 0)
			continue;
		if (strcmp(json_string_value(value), words[i].means) == 0)
			return json_incref(value);
		return made(n, json_string_nocheck(words[i].means));
	}
	return expects ? refuse(n, at, ITEM_BAD_VALUE, expects) : json_incref(value);
}

NINJS_READ(status)
{
	static const struct word words[] = {{"usable", "usable"},
					    {"withheld", "withheld"},
					    {"canceled", "canceled"},
					    {"cancelled", "canceled"}};

	(void)row;
	return read_word(n, at, value, words, COUNT_OF(words),
			 "This must be usable, withheld or canceled.");
}

NINJS_READ(type)
{
	(void)row;
	if (!json_is_string(value))
		return refuse(n, at, ITEM_WRONG_TYPE, "This must be a string.");
	if (item_is_type(json_string_value(value), json_string_length(value)))
		return json_incref(value);
	if (strcasecmp(json_string_value(value), "advisory") == 0)
		return refuse(n, at, ITEM_ADVISORY, "This is a note for editors only.");
	return refuse(n, at, ITEM_BAD_VALUE,
		      "This is not one of ninjs 3.1's types (text, picture, video …).");
}

NINJS_READ(representation)
{
	static const struct word words[] = {{"full", "full"},
					    {"partial", "partial"},
					    {"complete", "full"},
					    {"incomplete", "partial"}};

	(void)row;
	return read_word(n, at, value, words, COUNT_OF(words), NULL);
}

NINJS_READ(urgency)
{
	double number = json_number_value(value);

	(void)row;
	if (!json_is_number(value))
		return refuse(n, at, ITEM_WRONG_TYPE, "This must be a number.");
	for (int i = 1; i <= 9; i++)
		if (number >= i && number <= i)
			return json_is_integer(value) ? json_incref(value)
						      : made(n, json_integer(i));
	return refuse(n, at, ITEM_BAD_VALUE, "This must be an integer from 1 to 9.");
}
