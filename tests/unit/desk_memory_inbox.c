/* Goal: whenever memory is short, an entry of the inbox is decided or put off; it is not refused for it, it does not count as tried (five
 * such times would end it as poison), and what cannot even be put off is taken over as if its reader had died. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/counters.h"
#include "desk/inbox.h"
#include "desk_alone.h"
#include "failing_malloc.h"
#include "fake_link.h"
#include "heard_log.h"
#include "keys_file.h"

/* As inbox.lua says them: the entries that are new, or one that was another's. */
#define NEW(entries) "[mine 0 1 none '' [] - [" entries "] 5-0]"
#define LEFT(fields) "[mine 0 1 entry 5-0 [" fields "] - [] 5-0]"
#define ITEM	     "item '{\"uri\":\"u\",\"headline\":\"Hi\"}'"
/* printf 'world\n{"uri":"u","headline":"Hi"}' | openssl dgst -sha256 -hmac 'a long secret' */
#define SIGNATURE "5a1c3c520bc63ba088d99810014065a0a60fb3c3d25d777d470b0153a15f0113"

static struct keyring *keyring;

/* Redis says this, once, while memory is short; then time passes. How many entries were put off. */
static unsigned hear(const char *answer)
{
	uint64_t put_off = COUNTER_GET(INBOX_PUT_OFF);

	heard_log_take("");
	alone_open_ready();
	alone.about = "inbox.lua - ";
	alone.says = answer;
	fake_link_ready(fake_link("desk-inbox"));
	alone_answer();
	alone_wait();
	assert_null(alone.says);
	put_off = COUNTER_GET(INBOX_PUT_OFF) - put_off;
	assert_int_equal(heard_log_take("event=inbox_put_off"), put_off);
	assert_int_equal(alone.put_off, alone.put_off_anew);
	if (put_off > alone.put_off) /* it could not be said: whom it was given to is no more */
		assert_string_not_equal(alone.consumer, alone.first_consumer);
	return (unsigned)put_off;
}

/* So many good ones. */
static bool take(const char *answer, unsigned count)
{
	unsigned put_off = hear(answer);

	assert_int_equal(alone.accepted + put_off, count);
	assert_int_equal(alone.refused, 0);
	alone_close();
	return alone.accepted == count;
}

static bool read_one(void)
{
	return take(NEW("[5-0 [channel world " ITEM "]]"), 1);
}

static bool read_several(void)
{
	return take(NEW("[3-0 [channel world " ITEM "]] [4-0 [channel 'world,sport' " ITEM "]] "
			"[5-0 [" ITEM "]]"),
		    3);
}

static bool read_signed(void)
{
	return take(NEW("[5-0 [key desk signature " SIGNATURE " channel world " ITEM "]]"), 1);
}

static void an_entry_is_decided_or_put_off_without_being_tried(void **state)
{
	(void)state;
	fail_each(read_one);
	fail_each_from(read_one);
	fail_each(read_several);
	fail_each_from(read_several);
	fail_each(read_signed);
	fail_each_from(read_signed);
}

/* One that was another's is taken over alone: when it is over, the next is looked for. */
static bool take_over(void)
{
	uint64_t before = COUNTER_GET(INBOX_TAKEN_OVER);
	bool done = take(LEFT("channel world " ITEM), 1);

	assert_int_equal(COUNTER_GET(INBOX_TAKEN_OVER) - before, 1);
	assert_true(alone.looked >= 2);
	return done;
}

static void what_is_taken_over_is_so_too_and_the_next_is_looked_for(void **state)
{
	(void)state;
	fail_each(take_over);
	fail_each_from(take_over);
}

static bool refuse(const char *answer, const char *reason)
{
	unsigned put_off = hear(answer);

	assert_int_equal(alone.refused + put_off, 1);
	assert_int_equal(alone.accepted, 0);
	assert_string_equal(alone.reason, put_off ? "" : reason);
	alone_close();
	return alone.refused == 1;
}

static bool refuse_forged(void)
{
	return refuse(NEW("[5-0 [key desk signature " SIGNATURE " channel sport " ITEM "]]"),
		      "bad_signature");
}

static bool refuse_empty(void)
{
	return refuse(NEW("[5-0 [channel world]]"), "empty");
}

static bool refuse_doubled(void)
{
	return refuse(NEW("[5-0 [" ITEM " " ITEM "]]"), "bad_value");
}

static bool refuse_misdirected(void)
{
	return refuse(LEFT("channel 'No!' " ITEM), "bad_channel");
}

static bool refuse_unreadable(void)
{
	return refuse(LEFT("channel world item '{'"), "not_json");
}

static void one_that_is_refused_is_refused_for_its_own_reason(void **state)
{
	static bool (*const ways[])(void) = {refuse_forged, refuse_empty, refuse_doubled,
					     refuse_misdirected, refuse_unreadable};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		fail_each(ways[i]);
		fail_each_from(ways[i]);
	}
}

/* Memory is short while it is to be asked for entries, and while it is to listen for new ones. */
static bool ask(void)
{
	struct link *link;

	alone_open_ready();
	fail_begin();
	link = fake_link("desk-inbox");
	fake_link_ready(link);
	fail_end();
	alone.about = "inbox.lua - ";
	alone.says = NEW("");
	alone_answer();
	alone_wait();
	assert_null(alone.says);
	assert_int_equal(fake_link_owes(link), 1); /* XREAD */
	assert_int_equal(COUNTER_GET(INBOX_READER), 1);
	alone_close();
	return true;
}

static void an_inbox_that_cannot_be_asked_is_asked_a_second_later(void **state)
{
	(void)state;
	fail_each(ask);
	fail_each_from(ask);
}

/* Who leaves says so, or its lease has to run out: it reads no more. */
static bool leave(void)
{
	bool said;

	alone_open_ready();
	fake_link_ready(fake_link("desk-inbox"));
	alone_answer();
	fail_begin();
	desk_leave_inbox(alone.desk);
	fail_end();
	said = fake_link_owes(fake_link("desk")) == 1;
	if (said)
		assert_string_equal(fake_link_value(fake_link("desk"), "lease_ms"), "0");
	alone.looked = 0;
	alone_answer();
	alone_wait();
	assert_int_equal(alone.looked, said);
	assert_null(fake_link("desk-inbox"));
	alone_close();
	return said;
}

static void who_leaves_reads_no_more(void **state)
{
	(void)state;
	fail_each(leave);
	fail_each_from(leave);
}

static int open_keyring(void **state)
{
	static const char keys[] = "{\"keys\":[{\"name\":\"desk\",\"secret\":\"a long secret\","
				   "\"channels\":[\"world\"],\"may\":[\"publish\"]}]}";

	(void)state;
	keyring = keyring_of(keys);
	alone_options.keyring = keyring;
	alone_options.raw_rights = RIGHTS_EVERYTHING;
	return 0;
}

static int close_keyring(void **state)
{
	(void)state;
	keyring_close(keyring);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_is_decided_or_put_off_without_being_tried),
		cmocka_unit_test(what_is_taken_over_is_so_too_and_the_next_is_looked_for),
		cmocka_unit_test(one_that_is_refused_is_refused_for_its_own_reason),
		cmocka_unit_test(an_inbox_that_cannot_be_asked_is_asked_a_second_later),
		cmocka_unit_test(who_leaves_reads_no_more),
	};

	heard_log_open();
	return cmocka_run_group_tests_name("desk_memory_inbox", tests, open_keyring, close_keyring);
}
