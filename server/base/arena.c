/* arena.c - memory taken bit by bit, given back all at once. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = ARENA_IS_WATCHED ? 0 : 64 << 10 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	_Alignas(ARENA_ALIGNMENT) char bytes[];
};

static void use(struct arena *arena, struct arena_chunk *chunk)
{
	arena->at = chunk->bytes;
	arena->left = chunk->size;
}

static int add_chunk(struct arena *arena, size_t size)
{
	size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
	struct arena_chunk *chunk;

	if (room > arena->most || arena->taken > arena->most - room) {
		arena->over = true;
		return -1;
	}
	if ((chunk = malloc(sizeof *chunk + room)) == NULL)
		return -1;
	*chunk = (struct arena_chunk){arena->chunks, room};
	arena->chunks = chunk;
	arena->taken += room;
	use(arena, chunk);
	return 0;
}

void *arena_take_more(struct arena *arena, size_t size)
{
	size_t whole = size > 0 ? size : 1;

	if (whole > SIZE_MAX - ARENA_ALIGNMENT) {
		arena->over = true;
		return NULL;
	}
	whole = (whole + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
	if (whole > arena->left && add_chunk(arena, whole) == -1)
		return NULL;
	return arena_take(arena, whole);
}

static void free_chunk(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks;

	arena->chunks = chunk->next;
	arena->taken -= chunk->size;
	free(chunk);
}

void arena_wipe(struct arena *arena)
{
	size_t left = arena->left; /* in the newest chunk; the others are wiped whole */

	for (struct arena_chunk *chunk = arena->chunks; chunk != NULL; chunk = chunk->next) {
		explicit_bzero(chunk->bytes, chunk->size - left);
		left = 0;
	}
}

void arena_reset(struct arena *arena)
{
	while (arena->chunks && (arena->chunks->next || arena->chunks->size > CHUNK_SIZE))
		free_chunk(arena);
	arena->at = NULL;
	arena->left = 0;
	arena->over = false;
	if (arena->chunks)
		use(arena, arena->chunks);
}

void arena_free(struct arena *arena)
{
	while (arena->chunks)
		free_chunk(arena);
	*arena = (struct arena){.most = arena->most};
}
