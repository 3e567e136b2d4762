/* Goal: whenever memory is short, a link to a real Redis is there a little later, and whoever asks over it is told at once that it cannot
 * be asked, or gets one answer, which is the right one. */
#include "cmocka_all.h"

#include <hiredis/hiredis.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "failing_malloc.h"
#include "redis_fixture.h"
#include "wire/link.h"

enum { TURNS_MAX = 20000, TURNS_A_SECOND = 200 };

static struct redis_fixture *redis;
static uv_loop_t loop;
static struct link *link_;
static unsigned readies, losses;

static void on_ready(void *arg)
{
	(void)arg;
	readies++;
}

static void on_lost(void *arg)
{
	(void)arg;
	losses++;
}

static const struct link_events events = {on_ready, on_lost, NULL};

/* --- time ------------------------------------------------------------------------------------- */

static uint64_t now_ms;

static void go_off(uv_handle_t *handle, void *arg)
{
	uv_timer_t *timer = (uv_timer_t *)handle;

	(void)arg;
	if (handle->type == UV_TIMER && uv_is_active(handle) && !uv_is_closing(handle))
		timer->timer_cb(timer);
}

static void a_second_passes(void)
{
	now_ms += 1000;
	clock_set_for_test(now_ms, 0);
	uv_walk(&loop, go_off, NULL);
}

/* The link's clock stands still. */
static void wait_until(bool (*condition)(void))
{
	for (unsigned turns = 0; !condition(); turns++) {
		assert_in_range(turns, 0, TURNS_MAX);
		uv_run(&loop, UV_RUN_NOWAIT);
		uv_sleep(turns > 100);
	}
}

/* --- opening and connecting ------------------------------------------------------------------- */

static void open_link(void)
{
	char error[200], address[200];
	struct redis_place place;

	readies = losses = 0;
	snprintf(address, sizeof address, "%s?db=1", redis_fixture_address(redis));
	assert_int_equal(redis_place_read(&place, address, error, sizeof error), 0);
	assert_int_equal(uv_loop_init(&loop), 0);
	fail_begin();
	link_ = link_open(&loop, &place, "test", &events, NULL);
	fail_end();
	redis_place_free(&place);
}

static void close_link(void)
{
	link_close(link_);
	redis_fixture_close_loop(&loop);
}

static bool is_ready(void)
{
	return link_state(link_) == LINK_READY;
}

/* Seconds pass in moments: a greeting that was not sent whole is given up after five. */
static void wait_for_ready(void)
{
	for (unsigned turns = 1; !is_ready(); turns++) {
		assert_in_range(turns, 0, TURNS_MAX);
		uv_run(&loop, UV_RUN_NOWAIT);
		uv_sleep(turns % 4 == 0);
		if (turns % TURNS_A_SECOND == 0)
			a_second_passes();
	}
}

static bool is_ready_or_failed(void)
{
	return is_ready() || fail_happened();
}

static bool connect_to_redis(void)
{
	open_link();
	if (link_ == NULL) {
		close_link();
		return false;
	}
	fail_begin();
	wait_until(is_ready_or_failed);
	fail_end();
	wait_for_ready();
	assert_int_equal(readies, 1);
	assert_int_equal(losses, 0);
	close_link();
	return true;
}

static void a_link_is_there_now_or_a_little_later(void **state)
{
	(void)state;
	fail_each(connect_to_redis);
	fail_each_from(connect_to_redis);
}

/* --- asking ----------------------------------------------------------------------------------- */

enum { ASKS = 3 };

static unsigned owed, answers[ASKS];

static void on_answer(redisReply *reply, void *arg)
{
	unsigned *count = arg;

	owed--;
	(*count)++;
	assert_non_null(reply);
	assert_string_equal(reply->str, "yes");
}

static bool is_nothing_owed(void)
{
	return owed == 0;
}

static struct link_script script;

/* Three ways to get it. Returns how many were asked. */
static unsigned ask_all(void)
{
	const char *argv[] = {"key", "yes"}, *words[] = {"ECHO", "yes"};
	unsigned before = owed;

	owed += link_commandf(link_, on_answer, &answers[0], "ECHO %s", "yes") == 0;
	owed += link_command(link_, on_answer, &answers[1], 2, words, NULL) == 0;
	owed += link_script(link_, &script, on_answer, &answers[2], 1, 2, argv, NULL) == 0;
	return owed - before;
}

static bool ask(void)
{
	unsigned asked;

	open_link();
	if (link_ == NULL) {
		close_link();
		return false;
	}
	wait_until(is_ready);
	memset(answers, 0, sizeof answers);
	redis_fixture_do(redis, "SCRIPT FLUSH");
	script = (struct link_script){.text = "return ARGV[1] -- wire_memory_link"};
	fail_begin();
	asked = ask_all();
	fail_end();
	wait_until(is_nothing_owed);
	assert_int_equal(answers[0] + answers[1] + answers[2], asked);
	memset(answers, 0, sizeof answers);
	assert_int_equal(ask_all(), ASKS);
	wait_until(is_nothing_owed);
	for (unsigned i = 0; i < ASKS; i++)
		assert_int_equal(answers[i], 1);
	assert_int_equal(readies, 1);
	assert_int_equal(losses, 0);
	close_link();
	return asked == ASKS;
}

static void who_asks_has_one_answer_or_knows_that_none_comes(void **state)
{
	(void)state;
	fail_each(ask);
	fail_each_from(ask);
}

static unsigned acknowledged, messages;

static void on_message(redisReply *reply, void *arg)
{
	(void)arg;
	if (reply == NULL)
		return;
	assert_int_equal(reply->elements, 3);
	if (strcmp(reply->element[0]->str, "subscribe") == 0)
		acknowledged++;
	else
		messages++;
}

static bool is_subscribed(void)
{
	return acknowledged > 0;
}

static bool has_message(void)
{
	return messages > 0;
}

/* A few seconds of proofs of life, which nobody sees. */
static bool subscribe(void)
{
	bool done;

	open_link();
	if (link_ == NULL) {
		close_link();
		return false;
	}
	wait_until(is_ready);
	acknowledged = messages = 0;
	fail_begin();
	done = link_commandf(link_, on_message, NULL, "SUBSCRIBE channel") == 0;
	fail_end();
	if (!done)
		assert_int_equal(link_commandf(link_, on_message, NULL, "SUBSCRIBE channel"), 0);
	wait_until(is_subscribed);
	fail_begin();
	for (int i = 0; i < 3; i++)
		a_second_passes();
	fail_end();
	redis_fixture_do(redis, "PUBLISH channel text");
	wait_until(has_message);
	assert_int_equal(messages, 1);
	assert_int_equal(acknowledged, 1);
	assert_int_equal(losses, 0);
	close_link();
	return done;
}

static void who_subscribes_hears_each_message_once(void **state)
{
	(void)state;
	fail_each(subscribe);
	fail_each_from(subscribe);
}

/* --- where Redis is --------------------------------------------------------------------------- */

static const char *address;

static bool read_place(void)
{
	struct redis_place place, copy;
	char error[200] = "";
	bool is_read, is_copied = false;

	fail_begin();
	is_read = redis_place_read(&place, address, error, sizeof error) == 0;
	if (is_read)
		is_copied = redis_place_copy(&copy, &place) == 0;
	fail_end();
	if (!is_read)
		assert_string_not_equal(error, "");
	if (is_copied) {
		assert_string_equal(copy.unix_path ? copy.unix_path : copy.password,
				    place.unix_path ? "/path" : "a@b");
		assert_int_equal(copy.sentinel_count, place.sentinel_count);
		redis_place_free(&copy);
	}
	if (is_read)
		redis_place_free(&place);
	return is_copied;
}

static void an_address_is_read_and_copied_whole_or_not_at_all(void **state)
{
	static const char *const addresses[] = {
		"unix:/path?db=2",
		"redis://me:a%40b@host:7000/2",
		"redis+sentinel://me:a%40b@one:1,two/main/3?sentinel_user=s&sentinel_password=c",
	};

	(void)state;
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		address = addresses[i];
		fail_each(read_place);
		fail_each_from(read_place);
	}
}

/* --- the stage -------------------------------------------------------------------------------- */

/* OpenSSL, which names scripts, is no part of what the linker wraps. What it makes at its first use it has: it would not always survive
 * without. */
static void *ssl_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(size);
}

static void *ssl_realloc(void *old, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return realloc(old, size);
}

static void ssl_free(void *old, const char *file, int line)
{
	(void)file;
	(void)line;
	free(old);
}

static void open_ssl(void)
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	assert_int_equal(CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free), 1);
	assert_int_equal(EVP_Digest("", 0, digest, NULL, EVP_sha1(), NULL), 1);
}

static int start(void **state)
{
	(void)state;
	redis = redis_fixture_start();
	now_ms = clock_mono_ms();
	clock_set_for_test(now_ms, 0);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	clock_real_for_test();
	redis_fixture_stop(redis);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_read_and_copied_whole_or_not_at_all),
		cmocka_unit_test(a_link_is_there_now_or_a_little_later),
		cmocka_unit_test(who_asks_has_one_answer_or_knows_that_none_comes),
		cmocka_unit_test(who_subscribes_hears_each_message_once),
	};

	open_ssl();
	log_open(-1, LOG_KEY_VALUE, LOG_ERROR);
	return cmocka_run_group_tests_name("wire_memory_link", tests, start, stop);
}
