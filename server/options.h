/* options.h - what newswired was told, from one table (options.def).
 *
 * What it does  Reads the command line, the environment (NEWSWIRE_MAX_ITEM for --max-item), the
 *               JSON file that --config names, and the defaults; an earlier one of these wins.
 *               Writes --help and --print-config.
 * Ownership     struct options owns its texts; options_free() accepts one that is half read, or
 *               {0}.
 * Lifetime      Read at start and at each reload, and handed to the workers of that time, unchanged.
 * Errors        -1 and one sentence: which option, where it was given, what is wrong, what is
 *               allowed. Never the value of --redis, which may hold a password.
 * Threads       Any.
 */
#ifndef NEWSWIRE_OPTIONS_H
#define NEWSWIRE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "newswire/protocol.h"
#include "base/base.h"

enum option_id {
#define GROUP(id, title)
#define OPTION(group, field, ...) OPTION_##field,
#include "options.def"
	OPTION_COUNT
};

enum option_group {
#define GROUP(id, title) OPTION_GROUP_##id,
#define OPTION(...)
#include "options.def"
	OPTION_GROUP_COUNT
};

enum option_type {
	OPTION_NUMBER,
	OPTION_BYTES,
	OPTION_DURATION,
	OPTION_TEXT,
	OPTION_FLAG,
	OPTION_CHOICE
};
enum option_when { OPTION_BOOT, OPTION_RELOAD, OPTION_ASK };
enum option_source { OPTION_FROM_DEFAULT, OPTION_FROM_FILE, OPTION_FROM_ENV, OPTION_FROM_FLAG };

typedef uint64_t option_NUMBER;	  /* a count */
typedef uint64_t option_BYTES;	  /* bytes */
typedef uint64_t option_DURATION; /* milliseconds; the field's name ends in _ms */
typedef const char *option_TEXT;  /* never NULL; empty means not given */
typedef bool option_FLAG;
enum { COMPRESSION_ON, COMPRESSION_OFF };
enum { NEWSROOM_ON, NEWSROOM_OFF };
typedef int option_CHOICE; /* log_level is an enum log_level, log_format an enum log_format,
			    * show_readers an enum show_readers */

enum show_readers { SHOW_EVERYBODY, SHOW_PUBLISHERS };

/* The result: one field per row of options.def (port, bind, workers, tick_ms …). */
struct options {
#define GROUP(id, title)
#define OPTION(group, field, name, type, ...) option_##type field;
#include "options.def"
	struct option_origin {
		enum option_source source;
		int line; /* of the config file; 0 if unknown */
	} origin[OPTION_COUNT];
	char doubt[160]; /* no error, but it looks like a slip: to be logged; or "" */
};

/* One row of the table, for those who print it. */
struct option_row {
	const char *name; /* without the dashes in front */
	const char *preset;
	const char *metavar;
	const char *help;
	uint64_t min, max;
	size_t offset; /* of the field in struct options */
	enum option_group group;
	enum option_type type;
	enum option_when when;
};

/* Fills `o` (need not be initialised). envp is a NULL-terminated list of NAME=value, as main() has
 * it; an empty value is no value. Once --help, --version or --print-config is seen on the command
 * line, the caller answers that. Returns 0, or -1 with `error` filled; options_free() is due in
 * both cases. */
MUST_USE int options_read(struct options *o, int argc, const char *const *argv,
			  const char *const *envp, char *error, size_t error_size);
void options_free(struct options *o);

/* The first option of this kind that is not the same in both; NULL: there is none. */
const struct option_row *options_changed(const struct options *a, const struct options *b,
					 enum option_when when);

/* How many workers to run: --workers, or one per core that this process may use, at most 64. */
unsigned options_worker_count(const struct options *o);

/* In options_print.c. All options by group, at most 80 columns wide. */
void options_print_help(FILE *out);
/* One line per option: name, value, where it came from; then what follows for memory (memory.h). A password in --redis is
 * shown as `***`. */
void options_print_config(const struct options *o, FILE *out);

/* Row `id` of the table. */
const struct option_row *options_row(enum option_id id);
const char *options_group_title(enum option_group group);

/* `NEWSWIRE_MAX_ITEM` for "max-item"; out holds 64 bytes. */
void options_env_name(const char *name, char *out);

#endif
