/* json_arena.c - lends jansson an arena. */
#include "news/json_arena.h"
#include "base/arena.h"

static struct arena arena; /* its first chunk stays from document to document */
static bool is_open;
static json_malloc_t usual_malloc;
static json_free_t usual_free;

static void *take(size_t size)
{
	return arena_take(&arena, size);
}

static void keep(void *bytes)
{
	(void)bytes; /* json_arena_close() has it */
}

void json_arena_open(size_t most)
{
	MUST(!is_open);
	is_open = true;
	if (ARENA_IS_WATCHED)
		return;
	arena.most = most;
	json_get_alloc_funcs(&usual_malloc, &usual_free);
	json_set_alloc_funcs(take, keep);
}

void json_arena_drop(json_t *tree)
{
	MUST(is_open);
	if (ARENA_IS_WATCHED)
		json_decref(tree);
}

void json_arena_close(void)
{
	MUST(is_open);
	is_open = false;
	if (ARENA_IS_WATCHED)
		return;
	json_set_alloc_funcs(usual_malloc, usual_free);
	arena_reset(&arena);
}
