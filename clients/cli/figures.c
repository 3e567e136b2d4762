/* figures.c - numbers out of Prometheus' text format, and back into words. */
#include "figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *line;
	bool is_rate;
} rows[] = {
#define FIGURE_AS_ROW(id, name, line, rate) {name, line, rate},
	FIGURES(FIGURE_AS_ROW)
#undef FIGURE_AS_ROW
};

/* The figure of a line, or FIGURE_COUNT. `end`: the blank before the number. */
static enum figure figure_of(const char *line, const char *end)
{
	int i = 0;

	while (i < FIGURE_COUNT && (strlen(rows[i].line) != (size_t)(end - line) ||
				    memcmp(rows[i].line, line, (size_t)(end - line)) != 0))
		i++;
	return (enum figure)i;
}

int figures_read(struct figures *out, const char *text)
{
	bool is_ours = false;

	*out = (struct figures){0};
	while (*text) {
		size_t len = strcspn(text, "\n");
		const char *blank = memrchr(text, ' ', len);

		if (*text != '#' && blank) {
			enum figure figure = figure_of(text, blank);

			if (figure != FIGURE_COUNT)
				out->value[figure] = strtod(blank + 1, NULL);
			is_ours |= figure == FIGURE_READERS;
		}
		text += len + (text[len] == '\n');
	}
	return is_ours ? 0 : -1;
}

/* Every worker hears every post. */
static bool is_each_workers(enum figure figure)
{
	return (figure >= FIGURE_PUBLISH && figure <= FIGURE_HOLD) ||
	       figure == FIGURE_BACKLOG_POSTS;
}

void figures_rate(struct figures *out, const struct figures *before, const struct figures *now,
		  double seconds)
{
	double workers = now->value[FIGURE_WORKERS] > 1 ? now->value[FIGURE_WORKERS] : 1;

	for (int i = 0; i < FIGURE_COUNT; i++) {
		double value = now->value[i];

		if (rows[i].is_rate) {
			value -= before->value[i];
			value = value > 0 && seconds > 0 ? value / seconds : 0;
		}
		out->value[i] = is_each_workers((enum figure)i) ? value / workers : value;
	}
}

void figures_add(struct figures *sum, const struct figures *one)
{
	for (int i = 0; i < FIGURE_COUNT; i++) {
		/* All nodes hear the same posts, some a moment later. */
		if (is_each_workers((enum figure)i))
			sum->value[i] =
				one->value[i] > sum->value[i] ? one->value[i] : sum->value[i];
		else
			sum->value[i] += one->value[i];
	}
}

const char *figures_name(enum figure figure)
{
	return rows[figure].name;
}

bool figures_is_rate(enum figure figure)
{
	return rows[figure].is_rate;
}

const char *figures_text(char out[FIGURES_TEXT], double number)
{
	char digits[FIGURES_TEXT];
	char *at = out;
	int len;

	if (number > 0 && number < 9.95 && number != (double)(long long)number) {
		snprintf(out, FIGURES_TEXT, "%.1f", number);
		return out;
	}
	len = snprintf(digits, sizeof digits, "%.0f",
		       number < 0      ? 0
		       : number > 1e15 ? 1e15
				       : number);
	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return out;
}

const char *figures_bytes(char out[FIGURES_TEXT], double bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	size_t unit = 0;

	while (bytes >= 1000 && unit + 1 < sizeof units / sizeof *units) {
		bytes /= 1000;
		unit++;
	}
	snprintf(out, FIGURES_TEXT, unit && bytes < 99.95 ? "%.1f %s" : "%.0f %s", bytes,
		 units[unit]);
	return out;
}
