/* item_words.c - the closed vocabularies of an item: its types, and why it may be refused. */
#include "news/item.h"

#include <string.h>

static const char *const types[] = {"text",	 "audio",     "video", "picture", "graphic",
				    "composite", "component", "event", "planning"};

static const char *const refusals[] = {
	[ITEM_OK] = "ok",
	[ITEM_NOT_JSON] = "not_json",
	[ITEM_NOT_UTF8] = "not_utf8",
	[ITEM_TOO_LARGE] = "too_large",
	[ITEM_TOO_DEEP] = "too_deep",
	[ITEM_DUPLICATE_KEY] = "duplicate_key",
	[ITEM_WRONG_TYPE] = "wrong_type",
	[ITEM_BAD_VALUE] = "bad_value",
	[ITEM_EMPTY] = "empty",
	[ITEM_BAD_CHANNEL] = "bad_channel",
	[ITEM_ADVISORY] = "advisory",
	[ITEM_CHANNEL_FORBIDDEN] = "channel_forbidden",
	[ITEM_BAD_SIGNATURE] = "bad_signature",
};

bool item_is_type(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (types[i][0] == *name && strlen(types[i]) == len &&
		    memcmp(types[i], name, len) == 0)
			return true;
	return false;
}

const char *item_refusal_name(enum item_refusal r)
{
	MUST(r < COUNT_OF(refusals));
	return refusals[r];
}
