/* figures.h - the numbers of a node that `top` shows, out of what /metrics says.
 *
 * No I/O: text goes in, numbers come out. One table says which metric each is, and its name in JSON.
 */
#ifndef NEWSWIRE_CLI_FIGURES_H
#define NEWSWIRE_CLI_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

/* FIGURE(id, name in JSON, line of /metrics, is a rate: shown for each second) */
#define FIGURES(FIGURE) \
	FIGURE(READERS, "readers", "newswire_readers", false) \
	FIGURE(WEBSOCKET, "websocket", "newswire_readers_by_transport{transport=\"websocket\"}", \
	       false) \
	FIGURE(SSE, "sse", "newswire_readers_by_transport{transport=\"sse\"}", false) \
	FIGURE(CENTRIFUGE, "centrifuge", \
	       "newswire_readers_by_transport{transport=\"centrifuge\"}", false) \
	FIGURE(LAGGING, "lagging", "newswire_readers_lagging", false) \
	FIGURE(OPENED, "opened", "newswire_readers_opened_total", true) \
	FIGURE(DELIVERIES, "deliveries", "newswire_deliveries_total", true) \
	FIGURE(WRITES, "writes", "newswire_writes_total", true) \
	FIGURE(BYTES, "bytes", "newswire_sent_bytes_total", true) \
	FIGURE(PUBLISH, "publish", "newswire_posts_total{action=\"publish\"}", true) \
	FIGURE(UPDATE, "update", "newswire_posts_total{action=\"update\"}", true) \
	FIGURE(CORRECT, "correct", "newswire_posts_total{action=\"correct\"}", true) \
	FIGURE(RELEASE, "release", "newswire_posts_total{action=\"release\"}", true) \
	FIGURE(KILL, "kill", "newswire_posts_total{action=\"kill\"}", true) \
	FIGURE(HOLD, "hold", "newswire_posts_total{action=\"hold\"}", true) \
	FIGURE(REFUSED, "refused", "newswire_desk_total{result=\"refused\"}", true) \
	FIGURE(GAPS, "gaps", "newswire_gaps_total", true) \
	FIGURE(BACKLOG_POSTS, "backlog_posts", "newswire_backlog_posts", false) \
	FIGURE(BACKLOG_BYTES, "backlog_bytes", "newswire_backlog_bytes", false) \
	FIGURE(OWED, "owed_bytes", "newswire_owed_bytes", false) \
	FIGURE(FOLLOWING, "following", "newswire_redis_ready", false) \
	FIGURE(WORKERS, "workers", "newswire_workers", false) \
	FIGURE(MEMORY, "memory_bytes", "newswire_resident_bytes", false)

enum figure {
#define FIGURE_AS_ENUM(id, name, line, rate) FIGURE_##id,
	FIGURES(FIGURE_AS_ENUM)
#undef FIGURE_AS_ENUM
		FIGURE_COUNT
};

struct figures {
	double value[FIGURE_COUNT];
};

/* Reads what /metrics says; what it does not say is 0. Returns 0, or -1: these are not a newswired's. */
int figures_read(struct figures *out, const char *text);

/* What is now: gauges as they are, and how much counters grew in a second. A counter that went back began anew: 0.
 * posts go to each worker, so that theirs are shared by the number of workers. */
void figures_rate(struct figures *out, const struct figures *before, const struct figures *now,
		  double seconds);

void figures_add(struct figures *sum, const struct figures *one);

const char *figures_name(enum figure figure);
bool figures_is_rate(enum figure figure);

/* "18,412", "3.4" (below 10, and not whole), "12.3 MB". In `out`. */
enum { FIGURES_TEXT = 32 };
const char *figures_text(char out[FIGURES_TEXT], double number);
const char *figures_bytes(char out[FIGURES_TEXT], double bytes);

#endif
