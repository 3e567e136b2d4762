/* Goal: what many lines wait for is kept once; all that is kept has a bound; and beyond it those are let go that have stood still for
 * longest, never who reads. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/counters.h"
#include "line/line.h"

enum { LINES = 4, BLOCK = 100000, SNDBUF = 16 << 10, QUIET_MS = 50 };

/* A line between the loop and `far`, where a test reads. */
struct end {
	struct line line;
	int far;
	bool ended;
	size_t read;
	uint8_t bytes[8 * BLOCK];
};

static uv_loop_t loop;
static struct lines *lines;
static struct end *ends;

static enum line_fate heard(struct line *line, char *bytes, size_t len)
{
	(void)line;
	(void)bytes;
	(void)len;
	return LINE_LIVES;
}

static enum line_fate room(struct line *line)
{
	(void)line;
	return LINE_LIVES;
}

static void ended(struct line *line)
{
	CONTAINER_OF(line, struct end, line)->ended = true;
}

static void freed(void *arg)
{
	(void)arg;
}

static int set_up(void **state)
{
	static const struct line_events events = {heard, room, ended};
	int size = SNDBUF, fds[2];

	(void)state;
	counters_mine->value[COUNTER_LAG_MEMORY] = 0;
	assert_non_null(ends = calloc(LINES, sizeof *ends));
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_non_null(lines = lines_new(&loop, freed, NULL));
	for (int i = 0; i < LINES; i++) {
		assert_int_equal(
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
		assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
		ends[i].line = (struct line){.fd = fds[0], .events = &events, .all = lines};
		ends[i].far = fds[1];
		assert_int_equal(line_watch(&ends[i].line), 0);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lines_close(lines);
	assert_int_equal(COUNTER_GET(WAITING_BYTES), 0);
	lines_free(lines);
	while (uv_run(&loop, UV_RUN_NOWAIT) != 0)
		;
	assert_int_equal(uv_loop_close(&loop), 0);
	for (int i = 0; i < LINES; i++)
		close(ends[i].far);
	free(ends);
	return 0;
}

/* A block of its own for each number. */
static const uint8_t *block(int number)
{
	static uint8_t bytes[BLOCK];

	for (size_t i = 0; i < BLOCK; i++)
		bytes[i] = (uint8_t)((i * 7 + (size_t)number * 31) % 251);
	return bytes;
}

static enum line_result say(int i, int number)
{
	return line_write(&ends[i].line, block(number), BLOCK);
}

/* What is there is read, and the loop turns, until no more comes or so much has. */
static void listen_to(int i, size_t upto)
{
	struct end *end = &ends[i];

	for (int still = 0; still < 3 && end->read < upto;) {
		ssize_t n = recv(end->far, end->bytes + end->read, upto - end->read, MSG_DONTWAIT);

		if (n > 0)
			end->read += (size_t)n;
		still = n > 0 ? 0 : still + 1;
		uv_run(&loop, UV_RUN_NOWAIT);
	}
}

static void has_block(int i, size_t at, int number)
{
	listen_to(i, at + BLOCK);
	assert_int_equal(ends[i].read, at + BLOCK);
	assert_memory_equal(ends[i].bytes + at, block(number), BLOCK);
}

static void what_many_wait_for_is_kept_once(void **state)
{
	(void)state;
	for (int i = 0; i < LINES; i++)
		assert_int_equal(say(i, 1), LINE_PARTIAL);
	assert_int_equal(COUNTER_GET(WAITING_BYTES), BLOCK);
	for (int i = 0; i < LINES; i++)
		has_block(i, 0, 1);
	assert_int_equal(COUNTER_GET(WAITING_BYTES), 0);
}

static void what_differs_is_kept_for_each(void **state)
{
	(void)state;
	for (int i = 0; i < LINES; i++)
		assert_int_equal(say(i, i), LINE_PARTIAL);
	assert_int_equal(COUNTER_GET(WAITING_BYTES), LINES * BLOCK);
	for (int i = 0; i < LINES; i++)
		has_block(i, 0, i);
}

static void who_has_read_a_part_shares_as_well(void **state)
{
	(void)state;
	assert_int_equal(say(0, 1), LINE_PARTIAL);
	listen_to(0, 3000);
	assert_int_equal(say(1, 1), LINE_PARTIAL);
	assert_int_equal(COUNTER_GET(WAITING_BYTES), BLOCK);
	has_block(1, 0, 1);
	has_block(0, 0, 1);
}

static void what_is_said_later_comes_behind_it(void **state)
{
	(void)state;
	assert_int_equal(say(0, 1), LINE_PARTIAL);
	assert_int_equal(say(1, 1), LINE_PARTIAL);
	assert_int_equal(say(0, 2), LINE_PARTIAL);
	assert_int_equal(say(0, 3), LINE_PARTIAL);
	has_block(0, 0, 1);
	has_block(0, BLOCK, 2);
	has_block(0, 2 * BLOCK, 3);
	has_block(1, 0, 1);
}

static void who_has_stood_still_for_longest_is_let_go(void **state)
{
	(void)state;
	lines_limit(lines, 2 * BLOCK + BLOCK / 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(say(i, i), LINE_PARTIAL);
	assert_int_equal(COUNTER_GET(LAG_MEMORY), 1);
	assert_int_equal(COUNTER_GET(WAITING_BYTES), 2 * BLOCK);
	assert_int_equal(line_write(&ends[0].line, (const uint8_t *)"x", 1), LINE_DEAD);
	assert_int_equal(line_write_some(&ends[0].line, (const uint8_t *)"x", 1), -1);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_true(ends[0].ended);
	has_block(1, 0, 1);
	has_block(2, 0, 2);
	assert_false(ends[1].ended || ends[2].ended);
}

static void who_reads_a_little_is_not_the_one(void **state)
{
	(void)state;
	lines_limit(lines, 2 * BLOCK + BLOCK / 2);
	assert_int_equal(say(0, 0), LINE_PARTIAL);
	assert_int_equal(say(1, 1), LINE_PARTIAL);
	listen_to(0, 60000);
	assert_int_equal(say(2, 2), LINE_PARTIAL);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_true(ends[1].ended);
	has_block(0, 0, 0);
	has_block(2, 0, 2);
}

static void who_alone_would_need_more_than_there_may_be_is_let_go(void **state)
{
	(void)state;
	lines_limit(lines, BLOCK + BLOCK / 2);
	assert_int_equal(say(0, 0), LINE_PARTIAL);
	assert_int_equal(say(0, 1), LINE_DEAD);
	assert_int_equal(COUNTER_GET(WAITING_BYTES), 0);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_true(ends[0].ended);
	assert_int_equal(say(1, 2), LINE_PARTIAL);
	has_block(1, 0, 2);
}

static void nobody_is_let_go_for_what_has_no_room_even_so(void **state)
{
	static uint8_t much[4 * BLOCK];

	(void)state;
	lines_limit(lines, BLOCK + BLOCK / 2);
	assert_int_equal(say(0, 0), LINE_PARTIAL);
	assert_int_equal(line_write(&ends[1].line, much, sizeof much), LINE_DEAD);
	assert_int_equal(COUNTER_GET(WAITING_BYTES), BLOCK);
	assert_true(line_was_let_go(&ends[1].line));
	assert_false(line_was_let_go(&ends[0].line));
	assert_int_equal(COUNTER_GET(LAG_MEMORY), 1);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_true(ends[1].ended);
	assert_false(ends[0].ended);
	has_block(0, 0, 0);
}

static void nor_for_what_has_none_behind_what_waits_already(void **state)
{
	(void)state;
	lines_limit(lines, 2 * BLOCK + BLOCK / 2);
	assert_int_equal(say(0, 0), LINE_PARTIAL);
	assert_int_equal(say(1, 1), LINE_PARTIAL);
	assert_int_equal(say(1, 2), LINE_DEAD); /* it lies there twice for a moment */
	assert_int_equal(COUNTER_GET(WAITING_BYTES), BLOCK);
	assert_int_equal(COUNTER_GET(LAG_MEMORY), 1);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_true(ends[1].ended);
	assert_false(ends[0].ended);
	has_block(0, 0, 0);
}

static void who_is_not_watched_yet_is_counted_by_who_writes_to_it(void **state)
{
	static uint8_t much[4 * BLOCK];
	struct line line = {.events = ends[0].line.events, .all = lines};
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	line.fd = fds[0];
	lines_limit(lines, BLOCK + BLOCK / 2);
	assert_int_equal(say(0, 0), LINE_PARTIAL);
	assert_int_equal(line_write(&line, much, sizeof much), LINE_DEAD);
	assert_int_equal(COUNTER_GET(LAG_MEMORY), 0);
	line_drop(&line);
	close(fds[1]);
	has_block(0, 0, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* --- the kernel's part ------------------------------------------------------------------------- */

/* Two ends of a TCP connection, ends[1] does not block. */
static void connect_ends(int to[2])
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(server, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(server, 1), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&at, &len), 0);
	to[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(to[0], (struct sockaddr *)&at, len), 0);
	assert_true((to[1] = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0);
	close(server);
}

/* How much of what nobody reads the kernel takes. */
static size_t taken_of_what_is_not_read(bool bound)
{
	int fds[2], most = 64 << 10;
	struct pollfd room;
	size_t taken = 0;
	ssize_t n;

	connect_ends(fds);
	if (bound)
		line_bound(fds[1], (size_t)most);
	else
		assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &most, sizeof most), 0);
	room = (struct pollfd){.fd = fds[1], .events = POLLOUT};
	while (poll(&room, 1, QUIET_MS) == 1 &&
	       (n = send(fds[1], block(1), BLOCK, MSG_NOSIGNAL)) > 0)
		taken += (size_t)n;
	close(fds[0]);
	close(fds[1]);
	return taken;
}

static void what_the_kernel_keeps_for_who_does_not_read_is_little(void **state)
{
	size_t before = taken_of_what_is_not_read(false), bound = taken_of_what_is_not_read(true);

	(void)state;
	print_message("%zu bytes instead of %zu\n", bound, before);
	assert_true(bound + (32 << 10) < before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_many_wait_for_is_kept_once),
		TEST(what_differs_is_kept_for_each),
		TEST(who_has_read_a_part_shares_as_well),
		TEST(what_is_said_later_comes_behind_it),
		TEST(who_has_stood_still_for_longest_is_let_go),
		TEST(who_reads_a_little_is_not_the_one),
		TEST(who_alone_would_need_more_than_there_may_be_is_let_go),
		TEST(nobody_is_let_go_for_what_has_no_room_even_so),
		TEST(nor_for_what_has_none_behind_what_waits_already),
		TEST(who_is_not_watched_yet_is_counted_by_who_writes_to_it),
		cmocka_unit_test(what_the_kernel_keeps_for_who_does_not_read_is_little),
	};

	return cmocka_run_group_tests_name("line_rests", tests, NULL, NULL);
}
