/* answers.h - answers that are not over when they are written, on plain sockets.
 *
 * What it does  An answer is written as far as the kernel takes it. libwebsockets would copy the rest of each, and all of
 *               them together would have no bound; so the socket of one that is not taken whole leaves it, and becomes a
 *               line (line/line.h). Lines keep the same answer once for all who wait for it, and where there is no more
 *               room those are cut off that have taken nothing for longest. When all has left, the socket stays until the
 *               client closes too (LINE_PARTS): one that is still sending what was refused is not reset over its answer.
 * Bounds        --answer-memory for all of a worker. Whoever takes less than it has time for is cut off, so that nobody holds a place for
 *               ever.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_HTTP_ANSWERS_H
#define NEWSWIRE_HTTP_ANSWERS_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "base/base.h"
#include "base/buf.h"

struct answers;

enum { ANSWERS_TIME_MS = 15000 };

/* All together keep bytes_max; each has time_ms, and a second more for every 16 KiB. freed() is called for every socket that was
 * closed. NULL: out of memory. */
struct answers *answers_new(uv_loop_t *loop, size_t bytes_max, uint64_t time_ms,
			    void (*freed)(void *arg), void *arg) MUST_USE;
/* The bytes before `at` have left by this socket, which is taken over; the others follow, and then its end. */
void answers_go_on(struct answers *all, int fd, const struct buf *answer, size_t at);
/* A second has passed. */
void answers_second(struct answers *all);
/* Those that have not left whole, and those whose client has not closed its side yet. */
size_t answers_count(const struct answers *all);
/* Cuts them off. */
void answers_close(struct answers *all);
/* Accepts NULL. Every answer must be gone. */
void answers_free(struct answers *all);

#endif
