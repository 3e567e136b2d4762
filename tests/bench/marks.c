/* marks.c - finds the bench's marks in a stream of bytes: see marks.h. */
#include "marks.h"

#include <stdbool.h>
#include <string.h>

static bool digits(const char *s, int n, int64_t *value)
{
	int64_t v = 0;

	for (int i = 0; i < n; i++) {
		unsigned digit = (unsigned)s[i] - '0';

		if (digit > 9)
			return false;
		v = v * 10 + digit;
	}
	*value = v;
	return true;
}

static bool is_mark(const char *s, int64_t *sent_ns, int64_t *number)
{
	return s[0] == '@' && s[1] == '@' && digits(s + 2, 19, sent_ns) && s[21] == ',' &&
	       digits(s + 22, 7, number) && s[29] == '@' && s[30] == '@';
}

/* Reports the marks that begin in the first `starts` bytes of s[n]. Returns how far it got: before
 * `starts` only if what begins there is not complete yet. */
static size_t scan(const char *s, size_t n, size_t starts, marks_found *found, void *who)
{
	int64_t sent_ns;
	int64_t number;
	size_t at = 0;

	while (at < starts) {
		const char *p = memchr(s + at, '@', starts - at);

		if (p == NULL)
			return starts;
		at = (size_t)(p - s);
		if (n - at < MARK_BYTES)
			return at;
		if (is_mark(p, &sent_ns, &number)) {
			found(who, sent_ns, (uint32_t)number);
			at += MARK_BYTES;
		} else {
			at++;
		}
	}
	return at;
}

static void hold(struct marks *m, const char *bytes, size_t n)
{
	memcpy(m->carry, bytes, n);
	m->held = (uint8_t)n;
}

void marks_scan(struct marks *m, const char *bytes, size_t n, marks_found *found, void *who)
{
	size_t at = 0;

	if (m->held > 0) {
		char seam[2 * MARK_BYTES];
		size_t held = m->held;
		size_t taken = n < MARK_BYTES - 1 ? n : MARK_BYTES - 1;

		memcpy(seam, m->carry, held);
		memcpy(seam + held, bytes, taken);
		at = scan(seam, held + taken, held, found, who);
		if (at < held) { /* still unfinished, so all bytes are in the seam */
			hold(m, seam + at, held + taken - at);
			return;
		}
		m->held = 0;
		at -= held;
	}
	at += scan(bytes + at, n - at, n - at, found, who);
	if (at < n)
		hold(m, bytes + at, n - at);
}
