/* utf8.c - jansson makes a string of it, or does not. */
#include "news/utf8.h"

#include <jansson.h>

bool utf8_is_valid(const void *bytes, size_t len)
{
	json_t *text = json_stringn(bytes, len);

	json_decref(text);
	return text != NULL;
}
