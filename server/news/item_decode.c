/* item_decode.c - limits, and jansson. */
#include "news/item_decode.h"

#include <stdio.h>
#include <string.h>
#include "news/json_arena.h"

/* --- before jansson -------------------------------------------------------------------------- */

enum kind { OTHER, WHITE, SEPARATOR, OPENING, CLOSING, QUOTE };

static const unsigned char kinds[256] = {
	[' '] = WHITE,	   ['\t'] = WHITE,    ['\n'] = WHITE,  ['\r'] = WHITE,
	[','] = SEPARATOR, [':'] = SEPARATOR, ['{'] = OPENING, ['['] = OPENING,
	['}'] = CLOSING,   [']'] = CLOSING,   ['"'] = QUOTE,
};

/* The quote that ends a string which begins before `at`, or NULL. */
static const char *find_end_of_string(const char *at, const char *end)
{
	while ((at = memchr(at, '"', (size_t)(end - at)))) {
		const char *before = at;
		while (before[-1] == '\\') /* at the latest the opening quote stops this */
			before--;
		if ((at - before) % 2 == 0)
			return at;
		at++;
	}
	return NULL;
}

/* Appends what means something to `out`, which has room for all. White space stays, as one space,
 * where it could part two tokens: behind a number or a word. False: nested too deeply. */
static bool squeeze(const char *bytes, size_t len, struct buf *out)
{
	const char *end = bytes + len, *next;
	char *to = out->data;
	bool parts = false;
	int depth = 0;

	for (const char *at = bytes; at < end; at = next) {
		enum kind kind = kinds[(unsigned char)*at];
		if (kind == WHITE) {
			for (next = at + 1; next < end && *next == ' ';)
				next++;
			if (parts)
				*to++ = ' ';
			parts = false;
			continue;
		}
		next = at + 1;
		parts = kind == OTHER;
		*to++ = *at;
		if (kind == OPENING && ++depth > ITEM_DEPTH_MAX)
			return false;
		depth -= kind == CLOSING;
		if (kind != QUOTE)
			continue;
		next = find_end_of_string(next, end);
		next = next ? next + 1 : end; /* no end: no JSON, jansson says so */
		memcpy(to, at + 1, (size_t)(next - at) - 1);
		to += next - at - 1;
	}
	out->len = (size_t)(to - out->data);
	return true;
}

/* --- jansson --------------------------------------------------------------------------------- */

static void refuse_json(struct ninjs *n, const json_error_t *error)
{
	static const struct {
		enum json_error_code code;
		enum item_refusal refusal;
		const char *detail;
	} rows[] = {
		{json_error_invalid_utf8, ITEM_NOT_UTF8, "This is not UTF-8"},
		{json_error_duplicate_key, ITEM_DUPLICATE_KEY, "A property is there twice"},
		{json_error_stack_overflow, ITEM_TOO_DEEP, "This is nested too deeply"},
		{json_error_null_character, ITEM_BAD_VALUE, "A text has a NUL character"},
		{json_error_null_byte_in_key, ITEM_BAD_VALUE, "A name has a NUL character"},
		{json_error_numeric_overflow, ITEM_BAD_VALUE, "A number is too large"},
	};
	enum item_refusal refusal = ITEM_NOT_JSON;
	const char *detail = "This is not JSON";
	char sentence[160];

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].code == json_error_code(error)) {
			refusal = rows[i].refusal;
			detail = rows[i].detail;
		}
	}
	if (error->line > 0)
		snprintf(sentence, sizeof sentence, "%s (line %d, column %d).", detail, error->line,
			 error->column);
	else
		snprintf(sentence, sizeof sentence, "%s.", detail);
	ninjs_fault(n, NULL, refusal, sentence);
}

static json_t *load(const struct buf *squeezed, const char *bytes, size_t len, struct ninjs *n)
{
	json_error_t error;
	json_t *json =
		json_arena_read(squeezed->data, squeezed->len, JSON_REJECT_DUPLICATES, &error);

	if (json == NULL) /* where the fault stands is said of what was sent */
		json = json_arena_read(bytes, len, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL && json_error_code(&error) == json_error_out_of_memory)
		n->no_memory = true;
	else if (json == NULL)
		refuse_json(n, &error);
	return json;
}

json_t *item_decode(const char *bytes, size_t len, size_t max_bytes, struct ninjs *n)
{
	struct buf squeezed = {0};
	json_t *json = NULL;
	char detail[96];

	if (len > max_bytes) {
		snprintf(detail, sizeof detail, "This is longer than %zu bytes.", max_bytes);
		ninjs_fault(n, NULL, ITEM_TOO_LARGE, detail);
		return NULL;
	}
	if (buf_reserve(&squeezed, len) == -1) {
		n->no_memory = true;
	} else if (!squeeze(bytes, len, &squeezed)) {
		snprintf(detail, sizeof detail, "This is nested deeper than %d levels.",
			 ITEM_DEPTH_MAX);
		ninjs_fault(n, NULL, ITEM_TOO_DEEP, detail);
	} else {
		json = load(&squeezed, bytes, len, n);
	}
	buf_free(&squeezed);
	return json;
}
