/* json_arena.h - memory for jansson while one document is read, given back as a whole.
 *
 * What it does  Between json_arena_open() and json_arena_close() whatever jansson allocates comes
 *               from one arena, and freeing costs nothing: a third of what a small tree costs is
 *               malloc and free.
 * Lifetime      No value made in between outlives the close, none made before is freed in between.
 * Threads       Loop thread only, one opening at a time: jansson's allocator is the process'.
 * Sanitizers    Where one looks on, jansson keeps its own allocator, so that each mistake shows.
 */
#ifndef NEWSWIRE_NEWS_JSON_ARENA_H
#define NEWSWIRE_NEWS_JSON_ARENA_H

#include <jansson.h>

/* `most` bytes at most; beyond them jansson is out of memory. */
void json_arena_open(size_t most);
/* Instead of json_decref(), for a tree that nobody else has a reference to. */
void json_arena_drop(json_t *tree);
void json_arena_close(void);

#endif
