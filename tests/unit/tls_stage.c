/* tls_stage.c - see tls_stage.h. */
#include "tls_stage.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 1000, DAY = 24 * 3600 };

struct stage stage;

/* --- what the line tells ----------------------------------------------------------------------- */

static enum line_fate heard(struct line *line, char *bytes, size_t len)
{
	struct end *end = CONTAINER_OF(line, struct end, line);

	assert_true(end->heard_len + len <= sizeof end->heard);
	memcpy(end->heard + end->heard_len, bytes, len);
	end->heard_len += len;
	return end->on_heard;
}

static enum line_fate room(struct line *line)
{
	struct end *end = CONTAINER_OF(line, struct end, line);

	assert_false(line_is_blocked(line));
	end->rooms++;
	return LINE_LIVES;
}

static void ended(struct line *line)
{
	CONTAINER_OF(line, struct end, line)->ended++;
}

static void freed(void *arg)
{
	(void)arg;
	stage.freed++;
}

/* --- contexts ---------------------------------------------------------------------------------- */

static void certify(SSL_CTX *tls)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *shown = X509_new();

	assert_non_null(key);
	assert_non_null(shown);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(shown), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(shown), -DAY));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(shown), DAY));
	assert_int_equal(X509_set_pubkey(shown, key), 1);
	assert_true(X509_sign(shown, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_cert_and_key(tls, shown, key, NULL, 1), 1);
	X509_free(shown);
	EVP_PKEY_free(key);
}

static void open_contexts(int version)
{
	assert_non_null(stage.server = SSL_CTX_new(TLS_server_method()));
	assert_non_null(stage.client = SSL_CTX_new(TLS_client_method()));
	certify(stage.server);
	(void)SSL_CTX_set_options(stage.server, SSL_OP_NO_RENEGOTIATION);
	(void)SSL_CTX_clear_mode(stage.server, SSL_MODE_AUTO_RETRY);
	assert_int_equal(SSL_CTX_set_max_proto_version(stage.server, version), 1);
}

/* --- an end ------------------------------------------------------------------------------------ */

static void shake_hands(struct end *end)
{
	int theirs = 0, ours = 0;

	for (int i = 0; i < 10 && (theirs != 1 || ours != 1); i++) {
		ERR_clear_error();
		ours = SSL_do_handshake(end->client);
		theirs = SSL_do_handshake(end->theirs);
	}
	assert_int_equal(ours, 1);
	assert_int_equal(theirs, 1);
}

struct end *stage_connect(int i)
{
	struct end *end = &stage.ends[i];
	int size = STAGE_SNDBUF, fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
	*end = (struct end){.theirs_fd = fds[0], .far = fds[1]};
	assert_non_null(end->theirs = SSL_new(stage.server));
	assert_non_null(end->client = SSL_new(stage.client));
	assert_int_equal(SSL_set_fd(end->theirs, fds[0]), 1);
	assert_int_equal(SSL_set_fd(end->client, fds[1]), 1);
	(void)SSL_set_mode(end->theirs,
			   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_set_accept_state(end->theirs);
	SSL_set_connect_state(end->client);
	shake_hands(end);
	return end;
}

int stage_take(struct end *end)
{
	static const struct line_events events = {heard, room, ended};
	int ours = fcntl(end->theirs_fd, F_DUPFD_CLOEXEC, 0), dead;

	assert_true(ours >= 0);
	if (tls_take(end->theirs, end->theirs_fd, ours) != 0) {
		close(ours);
		return -1;
	}
	assert_true((dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0);
	assert_true(dup3(dead, end->theirs_fd, O_CLOEXEC) >= 0);
	close(dead);
	end->line = (struct line){.fd = ours, .events = &events, .all = stage.lines};
	stage.open++;
	return 0;
}

void stage_forgo(struct end *end)
{
	int fd = SSL_get_fd(end->theirs);

	assert_int_equal(fd, end->theirs_fd);
	(void)SSL_shutdown(end->theirs);
	assert_int_equal(close(fd), 0);
	SSL_free(end->theirs);
	end->theirs = NULL;
}

void stage_hang_up(struct end *end)
{
	if (end->far >= 0)
		close(end->far);
	end->far = -1;
	SSL_free(end->client);
	end->client = NULL;
}

/* --- the stage --------------------------------------------------------------------------------- */

static int open_stage(int version)
{
	signal(SIGPIPE, SIG_IGN);
	stage = (struct stage){0};
	counters_mine->value[COUNTER_LAG_MEMORY] = 0;
	open_contexts(version);
	assert_non_null(stage.ends = calloc(STAGE_ENDS, sizeof *stage.ends));
	assert_int_equal(uv_loop_init(&stage.loop), 0);
	assert_non_null(stage.lines = lines_new(&stage.loop, freed, NULL));
	return 0;
}

static int open_ends(int version)
{
	open_stage(version);
	for (int i = 0; i < STAGE_ENDS; i++) {
		struct end *end = stage_connect(i);

		assert_int_equal(stage_take(end), 0);
		stage_forgo(end);
		assert_int_equal(line_watch(&end->line), 0);
	}
	return 0;
}

int stage_set_up_empty(void **state)
{
	(void)state;
	return open_stage(TLS1_3_VERSION);
}

int stage_set_up(void **state)
{
	(void)state;
	return open_ends(TLS1_3_VERSION);
}

int stage_set_up_12(void **state)
{
	(void)state;
	return open_ends(TLS1_2_VERSION);
}

int stage_tear_down(void **state)
{
	(void)state;
	lines_close(stage.lines);
	assert_int_equal(COUNTER_GET(WAITING_BYTES), 0);
	assert_int_equal(stage.freed, stage.open);
	lines_free(stage.lines);
	while (uv_run(&stage.loop, UV_RUN_NOWAIT) != 0)
		;
	assert_int_equal(uv_loop_close(&stage.loop), 0);
	for (int i = 0; i < STAGE_ENDS; i++)
		if (stage.ends[i].client != NULL)
			stage_hang_up(&stage.ends[i]);
	free(stage.ends);
	SSL_CTX_free(stage.server);
	SSL_CTX_free(stage.client);
	return 0;
}

void stage_turn(void)
{
	uv_run(&stage.loop, UV_RUN_NOWAIT);
}

/* --- what is said ------------------------------------------------------------------------------ */

uint8_t stage_byte(const struct end *end, size_t at)
{
	return (uint8_t)((at * 7 + (at >> 12) + (size_t)(end - stage.ends) * 31) % 251);
}

const uint8_t *stage_bytes(const struct end *end, size_t len)
{
	static uint8_t bytes[STAGE_BYTES];

	assert_true(len <= sizeof bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = stage_byte(end, end->written + i);
	return bytes;
}

enum line_result stage_say(struct end *end, size_t len)
{
	enum line_result result = line_write(&end->line, stage_bytes(end, len), len);

	end->written += len;
	return result;
}

/* Returns how many bytes came; 0: none now, or it is over. */
static size_t read_piece(struct end *end, size_t most)
{
	uint8_t piece[PIECE];
	int n;

	ERR_clear_error();
	n = SSL_read(end->client, piece, most < PIECE ? (int)most : PIECE);
	end->error = SSL_get_error(end->client, n);
	for (int i = 0; i < n; i++)
		assert_int_equal(piece[i], stage_byte(end, end->read + (size_t)i));
	end->read += n > 0 ? (size_t)n : 0;
	return n > 0 ? (size_t)n : 0;
}

static bool may_go_on(const struct end *end)
{
	return end->error == SSL_ERROR_NONE || end->error == SSL_ERROR_WANT_READ;
}

void stage_listen(struct end *end, size_t upto)
{
	for (int still = 0; still < 3 && end->read < upto && may_go_on(end);) {
		still = read_piece(end, upto - end->read) > 0 ? 0 : still + 1;
		stage_turn();
	}
}

int stage_listen_to_end(struct end *end)
{
	stage_listen(end, SIZE_MAX);
	return end->error;
}

void stage_client_says(struct end *end, const void *bytes, size_t len)
{
	ERR_clear_error();
	assert_int_equal(SSL_write(end->client, bytes, (int)len), (int)len);
}
