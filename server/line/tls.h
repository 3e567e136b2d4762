/* tls.h - the encryption of a socket that has left libwebsockets.
 *
 * What it does  libwebsockets shakes hands, and reads the request. What it agreed on with the client goes on here, by OpenSSL: a
 *               line's bytes become records (RFC 8446), and records bytes. It is the line that sends what becomes of its bytes,
 *               and keeps what the socket does not take: whatever is written is encrypted then, and once for each connection.
 * Ownership     By descriptor: from tls_take() to tls_free(), which comes before the descriptor is closed.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_LINE_TLS_H
#define NEWSWIRE_LINE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/base.h"

struct ssl_st;	   /* OpenSSL's SSL */
struct ssl_ctx_st; /* its SSL_CTX */
struct tls;

/* One record holds so many bytes at most (RFC 8446, 5.1). */
enum { TLS_RECORD = 16 << 10 };

/* Always true: by_fd[i] is the session of the descriptor i; NULL: what is written there is sent as it is. */
struct tls_table {
	struct tls **by_fd;
	size_t cap;
};
extern struct tls_table tls_table;

static inline bool tls_is_on(int fd)
{
	return (size_t)fd < tls_table.cap && tls_table.by_fd[fd] != NULL;
}

/* Encrypted, and not sent yet: until the next call for any descriptor. */
struct tls_sealed {
	const uint8_t *bytes;
	size_t len;
};

/* From now on this session speaks through `fd`, whatever its former owner does to it, who frees it as he would have, and closes
 * `theirs`. 0, or -1: memory was short, and nothing has changed. */
int tls_take(struct ssl_st *ssl, int theirs, int fd) MUST_USE;
/* A record of the first TLS_RECORD bytes at most. Returns how many that was, or -1: it is over. */
ssize_t tls_seal(int fd, const uint8_t *bytes, size_t len, struct tls_sealed *out) MUST_USE;
/* Like recv(): 0 is the other side's end, -1 with EAGAIN that no whole record is there. What it has to say to that is in *out. */
ssize_t tls_recv(int fd, char *bytes, size_t size, struct tls_sealed *out) MUST_USE;
/* Are there bytes that came already, though the socket has none? */
bool tls_has_more(int fd);
/* The word that nothing follows (close_notify). */
void tls_end(int fd, struct tls_sealed *out);
void tls_free(int fd);

/* Whoever has a session ticket of the one may show it to the other (RFC 8446, 4.6.1). 0 or -1. */
int tls_share_tickets(struct ssl_ctx_st *from, struct ssl_ctx_st *to) MUST_USE;

#endif
