/* gather.c - text that grows at its end, up to a limit. */
#include "gather.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 256, KEEP_SIZE = 65536 };

void gather_init(struct gather *g, size_t limit)
{
	*g = (struct gather){.limit = limit};
}

/* Room for len more bytes and the zero. */
static int make_room(struct gather *g, size_t len)
{
	size_t cap = g->cap ? g->cap : FIRST_SIZE;
	char *data;

	if (len > g->limit - g->len) {
		g->problem = GATHER_TOO_MUCH;
		return -1;
	}
	while (cap < g->len + len + 1)
		cap *= 2;
	if (cap == g->cap)
		return 0;
	if ((data = realloc(g->data, cap)) == NULL) {
		g->problem = GATHER_NO_MEMORY;
		return -1;
	}
	g->data = data;
	g->cap = cap;
	return 0;
}

int gather_add(struct gather *g, const void *bytes, size_t len)
{
	if (g->problem != GATHER_OK || make_room(g, len) < 0)
		return -1;
	if (len > 0)
		memcpy(g->data + g->len, bytes, len);
	g->len += len;
	g->data[g->len] = '\0';
	return 0;
}

int gather_adds(struct gather *g, const char *text)
{
	return gather_add(g, text, strlen(text));
}

int gather_addc(struct gather *g, char c)
{
	return gather_add(g, &c, 1);
}

const char *gather_text(const struct gather *g)
{
	return g->data ? g->data : "";
}

void gather_clear(struct gather *g)
{
	if (g->cap > KEEP_SIZE)
		gather_free(g);
	g->len = 0;
	g->problem = GATHER_OK;
	if (g->data)
		g->data[0] = '\0';
}

void gather_free(struct gather *g)
{
	free(g->data);
	gather_init(g, g->limit);
}
