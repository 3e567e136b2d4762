/* who.c - keys and signatures at the door. */
#include "http/who.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "http/request.h"
#include "news/proof.h"

enum { TELL_EVERY_MS = 1000, BURST_SECONDS = 2 };

/* What a publisher may still post, in thousandths of an item: it fills by the rate. */
struct allowance {
	uint64_t milli;
	uint64_t since_ms;
};

struct who {
	struct keyring *keyring;
	char *publish_key;
	uint64_t rate;
	struct publisher_book *book;  /* the one that the allowances are for, counted */
	struct allowance *allowances; /* one for each publisher of the book */
	unsigned wrong;		      /* not told yet */
	uint64_t told_ms;
	char from[64]; /* the last one's address */
};

struct who *who_open(struct keyring *keyring, const char *publish_key, uint64_t rate)
{
	struct who *w = calloc(1, sizeof *w);

	if (w == NULL || (w->publish_key = strdup(publish_key)) == NULL) {
		free(w);
		return NULL;
	}
	w->keyring = keyring;
	w->rate = rate;
	return w;
}

void who_close(struct who *w)
{
	if (w == NULL)
		return;
	explicit_bzero(w->publish_key, strlen(w->publish_key));
	free(w->publish_key);
	publisher_book_unref(w->book);
	free(w->allowances);
	free(w);
}

/* --- proofs that fail ------------------------------------------------------------------------- */

static void tell_wrong(struct who *w)
{
	log_warn("unauthorized", LOG_S("last_from", w->from), LOG_I("times", w->wrong));
	w->wrong = 0;
	w->told_ms = clock_mono_ms();
}

/* The first is told at once, the rest summed: a flood of guesses is no flood of lines. */
static void note_wrong(struct who *w, const char *from)
{
	snprintf(w->from, sizeof w->from, "%s", from);
	w->wrong++;
	if (w->told_ms == 0 || clock_mono_ms() - w->told_ms >= TELL_EVERY_MS)
		tell_wrong(w);
}

void who_second(struct who *w)
{
	if (w->wrong > 0 && clock_mono_ms() - w->told_ms >= TELL_EVERY_MS)
		tell_wrong(w);
}

const struct publisher *who_has_key(struct who *w, const char *key, const char *from)
{
	const struct publisher *p = proof_by_key(keyring_book(w->keyring), key);

	if (proof_is_key(key, w->publish_key))
		p = &publisher_node;
	if (p != NULL)
		return p;
	COUNT(UNAUTHORIZED_KEY);
	note_wrong(w, from);
	return NULL;
}

const struct publisher *who_signed(struct who *w, const char *signature, const void *bytes,
				   size_t len, const char *from)
{
	const struct publisher *p =
		proof_by_signature(keyring_book(w->keyring), signature, bytes, len);

	if (p != NULL)
		return p;
	COUNT(UNAUTHORIZED_SIGNATURE);
	note_wrong(w, from);
	return NULL;
}

bool who_knows_signatures(const struct who *w)
{
	return proof_has_secrets(keyring_book(w->keyring));
}

static bool has_same_key(const struct publisher *a, const struct publisher *b)
{
	if (a->hash == NULL || b->hash == NULL)
		return a->hash == b->hash;
	return memcmp(a->hash, b->hash, PUBLISHER_HASH_SIZE) == 0;
}

const struct publisher *who_again(const struct who *w, const struct publisher *p)
{
	const struct publisher_book *book = keyring_book(w->keyring);
	const struct publisher *now;

	if (p->book == NULL || p->book == book)
		return p;
	now = publisher_by_name(book, p->name);
	return now != NULL && has_same_key(p, now) ? now : NULL;
}

/* --- how much --------------------------------------------------------------------------------- */

/* Allowances are by place in the book: a new book begins with full ones. */
static struct allowance *allowance_of(struct who *w, const struct publisher *p)
{
	uint64_t full = w->rate * BURST_SECONDS * 1000, now = clock_mono_ms();
	struct allowance *a;

	if (w->book != p->book) {
		a = calloc(publisher_count(p->book), sizeof *a);
		if (a == NULL)
			return NULL;
		for (size_t i = 0; i < publisher_count(p->book); i++)
			a[i] = (struct allowance){full, now};
		free(w->allowances);
		publisher_book_unref(w->book);
		w->allowances = a;
		w->book = publisher_book_ref(p->book);
	}
	a = &w->allowances[publisher_place(p)];
	a->milli +=
		(now - a->since_ms) * w->rate; /* a millisecond brings a thousandth of the rate */
	a->since_ms = now;
	if (a->milli > full)
		a->milli = full;
	return a;
}

bool who_may_post(struct who *w, const struct publisher *p, unsigned items)
{
	const struct publisher *now = who_again(w, p);
	struct allowance *a;

	if (w->rate == 0 || now == NULL || now->book == NULL)
		return true;
	if ((a = allowance_of(w, now)) == NULL)
		return true;
	if (a->milli < (uint64_t)items * 1000) {
		COUNT_ADD(RATE_LIMITED, items);
		return false;
	}
	a->milli -= (uint64_t)items * 1000;
	return true;
}

/* --- requests --------------------------------------------------------------------------------- */

static struct who *who_of(const struct request *r)
{
	return door_setup_of(r->door)->who;
}

static void remember(struct request *r, const struct publisher *p)
{
	publisher_unref(r->who);
	r->who = publisher_ref(p);
}

static const char *address_of(struct request *r, char *out, size_t size)
{
	if (lws_get_peer_simple(r->wsi, out, size) == NULL)
		snprintf(out, size, "unknown");
	return out;
}

void who_answer_unknown(struct request *r, const char *code, const char *detail,
			const char *headers)
{
	char lines[256];

	snprintf(lines, sizeof lines, "www-authenticate: Bearer\r\n%s", headers);
	request_problem(r, 401, code, detail, lines, NULL);
}

bool who_lets_in(struct request *r, unsigned right, const char *code, const char *headers)
{
	const struct publisher *p = NULL;
	char from[64], detail[96];

	if (r->key == NULL)
		COUNT(UNAUTHORIZED_NOTHING);
	else
		p = who_has_key(who_of(r), r->key, address_of(r, from, sizeof from));
	if (p == NULL) {
		who_answer_unknown(r, "unauthorized",
				   "this needs `Authorization: Bearer <key>` with a key that is "
				   "in force",
				   headers);
		return false;
	}
	if ((p->rights & right) != right) {
		COUNT(FORBIDDEN);
		snprintf(detail, sizeof detail, "the key of %s lacks the permission for this",
			 p->name);
		log_warn("forbidden", LOG_S("who", p->name), LOG_S("code", code));
		request_problem(r, 403, code, detail, headers, NULL);
		return false;
	}
	remember(r, p);
	return true;
}

bool who_lets_signed_in(struct request *r)
{
	char from[64];
	const struct publisher *p = who_signed(who_of(r), r->signature, r->body.data, r->body.len,
					       address_of(r, from, sizeof from));

	if (p == NULL) {
		who_answer_unknown(r, "bad_signature",
				   "x-superdesk-signature does not fit the body", "");
		return false;
	}
	remember(r, p);
	return true;
}

bool who_lets_post(struct request *r, unsigned items)
{
	struct who *w = who_of(r);
	uint64_t most = w->rate * BURST_SECONDS;

	if (most > 0 && items > most)
		items = (unsigned)most; /* or a large batch could never be posted */
	if (who_may_post(w, r->who, items))
		return true;
	request_problem(r, 429, "too_many_posts",
			"this key posts more than --publish-rate allows; post it again in a second",
			"retry-after: 1\r\n", NULL);
	return false;
}
