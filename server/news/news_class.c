/* news_class.c - how pressing news is: the names, and the numbers. */
#include "news/item.h"

#include <string.h>

static const char *const names[CLASS_COUNT] = {"flash", "bulletin", "urgent", "regular",
					       "deferred"};

const enum news_class news_class_by_urgency[NEWS_URGENCY_COUNT] = {
	CLASS_REGULAR, CLASS_FLASH,   CLASS_BULLETIN, CLASS_URGENT,   CLASS_REGULAR,
	CLASS_REGULAR, CLASS_REGULAR, CLASS_DEFERRED, CLASS_DEFERRED, CLASS_DEFERRED,
};

const char *news_class_name(enum news_class c)
{
	MUST(c < CLASS_COUNT);
	return names[c];
}

enum news_class news_class_read(const char *name, size_t len)
{
	enum news_class c = 0;

	while (c < CLASS_COUNT && !(strlen(names[c]) == len && memcmp(names[c], name, len) == 0))
		c++;
	return c;
}
