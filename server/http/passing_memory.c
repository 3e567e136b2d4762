/* passing_memory.c - slots for what libwebsockets needs only until a request is read. */
#include "http/passing_memory.h"

#include <libwebsockets.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "base/base.h"

/* Slots of one size. Always true: free[0 … count) are the free ones, the one used last on top. */
static struct pool {
	size_t slot; /* bytes of one; 0: there is no memory for them */
	char *base;
	uint16_t free[PASSING_SLOTS];
	unsigned count;
	unsigned fewest; /* count at its lowest since the last second */
} pools[2];

static const size_t page = 4096;

static void open_pool(struct pool *p, size_t slot)
{
	char *base = mmap(NULL, slot * PASSING_SLOTS, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*p = (struct pool){0};
	if (base == MAP_FAILED)
		return;
	p->slot = slot;
	p->base = base;
	p->count = p->fewest = PASSING_SLOTS;
	for (unsigned i = 0; i < PASSING_SLOTS; i++)
		p->free[i] = (uint16_t)(PASSING_SLOTS - 1 - i);
}

static struct pool *pool_of(const void *at)
{
	for (size_t i = 0; i < COUNT_OF(pools); i++)
		if (pools[i].slot > 0 &&
		    (uintptr_t)at - (uintptr_t)pools[i].base < pools[i].slot * PASSING_SLOTS)
			return &pools[i];
	return NULL;
}

static void *take(size_t size)
{
	for (size_t i = 0; size >= PASSING_SMALLEST && i < COUNT_OF(pools); i++) {
		struct pool *p = &pools[i];

		if (size > p->slot || p->count == 0)
			continue;
		p->count--;
		if (p->count < p->fewest)
			p->fewest = p->count;
		return p->base + p->slot * p->free[p->count];
	}
	return NULL;
}

static void put(struct pool *p, char *at)
{
	p->free[p->count++] = (uint16_t)((size_t)(at - p->base) / p->slot);
}

/* It has outgrown its slot. */
static void *move_out(struct pool *p, void *at, size_t size)
{
	void *moved = malloc(size);

	if (moved != NULL) {
		memcpy(moved, at, p->slot);
		put(p, at);
	}
	return moved;
}

/* What libwebsockets asks of its allocator: realloc(), but size 0 frees. */
static void *allocate(void *at, size_t size, const char *reason)
{
	struct pool *p = at == NULL ? NULL : pool_of(at);
	void *slot = at == NULL ? take(size) : NULL;

	(void)reason;
	if (slot != NULL)
		return slot;
	if (p != NULL && size > 0)
		return size <= p->slot ? at : move_out(p, at, size);
	if (size > 0)
		return realloc(at, size);
	if (p != NULL)
		put(p, at);
	else
		free(at);
	return NULL;
}

void passing_memory_use(size_t header_bytes)
{
	open_pool(&pools[0], page / 4);
	open_pool(&pools[1], (header_bytes + page - 1) / page * page);
	lws_set_allocator(allocate);
}

/* A crowd has come and gone, or sat down: nobody has needed more than a few slots for a second. */
static void give_back(struct pool *p)
{
	bool calm = PASSING_SLOTS - p->fewest <= PASSING_SLOTS / 32;

	if (calm && p->slot > 0 && p->count == PASSING_SLOTS)
		(void)madvise(p->base, p->slot * PASSING_SLOTS, MADV_DONTNEED);
	p->fewest = p->count;
}

void passing_memory_second(void)
{
	for (size_t i = 0; i < COUNT_OF(pools); i++)
		give_back(&pools[i]);
}
