/* Goal: whenever memory is short, an item that was handed in is decided, or whoever handed it in is told to try again; it is never
 * refused for it, and never gone. */
#include "cmocka_all.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include "base/counters.h"
#include "base/log.h"
#include "desk/desk.h"
#include "failing_malloc.h"
#include "fake_link.h"

static const struct desk_options options = {.prefix = "newswire",
					    .max_item = 65536,
					    .retention_ms = 1000,
					    .archive_ms = 1000,
					    .max_embargo_ms = 1000,
					    .feed_max = 10,
					    .raw_rights = RIGHTS_EVERYTHING};

static uv_loop_t loop;
static struct desk *desk;
static unsigned receipts;
static enum desk_result result;
static unsigned accepted, refused;

static redisReply *reply_of(const char *protocol)
{
	redisReader *reader = redisReaderCreate();
	void *reply = NULL;

	assert_int_equal(redisReaderFeed(reader, protocol, strlen(protocol)), REDIS_OK);
	assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
	redisReaderFree(reader);
	assert_non_null(reply);
	return reply;
}

static void hear_receipt(const struct desk_receipt *receipt, void *arg)
{
	(void)arg;
	receipts++;
	result = receipt->result;
}

static void open_desk(void)
{
	struct redis_place place = {.unix_path = (char *)"/nowhere"};

	receipts = accepted = refused = 0;
	assert_int_equal(uv_loop_init(&loop), 0);
	desk = desk_open(&loop, &place, &options);
}

static void make_ready(void)
{
	assert_non_null(desk);
	fake_link_ready(fake_link("desk-ear"));
	fake_link_ready(fake_link("desk"));
}

static void close_desk(void)
{
	desk_close(desk);
	while (uv_run(&loop, UV_RUN_NOWAIT))
		;
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(fake_link_count(), 0);
}

/* Whatever timer is set goes off. */
static void go_off(uv_handle_t *handle, void *arg)
{
	uv_timer_t *timer = (uv_timer_t *)handle;

	(void)arg;
	if (handle->type == UV_TIMER && uv_is_active(handle) && !uv_is_closing(handle))
		timer->timer_cb(timer);
}

static const char *entries;	       /* what inbox.lua says, once */
static bool short_of_memory;	       /* … when it is heard */
static bool was_put_off, put_off_anew; /* an entry of the inbox */

/* Redis does what it is asked: it accepts, and knows nothing. */
static void answer_all(void)
{
	static const char yes[] =
		"*8\r\n$8\r\naccepted\r\n$3\r\n1-0\r\n$7\r\npublish\r\n$5\r\nworld\r\n"
		"$0\r\n\r\n$0\r\n\r\n$1\r\n0\r\n$1\r\n0\r\n";
	struct link *link = fake_link("desk");
	const char *question;

	while ((question = fake_link_question(link)) != NULL) {
		redisReply *reply;

		accepted += strstr(question, "accept.lua - ") != NULL;
		refused += strstr(question, "reject.lua - ") != NULL;
		was_put_off |= strncmp(question, "XCLAIM ", 7) == 0;
		put_off_anew |= strstr(question, "RETRYCOUNT 1 ") != NULL;
		if (entries && strstr(question, "inbox.lua - ")) {
			reply = reply_of(entries);
			entries = NULL;
			if (short_of_memory)
				fail_begin();
		} else {
			reply = reply_of(strstr(question, "accept.lua - ") ||
							 strstr(question, "reject.lua - ")
						 ? yes
						 : "$-1\r\n");
		}
		fake_link_answer(link, reply);
		fail_end();
		freeReplyObject(reply);
	}
}

static bool open_and_close(void)
{
	bool done;

	fail_begin();
	open_desk();
	fail_end();
	done = desk != NULL;
	close_desk();
	return done;
}

static void a_desk_is_opened_or_is_not(void **state)
{
	(void)state;
	fail_each(open_and_close);
	fail_each_from(open_and_close);
}

static bool take(void)
{
	static const char item[] =
		"{\"uri\":\"u\",\"version\":\"1\",\"headlines\":[{\"value\":\"H\"}],"
		"\"bodies\":[{\"contentType\":\"text/html\",\"value\":\"<p>B\"}],"
		"\"subjects\":[{\"uri\":\"medtop:20000337\"}]}";
	struct channel_set world;
	struct desk_order order = {.bytes = item,
				   .len = sizeof item - 1,
				   .channels = &world,
				   .who = &publisher_node,
				   .idempotency = "once"};

	assert_int_equal(channel_set_read(&world, "world", 5, ' '), 0);
	open_desk();
	make_ready();
	answer_all();
	fail_begin();
	desk_take(desk, &order, hear_receipt, NULL);
	fail_end();
	answer_all();
	for (int i = 0; i < 3 && receipts == 0; i++) { /* there is memory again */
		uv_walk(&loop, go_off, NULL);
		answer_all();
	}
	assert_int_equal(receipts, 1);
	assert_true(result == DESK_ACCEPTED || result == DESK_BUSY || result == DESK_AWAY);
	assert_int_equal(accepted, result == DESK_ACCEPTED);
	assert_int_equal(refused, 0);
	close_desk();
	channel_set_free(&world);
	return result == DESK_ACCEPTED;
}

static void an_item_is_accepted_or_put_off_and_never_refused(void **state)
{
	(void)state;
	fail_each(take);
	fail_each_from(take);
}

/* Nobody waits for an answer: it is decided later, or its loss is counted. */
static bool hear(void)
{
	static const char message[] =
		"*4\r\n$8\r\npmessage\r\n$13\r\nnewswire:in:*\r\n$17\r\n"
		"newswire:in:world\r\n$27\r\n{\"uri\":\"u\",\"headline\":\"Hi\"}\r\n";
	redisReply *reply = reply_of(message);
	uint64_t lost;

	open_desk();
	make_ready();
	answer_all();
	lost = counters_mine->value[COUNTER_DESK_LOST];
	fail_begin();
	fake_link_message(fake_link("desk-ear"), reply);
	fail_end();
	answer_all();
	for (int i = 0; i < 3 && accepted == 0; i++) {
		uv_walk(&loop, go_off, NULL);
		answer_all();
	}
	lost = counters_mine->value[COUNTER_DESK_LOST] - lost;
	assert_int_equal(accepted + lost, 1);
	assert_int_equal(refused, 0);
	close_desk();
	freeReplyObject(reply);
	return accepted == 1;
}

static void what_was_heard_is_decided_or_its_loss_is_said(void **state)
{
	(void)state;
	fail_each(hear);
	fail_each_from(hear);
}

/* One of the inbox that cannot be read for want of memory was not tried: five such times would end it as poison. */
static bool read_entry(void)
{
	uint64_t before;

	open_desk();
	make_ready();
	answer_all();
	before = COUNTER_GET(INBOX_PUT_OFF);
	was_put_off = put_off_anew = false;
	short_of_memory = true;
	entries = "*9\r\n$4\r\nmine\r\n$1\r\n0\r\n$1\r\n1\r\n$4\r\nnone\r\n$0\r\n\r\n*0\r\n$1\r\n-"
		  "\r\n"
		  "*1\r\n*2\r\n$3\r\n5-0\r\n*4\r\n$7\r\nchannel\r\n$5\r\nworld\r\n"
		  "$4\r\nitem\r\n$27\r\n{\"uri\":\"u\",\"headline\":\"Hi\"}\r\n$3\r\n5-0\r\n";
	fake_link_ready(fake_link("desk-inbox"));
	for (int i = 0; i < 4 && accepted == 0; i++) {
		uv_walk(&loop, go_off, NULL);
		answer_all();
	}
	short_of_memory = false;
	assert_null(entries);
	assert_int_equal(accepted + (COUNTER_GET(INBOX_PUT_OFF) - before), 1);
	assert_int_equal(was_put_off, put_off_anew);
	assert_int_equal(refused, 0);
	close_desk();
	return accepted == 1;
}

static void an_entry_is_decided_or_put_off_without_being_tried(void **state)
{
	(void)state;
	fail_each(read_entry);
	fail_each_from(read_entry);
}

static unsigned purges;

static void hear_purged(const struct desk_purged *purged, void *arg)
{
	(void)arg;
	(void)purged;
	purges++;
}

static bool purge(void)
{
	bool asked;

	purges = 0;
	open_desk();
	make_ready();
	answer_all();
	fail_begin();
	desk_purge(desk, "u", "desk", hear_purged, NULL);
	fail_end();
	asked = purges == 0;
	answer_all();
	assert_int_equal(purges, 1);
	close_desk();
	return asked;
}

static void who_purges_is_answered(void **state)
{
	(void)state;
	fail_each(purge);
	fail_each_from(purge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_desk_is_opened_or_is_not),
		cmocka_unit_test(an_item_is_accepted_or_put_off_and_never_refused),
		cmocka_unit_test(what_was_heard_is_decided_or_its_loss_is_said),
		cmocka_unit_test(an_entry_is_decided_or_put_off_without_being_tried),
		cmocka_unit_test(who_purges_is_answered),
	};

	log_open(-1, LOG_KEY_VALUE, LOG_ERROR);
	return cmocka_run_group_tests_name("desk_memory", tests, NULL, NULL);
}
