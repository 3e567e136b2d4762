/* gzip.c - a head, stored blocks, and compressed ones that end in a full flush. */
#include "news/gzip.h"

#include <string.h>
#include <zlib.h>
#include "news/deflate.h"

/* RFC 1951, 3.2.4: three bits say "stored, not the last" and the rest of their byte is nothing; then the length and its complement. */
enum { BLOCK_MAX = UINT16_MAX, BLOCK_HEAD = 5 };

/* RFC 1952, 2.3: deflate, no flags, no time, nothing extra, no matter which system. */
void gzip_begin(struct buf *out)
{
	static const uint8_t head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};

	buf_add(out, head, sizeof head);
}

size_t gzip_stored_len(size_t len)
{
	return len + (len + BLOCK_MAX - 1) / BLOCK_MAX * BLOCK_HEAD;
}

/* Where the text lies at the end of `out`, each block's head ends where its text begins, or before. */
void gzip_store(const uint8_t *text, size_t len, uint8_t *out)
{
	while (len > 0) {
		uint16_t n = (uint16_t)(len < BLOCK_MAX ? len : BLOCK_MAX);
		uint16_t not_n = (uint16_t)~n;

		memcpy(out,
		       (uint8_t[]){0, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)not_n,
				   (uint8_t)(not_n >> 8)},
		       BLOCK_HEAD);
		memmove(out + BLOCK_HEAD, text, n);
		out += BLOCK_HEAD + n;
		text += n;
		len -= n;
	}
}

size_t gzip_squeeze(const uint8_t *text, size_t len, uint8_t *out, size_t room)
{
	deflate_begin(DEFLATE_PIECE, out, room);
	deflate_add(text, len);
	return deflate_end();
}

int gzip_file(const uint8_t *text, size_t len, struct buf *out)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)text, .avail_in = (uInt)len};
	int result;

	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	result = buf_reserve(out, deflateBound(&z, len));
	if (result == 0) {
		z.next_out = (Bytef *)out->data + out->len;
		z.avail_out = (uInt)(out->cap - out->len);
		MUST(deflate(&z, Z_FINISH) == Z_STREAM_END); /* there is room for the worst */
		out->len += z.total_out;
	}
	deflateEnd(&z);
	return result;
}
