/* failing_malloc.c - memory that runs out where a test says. */
#include "cmocka_all.h"
#include "failing_malloc.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

static long left;	       /* allocations that still work in this attempt */
static bool counting, lasting; /* lasting: those after the failed one fail, too */
static bool happened;

static bool is_short(void)
{
	if (!counting)
		return false;
	if (left > 0) {
		left--;
		return false;
	}
	if (happened && !lasting)
		return false;
	happened = true;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return is_short() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return is_short() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return is_short() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
	return is_short() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
	return is_short() ? NULL : __real_strndup(text, len);
}

void fail_begin(void)
{
	counting = true;
}

void fail_end(void)
{
	counting = false;
}

bool fail_happened(void)
{
	return happened;
}

static void each(bool (*attempt)(void), bool all_after)
{
	bool done;

	json_set_alloc_funcs(__wrap_malloc, free);
	lasting = all_after;
	for (long works = 0; works < 100000; works++) {
		left = works;
		happened = false;
		done = attempt();
		counting = false;
		if (!happened) {
			assert_true(done);
			assert_true(works > 0);
			return;
		}
	}
	fail_msg("it never has enough");
}

void fail_each(bool (*attempt)(void))
{
	each(attempt, false);
}

void fail_each_from(bool (*attempt)(void))
{
	each(attempt, true);
}

void fail_none(bool (*attempt)(void))
{
	left = LONG_MAX;
	happened = false;
	assert_true(attempt());
	counting = false;
}
