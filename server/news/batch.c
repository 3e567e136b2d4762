/* batch.c - the items of one body, found without decoding them. */
#include "news/batch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "news/json_scan.h"

/* --- what it is ------------------------------------------------------------------------------ */

static bool ends_with(const char *text, size_t len, const char *end)
{
	size_t end_len = strlen(end);

	return len > end_len && strncasecmp(text + len - end_len, end, end_len) == 0;
}

static bool is_one_of(const char *text, size_t len, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == len && strncasecmp(text, names[i], len) == 0)
			return true;
	return false;
}

/* Is there a charset among the parameters, and another one than UTF-8? */
static bool has_other_charset(const char *parameters)
{
	const char *charset = strcasestr(parameters, "charset=");

	if (charset == NULL)
		return false;
	charset += strlen("charset=");
	charset += *charset == '"';
	return strncasecmp(charset, "utf-8", 5) != 0 && strncasecmp(charset, "utf8", 4) != 0 &&
	       strncasecmp(charset, "us-ascii", 8) != 0;
}

enum batch_form batch_form_of(const char *content_type)
{
	static const char *const json[] = {"application/json", "text/json"};
	static const char *const lines[] = {"application/x-ndjson", "application/ndjson",
					    "application/jsonl", "application/x-jsonlines"};
	size_t len;

	if (content_type == NULL)
		return BATCH_JSON;
	content_type += strspn(content_type, " \t");
	if (*content_type == '\0')
		return BATCH_JSON;
	len = strcspn(content_type, "; \t");
	if (has_other_charset(content_type + len))
		return BATCH_UNKNOWN;
	if (is_one_of(content_type, len, lines, COUNT_OF(lines)))
		return BATCH_LINES;
	if (is_one_of(content_type, len, json, COUNT_OF(json)) ||
	    (strncasecmp(content_type, "application/", strlen("application/")) == 0 &&
	     ends_with(content_type, len, "+json")))
		return BATCH_JSON;
	return BATCH_UNKNOWN;
}

/* --- its items ------------------------------------------------------------------------------- */

bool batch_is_array(const char *bytes, size_t len)
{
	const char *at = json_skip_space(bytes, bytes + len);

	return at < bytes + len && *at == '[';
}

/* Counts all, keeps no more than may be. */
static void keep(struct batch *batch, const char *bytes, const char *begin, const char *end)
{
	if (batch->count < BATCH_ITEMS_MAX)
		batch->piece[batch->count] = (struct batch_piece){.at = (size_t)(begin - bytes),
								  .len = (size_t)(end - begin)};
	batch->count++;
}

/* Returns where it stopped: end if the array is whole and nothing follows it. */
static const char *split_array(struct batch *batch, const char *bytes, const char *end)
{
	const char *at = json_skip_space(bytes, end) + 1; /* behind the bracket */
	const char *begin = json_skip_space(at, end);

	if (begin < end && *begin == ']')
		return json_skip_space(begin + 1, end);
	for (;;) {
		begin = json_skip_space(at, end);
		at = json_end_of_element(begin, end);
		if (at == end || *at == '}' || at == begin)
			return at < end ? at : end - 1;
		keep(batch, bytes, begin, json_drop_space(begin, at));
		if (*at++ == ']')
			return json_skip_space(at, end);
	}
}

static void split_lines(struct batch *batch, const char *bytes, const char *end)
{
	const char *next;

	for (const char *at = bytes; at < end; at = next) {
		const char *feed = memchr(at, '\n', (size_t)(end - at));
		const char *stop = feed ? feed : end;
		const char *begin = json_skip_space(at, stop);

		next = feed ? feed + 1 : end;
		if (begin < stop)
			keep(batch, bytes, begin, json_drop_space(begin, stop));
	}
}

static enum batch_fault fail(struct batch *batch, enum batch_fault fault)
{
	batch_free(batch);
	return fault;
}

enum batch_fault batch_split(struct batch *batch, enum batch_form form, const char *bytes,
			     size_t len, size_t *at)
{
	const char *end = bytes + len, *stop = end;

	*at = 0;
	if ((batch->piece = calloc(BATCH_ITEMS_MAX, sizeof *batch->piece)) == NULL)
		return BATCH_NO_MEMORY;
	if (form == BATCH_LINES)
		split_lines(batch, bytes, end);
	else if (batch_is_array(bytes, len))
		stop = split_array(batch, bytes, end);
	else
		stop = bytes;
	*at = stop == end ? batch->count : (size_t)(stop - bytes);
	if (stop != end)
		return fail(batch, BATCH_BROKEN);
	if (batch->count == 0)
		return fail(batch, BATCH_EMPTY);
	if (batch->count > BATCH_ITEMS_MAX)
		return fail(batch, BATCH_TOO_MANY);
	return BATCH_GOOD;
}

void batch_free(struct batch *batch)
{
	free(batch->piece);
	*batch = (struct batch){0};
}
