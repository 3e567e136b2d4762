/* Goal: a line gives the kernel what it takes and keeps the rest in order; whoever ends it, its end is told once, its socket is closed
 * once, and what was said last arrives. */
#include "cmocka_all.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "line/line.h"

/* A line between a loop and `far`, which is the test's. */
struct stage {
	uv_loop_t loop;
	struct lines *lines;
	struct line line;
	int far;
	unsigned freed, rooms, ends;
	size_t heard;
	enum line_fate on_heard, on_room;
};

static struct stage *now;

static enum line_fate heard(struct line *line, char *bytes, size_t len)
{
	assert_ptr_equal(line, &now->line);
	memset(bytes, 0, len); /* it may be written over */
	now->heard += len;
	return now->on_heard;
}

static enum line_fate room(struct line *line)
{
	assert_false(line_is_blocked(line));
	now->rooms++;
	return now->on_room;
}

static void ended(struct line *line)
{
	assert_ptr_equal(line, &now->line);
	now->ends++;
}

static void freed(void *arg)
{
	assert_ptr_equal(arg, now);
	now->freed++;
}

static int set_up(void **state)
{
	static const struct line_events events = {heard, room, ended};
	struct stage *s = calloc(1, sizeof *s);
	int fds[2];

	assert_non_null(s);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	assert_int_equal(uv_loop_init(&s->loop), 0);
	assert_non_null(s->lines = lines_new(&s->loop, freed, s));
	s->line = (struct line){.fd = fds[0], .events = &events, .all = s->lines};
	s->far = fds[1];
	now = s;
	assert_int_equal(line_watch(&s->line), 0);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	lines_close(s->lines);
	assert_int_equal(s->ends, 1);
	assert_int_equal(s->freed, 1);
	lines_free(s->lines);
	uv_run(&s->loop, UV_RUN_NOWAIT);
	uv_run(&s->loop, UV_RUN_NOWAIT);
	assert_int_equal(uv_loop_close(&s->loop), 0);
	if (s->far >= 0)
		close(s->far);
	free(s);
	return 0;
}

static void turn(struct stage *s)
{
	uv_run(&s->loop, UV_RUN_NOWAIT);
}

static void hang_up(struct stage *s)
{
	close(s->far);
	s->far = -1;
}

/* Writes numbered bytes until some of them wait. Returns how many. */
static size_t fill(struct stage *s)
{
	uint8_t bytes[1000];
	size_t count = 0;
	enum line_result result;

	do {
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)((count + i) % 251);
		count += sizeof bytes;
		result = line_write(&s->line, bytes, sizeof bytes);
	} while (result == LINE_SENT);
	assert_int_equal(result, LINE_PARTIAL);
	return count;
}

/* Reads what fill() wrote, from the byte `at` on, while the loop turns. Returns how far it came. */
static size_t drain(struct stage *s, size_t at, size_t upto)
{
	uint8_t bytes[4096];
	ssize_t n;

	while (at < upto) {
		n = recv(s->far, bytes, sizeof bytes, MSG_DONTWAIT);
		for (ssize_t i = 0; i < n; i++, at++)
			assert_int_equal(bytes[i], at % 251);
		if (n <= 0)
			turn(s);
	}
	return at;
}

static void what_the_kernel_does_not_take_follows_in_order(void **state)
{
	struct stage *s = *state;
	size_t count = fill(s);
	uint8_t more[2] = {(uint8_t)(count % 251), (uint8_t)((count + 1) % 251)};

	assert_true(line_is_blocked(&s->line));
	assert_int_equal(line_write(&s->line, more, 2), LINE_PARTIAL); /* behind it */
	line_want_room(&s->line);
	turn(s);
	assert_int_equal(s->rooms, 0);
	drain(s, 0, count + 2);
	turn(s);
	assert_false(line_is_blocked(&s->line));
	assert_int_equal(s->rooms, 1);
	turn(s);
	assert_int_equal(s->rooms, 1); /* only when it is asked for */
}

static void who_wants_room_is_told_at_the_next_turn(void **state)
{
	struct stage *s = *state;

	line_want_room(&s->line);
	assert_int_equal(s->rooms, 0);
	turn(s);
	assert_int_equal(s->rooms, 1);
}

static void bytes_are_heard_unless_it_is_deaf(void **state)
{
	struct stage *s = *state;

	assert_int_equal(write(s->far, "hello", 5), 5);
	turn(s);
	assert_int_equal(s->heard, 5);
	line_set_deaf(&s->line, true);
	assert_int_equal(write(s->far, "again", 5), 5);
	turn(s);
	assert_int_equal(s->heard, 5);
	line_set_deaf(&s->line, false);
	turn(s);
	assert_int_equal(s->heard, 10);
	assert_int_equal(s->ends, 0);
}

static void what_was_said_before_hanging_up_is_heard(void **state)
{
	struct stage *s = *state;

	assert_int_equal(write(s->far, "last words", 10), 10);
	hang_up(s);
	for (int i = 0; i < 3; i++)
		turn(s);
	assert_int_equal(s->heard, 10);
	assert_int_equal(s->ends, 1);
	assert_int_equal(s->freed, 1);
}

static void a_write_to_the_dead_is_dead_and_the_end_follows(void **state)
{
	struct stage *s = *state;

	hang_up(s);
	assert_int_equal(line_write(&s->line, (const uint8_t *)"x", 1), LINE_DEAD);
	assert_int_equal(s->ends, 0); /* not from within a write */
	turn(s);
	assert_int_equal(s->ends, 1);
}

static void what_heard_says_becomes_of_it(void **state)
{
	struct stage *s = *state;

	s->on_heard = LINE_ENDS;
	assert_int_equal(write(s->far, "x", 1), 1);
	turn(s);
	assert_int_equal(s->ends, 1);
	assert_int_equal(s->freed, 1);
}

static void what_room_says_becomes_of_it(void **state)
{
	struct stage *s = *state;

	s->on_room = LINE_ENDS;
	line_want_room(&s->line);
	turn(s);
	assert_int_equal(s->ends, 1);
}

/* The other side gets the last word, then the end; it may still speak; and the socket is closed when it closes. */
static void parting_waits_for_the_other_side(void **state)
{
	struct stage *s = *state;
	char bytes[8];

	assert_int_equal(line_write(&s->line, (const uint8_t *)"bye", 3), LINE_SENT);
	line_end(&s->line, LINE_PARTS);
	assert_int_equal(s->ends, 1);
	assert_int_equal(s->freed, 0);
	assert_int_equal(lines_parting(s->lines), 1);
	assert_int_equal(read(s->far, bytes, sizeof bytes), 3);
	assert_int_equal(read(s->far, bytes, sizeof bytes), 0);
	assert_int_equal(write(s->far, "oh", 2), 2);
	turn(s);
	lines_second(s->lines); /* its time is not over */
	assert_int_equal(s->heard, 0);
	assert_int_equal(lines_parting(s->lines), 1);
	hang_up(s);
	turn(s);
	assert_int_equal(lines_parting(s->lines), 0);
	assert_int_equal(s->freed, 1);
}

static void parting_ends_when_too_much_is_still_said(void **state)
{
	struct stage *s = *state;
	static char noise[64 << 10];

	line_end(&s->line, LINE_PARTS);
	for (int i = 0; i < 1000 && lines_parting(s->lines) > 0; i++) {
		(void)!send(s->far, noise, sizeof noise, MSG_DONTWAIT | MSG_NOSIGNAL);
		turn(s);
	}
	assert_int_equal(lines_parting(s->lines), 0);
	assert_int_equal(s->freed, 1);
}

static void nobody_parts_over_bytes_that_still_wait(void **state)
{
	struct stage *s = *state;

	(void)fill(s);
	line_end(&s->line, LINE_PARTS);
	assert_int_equal(lines_parting(s->lines), 0);
	assert_int_equal(s->ends, 1);
	assert_int_equal(s->freed, 1);
}

static void closing_all_ends_also_who_parts(void **state)
{
	struct stage *s = *state;

	line_end(&s->line, LINE_PARTS);
	lines_close(s->lines);
	assert_int_equal(lines_parting(s->lines), 0);
	assert_int_equal(s->freed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		IN_STAGE(what_the_kernel_does_not_take_follows_in_order),
		IN_STAGE(who_wants_room_is_told_at_the_next_turn),
		IN_STAGE(bytes_are_heard_unless_it_is_deaf),
		IN_STAGE(what_was_said_before_hanging_up_is_heard),
		IN_STAGE(a_write_to_the_dead_is_dead_and_the_end_follows),
		IN_STAGE(what_heard_says_becomes_of_it),
		IN_STAGE(what_room_says_becomes_of_it),
		IN_STAGE(parting_waits_for_the_other_side),
		IN_STAGE(parting_ends_when_too_much_is_still_said),
		IN_STAGE(nobody_parts_over_bytes_that_still_wait),
		IN_STAGE(closing_all_ends_also_who_parts),
#undef IN_STAGE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
