/* config_fuzz.c - throws bytes at what an administrator writes: the first byte says what.
 *
 *   k  keys.json     what is taken has names, rights and patterns within their bounds
 *   c  --config      what is taken is within each option's limits, and is printed
 *   a  options       one a line, as on a command line
 *   e  environment   one a line
 *   r  --redis       what is taken can be copied, and is a place
 *   v  values        a number that is written reads as itself
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "news/publisher.h"
#include "option_value.h"
#include "options.h"
#include "wire/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS = 64 };

static void read_keys(const char *text, size_t len)
{
	char error[200] = "";
	struct publisher_book *book = publisher_book_read(text, len, error, sizeof error);

	MUST((book == NULL) == (error[0] != '\0'));
	for (size_t i = 0; book && i < publisher_count(book); i++) {
		const struct publisher *p = publisher_at(book, i);

		MUST(publisher_place(p) == i && publisher_by_name(book, p->name) == p);
		MUST(channel_is_plain(p->name, strlen(p->name)));
		MUST((p->rights & ~(unsigned)RIGHTS_EVERYTHING) == 0);
		MUST(p->patterns <= PUBLISHER_PATTERNS_MAX);
	}
	if (book)
		MUST((publisher_raw_rights(book, "world", 0) & ~(unsigned)RIGHTS_EVERYTHING) == 0);
	publisher_book_unref(book);
}

static void must_be_within(const struct options *o, enum option_id id)
{
	const struct option_row *row = options_row(id);
	const void *field = (const char *)o + row->offset;
	uint64_t n;

	if (row->type != OPTION_NUMBER && row->type != OPTION_BYTES && row->type != OPTION_DURATION)
		return;
	memcpy(&n, field, sizeof n);
	MUST(o->origin[id].source == OPTION_FROM_DEFAULT || (n >= row->min && n <= row->max));
}

static void read_options(int argc, const char *const *argv, const char *const *envp)
{
	static FILE *nowhere;
	char error[600] = "";
	struct options o;

	if (options_read(&o, argc, argv, envp, error, sizeof error) == 0) {
		for (int id = 0; id < OPTION_COUNT; id++)
			must_be_within(&o, (enum option_id)id);
		if (nowhere == NULL)
			nowhere = fopen("/dev/null", "w");
		MUST(nowhere != NULL);
		options_print_config(&o, nowhere);
		MUST(options_changed(&o, &o, OPTION_RELOAD) == NULL);
		MUST(options_worker_count(&o) >= 1);
	} else {
		MUST(error[0] != '\0');
	}
	options_free(&o);
}

static void read_file(const char *text, size_t len)
{
	static const char *const none[] = {NULL};
	char arg[64];
	const char *argv[] = {"newswired", arg, NULL};
	int file = memfd_create("config", MFD_CLOEXEC);

	MUST(file != -1 && write(file, text, len) == (ssize_t)len);
	snprintf(arg, sizeof arg, "--config=/proc/self/fd/%d", file);
	read_options(2, argv, none);
	close(file);
}

/* Lines become words; the text is changed for it. */
static int split(char *text, const char **words)
{
	int count = 0;

	for (char *at = strtok(text, "\n"); at && count < WORDS; at = strtok(NULL, "\n"))
		words[count++] = at;
	words[count] = NULL;
	return count;
}

static void read_words(char *text, bool environment)
{
	static const char *const none[] = {NULL};
	static const char *const only_name[] = {"newswired", NULL};
	const char *words[WORDS + 2] = {"newswired"};

	if (strcasestr(text, "config"))
		return; /* would read whatever file that names */
	if (environment) {
		(void)split(text, words);
		read_options(1, only_name, words);
	} else {
		read_options(1 + split(text, words + 1), words, none);
	}
}

static void read_place(const char *text)
{
	struct redis_place place = {0}, copy = {0};
	char error[200] = "";

	if (redis_place_read(&place, text, error, sizeof error) == 0) {
		MUST(redis_place_copy(&copy, &place) == 0);
		redis_place_free(&copy);
		redis_place_free(&place);
	} else {
		MUST(error[0] != '\0');
	}
}

static void read_value(const char *text)
{
	struct options o = {0};
	char why[200], written[OPTION_VALUE_MAX], again[OPTION_VALUE_MAX];
	const struct option_row *row;
	uint64_t n, m;

	for (int id = 0; id < OPTION_COUNT; id++) {
		row = options_row((enum option_id)id);
		if (option_value_read((enum option_id)id, text, &o, why, sizeof why) == 0 &&
		    (row->type == OPTION_NUMBER || row->type == OPTION_BYTES ||
		     row->type == OPTION_DURATION)) {
			memcpy(&n, (char *)&o + row->offset, sizeof n);
			option_value_number(row->type, n, written);
			MUST(option_value_read((enum option_id)id, written, &o, why, sizeof why) ==
			     0);
			memcpy(&m, (char *)&o + row->offset, sizeof m);
			MUST(m == n);
			MUST(strcmp(option_value_number(row->type, m, again), written) == 0);
		}
		option_value_free((enum option_id)id, &o);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0 || (text = malloc(size)) == NULL)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] == 'k')
		read_keys(text, size - 1);
	else if (data[0] == 'c')
		read_file(text, size - 1);
	else if (data[0] == 'a' || data[0] == 'e')
		read_words(text, data[0] == 'e');
	else if (data[0] == 'r')
		read_place(text);
	else
		read_value(text);
	free(text);
	return 0;
}
