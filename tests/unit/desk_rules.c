/* Goal: hundreds of things in any order, and after each of them the rules hold: one unbroken wire, no text of what was killed or
 * withheld, none of what is under embargo, feeds of usable items only. NW_SEED repeats a run. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/base.h"
#include "desk_accept.h"

enum { URIS = 4, STEPS = 400 };

static unsigned long long state_of_chance;

/* xorshift64*: the same everywhere. */
static unsigned chance(unsigned below)
{
	state_of_chance ^= state_of_chance >> 12;
	state_of_chance ^= state_of_chance << 25;
	state_of_chance ^= state_of_chance >> 27;
	return (unsigned)((state_of_chance * 2685821657736338717ULL) >> 33) % below;
}

static const char *uri_of(int number, char out[16])
{
	snprintf(out, 16, "urn:%d", number);
	return out;
}

static void do_something(int step)
{
	static const char *const channels[] = {"feed:all world", "feed:all sport",
					       "feed:all local world"};
	char uri[16], version[8], text[32];
	struct sent s = {.uri = uri_of((int)chance(URIS), uri), .version = version, .text = text};
	unsigned what = chance(100);

	snprintf(version, sizeof version, "%u", chance(6));
	snprintf(text, sizeof text, "%s/%d;", uri, step);
	s.channels = channels[chance(COUNT_OF(channels))];
	s.created = chance(3) ? chance(50) + 1 : 0;
	if (chance(4) == 0)
		s.hash = chance(2) ? "x" : "y"; /* the same news again */
	if (what < 2)
		s.status = "canceled";
	else if (what < 15)
		s.status = "withheld";
	else if (what < 35)
		s.embargo = redis_now() + 30000 + chance(1000);
	if (what < 90) {
		accept_item(s);
		assert_string_not_equal(got.result, "error");
	} else if (what < 99) {
		if (stage_number("EXISTS {newswire}:held:%s", uri))
			time_passes(uri);
		release_due("");
		assert_string_equal(freed.problem, "");
	} else {
		stage_ask("DEL {newswire}:item:%s",
			  uri); /* the archive forgets; so do its texts and feeds */
		for (unsigned v = 0; v < 6; v++)
			stage_ask("DEL {newswire}:body:%s:%u", uri, v);
		stage_ask("ZREM {newswire}:feed:feed:all %s", uri);
	}
}

static void the_wire_is_one_chain(void)
{
	redisReply *entries = stage_ask("XRANGE {newswire}:wire - +");
	char last[48] = "0-0";

	for (size_t i = 0; i < entries->elements; i++) {
		redisReply *entry = entries->element[i];
		assert_string_equal(entry->element[1]->element[3]->str, last);
		snprintf(last, sizeof last, "%s", entry->element[0]->str);
	}
	if (entries->elements)
		assert_string_equal(stage_text("GET {newswire}:head"), last);
}

/* Texts are `<uri>/<step>;`. */
static void texts_are_where_they_may_be(const char *uri)
{
	char status[16], mark[24], secret[600];
	const char *quote;

	snprintf(status, sizeof status, "%s", item_field(uri, "status"));
	snprintf(mark, sizeof mark, "\"%s/", uri);
	if (strcmp(status, "canceled") == 0)
		assert_false(stage_holds(mark, NULL));
	if (strcmp(status, "usable") != 0)
		assert_false(stage_holds(mark, "{newswire}:held:"));
	assert_int_equal(in_feed("feed:all", uri), strcmp(status, "usable") == 0);
	snprintf(secret, sizeof secret, "%s", stage_text("HGET {newswire}:held:%s body", uri));
	if ((quote = strstr(secret, mark)) != NULL)
		assert_false(stage_holds(quote, "{newswire}:held:"));
	assert_int_equal(*secret != '\0', *stage_text("ZSCORE {newswire}:embargo %s", uri) != '\0');
}

static void the_public_version_has_its_text(const char *uri)
{
	char version[16];

	if (strcmp(item_field(uri, "status"), "usable") != 0)
		return;
	snprintf(version, sizeof version, "%s", item_field(uri, "version"));
	assert_int_equal(stage_number("EXISTS {newswire}:body:%s:%s", uri, version), 1);
}

static void whatever_comes_the_rules_hold(void **state)
{
	const char *seed = getenv("NW_SEED");
	char uri[16];

	(void)state;
	state_of_chance = seed ? strtoull(seed, NULL, 10) : (unsigned long long)redis_now();
	print_message("NW_SEED=%llu\n", state_of_chance);
	for (int step = 0; step < STEPS; step++) {
		if (step % 100 == 0)
			stage_clear(NULL); /* a new life after all those kills */
		do_something(step);
		the_wire_is_one_chain();
		for (int i = 0; i < URIS; i++) {
			texts_are_where_they_may_be(uri_of(i, uri));
			the_public_version_has_its_text(uri);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(whatever_comes_the_rules_hold, stage_clear),
	};

	return cmocka_run_group_tests(tests, stage_open, stage_close);
}
