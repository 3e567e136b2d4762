/* writing.c - what is written to a line: at once, encrypted where it is to be, and what of it waits. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>
#include <xxhash.h>
#include "line/line_own.h"

/* How many bytes the kernel took, as they are, or -1. */
ssize_t line_send_plain(const struct line *line, const uint8_t *bytes, size_t len)
{
	ssize_t sent = send(line->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return sent;
}

static void count_waiting(struct lines *all, size_t waiting)
{
	all->waiting = waiting;
	counters_mine->value[all->waiting_row] = waiting;
}

/* --- what waits ------------------------------------------------------------------------------- */

/* Accepts NULL. */
static void drop_kept(struct kept *kept)
{
	struct lines *all;

	if (kept == NULL || --kept->lines > 0)
		return;
	all = kept->all;
	if (HASH_IS_IN(kept))
		HASH_DEL(all->kept, kept);
	count_waiting(all, all->waiting - kept->len);
	free(kept);
}

void line_free_rest(struct line *line)
{
	struct line_rest *rest = line->rest;

	if (rest == NULL)
		return;
	if (rest->line != NULL)
		DL_DELETE(line->all->rests, rest);
	drop_kept(rest->sealed);
	drop_kept(rest->kept);
	free(rest);
	line->rest = NULL;
}

/* The last of those who are let go when there is no more room. */
void line_put_last(struct line *line)
{
	struct lines *all = line->all;
	struct line_rest *rest = line->rest;

	if (rest->line != NULL)
		DL_DELETE(all->rests, rest);
	rest->line = line;
	DL_APPEND(all->rests, rest);
}

/* Nothing is written to it any more, and its end follows. */
static void let_go(struct line *line)
{
	counters_mine->value[line->all->let_go_row]++;
	line->cut = true;
	line_free_rest(line);
	(void)line_die(line);
}

static size_t kept_of(const struct line *line)
{
	const struct line_rest *rest = line->rest;

	if (rest == NULL)
		return 0;
	return (rest->sealed == NULL ? 0 : rest->sealed->len) +
	       (rest->kept == NULL ? 0 : rest->kept->len);
}

/* Those go whose bytes have waited longest without any of them leaving: who reads has not stood there for long. But nobody goes for
 * what has no room even so (beside what waits of the same line): then that line does. */
static bool has_room_for(struct line *line, size_t len)
{
	struct lines *all = line->all;
	bool may_have = kept_of(line) + len <= all->waiting_max;

	while (may_have && all->rests != NULL && all->waiting + len > all->waiting_max)
		let_go(all->rests->line);
	if (all->waiting + len <= all->waiting_max)
		return true;
	if (line->watched && !line->cut) /* before, whoever writes to it counts it */
		let_go(line);
	return false;
}

static struct kept *keep(struct line *line, const uint8_t *a, size_t a_len, const uint8_t *b,
			 size_t b_len)
{
	struct lines *all = line->all;
	struct kept *kept;

	if (!has_room_for(line, a_len + b_len) ||
	    (kept = malloc(sizeof *kept + a_len + b_len)) == NULL)
		return NULL;
	*kept = (struct kept){.all = all, .lines = 1, .len = a_len + b_len};
	if (a_len > 0)
		memcpy(kept->bytes, a, a_len);
	memcpy(kept->bytes + a_len, b, b_len);
	count_waiting(all, all->waiting + kept->len);
	return kept;
}

/* The same bytes are written to many: whoever does not get them whole shares what the others left. */
static struct kept *share(struct line *line, const uint8_t *bytes, size_t len)
{
	struct lines *all = line->all;
	uint64_t hash = XXH3_64bits(bytes, len);
	struct kept *there, *kept;

	HASH_FIND(hh, all->kept, &hash, sizeof hash, there);
	if (there != NULL && there->len == len && memcmp(there->bytes, bytes, len) == 0) {
		there->lines++;
		return there;
	}
	kept = keep(line, NULL, 0, bytes, len);
	if (kept == NULL || there != NULL)
		return kept;
	kept->hash = hash;
	HASH_ADD(hh, all->kept, hash, sizeof hash, kept);
	return kept;
}

/* Some of what was written waits now: its line has a rest. NULL: memory is short. */
static struct line_rest *rest_of(struct line *line)
{
	if (line->rest == NULL && (line->rest = calloc(1, sizeof *line->rest)) != NULL) {
		if (line->watched)
			line_put_last(line);
		line_arm(line, true);
	}
	return line->rest;
}

/* From `at` on, all of it waits, behind what is encrypted already. */
static enum line_result leave(struct line *line, struct kept *kept, size_t at)
{
	struct line_rest *rest = kept == NULL || line->cut ? NULL : rest_of(line);

	if (rest == NULL) {
		drop_kept(kept);
		return line_die(line);
	}
	rest->kept = kept;
	rest->at = at;
	return LINE_PARTIAL;
}

/* Behind what waits in *to already. 0 or -1. */
static int append(struct line *line, struct kept **to, size_t *at, const uint8_t *bytes, size_t len)
{
	struct kept *old = *to, *kept;

	if (old == NULL) {
		kept = keep(line, NULL, 0, bytes, len);
	} else {
		old->lines++; /* though its line may be let go for want of room */
		kept = keep(line, old->bytes + *at, old->len - *at, bytes, len);
		drop_kept(old);
	}
	if (kept == NULL || line->cut) {
		drop_kept(kept);
		return -1;
	}
	drop_kept(old);
	*to = kept;
	*at = 0;
	return 0;
}

/* --- encrypted -------------------------------------------------------------------------------- */

/* Encrypted bytes leave in the order in which they were made. 0 or -1. */
int line_send_sealed(struct line *line, const struct tls_sealed *sealed)
{
	struct line_rest *rest = line->rest;
	ssize_t sent = 0;

	if (sealed->len > 0 && (rest == NULL || rest->sealed == NULL))
		sent = line_send_plain(line, sealed->bytes, sealed->len);
	if (sent < 0)
		return -1;
	if ((size_t)sent == sealed->len)
		return 0;
	if ((rest = rest_of(line)) == NULL)
		return -1;
	return append(line, &rest->sealed, &rest->sealed_at, sealed->bytes + sent,
		      sealed->len - (size_t)sent);
}

/* As many records as the socket takes, and the one that it does not take whole. How many bytes are in them, or -1. */
static ssize_t seal_some(struct line *line, const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (at < len && (line->rest == NULL || line->rest->sealed == NULL)) {
		struct tls_sealed sealed;
		ssize_t n = tls_seal(line->fd, bytes + at, len - at, &sealed);

		if (n < 0 || line_send_sealed(line, &sealed) != 0)
			return -1;
		at += (size_t)n;
	}
	return (ssize_t)at;
}

/* How many bytes are the kernel's now, or on their way to it; or -1. */
static ssize_t send_some(struct line *line, const uint8_t *bytes, size_t len)
{
	return tls_is_on(line->fd) ? seal_some(line, bytes, len)
				   : line_send_plain(line, bytes, len);
}

/* --- what its user writes --------------------------------------------------------------------- */

enum line_result line_write_rest(void *arg, const uint8_t *bytes, size_t len, size_t at)
{
	struct line *line = arg;
	ssize_t sent = 0;

	if (line->cut)
		return LINE_DEAD;
	if (line->rest != NULL && line->rest->kept != NULL)
		return append(line, &line->rest->kept, &line->rest->at, bytes + at, len - at) == 0
			       ? LINE_PARTIAL
			       : line_die(line);
	if (line->rest == NULL && (sent = send_some(line, bytes + at, len - at)) < 0)
		return line_die(line);
	at += (size_t)sent;
	if (at < len)
		return leave(line, share(line, bytes, len), at);
	return line->rest == NULL ? LINE_SENT : LINE_PARTIAL;
}

bool line_was_let_go(const void *arg)
{
	const struct line *line = arg;

	return line->cut;
}

enum line_result line_write(void *arg, const uint8_t *bytes, size_t len)
{
	return line_write_rest(arg, bytes, len, 0);
}

ssize_t line_write_some(void *arg, const uint8_t *bytes, size_t len)
{
	struct line *line = arg;
	ssize_t sent;

	if (line->cut)
		return -1;
	sent = line->rest != NULL ? 0 : send_some(line, bytes, len);
	if (sent < 0)
		(void)line_die(line);
	return sent;
}

void line_expect(void *arg)
{
	__builtin_prefetch(arg);
}

void line_want_room(void *arg)
{
	struct line *line = arg;

	line->wants_room = true;
	line_arm(line, true);
}

/* --- what waits goes on ------------------------------------------------------------------------ */

/* 1: all that is encrypted has left; 0: some still waits; -1: it is dead. */
static int send_rest_sealed(struct line *line)
{
	struct line_rest *rest = line->rest;
	struct kept *sealed = rest->sealed;
	ssize_t sent;

	if (sealed == NULL)
		return 1;
	sent = line_send_plain(line, sealed->bytes + rest->sealed_at,
			       sealed->len - rest->sealed_at);
	if (sent < 0)
		return -1;
	rest->sealed_at += (size_t)sent;
	if (rest->sealed_at < sealed->len) {
		if (sent > 0)
			line_put_last(line);
		return 0;
	}
	rest->sealed = NULL;
	drop_kept(sealed);
	return 1;
}

/* 1: all has left; 0: some still waits; -1: it is dead. */
int line_send_rest(struct line *line)
{
	struct line_rest *rest = line->rest;
	int left = rest == NULL ? 1 : send_rest_sealed(line);
	ssize_t sent;

	if (rest == NULL || left <= 0)
		return left;
	if (rest->kept != NULL) {
		sent = send_some(line, rest->kept->bytes + rest->at, rest->kept->len - rest->at);
		if (sent < 0)
			return -1;
		rest->at += (size_t)sent;
		if (sent > 0)
			line_put_last(line);
		if (rest->at < rest->kept->len)
			return 0;
		drop_kept(rest->kept);
		rest->kept = NULL;
	}
	if (rest->sealed != NULL)
		return 0;
	line_free_rest(line);
	return 1;
}
