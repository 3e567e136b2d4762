/* Goal: whenever memory is short, an item that was handed in is decided, or whoever handed it in is told to try again; it is never
 * refused for it, and never gone. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include "base/counters.h"
#include "desk_alone.h"
#include "failing_malloc.h"
#include "fake_link.h"
#include "heard_log.h"

static unsigned receipts;
static enum desk_result result;

static void hear_receipt(const struct desk_receipt *receipt, void *arg)
{
	(void)arg;
	receipts++;
	result = receipt->result;
}

static bool open_and_close(void)
{
	bool done;

	fail_begin();
	alone_open();
	fail_end();
	done = alone.desk != NULL;
	alone_close();
	return done;
}

static void a_desk_is_opened_or_is_not(void **state)
{
	(void)state;
	fail_each(open_and_close);
	fail_each_from(open_and_close);
}

/* --- handed in -------------------------------------------------------------------------------- */

/* Afterwards whoever handed it in was told, once: what, is in `result`. */
static void take(const char *item, const struct publisher *who)
{
	struct channel_set world;
	struct desk_order order = {.bytes = item,
				   .len = strlen(item),
				   .channels = &world,
				   .who = who,
				   .idempotency = "once"};

	assert_int_equal(channel_set_read(&world, "world", 5, ' '), 0);
	receipts = 0;
	alone_open_ready();
	fail_begin();
	desk_take(alone.desk, &order, hear_receipt, NULL);
	fail_end();
	alone_answer();
	alone_wait();
	assert_int_equal(receipts, 1);
	alone_close();
	channel_set_free(&world);
}

static const char story[] = "{\"uri\":\"u\",\"version\":\"1\",\"headlines\":[{\"value\":\"H\"}],"
			    "\"bodies\":[{\"contentType\":\"text/html\",\"value\":\"<p>B\"}],"
			    "\"subjects\":[{\"uri\":\"medtop:20000337\"}]}";

static bool take_good(void)
{
	take(story, &publisher_node);
	assert_true(result == DESK_ACCEPTED || result == DESK_BUSY || result == DESK_AWAY);
	assert_int_equal(alone.accepted, result == DESK_ACCEPTED);
	assert_int_equal(alone.refused, 0);
	return result == DESK_ACCEPTED;
}

static void an_item_is_accepted_or_put_off_and_never_refused(void **state)
{
	(void)state;
	fail_each(take_good);
	fail_each_from(take_good);
}

/* For its own reason, or for none. */
static bool take_bad(const char *item, const struct publisher *who, const char *reason)
{
	take(item, who);
	assert_true(result == DESK_REFUSED || result == DESK_BUSY || result == DESK_AWAY);
	assert_int_equal(alone.accepted, 0);
	assert_int_equal(alone.refused, result == DESK_REFUSED);
	if (result == DESK_REFUSED)
		assert_string_equal(alone.reason, reason);
	return result == DESK_REFUSED;
}

static bool take_unreadable(void)
{
	return take_bad("{\"uri\":\"u\",\"headline\":7}", &publisher_node, "wrong_type");
}

static bool take_too_large(void)
{
	bool done;

	alone_options.max_item = 16;
	done = take_bad(story, &publisher_node, "too_large");
	alone_options.max_item = 65536;
	return done;
}

/* It names another's channel. */
static bool take_forbidden(void)
{
	static const char *const sports[] = {"sport.*"};
	static const struct publisher sporty = {
		.name = "sporty", .rights = RIGHTS_EVERYTHING, .pattern = sports, .patterns = 1};

	return take_bad(story, &sporty, "channel_forbidden");
}

static void what_is_refused_is_refused_for_its_own_reason_or_put_off(void **state)
{
	(void)state;
	fail_each(take_unreadable);
	fail_each_from(take_unreadable);
	fail_each(take_too_large);
	fail_each_from(take_too_large);
	fail_each(take_forbidden);
	fail_each_from(take_forbidden);
}

/* --- heard ------------------------------------------------------------------------------------ */

static const char heard[] = "{\"uri\":\"u\",\"headline\":\"Hi\"}";

/* Nobody waits for an answer: it is decided later, or its loss is counted. */
static unsigned hear(const char *channel)
{
	uint64_t lost = COUNTER_GET(DESK_LOST);

	heard_log_take("");
	alone_open_ready();
	alone_hear(channel, heard);
	alone_answer();
	alone_wait();
	lost = COUNTER_GET(DESK_LOST) - lost;
	assert_int_equal(alone.accepted + alone.refused + lost, 1);
	assert_int_equal(heard_log_take("event=item_lost"), lost);
	alone_close();
	return alone.accepted + alone.refused;
}

static bool hear_good(void)
{
	unsigned decided = hear("world");

	assert_int_equal(alone.refused, 0);
	return decided == 1;
}

static bool hear_misdirected(void)
{
	unsigned decided = hear("No Channel");

	assert_int_equal(alone.accepted, 0);
	assert_string_equal(alone.reason, decided ? "bad_channel" : "");
	return decided == 1;
}

static void what_was_heard_is_decided_or_its_loss_is_said(void **state)
{
	(void)state;
	fail_each(hear_good);
	fail_each_from(hear_good);
	fail_each(hear_misdirected);
	fail_each_from(hear_misdirected);
}

/* Another desk was quicker with the one before, so that this one asks first. */
static bool hear_after_another(void)
{
	uint64_t lost = COUNTER_GET(DESK_LOST);

	alone_open_ready();
	alone.about = "accept.lua - ";
	alone.says = "[duplicate 1-0 publish world '' '' 0 0]";
	alone_hear("world", "{\"uri\":\"before\",\"headline\":\"Hi\"}");
	alone_answer();
	alone_wait();
	assert_int_equal(alone.accepted + COUNTER_GET(DESK_LOST) - lost, 1);
	alone_hear("world", heard);
	alone_answer();
	alone_wait();
	assert_int_equal(alone.accepted + COUNTER_GET(DESK_LOST) - lost, 2);
	assert_int_equal(alone.refused, 0);
	alone_close();
	return alone.accepted == 2;
}

static void one_that_asks_first_whether_it_is_known_is_decided_too(void **state)
{
	(void)state;
	fail_each(hear_after_another);
	fail_each_from(hear_after_another);
}

/* Memory is short when it connects. */
static bool begin_to_listen(void)
{
	bool hears;

	heard_log_take("");
	alone_open();
	assert_non_null(alone.desk);
	fail_begin();
	fake_link_ready(fake_link("desk-ear"));
	fake_link_ready(fake_link("desk"));
	fail_end();
	hears = fake_link_hears(fake_link("desk-ear"));
	assert_int_equal(heard_log_take("event=desk_deaf"), !hears);
	alone_wait();
	assert_true(fake_link_hears(fake_link("desk-ear")));
	assert_int_equal(heard_log_take("event=desk_deaf"), 0);
	alone_close();
	return true;
}

static void a_desk_that_cannot_listen_at_once_does_a_second_later(void **state)
{
	(void)state;
	fail_each(begin_to_listen);
	fail_each_from(begin_to_listen);
}

/* --- what else it asks ------------------------------------------------------------------------ */

/* Redis refused for a while; that it is over is found out though nobody posts. */
static bool find_the_end_of_trouble(void)
{
	alone_open_ready();
	alone.about = "accept.lua - ";
	alone.says = "!'OOM command not allowed'";
	alone_hear("world", heard);
	alone_answer();
	if (alone.accepted == 1) {
		assert_false(desk_is_open(alone.desk));
		fail_begin();
		fake_link_time(&alone.loop);
		fail_end();
	}
	alone_wait();
	assert_true(desk_is_open(alone.desk));
	alone_close();
	return true;
}

static void that_redis_takes_items_again_is_found_out_sooner_or_later(void **state)
{
	(void)state;
	fail_each(find_the_end_of_trouble);
	fail_each_from(find_the_end_of_trouble);
}

/* A kill took text that is still in Redis' append-only file: it is not said to be gone before it can be. */
static bool rewrite(void)
{
	alone_open_ready();
	alone.about = "release.lua - ";
	alone.says = "[0 '' token '' 0]";
	alone_wait();
	assert_null(alone.says);
	assert_string_equal(alone.rewritten, alone.rewriting ? "token" : "");
	alone_close();
	return alone.rewriting == 1;
}

static void a_rewriting_that_was_not_begun_is_not_said_to_be_done(void **state)
{
	(void)state;
	fail_each(rewrite);
	fail_each_from(rewrite);
}

static unsigned purges;
static enum desk_purge_result purged;

static void hear_purged(const struct desk_purged *what, void *arg)
{
	(void)arg;
	purges++;
	purged = what->result;
}

/* The answer that is heard is what Redis says, or that nothing is known of it. */
static bool purge(void)
{
	uint64_t before = COUNTER_GET(PURGED), done;

	purges = 0;
	alone_open_ready();
	fail_begin();
	desk_purge(alone.desk, "u", "desk", hear_purged, NULL);
	fail_end();
	if (purges == 0) {
		alone.about = "purge.lua - ";
		alone.says = "[purged 2-0 1 1 0]";
	}
	alone_answer();
	done = COUNTER_GET(PURGED) - before;
	assert_int_equal(purges, 1);
	assert_true(purged == DESK_PURGE_AWAY || done == 1);
	alone_close();
	return purged == DESK_PURGED;
}

static bool purge_with_replicas(void)
{
	bool done;

	alone_options.replicas = 1;
	done = purge();
	alone_options.replicas = 0;
	return done;
}

static void who_purges_is_answered_once_and_rightly(void **state)
{
	(void)state;
	fail_each(purge);
	fail_each_from(purge);
	fail_each(purge_with_replicas);
	fail_each_from(purge_with_replicas);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_desk_is_opened_or_is_not),
		cmocka_unit_test(an_item_is_accepted_or_put_off_and_never_refused),
		cmocka_unit_test(what_is_refused_is_refused_for_its_own_reason_or_put_off),
		cmocka_unit_test(what_was_heard_is_decided_or_its_loss_is_said),
		cmocka_unit_test(one_that_asks_first_whether_it_is_known_is_decided_too),
		cmocka_unit_test(a_desk_that_cannot_listen_at_once_does_a_second_later),
		cmocka_unit_test(that_redis_takes_items_again_is_found_out_sooner_or_later),
		cmocka_unit_test(a_rewriting_that_was_not_begun_is_not_said_to_be_done),
		cmocka_unit_test(who_purges_is_answered_once_and_rightly),
	};

	heard_log_open();
	return cmocka_run_group_tests_name("desk_memory", tests, NULL, NULL);
}
