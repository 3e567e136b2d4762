/* cursor.c - reads and writes places on the wire. */
#include "news/cursor.h"

#include "base/buf.h"

#include <stdbool.h>
#include <string.h>

/* Reads digits from *at up to end. -1 if there is none, or if the number does not fit. */
static int read_number(const char **at, const char *end, uint64_t *out)
{
	const char *from = *at;
	uint64_t n = 0;

	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		uint64_t digit = (uint64_t)(**at - '0');
		if (n > (UINT64_MAX - digit) / 10)
			return -1;
		n = n * 10 + digit;
	}
	*out = n;
	return *at == from ? -1 : 0;
}

int wire_id_parse(const char *text, size_t len, struct wire_id *out)
{
	const char *end = text + len;
	struct wire_id id;

	if (len >= WIRE_ID_TEXT_MAX || read_number(&text, end, &id.ms) == -1)
		return -1;
	if (text == end || *text++ != '-')
		return -1;
	if (read_number(&text, end, &id.seq) == -1 || text != end)
		return -1;
	*out = id;
	return 0;
}

size_t wire_id_format(struct wire_id id, char *out)
{
	size_t len = buf_write_number(id.ms, out);

	out[len++] = '-';
	len += buf_write_number(id.seq, out + len);
	out[len] = '\0';
	return len;
}

bool cursor_is_epoch(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9')))
			return false;
	return len >= 1 && len <= EPOCH_MAX;
}

int cursor_parse(const char *text, size_t len, struct cursor *out)
{
	const char *colon = len ? memchr(text, ':', len) : NULL;
	size_t epoch_len = colon ? (size_t)(colon - text) : 0;
	struct wire_id id;

	if (!cursor_is_epoch(text, epoch_len))
		return -1;
	if (wire_id_parse(colon + 1, len - epoch_len - 1, &id) == -1)
		return -1;
	memcpy(out->epoch, text, epoch_len);
	out->epoch[epoch_len] = '\0';
	out->id = id;
	return 0;
}

size_t cursor_format(const struct cursor *cursor, char *out)
{
	size_t len = strlen(cursor->epoch);

	memcpy(out, cursor->epoch, len);
	out[len++] = ':';
	return len + wire_id_format(cursor->id, out + len);
}
