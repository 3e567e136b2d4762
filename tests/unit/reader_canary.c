/* Goal: what a worker sends itself is followed from station to station, and where it got lost is said in words. The test is Redis, the wire
 * and the server at the other end of the socket. */
#include "cmocka_all.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/counters.h"
#include "reader/canary.h"
#include "wire/canary_note.h"
#include "wire/redis_words.h"

/* How far the test lets them come. */
enum reach { REFUSES_STREAM, SAYS_NOTHING, LINK_AWAY, REDIS_REFUSES, TAKES, HEARS, WRITES };

static struct {
	uv_loop_t loop;
	uv_timer_t alarm;
	struct canary *canary;
	int server; /* the other end; -1: none */
	unsigned streams, sent;
	enum reach reach;
} at;

bool wire_has_epoch(const struct wire *w)
{
	(void)w;
	return true;
}

const char *wire_name(const struct wire *w)
{
	(void)w;
	return "me";
}

void canary_note_channel(const char *worker, char to[CANARY_NOTE_CHANNEL_MAX])
{
	snprintf(to, CANARY_NOTE_CHANNEL_MAX, "canary:%s", worker);
}

uint64_t canary_note_number(const char *text, size_t len)
{
	char copy[256];
	uint64_t number = 0;

	snprintf(copy, sizeof copy, "%.*s", (int)len, text);
	(void)sscanf(copy, "data: %" SCNu64, &number);
	return number;
}

static void serve(const char *text)
{
	assert_int_equal(send(at.server, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

int canary_note_send(struct canary_note_sender *sender, uint64_t number)
{
	char text[64];
	struct post post = {.body = text};

	at.sent++;
	if (at.reach == LINK_AWAY)
		return -1;
	if (at.reach == REDIS_REFUSES) {
		sender->answered(sender, false, redis_words("OOM command not allowed"));
		return 0;
	}
	sender->answered(sender, true, NULL);
	post.body_len = (size_t)snprintf(text, sizeof text, "data: %" PRIu64 "\n\n", number);
	if (at.reach >= HEARS)
		canary_heard(at.canary, &post);
	if (at.reach >= WRITES)
		serve(text);
	return 0;
}

static int enter(void *arg, int fd)
{
	(void)arg;
	at.streams++;
	if (at.reach == REFUSES_STREAM) {
		close(fd);
		return -1;
	}
	if (at.server >= 0)
		close(at.server);
	at.server = fd;
	if (at.reach != SAYS_NOTHING)
		serve("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nretry: "
		      "5\n\nevent: hello\ndata: {}\n\n");
	return 0;
}

static void give_up(uv_timer_t *alarm)
{
	(void)alarm;
	fail_msg("it took more than 10 s");
}

static int set_up(void **state)
{
	(void)state;
	uv_loop_init(&at.loop);
	uv_timer_init(&at.loop, &at.alarm);
	uv_timer_start(&at.alarm, give_up, 10000, 0);
	at.server = -1;
	at.streams = at.sent = 0;
	at.canary = canary_open(&at.loop, (struct wire *)&at, CANARY_LEAST_MS, enter, NULL);
	assert_non_null(at.canary);
	canary_begin(at.canary);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	canary_close(at.canary);
	uv_close((uv_handle_t *)&at.alarm, NULL);
	uv_run(&at.loop, UV_RUN_DEFAULT);
	if (at.server >= 0)
		close(at.server);
	return uv_loop_close(&at.loop);
}

static enum canary_news news; /* as explained last */

static const char *explained(void)
{
	static char why[CANARY_TROUBLE_MAX];

	news = canary_explain(at.canary, why, sizeof why);
	return news == CANARY_FLOWS ? NULL : why;
}

static uint64_t up(void)
{
	return counters_mine->value[COUNTER_CANARY_UP]; /* one more than what was said */
}

static void until_silent(enum canary_news expected, const char *words)
{
	while (explained() == NULL)
		uv_run(&at.loop, UV_RUN_ONCE);
	assert_non_null(strstr(explained(), words));
	assert_int_equal(news, expected);
	assert_int_equal(up(), 1);
}

static void until_flowing(void)
{
	while (up() != 2)
		uv_run(&at.loop, UV_RUN_ONCE);
	assert_null(explained());
}

static void what_comes_back_says_that_news_flows(void **state)
{
	uint64_t failures = COUNTER_GET(CANARY_FAILURES);

	(void)state;
	at.reach = WRITES;
	until_flowing();
	while (at.sent < 5)
		uv_run(&at.loop, UV_RUN_ONCE);
	assert_int_equal(at.streams, 1);
	assert_int_equal(COUNTER_GET(CANARY_FAILURES), failures);
}

static void where_it_got_lost_is_said_and_is_over_by_itself(void **state)
{
	static const struct {
		enum reach reach;
		enum canary_news news;
		const char *words;
	} rows[] = {{LINK_AWAY, CANARY_HELD_UP, "Redis did not take it"},
		    {REDIS_REFUSES, CANARY_HELD_UP, "no memory left (maxmemory)"},
		    {TAKES, CANARY_HELD_UP, "Redis took it, and it was not heard"},
		    {HEARS, CANARY_BROKEN, "did not come out of its reader's socket"}};

	(void)state;
	at.reach = WRITES;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		until_flowing();
		at.reach = rows[i].reach;
		until_silent(rows[i].news, rows[i].words);
		at.reach = WRITES;
	}
	until_flowing();
	assert_int_equal(at.streams, 1);
}

static void a_stream_that_is_not_opened_is_tried_again(void **state)
{
	static const enum reach reaches[] = {REFUSES_STREAM, SAYS_NOTHING};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(reaches); i++) {
		at.reach = reaches[i];
		if (at.server >= 0)
			shutdown(at.server, SHUT_RDWR);
		until_silent(CANARY_BROKEN, "own stream could not be opened");
		at.reach = WRITES;
		until_flowing();
	}
}

static void a_stream_that_ends_is_opened_anew(void **state)
{
	(void)state;
	at.reach = WRITES;
	until_flowing();
	shutdown(at.server, SHUT_RDWR);
	while (at.streams < 2)
		uv_run(&at.loop, UV_RUN_ONCE);
	assert_null(explained());
}

static void until_it_is_known_nothing_is_said(void **state)
{
	(void)state;
	at.reach = TAKES;
	while (at.sent == 0)
		uv_run(&at.loop, UV_RUN_ONCE);
	assert_int_equal(up(), 0);
	assert_null(explained());
}

static void who_stops_says_nothing_any_more(void **state)
{
	(void)state;
	at.reach = WRITES;
	until_flowing();
	canary_stop(at.canary);
	assert_int_equal(up(), 0);
	assert_null(explained());
	assert_int_equal(canary_explain(NULL, (char[1]){0}, 1), CANARY_FLOWS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_comes_back_says_that_news_flows, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(where_it_got_lost_is_said_and_is_over_by_itself,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stream_that_is_not_opened_is_tried_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_stream_that_ends_is_opened_anew, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(until_it_is_known_nothing_is_said, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(who_stops_says_nothing_any_more, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
