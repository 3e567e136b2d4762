/* channel.c - names that news is sent under, and sorted sets of them. */
#include "news/channel.h"
#include "base/base.h"

#include <errno.h>
#include <newswire/protocol.h>
#include <stdlib.h>
#include <string.h>

/* The kinds that the server derives (item.c). */
static const char *const kinds[] = {"feed",  "class",  "type", "lang",
				    "topic", "region", "desk", "story"};

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_mark(char c)
{
	return c == '.' || c == '_' || c == '-';
}

bool channel_is_plain(const char *name, size_t len)
{
	if (len == 0 || len > CHANNEL_NAME_MAX || !is_lower_or_digit(name[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!is_lower_or_digit(name[i]) && !is_mark(name[i]))
			return false;
	return true;
}

bool channel_is_exercise(const char *name, size_t len)
{
	static const char word[] = NEWSWIRE_CHANNEL_EXERCISE;
	size_t word_len = sizeof word - 1;

	return len >= word_len && memcmp(name, word, word_len) == 0 &&
	       (len == word_len || name[word_len] == '.');
}

bool channel_is_value(const char *value, size_t len)
{
	if (len == 0 || len > CHANNEL_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_lower_or_digit(value[i]) && !is_mark(value[i]) &&
		    !(value[i] >= 'A' && value[i] <= 'Z'))
			return false;
	return true;
}

static bool is_kind(const char *kind, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (strlen(kinds[i]) == len && memcmp(kinds[i], kind, len) == 0)
			return true;
	return false;
}

bool channel_is_readable(const char *name, size_t len)
{
	const char *colon = len ? memchr(name, ':', len) : NULL;

	if (colon == NULL)
		return channel_is_plain(name, len);
	return is_kind(name, (size_t)(colon - name)) &&
	       channel_is_value(colon + 1, len - (size_t)(colon - name) - 1);
}

static bool are_value_letters(const char *value, size_t len)
{
	return len == 0 || channel_is_value(value, len);
}

bool channel_is_prefix(const char *name, size_t len)
{
	const char *colon = len ? memchr(name, ':', len) : NULL;

	if (len == 0 || name[--len] != '*')
		return false;
	if (colon == NULL)
		return len == 0 || channel_is_plain(name, len);
	return is_kind(name, (size_t)(colon - name)) &&
	       are_value_letters(colon + 1, len - (size_t)(colon - name) - 1);
}

bool channel_begins_with(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0 &&
	       (strchr(prefix, ':') != NULL || strchr(name, ':') == NULL);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts, and drops doubles. Returns how many are left. */
static size_t sort_names(const char **name, size_t count)
{
	size_t kept = 0;

	qsort(name, count, sizeof *name, compare_names);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || strcmp(name[kept - 1], name[i]) != 0)
			name[kept++] = name[i];
	return kept;
}

static size_t count_names(const char *text, size_t len, char separator)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		if (text[i] != separator && (i == 0 || text[i - 1] == separator))
			count++;
	return count;
}

int channel_set_read(struct channel_set *set, const char *text, size_t len, char separator)
{
	size_t most = count_names(text, len, separator);
	size_t bytes = most * sizeof *set->name + len + 1;
	const char **name;
	char *copy;
	size_t count = 0;

	*set = (struct channel_set){0};
	if (most == 0)
		return 0;
	if (bytes > UINT32_MAX) {
		errno = E2BIG;
		return -1;
	}
	if ((name = malloc(bytes)) == NULL)
		return -1;
	copy = (char *)(name + most);
	memcpy(copy, text, len);
	copy[len] = '\0';
	for (size_t i = 0; i < len; i++) {
		if (text[i] == separator)
			copy[i] = '\0';
		else if (i == 0 || text[i - 1] == separator)
			name[count++] = copy + i;
	}
	count = sort_names(name, count);
	if (count > CHANNEL_SET_MAX) {
		free(name);
		errno = E2BIG;
		return -1;
	}
	*set = (struct channel_set){name, (uint32_t)count, (uint32_t)bytes};
	return 0;
}

int channel_set_copy(struct channel_set *to, const struct channel_set *from)
{
	*to = (struct channel_set){0};
	if (from->count == 0)
		return 0;
	if ((to->name = malloc(from->bytes)) == NULL)
		return -1;
	memcpy(to->name, from->name, from->bytes);
	for (uint32_t i = 0; i < from->count; i++) /* the same places, in the new block */
		to->name[i] = (char *)to->name + (from->name[i] - (const char *)from->name);
	to->count = from->count;
	to->bytes = from->bytes;
	return 0;
}

uint32_t channel_set_find(const struct channel_set *set, const char *name)
{
	const char *const *found = set->count == 0 ? NULL
						   : bsearch(&name, set->name, set->count,
							     sizeof *set->name, compare_names);

	return found == NULL ? set->count : (uint32_t)(found - set->name);
}

bool channel_set_has(const struct channel_set *set, const char *name)
{
	return set->count > 0 &&
	       bsearch(&name, set->name, set->count, sizeof *set->name, compare_names) != NULL;
}

bool channel_set_meet(const struct channel_set *a, const struct channel_set *b)
{
	uint32_t i = 0, j = 0;

	while (i < a->count && j < b->count) {
		int order = strcmp(a->name[i], b->name[j]);
		if (order == 0)
			return true;
		if (order < 0)
			i++;
		else
			j++;
	}
	return false;
}

/* The first name that does not come before this text. */
static uint32_t find_place(const struct channel_set *set, const char *text)
{
	uint32_t low = 0, high = set->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (strcmp(set->name[middle], text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool channel_set_begins_with(const struct channel_set *set, const char *prefix)
{
	size_t len = strlen(prefix);

	for (uint32_t i = find_place(set, prefix);
	     i < set->count && strncmp(set->name[i], prefix, len) == 0; i++)
		if (channel_begins_with(set->name[i], prefix))
			return true;
	return false;
}

void channel_set_write(const struct channel_set *set, char separator, struct buf *out)
{
	for (uint32_t i = 0; i < set->count; i++) {
		if (i > 0)
			buf_addc(out, separator);
		buf_adds(out, set->name[i]);
	}
}

void channel_set_free(struct channel_set *set)
{
	free(set->name);
	*set = (struct channel_set){0};
}
