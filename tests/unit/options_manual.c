/* Goal: docs/options.md says of every option exactly what the table says, and of no other. A failure prints the line
 * that the manual should have.
 */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "option_value.h"
#include "options.h"
#include "manual.h"

static int read_manual(void **state)
{
	(void)state;
	return read_manual_of(NW_SOURCE_DIR "/docs/options.md");
}

/* The third column: what is allowed. */
static void write_allowed(const struct option_row *row, FILE *out)
{
	char low[OPTION_VALUE_MAX], high[OPTION_VALUE_MAX];

	if (row->type == OPTION_CHOICE) {
		for (const char *c = row->metavar; *c; c++)
			fputs(*c == '|' ? ", " : (char[]){*c, '\0'}, out);
	} else if (row->type != OPTION_TEXT && row->type != OPTION_FLAG) {
		fprintf(out, "%s to %s", option_value_number(row->type, row->min, low),
			option_value_number(row->type, row->max, high));
	}
}

/* `| --port | 8080 | 0 to 65535 | what it is |`; to be freed. */
static char *line_of(const struct option_row *row)
{
	char *line = NULL;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	fprintf(out, "| `--%s` | ", row->name);
	if (*row->preset)
		fprintf(out, "`%s`", row->preset);
	fputs(" | ", out);
	write_allowed(row, out);
	fprintf(out, " | %s |\n", row->help);
	fclose(out);
	return line;
}

static void the_manual_names_what_cannot_change_while_it_runs(void **state)
{
	const char *from = strstr(manual, "cannot change while newswired runs:"), *end;

	(void)state;
	assert_non_null(from);
	assert_non_null(end = strstr(from, ".\n"));
	for (enum option_id id = 0; id < OPTION_COUNT; id++) {
		const struct option_row *row = options_row(id);
		char name[64];
		const char *at;

		snprintf(name, sizeof name, "`--%s`", row->name);
		at = strstr(from, name);
		if ((at != NULL && at < end) != (row->when == OPTION_BOOT))
			fail_msg("--%s", row->name);
	}
}

static void the_manual_says_what_the_table_says(void **state)
{
	int missing = 0;

	(void)state;
	for (enum option_id id = 0; id < OPTION_COUNT; id++) {
		char *line = line_of(options_row(id));

		if (strstr(manual, line) == NULL) {
			fprintf(stderr, "docs/options.md lacks: %s", line);
			missing++;
		}
		free(line);
	}
	assert_int_equal(missing, 0);
}

static void the_manual_has_no_other_options(void **state)
{
	int found = 0;

	(void)state;
	for (const char *c = manual; (c = strstr(c, "\n| `--")) != NULL; c++)
		found++;
	assert_int_equal(found, OPTION_COUNT);
}

static void every_group_has_its_heading(void **state)
{
	char heading[128];

	(void)state;
	for (enum option_group group = 0; group < OPTION_GROUP_COUNT; group++) {
		snprintf(heading, sizeof heading, "\n## %s\n", options_group_title(group));
		assert_non_null(strstr(manual, heading));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_manual_says_what_the_table_says),
		cmocka_unit_test(the_manual_names_what_cannot_change_while_it_runs),
		cmocka_unit_test(the_manual_has_no_other_options),
		cmocka_unit_test(every_group_has_its_heading),
	};

	return cmocka_run_group_tests(tests, read_manual, forget_manual);
}
