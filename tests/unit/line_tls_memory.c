/* Goal: whenever memory runs out, OpenSSL's too, a line over TLS lives and all arrives, or it dies and the other side sees that it was cut off:
 * never is anything out of order, missing in the middle, or kept for ever. */
#include "tls_stage.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>
#include "failing_malloc.h"

enum { BLOCK = 50000, BLOCKS = 3 };

/* --- OpenSSL's memory, which is short when ours is --------------------------------------------- */

static void *get(size_t size, const char *file, int at)
{
	(void)file;
	(void)at;
	return malloc(size);
}

static void *get_more(void *old, size_t size, const char *file, int at)
{
	(void)file;
	(void)at;
	return realloc(old, size);
}

static void give_back(void *old, const char *file, int at)
{
	(void)file;
	(void)at;
	free(old);
}

/* --- attempts ---------------------------------------------------------------------------------- */

static void turn(void)
{
	fail_begin();
	stage_turn();
	fail_end();
}

/* The client reads all there is, in pieces of its own. */
static bool reads_some(struct end *end)
{
	uint8_t piece[20000];
	int n;

	ERR_clear_error();
	n = SSL_read(end->client, piece, sizeof piece);
	end->error = SSL_get_error(end->client, n);
	for (int i = 0; i < n; i++)
		assert_int_equal(piece[i], stage_byte(end, end->read + (size_t)i));
	end->read += n > 0 ? (size_t)n : 0;
	return n > 0;
}

static void listen_while_it_lasts(struct end *end)
{
	for (int still = 0; still < 3;) {
		still = reads_some(end) ? 0 : still + 1;
		turn();
	}
}

/* Nothing has changed for its former owner: he says that it ends. */
static bool was_not_taken(struct end *end)
{
	assert_true(fail_happened());
	assert_int_equal(SSL_write(end->theirs, stage_bytes(end, 10), 10), 10);
	stage_forgo(end);
	assert_int_equal(stage_listen_to_end(end), SSL_ERROR_ZERO_RETURN);
	assert_int_equal(end->read, 10);
	return false;
}

static bool takes(struct end *end)
{
	bool taken;

	fail_begin();
	taken = stage_take(end) == 0;
	fail_end();
	return taken;
}

static bool watches(struct end *end)
{
	bool watched;

	fail_begin();
	watched = line_watch(&end->line) == 0;
	fail_end();
	if (!watched)
		line_drop(&end->line);
	return watched;
}

/* Says more than the socket takes, while nobody reads. */
static bool says_all(struct end *end)
{
	bool lives = true;

	for (int i = 0; i < BLOCKS && lives; i++) {
		const uint8_t *bytes = stage_bytes(end, BLOCK);

		fail_begin();
		lives = line_write(&end->line, bytes, BLOCK) != LINE_DEAD;
		fail_end();
		end->written += BLOCK;
	}
	return lives;
}

/* What came is the whole, or it is known that it is not. */
static bool is_whole(struct end *end)
{
	bool whole = end->read == end->written;

	assert_true(whole || end->error != SSL_ERROR_ZERO_RETURN);
	assert_true(whole || end->ended == 1 || fail_happened());
	return whole;
}

static bool lives_and_ends(struct end *end)
{
	bool said = says_all(end), whole;

	listen_while_it_lasts(end);
	assert_true(said || end->ended == 1);
	whole = is_whole(end);
	assert_true(whole || end->ended == 1);
	if (end->ended == 0) {
		fail_begin();
		line_end(&end->line, LINE_PARTS);
		fail_end();
		listen_while_it_lasts(end);
	}
	assert_int_equal(end->ended, 1);
	return whole && end->error == SSL_ERROR_ZERO_RETURN;
}

static bool a_life(void)
{
	struct end *end;
	bool done = false;

	stage_set_up_empty(NULL);
	end = stage_connect(0);
	if (!takes(end)) {
		done = was_not_taken(end);
	} else {
		stage_forgo(end);
		done = watches(end) && lives_and_ends(end);
	}
	stage_tear_down(NULL);
	return done;
}

/* The same, with the polite end behind a socket that is full. */
static bool an_end_without_room(void)
{
	struct end *end;
	size_t words = 0;
	bool done;

	stage_set_up_empty(NULL);
	for (int i = 0; i < 2; i++) {
		end = stage_connect(i);
		assert_int_equal(stage_take(end), 0);
		stage_forgo(end);
		assert_int_equal(line_watch(&end->line), 0);
	}
	while (stage_say(&stage.ends[0], 1) == LINE_SENT)
		words++;
	while (end->written < words)
		assert_int_equal(stage_say(end, 1), LINE_SENT);
	fail_begin();
	line_end(&end->line, LINE_PARTS);
	fail_end();
	listen_while_it_lasts(end);
	done = end->error == SSL_ERROR_ZERO_RETURN;
	assert_true(done || fail_happened());
	assert_int_equal(end->ended, 1);
	stage_tear_down(NULL);
	return done;
}

/* The client asks for new keys, and goes on. */
static bool a_talk(void)
{
	struct end *end;
	bool done;

	stage_set_up_empty(NULL);
	end = stage_connect(0);
	assert_int_equal(stage_take(end), 0);
	stage_forgo(end);
	assert_int_equal(line_watch(&end->line), 0);
	assert_int_equal(SSL_key_update(end->client, SSL_KEY_UPDATE_REQUESTED), 1);
	assert_int_equal(SSL_do_handshake(end->client), 1);
	stage_client_says(end, "hello", 5);
	turn();
	turn();
	assert_true(end->heard_len == 5 || end->ended == 1 || fail_happened());
	done = end->ended == 0 && says_all(end);
	listen_while_it_lasts(end);
	done = is_whole(end) && done && end->heard_len == 5;
	stage_tear_down(NULL);
	return done;
}

static void all_arrives_or_the_line_dies(void **state)
{
	(void)state;
	fail_each(a_life);
	fail_each_from(a_life);
}

static void the_last_word_arrives_or_is_missed(void **state)
{
	(void)state;
	fail_each(an_end_without_room);
	fail_each_from(an_end_without_room);
}

static void what_the_client_says_is_heard_or_the_line_dies(void **state)
{
	(void)state;
	fail_each(a_talk);
	fail_each_from(a_talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_arrives_or_the_line_dies),
		cmocka_unit_test(the_last_word_arrives_or_is_missed),
		cmocka_unit_test(what_the_client_says_is_heard_or_the_line_dies),
	};

	if (CRYPTO_set_mem_functions(get, get_more, give_back) != 1)
		return 1;
	return cmocka_run_group_tests_name("line_tls_memory", tests, NULL, NULL);
}
