/* base.h - the few things that every floor uses. */
#ifndef NEWSWIRE_BASE_BASE_H
#define NEWSWIRE_BASE_BASE_H

#include <stddef.h>

#define MUST_USE			__attribute__((warn_unused_result))
#define COUNT_OF(a)			(sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* A programmer's mistake: says where and aborts, in every build. What the outside world does
 * never comes here. */
#define MUST(condition) ((condition) ? (void)0 : base_abort(__FILE__, __LINE__, #condition))
_Noreturn void base_abort(const char *file, int line, const char *what);

/* Writes a sentence of what is wrong, for people, and returns -1. */
int say_why(char *why, size_t size, const char *text, ...) __attribute__((format(printf, 3, 4)));

/* A table of pointers that is to have a place `at`, NULL where nothing was put; `table` may be NULL, with *cap 0. The table, perhaps moved, or
 * NULL: memory is short, and it is as before. */
void *table_reach(void *table, size_t *cap, size_t at) MUST_USE;

#endif
