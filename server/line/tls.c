/* tls.c - OpenSSL's sessions, which write into memory and read from sockets. */
#include "line/tls.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* SEALED_MAX is more than one record takes, whatever the cipher adds. A record that is there is read in two. */
enum { READS_AT_ONCE = 8, SEALED_MAX = TLS_RECORD + 4096, TICKET_KEYS = 80 };

/* Goes with the BIO: whoever else has the session may still ask it. */
struct tls {
	SSL *ssl;
	int fd;	    /* -1: it is over */
	int theirs; /* what libwebsockets closes when it asks the session for its socket */
};

struct tls_table tls_table;

/* What the call that goes on has written, and how often it has read. */
static uint8_t sealed[SEALED_MAX];
static size_t sealed_len;
static unsigned reads;

/* --- what OpenSSL writes to and reads from ------------------------------------------------------ */

static int on_write(BIO *bio, const char *bytes, int len)
{
	(void)bio;
	if (len < 0 || (size_t)len > sizeof sealed - sealed_len)
		return -1;
	memcpy(sealed + sealed_len, bytes, (size_t)len);
	sealed_len += (size_t)len;
	return len;
}

/* OpenSSL reads on as long as what comes is no data: new keys, say, of which a client can send as many as he likes. So it may do
 * that a few times only; the rest is still there at the loop's next turn. */
static int on_read(BIO *bio, char *bytes, int size)
{
	const struct tls *tls = BIO_get_data(bio);
	bool may = reads < READS_AT_ONCE;
	ssize_t n = may ? recv(tls->fd, bytes, (size_t)size, MSG_DONTWAIT) : -1;

	BIO_clear_retry_flags(bio);
	if (!may || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		BIO_set_retry_read(bio);
	reads++;
	return (int)n;
}

static long on_control(BIO *bio, int what, long number, void *arg)
{
	const struct tls *tls = BIO_get_data(bio);

	(void)number;
	if (what == BIO_C_GET_FD) {
		if (arg != NULL) /* where SSL_get_fd() looks, and nowhere else */
			*(int *)arg = tls->theirs;
		return tls->theirs;
	}
	return what == BIO_CTRL_FLUSH;
}

static int on_destroy(BIO *bio)
{
	free(BIO_get_data(bio));
	return 1;
}

/* One for all. NULL: memory is short. */
static BIO_METHOD *method(void)
{
	static BIO_METHOD *made;

	if (made == NULL && (made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_DESCRIPTOR,
						 "newswire line")) != NULL) {
		(void)BIO_meth_set_write(made, on_write);
		(void)BIO_meth_set_read(made, on_read);
		(void)BIO_meth_set_ctrl(made, on_control);
		(void)BIO_meth_set_destroy(made, on_destroy);
	}
	return made;
}

/* --- taking ------------------------------------------------------------------------------------- */

static int make_room(size_t fd)
{
	struct tls **table = table_reach(tls_table.by_fd, &tls_table.cap, fd);

	if (table == NULL)
		return -1;
	tls_table.by_fd = table;
	return 0;
}

/* The former owner would say that nothing follows before he frees it: it is quiet then. And OpenSSL looks on as long as what comes is no data: or
 * some would stay in it, of which no event tells. */
int tls_take(SSL *ssl, int theirs, int fd)
{
	BIO_METHOD *how = method();
	struct tls *tls;
	BIO *bio;

	if (how == NULL || make_room((size_t)fd) != 0 || (tls = malloc(sizeof *tls)) == NULL)
		return -1;
	if ((bio = BIO_new(how)) == NULL) {
		free(tls);
		return -1;
	}
	*tls = (struct tls){.ssl = ssl, .fd = fd, .theirs = theirs};
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	(void)SSL_up_ref(ssl);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_quiet_shutdown(ssl, 1);
	(void)SSL_set_mode(ssl, SSL_MODE_AUTO_RETRY); /* (door.c has taken it off) */
	tls_table.by_fd[fd] = tls;
	return 0;
}

void tls_free(int fd)
{
	struct tls *tls;

	if (!tls_is_on(fd))
		return;
	tls = tls_table.by_fd[fd];
	tls_table.by_fd[fd] = NULL;
	tls->fd = -1;
	SSL_free(tls->ssl);
}

/* --- bytes and records -------------------------------------------------------------------------- */

/* Its former owner has ended it in silence; for us it goes on. And what an earlier call left in OpenSSL's list of errors would be
 * taken for this one's. */
static SSL *begin(int fd)
{
	SSL *ssl = tls_table.by_fd[fd]->ssl;

	ERR_clear_error();
	SSL_set_shutdown(ssl, 0);
	sealed_len = 0;
	reads = 0;
	return ssl;
}

static struct tls_sealed what_was_written(void)
{
	return (struct tls_sealed){.bytes = sealed, .len = sealed_len};
}

ssize_t tls_seal(int fd, const uint8_t *bytes, size_t len, struct tls_sealed *out)
{
	int n = SSL_write(begin(fd), bytes, (int)(len < TLS_RECORD ? len : TLS_RECORD));

	*out = what_was_written();
	return n > 0 ? n : -1;
}

ssize_t tls_recv(int fd, char *bytes, size_t size, struct tls_sealed *out)
{
	SSL *ssl = begin(fd);
	int n = SSL_read(ssl, bytes, (int)size);

	*out = what_was_written();
	if (n > 0)
		return n;
	switch (SSL_get_error(ssl, n)) {
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_WANT_READ:
		errno = EAGAIN;
		return -1;
	default:
		errno = ECONNRESET;
		return -1;
	}
}

bool tls_has_more(int fd)
{
	return tls_is_on(fd) && SSL_has_pending(tls_table.by_fd[fd]->ssl);
}

void tls_end(int fd, struct tls_sealed *out)
{
	SSL *ssl = begin(fd);

	SSL_set_quiet_shutdown(ssl, 0);
	(void)SSL_shutdown(ssl);
	SSL_set_quiet_shutdown(ssl, 1); /* its former owner may still be about to end it */
	*out = what_was_written();
}

/* --- tickets ------------------------------------------------------------------------------------ */

int tls_share_tickets(SSL_CTX *from, SSL_CTX *to)
{
	unsigned char keys[TICKET_KEYS];
	bool done = SSL_CTX_get_tlsext_ticket_keys(from, keys, sizeof keys) == 1 &&
		    SSL_CTX_set_tlsext_ticket_keys(to, keys, sizeof keys) == 1;

	explicit_bzero(keys, sizeof keys);
	return done ? 0 : -1;
}
