/* Goal: what is written to a line over TLS arrives whole and in order, or the other side sees that it was cut off; what waits is kept once for
 * many, but for what is encrypted; and whoever had the session before does it no harm. */
#include "tls_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOCK = 100000, SEALED = TLS_RECORD + 256 };

/* --- what arrives ------------------------------------------------------------------------------ */

static void has_all(struct end *end)
{
	stage_listen(end, end->written);
	assert_int_equal(end->read, end->written);
	assert_int_equal(end->ended, 0);
}

static void blocks_of_any_size_arrive_whole_and_in_order(void **state)
{
	static const size_t sizes[] = {1, 2, 16383, 16384, 16385, 1, 32768, 100000, 300000, 2, 1};
	struct end *end = &stage.ends[0];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		assert_int_not_equal(stage_say(end, sizes[i]), LINE_DEAD);
		has_all(end);
	}
	stage_turn();
	assert_false(line_is_blocked(&end->line));
	assert_int_equal(COUNTER_GET(WAITING_BYTES), 0);
}

static void what_is_said_while_bytes_wait_comes_behind_them(void **state)
{
	static const size_t sizes[] = {300000, 1, 16385, 2, BLOCK, 16384, 1};
	struct end *end = &stage.ends[0];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		assert_int_equal(stage_say(end, sizes[i]), LINE_PARTIAL);
	stage_listen(end, 150000);
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		assert_int_equal(stage_say(end, sizes[i]), LINE_PARTIAL);
	line_want_room(&end->line);
	has_all(end);
	stage_turn();
	assert_int_equal(end->rooms, 1);
}

static void of_what_many_wait_for_only_what_is_encrypted_is_not_shared(void **state)
{
	static uint8_t bytes[BLOCK];
	size_t waits;

	(void)state;
	memset(bytes, 'x', sizeof bytes);
	for (int i = 0; i < STAGE_ENDS; i++)
		assert_int_equal(line_write(&stage.ends[i].line, bytes, BLOCK), LINE_PARTIAL);
	waits = COUNTER_GET(WAITING_BYTES);
	assert_true(waits > BLOCK);
	assert_true(waits <= BLOCK + STAGE_ENDS * SEALED);
}

/* Whoever catches up writes some, then the rest: most who stand at the same place share that. */
static void so_it_is_of_what_follows_what_was_taken(void **state)
{
	static uint8_t bytes[BLOCK];

	(void)state;
	memset(bytes, 'x', sizeof bytes);
	for (int i = 0; i < STAGE_ENDS; i++) {
		struct line *line = &stage.ends[i].line;
		ssize_t taken = line_write_some(line, bytes, BLOCK);

		assert_true(taken > 0 && taken < BLOCK);
		assert_int_equal(line_write_rest(line, bytes, BLOCK, (size_t)taken), LINE_PARTIAL);
	}
	assert_true(COUNTER_GET(WAITING_BYTES) <= BLOCK + STAGE_ENDS * SEALED);
}

static void who_writes_some_is_told_how_much_and_may_go_on_with_something_else(void **state)
{
	struct end *end = &stage.ends[0];
	ssize_t taken;

	(void)state;
	for (int i = 0; i < 20; i++) {
		taken = line_write_some(&end->line, stage_bytes(end, BLOCK), BLOCK);
		assert_true(taken >= 0 && taken <= BLOCK);
		assert_true(i > 0 || (taken > 0 && taken < BLOCK));
		/* whoever is told less says the rest, or what else he likes */
		memset((void *)(uintptr_t)stage_bytes(end, 0), 'x', BLOCK);
		end->written += (size_t)taken;
		assert_int_equal(
			line_write_some(&end->line, stage_bytes(end, 10), taken < BLOCK ? 10 : 0),
			0);
		stage_listen(end, end->read + 9000);
	}
	assert_int_equal(stage_say(end, 3000), LINE_PARTIAL);
	has_all(end);
}

static void what_was_not_written_may_be_written_as_a_rest(void **state)
{
	struct end *end = &stage.ends[0];
	const uint8_t *bytes = stage_bytes(end, BLOCK);
	ssize_t taken = line_write_some(&end->line, bytes, BLOCK);

	(void)state;
	assert_true(taken > 0 && taken < BLOCK);
	assert_int_equal(line_write_rest(&end->line, bytes, BLOCK, (size_t)taken), LINE_PARTIAL);
	end->written = BLOCK;
	has_all(end);
}

static void a_head_arrives_first_and_whole_or_the_line_is_dead(void **state)
{
	struct end *end = stage_connect(0), *full = stage_connect(1);

	(void)state;
	assert_int_equal(stage_take(end) | stage_take(full), 0);
	stage_forgo(end);
	stage_forgo(full);
	assert_int_equal(line_greet(end->line.fd, stage_bytes(end, 500), 500, true), 0);
	end->written = 500;
	assert_int_equal(stage_say(end, 10), LINE_SENT);
	assert_int_equal(line_watch(&end->line), 0);
	has_all(end);
	assert_int_equal(stage_say(full, BLOCK), LINE_PARTIAL);
	assert_int_equal(line_greet(full->line.fd, stage_bytes(full, 500), 500, true), -1);
	line_drop(&full->line);
	assert_int_not_equal(stage_listen_to_end(full), SSL_ERROR_ZERO_RETURN);
}

/* --- its former owner -------------------------------------------------------------------------- */

static void its_former_owners_end_says_nothing_and_ends_nothing(void **state)
{
	struct end *end = stage_connect(0);
	int theirs = end->theirs_fd;

	(void)state;
	assert_int_equal(stage_take(end), 0);
	assert_int_equal(stage_say(end, 100), LINE_SENT);
	stage_forgo(end);
	assert_int_equal(fcntl(theirs, F_GETFD), -1);
	assert_int_equal(line_watch(&end->line), 0);
	has_all(end);
	stage_listen(end, SIZE_MAX);
	assert_int_equal(end->error, SSL_ERROR_WANT_READ);
	assert_int_equal(SSL_get_shutdown(end->client), 0);
	stage_say(end, BLOCK);
	has_all(end);
	stage_client_says(end, "hello", 5);
	stage_turn();
	assert_int_equal(end->heard_len, 5);
}

/* As when the head of the answer cannot be sent: all within the callback after which he ends it. */
static void who_is_dropped_before_his_former_owner_ends_it_is_not_looked_at(void **state)
{
	struct end *end = stage_connect(0);
	char byte;
	int fds[2];

	(void)state;
	assert_int_equal(stage_take(end), 0);
	line_drop(&end->line);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(fds[0], end->line.fd); /* somebody else's now */
	assert_int_equal(write(fds[1], "x", 1), 1);
	stage_forgo(end);
	assert_int_equal(recv(fds[0], &byte, 1, MSG_DONTWAIT), 1);
	assert_int_equal(stage_listen_to_end(end), SSL_ERROR_ZERO_RETURN);
	close(fds[0]);
	close(fds[1]);
}

/* libwebsockets ends it at the end of the loop's turn, and a line may have been ended within that. */
static void who_parts_before_his_former_owner_ends_it_is_not_disturbed(void **state)
{
	struct end *end = stage_connect(0);

	(void)state;
	assert_int_equal(stage_take(end), 0);
	assert_int_equal(line_watch(&end->line), 0);
	stage_client_says(end, "and there is more", 17);
	stage_say(end, 100);
	line_end(&end->line, LINE_PARTS);
	stage_forgo(end);
	stage_turn();
	assert_int_equal(lines_parting(stage.lines), 1);
	assert_int_equal(stage_listen_to_end(end), SSL_ERROR_ZERO_RETURN);
	assert_int_equal(end->read, 100);
	stage_client_says(end, "and more", 8);
	stage_turn();
	assert_int_equal(lines_parting(stage.lines), 1);
}

/* --- bounds ------------------------------------------------------------------------------------ */

static void who_has_stood_still_for_longest_is_let_go(void **state)
{
	(void)state;
	lines_limit(stage.lines, 3 * BLOCK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(stage_say(&stage.ends[i], BLOCK), LINE_PARTIAL);
	assert_int_equal(COUNTER_GET(LAG_MEMORY), 1);
	assert_true(line_was_let_go(&stage.ends[0].line));
	assert_true(COUNTER_GET(WAITING_BYTES) <= 3 * BLOCK);
	assert_int_equal(stage_say(&stage.ends[0], 1), LINE_DEAD);
	stage_turn();
	assert_int_equal(stage.ends[0].ended, 1);
	has_all(&stage.ends[1]);
	has_all(&stage.ends[2]);
	assert_int_not_equal(stage_listen_to_end(&stage.ends[0]), SSL_ERROR_ZERO_RETURN);
}

static void who_alone_would_need_more_than_there_may_be_is_let_go(void **state)
{
	struct end *end = &stage.ends[0];

	(void)state;
	lines_limit(stage.lines, 2 * BLOCK);
	assert_int_equal(stage_say(end, BLOCK), LINE_PARTIAL);
	assert_int_equal(stage_say(end, BLOCK), LINE_DEAD);
	assert_true(line_was_let_go(&end->line));
	assert_int_equal(COUNTER_GET(WAITING_BYTES), 0);
	stage_turn();
	assert_int_equal(end->ended, 1);
	assert_int_not_equal(stage_listen_to_end(end), SSL_ERROR_ZERO_RETURN);
}

/* There is not even room for the rest of a record. */
static void who_needs_room_for_a_record_while_it_leaves_may_be_the_one(void **state)
{
	struct end *end = &stage.ends[0];

	(void)state;
	assert_int_equal(stage_say(end, BLOCK), LINE_PARTIAL);
	lines_limit(stage.lines, BLOCK);
	stage_listen(end, SIZE_MAX);
	assert_int_equal(end->ended, 1);
	assert_int_equal(COUNTER_GET(WAITING_BYTES), 0);
	assert_true(end->read < BLOCK);
	assert_int_not_equal(end->error, SSL_ERROR_ZERO_RETURN);
}

/* --- the end ----------------------------------------------------------------------------------- */

static void who_is_ended_politely_is_told_so(void **state)
{
	struct end *end = &stage.ends[0];

	(void)state;
	stage_say(end, 3000);
	line_end(&end->line, LINE_PARTS);
	assert_int_equal(end->ended, 1);
	assert_int_equal(lines_parting(stage.lines), 1);
	assert_int_equal(stage_listen_to_end(end), SSL_ERROR_ZERO_RETURN);
	assert_int_equal(SSL_get_shutdown(end->client), SSL_RECEIVED_SHUTDOWN);
	assert_int_equal(end->read, 3000);
	assert_int_equal(stage.freed, 0);
	stage_client_says(end, "oh", 2);
	stage_turn();
	assert_int_equal(end->heard_len, 0);
	assert_int_equal(lines_parting(stage.lines), 1);
	SSL_shutdown(end->client);
	stage_turn();
	assert_int_equal(lines_parting(stage.lines), 0);
	assert_int_equal(stage.freed, 1);
}

/* How many words of one byte the socket takes while nobody reads. */
static size_t words_until_it_is_full(struct end *end)
{
	size_t words = 0;

	while (stage_say(end, 1) == LINE_SENT)
		words++;
	return words;
}

static void so_is_who_has_left_no_room_for_it(void **state)
{
	size_t words = words_until_it_is_full(&stage.ends[0]);
	struct end *end = &stage.ends[1];

	(void)state;
	for (size_t i = 0; i < words; i++)
		assert_int_equal(stage_say(end, 1), LINE_SENT);
	line_end(&end->line, LINE_PARTS);
	assert_int_equal(end->ended, 1);
	assert_int_equal(lines_parting(stage.lines), 1);
	assert_int_equal(stage_listen_to_end(end), SSL_ERROR_ZERO_RETURN);
	assert_int_equal(end->read, words);
	assert_int_equal(lines_parting(stage.lines), 1);
	stage_hang_up(end);
	stage_turn();
	assert_int_equal(lines_parting(stage.lines), 0);
}

static void who_is_cut_off_sees_that(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct end *end = &stage.ends[i];

		assert_int_equal(stage_say(end, BLOCK), LINE_PARTIAL);
		line_end(&end->line, i == 0 ? LINE_ENDS : LINE_PARTS);
		assert_int_equal(end->ended, 1);
		assert_int_equal(stage.freed, i + 1);
		assert_int_not_equal(stage_listen_to_end(end), SSL_ERROR_ZERO_RETURN);
		assert_int_equal(SSL_get_shutdown(end->client) & SSL_RECEIVED_SHUTDOWN, 0);
		assert_true(end->read < BLOCK);
	}
	assert_int_equal(COUNTER_GET(WAITING_BYTES), 0);
}

static void who_hangs_up_ends_it(void **state)
{
	struct end *end = &stage.ends[0];

	(void)state;
	assert_int_equal(stage_say(end, BLOCK), LINE_PARTIAL);
	stage_hang_up(end);
	stage_turn();
	assert_int_equal(end->ended, 1);
	assert_int_equal(COUNTER_GET(WAITING_BYTES), 0);
	assert_int_equal(SSL_shutdown(stage.ends[1].client), 0);
	stage_turn();
	assert_int_equal(stage.ends[1].ended, 1);
	assert_int_equal(stage_listen_to_end(&stage.ends[1]), SSL_ERROR_ZERO_RETURN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define EMPTY(test) cmocka_unit_test_setup_teardown(test, stage_set_up_empty, stage_tear_down)
#define BY_13(test) cmocka_unit_test_setup_teardown(test, stage_set_up, stage_tear_down)
#define BY_12(test) {#test " (TLS 1.2)", test, stage_set_up_12, stage_tear_down, NULL}
		EMPTY(its_former_owners_end_says_nothing_and_ends_nothing),
		EMPTY(who_is_dropped_before_his_former_owner_ends_it_is_not_looked_at),
		EMPTY(who_parts_before_his_former_owner_ends_it_is_not_disturbed),
		EMPTY(a_head_arrives_first_and_whole_or_the_line_is_dead),
		BY_13(blocks_of_any_size_arrive_whole_and_in_order),
		BY_12(blocks_of_any_size_arrive_whole_and_in_order),
		BY_13(what_is_said_while_bytes_wait_comes_behind_them),
		BY_12(what_is_said_while_bytes_wait_comes_behind_them),
		BY_13(of_what_many_wait_for_only_what_is_encrypted_is_not_shared),
		BY_13(so_it_is_of_what_follows_what_was_taken),
		BY_13(who_writes_some_is_told_how_much_and_may_go_on_with_something_else),
		BY_12(who_writes_some_is_told_how_much_and_may_go_on_with_something_else),
		BY_13(what_was_not_written_may_be_written_as_a_rest),
		BY_13(who_has_stood_still_for_longest_is_let_go),
		BY_13(who_alone_would_need_more_than_there_may_be_is_let_go),
		BY_13(who_needs_room_for_a_record_while_it_leaves_may_be_the_one),
		BY_13(who_is_ended_politely_is_told_so),
		BY_12(who_is_ended_politely_is_told_so),
		BY_13(so_is_who_has_left_no_room_for_it),
		BY_12(so_is_who_has_left_no_room_for_it),
		BY_13(who_is_cut_off_sees_that),
		BY_12(who_is_cut_off_sees_that),
		BY_13(who_hangs_up_ends_it),
	};

	return cmocka_run_group_tests_name("line_tls", tests, NULL, NULL);
}
