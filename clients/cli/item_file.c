/* item_file.c - one item as it lies in a file. */
#include "item_file.h"

#include <newswire/protocol.h>

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_all(struct item_file *item, FILE *file)
{
	size_t cap = 0;

	for (;;) {
		if (item->len + 1 >= cap) {
			char *text = realloc(item->text, cap = cap ? cap * 2 : 16384);

			if (text == NULL) {
				snprintf(item->problem, sizeof item->problem, "out of memory");
				return -1;
			}
			item->text = text;
		}
		item->len += fread(item->text + item->len, 1, cap - item->len - 1, file);
		item->text[item->len] = '\0';
		if (item->len > NEWSWIRE_MAX_ITEM_LIMIT) {
			snprintf(item->problem, sizeof item->problem, "longer than %d bytes",
				 NEWSWIRE_MAX_ITEM_LIMIT);
			return -1;
		}
		if (ferror(file)) {
			snprintf(item->problem, sizeof item->problem, "cannot read it: %s",
				 strerror(errno));
			return -1;
		}
		if (feof(file))
			return 0;
	}
}

int item_file_read(struct item_file *item, const char *name)
{
	bool is_stdin = strcmp(name, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(name, "re");
	int status;

	*item = (struct item_file){0};
	if (file == NULL) {
		snprintf(item->problem, sizeof item->problem, "cannot open it: %s",
			 strerror(errno));
		return -1;
	}
	status = read_all(item, file);
	if (!is_stdin)
		fclose(file);
	if (status == 0 && item->len == 0) {
		snprintf(item->problem, sizeof item->problem, "it is empty");
		status = -1;
	}
	return status;
}

int item_file_check(struct item_file *item)
{
	json_error_t error;
	json_t *json = json_loadb(item->text, item->len, JSON_REJECT_DUPLICATES, &error);
	int status = json_is_object(json) ? 0 : -1;

	if (json == NULL)
		snprintf(item->problem, sizeof item->problem, "not JSON: line %d, column %d: %s",
			 error.line, error.column, error.text);
	else if (status < 0)
		snprintf(item->problem, sizeof item->problem, "not an item: JSON, but no object");
	json_decref(json);
	return status;
}

void item_file_free(struct item_file *item)
{
	free(item->text);
	*item = (struct item_file){0};
}

int item_file_first_line(const char *name, char *line, size_t size)
{
	FILE *file = fopen(name, "re");
	size_t len;

	if (file == NULL)
		return -1;
	if (fgets(line, (int)size, file) == NULL)
		line[0] = '\0';
	fclose(file);
	len = strcspn(line, "\r\n");
	errno = len == 0 ? ENODATA : len + 1 == size ? EMSGSIZE : 0;
	line[len] = '\0';
	return errno ? -1 : 0;
}
