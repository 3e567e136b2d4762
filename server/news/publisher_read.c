/* publisher_read.c - keys.json: read strictly, since a slip in it lets somebody in, or keeps somebody out. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "news/json_arena.h"
#include "news/publisher_book.h"

/* One reading. The first fault is told; path is where it is, as an RFC 6901 pointer. */
struct reading {
	struct publisher_book *book;
	char *error;
	size_t size;
	char path[160];
	int secrets; /* how many keys have one */
};

static int __attribute__((format(printf, 2, 3))) fail(struct reading *r, const char *text, ...)
{
	va_list args;
	int len = snprintf(r->error, r->size, "%s: ", r->path[0] ? r->path : "the file");

	va_start(args, text);
	if (len >= 0 && (size_t)len < r->size)
		vsnprintf(r->error + len, r->size - (size_t)len, text, args);
	va_end(args);
	return -1;
}

static int fail_memory(struct reading *r)
{
	(void)fail(r, "out of memory");
	errno = ENOMEM;
	return -1;
}

/* A name out of the file, at most so long that it can be shown. */
static void at(struct reading *r, size_t up, const char *name)
{
	snprintf(r->path + up, sizeof r->path - up, "/%.64s", name);
}

static void at_index(struct reading *r, size_t up, size_t i)
{
	snprintf(r->path + up, sizeof r->path - up, "/%zu", i);
}

/* Keeps a copy of a text without NUL. */
static const char *keep_text(struct reading *r, const json_t *value)
{
	size_t len = json_string_length(value);
	char *copy = publisher_book_alloc(r->book, len + 1);

	if (copy == NULL)
		(void)fail_memory(r);
	else
		memcpy(copy, json_string_value(value), len);
	return copy;
}

/* --- the properties of a key ------------------------------------------------------------------ */

static int read_name(struct reading *r, const json_t *value, struct publisher *p)
{
	static const char *const taken[] = {"node", "redis", "inbox"};

	if (!json_is_string(value) ||
	    !channel_is_plain(json_string_value(value), json_string_length(value)))
		return fail(r, "a name is 1 to 64 of a-z 0-9 . _ - and begins with a letter or "
			       "digit");
	for (size_t i = 0; i < COUNT_OF(taken); i++)
		if (strcmp(json_string_value(value), taken[i]) == 0)
			return fail(r, "`%s` is what the server itself is called", taken[i]);
	if (publisher_by_name(r->book, json_string_value(value)) != NULL)
		return fail(r, "another key has this name");
	return (p->name = keep_text(r, value)) == NULL ? -1 : 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_hash(struct reading *r, const json_t *value, struct publisher *p)
{
	const char *text = json_string_value(value);
	unsigned char *hash = publisher_book_alloc(r->book, PUBLISHER_HASH_SIZE);
	int high, low;

	if (hash == NULL)
		return fail_memory(r);
	for (size_t i = 0; i < PUBLISHER_HASH_SIZE; i++) {
		if (json_string_length(value) != (size_t)2 * PUBLISHER_HASH_SIZE ||
		    (high = hex_digit(text[2 * i])) < 0 || (low = hex_digit(text[2 * i + 1])) < 0)
			return fail(r, "the SHA-256 of a key is 64 hexadecimal digits");
		hash[i] = (unsigned char)(high << 4 | low);
	}
	for (size_t i = 0; i < r->book->count; i++)
		if (r->book->publisher[i].hash != NULL &&
		    memcmp(r->book->publisher[i].hash, hash, PUBLISHER_HASH_SIZE) == 0)
			return fail(r, "another publisher has the same key");
	p->hash = hash;
	return 0;
}

static int read_patterns(struct reading *r, const json_t *value, struct publisher *p)
{
	size_t up = strlen(r->path), i;
	const char **patterns;
	const json_t *one;

	if (!json_is_array(value) || json_array_size(value) > PUBLISHER_PATTERNS_MAX)
		return fail(r, "a list of at most %d channels is wanted", PUBLISHER_PATTERNS_MAX);
	patterns = publisher_book_alloc(r->book, json_array_size(value) * sizeof *patterns);
	if (patterns == NULL)
		return fail_memory(r);
	json_array_foreach (value, i, one) {
		at_index(r, up, i);
		if (!json_is_string(one) ||
		    !publisher_is_pattern(json_string_value(one), json_string_length(one)))
			return fail(r, "this is no channel: `world`, `sport.*` or `*`");
		if ((patterns[i] = keep_text(r, one)) == NULL)
			return -1;
	}
	p->pattern = patterns;
	p->patterns = json_array_size(value);
	return 0;
}

static int read_rights(struct reading *r, const json_t *value, unsigned *rights)
{
	size_t up = strlen(r->path), i;
	const json_t *one;
	unsigned bit;

	*rights = 0;
	if (!json_is_array(value))
		return fail(r, "a list of permissions is wanted");
	json_array_foreach (value, i, one) {
		at_index(r, up, i);
		bit = json_is_string(one)
			      ? right_read(json_string_value(one), json_string_length(one))
			      : 0;
		if (bit == 0)
			return fail(r, "this is no permission: publish, correct, kill, flash, "
				       "embargo, audit or all");
		*rights |= bit;
	}
	r->path[up] = '\0';
	return 0;
}

static int read_may(struct reading *r, const json_t *value, struct publisher *p)
{
	return read_rights(r, value, &p->rights);
}

static int read_secret(struct reading *r, const json_t *value, struct publisher *p)
{
	size_t len = json_string_length(value);

	if (++r->secrets > PUBLISHER_SECRETS_MAX)
		return fail(r, "at most %d keys may have a secret", PUBLISHER_SECRETS_MAX);
	if (!json_is_string(value) || len < PUBLISHER_SECRET_MIN || len > PUBLISHER_SECRET_MAX ||
	    strlen(json_string_value(value)) != len)
		return fail(r, "a secret is a text of %d to %d bytes", PUBLISHER_SECRET_MIN,
			    PUBLISHER_SECRET_MAX);
	return (p->secret = keep_text(r, value)) == NULL ? -1 : 0;
}

static int read_urgency(struct reading *r, const json_t *value, struct publisher *p)
{
	size_t up = strlen(r->path);
	enum news_class *classes, class;
	const char *number;
	json_t *one;

	if (!json_is_object(value))
		return fail(r, "an object is wanted: {\"1\": \"flash\"}");
	classes = publisher_book_alloc(r->book, sizeof news_class_by_urgency);
	if (classes == NULL)
		return fail_memory(r);
	memcpy(classes, news_class_by_urgency, sizeof news_class_by_urgency);
	json_object_foreach ((json_t *)value, number, one) {
		at(r, up, number);
		if (strlen(number) != 1 || number[0] < '1' || number[0] > '9')
			return fail(r, "an urgency is a number from 1 to 9");
		class = json_is_string(one)
				? news_class_read(json_string_value(one), json_string_length(one))
				: CLASS_COUNT;
		if (class == CLASS_COUNT)
			return fail(r, "this is no class: flash, bulletin, urgent, regular or "
				       "deferred");
		classes[number[0] - '0'] = class;
	}
	p->by_urgency = classes;
	return 0;
}

static const struct {
	const char *name;
	int (*read)(struct reading *r, const json_t *value, struct publisher *p);
} properties[] = {
	{"name", read_name}, {"sha256", read_hash},   {"channels", read_patterns},
	{"may", read_may},   {"secret", read_secret}, {"urgency", read_urgency},
};

/* --- the file --------------------------------------------------------------------------------- */

static int read_property(struct reading *r, const char *name, const json_t *value,
			 struct publisher *p)
{
	for (size_t i = 0; i < COUNT_OF(properties); i++)
		if (strcmp(properties[i].name, name) == 0)
			return properties[i].read(r, value, p);
	return fail(r, "there is no such property: name, sha256, channels, may, secret or urgency");
}

static int read_key(struct reading *r, const json_t *key, struct publisher *p)
{
	size_t up = strlen(r->path);
	const char *name;
	json_t *value;

	if (!json_is_object(key))
		return fail(r, "an object is wanted");
	json_object_foreach ((json_t *)key, name, value) {
		at(r, up, name);
		if (read_property(r, name, value, p) == -1)
			return -1;
	}
	r->path[up] = '\0';
	if (p->name == NULL)
		return fail(r, "it has no name");
	if (p->hash == NULL && p->secret == NULL)
		return fail(r, "it has neither sha256 nor secret: nobody could use it");
	if (json_object_get(key, "may") == NULL)
		return fail(r, "it does not say what it may");
	p->book = r->book;
	return 0;
}

static int read_keys(struct reading *r, const json_t *keys)
{
	size_t up = strlen(r->path), i;
	const json_t *key;

	if (!json_is_array(keys) || json_array_size(keys) > PUBLISHER_MAX)
		return fail(r, "a list of at most %d keys is wanted", PUBLISHER_MAX);
	r->book->publisher =
		publisher_book_alloc(r->book, json_array_size(keys) * sizeof *r->book->publisher);
	if (r->book->publisher == NULL)
		return fail_memory(r);
	json_array_foreach (keys, i, key) {
		at_index(r, up, i);
		if (read_key(r, key, &r->book->publisher[i]) == -1)
			return -1;
		r->book->count++;
	}
	return 0;
}

static int read_raw(struct reading *r, const json_t *raw)
{
	size_t up = strlen(r->path), count = json_object_size(raw);
	const char *pattern;
	struct raw_rule *rule;
	json_t *may;

	if (!json_is_object(raw) || count > PUBLISHER_MAX)
		return fail(r, "an object is wanted: {\"world\": [\"publish\"], \"*\": []}");
	if ((r->book->raw = publisher_book_alloc(r->book, count * sizeof *rule)) == NULL)
		return fail_memory(r);
	json_object_foreach ((json_t *)raw, pattern, may) {
		char *copy = publisher_book_alloc(r->book, strlen(pattern) + 1);

		rule = &r->book->raw[r->book->raw_count++];
		if (copy == NULL)
			return fail_memory(r);
		memcpy(copy, pattern, strlen(pattern) + 1);
		rule->pattern = copy;
		at(r, up, pattern);
		if (!publisher_is_pattern(pattern, strlen(pattern)))
			return fail(r, "this is no channel: `world`, `sport.*` or `*`");
		if (read_rights(r, may, &rule->rights) == -1)
			return -1;
	}
	return 0;
}

static int read_file(struct reading *r, const json_t *file)
{
	const char *name;
	json_t *value;

	if (!json_is_object(file))
		return fail(r, "an object is wanted: {\"keys\": [...]}");
	json_object_foreach ((json_t *)file, name, value) {
		int result;

		at(r, 0, name);
		if (strcmp(name, "keys") == 0)
			result = read_keys(r, value);
		else if (strcmp(name, "raw") == 0)
			result = read_raw(r, value);
		else
			result = fail(r, "there is no such property: keys or raw");
		if (result == -1)
			return -1;
	}
	return 0;
}

/* jansson's own words would show what stands there, which may be a secret. */
static void fail_json(struct reading *r, const json_error_t *bad)
{
	if (json_error_code(bad) == json_error_out_of_memory)
		(void)fail_memory(r);
	else if (json_error_code(bad) == json_error_duplicate_key)
		(void)fail(r, "a property is there twice (line %d)", bad->line);
	else
		(void)fail(r, "this is not JSON (line %d, column %d)", bad->line, bad->column);
}

struct publisher_book *publisher_book_read(const char *json, size_t len, char *error, size_t size)
{
	struct reading r = {.error = error, .size = size};
	json_error_t bad;
	json_t *file;
	int result = -1;

	if ((r.book = calloc(1, sizeof *r.book)) == NULL) {
		(void)fail_memory(&r);
		return NULL;
	}
	r.book->refs = 1;
	json_arena_open(len);
	if ((file = json_arena_read(json, len, JSON_REJECT_DUPLICATES, &bad)) == NULL)
		fail_json(&r, &bad);
	else
		result = read_file(&r, file);
	json_arena_wipe(); /* secrets */
	json_arena_close();
	if (result == 0)
		return r.book;
	publisher_book_unref(r.book);
	return NULL;
}
