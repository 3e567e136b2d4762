/* certificate.h - what this server shows of itself to those who connect by TLS: its certificate, those above it, and their key.
 *
 * What it does  Reads --tls-cert and --tls-key at the start and at each reload, and keeps what they held: a worker that follows
 *               one that died needs no file. So files that go, or do not go together, harm nobody before the next reload,
 *               which is then refused.
 * Tickets       All workers, and those after a reload, take each other's session tickets (RFC 8446, 4.6.1), or whoever
 *               comes back would have to shake hands anew. Their keys are never written anywhere; a new program has others.
 * Ownership     OpenSSL's: SSL_CTX_free(), which accepts NULL.
 * Errors        -1 and one sentence: which option, what is wrong. A certificate whose time is over or has not begun is no
 *               error, but is logged: readers may be better off with it than without.
 * Threads       One.
 */
#ifndef NEWSWIRE_CERTIFICATE_H
#define NEWSWIRE_CERTIFICATE_H

#include <stddef.h>
#include <stdint.h>
#include "base/base.h"
#include "options.h"

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

/* *out is NULL if none is asked for. former: the one before, whose tickets stay good; or NULL. */
int certificate_read(struct ssl_ctx_st **out, const struct options *o, struct ssl_ctx_st *former,
		     char *error, size_t size) MUST_USE;
/* Seconds since 1970; 0 for NULL. */
uint64_t certificate_ends(const struct ssl_ctx_st *certificate);

#endif
