/* The command line means what --help says, and the manual (docs/cli.md) says the same as --help. */
#include "cmocka_all.h"
#include "command.h"
#include "progress.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static struct settings settings;

/* The commands themselves are not run here. */
#define NOT_RUN(name) \
	enum exit_code cmd_##name(const struct settings *s) \
	{ \
		(void)s; \
		return CLI_OK; \
	}
NOT_RUN(publish)
NOT_RUN(correct)
NOT_RUN(kill)
NOT_RUN(tail)
NOT_RUN(feed)
NOT_RUN(show)
NOT_RUN(audit)
NOT_RUN(rejects)
NOT_RUN(channels)
NOT_RUN(purge)
NOT_RUN(keys)
NOT_RUN(top)
NOT_RUN(bench)

/* Words are parted by single spaces. */
static int parse(const char *line)
{
	static char room[20000];
	static char *argv[300]; /* the settings point into it */
	int argc = 0;

	snprintf(room, sizeof room, "%s", line);
	for (char *word = strtok(room, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	optind = 0;
	return command_parse(command_find(argv[0]), argc, argv, &settings);
}

static void a_key_says_where_and_what_it_may(void **state)
{
	(void)state;
	assert_int_equal(
		parse("keys --name desk -c world,sport.* -m publish --may kill --no-key add"), 0);
	assert_string_equal(settings.name, "desk");
	assert_int_equal(settings.channels.count, 2);
	assert_string_equal(settings.may.words[1], "kill");
	assert_true(settings.no_key);
	assert_string_equal(settings.files[0], "add");
	assert_int_equal(parse("keys"), -1); /* what about them? */
}

static void channels_may_be_repeated_or_joined(void **state)
{
	(void)state;
	assert_int_equal(parse("publish -c world,sport --channel=a f.json g.json"), 0);
	assert_int_equal(settings.channels.count, 3);
	assert_string_equal(settings.channels.words[1], "sport");
	assert_null(settings.channels.words[3]);
	assert_int_equal(settings.file_count, 2);
	assert_string_equal(settings.files[1], "g.json");
	assert_int_equal(settings.patience, 10);
}

static void options_reach_their_fields(void **state)
{
	(void)state;
	assert_int_equal(parse("tail --since e:1-0 -n 5 --json -u http://a --lang en --type video"),
			 0);
	assert_string_equal(settings.since, "e:1-0");
	assert_int_equal(settings.count, 5);
	assert_true(settings.json);
	assert_string_equal(settings.url, "http://a");
	assert_string_equal(settings.types.words[0], "video");
	assert_int_equal(parse("publish --patience 0 -"), 0);
	assert_int_equal(settings.patience, 0);
	assert_string_equal(settings.files[0], "-");
}

static void waiting_needs_no_number(void **state)
{
	(void)state;
	assert_int_equal(parse("publish x"), 0);
	assert_int_equal(settings.wait, 0);
	assert_int_equal(parse("publish --wait x --json"), 0);
	assert_int_equal(settings.wait, 10);
	assert_true(settings.json);
	assert_string_equal(settings.files[0], "x");
	assert_int_equal(parse("publish --wait=60 x"), 0);
	assert_int_equal(settings.wait, 60);
}

static void a_wrong_line_is_refused(void **state)
{
	static const char *const wrong[] = {
		"publish",
		"publish --channel",
		"publish --nonsense x",
		"publish -c a, x",
		"publish -c , x",
		"publish --patience -1 x",
		"publish --patience 1s x",
		"publish --patience 99999999 x",
		"tail x",
		"tail -n 0",
		"tail -n",
		"feed --limit 101",
		"feed --limit 18446744073709551616",
		"feed -z",
		"purge --follow x",
		"publish --wait=0 x",
		"publish --wait=soon x",
		"publish --wait=3601 x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (parse(wrong[i]) == 0)
			fail_msg("taken: %s", wrong[i]);
}

static void more_channels_than_a_subscription_holds_are_refused(void **state)
{
	char names[2 * NEWSWIRE_MAX_CHANNELS + 2], line[1000];

	(void)state;
	for (size_t i = 0; i < sizeof names - 1; i++)
		names[i] = i % 2 ? ',' : 'a';
	names[sizeof names - 1] = '\0';
	snprintf(line, sizeof line, "tail -c %s", names); /* a name more than may be */
	assert_int_equal(parse(line), -1);
	snprintf(line, sizeof line, "tail -c %s", names + 2);
	assert_int_equal(parse(line), 0);
	assert_int_equal(settings.channels.count, NEWSWIRE_MAX_CHANNELS);
}

static void the_bar_shows_how_far_it_is(void **state)
{
	char bar[PROGRESS_SIZE];

	(void)state;
	progress_text(bar, 0, 10);
	assert_string_equal(bar, "[....................] 0/10");
	progress_text(bar, 3, 10);
	assert_string_equal(bar, "[######..............] 3/10");
	progress_text(bar, 10, 10);
	assert_string_equal(bar, "[####################] 10/10");
}

static char *read_manual(void)
{
	static char manual[65536];
	FILE *file = fopen(NW_SOURCE_DIR "/docs/cli.md", "r");

	assert_non_null(file);
	manual[fread(manual, 1, sizeof manual - 1, file)] = '\0';
	fclose(file);
	return manual;
}

static void the_manual_holds_every_help_word_for_word(void **state)
{
	const char *manual = read_manual();
	size_t count = 0;

	(void)state;
	while (command_at(count))
		count++;
	assert_true(count >= 13);
	for (size_t i = 0; i <= count; i++) { /* the last is that of the program */
		const struct command *command = command_at(i);
		char *help = NULL;
		size_t len;
		FILE *out = open_memstream(&help, &len);

		command_help(out, command);
		fclose(out);
		if (strstr(manual, help) == NULL)
			fail_msg("docs/cli.md does not hold: newswire help %s",
				 command ? command_name(command) : "");
		free(help);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_says_where_and_what_it_may),
		cmocka_unit_test(channels_may_be_repeated_or_joined),
		cmocka_unit_test(options_reach_their_fields),
		cmocka_unit_test(waiting_needs_no_number),
		cmocka_unit_test(a_wrong_line_is_refused),
		cmocka_unit_test(more_channels_than_a_subscription_holds_are_refused),
		cmocka_unit_test(the_bar_shows_how_far_it_is),
		cmocka_unit_test(the_manual_holds_every_help_word_for_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
