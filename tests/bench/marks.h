/* marks.h - finds the bench's marks in a stream of bytes.
 *
 * What it does  A mark says when a message was sent and which one it is:
 *               "@@<19 digits: CLOCK_MONOTONIC ns>,<7 digits: number>@@", always MARK_BYTES long.
 *               marks_scan() finds every mark, however the stream was cut into reads, and
 *               parses nothing else: the readers must cost next to nothing.
 * Ownership     A struct marks holds only the bytes of one unfinished mark; zeroed means fresh.
 * Errors        None: what is not a mark is passed over.
 * Threads       None of its own.
 */
#ifndef NW_BENCH_MARKS_H
#define NW_BENCH_MARKS_H

#include <stddef.h>
#include <stdint.h>

#define MARK_BYTES  31
#define MARK_FORMAT "@@%019lld,%07u@@"

struct marks {
	uint8_t held;		    /* bytes in carry */
	char carry[MARK_BYTES - 1]; /* the beginning of what may become a mark */
};

typedef void marks_found(void *who, int64_t sent_ns, uint32_t number);

void marks_scan(struct marks *m, const char *bytes, size_t n, marks_found *found, void *who);

#endif
