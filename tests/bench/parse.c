/* parse.c - reads a file many times, as an item or only as JSON: tests/bench/run parse counts the
 * instructions of both.
 *
 *     nw-parse item|json FILE TIMES
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "news/item.h"

enum { FILE_MAX = 256 << 10 };

/* All that happens to an item until the script that accepts it is asked. */
static bool read_as_item(const char *text, size_t len)
{
	struct item_report report;
	struct item *item = item_read(text, len, FILE_MAX, NULL, &report);

	item_free(item);
	return item != NULL;
}

/* The yardstick: jansson alone, with its own memory and the flags that items are read with. */
static bool read_as_json(const char *text, size_t len)
{
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

	json_decref(json);
	return json != NULL;
}

int main(int argc, char **argv)
{
	static char text[FILE_MAX];
	bool (*read)(const char *, size_t) = NULL;
	size_t len;
	FILE *file;

	if (argc == 4)
		read = strcmp(argv[1], "item") == 0   ? read_as_item
		       : strcmp(argv[1], "json") == 0 ? read_as_json
						      : NULL;
	if (read == NULL || (file = fopen(argv[2], "r")) == NULL) {
		fprintf(stderr, "usage: nw-parse item|json FILE TIMES\n");
		return 2;
	}
	if (ARENA_IS_WATCHED) {
		fprintf(stderr, "nw-parse: built with a sanitizer, this means nothing\n");
		return 2;
	}
	len = fread(text, 1, sizeof text, file);
	fclose(file);
	for (long left = strtol(argv[3], NULL, 10); left > 0; left--)
		if (!read(text, len)) {
			fprintf(stderr, "nw-parse: %s cannot be read\n", argv[2]);
			return 1;
		}
	return 0;
}
