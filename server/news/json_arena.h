/* json_arena.h - one JSON document is read, in memory that is given back as a whole.
 *
 * What it does  Between json_arena_open() and json_arena_close() whatever jansson allocates comes from one arena, and freeing costs
 *               nothing: a third of what a small tree costs is malloc and free.
 * Short memory  jansson (2.14) does not look whether the buffer of a token could grow: it goes on without the character, which
 *               changes a text or, where it was the token's last, ends in an assertion or behind the buffer. So reading is left
 *               at the first allocation that fails (longjmp), and the arena has all that jansson held.
 * Lifetime      No value made in between outlives the close, none made before is freed in between.
 * Threads       Loop thread only, one opening at a time: jansson's allocator is the process'.
 * Sanitizers    Where one looks on, each value is an allocation of its own (arena.h), so that each mistake shows.
 */
#ifndef NEWSWIRE_NEWS_JSON_ARENA_H
#define NEWSWIRE_NEWS_JSON_ARENA_H

#include <stddef.h>
#include <jansson.h>
#include "base/base.h"

/* For a text of len bytes, and as many trees of it as are made of one. */
void json_arena_open(size_t len);
/* As json_loadb(); error is not NULL. NULL: its json_error_code() is json_error_out_of_memory, and errno ENOMEM, whenever
 * memory was short, and never otherwise. */
json_t *json_arena_read(const char *bytes, size_t len, size_t flags, json_error_t *error) MUST_USE;
/* Zeroes all that was taken since the opening, before its close. */
void json_arena_wipe(void);
/* Every value is gone. */
void json_arena_close(void);

#endif
