/* command.h - the commands of `newswire` and their options: one table that parses and explains them.
 *
 * What it does  Turns argv into a struct settings, and the same tables into --help.
 * Ownership     Settings point into argv; nothing is to be freed. argv's commas become zeros.
 * Errors        A wrong command line is explained on stderr.
 */
#ifndef NEWSWIRE_CLI_COMMAND_H
#define NEWSWIRE_CLI_COMMAND_H

#include "exit_codes.h"

#include <newswire/protocol.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Words of one option, given several times or with commas; ends in NULL. */
struct word_list {
	const char *words[NEWSWIRE_MAX_CHANNELS + 1];
	size_t count;
};

/* All that any command can be told. What a command has no option for stays zero, or the default. */
struct settings {
	struct word_list channels, classes, languages, types;
	const char *to;	 /* publish: where to */
	const char *url; /* tail, feed, audit: where from */
	const char *key_file;
	const char *prefix;
	const char *state_dir;
	const char *ca_file;
	const char *view;
	const char *since;
	const char *before;
	const char *uri, *who, *what; /* audit, rejects: only entries that say this */
	const char *reason;	      /* kill: what readers are told; rejects: only these */
	const char *headline, *summary, *body, *note; /* correct */
	const char *begins;			      /* channels: only names that begin so */
	const char *keys_file;			      /* keys: what is edited */
	const char *name;			      /* keys add */
	const char *secret_file;		      /* keys add */
	struct word_list may, urgency;		      /* keys add */
	bool no_key;				      /* keys add */
	uint64_t patience;			      /* seconds */
	uint64_t wait;				      /* publish: seconds; 0: not */
	uint64_t count;				      /* posts; 0: no end */
	uint64_t limit;				      /* posts on a page; 0: the server's choice */
	bool inbox; /* publish: through Redis, and to stay there until it is decided */
	bool json;
	bool watch;				/* channels: again and again */
	uint64_t readers, rate, seconds, bytes; /* bench; 0: as usual */
	uint64_t interval;			/* top: seconds; 0: one */
	bool once;				/* top */
	bool far;				/* bench: also a server elsewhere */
	bool follow;				/* audit, rejects: what comes, too */
	bool yes;				/* kill, purge: do not ask */
	bool verbose;
	bool help;
	char **files; /* what follows the options (purge: uris, keys: what to do); ends in NULL */
	size_t file_count;
};

struct command;

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);

/* The commands in the order of --help; NULL after the last. */
const struct command *command_at(size_t i);
const char *command_name(const struct command *command);

/* Fills settings from argv (argv[0] is the command's name). Returns 0, or -1 after saying why on stderr. */
int command_parse(const struct command *command, int argc, char **argv, struct settings *settings);

/* Runs it. Returns an exit code. */
enum exit_code command_run(const struct command *command, const struct settings *settings);

/* Help on one command, or on the program (NULL). */
void command_help(FILE *out, const struct command *command);

/* The commands; each is in the file of its name. */
enum exit_code cmd_publish(const struct settings *settings);
enum exit_code cmd_correct(const struct settings *settings);
enum exit_code cmd_kill(const struct settings *settings);
enum exit_code cmd_tail(const struct settings *settings);
enum exit_code cmd_feed(const struct settings *settings);
enum exit_code cmd_show(const struct settings *settings);
enum exit_code cmd_audit(const struct settings *settings);
enum exit_code cmd_rejects(const struct settings *settings);
enum exit_code cmd_channels(const struct settings *settings);
enum exit_code cmd_purge(const struct settings *settings);
enum exit_code cmd_top(const struct settings *settings);
enum exit_code cmd_bench(const struct settings *settings);
enum exit_code cmd_keys(const struct settings *settings);

/* Writes "newswire: …" and a line end to stderr. */
void command_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
