/* Goal: whenever memory is short, a worker tells Redis its readers by channel, and knows everybody's, a few seconds later: no number is wrong
 * for longer, and none is 0 for want of memory. */
#include "wire_alone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/counters.h"
#include "heard_log.h"
#include "wire/presence.h"

enum { CHANNELS = 4 };

/* What Redis has: of this worker, and of another one. */
static struct {
	char worker[20];
	unsigned mine[CHANNELS], others[CHANNELS];
} counts;
static unsigned asked; /* times */
static struct presence *presence;

static const char *name_of(unsigned i)
{
	static const char *const names[CHANNELS] = {"a", "b", "c", "d"};

	return names[i];
}

/* "a 5\n": it is so from now on. */
static void hear_lines(const char *lines)
{
	char name;
	unsigned readers;
	int len;

	for (; sscanf(lines, "%c %u\n%n", &name, &readers, &len) == 2; lines += len)
		counts.mine[name - 'a'] = readers;
}

/* As presence.lua, with everything being news to whoever has heard nothing yet. */
static void answer_presence(void)
{
	enum { NAME = 1, WAS, FRESH, SINCE = 8, LINES };
	struct buf text = {0};

	if (strcmp(fake_link_word(link_, NAME), counts.worker) != 0) {
		assert_string_equal(fake_link_word(link_, FRESH), "1");
		assert_string_equal(fake_link_word(link_, WAS), counts.worker);
		memset(counts.mine, 0, sizeof counts.mine); /* the old one's are taken away */
		snprintf(counts.worker, sizeof counts.worker, "%s", fake_link_word(link_, NAME));
	}
	asked++;
	hear_lines(fake_link_word(link_, LINES));
	buf_adds(&text, "[e1 9-0 ok 7 0 0 '' [");
	for (unsigned i = 0; i < CHANNELS && strcmp(fake_link_word(link_, SINCE), "7") != 0; i++)
		buf_addf(&text, "%s %u ", name_of(i), counts.mine[i] + counts.others[i]);
	buf_adds(&text, "]]");
	buf_addc(&text, '\0');
	answer(text.data);
	buf_free(&text);
}

static void a_second_passes(void)
{
	if (short_of_memory)
		fail_begin();
	presence_second(presence);
	fail_end();
	while (fake_link_owes(link_) > 0)
		answer_presence();
}

/* Readers come, or are not counted, which is. */
static unsigned set_readers(void)
{
	uint64_t before = COUNTER_GET(CHANNELS_UNCOUNTED);

	fail_begin();
	presence_set(presence, "a", 3);
	presence_set(presence, "c", 1);
	fail_end();
	return (unsigned)(COUNTER_GET(CHANNELS_UNCOUNTED) - before);
}

static void open_presence(void)
{
	memset(&counts, 0, sizeof counts);
	counts.others[1] = 5;
	counts.others[2] = 2;
	open_link();
	fail_begin();
	presence = presence_open(link_, "newswire", 1000);
	fail_end();
}

static void close_presence(void)
{
	link_close_answering(link_);
	presence_close(presence);
	close_loop();
}

static void must_be_right(unsigned uncounted)
{
	unsigned changes = 0;
	char channel[PRESENCE_NAME_MAX + 1];

	assert_int_equal((counts.mine[0] == 3) + (counts.mine[2] == 1), 2 - uncounted);
	assert_true(presence_is_current(presence));
	for (unsigned i = 0; i < CHANNELS; i++)
		assert_int_equal(presence_total(presence, name_of(i)),
				 counts.others[i] + counts.mine[i]);
	for (; presence_take_change(presence, channel); changes++)
		assert_int_not_equal(presence_total(presence, channel), 0);
	assert_int_equal(changes, 2 + (counts.mine[0] == 3));
}

static bool count_readers(void)
{
	unsigned uncounted;

	open_presence();
	if (presence == NULL) {
		close_presence();
		return false;
	}
	uncounted = set_readers();
	short_of_memory = true;
	a_second_passes();
	short_of_memory = false;
	for (int i = 0; i < 3; i++)
		a_second_passes();
	must_be_right(uncounted);
	close_presence();
	return uncounted == 0;
}

static void everybodys_readers_are_counted_sooner_or_later(void **state)
{
	(void)state;
	fail_each(count_readers);
	fail_each_from(count_readers);
}

/* It knew them all, and then others' change, of which one is new to it. */
static bool hear_of_more(void)
{
	open_presence();
	if (presence == NULL) {
		close_presence();
		return false;
	}
	a_second_passes();
	presence_lost(presence);
	counts.others[0] = 8;
	counts.others[1] = 6;
	counts.others[3] = 9;
	heard_log_take("");
	asked = 0;
	short_of_memory = true;
	a_second_passes();
	assert_int_equal(heard_log_take("event=no_memory for=presence"),
			 asked == 1 && presence_total(presence, "d") == 0);
	assert_in_range(presence_total(presence, "b"), 5, 6); /* never 0 for want of memory */
	assert_int_equal(presence_total(presence, "c"), 2);
	short_of_memory = false;
	for (int i = 0; i < 3; i++)
		a_second_passes();
	for (unsigned i = 0; i < CHANNELS; i++)
		assert_int_equal(presence_total(presence, name_of(i)), counts.others[i]);
	close_presence();
	return true;
}

static void what_changes_everywhere_is_heard_sooner_or_later(void **state)
{
	(void)state;
	fail_each(hear_of_more);
	fail_each_from(hear_of_more);
}

/* The page is whole, or it is known not to be. */
static bool write_page(void)
{
	static const char page[] = "{\"channels\":[{\"channel\":\"b\",\"readers\":5},"
				   "{\"channel\":\"c\",\"readers\":2}]}\n";
	struct buf out = {0};
	bool done;

	open_presence();
	if (presence == NULL) {
		close_presence();
		return false;
	}
	a_second_passes();
	fail_begin();
	presence_write(presence, "", "", 10, &out);
	fail_end();
	if ((done = !out.failed)) {
		assert_int_equal(out.len, sizeof page - 1);
		assert_memory_equal(out.data, page, out.len);
	}
	buf_free(&out);
	close_presence();
	return done;
}

static void a_page_of_channels_is_whole_or_is_none(void **state)
{
	(void)state;
	fail_each(write_page);
	fail_each_from(write_page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybodys_readers_are_counted_sooner_or_later),
		cmocka_unit_test(what_changes_everywhere_is_heard_sooner_or_later),
		cmocka_unit_test(a_page_of_channels_is_whole_or_is_none),
	};

	heard_log_open();
	return cmocka_run_group_tests_name("wire_memory_presence", tests, NULL, NULL);
}
