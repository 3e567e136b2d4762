/* inflate.c - zlib's inflater, used again for each message. */
#include "ws/inflate.h"

#include <stdbool.h>
#include <stdint.h>
#define ZLIB_CONST
#include <zlib.h>

/* Told by zlib in data_type: a block has ended, at the end of a byte, and no other has begun. */
enum { BETWEEN_BLOCKS = 128 };

static z_stream inflater;
static bool is_open;

static int open_inflater(void)
{
	if (is_open)
		return inflateReset(&inflater) == Z_OK ? 0 : -1;
	is_open = inflateInit2(&inflater, -MAX_WBITS) == Z_OK;
	return is_open ? 0 : -1;
}

/* Inflates these bytes to their end, behind what is in out already. There is room for one byte more than
 * max, to see that it is too much. */
static enum inflate_result inflate_piece(const uint8_t *bytes, size_t len, size_t max,
					 struct buf *out)
{
	int result;

	inflater.next_in = bytes;
	inflater.avail_in = (uInt)len;
	do {
		inflater.next_out = (uint8_t *)out->data + out->len;
		inflater.avail_out = (uInt)(max + 1 - out->len);
		result = inflate(&inflater, Z_BLOCK);
		out->len = max + 1 - inflater.avail_out;
		if (out->len > max)
			return INFLATE_TOO_BIG;
		if (result == Z_MEM_ERROR)
			return INFLATE_NO_MEMORY;
		if (result == Z_STREAM_END) /* a last block: RFC 7692, 7.2.3.4 lets others follow */
			result = inflateReset(&inflater);
		if (result != Z_OK && result != Z_BUF_ERROR)
			return INFLATE_BROKEN;
	} while (inflater.avail_in > 0);
	return INFLATE_DONE;
}

enum inflate_result inflate_message(const void *bytes, size_t len, size_t max, struct buf *out)
{
	static const uint8_t left_out[] = {0x00, 0x00, 0xff, 0xff};
	enum inflate_result result;

	buf_clear(out);
	if (buf_reserve(out, max + 1) != 0 || open_inflater() != 0)
		return INFLATE_NO_MEMORY;
	if (len > 0 && (result = inflate_piece(bytes, len, max, out)) != INFLATE_DONE)
		return result;
	if ((result = inflate_piece(left_out, sizeof left_out, max, out)) != INFLATE_DONE)
		return result;
	return inflater.data_type == BETWEEN_BLOCKS ? INFLATE_DONE : INFLATE_BROKEN;
}
