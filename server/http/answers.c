/* answers.c - lines that are written to and never listened to. */
#include "http/answers.h"

#include <stdint.h>
#include <stdlib.h>
#include <utlist.h>
#include "base/clock.h"
#include "base/counters.h"
#include "line/line.h"

/* Whoever takes less holds a place that others need. */
enum { BYTES_A_SECOND = 16 << 10 };

struct answers {
	struct lines *lines;
	uint64_t time_ms; /* for each, beside what its bytes take */
	struct answer *first;
	size_t count;
};

struct answer {
	struct line line;
	struct answers *all;
	uint64_t until_ms; /* clock_mono_ms(): then it is cut off */
	struct answer *prev, *next;
};

static enum line_fate heard(struct line *line, char *bytes, size_t len)
{
	(void)line;
	(void)bytes;
	(void)len;
	return LINE_LIVES;
}

/* All of it has left. */
static enum line_fate room(struct line *line)
{
	(void)line;
	return LINE_PARTS;
}

static void ended(struct line *line)
{
	struct answer *answer = CONTAINER_OF(line, struct answer, line);

	DL_DELETE(answer->all->first, answer);
	answer->all->count--;
	free(answer);
}

void answers_go_on(struct answers *all, int fd, const struct buf *answer, size_t at)
{
	static const struct line_events events = {heard, room, ended};
	/* deaf: whoever has closed his side waits for the answer all the same. */
	struct line line = {.fd = fd, .deaf = true, .events = &events, .all = all->lines};
	struct answer *a = calloc(1, sizeof *a);

	if (a == NULL) {
		COUNT(ANSWERS_CUT);
		line_drop(&line);
		return;
	}
	*a = (struct answer){.line = line,
			     .all = all,
			     .until_ms = clock_mono_ms() + all->time_ms +
					 1000 * (answer->len - at) / BYTES_A_SECOND};
	if (line_write_rest(&a->line, (const uint8_t *)answer->data, answer->len, at) ==
		    LINE_DEAD ||
	    line_watch(&a->line) != 0) {
		COUNT(ANSWERS_CUT);
		line_drop(&a->line);
		free(a);
		return;
	}
	DL_APPEND(all->first, a);
	all->count++;
	line_want_room(&a->line);
}

struct answers *answers_new(uv_loop_t *loop, size_t bytes_max, uint64_t time_ms,
			    void (*freed)(void *arg), void *arg)
{
	struct answers *all = calloc(1, sizeof *all);

	if (all == NULL || (all->lines = lines_new(loop, freed, arg)) == NULL) {
		free(all);
		return NULL;
	}
	all->time_ms = time_ms;
	lines_limit(all->lines, bytes_max);
	lines_count_as(all->lines, COUNTER_ANSWERS_BYTES, COUNTER_ANSWERS_CUT);
	return all;
}

void answers_second(struct answers *all)
{
	uint64_t now = clock_mono_ms();

	for (struct answer *a = all->first, *next; a != NULL; a = next) {
		next = a->next;
		if (now >= a->until_ms) {
			COUNT(ANSWERS_CUT);
			line_end(&a->line, LINE_ENDS);
		}
	}
	lines_second(all->lines);
}

size_t answers_count(const struct answers *all)
{
	return all->count + lines_parting(all->lines);
}

void answers_close(struct answers *all)
{
	lines_close(all->lines);
}

void answers_free(struct answers *all)
{
	if (all == NULL)
		return;
	lines_free(all->lines);
	free(all);
}
