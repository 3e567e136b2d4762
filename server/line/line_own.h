/* line_own.h - a line's inside, for line.c and writing.c. */
#ifndef NEWSWIRE_LINE_LINE_OWN_H
#define NEWSWIRE_LINE_LINE_OWN_H

#include "base/hash.h"
#include "line/line.h"
#include "line/tls.h"

/* Bytes that the kernel did not take: once for all lines that were written the same. */
struct kept {
	struct lines *all;
	size_t lines;  /* that have not sent all of it */
	uint64_t hash; /* of its bytes */
	UT_hash_handle hh;
	size_t len;
	uint8_t bytes[];
};

struct line_rest {
	struct kept *sealed; /* encrypted, and goes first; NULL: nothing is */
	size_t sealed_at;    /* of its bytes, the first that waits */
	struct kept *kept;   /* NULL: nothing but what is encrypted */
	size_t at;	     /* as above */
	struct line *line;   /* NULL: not watched, and not among the rests */
	struct line_rest *prev, *next;
};

/* Always true: by_fd[i] is the watched line whose fd is i, or NULL. */
struct lines {
	int epoll;
	uv_poll_t poll;
	struct line **by_fd;
	size_t cap;
	struct parting *parting;
	size_t parting_count;
	size_t waiting, waiting_max; /* bytes of all that is kept */
	enum counter_id waiting_row, let_go_row;
	struct kept *kept;	 /* by hash */
	struct line_rest *rests; /* who has waited longest first */
	void (*freed)(void *arg);
	void *arg;
};

/* The set looks for what matters now. 0, or -1: it does not take it. */
int line_look(struct line *line, int how);
void line_arm(struct line *line, bool armed);
/* Its end is found by the next look at the set, whatever the error was. */
enum line_result line_die(struct line *line);

/* --- writing.c -------------------------------------------------------------------------------- */

/* How many bytes the kernel took, as they are, or -1. */
ssize_t line_send_plain(const struct line *line, const uint8_t *bytes, size_t len);
/* Encrypted bytes leave in the order in which they were made. 0 or -1. */
int line_send_sealed(struct line *line, const struct tls_sealed *sealed);
/* What waits: 1: all has left; 0: some still waits; -1: it is dead. */
int line_send_rest(struct line *line);
void line_free_rest(struct line *line);
/* The last of those who are let go when there is no more room. */
void line_put_last(struct line *line);

#endif
