/* news_class.c - how pressing news is: the names. */
#include "news/item.h"

#include <string.h>

static const char *const names[CLASS_COUNT] = {"flash", "bulletin", "urgent", "regular",
					       "deferred"};

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
