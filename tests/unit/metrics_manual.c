/* Goal: docs/metrics.md says of every metric exactly what the table says, and of no other. A failure prints the line that
 * the manual should have.
 */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/base.h"
#include "base/counters.h"
#include "manual.h"

static const struct row {
	const char *name, *labels, *type, *help, *remedy;
} rows[] = {
#undef NEWSWIRE_VERSION
#define NEWSWIRE_VERSION			      "…"
#define COUNTER(id, name, labels, type, help, remedy) {name, labels, type, help, remedy},
#include "base/counters.def"
#define HISTOGRAM(id, name, help, remedy) {name, "", "histogram", help, remedy},
#include "base/counters.def"
};

static int read_manual(void **state)
{
	(void)state;
	return read_manual_of(NW_SOURCE_DIR "/docs/metrics.md");
}

/* `| name | type | labels | what it means | what to do about it |`; to be freed. */
static char *line_of(const struct row *row)
{
	char *line = NULL;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	fprintf(out, "| `%s` | %s | ", row->name, row->type);
	if (*row->labels)
		fprintf(out, "`%s`", row->labels);
	fprintf(out, " | %s | %s |\n", row->help, row->remedy);
	fclose(out);
	return line;
}

static void the_manual_says_what_the_table_says(void **state)
{
	int missing = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *line = line_of(&rows[i]);

		if (strstr(manual, line) == NULL) {
			fprintf(stderr, "docs/metrics.md lacks: %s", line);
			missing++;
		}
		free(line);
	}
	assert_int_equal(missing, 0);
}

static void the_manual_has_no_other_metrics(void **state)
{
	size_t found = 0;

	(void)state;
	for (const char *c = manual; (c = strstr(c, "\n| `newswire_")) != NULL; c++)
		found++;
	assert_int_equal(found, COUNT_OF(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_manual_says_what_the_table_says),
		cmocka_unit_test(the_manual_has_no_other_metrics),
	};

	return cmocka_run_group_tests(tests, read_manual, forget_manual);
}
