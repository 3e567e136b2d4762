/* Goal: what a client says over TLS is heard however it is cut into pieces, also what came before the session was taken; and none can harm
 * others, or make the server keep anything, with what TLS lets him say beside news. */
#include "tls_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the client's session writes from now on is kept, and whoever reads it sends it. */
static BIO *hold_back(struct end *end)
{
	BIO *held = BIO_new(BIO_s_mem());

	assert_non_null(held);
	assert_int_equal(BIO_up_ref(held), 1);
	SSL_set0_wbio(end->client, held);
	return held;
}

/* What was held back goes out. */
static void send_held(struct end *end, BIO *held)
{
	char *bytes;
	long len = BIO_get_mem_data(held, &bytes);

	assert_int_equal(send(end->far, bytes, (size_t)len, 0), len);
	(void)BIO_reset(held);
}

static void heard_is(const struct end *end, const char *text)
{
	assert_int_equal(end->heard_len, strlen(text));
	assert_memory_equal(end->heard, text, end->heard_len);
	assert_int_equal(end->ended, 0);
}

/* --- pieces ------------------------------------------------------------------------------------ */

static void what_the_client_says_is_heard(void **state)
{
	struct end *end = &stage.ends[0];

	(void)state;
	stage_client_says(end, "one ", 4);
	stage_client_says(end, "two ", 4);
	stage_client_says(end, "three", 5);
	for (int i = 0; i < 3; i++)
		stage_turn();
	heard_is(end, "one two three");
}

static void a_record_may_come_in_pieces(void **state)
{
	struct end *end = &stage.ends[0];
	BIO *held = hold_back(end);
	char *bytes;
	long len;

	(void)state;
	stage_client_says(end, "hello", 5);
	len = BIO_get_mem_data(held, &bytes);
	for (long i = 0; i < len; i++) {
		heard_is(end, "");
		assert_int_equal(send(end->far, bytes + i, 1, 0), 1);
		stage_turn();
	}
	heard_is(end, "hello");
	BIO_free(held);
}

/* The former owner reads so many bytes of ten. */
static struct end *take_half_read(void)
{
	struct end *end = stage_connect(0);
	char bytes[4];

	stage_client_says(end, "0123456789", 10);
	assert_int_equal(SSL_read(end->theirs, bytes, sizeof bytes), sizeof bytes);
	assert_int_equal(stage_take(end), 0);
	stage_forgo(end);
	return end;
}

static void what_was_read_before_it_was_taken_is_heard(void **state)
{
	struct end *end = take_half_read();

	(void)state;
	assert_int_equal(line_watch(&end->line), 0);
	stage_turn();
	heard_is(end, "456789");
}

static void so_is_what_was_read_when_the_line_was_deaf_at_first(void **state)
{
	struct end *end = take_half_read();

	(void)state;
	line_set_deaf(&end->line, true);
	assert_int_equal(line_watch(&end->line), 0);
	stage_turn();
	heard_is(end, "");
	line_set_deaf(&end->line, false);
	stage_turn();
	heard_is(end, "456789");
}

static void half_a_record_that_was_read_before_is_not_lost(void **state)
{
	struct end *end = stage_connect(0);
	BIO *held = hold_back(end);
	char *bytes, read[10];
	long len;

	(void)state;
	stage_client_says(end, "0123456789", 10);
	len = BIO_get_mem_data(held, &bytes);
	assert_int_equal(send(end->far, bytes, 12, 0), 12);
	assert_int_equal(SSL_read(end->theirs, read, sizeof read), -1);
	assert_int_equal(stage_take(end), 0);
	stage_forgo(end);
	assert_int_equal(line_watch(&end->line), 0);
	stage_turn();
	heard_is(end, "");
	assert_int_equal(send(end->far, bytes + 12, (size_t)len - 12, 0), len - 12);
	stage_turn();
	heard_is(end, "0123456789");
	BIO_free(held);
}

/* --- what is not news -------------------------------------------------------------------------- */

static int left_to_read(const struct end *end)
{
	int left = 0;

	assert_int_equal(ioctl(end->line.fd, FIONREAD, &left), 0);
	return left;
}

static void hear_all(const struct end *end)
{
	while (end->ended == 0 && left_to_read(end) > 0)
		stage_turn();
}

static void says_still(struct end *end)
{
	end->heard_len = 0;
	stage_client_says(end, "still", 5);
	hear_all(end);
	heard_is(end, "still");
	assert_int_not_equal(stage_say(end, 40000), LINE_DEAD);
	assert_int_equal(stage_say(end, 10), LINE_PARTIAL);
	stage_listen(end, end->written);
	assert_int_equal(end->read, end->written);
	assert_int_equal(stage_say(end, 10), LINE_SENT);
	stage_listen(end, end->written);
	assert_int_equal(end->read, end->written);
}

static void garbage_ends_it(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} garbage[] = {{"GET / HTTP/1.1\r\n\r\n", 18},
		       {"\x17\x03\x03\x00\x20 this is no record that was made", 5 + 32},
		       {"\x17\x03\x03\xff\xff", 5}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(garbage); i++) {
		struct end *end = &stage.ends[i];

		assert_int_equal(send(end->far, garbage[i].bytes, garbage[i].len, 0),
				 garbage[i].len);
		stage_turn();
		assert_int_equal(end->ended, 1);
		assert_int_equal(end->heard_len, 0);
		assert_int_not_equal(stage_listen_to_end(end), SSL_ERROR_ZERO_RETURN);
	}
}

static void ask_for_keys(struct end *end, int count, int how)
{
	for (int i = 0; i < count; i++) {
		assert_int_equal(SSL_key_update(end->client, how), 1);
		assert_int_equal(SSL_do_handshake(end->client), 1);
	}
}

static void new_keys_may_be_asked_for(void **state)
{
	struct end *end = &stage.ends[0];

	(void)state;
	for (int i = 0; i < 3; i++) {
		ask_for_keys(end, 1 + 10 * i, SSL_KEY_UPDATE_REQUESTED);
		hear_all(end);
		assert_int_not_equal(stage_say(end, 50000), LINE_DEAD);
		ask_for_keys(end, 1, SSL_KEY_UPDATE_REQUESTED);
		stage_turn(); /* while some waits */
		says_still(end);
	}
	assert_int_equal(COUNTER_GET(WAITING_BYTES), 0);
}

/* The answer to the one goes out before the other is looked at: there is no room for it. */
static void who_asks_for_keys_twice_while_bytes_wait_is_ended(void **state)
{
	struct end *end = &stage.ends[0];

	(void)state;
	assert_int_equal(stage_say(end, 100000), LINE_PARTIAL);
	ask_for_keys(end, 1, SSL_KEY_UPDATE_REQUESTED);
	hear_all(end);
	assert_int_equal(end->ended, 0);
	ask_for_keys(end, 1, SSL_KEY_UPDATE_REQUESTED);
	hear_all(end);
	assert_int_equal(end->ended, 1);
	assert_int_equal(COUNTER_GET(WAITING_BYTES), 0);
	assert_int_not_equal(stage_listen_to_end(end), SSL_ERROR_ZERO_RETURN);
}

enum { MANY = 5000 };

static struct end *open_end(int i)
{
	struct end *end = stage_connect(i);

	assert_int_equal(stage_take(end), 0);
	stage_forgo(end);
	assert_int_equal(line_watch(&end->line), 0);
	return end;
}

/* More are on the way than are looked at in one turn; and then a word. */
static void ask_on_and_on(struct end *end)
{
	BIO *held = hold_back(end);
	int size = 1 << 20;

	assert_int_equal(setsockopt(end->far, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
	ask_for_keys(end, MANY, SSL_KEY_UPDATE_NOT_REQUESTED);
	stage_client_says(end, "hello", 5);
	send_held(end, held);
	stage_turn();
	assert_true(left_to_read(end) > 0);
	hear_all(end);
	heard_is(end, "hello");
	BIO_free(held);
}

static void who_asks_for_keys_on_and_on_does_not_keep_others_waiting(void **state)
{
	(void)state;
	ask_on_and_on(open_end(0));
}

/* --- handshakes that are not wanted (TLS 1.2) -------------------------------------------------- */

static void who_wants_another_handshake_is_told_no(void **state)
{
	struct end *end = &stage.ends[0], *other = &stage.ends[1];

	(void)state;
	assert_int_equal(SSL_renegotiate(end->client), 1);
	(void)SSL_do_handshake(end->client);
	stage_turn();
	assert_int_equal(end->ended, 0);
	assert_int_equal(end->heard_len, 0);
	stage_say(end, 10);
	ERR_clear_error();
	assert_int_equal(SSL_do_handshake(end->client), -1); /* it insists */
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
	stage_turn();
	assert_int_equal(end->ended, 1);
	says_still(other);
}

enum { KEY_BYTES = 16, SALT_BYTES = 4, NONCE_BYTES = 8, TAG_BYTES = 16, HELLO_BYTES = 4 };
enum { HELLO_RECORD = 5 + NONCE_BYTES + HELLO_BYTES + TAG_BYTES };

/* The keys of a connection with AES-128-GCM (RFC 5246, 6.3): the client's key, the server's, and their salts. */
static void derive_keys(SSL *client, uint8_t *keys, size_t len)
{
	uint8_t master[SSL_MAX_MASTER_KEY_LENGTH], seed[13 + 64] = "key expansion";
	size_t master_len =
		SSL_SESSION_get_master_key(SSL_get0_session(client), master, sizeof master);
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, master_len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof seed),
		OSSL_PARAM_construct_end()};

	assert_int_equal(SSL_get_server_random(client, seed + 13, 32), 32);
	assert_int_equal(SSL_get_client_random(client, seed + 45, 32), 32);
	assert_int_equal(EVP_KDF_derive(ctx, keys, len, params), 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

/* A ClientHello of no bytes, which no library would send: as the so-manieth record of this client. */
static void seal_hello(const uint8_t *keys, uint8_t number, uint8_t *record)
{
	static const uint8_t hello[HELLO_BYTES] = {1, 0, 0, 0};
	uint8_t about[13] = {[7] = number, 22, 3, 3, 0, HELLO_BYTES}, nonce[12] = {0};
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len;

	memcpy(record, (uint8_t[]){22, 3, 3, 0, HELLO_RECORD - 5}, 5);
	memset(record + 5, 0, NONCE_BYTES);
	record[5 + NONCE_BYTES - 1] = number;
	memcpy(nonce, keys + 2 * KEY_BYTES, SALT_BYTES);
	memcpy(nonce + SALT_BYTES, record + 5, NONCE_BYTES);
	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, keys, nonce), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &len, about, sizeof about), 1);
	assert_int_equal(
		EVP_EncryptUpdate(ctx, record + 5 + NONCE_BYTES, &len, hello, sizeof hello), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, NULL, &len), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES,
					     record + HELLO_RECORD - TAG_BYTES),
			 1);
	EVP_CIPHER_CTX_free(ctx);
}

/* Asks for a handshake from the so-manieth record on, so many times. */
static void say_hello(struct end *end, uint8_t from, uint8_t count)
{
	uint8_t keys[2 * (KEY_BYTES + SALT_BYTES)], hellos[256 * HELLO_RECORD];

	derive_keys(end->client, keys, sizeof keys);
	for (uint8_t i = 0; i < count; i++)
		seal_hello(keys, (uint8_t)(from + i), hellos + (size_t)i * HELLO_RECORD);
	assert_int_equal(send(end->far, hellos, (size_t)count * HELLO_RECORD, 0),
			 count * HELLO_RECORD);
}

static int set_up_gcm(void **state)
{
	stage_set_up_empty(state);
	assert_int_equal(SSL_CTX_set_max_proto_version(stage.server, TLS1_2_VERSION), 1);
	assert_int_equal(SSL_CTX_set_cipher_list(stage.server, "ECDHE-ECDSA-AES128-GCM-SHA256"), 1);
	for (int i = 0; i < 2; i++)
		(void)open_end(i);
	return 0;
}

static void who_asks_for_handshakes_and_reads_gets_an_answer_to_each(void **state)
{
	struct end *end = &stage.ends[0];
	uint8_t answers[256 * 31];

	(void)state;
	for (uint8_t i = 0; i < 5; i++) {
		say_hello(end, (uint8_t)(1 + 40 * i), 40);
		hear_all(end);
		assert_int_equal(recv(end->far, answers, sizeof answers, MSG_DONTWAIT), 40 * 31);
		assert_int_equal(end->ended, 0);
	}
	assert_int_equal(COUNTER_GET(WAITING_BYTES), 0);
}

static void who_asks_for_handshakes_and_reads_nothing_is_ended(void **state)
{
	struct end *end = &stage.ends[0];
	size_t waits;

	(void)state;
	assert_int_equal(stage_say(end, 100000), LINE_PARTIAL);
	waits = COUNTER_GET(WAITING_BYTES);
	say_hello(end, 1, 200);
	hear_all(end);
	assert_int_equal(end->ended, 1);
	assert_true(waits > 0);
	assert_int_equal(COUNTER_GET(WAITING_BYTES), 0);
	assert_int_not_equal(stage_listen_to_end(end), SSL_ERROR_ZERO_RETURN);
	says_still(&stage.ends[1]);
}

static void whose_answers_have_no_room_is_ended_soon(void **state)
{
	struct end *end = &stage.ends[0];
	uint8_t i = 0;

	(void)state;
	for (; i < 250 && end->ended == 0; i++) {
		say_hello(end, (uint8_t)(1 + i), 1);
		stage_turn();
		assert_true(COUNTER_GET(WAITING_BYTES) <= 31);
	}
	assert_int_equal(end->ended, 1);
	says_still(&stage.ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define EMPTY(test)  cmocka_unit_test_setup_teardown(test, stage_set_up_empty, stage_tear_down)
#define BY_13(test)  cmocka_unit_test_setup_teardown(test, stage_set_up, stage_tear_down)
#define BY_12(test)  {#test " (TLS 1.2)", test, stage_set_up_12, stage_tear_down, NULL}
#define BY_GCM(test) cmocka_unit_test_setup_teardown(test, set_up_gcm, stage_tear_down)
		BY_13(what_the_client_says_is_heard),
		BY_12(what_the_client_says_is_heard),
		BY_13(a_record_may_come_in_pieces),
		BY_12(a_record_may_come_in_pieces),
		EMPTY(what_was_read_before_it_was_taken_is_heard),
		EMPTY(so_is_what_was_read_when_the_line_was_deaf_at_first),
		EMPTY(half_a_record_that_was_read_before_is_not_lost),
		BY_13(garbage_ends_it),
		BY_12(garbage_ends_it),
		BY_13(new_keys_may_be_asked_for),
		BY_13(who_asks_for_keys_twice_while_bytes_wait_is_ended),
		EMPTY(who_asks_for_keys_on_and_on_does_not_keep_others_waiting),
		BY_12(who_wants_another_handshake_is_told_no),
		BY_GCM(who_asks_for_handshakes_and_reads_gets_an_answer_to_each),
		BY_GCM(who_asks_for_handshakes_and_reads_nothing_is_ended),
		BY_GCM(whose_answers_have_no_room_is_ended_soon),
	};

	return cmocka_run_group_tests_name("line_tls_heard", tests, NULL, NULL);
}
