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
	bool is_least;
};

static const struct row rows[] = {
#define COUNTER(id, name, labels, type, help, remedy) {name, labels, type, help, remedy, false},
#define LEAST(id, name, labels, help, remedy)	      {name, labels, "gauge", help, remedy, true},
#include "base/counters.def"
};

static const struct histogram_row {
	const char *name, *help, *remedy;
} histogram_rows[] = {
#define HISTOGRAM(id, name, help, remedy) {name, help, remedy},
#include "base/counters.def"
};

/* What a bucket holds at most, and how Prometheus is told. */
static const struct {
	uint64_t us;
	const char *le;
} buckets[HISTOGRAM_BUCKETS] = {
	{250, "0.00025"}, {500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},
	{10000, "0.01"},  {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},	{250000, "0.25"},
	{500000, "0.5"},  {1000000, "1"},   {2500000, "2.5"}, {5000000, "5"},	{10000000, "10"},
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

void counters_say(enum counter_id id, uint64_t n)
{
	MUST(rows[id].is_least);
	counters_mine->value[id] = n + 1;
}

void counters_unsay(enum counter_id id)
{
	MUST(rows[id].is_least);
	counters_mine->value[id] = 0;
}

void counters_observe(enum histogram_id id, uint64_t us)
{
	struct histogram *h = &counters_mine->histogram[id];
	unsigned i = 0;

	while (i < HISTOGRAM_BUCKETS && us > buckets[i].us)
		i++;
	h->count[i]++;
	h->sum_us += us;
}

static uint64_t value_on(const struct counters_page *first, size_t i, enum counter_id id)
{
	const char *page = (const char *)first + i * stride();

	return __atomic_load_n(&((const struct counters_page *)page)->value[id], __ATOMIC_RELAXED);
}

uint64_t counters_sum(const struct counters_page *first, size_t pages, enum counter_id id)
{
	uint64_t total = 0;

	for (size_t i = 0; i < pages; i++)
		total += value_on(first, i, id);
	return total;
}

uint64_t counters_least(const struct counters_page *first, size_t pages, enum counter_id id)
{
	uint64_t least = 0; /* as on the pages: one more; 0: nobody has said anything */

	for (size_t i = 0; i < pages; i++) {
		uint64_t said = value_on(first, i, id);

		if (said > 0 && (least == 0 || said < least))
			least = said;
	}
	return least == 0 ? 0 : least - 1;
}

static void write_head(struct buf *out, const char *name, const char *help, const char *remedy,
		       const char *type)
{
	buf_addf(out, "# HELP %s %s%s%s\n# TYPE %s %s\n", name, help, *remedy ? ". " : "", remedy,
		 name, type);
}

static struct histogram sum_histogram(const struct counters_page *first, size_t pages, size_t id)
{
	struct histogram sum = {0};

	for (size_t i = 0; i < pages; i++) {
		const char *at = (const char *)first + i * stride();
		const struct histogram *h = &((const struct counters_page *)at)->histogram[id];

		for (size_t j = 0; j <= HISTOGRAM_BUCKETS; j++)
			sum.count[j] += __atomic_load_n(&h->count[j], __ATOMIC_RELAXED);
		sum.sum_us += __atomic_load_n(&h->sum_us, __ATOMIC_RELAXED);
	}
	return sum;
}

/* A bucket is told with all those below it, as Prometheus wants it. */
static void write_histogram(const struct histogram *h, const char *name, struct buf *out)
{
	uint64_t count = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		count += h->count[i];
		buf_addf(out, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name, buckets[i].le, count);
	}
	count += h->count[HISTOGRAM_BUCKETS];
	buf_addf(out,
		 "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %" PRIu64 ".%06" PRIu64
		 "\n%s_count %" PRIu64 "\n",
		 name, count, name, h->sum_us / 1000000, h->sum_us % 1000000, name, count);
}

/* HELP is of all rows of a name: what only one of them advises stands in the manual. */
static const char *common_remedy(size_t row)
{
	for (size_t i = row + 1; i < COUNT_OF(rows) && !strcmp(rows[i].name, rows[row].name); i++)
		if (strcmp(rows[i].remedy, rows[row].remedy) != 0)
			return "";
	return rows[row].remedy;
}

void counters_write(const struct counters_page *first, size_t pages, struct buf *out)
{
	const char *before = "";

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *row = &rows[i];
		enum counter_id id = (enum counter_id)i;

		if (strcmp(row->name, before) != 0) {
			write_head(out, row->name, row->help, common_remedy(i), row->type);
			before = row->name;
		}
		buf_adds(out, row->name);
		if (*row->labels)
			buf_addf(out, "{%s}", row->labels);
		buf_addf(out, " %" PRIu64 "\n",
			 row->is_least ? counters_least(first, pages, id)
				       : counters_sum(first, pages, id));
	}
	for (size_t i = 0; i < COUNT_OF(histogram_rows); i++) {
		const struct histogram_row *row = &histogram_rows[i];
		struct histogram sum = sum_histogram(first, pages, i);

		write_head(out, row->name, row->help, row->remedy, "histogram");
		write_histogram(&sum, row->name, out);
	}
}
