/* Goal: a link finds Redis again whatever happens to either, answers every command once, and never takes silence for life. */
#include "cmocka_all.h"

#include <arpa/inet.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/counters.h"
#include "redis_fixture.h"
#include "wire/link.h"

enum { SOON = 10000 };

struct stage {
	uv_loop_t loop;
	struct redis_fixture *redis;
	struct link *link;
	unsigned ready, lost, batches;
	unsigned answers, nulls, messages;
	char last[64];
	void (*on_ready)(struct stage *stage);
};

static void on_ready(void *arg)
{
	struct stage *stage = arg;

	stage->ready++;
	if (stage->on_ready)
		stage->on_ready(stage);
}

static void on_lost(void *arg)
{
	((struct stage *)arg)->lost++;
}

static void on_batch(void *arg)
{
	((struct stage *)arg)->batches++;
}

static const struct link_events events = {on_ready, on_lost, on_batch};

static void on_answer(redisReply *reply, void *arg)
{
	struct stage *stage = arg;

	stage->answers++;
	if (reply == NULL)
		stage->nulls++;
	else
		snprintf(stage->last, sizeof stage->last, "%s", reply->str ? reply->str : "");
}

static void on_message(redisReply *reply, void *arg)
{
	struct stage *stage = arg;

	if (reply == NULL)
		stage->nulls++;
	else if (strcmp(reply->element[0]->str, "subscribe") == 0)
		stage->answers++;
	else
		stage->messages++;
}

static bool is_ready(void *arg)
{
	return link_state(((struct stage *)arg)->link) == LINK_READY;
}

static bool has_answers(void *arg)
{
	return ((struct stage *)arg)->answers > 0;
}

static bool has_lost(void *arg)
{
	return ((struct stage *)arg)->lost > 0;
}

static void wait_for(struct stage *stage, bool (*condition)(void *))
{
	redis_fixture_run_until(&stage->loop, condition, stage, SOON);
}

static void open_named(struct stage *stage, const char *name, const char *address)
{
	struct redis_place place;
	char error[200];

	assert_int_equal(redis_place_read(&place, address, error, sizeof error), 0);
	stage->link = link_open(&stage->loop, &place, name, &events, stage);
	assert_non_null(stage->link);
	redis_place_free(&place);
}

static void open_link(struct stage *stage, const char *address)
{
	open_named(stage, "test", address);
}

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof *stage);

	assert_non_null(stage);
	uv_loop_init(&stage->loop);
	stage->redis = redis_fixture_start();
	open_link(stage, redis_fixture_address(stage->redis));
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	link_close(stage->link);
	redis_fixture_close_loop(&stage->loop);
	redis_fixture_stop(stage->redis);
	free(stage);
	return 0;
}

static void a_link_greets_and_says_who_it_is(void **state)
{
	struct stage *stage = *state;

	wait_for(stage, is_ready);
	assert_int_equal(stage->ready, 1);
	assert_non_null(
		strstr(redis_fixture_do(stage->redis, "CLIENT LIST"), "name=newswired-test "));
}

static void commands_are_answered_once(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(link_commandf(stage->link, on_answer, stage, "PING"), -1); /* not yet */
	wait_for(stage, is_ready);
	assert_int_equal(link_commandf(stage->link, on_answer, stage, "ECHO %b", "a b", (size_t)3),
			 0);
	wait_for(stage, has_answers);
	assert_string_equal(stage->last, "a b");
	assert_int_equal(stage->answers, 1);
}

static void a_script_is_loaded_once_and_called_by_its_name(void **state)
{
	static struct link_script script = {.text = "return ARGV[1]"};
	const char *argv[] = {"hello"};
	struct stage *stage = *state;

	wait_for(stage, is_ready);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
			link_script(stage->link, &script, on_answer, stage, 0, 1, argv, NULL), 0);
	wait_for(stage, has_answers);
	assert_string_equal(stage->last, "hello");
	assert_non_null(strstr(redis_fixture_do(stage->redis, "INFO commandstats"),
			       "cmdstat_script|load:calls=1,"));
}

static bool is_back(void *arg)
{
	struct stage *stage = arg;

	return stage->ready == 2 && is_ready(stage);
}

static void forgotten_scripts_make_the_link_anew(void **state)
{
	static struct link_script script = {.text = "return ARGV[1]"};
	const char *argv[] = {"hello"};
	struct stage *stage = *state;

	wait_for(stage, is_ready);
	assert_int_equal(link_script(stage->link, &script, on_answer, stage, 0, 1, argv, NULL), 0);
	wait_for(stage, has_answers);
	redis_fixture_do(stage->redis, "SCRIPT FLUSH");
	assert_int_equal(link_script(stage->link, &script, on_answer, stage, 0, 1, argv, NULL), 0);
	wait_for(stage, is_back);
	assert_int_equal(stage->nulls, 1);
	stage->answers = 0;
	assert_int_equal(link_script(stage->link, &script, on_answer, stage, 0, 1, argv, NULL), 0);
	wait_for(stage, has_answers);
	assert_int_equal(stage->nulls, 1);
}

static void commands_in_flight_at_a_loss_are_answered_with_nothing(void **state)
{
	struct stage *stage = *state;

	wait_for(stage, is_ready);
	assert_int_equal(link_commandf(stage->link, on_answer, stage, "BLPOP nothing 0"), 0);
	assert_int_equal(link_commandf(stage->link, on_answer, stage, "PING"), 0);
	uv_run(&stage->loop, UV_RUN_NOWAIT);
	redis_fixture_kill(stage->redis);
	wait_for(stage, has_lost);
	assert_int_equal(stage->answers, 2);
	assert_int_equal(stage->nulls, 2);
}

static void a_killed_redis_is_found_again(void **state)
{
	struct stage *stage = *state;

	wait_for(stage, is_ready);
	redis_fixture_restart(stage->redis);
	wait_for(stage, is_back);
	assert_int_equal(stage->lost, 1);
}

static void a_client_that_redis_throws_out_comes_back(void **state)
{
	struct stage *stage = *state;

	wait_for(stage, is_ready);
	redis_fixture_do(stage->redis, "CLIENT KILL TYPE normal SKIPME yes");
	wait_for(stage, is_back);
}

static bool has_three_messages(void *arg)
{
	return ((struct stage *)arg)->messages == 3;
}

static void a_burst_of_messages_is_one_batch(void **state)
{
	struct stage *stage = *state;

	wait_for(stage, is_ready);
	assert_int_equal(link_commandf(stage->link, on_message, stage, "SUBSCRIBE burst"), 0);
	wait_for(stage, has_answers);
	stage->batches = 0;
	redis_fixture_do(stage->redis, "EVAL %s 0",
			 "for i = 1, 3 do redis.call('PUBLISH', 'burst', i) end");
	wait_for(stage, has_three_messages);
	assert_int_equal(stage->batches, 1);
}

static bool is_thawed_and_heard(void *arg)
{
	return ((struct stage *)arg)->messages == 1;
}

static void a_paused_link_leaves_messages_in_the_socket(void **state)
{
	struct stage *stage = *state;

	wait_for(stage, is_ready);
	assert_int_equal(link_commandf(stage->link, on_message, stage, "SUBSCRIBE x"), 0);
	wait_for(stage, has_answers);
	link_pause(stage->link, true);
	redis_fixture_do(stage->redis, "PUBLISH x later");
	for (int i = 0; i < 20; i++)
		uv_run(&stage->loop, UV_RUN_NOWAIT);
	assert_int_equal(stage->messages, 0);
	link_pause(stage->link, false);
	wait_for(stage, is_thawed_and_heard);
}

static bool has_heartbeats(void *arg)
{
	struct stage *stage = arg;

	return strstr(redis_fixture_do(stage->redis, "INFO commandstats"),
		      "cmdstat_subscribe:calls=3,") != NULL;
}

static void a_frozen_redis_is_noticed_by_a_subscriber(void **state)
{
	struct stage *stage = *state;

	wait_for(stage, is_ready);
	assert_int_equal(link_commandf(stage->link, on_message, stage, "SUBSCRIBE x"), 0);
	wait_for(stage, has_heartbeats);
	assert_int_equal(stage->answers, 1); /* heartbeats are the link's own business */
	redis_fixture_freeze(stage->redis);
	wait_for(stage, has_lost);
	assert_int_equal(stage->nulls, 1);
	redis_fixture_thaw(stage->redis);
	wait_for(stage, is_back);
}

static void close_it(struct stage *stage)
{
	link_close(stage->link);
	stage->link = NULL;
}

static bool is_closed(void *arg)
{
	return ((struct stage *)arg)->link == NULL;
}

static void a_link_may_be_closed_while_it_says_that_it_is_ready(void **state)
{
	struct stage *stage = *state;

	stage->on_ready = close_it;
	wait_for(stage, is_closed);
}

static void close_on_answer(redisReply *reply, void *arg)
{
	on_answer(reply, arg);
	close_it(arg);
}

static void a_link_may_be_closed_by_an_answer_and_then_says_no_more(void **state)
{
	struct stage *stage = *state;

	wait_for(stage, is_ready);
	assert_int_equal(link_commandf(stage->link, close_on_answer, stage, "PING"), 0);
	assert_int_equal(link_commandf(stage->link, on_answer, stage, "PING"), 0);
	wait_for(stage, is_closed);
	assert_int_equal(stage->answers, 1);
}

static void a_link_may_be_closed_by_the_answer_that_a_loss_brings(void **state)
{
	struct stage *stage = *state;

	wait_for(stage, is_ready);
	assert_int_equal(link_commandf(stage->link, close_on_answer, stage, "BLPOP nothing 0"), 0);
	assert_int_equal(link_commandf(stage->link, on_answer, stage, "PING"), 0);
	uv_run(&stage->loop, UV_RUN_NOWAIT);
	redis_fixture_kill(stage->redis);
	wait_for(stage, is_closed);
	assert_int_equal(stage->answers, 1);
	assert_int_equal(stage->lost, 0);
}

static void a_refused_connection_is_tried_again(void **state)
{
	struct stage *stage = *state;
	uint64_t lost;

	wait_for(stage, is_ready);
	redis_fixture_kill(stage->redis);
	wait_for(stage, has_lost);
	lost = COUNTER_GET(REDIS_LOST);
	while (COUNTER_GET(REDIS_LOST) < lost + 3) /* the socket file has no listener */
		uv_run(&stage->loop, UV_RUN_ONCE);
	assert_int_not_equal(link_state(stage->link), LINK_READY);
	redis_fixture_restart(stage->redis);
	wait_for(stage, is_back);
}

/* A port that is taken, but that nobody listens on. */
static int take_port(char *address, size_t size)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(address, size, "redis://localhost:%d", ntohs(at.sin_port));
	return fd;
}

static void a_refused_tcp_connection_by_name_is_tried_again(void **state)
{
	struct stage *stage = *state;
	uint64_t lost = COUNTER_GET(REDIS_LOST);
	char address[64];
	int fd = take_port(address, sizeof address);

	link_close(stage->link);
	open_link(stage, address);
	while (COUNTER_GET(REDIS_LOST) < lost + 4)
		uv_run(&stage->loop, UV_RUN_ONCE);
	assert_int_equal(stage->ready, 0);
	close(fd);
}

static void a_link_that_every_worker_has_is_counted_as_up_or_not(void **state)
{
	struct stage *stage = *state;

	link_close(stage->link);
	LEAST_UNSET(LINK_DESK);
	open_named(stage, "desk", redis_fixture_address(stage->redis));
	LEAST_SET(LINK_WIRE, 7);
	assert_int_equal(counters_mine->value[COUNTER_LINK_DESK], 0 + 1); /* down, and said so */
	wait_for(stage, is_ready);
	assert_int_equal(counters_mine->value[COUNTER_LINK_DESK], 1 + 1);
	redis_fixture_kill(stage->redis);
	wait_for(stage, has_lost);
	assert_int_equal(counters_mine->value[COUNTER_LINK_DESK], 0 + 1);
	close_it(stage);
	assert_int_equal(counters_mine->value[COUNTER_LINK_DESK], 0);
	assert_int_equal(counters_mine->value[COUNTER_LINK_WIRE], 7 + 1); /* another's */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_link_greets_and_says_who_it_is),
		TEST(commands_are_answered_once),
		TEST(a_script_is_loaded_once_and_called_by_its_name),
		TEST(forgotten_scripts_make_the_link_anew),
		TEST(commands_in_flight_at_a_loss_are_answered_with_nothing),
		TEST(a_killed_redis_is_found_again),
		TEST(a_client_that_redis_throws_out_comes_back),
		TEST(a_burst_of_messages_is_one_batch),
		TEST(a_paused_link_leaves_messages_in_the_socket),
		TEST(a_frozen_redis_is_noticed_by_a_subscriber),
		TEST(a_link_may_be_closed_while_it_says_that_it_is_ready),
		TEST(a_link_may_be_closed_by_an_answer_and_then_says_no_more),
		TEST(a_link_may_be_closed_by_the_answer_that_a_loss_brings),
		TEST(a_refused_connection_is_tried_again),
		TEST(a_refused_tcp_connection_by_name_is_tried_again),
		TEST(a_link_that_every_worker_has_is_counted_as_up_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
