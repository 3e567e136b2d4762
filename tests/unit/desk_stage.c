/* desk_stage.c - a real Redis for the desk's tests, and what they ask it. */
#include "cmocka_all.h"
#include "desk_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stage stage;
static redisReply *last;

static void connect_again(void)
{
	if (stage.link)
		redisFree(stage.link);
	stage.link = redisConnectUnix(stage.socket);
	assert_non_null(stage.link);
	assert_int_equal(stage.link->err, 0);
}

void stage_kill_redis(void)
{
	redis_fixture_kill(stage.redis);
}

void stage_start_redis(void)
{
	redis_fixture_restart(stage.redis);
	connect_again();
}

int stage_open(void **state)
{
	/* Uncompressed, a text can be found in what DUMP gives. */
	static const char *const more[] = {"--rdbcompression", "no", NULL};

	(void)state;
	stage.redis = redis_fixture_start_with(more);
	stage.place = redis_fixture_address(stage.redis);
	stage.socket = stage.place + strlen("unix:");
	connect_again();
	return 0;
}

int stage_close(void **state)
{
	(void)state;
	freeReplyObject(last);
	redisFree(stage.link);
	redis_fixture_stop(stage.redis);
	return 0;
}

int stage_clear(void **state)
{
	(void)state;
	stage_ask("FLUSHALL");
	return 0;
}

static redisReply *vask(const char *format, va_list args)
{
	freeReplyObject(last);
	last = redisvCommand(stage.link, format, args);
	assert_non_null(last);
	return last;
}

redisReply *stage_ask(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vask(format, args);
	va_end(args);
	return last;
}

const char *stage_text(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vask(format, args);
	va_end(args);
	return last->str ? last->str : "";
}

long long stage_number(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vask(format, args);
	va_end(args);
	if (last->type == REDIS_REPLY_INTEGER)
		return last->integer;
	return last->str ? strtoll(last->str, NULL, 10) : -1;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void dump_key(struct buf *out, const char *name)
{
	redisReply *dump = redisCommand(stage.link, "DUMP %s", name);

	assert_non_null(dump);
	buf_addf(out, "%s\n", name);
	if (dump->type == REDIS_REPLY_STRING)
		buf_add(out, dump->str, dump->len);
	freeReplyObject(dump);
}

void stage_dump(struct buf *out, const char *except)
{
	redisReply *keys = redisCommand(stage.link, "KEYS *");
	char **names;

	assert_non_null(keys);
	names = calloc(keys->elements + 1, sizeof *names);
	assert_non_null(names);
	for (size_t i = 0; i < keys->elements; i++)
		names[i] = keys->element[i]->str;
	qsort(names, keys->elements, sizeof *names, compare_texts);
	buf_clear(out);
	for (size_t i = 0; i < keys->elements; i++)
		if (except == NULL || strncmp(names[i], except, strlen(except)) != 0)
			dump_key(out, names[i]);
	assert_false(out->failed);
	free(names);
	freeReplyObject(keys);
}

bool stage_holds(const char *text, const char *except)
{
	struct buf all = {0};
	bool found;

	stage_dump(&all, except);
	found = all.len && memmem(all.data, all.len, text, strlen(text));
	buf_free(&all);
	return found;
}

void stage_holds_stories(int count)
{
	redisReply *entries = stage_ask("XRANGE {newswire}:wire - +");
	char expected[40];

	assert_int_equal(entries->elements, count);
	for (int i = 0; i < count; i++) {
		snprintf(expected, sizeof expected, "\"uri\":\"urn:%d\",", i);
		assert_non_null(strstr(entries->element[i]->element[1]->element[5]->str, expected));
	}
}
