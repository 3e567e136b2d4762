/* Goal: an answer that its client takes arrives whole, and then the connection ends; one that is not taken holds its place no
 * longer than it may.
 */
#include "cmocka_all.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/counters.h"
#include "http/answers.h"

enum { SNDBUF = 8 << 10, LEN = 100000, SENT = 1000 };

static struct {
	uv_loop_t loop;
	struct answers *answers;
	struct buf answer;
	int far;   /* where the client reads */
	int freed; /* how many sockets are */
} at;

static void freed(void *arg)
{
	(void)arg;
	at.freed++;
}

static int set_up(void **state)
{
	(void)state;
	memset(&at, 0, sizeof at);
	assert_int_equal(uv_loop_init(&at.loop), 0);
	for (int i = 0; i < LEN; i++)
		buf_addc(&at.answer, (char)('a' + i % 26));
	assert_false(at.answer.failed);
	counters_mine->value[COUNTER_ANSWERS_CUT] = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	answers_close(at.answers);
	assert_int_equal(answers_count(at.answers), 0);
	assert_int_equal(COUNTER_GET(ANSWERS_BYTES), 0);
	answers_free(at.answers);
	while (uv_run(&at.loop, UV_RUN_NOWAIT) != 0)
		;
	buf_free(&at.answer);
	close(at.far);
	return uv_loop_close(&at.loop);
}

/* The first bytes have left. */
static void answer_within(uint64_t time_ms)
{
	int size = SNDBUF, fds[2];

	assert_non_null(at.answers = answers_new(&at.loop, 1 << 20, time_ms, freed, NULL));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
	at.far = fds[1];
	answers_go_on(at.answers, fds[0], &at.answer, SENT);
	assert_int_equal(answers_count(at.answers), 1);
}

/* Reads until the connection ends. Returns how many bytes came, each of which must be right. */
static size_t read_all(void)
{
	char bytes[4096];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(at.far, bytes, sizeof bytes, MSG_DONTWAIT)) != 0) {
		if (n > 0)
			assert_memory_equal(bytes, at.answer.data + SENT + len, (size_t)n);
		len += n > 0 ? (size_t)n : 0;
		uv_run(&at.loop, UV_RUN_NOWAIT);
	}
	return len;
}

static void what_is_left_arrives_and_then_the_end(void **state)
{
	(void)state;
	answer_within(ANSWERS_TIME_MS);
	answers_second(at.answers);
	assert_int_equal(read_all(), LEN - SENT);
	assert_int_equal(COUNTER_GET(ANSWERS_BYTES), 0);
	assert_int_equal(COUNTER_GET(ANSWERS_CUT), 0);
	shutdown(at.far, SHUT_RDWR);
	while (answers_count(at.answers) > 0)
		uv_run(&at.loop, UV_RUN_NOWAIT);
	assert_int_equal(at.freed, 1);
}

/* Its bytes have six seconds, so it is by a time that has passed already. */
static void who_does_not_take_it_in_time_is_cut_off(void **state)
{
	(void)state;
	answer_within((uint64_t)-7000);
	assert_int_equal(COUNTER_GET(ANSWERS_BYTES), LEN);
	answers_second(at.answers);
	assert_int_equal(answers_count(at.answers), 0);
	assert_int_equal(at.freed, 1);
	assert_int_equal(COUNTER_GET(ANSWERS_CUT), 1);
	assert_int_equal(COUNTER_GET(ANSWERS_BYTES), 0);
	assert_true(read_all() < LEN - SENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_left_arrives_and_then_the_end, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(who_does_not_take_it_in_time_is_cut_off, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("http_answers", tests, NULL, NULL);
}
