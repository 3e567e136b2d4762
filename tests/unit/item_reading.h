/* item_reading.h - what the tests of item.h share: an item out of a line of JSON, accepted or refused. */
#ifndef NEWSWIRE_TESTS_ITEM_READING_H
#define NEWSWIRE_TESTS_ITEM_READING_H

#include "news_test.h"
#include "news/item.h"

enum { MAX_ITEM = 262144 };

static inline struct item *read_len(const char *json, size_t len, struct item_report *report)
{
	return item_read(json, len, MAX_ITEM, NULL, report);
}

static inline struct item *accepted(const char *json)
{
	struct item_report report;
	struct item *item = read_len(json, strlen(json), &report);

	if (item == NULL)
		fail_msg("refused: %s %s", report.fault[0].pointer, report.fault[0].detail);
	return item;
}

static inline void assert_refused(const char *json, enum item_refusal refusal, const char *pointer)
{
	struct item_report report;
	struct item *item = read_len(json, strlen(json), &report);

	if (item != NULL || report.refusal != refusal ||
	    strcmp(report.fault[0].pointer, pointer) != 0)
		fail_msg("%s: %s at \"%s\"", json, item_refusal_name(report.refusal),
			 report.fault[0].pointer);
	assert_true(report.count >= 1);
	assert_true(strlen(report.fault[0].detail) > 0);
}

/* An item with a headline and whatever else a test is about. */
static inline char *item_with(const char *more)
{
	static char json[4096];

	snprintf(json, sizeof json, "{\"uri\":\"urn:x:1\",\"headlines\":[{\"value\":\"H\"}]%s%s}",
		 *more ? "," : "", more);
	return json;
}

static inline void assert_channels(const char *json, const char *channels)
{
	struct item *item = accepted(json);
	struct buf b = {0};

	channel_set_write(&item->channels, ' ', &b);
	assert_string_equal(news_test_text(&b), channels);
	buf_free(&b);
	item_free(item);
}

/* Reads tests/samples/<name>; the caller frees it. */
static inline char *sample(const char *name)
{
	char path[512];
	char *text = calloc(1, MAX_ITEM);
	FILE *file;

	snprintf(path, sizeof path, "%s/tests/samples/%s", NW_SOURCE_DIR, name);
	assert_non_null(file = fopen(path, "r"));
	assert_true(fread(text, 1, MAX_ITEM - 1, file) > 0);
	fclose(file);
	return text;
}

#endif
