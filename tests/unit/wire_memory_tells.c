/* Goal: whenever memory is short, what the wire tells and asks by itself it tells and asks again: to how many readers posts went, what is to be
 * trimmed, how durable Redis is, where the master is. */
#include "wire_alone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "wire/durability.h"
#include "wire/sentinel.h"
#include "wire/tally.h"
#include "wire/trimmer.h"

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
		cmocka_unit_test(to_how_many_a_post_went_is_told_sooner_or_later),
		cmocka_unit_test(the_stream_is_trimmed_the_next_time),
		cmocka_unit_test(how_durable_redis_is_is_found_out_the_next_time),
		cmocka_unit_test(sentinels_are_asked_until_they_have_named_the_master),
	};

	log_open(-1, LOG_KEY_VALUE, LOG_ERROR);
	return cmocka_run_group_tests_name("wire_memory_tells", tests, NULL, NULL);
}
