/* format.c - the table of the ways bytes go out. */
#include "news/format.h"
#include "base/base.h"

/* RFC 6455, 5.2: FIN and opcode text; the length in 7, 16 or 64 bits; no mask from a server. */
static size_t websocket_open(size_t len, uint8_t *out)
{
	size_t n = 0;

	out[n++] = 0x81;
	if (len < 126) {
		out[n++] = (uint8_t)len;
	} else if (len <= UINT16_MAX) {
		out[n++] = 126;
		out[n++] = (uint8_t)(len >> 8);
		out[n++] = (uint8_t)len;
	} else {
		out[n++] = 127;
		for (int shift = 56; shift >= 0; shift -= 8)
			out[n++] = (uint8_t)((uint64_t)len >> shift);
	}
	return n;
}

static const struct {
	const char *name;
	size_t (*open)(size_t len, uint8_t *out);
} rows[FORMAT_COUNT] = {
	[FORMAT_WEBSOCKET] = {"websocket", websocket_open},
};

const char *format_name(enum format f)
{
	MUST(f < FORMAT_COUNT);
	return rows[f].name;
}

size_t format_open(enum format f, size_t len, uint8_t *out)
{
	MUST(f < FORMAT_COUNT);
	return rows[f].open(len, out);
}

void format_wrap(enum format f, struct buf *out, const char *json, size_t len)
{
	uint8_t open[FORMAT_OPEN_MAX];

	buf_add(out, open, format_open(f, len, open));
	buf_add(out, json, len);
}
