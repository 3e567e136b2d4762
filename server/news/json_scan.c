/* json_scan.c - where a JSON value ends, without decoding it. */
#include "news/json_scan.h"

#include <stdbool.h>
#include <stddef.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

const char *json_skip_space(const char *at, const char *end)
{
	while (at < end && is_space(*at))
		at++;
	return at;
}

const char *json_drop_space(const char *begin, const char *end)
{
	while (end > begin && is_space(end[-1]))
		end--;
	return end;
}

const char *json_skip_string(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\' && at + 1 < end)
			at++;
	return at < end ? at + 1 : end;
}

const char *json_end_of_element(const char *at, const char *end)
{
	size_t depth = 0;

	while (at < end) {
		if (*at == '"') {
			at = json_skip_string(at, end);
			continue;
		}
		if (depth == 0 && (*at == ',' || *at == ']' || *at == '}'))
			return at;
		if (*at == '{' || *at == '[')
			depth++;
		else if (*at == '}' || *at == ']')
			depth--;
		at++;
	}
	return end;
}
