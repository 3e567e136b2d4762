/* result.c - what `publish` says about an item. */
#include "result.h"

#include "show.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *word;
	const char *note; /* instead of a problem */
	enum exit_code code;
	bool temporary;
} rows[] = {
	[NEWSWIRE_ACCEPTED] = {"sent", NULL, CLI_OK, false},
	[NEWSWIRE_DUPLICATE] = {"duplicate", "the server has this very item already", CLI_OK,
				false},
	[NEWSWIRE_STALE] = {"stale", "a later version is out; recorded, not sent", CLI_NOT_OUT,
			    false},
	[NEWSWIRE_HELD] = {"held", "under embargo; sent when that is over", CLI_NOT_OUT, false},
	[NEWSWIRE_REFUSED] = {"refused", NULL, CLI_REFUSED, false},
	[NEWSWIRE_UNAVAILABLE] = {"not sent", NULL, CLI_UNREACHABLE, true},
	[NEWSWIRE_UNKNOWN] = {"unknown",
			      "the server may have it or not; publishing it again is safe",
			      CLI_UNREACHABLE, true},
};

/* " version 2 correct id 1767-0 (fsync)", of what the receipt has. */
static void place(FILE *out, const struct newswire_receipt *receipt)
{
	const struct {
		const char *before, *value, *after;
	} parts[] = {
		{" version ", receipt->version, ""},
		{" ", receipt->action, ""},
		{" id ", receipt->id, ""},
		{" (", receipt->durability, ")"},
	};

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (parts[i].value[0] == '\0')
			continue;
		fputs(parts[i].before, out);
		show_text(out, parts[i].value, 128);
		fputs(parts[i].after, out);
	}
}

void result_line(char out[RESULT_SIZE], const char *file, const struct newswire_receipt *receipt)
{
	FILE *line = fmemopen(out, RESULT_SIZE, "w");
	const char *uri = receipt->uri && *receipt->uri ? receipt->uri : file;

	out[0] = '\0';
	if (line == NULL)
		return;
	fprintf(line, "%s ", rows[receipt->status].word);
	show_text(line, receipt->status < NEWSWIRE_REFUSED ? uri : file, NEWSWIRE_MAX_URI);
	if (receipt->status < NEWSWIRE_REFUSED)
		place(line, receipt);
	if (receipt->problem) {
		fputs(": ", line);
		show_text(line, receipt->problem, 400);
	}
	if (rows[receipt->status].note)
		fprintf(line, ": %s", rows[receipt->status].note);
	fclose(line);
	out[RESULT_SIZE - 1] = '\0';
}

void result_line_queued(char out[RESULT_SIZE], const char *file, const char *id)
{
	snprintf(out, RESULT_SIZE, "queued %s as %s: not decided yet", file, id);
}

void result_line_heard(char out[RESULT_SIZE], const char *file, const char *channel,
		       long long heard)
{
	snprintf(out, RESULT_SIZE,
		 "%s %s on %s: heard by %lld listener%s; no receipt, Redis pub/sub %s",
		 heard > 0 ? "handed over" : "not heard:", file, channel, heard,
		 heard == 1 ? "" : "s", heard > 0 ? "is not durable" : "keeps nothing");
}

/* 18412 as "18,412". */
static const char *grouped(char out[32], json_int_t number)
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%lld", (long long)number);
	char *at = out;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return out;
}

/* A count; what is none, or makes no sense, is 0. */
static json_int_t count_of(const json_t *reach, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(reach, name));

	return n < 0 ? 0 : n;
}

void result_reach(char out[RESULT_SIZE], const struct json_t *reach)
{
	json_int_t readers = count_of(reach, "readers"), behind = count_of(reach, "behind");
	json_int_t workers = count_of(reach, "workers");
	FILE *line = fmemopen(out, RESULT_SIZE, "w");
	char text[32];

	out[0] = '\0';
	if (line == NULL)
		return;
	fprintf(line, "written to %s reader%s", grouped(text, readers), readers == 1 ? "" : "s");
	if (json_is_integer(json_object_get(reach, "ms")))
		fprintf(line, " in %s ms", grouped(text, count_of(reach, "ms")));
	if (behind > 0)
		fprintf(line, ", %s %s behind", grouped(text, behind),
			behind == 1 ? "was" : "were");
	if (!json_is_true(json_object_get(reach, "complete")))
		fprintf(line, " (%lld of %lld workers have reported)",
			(long long)count_of(reach, "reported"), (long long)workers);
	fclose(line);
	out[RESULT_SIZE - 1] = '\0';
}

enum exit_code result_exit(enum newswire_status status)
{
	return rows[status].code;
}

bool result_is_temporary(enum newswire_status status)
{
	return rows[status].temporary;
}

/* From harmless to serious. */
static int weight(enum exit_code code)
{
	static const enum exit_code order[] = {CLI_OK,	  CLI_NOT_OUT,	   CLI_REFUSED,
					       CLI_USAGE, CLI_UNREACHABLE, CLI_FAILED};
	int i = 0;

	while (order[i] != code)
		i++;
	return i;
}

enum exit_code result_worse(enum exit_code a, enum exit_code b)
{
	return weight(a) >= weight(b) ? a : b;
}
