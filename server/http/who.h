/* who.h - who a request comes from: keys and signatures proved, permissions asked, posts counted.
 *
 * What it does  Knows the node's own key and the book of publishers in force (keyring.h). Answers
 *               what fails: 401 says only that nothing was proved, never how near it was; 403 names
 *               the permission that is missing; 429 who posts more than --publish-rate.
 * Bounds        Wrong keys are counted each, and told in one line of the log a second.
 * Ownership     Borrows the keyring. Publishers are counted: r->who keeps its book.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_HTTP_WHO_H
#define NEWSWIRE_HTTP_WHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/base.h"
#include "news/keyring.h"
#include "news/publisher.h"

struct request;
struct who;

/* publish_key: the node's own; rate: posts a second for each publisher, 0 without end. NULL: out of memory. */
struct who *who_open(struct keyring *keyring, const char *publish_key, uint64_t rate) MUST_USE;
void who_close(struct who *w); /* accepts NULL */
/* A second has passed. */
void who_second(struct who *w);

/* Whose key is it? NULL: nobody's; that is counted and logged. from: an address, for the log. Borrowed. */
const struct publisher *who_has_key(struct who *w, const char *key, const char *from);
/* The same by a signature of Superdesk's over these bytes. */
const struct publisher *who_signed(struct who *w, const char *signature, const void *bytes,
				   size_t len, const char *from);
/* Can any signature fit? */
bool who_knows_signatures(const struct who *w);
/* The same publisher in the book that is in force by now, with the same key; NULL: it was revoked. */
const struct publisher *who_again(const struct who *w, const struct publisher *p);
/* May it post so many items more in this second? Refusals are counted. The node's own key always may. */
bool who_may_post(struct who *w, const struct publisher *p, unsigned items);

/* Lets in whoever has a key with this right (0: any), and sets r->who. Otherwise it has answered: 401,
 * or 403 with `code`. headers: whole lines for these answers, or "". */
bool who_lets_in(struct request *r, unsigned right, const char *code, const char *headers);
/* For bodies signed by Superdesk: 401 if nobody signed them. */
bool who_lets_signed_in(struct request *r);
/* So many items more: 429 if that is too many. What is more than all that a key may post at once
 * counts as that. */
bool who_lets_post(struct request *r, unsigned items);
/* Answers 401. */
void who_answer_unknown(struct request *r, const char *code, const char *detail,
			const char *headers);

#endif
