/* options_print.c - the table of options for people: --help and --print-config. */
#include <stdio.h>
#include <string.h>
#include "memory.h"
#include "option_value.h"
#include "options.h"

enum { INDENT = 6, WIDTH = 80 };

/* Writes the words of `text` in lines of at most WIDTH columns, each indented. */
static void wrap(FILE *out, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column && column + 1 + len > WIDTH) {
			fputc('\n', out);
			column = 0;
		}
		if (column == 0)
			column = (size_t)fprintf(out, "%*s%.*s", INDENT, "", (int)len, text);
		else
			column += (size_t)fprintf(out, " %.*s", (int)len, text);
		text += len + (text[len] == ' ');
	}
	fputc('\n', out);
}

static void print_option(FILE *out, const struct option_row *row)
{
	char text[512];

	fprintf(out, "  --%s%s%s\n", row->name, row->type == OPTION_FLAG ? "" : " ", row->metavar);
	if (*row->preset)
		snprintf(text, sizeof text, "%s [%s]", row->help, row->preset);
	else
		snprintf(text, sizeof text, "%s", row->help);
	wrap(out, text);
}

void options_print_help(FILE *out)
{
	int group = -1;

	fputs("newswired - pushes breaking news from Redis to browsers over WebSocket\n\n"
	      "usage: newswired [--option value]...\n"
	      "       newswired reload [--state-dir DIRECTORY]\n"
	      "       newswired upgrade [--state-dir DIRECTORY]\n\n"
	      "reload puts changed options in force, upgrade the program that stands where the\n"
	      "running one came from; no reader is refused and no post is lost.\n",
	      out);
	for (enum option_id id = 0; id < OPTION_COUNT; id++) {
		const struct option_row *row = options_row(id);

		if (group != (int)row->group) {
			group = (int)row->group;
			fprintf(out, "\n%s\n", options_group_title(row->group));
		}
		print_option(out, row);
	}
	fputs("\nThe default stands in [brackets]. A SIZE is bytes, or a number with k, m or g; a\n"
	      "TIME is a number with ms, s, m, h or d. Every option can also be given in the\n"
	      "environment (NEWSWIRE_MAX_ITEM for --max-item) and in the file of --config\n"
	      "(\"max-item\"). A flag outranks the environment, which outranks the file.\n",
	      out);
}

static void print_origin(const struct options *o, enum option_id id, FILE *out)
{
	char name[64];

	switch (o->origin[id].source) {
	case OPTION_FROM_DEFAULT:
		fputs("default\n", out);
		break;
	case OPTION_FROM_FILE:
		fprintf(out, "%s line %d\n", o->config, o->origin[id].line);
		break;
	case OPTION_FROM_ENV:
		options_env_name(options_row(id)->name, name);
		fprintf(out, "environment %s\n", name);
		break;
	case OPTION_FROM_FLAG:
		fprintf(out, "flag --%s\n", options_row(id)->name);
		break;
	}
}

void options_print_config(const struct options *o, FILE *out)
{
	char text[1100];

	for (enum option_id id = 0; id < OPTION_COUNT; id++) {
		const struct option_row *row = options_row(id);
		const char *value;

		if (row->when == OPTION_ASK)
			continue;
		value = option_value_show(id, o, text, sizeof text);
		fprintf(out, "%-14s %-22s ", row->name, *value ? value : "-");
		print_origin(o, id, out);
	}
	memory_print(o, out);
}
