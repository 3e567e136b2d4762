/* tls_stage.h - what the tests of lines over TLS share: a loop, sessions of the real OpenSSL over pairs of sockets, and clients that read when
 * a sentence says so.
 *
 * An end is made as door.c and libwebsockets make it: a server's session shakes hands on a socket of its own (`theirs`), is taken
 * on another descriptor, and is then ended by its former owner (stage_forgo).
 */
#ifndef NEWSWIRE_TESTS_TLS_STAGE_H
#define NEWSWIRE_TESTS_TLS_STAGE_H

#include "cmocka_all.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/ssl.h>
#include <uv.h>
#include "base/counters.h"
#include "line/line.h"
#include "line/tls.h"

enum { STAGE_ENDS = 4, STAGE_BYTES = 4 << 20, STAGE_SNDBUF = 16 << 10 };

/* A line between the loop and `far`, where the test is the client. */
struct end {
	struct line line;
	SSL *theirs; /* the server's session, as its former owner has it; NULL: he has ended it */
	int theirs_fd;
	SSL *client;
	int far;   /* -1: hung up */
	int error; /* SSL_get_error() of the client's last read */
	enum line_fate on_heard;
	char heard[64 << 10];
	size_t heard_len;
	unsigned rooms, ended;
	size_t written; /* bytes that the server said */
	size_t read;	/* bytes that came, each of which was what it had to be */
};

struct stage {
	uv_loop_t loop;
	struct lines *lines;
	SSL_CTX *server, *client;
	struct end *ends;
	unsigned open, freed;
};

extern struct stage stage;

/* TLS 1.3, or 1.2 at most; with STAGE_ENDS ends that shook hands, are taken, forgone and watched. */
int stage_set_up(void **state);
int stage_set_up_12(void **state);
/* Nothing is kept any more, and each socket was closed once. */
int stage_tear_down(void **state);
/* The same without any end. */
int stage_set_up_empty(void **state);

/* One by one: shakes hands; … */
struct end *stage_connect(int i);
/* … takes the session. 0, or -1: it is its former owner's as before; */
int stage_take(struct end *end);
/* his end, as libwebsockets' (lws_ssl_close); */
void stage_forgo(struct end *end);
/* and what the client has. */
void stage_hang_up(struct end *end);

void stage_turn(void);
/* The byte that an end says as its so-manieth. */
uint8_t stage_byte(const struct end *end, size_t at);
/* The next so many bytes that this end says. */
const uint8_t *stage_bytes(const struct end *end, size_t len);
/* Writes them. */
enum line_result stage_say(struct end *end, size_t len);
/* The client reads, in small pieces, while the loop turns, until so much came or it is over. */
void stage_listen(struct end *end, size_t upto);
/* Until it is over. Returns SSL_ERROR_ZERO_RETURN if it was said that nothing follows. */
int stage_listen_to_end(struct end *end);
/* The client says. */
void stage_client_says(struct end *end, const void *bytes, size_t len);

#endif
