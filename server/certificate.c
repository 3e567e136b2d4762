/* certificate.c - PEM files into OpenSSL's hands, and what it says of them into words. */
#include "certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "line/tls.h"

enum { SOON_SECONDS = 14 * 24 * 3600 };

/* The last of OpenSSL's words is the one that names the cause. */
static const char *library_says(void)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	return why == NULL ? "it cannot be used" : why;
}

/* Nobody is there to be asked. */
static int no_passphrase(char *out, int size, int writes, void *arg)
{
	(void)out;
	(void)size;
	(void)writes;
	*(bool *)arg = true;
	return -1;
}

static int check_readable(const char *option, const char *path, char *error, size_t size)
{
	if (access(path, R_OK) == 0)
		return 0;
	return say_why(error, size, "--%s: %.400s: %s", option, path, strerror(errno));
}

static int not_its_key(const struct options *o, char *error, size_t size)
{
	return say_why(error, size, "--tls-key: %.400s is not the key of the certificate in %.400s",
		       o->tls_key, o->tls_cert);
}

/* A key of another kind than the certificate's is no mismatch to OpenSSL before the pair is asked for. */
static int read_pair(SSL_CTX *tls, const struct options *o, bool *asked, char *error, size_t size)
{
	SSL_CTX_set_default_passwd_cb(tls, no_passphrase);
	SSL_CTX_set_default_passwd_cb_userdata(tls, asked);
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(tls, o->tls_cert) != 1)
		return say_why(error, size, "--tls-cert: %.400s holds no certificate in PEM: %s",
			       o->tls_cert, library_says());
	ERR_clear_error();
	if (SSL_CTX_use_PrivateKey_file(tls, o->tls_key, SSL_FILETYPE_PEM) == 1)
		return SSL_CTX_check_private_key(tls) == 1 ? 0 : not_its_key(o, error, size);
	if (*asked)
		return say_why(error, size,
			       "--tls-key: %.400s has a passphrase, which nobody is there to say: "
			       "openssl pkey -in … -out … takes it off",
			       o->tls_key);
	if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH)
		return not_its_key(o, error, size);
	return say_why(error, size, "--tls-key: %.400s holds no private key in PEM: %s", o->tls_key,
		       library_says());
}

static void doubt(const SSL_CTX *tls, const struct options *o)
{
	const X509 *shown = SSL_CTX_get0_certificate(tls);
	time_t soon = (time_t)(clock_wall_ms() / 1000) + SOON_SECONDS;
	const char *what = X509_cmp_current_time(X509_get0_notBefore(shown)) > 0
				   ? "its time has not begun: clients will refuse it"
			   : X509_cmp_current_time(X509_get0_notAfter(shown)) < 0
				   ? "its time is over: clients will refuse it"
			   : X509_cmp_time(X509_get0_notAfter(shown), &soon) < 0
				   ? "its time is over within 14 days"
				   : NULL;

	if (what != NULL)
		log_warn("certificate_doubtful", LOG_S("file", o->tls_cert), LOG_S("what", what),
			 LOG_S("remedy", "put the next one there, then: newswired reload"));
}

int certificate_read(SSL_CTX **out, const struct options *o, SSL_CTX *former, char *error,
		     size_t size)
{
	bool asked = false;
	SSL_CTX *tls;

	*out = NULL;
	if (*o->tls_cert == '\0')
		return 0;
	if (check_readable("tls-cert", o->tls_cert, error, size) < 0 ||
	    check_readable("tls-key", o->tls_key, error, size) < 0)
		return -1;
	if ((tls = SSL_CTX_new(TLS_server_method())) == NULL ||
	    (former != NULL && tls_share_tickets(former, tls) < 0)) {
		SSL_CTX_free(tls);
		return say_why(error, size, "out of memory");
	}
	if (read_pair(tls, o, &asked, error, size) < 0) {
		SSL_CTX_free(tls);
		return -1;
	}
	SSL_CTX_set_default_passwd_cb_userdata(tls, NULL);
	doubt(tls, o);
	*out = tls;
	return 0;
}

uint64_t certificate_ends(const SSL_CTX *certificate)
{
	struct tm ends;

	if (certificate == NULL ||
	    ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(certificate)), &ends) != 1)
		return 0;
	return (uint64_t)timegm(&ends);
}
