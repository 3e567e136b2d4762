/* frames.c - frames or pieces of a server, whole or in parts: see frames.h. */
#include "frames.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

enum { TEXT_MAX = 1 << 20, COMPRESSED = 0x40, KNOWN = 64 };
enum { GZIP_HEAD = 10, GZIP_FIRST = 0x1f, STORED_HEAD = 5 };

#define FLUSH "\x00\x00\xff\xff"
enum { FLUSH_LEN = 4 };

static const char like[] = "{\"type\":\"like\"";

/* Frames that were inflated, the youngest in the place of the oldest. */
static struct known {
	uint8_t *payload;
	size_t payload_len;
	char *text;
	size_t text_len;
} known[KNOWN];
static unsigned next_known;

static char words[32 << 10]; /* of the last message that says `like` */
static size_t words_len;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "nw-load: %s\n", what);
	exit(1);
}

static void *copy(const void *bytes, size_t n)
{
	void *at = malloc(n > 0 ? n : 1);

	if (at == NULL)
		die("out of memory");
	return memcpy(at, bytes, n);
}

/* Returns the length of the text. */
static size_t inflate_payload(const uint8_t *payload, size_t n, char *text)
{
	static z_stream z;
	static bool is_open;

	if (!is_open && inflateInit2(&z, -MAX_WBITS) != Z_OK)
		die("no memory for zlib");
	is_open = true;
	inflateReset(&z);
	if (words_len > 0)
		inflateSetDictionary(&z, (const Bytef *)words, (uInt)words_len);
	z.next_out = (Bytef *)text;
	z.avail_out = TEXT_MAX;
	z.next_in = payload;
	z.avail_in = (uInt)n;
	if (inflate(&z, Z_SYNC_FLUSH) < 0)
		die("a frame cannot be inflated");
	z.next_in = (const Bytef *)FLUSH;
	z.avail_in = FLUSH_LEN;
	if (inflate(&z, Z_SYNC_FLUSH) < 0 || z.avail_out == 0)
		die("a frame cannot be inflated to its end");
	return TEXT_MAX - z.avail_out;
}

static const struct known *learn(const uint8_t *payload, size_t n)
{
	static char text[TEXT_MAX];
	struct known *k = &known[next_known++ % KNOWN];
	size_t len = inflate_payload(payload, n, text);

	if (len > sizeof like && len <= sizeof words && memcmp(text, like, sizeof like - 1) == 0)
		memcpy(words, text, words_len = len);
	free(k->payload);
	free(k->text);
	*k = (struct known){copy(payload, n), n, copy(text, len), len};
	return k;
}

static const struct known *find(const uint8_t *payload, size_t n)
{
	for (unsigned i = 1; i <= KNOWN; i++) {
		const struct known *k = &known[(next_known + KNOWN - i) % KNOWN];

		if (k->payload_len == n && k->payload != NULL &&
		    memcmp(k->payload, payload, n) == 0)
			return k;
	}
	return learn(payload, n);
}

/* The length of what stands before the payload; 0: it has not come yet. */
static size_t head_of(const uint8_t *at, size_t n, size_t *payload)
{
	size_t head = n < 2 ? 2 : at[1] < 126 ? 2 : at[1] == 126 ? 4 : 10;

	if (n < head)
		return 0;
	*payload = at[1];
	if (head > 2) {
		*payload = 0;
		for (size_t i = 2; i < head; i++)
			*payload = *payload << 8 | at[i];
	}
	return head;
}

/* Both return how many bytes were whole frames. */
static size_t take_frames(const uint8_t *at, size_t n, frames_text *text, void *who)
{
	size_t done = 0, head, payload;

	while ((head = head_of(at + done, n - done, &payload)) > 0 && payload <= n - done - head) {
		const uint8_t *frame = at + done;

		if (frame[0] & COMPRESSED) {
			const struct known *k = find(frame + head, payload);

			text(who, k->text, k->text_len);
		} else {
			text(who, (const char *)frame + head, payload);
		}
		done += head + payload;
	}
	return done;
}

/* The length of what stands first: the head of the stream, a stored block, or a compressed piece. 0: it has not come yet. */
static size_t piece_of(const uint8_t *at, size_t n)
{
	const uint8_t *flush;
	size_t len;

	if (n < STORED_HEAD)
		return 0;
	if (at[0] == GZIP_FIRST || at[0] == 0) {
		len = at[0] == 0 ? STORED_HEAD + (at[1] | (size_t)at[2] << 8) : GZIP_HEAD;
		return len <= n ? len : 0;
	}
	flush = memmem(at, n, FLUSH, FLUSH_LEN);
	return flush == NULL ? 0 : (size_t)(flush - at) + FLUSH_LEN;
}

static size_t take_pieces(const uint8_t *at, size_t n, frames_text *text, void *who)
{
	size_t done = 0, len;

	for (; (len = piece_of(at + done, n - done)) > 0; done += len) {
		const uint8_t *piece = at + done;

		if (piece[0] == 0) {
			text(who, (const char *)piece + STORED_HEAD, len - STORED_HEAD);
		} else if (piece[0] != GZIP_FIRST) {
			const struct known *k = find(piece, len - FLUSH_LEN);

			text(who, k->text, k->text_len);
		}
	}
	return done;
}

static void keep(struct frames *f, const void *bytes, size_t n)
{
	if (f->len + n > f->cap) {
		f->cap = (uint32_t)(f->len + n) * 2;
		f->part = realloc(f->part, f->cap);
		if (f->part == NULL)
			die("out of memory");
	}
	memcpy(f->part + f->len, bytes, n);
	f->len += (uint32_t)n;
}

typedef size_t take_whole(const uint8_t *at, size_t n, frames_text *text, void *who);

static void take(struct frames *f, const char *bytes, size_t n, take_whole *take_them,
		 frames_text *text, void *who)
{
	size_t done;

	if (f->len == 0) {
		done = take_them((const uint8_t *)bytes, n, text, who);
		if (done < n)
			keep(f, bytes + done, n - done);
		return;
	}
	keep(f, bytes, n);
	done = take_them(f->part, f->len, text, who);
	memmove(f->part, f->part + done, f->len - done);
	f->len -= (uint32_t)done;
	if (f->len == 0)
		frames_free(f);
}

void frames_take(struct frames *f, const char *bytes, size_t n, frames_text *text, void *who)
{
	take(f, bytes, n, take_frames, text, who);
}

void frames_take_pieces(struct frames *f, const char *bytes, size_t n, frames_text *text, void *who)
{
	take(f, bytes, n, take_pieces, text, who);
}

void frames_free(struct frames *f)
{
	free(f->part);
	*f = (struct frames){0};
}
