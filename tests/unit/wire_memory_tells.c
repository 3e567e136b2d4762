/* Goal: whenever memory is short, what a worker tells Redis of its readers, and hears from it of everybody's, is right a few seconds later;
 * and what it asks by itself it asks again. */
#include "cmocka_all.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "failing_malloc.h"
#include "fake_link.h"
#include "wire/durability.h"
#include "wire/presence.h"
#include "wire/sentinel.h"
#include "wire/tally.h"
#include "wire/trimmer.h"

enum { CHANNELS = 4 };

static uv_loop_t loop;
static struct link *link_;
static bool short_of_memory;

static void open_link(void)
{
	static const struct link_events events = {NULL};
	struct redis_place place = {.unix_path = (char *)"/nowhere"};

	assert_int_equal(uv_loop_init(&loop), 0);
	assert_non_null(link_ = link_open(&loop, &place, "wire", &events, NULL));
	fake_link_ready(link_);
}

static void close_loop(void)
{
	while (uv_run(&loop, UV_RUN_NOWAIT))
		;
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(fake_link_count(), 0);
}

static void answer(const char *text)
{
	redisReply *reply = fake_link_says(text);

	if (short_of_memory)
		fail_begin();
	assert_true(fake_link_answer(link_, reply));
	fail_end();
	freeReplyObject(reply);
}

/* --- presence: how many readers each channel has ---------------------------------------------- */

/* What Redis has: of this worker, and of another one. */
static struct {
	char worker[20];
	unsigned mine[CHANNELS], others[CHANNELS];
} counts;
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
	short_of_memory = true;
	a_second_passes();
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

/* --- tally: to how many readers each post went ------------------------------------------------ */

enum { POSTS = 3 };

static struct tallies *tallies;
static unsigned reported[POSTS + 1]; /* readers of post n-0, as Redis knows it */

static void answer_report(void)
{
	enum { LINES = 3 };
	const char *lines = fake_link_word(link_, LINES);
	unsigned id, readers;
	int len;

	for (; sscanf(lines, "%u-0 %u 0 1 %*u\n%n", &id, &readers, &len) == 2; lines += len)
		reported[id] = readers;
	answer("[e1 9-0 '']");
}

static void time_passes(void)
{
	if (short_of_memory)
		fail_begin();
	fake_link_time(&loop);
	fail_end();
	while (fake_link_owes(link_) > 0)
		answer_report();
}

static bool report(void)
{
	memset(reported, 0, sizeof reported);
	open_link();
	fail_begin();
	tallies = tallies_open(&loop, link_, "newswire", 1000);
	fail_end();
	for (unsigned n = 1; tallies != NULL && n <= POSTS; n++) {
		struct post post = {.id = {n, 0}, .heard = true};

		tallies_begin(tallies, &post);
		tallies_add(tallies, &post, n * 10, 0, clock_mono_ms());
		tallies_told(tallies, NULL);
		short_of_memory = true;
		time_passes();
	}
	short_of_memory = false;
	time_passes();
	time_passes();
	for (unsigned n = 1; tallies != NULL && n <= POSTS; n++)
		assert_int_equal(reported[n], n * 10);
	link_close_answering(link_);
	tallies_close(tallies);
	close_loop();
	return tallies != NULL;
}

static void to_how_many_a_post_went_is_told_sooner_or_later(void **state)
{
	(void)state;
	fail_each(report);
	fail_each_from(report);
}

/* --- what it asks by itself ------------------------------------------------------------------- */

static unsigned trims;

/* Of the first step there is more to trim. */
static void answer_trims(void)
{
	for (; fake_link_owes(link_) > 0; trims++)
		answer(trims == 0 ? ":1000" : ":0");
}

static bool trim(void)
{
	struct trimmer trimmer = {
		.prefix = "newswire", .retention_ms = 1000, .max_entries = 1000, .name = "me"};
	unsigned first;

	open_link();
	trimmer.link = link_;
	trims = 0;
	fail_begin();
	trimmer_second(&trimmer);
	fail_end();
	short_of_memory = true;
	answer_trims();
	short_of_memory = false;
	first = trims;
	for (int i = 0; i < TRIMMER_SECONDS; i++) {
		trimmer_second(&trimmer);
		answer_trims();
	}
	assert_true(trims > first);
	link_close(link_);
	close_loop();
	return first == 2;
}

static void the_stream_is_trimmed_the_next_time(void **state)
{
	(void)state;
	fail_each(trim);
	fail_each_from(trim);
}

static bool config_is_forbidden;

static void answer_config(void)
{
	const char *question;

	while ((question = fake_link_question(link_)) != NULL) {
		if (strncmp(question, "INFO", 4) == 0)
			answer("'# Persistence\naof_enabled:0'");
		else if (config_is_forbidden)
			answer("!'NOPERM no'");
		else if (strstr(question, "maxmemory"))
			answer("[maxmemory 0 maxmemory-policy noeviction]");
		else
			answer("[appendonly yes appendfsync always]");
	}
}

/* It is what Redis says, or not known yet. */
static bool find_durability(const char *level)
{
	struct durability d = {.level = NULL};
	bool done;

	open_link();
	fail_begin();
	durability_ask(&d, link_);
	fail_end();
	short_of_memory = true;
	answer_config();
	short_of_memory = false;
	done = strcmp(durability_level(&d, false), level) == 0;
	assert_true(done || strcmp(durability_level(&d, false), "unknown") == 0);
	durability_ask_again(&d);
	answer_config();
	assert_string_equal(durability_level(&d, false), level);
	link_close(link_);
	close_loop();
	return done;
}

static bool find_fsync(void)
{
	config_is_forbidden = false;
	return find_durability("fsync");
}

static bool find_memory(void)
{
	config_is_forbidden = true;
	return find_durability("memory");
}

static void how_durable_redis_is_is_found_out_the_next_time(void **state)
{
	(void)state;
	fail_each(find_fsync);
	fail_each_from(find_fsync);
	fail_each(find_memory);
	fail_each_from(find_memory);
}

/* --- Sentinels -------------------------------------------------------------------------------- */

static unsigned moves;

static void on_moved(void *arg)
{
	(void)arg;
	moves++;
}

static void answer_sentinel(void)
{
	const char *question;

	link_ = fake_link("sentinel");
	while ((question = fake_link_question(link_)) != NULL)
		answer(strstr(question, "GET-MASTER") ? "[10.0.0.1 6379]"
						      : "[name main config-epoch 3]");
}

static bool find_master(void)
{
	struct redis_place place = {.master = (char *)"main",
				    .sentinels = {{(char *)"10.0.0.2", 26379}},
				    .sentinel_count = 1};
	struct sentinel_ear ear = {.moved = on_moved};
	struct sentinel *sentinel;
	int port;

	moves = 0;
	assert_int_equal(uv_loop_init(&loop), 0);
	fail_begin();
	if ((sentinel = sentinel_join(&loop, &place, &ear)) != NULL)
		fake_link_ready(fake_link("sentinel"));
	fail_end();
	if (sentinel != NULL) {
		answer_sentinel();
		fake_link_time(&loop);
		answer_sentinel();
		assert_string_equal(sentinel_master(sentinel, &port), "10.0.0.1");
		assert_int_equal(port, 6379);
		assert_int_equal(moves, 1);
		sentinel_leave(sentinel, &ear);
	}
	close_loop();
	return sentinel != NULL;
}

static void sentinels_are_asked_until_they_have_named_the_master(void **state)
{
	(void)state;
	fail_each(find_master);
	fail_each_from(find_master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybodys_readers_are_counted_sooner_or_later),
		cmocka_unit_test(what_changes_everywhere_is_heard_sooner_or_later),
		cmocka_unit_test(a_page_of_channels_is_whole_or_is_none),
		cmocka_unit_test(to_how_many_a_post_went_is_told_sooner_or_later),
		cmocka_unit_test(the_stream_is_trimmed_the_next_time),
		cmocka_unit_test(how_durable_redis_is_is_found_out_the_next_time),
		cmocka_unit_test(sentinels_are_asked_until_they_have_named_the_master),
	};

	log_open(-1, LOG_KEY_VALUE, LOG_ERROR);
	return cmocka_run_group_tests_name("wire_memory_tells", tests, NULL, NULL);
}
