/* command.c - the commands of `newswire` and their options. */
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	TEXT,
	WORDS,
	NUMBER,
	SECONDS,
	FLAG
}; /* SECONDS: a number, or USUAL_SECONDS if none is given */
enum { MOST_OPTIONS = 24, HELP_COLUMN = 24, USUAL_SECONDS = 10 };

struct option_row {
	const char *name;
	const char *metavar;
	char letter; /* 0: none */
	enum kind kind;
	size_t field; /* in struct settings */
	uint64_t min, max;
	const char *help; /* lines of at most 74 characters */
};

struct command {
	const char *name;
	const char *arguments;
	const char *summary; /* one line */
	const char *about;   /* lines */
	enum exit_code (*run)(const struct settings *settings);
	const char *
		operands; /* asked for when there are none; NULL: it takes none; "": as many as there are */
	const struct option_row *options; /* ends with a row without a name */
};

#define FIELD(name) offsetof(struct settings, name)

/* clang-format off */
#define EVERYWHERE \
	{"state-dir", "DIR", 0, TEXT, FIELD(state_dir), 0, 0, \
	 "state directory of the newswired on this machine (default:\n" \
	 "$NEWSWIRE_STATE_DIR, $XDG_STATE_HOME/newswire, ~/.local/state/newswire)"}, \
	{"ca", "FILE", 0, TEXT, FIELD(ca_file), 0, 0, \
	 "trust the authorities in this PEM file instead of the system's"}, \
	{"verbose", NULL, 'v', FLAG, FIELD(verbose), 0, 0, \
	 "show what the network library says, on stderr"}, \
	{"help", NULL, 'h', FLAG, FIELD(help), 0, 0, "show this and end"}, \
	{0}
#define FILTERS \
	{"channel", "NAME", 'c', WORDS, FIELD(channels), 0, 0, \
	 "only these channels, such as world or topic:20000337; several times, or\n" \
	 "with commas (default: all news)"}, \
	{"class", "CLASS", 0, WORDS, FIELD(classes), 0, 0, \
	 "only flash, bulletin, urgent, regular or deferred ones"}, \
	{"lang", "LANG", 0, WORDS, FIELD(languages), 0, 0, "only these languages, such as en"}, \
	{"type", "TYPE", 0, WORDS, FIELD(types), 0, 0, \
	 "only these types: text, picture, video, audio, graphic …"}, \
	{"view", "VIEW", 0, TEXT, FIELD(view), 0, 0, \
	 "brief: stories without their text (default: full)"}, \
	{"url", "URL", 'u', TEXT, FIELD(url), 0, 0, \
	 "server to read from, http(s) or ws(s) (default: the newswired that runs\n" \
	 "on this machine)"}
#define DESK(verb, with) \
	{"url", "URL", 'u', TEXT, FIELD(url), 0, 0, \
	 "server to " verb ", http or https (default: the newswired that runs on\n" \
	 "this machine" with ")"}
#define KEY \
	{"key", "FILE", 'k', TEXT, FIELD(key_file), 0, 0, \
	 "file whose first line is a key that may (default: $NEWSWIRE_KEY)"}
#define PATIENCE \
	{"patience", "SECONDS", 0, NUMBER, FIELD(patience), 0, 86400, \
	 "how long to try again while the server cannot be reached or cannot take\n" \
	 "an item; this is safe, as a server knows an item it has (default: 10)"}
#define JSON_RECEIPTS {"json", NULL, 'j', FLAG, FIELD(json), 0, 0, "print receipts as they came"}
/* clang-format on */

static const struct option_row publish_options[] = {
	{"channel", "NAME", 'c', WORDS, FIELD(channels), 0, 0,
	 "channel to publish on; several times, or with commas; one only through\n"
	 "Redis pub/sub (default: " NEWSWIRE_CHANNEL_DEFAULT ")"},
	{"to", "ADDRESS", 't', TEXT, FIELD(to), 0, 0,
	 "http(s)://HOST[:PORT] for a durable way in with a receipt;\n"
	 "redis://[USER:PASSWORD@]HOST[:PORT] or unix:PATH for Redis pub/sub, which\n"
	 "keeps nothing and only counts who heard (default: over HTTP to the\n"
	 "newswired that runs on this machine, with its own key)"},
	{"inbox", NULL, 0, FLAG, FIELD(inbox), 0, 0,
	 "with a Redis as --to: add items to the inbox there, where they stay until a\n"
	 "newswired has decided about them"},
	{"key", "FILE", 'k', TEXT, FIELD(key_file), 0, 0,
	 "file whose first line is the publishing key (default: $NEWSWIRE_KEY)"},
	PATIENCE,
	{"wait", "SECONDS", 0, SECONDS, FIELD(wait), 1, 3600,
	 "wait until all workers of all nodes have said to how many readers they\n"
	 "wrote each item, at most so long (10 s if no number is given), and say so"},
	{"json", NULL, 'j', FLAG, FIELD(json), 0, 0,
	 "print receipts, and with --wait the reach of the uri, as they came"},
	{"prefix", "NAME", 0, TEXT, FIELD(prefix), 0, 0,
	 "prefix of the names in Redis (default: " NEWSWIRE_REDIS_PREFIX ")"},
	EVERYWHERE,
};

static const struct option_row correct_options[] = {
	{"headline", "TEXT", 'H', TEXT, FIELD(headline), 0, 0, "the new headline"},
	{"summary", "TEXT", 's', TEXT, FIELD(summary), 0, 0, "the new summary"},
	{"body", "FILE", 'b', TEXT, FIELD(body), 0, 0,
	 "file with the new text, HTML if it begins with a tag; - is standard input"},
	{"note", "TEXT", 'n', TEXT, FIELD(note), 0, 0,
	 "what readers are told of the correction, with a FILE too"},
	{"channel", "NAME", 'c', WORDS, FIELD(channels), 0, 0,
	 "channel to publish on; several times, or with commas (default: those of\n"
	 "the version that is public)"},
	DESK("correct on", ", with its own key"),
	KEY,
	PATIENCE,
	JSON_RECEIPTS,
	EVERYWHERE,
};

static const struct option_row kill_options[] = {
	{"reason", "TEXT", 'r', TEXT, FIELD(reason), 0, 0,
	 "what readers are shown in its place (default: that it was withdrawn)"},
	{"yes", NULL, 'y', FLAG, FIELD(yes), 0, 0, "do not ask; needed where nobody can answer"},
	DESK("kill on", ", with its own key"),
	KEY,
	PATIENCE,
	JSON_RECEIPTS,
	EVERYWHERE,
};

static const struct option_row show_options[] = {
	DESK("ask", ""),
	{"key", "FILE", 'k', TEXT, FIELD(key_file), 0, 0,
	 "file whose first line is a key, to be told when a story was killed (default:\n"
	 "$NEWSWIRE_KEY)"},
	{"json", NULL, 'j', FLAG, FIELD(json), 0, 0, "print the answers as they came"},
	EVERYWHERE,
};

static const struct option_row tail_options[] = {
	FILTERS,
	{"since", "CURSOR", 's', TEXT, FIELD(since), 0, 0,
	 "go on after this position, as printed when tail ends (default: from now)"},
	{"count", "N", 'n', NUMBER, FIELD(count), 1, 1000000000, "end after so many posts"},
	{"json", NULL, 'j', FLAG, FIELD(json), 0, 0,
	 "print each message as it came, ticks and all, one a line"},
	EVERYWHERE,
};

static const struct option_row feed_options[] = {
	FILTERS,
	{"limit", "N", 'n', NUMBER, FIELD(limit), 1, NEWSWIRE_MAX_FEED_LIMIT,
	 "at most so many posts, 1 to 100 (default: the server's, 20)"},
	{"before", "TOKEN", 'b', TEXT, FIELD(before), 0, 0,
	 "the page before this one, as printed at the end of a page"},
	{"json", NULL, 'j', FLAG, FIELD(json), 0, 0, "print the answer as it came"},
	EVERYWHERE,
};

static const struct option_row audit_options[] = {
	{"uri", "URI", 0, TEXT, FIELD(uri), 0, 0, "only what was done to this story"},
	{"who", "NAME", 0, TEXT, FIELD(who), 0, 0, "only what this publisher did"},
	{"what", "WORD", 0, TEXT, FIELD(what), 0, 0,
	 "only publish, update, correct, kill, hold, release, also, held, stale …"},
	{"url", "URL", 'u', TEXT, FIELD(url), 0, 0,
	 "server to ask, http or https (default: the newswired that runs on this\n"
	 "machine, with its own key)"},
	{"key", "FILE", 'k', TEXT, FIELD(key_file), 0, 0,
	 "file whose first line is a key that may (default: $NEWSWIRE_KEY)"},
	{"limit", "N", 'n', NUMBER, FIELD(limit), 1, NEWSWIRE_MAX_FEED_LIMIT,
	 "at most so many entries, 1 to 100 (default: the server's, 20)"},
	{"before", "ID", 'b', TEXT, FIELD(before), 0, 0,
	 "the page before this one, as printed at the end of a page"},
	{"follow", NULL, 'f', FLAG, FIELD(follow), 0, 0,
	 "print the page oldest first, and then what is added, until Ctrl-C"},
	{"json", NULL, 'j', FLAG, FIELD(json), 0, 0,
	 "print the answer as it came; with --follow each entry, one a line"},
	EVERYWHERE,
};

static const struct option_row rejects_options[] = {
	{"uri", "URI", 0, TEXT, FIELD(uri), 0, 0, "only of this story"},
	{"who", "NAME", 0, TEXT, FIELD(who), 0, 0, "only of this publisher"},
	{"reason", "WORD", 0, TEXT, FIELD(reason), 0, 0,
	 "only for this reason: not_json, killed, not_owner, may_not_flash …"},
	DESK("ask", ", with its own key"),
	KEY,
	{"limit", "N", 'n', NUMBER, FIELD(limit), 1, NEWSWIRE_MAX_FEED_LIMIT,
	 "at most so many entries, 1 to 100 (default: the server's, 20)"},
	{"before", "ID", 'b', TEXT, FIELD(before), 0, 0,
	 "the page before this one, as printed at the end of a page"},
	{"follow", NULL, 'f', FLAG, FIELD(follow), 0, 0,
	 "print the page oldest first, and then what is added, until Ctrl-C"},
	{"json", NULL, 'j', FLAG, FIELD(json), 0, 0,
	 "print the answer as it came; with --follow each entry, one a line"},
	EVERYWHERE,
};

static const struct option_row channels_options[] = {
	{"prefix", "TEXT", 0, TEXT, FIELD(begins), 0, 0,
	 "only channels whose names begin so, such as sport or topic:"},
	{"watch", NULL, 'w', FLAG, FIELD(watch), 0, 0,
	 "ask every second, and print the list whenever it has changed"},
	{"url", "URL", 'u', TEXT, FIELD(url), 0, 0,
	 "server to ask, http or https (default: the newswired that runs on this\n"
	 "machine)"},
	{"key", "FILE", 'k', TEXT, FIELD(key_file), 0, 0,
	 "file whose first line is a key, where the server wants one (default:\n"
	 "$NEWSWIRE_KEY)"},
	{"json", NULL, 'j', FLAG, FIELD(json), 0, 0, "print the answers as they came"},
	EVERYWHERE,
};

static const struct option_row purge_options[] = {
	{"yes", NULL, 'y', FLAG, FIELD(yes), 0, 0, "do not ask; needed where nobody can answer"},
	{"url", "URL", 'u', TEXT, FIELD(url), 0, 0,
	 "server to purge on, http or https (default: the newswired that runs on\n"
	 "this machine, with its own key)"},
	KEY,
	{"json", NULL, 'j', FLAG, FIELD(json), 0, 0, "print the answers as they came"},
	EVERYWHERE,
};

static const struct option_row top_options[] = {
	{"interval", "SECONDS", 'i', NUMBER, FIELD(interval), 1, 3600, "ask so often (default: 1)"},
	{"once", NULL, '1', FLAG, FIELD(once), 0, 0,
	 "print once, after one interval, and end; so does output that is no terminal"},
	{"json", NULL, 'j', FLAG, FIELD(json), 0, 0,
	 "print a line of JSON for each interval instead"},
	{"key", "FILE", 'k', TEXT, FIELD(key_file), 0, 0,
	 "file whose first line is a key that may audit: shows how soon the last post\n"
	 "was with its last reader (default: $NEWSWIRE_KEY)"},
	EVERYWHERE,
};

static const struct option_row bench_options[] = {
	{"readers", "N", 'r', NUMBER, FIELD(readers), 1, 5000, "so many readers (default: 100)"},
	{"rate", "N", 'p', NUMBER, FIELD(rate), 1, 1000, "posts in a second (default: 10)"},
	{"seconds", "N", 's', NUMBER, FIELD(seconds), 1, 600,
	 "publish for so long (default: 10); 20,000 posts at most"},
	{"bytes", "N", 'b', NUMBER, FIELD(bytes), 1, 100000,
	 "bytes of text in each post (default: 500)"},
	{"channel", "NAME", 'c', WORDS, FIELD(channels), 0, 0,
	 "channel to publish on and to read (default: exercise.bench)"},
	{"far", NULL, 0, FLAG, FIELD(far), 0, 0,
	 "load a server that is not on this machine: only one that is yours"},
	DESK("load", ", with its own key"),
	KEY,
	{"json", NULL, 'j', FLAG, FIELD(json), 0, 0, "print the result as JSON"},
	EVERYWHERE,
};

static const struct option_row keys_options[] = {
	{"name", "NAME", 'n', TEXT, FIELD(name), 0, 0,
	 "add: who gets the key; owner of what it posts"},
	{"channels", "PATTERN", 'c', WORDS, FIELD(channels), 0, 0,
	 "add: where it may send: world, sport.* or *; several times, or with commas"},
	{"may", "WORD", 'm', WORDS, FIELD(may), 0, 0,
	 "add: publish, correct, kill, flash, embargo, audit, all; several times, or\n"
	 "with commas"},
	{"urgency", "N=CLASS", 0, WORDS, FIELD(urgency), 0, 0,
	 "add: what a number of urgency means: 1=flash,2=bulletin (default: as usual)"},
	{"secret", "FILE", 0, TEXT, FIELD(secret_file), 0, 0,
	 "add: file whose first line is a secret for signatures, such as Superdesk's"},
	{"no-key", NULL, 0, FLAG, FIELD(no_key), 0, 0,
	 "add: make no key; it proves itself by signatures only"},
	{"keys", "FILE", 'k', TEXT, FIELD(keys_file), 0, 0,
	 "file of keys (default: keys.json in the state directory)"},
	{"json", NULL, 'j', FLAG, FIELD(json), 0, 0,
	 "list: print it as JSON, without hashes and secrets"},
	{"state-dir", "DIR", 0, TEXT, FIELD(state_dir), 0, 0,
	 "state directory of the newswired on this machine (default:\n"
	 "$NEWSWIRE_STATE_DIR, $XDG_STATE_HOME/newswire, ~/.local/state/newswire)"},
	{"help", NULL, 'h', FLAG, FIELD(help), 0, 0, "show this and end"},
	{0},
};

static const struct command commands[] = {
	{"publish", "[OPTION…] FILE…", "send news items (ninjs or Superdesk JSON) to readers",
	 "Each FILE is one item; - is standard input. Items go out one after another, in\n"
	 "the order given, each with a line that says what the server did with it. It says\n"
	 "sent only when the server has said that the item is durable.\n",
	 cmd_publish, "which file? (- is standard input)", publish_options},
	{"correct", "[OPTION…] FILE|URI", "publish the next version of a story",
	 "FILE is the whole new version; - is standard input. Of a URI, what is public is kept\n"
	 "but for what the options change; without any, it is opened in $EDITOR. The version\n"
	 "becomes the next one, and the channels stay. Needs a key.\n",
	 cmd_correct, "which file, or which uri?", correct_options},
	{"kill", "[OPTION…] URI…", "withdraw stories, for good",
	 "The text goes from everywhere readers look, and whoever saw one is shown the reason\n"
	 "in its place. It cannot be undone, so it asks first. Needs a key.\n",
	 cmd_kill, "which uri?", kill_options},
	{"tail", "[OPTION…]", "follow the news as they break",
	 "Prints each post as it comes. When the connection breaks, it comes back by itself\n"
	 "and goes on where it was. What happens to the connection is told on stderr.\n",
	 cmd_tail, NULL, tail_options},
	{"feed", "[OPTION…]", "list the latest news, newest first",
	 "Prints one page of the feed: what a reader who comes now would see.\n", cmd_feed, NULL,
	 feed_options},
	{"show", "[OPTION…] URI…", "show a story, or what became of it",
	 "Prints a story as a page to read. Of a killed one it says when that was and why, and\n"
	 "ends with status 1.\n",
	 cmd_show, "which uri?", show_options},
	{"audit", "[OPTION…]", "list who did what to which story, newest first",
	 "Prints one page of the audit trail, an entry a line: when, who, what, the uri, its\n"
	 "version and the one that was public before, channels, the place on the wire, and to\n"
	 "how many readers it was written. Needs a key.\n",
	 cmd_audit, NULL, audit_options},
	{"rejects", "[OPTION…]", "list what was refused, and why, newest first",
	 "Prints one page of what was refused by any way in, an entry a line: when, who, why,\n"
	 "the uri and its version, the channel, and what is wrong at which place. Needs a key.\n",
	 cmd_rejects, NULL, rejects_options},
	{"channels", "[OPTION…]", "show how many read each channel now",
	 "Prints each channel that has readers, over all workers and nodes, and how many, by\n"
	 "name.\n",
	 cmd_channels, NULL, channels_options},
	{"purge", "[OPTION…] URI…", "take stories away for good, from everywhere",
	 "All texts of each URI go, also those under embargo and what notices said; readers who\n"
	 "saw one are told by a kill. The URI is refused for ever. It cannot be undone, so it\n"
	 "asks first. Needs a key.\n",
	 cmd_purge, "which uri?", purge_options},
	{"top", "[OPTION…] [URL…]", "show how servers are doing, live",
	 "Asks each URL (default: the newswired that runs on this machine) for its numbers and\n"
	 "shows them for all nodes together, and for each: readers, posts, deliveries, how soon\n"
	 "the last reader had the last post, backlog, Redis, memory. q or Ctrl-C ends it.\n",
	 cmd_top, "", top_options},
	{"bench", "[OPTION…]", "load a server of yours, and say how it did",
	 "Connects readers, publishes at a rate, and says how many posts came to how many\n"
	 "readers how soon, and whether one was lost or came twice. What it publishes is a drill\n"
	 "that no other reader sees, unless you name a channel that has them; it expires after\n"
	 "ten minutes. Needs a key.\n",
	 cmd_bench, NULL, bench_options},
	{"keys", "[OPTION…] add|list|revoke [NAME…]", "give publishers keys, and take them back",
	 "Edits the server's file of keys on this machine; a running server reads it within a\n"
	 "second. add makes a key for --name and prints it, this once: the file keeps its hash\n"
	 "only. list shows who may what. revoke takes the keys of each NAME back.\n",
	 cmd_keys, "add, list or revoke?", keys_options},
};

void command_say(const char *format, ...)
{
	va_list args;

	fputs("newswire: ", stderr);
	va_start(args, format);
	/* clang-tidy 14 overlooks the va_start. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

const struct command *command_at(size_t i)
{
	return i < sizeof commands / sizeof *commands ? &commands[i] : NULL;
}

const char *command_name(const struct command *command)
{
	return command->name;
}

enum exit_code command_run(const struct command *command, const struct settings *settings)
{
	return command->run(settings);
}

/* --- parsing ---------------------------------------------------------------------------------- */

static int add_words(struct word_list *list, char *text, const char *option)
{
	for (char *word = text; word != NULL;) {
		char *next = strchr(word, ',');

		if (next)
			*next++ = '\0';
		if (*word == '\0') {
			command_say("--%s: an empty name", option);
			return -1;
		}
		if (list->count == NEWSWIRE_MAX_CHANNELS) {
			command_say("--%s: more than %d", option, NEWSWIRE_MAX_CHANNELS);
			return -1;
		}
		list->words[list->count++] = word;
		word = next;
	}
	return 0;
}

static int take_number(uint64_t *out, const char *text, const struct option_row *row)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *out >= row->min &&
	    *out <= row->max)
		return 0;
	command_say("--%s: a number from %llu to %llu, not %s", row->name,
		    (unsigned long long)row->min, (unsigned long long)row->max, text);
	return -1;
}

static int take_option(struct settings *settings, const struct option_row *row, char *text)
{
	void *field = (char *)settings + row->field;

	switch (row->kind) {
	case FLAG:
		*(bool *)field = true;
		return 0;
	case TEXT:
		if (*text == '\0') {
			command_say("--%s: needs a value", row->name);
			return -1;
		}
		*(const char **)field = text;
		return 0;
	case WORDS:
		return add_words(field, text, row->name);
	case SECONDS:
		if (text == NULL) {
			*(uint64_t *)field = USUAL_SECONDS;
			return 0;
		}
		return take_number(field, text, row);
	case NUMBER:
		return take_number(field, text, row);
	}
	abort(); /* the table holds no other kind */
}

/* Tables for getopt_long(): val is the row's place plus LONG_BASE, so that letters find theirs too. */
enum { LONG_BASE = 256 };

static void build_tables(const struct option_row *rows, struct option *longs, char *shorts)
{
	static const int has_arg[] = {[TEXT] = required_argument,
				      [WORDS] = required_argument,
				      [NUMBER] = required_argument,
				      [SECONDS] = optional_argument,
				      [FLAG] = no_argument};
	size_t i;

	*shorts++ = ':'; /* a missing value is ':', apart from '?' */
	for (i = 0; rows[i].name; i++) {
		longs[i] = (struct option){
			.name = rows[i].name,
			.has_arg = has_arg[rows[i].kind],
			.val = LONG_BASE + (int)i,
		};
		if (rows[i].letter) {
			*shorts++ = rows[i].letter;
			if (rows[i].kind != FLAG)
				*shorts++ = ':';
		}
	}
	longs[i] = (struct option){0};
	*shorts = '\0';
}

static const struct option_row *row_of(const struct option_row *rows, int c)
{
	if (c >= LONG_BASE)
		return &rows[c - LONG_BASE];
	while (rows->name && rows->letter != c)
		rows++;
	return rows->name ? rows : NULL;
}

static int check_files(const struct command *command, struct settings *settings)
{
	if (settings->help || (command->operands && *command->operands == '\0') ||
	    (command->operands != NULL) == (settings->file_count > 0))
		return 0;
	if (command->operands)
		command_say("%s: %s", command->name, command->operands);
	else
		command_say("%s: takes no %s", command->name, settings->files[0]);
	return -1;
}

int command_parse(const struct command *command, int argc, char **argv, struct settings *settings)
{
	struct option longs[MOST_OPTIONS];
	char shorts[2 * MOST_OPTIONS + 2];
	int c;

	*settings = (struct settings){.patience = 10};
	build_tables(command->options, longs, shorts);
	opterr = 0;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_row *row = row_of(command->options, c);

		if (c == '?' || c == ':' || row == NULL) {
			command_say("%s: %s %s; newswire help %s shows what it takes",
				    command->name,
				    c == ':' ? "no value for" : "no such option, or none alone:",
				    argv[optind - 1], command->name);
			return -1;
		}
		if (take_option(settings, row, optarg) < 0)
			return -1;
	}
	settings->files = argv + optind;
	settings->file_count = (size_t)(argc - optind);
	return check_files(command, settings);
}

/* --- help ------------------------------------------------------------------------------------- */

static void help_on_option(FILE *out, const struct option_row *row)
{
	const char *line = row->help, *end;
	char name[64];
	int width;

	const char *parts[3] = {row->metavar ? " " : "", row->metavar ? row->metavar : "", ""};

	if (row->kind == SECONDS) {
		parts[0] = "[=";
		parts[2] = "]";
	}
	width = snprintf(name, sizeof name, "  %c%c%s --%s%s%s%s", row->letter ? '-' : ' ',
			 row->letter ? row->letter : ' ', row->letter ? "," : " ", row->name,
			 parts[0], parts[1], parts[2]);
	fputs(name, out);
	for (; line; line = end ? end + 1 : NULL) {
		int room = width < HELP_COLUMN ? HELP_COLUMN - width : 0;

		if (room == 0 && width > 0) {
			fputc('\n', out);
			room = HELP_COLUMN;
		}
		end = strchr(line, '\n');
		fprintf(out, "%*s%.*s\n", room, "", end ? (int)(end - line) : (int)strlen(line),
			line);
		width = 0;
	}
}

static void help_on_command(FILE *out, const struct command *command)
{
	fprintf(out, "Usage: newswire %s %s\n\n%s\nOptions:\n", command->name, command->arguments,
		command->about);
	for (const struct option_row *row = command->options; row->name; row++)
		help_on_option(out, row);
}

static void help_on_program(FILE *out)
{
	fputs("Usage: newswire COMMAND [OPTION…]\n\nCommands:\n", out);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		fprintf(out, "  %-10s%s\n", commands[i].name, commands[i].summary);
	fputs("  help      explain a command: newswire help COMMAND\n\n"
	      "  newswire --version shows the version.\n\nExit status:\n",
	      out);
#define EXIT_AS_HELP(name, number, help) fprintf(out, "  %d  %s\n", number, help);
	EXIT_CODES(EXIT_AS_HELP)
#undef EXIT_AS_HELP
}

void command_help(FILE *out, const struct command *command)
{
	if (command)
		help_on_command(out, command);
	else
		help_on_program(out);
}
