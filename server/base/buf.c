/* buf.c - bytes that grow at the end. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 64 };

int buf_grow(struct buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : SMALLEST;
	char *data;

	if (b->failed)
		return -1;
	if (more > SIZE_MAX / 2 - b->len)
		goto fail;
	while (cap < b->len + more)
		cap *= 2;
	if ((data = realloc(b->data, cap)) == NULL)
		goto fail;
	b->data = data;
	b->cap = cap;
	return 0;

fail:
	b->failed = true;
	return -1;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (len == 0 || buf_reserve(b, len) != 0)
		return;
	memcpy(b->data + b->len, bytes, len);
	b->len += len;
}

void buf_adds(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_addf(struct buf *b, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		b->failed = true;
	if (len <= 0 || buf_reserve(b, (size_t)len + 1) != 0)
		return;
	va_start(args, format);
	vsnprintf(b->data + b->len, (size_t)len + 1, format, args);
	va_end(args);
	b->len += (size_t)len;
}

static void add_json_escape(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"':
		buf_add(b, "\\\"", 2);
		break;
	case '\\':
		buf_add(b, "\\\\", 2);
		break;
	case '\n':
		buf_add(b, "\\n", 2);
		break;
	case '\r':
		buf_add(b, "\\r", 2);
		break;
	case '\t':
		buf_add(b, "\\t", 2);
		break;
	default:
		buf_addf(b, "\\u%04x", c);
	}
}

/* Bit 7 of each byte says whether it is zero; bytes above a zero one may be wrong, which only costs
 * a second look. */
static uint64_t zero_bytes(uint64_t word)
{
	return (word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080);
}

/* Must one of these eight bytes be escaped? */
static bool has_escape(uint64_t eight)
{
	return (zero_bytes(eight & UINT64_C(0xe0e0e0e0e0e0e0e0)) |
		zero_bytes(eight ^ UINT64_C(0x2222222222222222)) |
		zero_bytes(eight ^ UINT64_C(0x5c5c5c5c5c5c5c5c))) != 0;
}

static uint64_t load_eight(const char *text)
{
	uint64_t eight;

	memcpy(&eight, text, sizeof eight);
	return eight;
}

/* Each of fewer than eight bytes at least once, and spaces. */
static uint64_t load_few(const char *text, size_t len)
{
	uint64_t eight = UINT64_C(0x2020202020202020);
	uint32_t four;

	if (len >= 4) {
		memcpy(&four, text, sizeof four);
		eight = (uint64_t)four << 32;
		memcpy(&four, text + len - 4, sizeof four);
		return eight | four;
	}
	if (len > 0)
		eight = eight << 24 | (uint64_t)(unsigned char)text[0] << 16 |
			(uint64_t)(unsigned char)text[len / 2] << 8 | (unsigned char)text[len - 1];
	return eight;
}

static bool is_plain(const char *text, size_t len)
{
	if (len < 8)
		return !has_escape(load_few(text, len));
	for (size_t i = 0; i < len - 8; i += 8)
		if (has_escape(load_eight(text + i)))
			return false;
	return !has_escape(load_eight(text + len - 8));
}

static void add_escaped(struct buf *b, const char *text, size_t len)
{
	const char *end = text + len, *from = text;

	for (; text < end; text++) {
		if ((unsigned char)*text >= 0x20 && *text != '"' && *text != '\\')
			continue;
		buf_add(b, from, (size_t)(text - from));
		add_json_escape(b, (unsigned char)*text);
		from = text + 1;
	}
	buf_add(b, from, (size_t)(end - from));
}

void buf_add_json(struct buf *b, const char *text, size_t len)
{
	if (buf_reserve(b, len + 2) != 0)
		return;
	b->data[b->len++] = '"';
	if (is_plain(text, len)) {
		memcpy(b->data + b->len, text, len);
		b->len += len;
	} else {
		add_escaped(b, text, len);
	}
	buf_addc(b, '"');
}

size_t buf_write_number(uint64_t value, char *out)
{
	char digits[BUF_NUMBER_MAX];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + value % 10);
	while ((value /= 10) != 0);
	for (size_t i = 0; i < count; i++)
		out[i] = digits[count - 1 - i];
	return count;
}

void buf_add_number(struct buf *b, uint64_t value)
{
	if (buf_reserve(b, BUF_NUMBER_MAX) == 0)
		b->len += buf_write_number(value, b->data + b->len);
}

void buf_add_hex(struct buf *b, uint64_t value)
{
	if (buf_reserve(b, 16) != 0)
		return;
	for (int shift = 60; shift >= 0; shift -= 4)
		b->data[b->len++] = "0123456789abcdef"[value >> shift & 15];
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void buf_add_markup(struct buf *b, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		switch (text[i]) {
		case '&':
			buf_adds(b, "&amp;");
			break;
		case '<':
			buf_adds(b, "&lt;");
			break;
		case '>':
			buf_adds(b, "&gt;");
			break;
		case '"':
			buf_adds(b, "&quot;");
			break;
		default:
			buf_addc(b, text[i]);
		}
}
