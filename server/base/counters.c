/* counters.c - the pages that events are counted on, and how they are told. */
#include "base/counters.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/base.h"
#include "base/clock.h"

struct row {
	const char *name, *labels, *type, *help, *remedy;
};

static const struct row rows[] = {
#define COUNTER(id, name, labels, type, help, remedy) {name, labels, type, help, remedy},
#include "base/counters.def"
#undef COUNTER
};

static struct counters_page private_page;
struct counters_page *counters_mine = &private_page;

/* Bytes from one page to the next: whole pages of memory, so that no two processes write into
 * one. */
static size_t stride(void)
{
	size_t memory = (size_t)sysconf(_SC_PAGESIZE);

	return (sizeof(struct counters_page) + memory - 1) / memory * memory;
}

struct counters_page *counters_map(size_t pages)
{
	void *first = mmap(NULL, pages * stride(), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return first == MAP_FAILED ? NULL : first;
}

struct counters_page *counters_page_at(struct counters_page *first, size_t i)
{
	return (struct counters_page *)((char *)first + i * stride());
}

static bool is_gauge(const struct row *row)
{
	return strcmp(row->type, "gauge") == 0;
}

void counters_forget(struct counters_page *page)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (is_gauge(&rows[i]))
			page->value[i] = 0;
	__atomic_store_n(&page->beat_ms, 0, __ATOMIC_RELAXED);
}

void counters_use(struct counters_page *page)
{
	MUST(page != NULL);
	counters_forget(page);
	counters_mine = page;
}

void counters_beat(void)
{
	__atomic_store_n(&counters_mine->beat_ms, clock_mono_ms(), __ATOMIC_RELAXED);
}

uint64_t counters_beat_of(const struct counters_page *page)
{
	return __atomic_load_n(&page->beat_ms, __ATOMIC_RELAXED);
}

uint64_t counters_sum(const struct counters_page *first, size_t pages, enum counter_id id)
{
	uint64_t total = 0;

	for (size_t i = 0; i < pages; i++) {
		const char *page = (const char *)first + i * stride();

		total += __atomic_load_n(&((const struct counters_page *)page)->value[id],
					 __ATOMIC_RELAXED);
	}
	return total;
}

void counters_write(const struct counters_page *first, size_t pages, struct buf *out)
{
	const char *before = "";

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *row = &rows[i];

		if (strcmp(row->name, before) != 0) {
			buf_addf(out, "# HELP %s %s%s%s\n# TYPE %s %s\n", row->name, row->help,
				 *row->remedy ? ". " : "", row->remedy, row->name, row->type);
			before = row->name;
		}
		buf_adds(out, row->name);
		if (*row->labels)
			buf_addf(out, "{%s}", row->labels);
		buf_addf(out, " %" PRIu64 "\n", counters_sum(first, pages, (enum counter_id)i));
	}
}
