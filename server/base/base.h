/* base.h - the few macros that every floor uses. */
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

#endif
