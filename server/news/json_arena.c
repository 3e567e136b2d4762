/* json_arena.c - lends jansson an arena, and leaves it where memory is short. */
#include "news/json_arena.h"
#include "base/arena.h"

#include <errno.h>
#include <setjmp.h>

/* What trees may take: `{},` becomes 240 bytes, twice where they are built anew. */
enum { TREE_BASE = 1 << 20, TREE_FACTOR = 512 };

static struct arena arena; /* its first chunk stays from document to document */
static bool is_open, is_reading;
static jmp_buf memory_short;
static json_malloc_t usual_malloc;
static json_free_t usual_free;

static void *take(size_t size)
{
	void *bytes = arena_take(&arena, size);

	if (bytes == NULL && is_reading)
		longjmp(memory_short, 1);
	return bytes;
}

static void keep(void *bytes)
{
	(void)bytes; /* json_arena_close() has it */
}

void json_arena_open(size_t len)
{
	MUST(!is_open);
	is_open = true;
	arena.most = TREE_BASE + len * TREE_FACTOR;
	json_get_alloc_funcs(&usual_malloc, &usual_free);
	json_set_alloc_funcs(take, keep);
}

/* On its own, so that no variable lives on both sides of the jump. NULL, too, if memory was short. */
static json_t *read_or_leave(const char *bytes, size_t len, size_t flags, json_error_t *error)
{
	if (setjmp(memory_short) != 0) {
		error->text[JSON_ERROR_TEXT_LENGTH - 1] =
			json_error_out_of_memory; /* where its code lies */
		errno = ENOMEM;
		return NULL;
	}
	return json_loadb(bytes, len, flags, error);
}

json_t *json_arena_read(const char *bytes, size_t len, size_t flags, json_error_t *error)
{
	json_t *json;

	MUST(is_open);
	errno = 0; /* of what was before */
	*error = (json_error_t){0};
	is_reading = true;
	json = read_or_leave(bytes, len, flags, error);
	is_reading = false;
	return json;
}

void json_arena_wipe(void)
{
	MUST(is_open);
	arena_wipe(&arena);
}

void json_arena_close(void)
{
	MUST(is_open);
	is_open = false;
	json_set_alloc_funcs(usual_malloc, usual_free);
	arena_reset(&arena);
}
