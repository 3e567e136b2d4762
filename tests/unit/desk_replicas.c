/* Goal: where replicas are asked for, nobody is told that an item is safe before they have it; and whoever waits is told, once, whatever
 * happens meanwhile. */
#include "cmocka_all.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/counters.h"
#include "base/log.h"
#include "desk/desk.h"
#include "desk/replicas.h"
#include "failing_malloc.h"
#include "fake_link.h"

static struct desk_options options = {.prefix = "newswire",
				      .max_item = 65536,
				      .retention_ms = 1000,
				      .archive_ms = 1000,
				      .max_embargo_ms = 1000,
				      .feed_max = 10,
				      .raw_rights = RIGHTS_EVERYTHING};

static uv_loop_t loop;
static struct desk *desk;
static struct link *link_; /* the desk's */
static unsigned receipts, replicated;
static enum desk_result result;
static char said[80], code[20], detail[REPLICAS_DETAIL_MAX];

/* The oldest question must be about this. */
static void answers(const char *about, const char *text)
{
	redisReply *reply = fake_link_says(text);

	assert_non_null(fake_link_question(link_));
	assert_non_null(strstr(fake_link_question(link_), about));
	assert_true(fake_link_answer(link_, reply));
	freeReplyObject(reply);
}

/* What else the desk asks is answered, until it is about this. */
static void skip_to(const char *about)
{
	while (fake_link_question(link_) != NULL &&
	       strstr(fake_link_question(link_), about) == NULL)
		answers("", "~");
}

/* As accept.lua answers: result, and a channel. */
static void decides(const char *word)
{
	char text[80];

	snprintf(text, sizeof text, "[%s 1-0 publish world '' '' 0 0]", word);
	answers("accept.lua - ", text);
}

static void hear_receipt(const struct desk_receipt *receipt, void *arg)
{
	(void)arg;
	receipts++;
	replicated += receipt->replicated;
	result = receipt->result;
	snprintf(said, sizeof said, "%s %s %s", receipt->id, receipt->action, receipt->channels);
	snprintf(code, sizeof code, "%s", receipt->code);
	snprintf(detail, sizeof detail, "%s", receipt->detail);
}

/* A desk whose link owes nothing: what it asked at first is answered. */
static void open_with(unsigned replicas)
{
	struct redis_place place = {.unix_path = (char *)"/nowhere"};

	receipts = replicated = 0;
	options.replicas = replicas;
	assert_int_equal(uv_loop_init(&loop), 0);
	desk = desk_open(&loop, &place, &options);
	assert_non_null(desk);
	link_ = fake_link("desk");
	fake_link_ready(fake_link("desk-ear"));
	fake_link_ready(link_);
	while (fake_link_owes(link_) > 0)
		answers("", "~");
}

static int open_desk(void **state)
{
	(void)state;
	open_with(1);
	return 0;
}

static void close_only(void)
{
	desk_close(desk);
	while (uv_run(&loop, UV_RUN_NOWAIT))
		;
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(fake_link_count(), 0);
}

static int close_desk(void **state)
{
	(void)state;
	close_only();
	return 0;
}

static void post(void *arg)
{
	static const char item[] =
		"{\"uri\":\"u\",\"version\":\"1\",\"headlines\":[{\"value\":\"H\"}]}";
	struct channel_set world;
	struct desk_order order = {
		.bytes = item, .len = sizeof item - 1, .channels = &world, .who = &publisher_node};

	assert_int_equal(channel_set_read(&world, "world", 5, ' '), 0);
	desk_take(desk, &order, hear_receipt, arg);
	channel_set_free(&world);
}

static void an_item_is_accepted_when_a_replica_has_it_and_not_before(void **state)
{
	(void)state;
	post(NULL);
	decides("accepted");
	assert_int_equal(receipts, 0);
	answers("WAIT", ":1");
	assert_int_equal(receipts, 1);
	assert_int_equal(result, DESK_ACCEPTED);
	assert_int_equal(replicated, 1);
	assert_string_equal(said, "1-0 publish world");
	assert_int_equal(fake_link_owes(link_), 0);
}

static void one_question_is_for_all_that_was_decided_before_its_answer(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		post(NULL);
	decides("accepted");
	decides("accepted");
	decides("accepted");
	assert_int_equal(receipts, 0);
	answers("WAIT", ":2");
	assert_int_equal(receipts, 3);
	assert_int_equal(fake_link_owes(link_), 0);
	post(NULL);
	decides("accepted");
	answers("WAIT", ":1");
	assert_int_equal(receipts, 4);
}

static void whatever_is_good_news_waits_also_what_changed_nothing(void **state)
{
	static const char *const words[] = {"held", "stale", "duplicate", "seen"};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(words); i++) {
		post(NULL);
		decides(words[i]);
		assert_int_equal(receipts, i);
		answers("WAIT", ":1");
		assert_int_equal(receipts, i + 1);
	}
	assert_int_equal(replicated, COUNT_OF(words));
}

static void a_refusal_waits_for_nobody(void **state)
{
	(void)state;
	post(NULL);
	decides("refused");
	assert_int_equal(receipts, 1);
	assert_int_equal(result, DESK_REFUSED);
	assert_int_equal(fake_link_owes(link_), 0);
}

static void a_raw_publish_waits_for_nobody(void **state)
{
	redisReply *reply = fake_link_says("[pmessage newswire:in:* newswire:in:world "
					   "'{\"uri\":\"u\",\"headline\":\"Hi\"}']");

	(void)state;
	fake_link_message(fake_link("desk-ear"), reply);
	freeReplyObject(reply);
	decides("accepted");
	assert_int_equal(fake_link_owes(link_), 0);
}

static void without_the_option_nobody_is_asked(void **state)
{
	(void)state;
	close_only();
	open_with(0);
	post(NULL);
	decides("accepted");
	assert_int_equal(receipts, 1);
	assert_int_equal(replicated, 0);
	assert_int_equal(fake_link_owes(link_), 0);
}

static void too_few_replicas_are_no_success_and_are_asked_until_they_are_back(void **state)
{
	uint64_t before = counters_mine->value[COUNTER_UNCONFIRMED];

	(void)state;
	post(NULL);
	decides("accepted");
	answers("WAIT", ":0");
	assert_int_equal(receipts, 1);
	assert_int_equal(result, DESK_UNCONFIRMED);
	assert_string_equal(code, "replicas");
	assert_non_null(strstr(detail, "only 0 of the 1 replicas"));
	assert_non_null(strstr(detail, "nothing is doubled"));
	assert_int_equal(counters_mine->value[COUNTER_UNCONFIRMED] - before, 1);
	assert_int_equal(fake_link_owes(link_), 0);
	fake_link_time(&loop); /* a second later, and nobody has posted */
	skip_to("WAIT");
	answers("WAIT", ":1");
	post(NULL);
	skip_to("accept.lua - ");
	decides("duplicate");
	answers("WAIT", ":1");
	assert_int_equal(result, DESK_DUPLICATE);
	assert_int_equal(replicated, 1);
}

static void a_user_who_may_not_ask_replicas_is_told(void **state)
{
	(void)state;
	post(NULL);
	decides("accepted");
	answers("WAIT", "!'NOPERM this user has no permissions to run this command'");
	assert_int_equal(result, DESK_UNCONFIRMED);
	assert_non_null(strstr(detail, "does not let this user ask its replicas"));
}

static void a_connection_lost_meanwhile_has_the_item_decided_again(void **state)
{
	(void)state;
	post(NULL);
	decides("accepted");
	fake_link_lost(link_);
	assert_int_equal(receipts, 0);
	fake_link_ready(link_);
	decides("duplicate");
	skip_to("WAIT");
	assert_int_equal(receipts, 0);
	answers("WAIT", ":1");
	assert_int_equal(receipts, 1);
	assert_int_equal(result, DESK_DUPLICATE);
}

/* It was made a replica while it waited. */
static void a_master_that_cannot_say_has_the_item_decided_again(void **state)
{
	(void)state;
	post(NULL);
	decides("accepted");
	answers("WAIT", "!'UNBLOCKED force unblock from blocking operation, instance state changed "
			"(master -> replica?)'");
	assert_int_equal(receipts, 0);
	fake_link_time(&loop);
	skip_to("accept.lua - ");
	decides("accepted");
	skip_to("WAIT");
	answers("WAIT", ":1");
	assert_int_equal(receipts, 1);
	assert_int_equal(result, DESK_ACCEPTED);
}

static void who_has_gone_is_not_told(void **state)
{
	int me;

	(void)state;
	post(&me);
	decides("accepted");
	desk_forget(desk, &me);
	answers("WAIT", ":1");
	assert_int_equal(receipts, 0);
}

static void a_desk_that_closes_tells_those_who_wait(void **state)
{
	(void)state;
	post(NULL);
	decides("accepted");
	desk_close(desk);
	desk = NULL;
	assert_int_equal(receipts, 1);
	assert_int_equal(result, DESK_AWAY);
}

static enum desk_purge_result purged;
static char purged_id[16];
static unsigned purges;

static void hear_purged(const struct desk_purged *what, void *arg)
{
	(void)arg;
	purges++;
	purged = what->result;
	snprintf(purged_id, sizeof purged_id, "%s", what->id);
	snprintf(code, sizeof code, "%s", what->code);
}

static const char purge_done[] = "[purged 2-0 1 1 0]";

static void a_purge_waits_too(void **state)
{
	(void)state;
	purges = 0;
	desk_purge(desk, "u", "desk", hear_purged, NULL);
	answers("purge.lua - ", purge_done);
	assert_int_equal(purges, 0);
	answers("WAIT", ":1");
	assert_int_equal(purges, 1);
	assert_int_equal(purged, DESK_PURGED);
	assert_string_equal(purged_id, "2-0");
	desk_purge(desk, "u", "desk", hear_purged, NULL);
	answers("purge.lua - ", purge_done);
	answers("WAIT", ":0");
	assert_int_equal(purges, 2);
	assert_int_equal(purged, DESK_PURGE_AWAY);
	assert_string_equal(code, "replicas");
}

/* Memory is short from the verdict on: it is decided again, until there is memory to wait for replicas. */
static bool confirm_short_of_memory(void)
{
	redisReply *yes = fake_link_says("[accepted 1-0 publish world '' '' 0 0]");
	unsigned decided = 1;
	const char *question;

	open_with(1);
	post(NULL);
	fail_begin();
	fake_link_answer(link_, yes);
	fail_end();
	freeReplyObject(yes);
	for (int i = 0; i < 3 && receipts == 0; i++) {
		while ((question = fake_link_question(link_)) != NULL) {
			if (strstr(question, "accept.lua - ")) {
				decided++;
				decides("accepted");
			} else {
				answers("", strstr(question, "WAIT") ? ":1" : "~");
			}
		}
		fake_link_time(&loop);
	}
	assert_int_equal(receipts, 1);
	assert_int_equal(result, DESK_ACCEPTED);
	assert_int_equal(replicated, 1);
	close_only();
	return decided == 1;
}

static void memory_that_is_short_makes_nobody_hear_too_early_or_never(void **state)
{
	(void)state;
	fail_each(confirm_short_of_memory);
	fail_each_from(confirm_short_of_memory);
}

#define ON_A_DESK(test) cmocka_unit_test_setup_teardown(test, open_desk, close_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_DESK(an_item_is_accepted_when_a_replica_has_it_and_not_before),
		ON_A_DESK(one_question_is_for_all_that_was_decided_before_its_answer),
		ON_A_DESK(whatever_is_good_news_waits_also_what_changed_nothing),
		ON_A_DESK(a_refusal_waits_for_nobody),
		ON_A_DESK(a_raw_publish_waits_for_nobody),
		ON_A_DESK(without_the_option_nobody_is_asked),
		ON_A_DESK(too_few_replicas_are_no_success_and_are_asked_until_they_are_back),
		ON_A_DESK(a_user_who_may_not_ask_replicas_is_told),
		ON_A_DESK(a_connection_lost_meanwhile_has_the_item_decided_again),
		ON_A_DESK(a_master_that_cannot_say_has_the_item_decided_again),
		ON_A_DESK(who_has_gone_is_not_told),
		ON_A_DESK(a_desk_that_closes_tells_those_who_wait),
		ON_A_DESK(a_purge_waits_too),
		cmocka_unit_test(memory_that_is_short_makes_nobody_hear_too_early_or_never),
	};

	log_open(-1, LOG_KEY_VALUE, LOG_ERROR);
	return cmocka_run_group_tests_name("desk_replicas", tests, NULL, NULL);
}
